//! A Plan as a table: which columns are compared, as what, by which tests, and why; what is left out, and why.
//!
//! This file knows the Plan and nothing of how it came to be.

use comfy_table::Cell;

use super::{Ink, NARROW, PREDICTION_NOTE, Paper, SLIM, cell, clean, count, counted, lines, name, number, percent};
use crate::plan::{Plan, PlannedColumn};
use crate::report::{Kind, Role};
use crate::settings::{Average, Task};
use crate::stats::Limit;
use crate::stats::evidently::DEFAULT;

/// The Plan as text, each line ended; `colour` and `width` as in [`super::report`].
pub fn plan(plan: &Plan, colour: bool, width: Option<u16>) -> String {
    let paper = Paper { colour, width };
    let mut text = heading(plan, paper);
    if !plan.columns.is_empty() {
        text.push('\n');
        text += &columns(plan, paper);
    }
    if !plan.ignored.is_empty() {
        let ignored = plan.ignored.iter().map(|(name, why)| (clean(name), clean(why)));
        text += &paper.sentences("not compared", &ignored.collect::<Vec<_>>());
    }
    if !plan.warnings.is_empty() {
        text.push('\n');
        for warning in &plan.warnings {
            text += &format!(" {} {}\n", paper.ink(Ink::Warning, "warning:"), clean(warning));
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
    let tested = plan.columns.iter().filter(|column| !column.tests.is_empty()).count();
    let mut facts = vec![("task", format!("{task} ({})", clean(&plan.task_why)))];
    facts.extend(average.map(|words| ("f1", words.to_string())));
    facts.push(("reference", counted(plan.reference_rows, "row")));
    facts.push(("columns", format!("{tested} tested, {} ignored", plan.ignored.len())));
    facts.push(("resolution", format!("{} points a numerical column", count(plan.resolution as u64))));
    facts.push(("memory", format!("up to {} for all windows", bytes(plan.memory_bytes))));
    facts.extend(plan.extras.iter().map(|(fact, words)| (*fact, clean(words))));
    format!("{}\n{}", paper.ink(Ink::Bold, &clean(&plan.model)), paper.facts(&facts))
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
    let mut headings = vec!["column", "<kind", "method", ">threshold"];
    headings.extend((!paper.below(SLIM)).then_some("why this kind"));
    if !paper.below(NARROW) {
        headings.extend([">distinct", ">missing"]);
    }
    let mut table = paper.table(&headings);
    for column in &plan.columns {
        let mut cells = row(column, paper);
        cells.truncate(headings.len());
        table.add_row(cells);
    }
    let mut text = lines(&table);
    if plan.columns.iter().any(|column| column.role == Role::Prediction) {
        text += &format!(" {}\n", paper.ink(Ink::Dim, PREDICTION_NOTE));
    }
    text
}

fn row(column: &PlannedColumn, paper: Paper) -> Vec<Cell> {
    let listed = |words: Vec<String>| match words.is_empty() {
        true => "-".to_string(),
        false => words.join("\n"),
    };
    let methods = column.tests.iter().map(|(method, _)| method.name.to_string());
    let thresholds = column.tests.iter().map(|(method, limit)| match limit {
        _ if method.name == DEFAULT.name => "its own".to_string(),
        Limit::Score(threshold) => number(*threshold),
        Limit::Alpha(alpha) => format!("p < {}", number(*alpha)),
        Limit::Auto => "auto".to_string(),
    });
    // Nobody counts the distinct values of texts and vectors.
    let distinct = match column.kind {
        Kind::Text | Kind::Embedding => "-".to_string(),
        _ => count(column.distinct),
    };
    let kind = match column.kind {
        Kind::Numerical if paper.below(NARROW) => "num",
        Kind::Categorical if paper.below(NARROW) => "cat",
        kind => kind.name(),
    };
    vec![
        cell(Ink::Plain, name(&column.name, column.role)),
        cell(Ink::Plain, kind),
        cell(Ink::Plain, listed(methods.collect())),
        cell(Ink::Plain, listed(thresholds.collect())),
        cell(Ink::Dim, clean(&column.why)),
        cell(Ink::Plain, distinct),
        cell(Ink::Plain, percent(column.missing_ratio)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_plan_tells_what_is_compared_and_why() {
        let expected = r"
product-classifier
  task        multiclass (the reference's predictions are int64)
  f1          weighted over the classes
  reference   20,000 rows
  columns     3 tested, 2 ignored
  resolution  2,744 points a numerical column
  memory      up to 250.0 MiB for all windows
  estimate    F1 before the labels are there, from `score`

 column        kind  method  threshold  why this kind
───────────── ───── ─────── ────────── ───────────────────────────────
 price         num   psi        0.2000  float64 in the reference
                     ks         0.1000
 stars         cat   psi        0.2000  int64 with 5 distinct values
 designation   text  -               -  kind: text in the config
 prediction *  cat   psi        0.2000  the prediction of a classifier
 * the model's prediction

 not compared
 created_at   times are not compared (timestamp[us])
 internal_id  ignore: true in the config

 warning: resolution 2744 instead of 4096: 120 columns in 121 panes
";
        assert_eq!(plan(&sample::plan(), false, Some(80)), expected.trim_start_matches('\n'));
    }

    #[test]
    fn a_wide_terminal_counts_values_too() {
        let expected = r"
 column        kind         method  threshold  why this kind                   distinct  missing
───────────── ──────────── ─────── ────────── ─────────────────────────────── ───────── ────────
 price         numerical    psi        0.2000  float64 in the reference          18,412      0 %
                            ks         0.1000
 stars         categorical  psi        0.2000  int64 with 5 distinct values           5    1.3 %
 designation   text         -               -  kind: text in the config               -        -
 prediction *  categorical  psi        0.2000  the prediction of a classifier        27      0 %
";
        let text = plan(&sample::plan(), false, Some(120));
        assert!(text.contains(expected.trim_start_matches('\n')), "{text}");
    }

    #[test]
    fn a_slim_terminal_keeps_methods_and_thresholds() {
        let text = plan(&sample::plan(), false, Some(50));
        assert!(text.contains("method") && !text.contains("why this kind"), "{text}");
    }
}
