//! A Report as tables: for each model and window a heading with the verdict, then the columns, the worst first.
//!
//! This file knows the Report and nothing of how it came to be.

use std::cmp::Ordering;

use super::{Ink, Paper, cell, clean, count, counted, lines, number, p_value, percent};
use crate::report::{
    ColumnReport, Kind, ModelReport, Quality, Report, Role, TestReport, WindowReport,
};

/// The Report as text, each line ended. `colour`: with terminal colours; `width`: characters in a line, `None` for
/// as many as it takes. A Report without a model is a line that says so.
pub fn report(report: &Report, colour: bool, width: Option<u16>) -> String {
    let paper = Paper { colour, width };
    if report.models.is_empty() {
        return "no model was evaluated\n".to_string();
    }
    let sections = report.models.iter().map(|model| section(model, paper));
    sections.collect::<Vec<_>>().join("\n")
}

fn section(model: &ModelReport, paper: Paper) -> String {
    let mut text = String::new();
    if model.windows.is_empty() {
        let name = paper.ink(Ink::Bold, &clean(&model.model));
        text += &format!("{name}  {}\n", paper.ink(Ink::Warning, "NOT EVALUATED"));
    }
    for problem in &model.problems {
        text += &format!("  {} {}\n", paper.ink(Ink::Bad, "problem:"), clean(problem));
    }
    let windows: Vec<String> = model
        .windows
        .iter()
        .map(|window| one_window(model, window, paper))
        .collect();
    text + &windows.join("\n")
}

fn one_window(model: &ModelReport, window: &WindowReport, paper: Paper) -> String {
    let mut text = heading(model, window, paper);
    if !window.columns.is_empty() {
        text.push('\n');
        text += &columns(window, paper);
    }
    text
}

fn heading(model: &ModelReport, window: &WindowReport, paper: Paper) -> String {
    let name = paper.ink(
        Ink::Bold,
        &clean(&format!("{}  {}", model.model, window.window)),
    );
    let (ink, word) = match window.data_drift_detected {
        Some(true) => (Ink::Bad, "DRIFT"),
        Some(false) => (Ink::Good, "NO DRIFT"),
        None => (Ink::Warning, "NO VERDICT"),
    };
    let mut text = format!("{name}  {}", paper.ink(ink, word));
    if let (Some(start), Some(end)) = (window.start, window.end) {
        text += &paper.ink(Ink::Dim, &format!("  {start} to {end}"));
    }
    text.push('\n');
    let mut facts = vec![("features", features(window))];
    facts.extend(prediction(window).map(|words| ("prediction", words)));
    facts.push(("rows", rows(model, window)));
    facts.extend(quality(model, window).map(|words| ("quality", words)));
    for (fact, words) in facts {
        text += &format!(
            "  {}  {words}\n",
            paper.ink(Ink::Dim, &format!("{fact:10}"))
        );
    }
    text
}

fn features(window: &WindowReport) -> String {
    let tested = |column: &&ColumnReport| column.role == Role::Feature && column.drifted.is_some();
    let tested: Vec<_> = window.columns.iter().filter(tested).collect();
    let drifted = tested
        .iter()
        .filter(|column| column.drifted == Some(true))
        .count();
    match window.data_drift_score {
        Some(_) => format!("{drifted} of {} drifted", tested.len()),
        None => "none could be tested".to_string(),
    }
}

fn prediction(window: &WindowReport) -> Option<String> {
    let column = window
        .columns
        .iter()
        .find(|column| column.role == Role::Prediction)?;
    Some(match window.prediction_drift_detected? {
        true => format!("has drifted: {}", clean(&column.reason)),
        false => "has not drifted".to_string(),
    })
}

fn rows(model: &ModelReport, window: &WindowReport) -> String {
    let mut words = count(window.rows);
    if let Some(labelled) = window.labelled_rows {
        words += &format!(", {} with their outcome", count(labelled));
    }
    if let Some(reference) = &model.reference {
        words += &format!("; {} in the reference", count(reference.rows));
    }
    words
}

fn quality(model: &ModelReport, window: &WindowReport) -> Option<String> {
    let reference = model
        .reference
        .as_ref()
        .and_then(|reference| reference.quality.as_ref());
    let now = window
        .quality
        .as_ref()
        .map(|quality| measures(quality).join(", "));
    let before = reference.and_then(|quality| measures(quality).into_iter().next());
    match (now, before) {
        (Some(now), Some(before)) => Some(format!("{now}; {before} on the reference")),
        (Some(now), None) => Some(now),
        (None, Some(before)) if window.labelled_rows.is_some() => {
            let labelled = counted(window.labelled_rows.unwrap_or(0), "labelled row");
            Some(format!(
                "too few labels ({labelled}); {before} on the reference"
            ))
        }
        (None, Some(before)) => Some(format!("no outcomes; {before} on the reference")),
        (None, None) => None,
    }
}

