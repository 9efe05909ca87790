//! The page: the latest Report as plain, readable HTML, for people with a browser and no dashboard.
//!
//! One self-contained answer without script. It knows `report` only.

use std::fmt::Write;

use crate::report::{ModelReport, Quality, RecentReport, ReferenceReport, Report, Role, WindowReport};

mod columns;
mod logs;
mod parts;
mod words;

use words::{counted, escaped, grouped, moment, name, short, span};

/// How often a browser asks again.
const REFRESH_SECONDS: u32 = 15;

const STYLE: &str = include_str!("page/style.css");

const FEW: &str = "No verdict on quality: too few outcomes yet.";

const HEADER: &str = "<header><h1>drift-sidecar</h1><a href=\"/metrics\">metrics</a>\
    <a href=\"/api/v1/report\">report as JSON</a><a href=\"/-/healthy\">healthy</a><a href=\"/-/ready\">ready</a></header>";

/// The whole page.
pub fn render(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>drift-sidecar</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\"><style>{STYLE}</style></head><body>{HEADER}<main>"
    );
    if report.models.is_empty() {
        out.push_str("<p>No evaluation yet: the logs are being read.</p>");
    }
    report.models.iter().for_each(|report| model(&mut out, report));
    out.push_str("</main></body></html>\n");
    out
}

fn model(out: &mut String, report: &ModelReport) {
    let _ = write!(out, "<section><h2>{}</h2>", name(&report.model));
    for problem in &report.problems {
        let _ = write!(out, "<p class=\"bad text\">{}</p>", escaped(problem));
    }
    if let Some(found) = &report.reference {
        reference(out, found, report);
    }
    let quality = report.reference.as_ref().and_then(|reference| reference.quality.as_ref());
    report.windows.iter().for_each(|report| window(out, report, quality));
    if let Some(found) = &report.recent {
        recent(out, found, quality);
    }
    if let Some(main) = report.windows.first() {
        parts::table(out, ("Versions", "version"), &report.versions, &main.window);
        parts::table(out, ("Segments", "segment"), &report.segments, &main.window);
    }
    logs::table(out, report);
    out.push_str("</section>");
}

fn reference(out: &mut String, reference: &ReferenceReport, report: &ModelReport) {
    let _ = write!(out, "<p class=\"soft\">Reference: {}", counted(reference.rows, "row"));
    if let (Some(start), Some(end)) = (reference.start, reference.end) {
        let _ = write!(out, " of the log, {} to {}", moment(start), moment(end));
    }
    if let Some(at) = report.evaluated_at {
        let _ = write!(out, " · evaluated {}", moment(at));
    }
    out.push_str("</p>");
    if !reference.ignored_columns.is_empty() {
        let count = counted(reference.ignored_columns.len() as u64, "column");
        let _ = write!(out, "<details><summary>Not compared: {count}</summary><ul>");
        for (column, reason) in &reference.ignored_columns {
            let _ = write!(out, "<li>{}: {}</li>", name(column), escaped(reason));
        }
        out.push_str("</ul></details>");
    }
}

fn window(out: &mut String, report: &WindowReport, reference: Option<&Quality>) {
    let _ = write!(out, "<h3>Window {}</h3><p>{}", escaped(&report.window), drift(report));
    if report.prediction_drift_detected == Some(true) {
        out.push_str(" <span class=\"bad\">The predictions have moved.</span>");
    }
    let _ = write!(
        out,
        " {} {}</p><p class=\"soft\">{}",
        quality(report, reference),
        estimate(report),
        counted(report.rows, "row")
    );
    if let Some(labelled) = report.labelled_rows {
        let _ = write!(out, ", {} with an outcome", grouped(labelled));
    }
    if let (Some(start), Some(end)) = (report.start, report.end) {
        let _ = write!(out, " · {}", span(start, end));
    }
    out.push_str("</p>");
    columns::table(out, &report.columns);
}

