//! The columns of one window as a table: their tests and how their values lie, the worst column first.
//!
//! This file knows the Report and nothing of how it came to be.

use std::cmp::Ordering;

use comfy_table::{Cell, Table};

use super::notes::notes;
use super::sparks::sparks;
use super::{Ink, NAME_MAX, Paper, cell, lines, name, number, p_value, percent};
use crate::report::{ColumnReport, TestReport};

fn worst(column: &ColumnReport) -> f64 {
    column.tests.iter().map(TestReport::reach).fold(f64::NEG_INFINITY, f64::max)
}

/// Drifted by something that no row of the table shows: its missing values.
fn missing_drifted(column: &ColumnReport) -> bool {
    column.drifted == Some(true) && !column.tests.iter().any(|test| test.drifted)
}

/// A row for each test of each column, and notes below: first what has drifted, then by how near the limit it is.
pub fn columns(columns: &[ColumnReport], paper: Paper) -> String {
    let mut sorted: Vec<&ColumnReport> = columns.iter().collect();
    sorted.sort_by(|a, b| {
        let drifted = |column: &ColumnReport| (missing_drifted(column), column.drifted == Some(true));
        drifted(b).cmp(&drifted(a)).then(worst(b).partial_cmp(&worst(a)).unwrap_or(Ordering::Equal))
    });
    let mut tables = (0..=Layout::LAST).map(|given_up| table(&sorted, Layout { given_up }, paper));
    let fits = |table: &Table| paper.width.is_none_or(|width| natural_width(table) <= usize::from(width));
    let table = tables.find(fits).unwrap_or_else(|| table(&sorted, Layout { given_up: Layout::LAST }, paper));
    lines(&table) + &notes(&sorted, paper)
}

/// What a table shows: everything, or without so many things that there is no room for, what is least needed first.
#[derive(Debug, Clone, Copy)]
struct Layout {
    given_up: usize,
}

impl Layout {
    const LAST: usize = 7;

    /// Characters in a sparkline; 0: none.
    fn bars(self) -> usize {
        match self.given_up {
            0 => 24,
            1..5 => 12,
            _ => 0,
        }
    }

    /// Those that decide are always there.
    fn p_values(self) -> bool {
        self.given_up < 2
    }

    fn kind(self) -> bool {
        self.given_up < 3
    }

    fn long_headings(self) -> bool {
        self.given_up < 4
    }

    fn noise(self) -> bool {
        self.given_up < 6
    }

    fn missing(self) -> bool {
        self.given_up < 7
    }
}

fn table(columns: &[&ColumnReport], layout: Layout, paper: Paper) -> Table {
    let fields = Field::shown(columns, layout);
    let headings: Vec<&str> = fields.iter().map(|field| field.heading(layout.long_headings())).collect();
    let mut table = paper.table(&headings);
    for column in columns {
        let sparks = match &column.distribution {
            Some(distribution) if layout.bars() > 0 => sparks(distribution, layout.bars()),
            _ => Default::default(),
        };
        let tests: Vec<Option<&TestReport>> = match column.tests.as_slice() {
            [] => vec![None],
            tests => tests.iter().map(Some).collect(),
        };
        for (position, test) in tests.into_iter().enumerate() {
            let line = Line { column, sparks: &sparks, test, first: position == 0 };
            table.add_row(fields.iter().map(|field| field.cell(&line)));
        }
    }
    table
}

/// Characters in a line, each cell in one line but for long names of columns; each has a blank before it.
fn natural_width(table: &Table) -> usize {
    let widths = table.column_max_content_widths();
    let cells = widths.iter().enumerate().map(|(position, width)| match position {
        0 => usize::from(*width).min(NAME_MAX),
        _ => usize::from(*width),
    });
    cells.map(|width| width + 2).sum::<usize>() - 1
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
    Reference,
    Current,
}

