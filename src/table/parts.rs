//! The parts of a model's rows, its versions and its segments, as a table: each a row, for the model's main window.
//!
//! This file knows the Report and nothing of how it came to be.

use comfy_table::Cell;

use super::{Ink, Paper, cell, clean, count, lines, number, percent};
use crate::report::{SliceReport, WindowReport};

/// A table of those that have rows in the window `main`, under a heading; nothing where there is none.
pub fn parts(heading: &str, what: &str, parts: &[SliceReport], main: &str, paper: Paper) -> String {
    let rows: Vec<_> = parts.iter().filter_map(|part| Some((part, part.window(main)?))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = paper.table(&[what, ">rows", ">outcomes", ">F1", ">estimated", ">reference", ">moved", "<"]);
    for (part, window) in rows {
        table.add_row(row(part, window));
    }
    format!("\n {}\n\n{}", paper.ink(Ink::Bold, heading), lines(&table))
}

fn row(part: &SliceReport, window: &WindowReport) -> Vec<Cell> {
    let some = |value: Option<f64>| cell(Ink::Plain, value.map_or_else(|| "-".to_string(), number));
    let quality = window.quality.as_ref().and_then(|quality| quality.f1);
    let estimate = window.estimate.as_ref().and_then(|estimate| estimate.f1);
    let reference = part.reference.quality.as_ref().and_then(|quality| quality.f1);
    let (ink, verdict) = match window.data_drift_detected {
        Some(true) => (Ink::Bad, "drifted"),
        _ => (Ink::Plain, ""),
    };
    vec![
        cell(Ink::Plain, clean(&part.name)),
        cell(Ink::Plain, count(window.rows)),
        cell(Ink::Plain, window.labelled_rows.map_or_else(|| "-".to_string(), count)),
        some(quality),
        some(estimate),
        some(reference),
        cell(Ink::Plain, percent(window.data_drift_score)),
        cell(ink, verdict),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Quality, ReferenceReport};

    fn part(name: &str, window: &str, drifted: bool) -> SliceReport {
        let quality = |f1| Some(Quality { f1: Some(f1), ..Quality::default() });
        let window = WindowReport {
            window: window.to_string(),
            rows: 1200,
            labelled_rows: Some(1000),
            quality: quality(0.8),
            data_drift_score: Some(0.5),
            data_drift_detected: Some(drifted),
            ..WindowReport::default()
        };
        let reference = ReferenceReport { quality: quality(0.9), ..ReferenceReport::default() };
        SliceReport { name: name.to_string(), reference, windows: vec![window] }
    }

    #[test]
    fn each_part_with_rows_in_the_main_window_has_a_line() {
        let all = [part("country=FR", "1h", true), part("country=DE", "1h", false), part("country=IT", "24h", false)];
        let paper = Paper { colour: false, width: None };
        let expected = "
 Segments

 segment      rows  outcomes      F1  estimated  reference   moved
 ────────── ───── ──────── ────── ───────── ───────── ────── ───────
 country=FR  1,200     1,000  0.8000          -     0.9000  50.0 %  drifted
 country=DE  1,200     1,000  0.8000          -     0.9000  50.0 %
";
        let found = parts("Segments", "segment", &all, "1h", paper);
        let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        assert_eq!(words(&found.replace('─', "")), words(&expected.replace('─', "")), "{found}");
        assert_eq!(parts("Segments", "segment", &all, "5m", paper), "");
    }
}