/// The verdict on the features, in words.
fn drift(report: &WindowReport) -> String {
    let verdicts = || report.columns.iter().filter(|column| column.role == Role::Feature).filter_map(|c| c.drifted);
    let (tested, moved) = (verdicts().count() as u64, verdicts().filter(|moved| *moved).count());
    let features = counted(tested, "feature");
    match report.data_drift_detected {
        Some(true) => format!("<span class=\"bad\">Drift: {moved} of {features} moved.</span>"),
        Some(false) if moved > 0 => {
            format!("<b>{moved} of {features} moved</b>, fewer than the share that counts as drift.")
        }
        Some(false) => format!("<span class=\"good\">No drift in {features}.</span>"),
        None => "No verdict on drift: too few rows, or no feature that could be tested.".to_string(),
    }
}

/// The newest labelled predictions.
fn recent(out: &mut String, report: &RecentReport, reference: Option<&Quality>) {
    let told = report.quality.as_ref().map_or(FEW.to_string(), |found| measures(found, reference));
    let predictions = counted(report.labelled_rows, "prediction");
    let _ = write!(out, "<h3>Window {}</h3><p>{told}</p>", escaped(&report.window));
    let _ = write!(out, "<p class=\"soft\">The newest {predictions} with an outcome");
    if let Some(oldest) = report.oldest {
        let _ = write!(out, " · since {}", moment(oldest));
    }
    out.push_str("</p>");
}

/// How good the predictions were, beside the reference; empty where no outcomes are read.
fn quality(report: &WindowReport, reference: Option<&Quality>) -> String {
    match &report.quality {
        Some(found) => measures(found, reference),
        None => report.labelled_rows.map_or(String::new(), |_| FEW.to_string()),
    }
}

/// What scores make probable before the outcomes are there, and how wrong that was where they are; empty where nothing is estimated.
fn estimate(report: &WindowReport) -> String {
    let Some(found) = &report.estimate else {
        return String::new();
    };
    let error = found.f1_standard_error.map_or(String::new(), |error| format!(" ± {}", short(2.0 * error)));
    let told = match (found.f1, found.accuracy, found.mean_absolute_error) {
        (Some(f1), ..) => format!("Estimated F1 <b>{}</b>{error}", short(f1)),
        (_, Some(accuracy), _) => format!("Estimated accuracy <b>{}</b>", short(accuracy)),
        (.., Some(error)) => format!("Estimated mean absolute error <b>{}</b>", short(error)),
        _ => return String::new(),
    };
    let off = report.estimate_error.map(|error| format!(", off by {error:+.3} where the outcomes are there"));
    format!("{told}{}.", off.unwrap_or_default())
}