/// A row of the table: one test of a column, or a column without any.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    column: &'a ColumnReport,
    sparks: &'a [String; 2],
    test: Option<&'a TestReport>,
    /// The first row of its column, which alone says what holds for the column.
    first: bool,
}

impl Field {
    fn shown(columns: &[&ColumnReport], layout: Layout) -> Vec<Field> {
        use Field::{Column, Current, Kind, Method, Missing, Noise, PValue, Reference, Score, Threshold, Verdict};
        let tests = || columns.iter().flat_map(|column| &column.tests);
        let deciding = tests().any(|test| test.alpha.is_some());
        let p_values = deciding || (layout.p_values() && tests().any(|test| test.p_value.is_some()));
        let noise = layout.noise() && tests().any(|test| test.noise.is_some());
        let sparks = layout.bars() > 0 && columns.iter().any(|column| column.distribution.is_some());
        let fields = [
            (Column, true),
            (Kind, layout.kind()),
            (Method, true),
            (Score, true),
            (Threshold, true),
            (Noise, noise),
            (PValue, p_values),
            (Missing, layout.missing()),
            (Verdict, true),
            (Reference, sparks),
            (Current, sparks),
        ];
        fields.into_iter().filter(|(_, shown)| *shown).map(|(field, _)| field).collect()
    }

    fn heading(self, long: bool) -> &'static str {
        match self {
            Field::Column => "column",
            Field::Kind => "<kind",
            Field::Method => "method",
            Field::Score => ">score",
            Field::Threshold if long => ">threshold",
            Field::Threshold => ">thresh.",
            Field::Noise => ">noise",
            Field::PValue => ">p-value",
            Field::Missing if long => ">missing",
            Field::Missing => ">miss.",
            Field::Verdict => "<verdict",
            Field::Reference => "<reference",
            Field::Current => "<current",
        }
    }

    fn cell(self, line: &Line) -> Cell {
        let Line { column, sparks, test, first } = *line;
        let once = |text: String| if first { text } else { String::new() };
        let value = |value: Option<f64>| value.map_or("-".to_string(), number);
        let loud = |loud: bool| if loud { Ink::Bad } else { Ink::Plain };
        let drifted = test.filter(|test| test.drifted);
        match self {
            Field::Column => cell(Ink::Plain, once(name(&column.column, column.role))),
            Field::Kind => cell(Ink::Dim, once(column.kind.name().to_string())),
            Field::Method => cell(Ink::Plain, test.map_or("-", |test| test.method)),
            Field::Score => {
                let decides = drifted.is_some_and(|test| test.alpha.is_none());
                cell(loud(decides), value(test.map(|test| test.score)))
            }
            Field::Threshold => match test.and_then(|test| test.alpha) {
                Some(alpha) => cell(Ink::Plain, format!("p < {alpha}")),
                None => cell(Ink::Plain, value(test.and_then(|test| test.threshold))),
            },
            Field::Noise => cell(Ink::Dim, value(test.and_then(|test| test.noise))),
            Field::PValue => {
                let decides = drifted.is_some_and(|test| test.alpha.is_some());
                cell(loud(decides), p_value(test.and_then(|test| test.p_value_adjusted.or(test.p_value))))
            }
            Field::Missing => cell(loud(missing_drifted(column)), once(percent(column.missing_ratio))),
            Field::Verdict => verdict(line),
            Field::Reference => cell(Ink::Dim, once(sparks[0].clone())),
            Field::Current => cell(Ink::Plain, once(sparks[1].clone())),
        }
    }
}

fn verdict(line: &Line) -> Cell {
    let drifted = match line.test {
        _ if line.first && missing_drifted(line.column) => Some(true),
        Some(test) => Some(test.drifted),
        None => line.column.drifted,
    };
    match drifted {
        Some(true) => cell(Ink::Bad, "drift"),
        Some(false) => cell(Ink::Good, "ok"),
        None => cell(Ink::Warning, "none"),
    }
}
