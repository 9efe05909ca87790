//! What came in from the logs, what did not, and what became of the pairs.

use std::fmt::Write;

use super::words::{counted, grouped, moment, name};
use crate::report::{LogReport, ModelReport};

/// Broken columns named a log.
const COLUMNS_MAX: usize = 20;

pub fn table(out: &mut String, report: &ModelReport) {
    if report.logs.is_empty() {
        return;
    }
    out.push_str(
        "<h3>What came in</h3><table><thead><tr><th>log</th><th class=\"n\">rows read</th><th>newest row</th>\
         <th>files</th><th>not used</th></tr></thead><tbody>",
    );
    for log in &report.logs {
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"n\" data-name=\"rows read\">{}</td><td data-name=\"newest row\">{}</td>\
             <td class=\"text\" data-name=\"files\">{}</td><td class=\"text\" data-name=\"not used\">{}</td></tr>",
            log.log,
            grouped(log.rows_read),
            log.last_event.map_or("–".to_string(), moment),
            listed(&log.files),
            not_used(log),
        );
    }
    out.push_str("</tbody></table>");
    if !report.pairing.is_empty() {
        let _ = write!(
            out,
            "<p class=\"soft\">Pairs: {}. Predictions that wait for their outcome: {}.</p>",
            listed(&report.pairing),
            grouped(report.pending_predictions)
        );
    }
}

fn not_used(log: &LogReport) -> String {
    let rows = log.rows_dropped.iter().map(|(reason, count)| format!("{} {}", counted(*count, "row"), words(reason)));
    let files = log.files_failed.iter().map(|(reason, count)| format!("{} {}", counted(*count, "file"), words(reason)));
    let columns = log.column_problems.iter().take(COLUMNS_MAX).flat_map(|(column, reasons)| {
        reasons.iter().map(move |(reason, count)| {
            let what = match *reason {
                "type" => "of another type",
                reason => reason,
            };
            format!("column {} {what} in {}", name(column), counted(*count, "file"))
        })
    });
    let more = log.column_problems.len().saturating_sub(COLUMNS_MAX);
    let more = (more > 0).then(|| format!("{more} more columns"));
    let all: Vec<String> = rows.chain(files).chain(columns).chain(more).collect();
    if all.is_empty() { "–".to_string() } else { all.join("<br>") }
}

fn listed(counts: &std::collections::BTreeMap<&'static str, u64>) -> String {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    let some: Vec<String> = some.map(|(what, count)| format!("{} {}", grouped(*count), words(what))).collect();
    if some.is_empty() { "–".to_string() } else { some.join(", ") }
}

fn words(reason: &str) -> String {
    reason.replace('_', " ")
}
