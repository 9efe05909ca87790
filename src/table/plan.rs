//! A Plan as a table: which columns are compared, as what, by which tests, and why; what is left out, and why.
//!
//! This file knows the Plan and nothing of how it came to be.

use super::report::kind;
use super::{Ink, Paper, cell, clean, count, lines, number, percent};
use crate::monitor::{Average, Task};
use crate::plan::{Plan, PlannedColumn};
use crate::report::Role;

/// The Plan as text, each line ended; `colour` and `width` as in [`super::report`].
pub fn plan(plan: &Plan, colour: bool, width: Option<u16>) -> String {
    let paper = Paper { colour, width };
    let mut text = heading(plan, paper);
    if !plan.columns.is_empty() {
        text.push('\n');
        text += &columns(plan, paper);
    }
    if !plan.ignored.is_empty() {
        text += &format!("\n {}\n", paper.ink(Ink::Bold, "not compared"));
        let widest = plan
            .ignored
            .keys()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        let widest = widest.min(30);
        for (name, why) in &plan.ignored {
            text += &format!(
                " {:widest$}  {}\n",
                clean(name),
                paper.ink(Ink::Dim, &clean(why))
            );
        }
    }
    if !plan.warnings.is_empty() {
        text.push('\n');
        for warning in &plan.warnings {
            text += &format!(
                " {} {}\n",
                paper.ink(Ink::Warning, "warning:"),
                clean(warning)
            );
        }
    }
    text
}

fn heading(plan: &Plan, paper: Paper) -> String {
    let task = match plan.task {
        Task::Binary => "binary",
        Task::Multiclass => "multiclass",
        Task::Regression => "regression",
    };
    let average = plan.average.map(|average| match average {
        Average::Weighted => "weighted over the classes",
        Average::Macro => "macro: the mean of the classes",
        Average::Micro => "micro: over all rows at once",
        Average::Binary => "binary: of the positive class",
    });
    let tested = plan
        .columns
        .iter()
        .filter(|column| !column.tests.is_empty())
        .count();
    let mut facts = vec![("task", format!("{task} ({})", clean(&plan.task_why)))];
    facts.extend(average.map(|words| ("f1", words.to_string())));
    facts.push(("reference", format!("{} rows", count(plan.reference_rows))));
    facts.push((
        "columns",
        format!("{tested} tested, {} ignored", plan.ignored.len()),
    ));
    facts.push((
        "resolution",
        format!(
            "{} points a numerical column",
            count(plan.resolution as u64)
        ),
    ));
    facts.push((
        "memory",
        format!("up to {} for all windows", bytes(plan.memory_bytes)),
    ));
    let mut text = format!("{}\n", paper.ink(Ink::Bold, &clean(&plan.model)));
    for (fact, words) in facts {
        text += &format!(
            "  {}  {words}\n",
            paper.ink(Ink::Dim, &format!("{fact:10}"))
        );
    }
    text
}

/// `12.3 MiB`.
fn bytes(bytes: usize) -> String {
    match bytes {
        0..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn columns(plan: &Plan, paper: Paper) -> String {
    let headings = [
        "column",
        "kind",
        "method",
        ">threshold",
        ">distinct",
        ">missing",
        "why this kind",
    ];
    let mut table = paper.table(&headings);
    for column in &plan.columns {
        table.add_row(row(column, paper));
    }
    let predicted = plan
        .columns
        .iter()
        .any(|column| column.role == Role::Prediction);
    let note = if predicted {
        "* the model's prediction"
    } else {
        ""
    };
    let note = if note.is_empty() {
        String::new()
    } else {
        format!(" {}\n", paper.ink(Ink::Dim, note))
    };
    lines(&table) + &note
}

fn row(column: &PlannedColumn, paper: Paper) -> Vec<comfy_table::Cell> {
    let name = match column.role {
        Role::Feature => clean(&column.name),
        Role::Prediction => format!("{} *", clean(&column.name)),
    };
    let listed = |words: Vec<String>| {
        if words.is_empty() {
            "-".to_string()
        } else {
            words.join("\n")
        }
    };
    vec![
        cell(Ink::Plain, name),
        cell(Ink::Plain, kind(column.kind, paper)),
        cell(
            Ink::Plain,
            listed(
                column
                    .tests
                    .iter()
                    .map(|(method, _)| method.name.to_string())
                    .collect(),
            ),
        ),
        cell(
            Ink::Plain,
            listed(
                column
                    .tests
                    .iter()
                    .map(|(_, threshold)| number(*threshold))
                    .collect(),
            ),
        ),
        cell(Ink::Plain, count(column.distinct)),
        cell(Ink::Plain, percent(column.missing_ratio)),
        cell(Ink::Dim, clean(&column.why)),
    ]
}
