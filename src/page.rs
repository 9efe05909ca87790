//! The page: the latest Report as plain, readable HTML, for people with a browser and no dashboard.
//!
//! One self-contained answer without script; everything that comes from data is escaped. It knows `report` only.

use std::fmt::Write;

use crate::report::{ColumnReport, LogReport, ModelReport, Quality, Report, Role, WindowReport};

/// How often a browser asks again.
const REFRESH_SECONDS: u32 = 15;

/// Columns shown of one window; the worst come first.
const COLUMNS_MAX: usize = 200;

const STYLE: &str = "
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--bad:#b42318;--good:#067647}
@media(prefers-color-scheme:dark){:root{--bad:#ff8a7a;--good:#5fd39a}}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem 1.2rem 4rem}
header{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;align-items:baseline;border-bottom:1px solid var(--line);padding-bottom:.6rem}
header h1{font-size:1.15rem;margin:0 auto 0 0}
h2{margin:2rem 0 .2rem;font-size:1.35rem}h3{margin:1.6rem 0 .3rem;font-size:1rem}
p{margin:.3rem 0}small,.soft{opacity:.7}.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.28rem .7rem .28rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;font-size:.85rem;opacity:.75;white-space:nowrap}td.n,th.n{text-align:right;white-space:nowrap}
";

/// The whole page.
pub fn render(report: &Report) -> String {
    let mut out =
        String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>drift-sidecar</title>");
    let _ = write!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\"><style>{STYLE}</style></head><body>"
    );
    out.push_str("<header><h1>drift-sidecar</h1><a href=\"/metrics\">metrics</a> <a href=\"/api/v1/report\">report as JSON</a> <a href=\"/-/healthy\">healthy</a> <a href=\"/-/ready\">ready</a></header><main>");
    if report.models.is_empty() {
        out.push_str("<p>No evaluation yet: the logs are being read.</p>");
    }
    report.models.iter().for_each(|report| model(&mut out, report));
    out.push_str("</main></body></html>\n");
    out
}

fn model(out: &mut String, report: &ModelReport) {
    let _ = write!(out, "<section><h2>{}</h2>", escaped(&report.model));
    for problem in &report.problems {
        let _ = write!(out, "<p class=\"bad\">{}</p>", escaped(problem));
    }
    if let Some(reference) = &report.reference {
        let f1 = reference
            .quality
            .as_ref()
            .and_then(|quality| quality.f1)
            .map_or(String::new(), |f1| format!(", F1 {}", short(f1)));
        let _ = write!(out, "<p class=\"soft\">Reference: {} rows{f1}", grouped(reference.rows));
        if let Some(at) = report.evaluated_at {
            let _ = write!(out, " · evaluated {at}");
        }
        out.push_str("</p>");
    }
    report.windows.iter().for_each(|report| window(out, report));
    logs(out, report);
    out.push_str("</section>");
}

fn window(out: &mut String, report: &WindowReport) {
    let _ = write!(out, "<h3>Window {}</h3><p>", escaped(&report.window));
    let drifted =
        report.columns.iter().filter(|column| column.role == Role::Feature && column.drifted == Some(true)).count();
    let _ = match report.data_drift_detected {
        Some(true) => write!(out, "<span class=\"bad\">Drift: {drifted} features have moved.</span> "),
        Some(false) if drifted > 0 => {
            write!(out, "{drifted} of the features have moved, fewer than the share that counts as drift. ")
        }
        Some(false) => write!(out, "<span class=\"good\">No drift.</span> "),
        None => write!(out, "No verdict on drift yet. "),
    };
    if report.prediction_drift_detected == Some(true) {
        out.push_str("<span class=\"bad\">The predictions have moved.</span> ");
    }
    match &report.quality {
        Some(found) => quality(out, found),
        None => out.push_str("No verdict on quality yet. "),
    }
    let _ = write!(out, "</p><p class=\"soft\">{} rows", grouped(report.rows));
    if let Some(labelled) = report.labelled_rows {
        let _ = write!(out, ", {} with an outcome", grouped(labelled));
    }
    if let (Some(start), Some(end)) = (report.start, report.end) {
        let _ = write!(out, ", from {start} to {end}");
    }
    out.push_str("</p>");
    columns(out, &report.columns);
}

fn quality(out: &mut String, quality: &Quality) {
    if let Some(f1) = quality.f1 {
        let error = quality.f1_standard_error.map_or(String::new(), |error| format!(" ± {}", short(2.0 * error)));
        let _ = write!(out, "F1 <b>{}</b>{error}. ", short(f1));
    }
    if let Some(error) = quality.mean_absolute_error {
        let _ = write!(out, "Mean absolute error <b>{}</b>. ", short(error));
    }
}

