//! The table of a window's columns: what moved most comes first.

use std::fmt::Write;

use super::words::{dash, escaped, name, percent, short};
use crate::report::{ColumnReport, Role, TestReport};

/// Columns shown of one window.
const COLUMNS_MAX: usize = 200;

const HEAD: &str = "<table><thead><tr><th>column</th><th>kind</th><th>method</th><th class=\"n\">score</th>\
    <th class=\"wide\"></th><th class=\"n\">threshold</th><th class=\"n\">noise</th><th class=\"n\">missing</th>\
    <th>verdict</th></tr></thead><tbody>";

pub fn table(out: &mut String, columns: &[ColumnReport]) {
    if columns.is_empty() {
        return;
    }
    let mut sorted: Vec<&ColumnReport> = columns.iter().collect();
    sorted.sort_by(|a, b| {
        let moved = |column: &ColumnReport| column.drifted == Some(true);
        moved(b).cmp(&moved(a)).then(worst(b).total_cmp(&worst(a)))
    });
    out.push_str(HEAD);
    sorted.iter().take(COLUMNS_MAX).for_each(|column| row(out, column));
    out.push_str("</tbody></table>");
    if let Some(more) = columns.len().checked_sub(COLUMNS_MAX).filter(|more| *more > 0) {
        let _ = write!(out, "<p class=\"soft\">{more} more columns are in the JSON.</p>");
    }
}

fn worst(column: &ColumnReport) -> f64 {
    column.tests.iter().map(TestReport::reach).fold(0.0, f64::max)
}

fn row(out: &mut String, column: &ColumnReport) {
    // The test that decided, else the column's first.
    let shown = column.tests.iter().find(|test| test.drifted).or(column.tests.first());
    let role = match column.role {
        Role::Prediction => " <small>(prediction)</small>",
        Role::Feature | Role::Descriptor => "",
    };
    let verdict = match column.drifted {
        Some(true) => "<span class=\"bad\">drifted</span> ",
        _ => "",
    };
    let _ = write!(
        out,
        "<tr><td class=\"text\">{}{role}</td><td>{}</td><td>{}</td>",
        name(&column.column),
        column.kind.name(),
        shown.map_or("–", |test| test.method),
    );
    let number = |out: &mut String, name: &str, value: String| {
        let _ = write!(out, "<td class=\"n\" data-name=\"{name}\">{value}</td>");
    };
    number(out, "score", dash(shown.map(|test| test.score), short));
    out.push_str("<td class=\"wide\">");
    if let Some(test) = shown {
        let _ = write!(
            out,
            "<meter min=\"0\" max=\"2\" low=\"0.75\" high=\"1\" optimum=\"0\" value=\"{:.2}\" title=\"{} of the threshold\"></meter>",
            test.reach().clamp(0.0, 2.0),
            percent(test.reach()),
        );
    }
    out.push_str("</td>");
    number(out, "threshold", dash(shown.and_then(|test| test.threshold), short));
    number(out, "noise", dash(shown.and_then(|test| test.noise), short));
    number(out, "missing", dash(column.missing_ratio, percent));
    let _ = write!(out, "<td class=\"text\">{verdict}<small>{}</small></td></tr>", escaped(&column.reason));
}