fn measures(found: &Quality, reference: Option<&Quality>) -> String {
    let error = found.f1_standard_error.map_or(String::new(), |error| format!(" ± {}", short(2.0 * error)));
    let numbers = [
        ("F1", found.f1, error, reference.and_then(|reference| reference.f1)),
        (
            "Mean absolute error",
            found.mean_absolute_error,
            String::new(),
            reference.and_then(|reference| reference.mean_absolute_error),
        ),
    ];
    let told = numbers.into_iter().filter_map(|(what, value, error, reference)| {
        let reference = reference.map_or(String::new(), |value| format!(" (reference {})", short(value)));
        Some(format!("{what} <b>{}</b>{error}{reference}.", short(value?)))
    });
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::report::{ColumnReport, Kind, LogReport, TestReport};

    fn column(name: &str, score: f64, drifted: Option<bool>) -> ColumnReport {
        let test = TestReport {
            method: "psi",
            score,
            threshold: Some(0.1),
            noise: Some(0.01),
            p_value: None,
            drifted: drifted == Some(true),
            ..TestReport::default()
        };
        ColumnReport {
            column: name.to_string(),
            kind: Kind::Numerical,
            role: Role::Feature,
            reference_rows: 10,
            current_rows: 10,
            missing_ratio: Some(0.0),
            missing_ratio_reference: None,
            unseen_ratio: None,
            unseen_ratio_reference: None,
            infinite_ratio: None,
            infinite_ratio_reference: None,
            out_of_range_ratio: None,
            out_of_range_ratio_reference: None,
            drifted,
            reason: format!("reason of {name}"),
            tests: drifted.map(|_| test).into_iter().collect(),
            undefined: Default::default(),
            distribution: None,
        }
    }

    fn page(window: WindowReport, change: impl Fn(&mut ModelReport)) -> String {
        let mut model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
        change(&mut model);
        render(&Report { models: vec![Arc::new(model)] })
    }

    #[test]
    fn hostile_names_stay_text_wherever_they_stand() {
        let bad = "<script>alert('x')</script>\"&\u{202e}";
        let window = WindowReport {
            window: bad.to_string(),
            columns: vec![column(bad, 1.0, Some(true))],
            ..WindowReport::default()
        };
        let page = page(window, |model| {
            model.model = bad.to_string();
            model.problems = vec![bad.to_string()];
            model.reference = Some(ReferenceReport {
                ignored_columns: BTreeMap::from([(bad.to_string(), bad.to_string())]),
                ..ReferenceReport::default()
            });
            model.logs = vec![LogReport {
                column_problems: BTreeMap::from([(bad.to_string(), BTreeMap::from([("type", 1)]))]),
                ..LogReport::default()
            }];
        });
        assert!(!page.contains("<script") && !page.contains("alert('"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\u{202e}").count(), 8);
    }

    #[test]
    fn what_moved_most_comes_first_and_what_cannot_be_tested_last() {
        let columns = vec![
            column("untested", 0.0, None),
            column("calm", 0.09, Some(false)),
            column("moved", 0.2, Some(true)),
            column("loud but within its noise", 0.5, Some(false)),
            column("moved far", 0.9, Some(true)),
        ];
        let page = page(WindowReport { columns, ..WindowReport::default() }, |_| {});
        let order = ["moved far", "moved", "loud but within its noise", "calm", "untested"];
        let places = order.map(|name| page.find(&format!("<bdi>{name}</bdi>")).unwrap());
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn the_verdict_stands_in_words() {
        let verdict = |detected, columns: &[Option<bool>]| {
            drift(&WindowReport {
                data_drift_detected: detected,
                columns: columns.iter().map(|drifted| column("c", 0.0, *drifted)).collect(),
                ..WindowReport::default()
            })
        };
        let (yes, no) = (Some(true), Some(false));
        assert!(verdict(yes, &[yes, no, yes, None]).contains("Drift: 2 of 3 features moved."));
        assert!(verdict(no, &[yes, no, no]).contains("1 of 3 features moved</b>, fewer than"));
        assert!(verdict(no, &[no]).contains("No drift in 1 feature."));
        assert!(verdict(None, &[]).starts_with("No verdict on drift"));
    }

    #[test]
    fn quality_stands_beside_the_reference_and_is_silent_without_outcomes() {
        let quality_of = |f1| Quality { f1: Some(f1), f1_standard_error: Some(0.01), ..Quality::default() };
        let mut window = WindowReport { quality: Some(quality_of(0.8)), ..WindowReport::default() };
        assert_eq!(quality(&window, Some(&quality_of(0.9))), "F1 <b>0.800</b> ± 0.020 (reference 0.900).");
        assert_eq!(quality(&window, None), "F1 <b>0.800</b> ± 0.020.");
        window.quality = Some(Quality { mean_absolute_error: Some(2.5), ..Quality::default() });
        assert_eq!(quality(&window, None), "Mean absolute error <b>2.500</b>.");
        window.quality = None;
        assert_eq!(quality(&window, None), "");
        window.labelled_rows = Some(3);
        assert!(quality(&window, None).contains("too few outcomes"));
    }

    #[test]
    fn the_newest_labelled_predictions_stand_below_the_windows() {
        let recent = |quality| {
            let oldest = Some(crate::report::Moment(1_750_003_600_000_000));
            let recent = RecentReport { window: "5000_labelled".to_string(), labelled_rows: 4321, oldest, quality };
            page(WindowReport::default(), |model| model.recent = Some(recent.clone()))
        };
        let page = recent(Some(Quality { f1: Some(0.8), ..Quality::default() }));
        assert!(page.contains("<h3>Window 5000_labelled</h3><p>F1 <b>0.800</b>.</p>"), "{page}");
        assert!(page.contains("The newest 4\u{202f}321 predictions with an outcome · since 2025-06-15"), "{page}");
        assert!(recent(None).contains("too few outcomes"));
    }

    #[test]
    fn a_page_of_thousands_of_columns_ends() {
        let columns = (0..5000).map(|i| column(&format!("c{i}"), 0.0, Some(false))).collect();
        let page = page(WindowReport { columns, ..WindowReport::default() }, |_| {});
        assert!(page.contains("4800 more columns are in the JSON"));
        assert!(page.len() < 200_000);
    }
}
