//! The parts of a model's rows, its versions and its segments: each a line, for the model's main window.

use std::fmt::Write;

use super::words::{dash, escaped, grouped, name, percent, short};
use crate::report::{SliceReport, WindowReport};

/// Parts shown of one model.
const PARTS_MAX: usize = 200;

/// `what`: the heading, and of what each line is one. `main`: the window that the lines are of.
pub fn table(out: &mut String, (heading, what): (&str, &str), parts: &[SliceReport], main: &str) {
    let rows: Vec<_> = parts.iter().filter_map(|part| Some((part, part.window(main)?))).collect();
    if rows.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h3>{heading}</h3><p class=\"soft\">In the window {}.</p><table><thead><tr><th>{what}</th><th class=\"n\">rows</th>\
         <th class=\"n\">with an outcome</th><th class=\"n\">F1</th><th class=\"n\">estimated</th><th class=\"n\">reference</th>\
         <th class=\"n\">features moved</th><th>verdict</th></tr></thead><tbody>",
        escaped(main)
    );
    rows.iter().take(PARTS_MAX).for_each(|(part, window)| row(out, part, window));
    out.push_str("</tbody></table>");
    if let Some(more) = rows.len().checked_sub(PARTS_MAX).filter(|more| *more > 0) {
        let _ = write!(out, "<p class=\"soft\">{more} more are in the JSON.</p>");
    }
}

fn row(out: &mut String, part: &SliceReport, window: &WindowReport) {
    let _ = write!(out, "<tr><td class=\"text\">{}</td>", name(&part.name));
    let labelled = window.labelled_rows.map_or("–".to_string(), grouped);
    let f1 = dash(window.quality.as_ref().and_then(|quality| quality.f1), short);
    let estimated = dash(window.estimate.as_ref().and_then(|estimate| estimate.f1), short);
    let reference = dash(part.reference.quality.as_ref().and_then(|quality| quality.f1), short);
    let moved = dash(window.data_drift_score, percent);
    let numbers = [
        ("rows", grouped(window.rows)),
        ("with an outcome", labelled),
        ("F1", f1),
        ("estimated", estimated),
        ("reference", reference),
        ("features moved", moved),
    ];
    for (what, number) in numbers {
        let _ = write!(out, "<td class=\"n\" data-name=\"{what}\">{number}</td>");
    }
    let verdict = match window.data_drift_detected {
        Some(true) => "<span class=\"bad\">drifted</span>",
        _ => "",
    };
    let _ = write!(out, "<td>{verdict}</td></tr>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Estimate, Quality, ReferenceReport};

    fn part(name: &str, window: &str, drifted: bool) -> SliceReport {
        let quality = |f1| Some(Quality { f1: Some(f1), ..Quality::default() });
        let window = WindowReport {
            window: window.to_string(),
            rows: 12_345,
            quality: quality(0.8),
            estimate: Some(Estimate { f1: Some(0.75), ..Estimate::default() }),
            data_drift_score: Some(0.5),
            data_drift_detected: Some(drifted),
            ..WindowReport::default()
        };
        let reference = ReferenceReport { quality: quality(0.9), ..ReferenceReport::default() };
        SliceReport { name: name.to_string(), reference, windows: vec![window] }
    }

    #[test]
    fn each_part_with_rows_in_the_main_window_has_a_line() {
        let mut out = String::new();
        let parts = [part("v1", "1h", false), part("<v2>", "1h", true), part("gone", "24h", false)];
        table(&mut out, ("Versions", "version"), &parts, "1h");
        assert_eq!(out.matches("<tr><td").count(), 2);
        assert!(out.contains("&lt;v2&gt;") && !out.contains("gone"), "{out}");
        assert_eq!(out.matches("drifted</span>").count(), 1);
        for number in ["12\u{202f}345", ">0.800<", ">0.750<", ">0.900<", "50"] {
            assert!(out.contains(number), "{number}: {out}");
        }
        out.clear();
        table(&mut out, ("Versions", "version"), &parts, "5m");
        assert_eq!(out, "");
    }
}
