//! The demo's story of labels that stop, by its own clock: what is said of F1 is what the story knows.

#[path = "support/logs.rs"]
mod logs;

use std::collections::BTreeMap;

use drift_sidecar::config;
use drift_sidecar::demo::{Scenario, Story, Traffic};
use drift_sidecar::report::{ModelReport, WindowReport};
use drift_sidecar::worker::Worker;
use logs::{NOW, SECOND, log, read, window};

/// Drawn for the truth of a window: its standard error is 0.006.
const DRAWS: i64 = 6000;

/// F1 of the orders of a window, whether their labels have arrived or not.
fn truth(story: &mut Story, window: &WindowReport) -> f64 {
    let (start, end) = (window.start.unwrap().0, window.end.unwrap().0);
    let (mut found, mut mistaken) = (0.0, 0.0);
    for draw in 0..DRAWS {
        let order = story.request(start + (end - start) / DRAWS * draw);
        match (order.prediction == order.truth, order.truth) {
            (true, "returned") => found += 1.0,
            (true, _) => {}
            (false, _) => mistaken += 1.0,
        }
    }
    2.0 * found / (2.0 * found + mistaken)
}

/// What is said every five seconds of the story, by seconds from its start.
fn told() -> BTreeMap<i64, ModelReport> {
    let folder = tempfile::tempdir().unwrap();
    let mut traffic = Traffic::new(folder.path(), Scenario::LabelsStop, NOW, 27).unwrap();
    traffic.write_reference().unwrap();
    let text = traffic.config("127.0.0.1:0".parse().unwrap());
    let loaded = config::parse(&text, &folder.path().join("sidecar.yaml"), &|_| None).unwrap();
    let mut worker = Worker::new(loaded.whole().unwrap().models.remove(0), None);
    let seconds = (0..=195).step_by(5);
    let turns = seconds.map(|second| {
        let now = NOW + second * SECOND;
        traffic.turn(now).unwrap();
        (second, read(&mut worker, now))
    });
    turns.collect()
}

fn f1(report: &ModelReport) -> Option<f64> {
    window(report).quality.as_ref()?.f1
}

fn estimated(report: &ModelReport) -> Option<f64> {
    window(report).estimate.as_ref()?.f1
}

#[test]
fn labels_stop_and_the_estimate_goes_on_and_is_right() {
    let told = told();
    let mut story = Story::new(Scenario::LabelsStop, NOW, 1);
    let truth: BTreeMap<i64, f64> =
        told.iter().map(|(second, report)| (*second, truth(&mut story, window(report)))).collect();
    assert!(truth[&70] > 0.88 && truth[&110] < 0.72, "{truth:?}");
    for (second, report) in &told {
        let estimate = estimated(report).unwrap();
        assert!((estimate - truth[second]).abs() < 0.03, "{second}: {estimate} of {}", truth[second]);
    }
    for report in told.range(..=50).chain(told.range(180..)).map(|(_, report)| report) {
        let (f1, estimate) = (f1(report).unwrap(), estimated(report).unwrap());
        assert!((f1 - estimate).abs() < 0.04, "{f1} {estimate}");
    }
    for (second, report) in told.range(180..) {
        let error = window(report).estimate_error.unwrap();
        assert!(error.abs() < 0.03, "{second}: {error}");
    }
    for (second, report) in told.range(60..180) {
        assert!(f1(report).is_none() && window(report).labelled_rows < Some(100), "{second}");
    }

    // What LabelsStopped asks for: requests are read on, and the outcome log, which had some, stands still.
    let read = |second: i64| ["requests", "outcomes"].map(|name| log(&told[&second], name).rows_read);
    let ([requests, outcomes], [requests_later, outcomes_later], [_, backlog]) = (read(30), read(175), read(180));
    assert!(requests_later > requests + 40_000 && outcomes > 0 && outcomes_later == outcomes);
    assert!(backlog > outcomes + 40_000, "{backlog}");
}
