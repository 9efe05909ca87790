//! The columns of one window as a table: their tests, the worst column first, and what needs a sentence below.
//!
//! This file knows the Report and nothing of how it came to be.

use std::cmp::Ordering;

use comfy_table::Cell;

use super::{Ink, NARROW, PREDICTION_NOTE, Paper, SLIM, cell, clean, lines, name, number, p_value, percent};
use crate::report::{ColumnReport, Role, TestReport};

/// The share of strange values from which on a note tells of them.
const WORTH_TELLING: f64 = 0.01;

fn worst(column: &ColumnReport) -> f64 {
    column.tests.iter().map(TestReport::reach).fold(f64::NEG_INFINITY, f64::max)
}

/// Drifted by something that no row of the table shows: its missing values.
fn missing_drifted(column: &ColumnReport) -> bool {
    column.drifted == Some(true) && !column.tests.iter().any(|test| test.drifted)
}

/// A row for each test of each column, the worst column first, and notes below.
pub fn columns(columns: &[ColumnReport], paper: Paper) -> String {
    let mut sorted: Vec<&ColumnReport> = columns.iter().collect();
    sorted.sort_by(|a, b| {
        let missing = missing_drifted(b).cmp(&missing_drifted(a));
        missing.then(worst(b).partial_cmp(&worst(a)).unwrap_or(Ordering::Equal))
    });
    let fields = Field::shown(&sorted, paper);
    let headings: Vec<&str> = fields.iter().map(|field| field.heading(paper)).collect();
    let mut table = paper.table(&headings);
    for column in &sorted {
        let tests: Vec<Option<&TestReport>> = match column.tests.as_slice() {
            [] => vec![None],
            tests => tests.iter().map(Some).collect(),
        };
        for (position, test) in tests.into_iter().enumerate() {
            let line = Line { column, test, first: position == 0 };
            table.add_row(fields.iter().map(|field| field.cell(&line)));
        }
    }
    lines(&table) + &notes(&sorted, paper)
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Column,
    Kind,
    Method,
    Score,
    Threshold,
    Noise,
    PValue,
    Missing,
    Verdict,
}

/// A row of the table: one test of a column, or a column without any.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    column: &'a ColumnReport,
    test: Option<&'a TestReport>,
    /// The first row of its column, which alone says what holds for the column.
    first: bool,
}

impl Field {
    fn shown(columns: &[&ColumnReport], paper: Paper) -> Vec<Field> {
        use Field::{Column, Kind, Method, Missing, Noise, PValue, Score, Threshold, Verdict};
        let mut tests = columns.iter().flat_map(|column| &column.tests);
        let p_values = tests.any(|test| test.p_value.is_some());
        let mut fields = vec![Column, Kind, Method, Score, Threshold, Noise, PValue, Missing, Verdict];
        fields.retain(|field| match field {
            Kind => !paper.below(NARROW),
            PValue => p_values && !paper.below(SLIM),
            Noise | Missing => !paper.below(SLIM),
            _ => true,
        });
        fields
    }

    fn heading(self, paper: Paper) -> &'static str {
        match self {
            Field::Column => "column",
            Field::Kind => "<kind",
            Field::Method => "method",
            Field::Score => ">score",
            Field::Threshold if paper.below(NARROW) => ">thresh.",
            Field::Threshold => ">threshold",
            Field::Noise => ">noise",
            Field::PValue => ">p-value",
            Field::Missing if paper.below(NARROW) => ">miss.",
            Field::Missing => ">missing",
            Field::Verdict => "<verdict",
        }
    }

    fn cell(self, line: &Line) -> Cell {
        let Line { column, test, first } = *line;
        let once = |text: String| if first { text } else { String::new() };
        let value = |value: Option<f64>| value.map_or("-".to_string(), number);
        let loud = |loud: bool| if loud { Ink::Bad } else { Ink::Plain };
        match self {
            Field::Column => cell(Ink::Plain, once(name(&column.column, column.role))),
            Field::Kind => cell(Ink::Dim, once(column.kind.name().to_string())),
            Field::Method => cell(Ink::Plain, test.map_or("-", |test| test.method)),
            Field::Score => cell(loud(test.is_some_and(|test| test.drifted)), value(test.map(|test| test.score))),
            Field::Threshold => cell(Ink::Plain, value(test.and_then(|test| test.threshold))),
            Field::Noise => cell(Ink::Dim, value(test.and_then(|test| test.noise))),
            Field::PValue => cell(Ink::Plain, p_value(test.and_then(|test| test.p_value))),
            Field::Missing => cell(loud(missing_drifted(column)), once(percent(column.missing_ratio))),
            Field::Verdict => {
                let of_column = first && missing_drifted(column);
                let drifted =
                    if of_column { Some(true) } else { test.map_or(column.drifted, |test| Some(test.drifted)) };
                match drifted {
                    Some(true) => cell(Ink::Bad, "drift"),
                    Some(false) => cell(Ink::Good, "ok"),
                    None => cell(Ink::Warning, "none"),
                }
            }
        }
    }
}

/// What the table cannot say in a word.
fn notes(columns: &[&ColumnReport], paper: Paper) -> String {
    let mut notes: Vec<String> = Vec::new();
    if columns.iter().any(|column| column.role == Role::Prediction) {
        notes.push(PREDICTION_NOTE.to_string());
    }
    for column in columns {
        if column.drifted.is_none() || column.tests.is_empty() || missing_drifted(column) {
            notes.push(format!("{}: {}", clean(&column.column), clean(&column.reason)));
        }
        for (ratio, what) in [
            (column.unseen_ratio, "of the values are new to the reference"),
            (column.out_of_range_ratio, "of the values are outside of the reference's range"),
        ] {
            if ratio.is_some_and(|ratio| ratio >= WORTH_TELLING) {
                notes.push(format!("{}: {} {what}", clean(&column.column), percent(ratio)));
            }
        }
    }
    notes.iter().map(|note| format!(" {}\n", paper.ink(Ink::Dim, note))).collect()
}
