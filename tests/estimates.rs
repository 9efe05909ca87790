//! Estimates in a monitor: every window has one, labelled or not, and says how wrong it was once its labels are there.

mod support;

use drift_sidecar::monitor::Monitor;
use drift_sidecar::report::WindowReport;
use drift_sidecar::settings::{Settings, Task};
use support::{Outcome, Request, SECOND};

const ROWS: u64 = 2000;

fn settings() -> Settings {
    let mut settings = support::settings();
    settings.task = Some(Task::Binary);
    settings.positive_label = Some("yes".to_string());
    settings.f1_average = None;
    settings.rows_min = 100;
    settings.requests.score = Some("score".to_string());
    settings.reference.score = Some("score".to_string());
    settings
}

/// Within a minute; the score goes through 65 steps.
fn requests() -> Vec<Request> {
    let request = |id: u64| {
        let row =
            Request { id, time: None, price: Some((id % 64) as f64 / 16.0), color: Some("red"), prediction: "no" };
        let prediction = if row.score().expect("there is a price") >= 0.5 { "yes" } else { "no" };
        Request { time: Some(600 * SECOND + (id % 60) as i64 * SECOND), prediction, ..row }
    };
    (0..ROWS).map(request).collect()
}

/// "yes" as often as the score says, or as often as one less the score says.
fn label(request: &Request, turned: bool) -> &'static str {
    let lot = (request.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 24) as f64;
    let score = request.score().expect("there is a price");
    if lot < if turned { 1.0 - score } else { score } { "yes" } else { "no" }
}

fn outcomes(turned: bool, share: u64) -> Vec<Outcome> {
    let rows = requests();
    let told = rows.iter().filter(|row| row.id * 100 < share * ROWS);
    told.map(|row| Outcome { id: row.id, time: 700 * SECOND, label: label(row, turned) }).collect()
}

fn window(outcomes: &[Outcome]) -> WindowReport {
    let rows = requests();
    let labels: Vec<&'static str> = rows.iter().map(|row| label(row, false)).collect();
    let reference = support::reference(&settings(), &rows, &labels);
    let mut monitor = Monitor::new(settings(), reference);
    monitor.ingest(&support::scored_request_batch(&rows, 700 * SECOND));
    monitor.ingest(&support::outcome_batch(outcomes, 700 * SECOND));
    monitor.report().windows.remove(0)
}

#[test]
fn a_window_without_labels_has_an_estimate() {
    let found = window(&[]);
    let estimate = found.estimate.expect("the reference teaches one");
    assert_eq!(estimate.rows, ROWS);
    assert!(found.quality.is_none() && found.estimate_error.is_none());
    // The rows and scores are those of the reference: the F1 that it has there.
    let labelled = window(&outcomes(false, 100)).quality.expect("it is labelled");
    let (estimated, realised) = (estimate.f1.unwrap(), labelled.f1.unwrap());
    assert!((estimated - realised).abs() < 0.01, "{estimated}, and {realised} came true");
    assert!(estimate.f1_standard_error.is_some_and(|error| error > 0.0 && error < 0.02));
}

#[test]
fn labels_say_how_wrong_the_estimate_was() {
    let right = window(&outcomes(false, 100)).estimate_error.expect("all is labelled");
    assert!(right.abs() < 0.01, "{right}");
    // The score now means its opposite: the estimate stays where it was, and is far off.
    let turned = window(&outcomes(true, 100));
    assert_eq!(turned.estimate, window(&[]).estimate);
    assert!(turned.estimate_error.expect("all is labelled") > 0.4, "{:?}", turned.estimate_error);
    assert_eq!(window(&outcomes(false, 50)).estimate_error, None, "half of the labels are no whole");
}

#[test]
fn below_rows_min_there_is_no_estimate() {
    let rows = requests();
    let labels: Vec<&'static str> = rows.iter().map(|row| label(row, false)).collect();
    let mut monitor = Monitor::new(settings(), support::reference(&settings(), &rows, &labels));
    monitor.ingest(&support::scored_request_batch(&rows[..99], 700 * SECOND));
    assert_eq!(monitor.report().windows[0].estimate, None);
}

/// Else a version could not teach an estimator of its own.
#[test]
fn the_reference_of_a_version_keeps_every_column_that_has_a_role() {
    let mut settings = settings();
    settings.reference.probabilities = Some("probabilities".to_string());
    let rows = requests();
    let labels: Vec<&'static str> = rows.iter().map(|row| label(row, false)).collect();
    let reference = support::reference(&settings, &rows, &labels);
    let kept = ["price", "color", "prediction", "label", "score", "probabilities", "request_id", "weight"];
    assert_eq!(kept.map(|name| reference.has(name, &settings)), [true, true, true, true, true, true, false, false]);
}