fn measures(quality: &Quality) -> Vec<String> {
    let f1 = quality.f1.map(|f1| match quality.f1_standard_error {
        Some(error) => format!("F1 {} ± {}", number(f1), number(error)),
        None => format!("F1 {}", number(f1)),
    });
    let named = [
        ("precision", quality.precision),
        ("recall", quality.recall),
        ("accuracy", quality.accuracy),
        ("mean absolute error", quality.mean_absolute_error),
        ("root mean squared error", quality.root_mean_squared_error),
        ("mean error", quality.mean_error),
        ("R2", quality.r2),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", number(value?))));
    f1.into_iter().chain(named).collect()
}

/// How near, or how far beyond, its threshold a test is; no threshold to reach is infinitely far beyond.
fn reach(test: &TestReport) -> f64 {
    if test.threshold > 0.0 {
        test.score / test.threshold
    } else {
        f64::INFINITY
    }
}

fn worst(column: &ColumnReport) -> f64 {
    column
        .tests
        .iter()
        .map(reach)
        .fold(f64::NEG_INFINITY, f64::max)
}

/// Drifted by something that no row of the table shows: its missing values.
fn missing_drifted(column: &ColumnReport) -> bool {
    column.drifted == Some(true) && !column.tests.iter().any(|test| test.drifted)
}

fn columns(window: &WindowReport, paper: Paper) -> String {
    let mut sorted: Vec<&ColumnReport> = window.columns.iter().collect();
    sorted.sort_by(|a, b| {
        let missing = missing_drifted(b).cmp(&missing_drifted(a));
        missing.then(worst(b).partial_cmp(&worst(a)).unwrap_or(Ordering::Equal))
    });
    let any_p_value = sorted
        .iter()
        .flat_map(|column| &column.tests)
        .any(|test| test.p_value.is_some());
    let mut headings = vec!["column", "kind", "method", ">score", ">threshold", ">noise"];
    headings.extend(any_p_value.then_some(">p-value"));
    headings.extend([">missing", "verdict"]);
    let mut table = paper.table(&headings);
    for column in &sorted {
        let tests: Vec<Option<&TestReport>> = match column.tests.as_slice() {
            [] => vec![None],
            tests => tests.iter().map(Some).collect(),
        };
        for (position, test) in tests.into_iter().enumerate() {
            table.add_row(row(column, test, position == 0, any_p_value, paper));
        }
    }
    lines(&table) + &notes(&sorted, paper)
}

fn row(
    column: &ColumnReport,
    test: Option<&TestReport>,
    first: bool,
    p_values: bool,
    paper: Paper,
) -> Vec<comfy_table::Cell> {
    let once = |text: String| if first { text } else { String::new() };
    let name = match column.role {
        Role::Feature => clean(&column.column),
        Role::Prediction => format!("{} *", clean(&column.column)),
    };
    let drifted = test.map_or(column.drifted, |test| Some(test.drifted));
    let missing_drifted = missing_drifted(column);
    let (ink, verdict) = match drifted {
        _ if missing_drifted && first => (Ink::Bad, "drift"),
        Some(true) => (Ink::Bad, "drift"),
        Some(false) => (Ink::Good, "ok"),
        None => (Ink::Warning, "none"),
    };
    let loud = if test.is_some_and(|test| test.drifted) {
        Ink::Bad
    } else {
        Ink::Plain
    };
    let value = |value: Option<f64>| value.map_or("-".to_string(), number);
    let mut cells = vec![
        cell(Ink::Plain, once(name)),
        cell(Ink::Dim, once(kind(column.kind, paper).to_string())),
        cell(Ink::Plain, test.map_or("-", |test| test.method)),
        cell(loud, value(test.map(|test| test.score))),
        cell(Ink::Plain, value(test.map(|test| test.threshold))),
        cell(Ink::Dim, value(test.map(|test| test.noise))),
    ];
    if p_values {
        cells.push(cell(
            Ink::Plain,
            p_value(test.and_then(|test| test.p_value)),
        ));
    }
    let missing = if missing_drifted {
        Ink::Bad
    } else {
        Ink::Plain
    };
    cells.push(cell(missing, once(percent(column.missing_ratio))));
    cells.push(cell(ink, verdict));
    cells
}

pub fn kind(kind: Kind, paper: Paper) -> &'static str {
    match kind {
        Kind::Numerical if paper.narrow() => "num",
        Kind::Categorical if paper.narrow() => "cat",
        kind => kind.name(),
    }
}

/// What the table cannot say in a word.
fn notes(columns: &[&ColumnReport], paper: Paper) -> String {
    let mut notes: Vec<String> = Vec::new();
    if columns.iter().any(|column| column.role == Role::Prediction) {
        notes.push("* the model's prediction".to_string());
    }
    for column in columns {
        if column.drifted.is_none() || column.tests.is_empty() || missing_drifted(column) {
            notes.push(format!(
                "{}: {}",
                clean(&column.column),
                clean(&column.reason)
            ));
        }
    }
    notes
        .iter()
        .map(|note| format!(" {}\n", paper.ink(Ink::Dim, note)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    #[test]
    fn show() {
        for width in [Some(80), Some(140), None, Some(44)] {
            println!(
                "---- {width:?}\n{}",
                report(&sample::report(), false, width)
            );
            println!("{}", super::super::plan(&sample::plan(), false, width));
        }
        println!("{}", report(&sample::report(), true, Some(100)));
    }
}