fn columns(out: &mut String, columns: &[ColumnReport]) {
    let mut sorted: Vec<&ColumnReport> = columns.iter().collect();
    let worst = |column: &ColumnReport| {
        column.tests.iter().map(|test| test.score / test.threshold.max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
    };
    sorted
        .sort_by(|a, b| (b.drifted == Some(true)).cmp(&(a.drifted == Some(true))).then(worst(b).total_cmp(&worst(a))));
    out.push_str("<div class=\"wide\"><table><thead><tr><th>column</th><th>kind</th><th>method</th><th class=\"n\">score</th><th class=\"n\">threshold</th><th class=\"n\">noise</th><th class=\"n\">missing</th><th>verdict</th></tr></thead><tbody>");
    for column in sorted.iter().take(COLUMNS_MAX) {
        let shown = column.tests.iter().find(|test| test.drifted).or(column.tests.first());
        let number = |value: Option<f64>| value.map_or("–".to_string(), short);
        let verdict = match column.drifted {
            Some(true) => "<span class=\"bad\">drifted</span><br>",
            _ => "",
        };
        let _ = write!(
            out,
            "<tr><td>{}{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{verdict}<small>{}</small></td></tr>",
            escaped(&column.column),
            if column.role == Role::Prediction { " <small>(prediction)</small>" } else { "" },
            column.kind.name(),
            shown.map_or("–", |test| test.method),
            number(shown.map(|test| test.score)),
            number(shown.map(|test| test.threshold)),
            number(shown.map(|test| test.noise)),
            column.missing_ratio.map_or("–".to_string(), |ratio| format!("{:.1} %", 100.0 * ratio)),
            escaped(&column.reason),
        );
    }
    out.push_str("</tbody></table></div>");
    if columns.len() > COLUMNS_MAX {
        let _ = write!(out, "<p class=\"soft\">{} more columns are in the JSON.</p>", columns.len() - COLUMNS_MAX);
    }
}

fn logs(out: &mut String, report: &ModelReport) {
    if report.logs.is_empty() {
        return;
    }
    out.push_str("<h3>What came in</h3><div class=\"wide\"><table><thead><tr><th>log</th><th class=\"n\">rows read</th><th>newest row</th><th>files</th><th>not used</th></tr></thead><tbody>");
    for log in &report.logs {
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            log.log,
            grouped(log.rows_read),
            log.last_event.map_or("–".to_string(), |at| at.to_string()),
            listed(log.files.iter().map(|(state, count)| (*state, *count))),
            not_used(log),
        );
    }
    out.push_str("</tbody></table></div>");
    if !report.pairing.is_empty() {
        let _ = write!(
            out,
            "<p class=\"soft\">Pairs: {}; {} predictions wait.</p>",
            listed(report.pairing.iter().map(|(reason, count)| (*reason, *count))),
            grouped(report.pending_predictions)
        );
    }
}

fn not_used(log: &LogReport) -> String {
    let rows =
        log.rows_dropped.iter().map(|(reason, count)| format!("{} rows {}", grouped(*count), reason.replace('_', " ")));
    let files = log.files_failed.iter().map(|(reason, count)| format!("{count} files {}", reason.replace('_', " ")));
    let columns = log.column_problems.iter().flat_map(|(column, reasons)| {
        reasons.iter().map(move |(reason, count)| format!("column {} {reason} in {count} files", escaped(column)))
    });
    let all: Vec<String> = rows.chain(files).chain(columns).collect();
    if all.is_empty() { "–".to_string() } else { all.join("<br>") }
}

fn listed<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let some: Vec<String> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{} {}", grouped(count), name.replace('_', " ")))
        .collect();
    if some.is_empty() { "–".to_string() } else { some.join(", ") }
}

/// Thousands apart, by narrow spaces.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.0005 {
        format!("{value:.1e}")
    } else if value.abs() < 100.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.0}")
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(10_000) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_text() {
        let report = ModelReport {
            model: "<script>alert('x')</script>".to_string(),
            problems: vec!["a \"b\" & c".to_string()],
            ..ModelReport::default()
        };
        let page = render(&Report { models: vec![std::sync::Arc::new(report)] });
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)") && page.contains("a &quot;b&quot; &amp; c"));
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([grouped(7), grouped(1234), grouped(1234567)], ["7", "1\u{202f}234", "1\u{202f}234\u{202f}567"]);
    }
}
