//! What becomes of predictions and outcomes that come before, after, again, otherwise, too late or not at all: each case has a counter.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::Reference;
use drift_sidecar::report::SliceReport;
use drift_sidecar::settings::Settings;
use support::*;

const NOW: i64 = 100_000 * SECOND;

fn request(id: u64, second: i64) -> Request {
    Request { id, time: Some(second * SECOND), price: Some(1.0), color: Some("red"), prediction: "a" }
}

fn outcome(id: u64, second: i64, label: &'static str) -> Outcome {
    Outcome { id, time: second * SECOND, label }
}

fn the_reference(settings: &Settings) -> Arc<Reference> {
    let rows: Vec<Request> =
        (0..100).map(|id| Request { prediction: if id % 2 == 0 { "a" } else { "b" }, ..request(id, 0) }).collect();
    let labels: Vec<&str> = rows.iter().map(|row| row.prediction).collect();
    reference(settings, &rows, &labels)
}

struct Story(Monitor);

impl Story {
    fn new(settings: Settings) -> Story {
        let reference = the_reference(&settings);
        Story(Monitor::new(settings, reference))
    }

    fn requests(&mut self, rows: &[Request]) -> &mut Story {
        self.0.ingest(&request_batch(rows, NOW));
        self
    }

    fn outcomes(&mut self, rows: &[Outcome]) -> &mut Story {
        self.0.ingest(&outcome_batch(rows, NOW));
        self
    }

    /// What was counted, and the labelled rows of the longest window.
    fn told(&mut self) -> (BTreeMap<&'static str, u64>, u64) {
        let report = self.0.report();
        (report.pairing, report.windows[1].labelled_rows.unwrap())
    }
}

/// Windows of two and ten minutes; outcomes wait, and are waited for, five minutes.
fn story() -> Story {
    Story::new(settings())
}

#[test]
fn outcomes_come_before_with_after_and_long_after_their_requests() {
    let mut story = story();
    story.outcomes(&[outcome(1, 1000, "a")]);
    story.requests(&[request(1, 990), request(2, 1000), request(3, 1000)]);
    story.outcomes(&[outcome(2, 1001, "a")]);
    assert_eq!(story.told(), (BTreeMap::from([("paired", 2)]), 2));
    // Within the longest window, beyond the time that an outcome may take.
    story.requests(&[request(4, 1400)]).outcomes(&[outcome(3, 1400, "b")]);
    assert_eq!(story.told(), (BTreeMap::from([("paired", 3)]), 3));
}

#[test]
fn an_outcome_that_says_the_same_is_counted_and_one_that_says_otherwise_takes_its_place() {
    for before in [true, false] {
        let mut story = story();
        let request = [request(1, 1000)];
        let outcomes = ["b", "b", "a", "a"].map(|label| outcome(1, 1010, label));
        if before {
            story.outcomes(&outcomes).requests(&request)
        } else {
            story.requests(&request).outcomes(&outcomes)
        };
        let told = BTreeMap::from([("corrected_outcome", 1), ("paired", 1), ("repeated_outcome", 2)]);
        assert_eq!(story.told(), (told, 1));
        let report = story.0.report();
        assert_eq!(report.windows[0].quality.as_ref().unwrap().f1, Some(1.0), "the last label counts");
    }
}

#[test]
fn a_request_again_counts_once() {
    let mut story = story();
    story
        .requests(&[request(1, 1000), request(1, 1000)])
        .requests(&[request(1, 1001)])
        .outcomes(&[outcome(1, 1002, "a")]);
    assert_eq!(story.told(), (BTreeMap::from([("paired", 1)]), 1));
    assert_eq!(story.0.dropped(drift_sidecar::batch::Log::Requests), BTreeMap::from([("duplicate", 2)]));
    assert_eq!(story.0.report().windows[0].rows, 1);
}

#[test]
fn what_never_meets_is_counted_when_its_time_is_over() {
    let mut story = story();
    story.requests(&[request(1, 1000), request(2, 1000)]).outcomes(&[outcome(2, 1000, "a"), outcome(9, 1000, "a")]);
    assert_eq!(story.told().0, BTreeMap::from([("paired", 1)]));
    assert_eq!(story.0.report().pending_predictions, 1);
    story.requests(&[request(3, 5000)]);
    let gone = BTreeMap::from([("outcome_without_request", 1), ("paired", 1), ("prediction_without_outcome", 1)]);
    assert_eq!(story.told().0, gone);
    // The first one's outcome comes now, and then its time is over too.
    story.outcomes(&[outcome(1, 5000, "a")]).requests(&[request(4, 10_000)]);
    assert_eq!(story.told().0["outcome_without_request"], 2);
    assert_eq!(story.told().0["prediction_without_outcome"], 2, "that of 5000");
}

#[test]
fn an_outcome_for_a_window_that_has_passed_is_late() {
    let mut story = Story::new(Settings { label_delay_max: Duration::from_secs(3600), ..settings() });
    story.requests(&[request(1, 1000)]).requests(&[request(2, 3000)]).outcomes(&[outcome(1, 3000, "a")]);
    assert_eq!(story.told(), (BTreeMap::from([("late_outcome", 1), ("paired", 1)]), 0));
}

#[test]
fn what_leaves_a_full_table_is_counted_by_what_it_waited_for() {
    let mut story = Story::new(Settings { pairs_max: 100, ..settings() });
    let requests = |ids: std::ops::Range<u64>| ids.map(|id| request(id, 1000 + id as i64 / 10)).collect::<Vec<_>>();
    story.outcomes(&(0..20).map(|id| outcome(id, 1000, "a")).collect::<Vec<_>>());
    story.requests(&requests(0..10)).requests(&requests(20..40)).requests(&requests(200..400));
    let told = story.told().0;
    assert_eq!((told["pair_evicted"], told["outcome_evicted"]), (10, 10), "{told:?}");
    assert!(told["prediction_evicted"] >= 20 && !told.contains_key("prediction_without_outcome"), "{told:?}");
    let pending = story.0.report().pending_predictions;
    assert_eq!(told["prediction_evicted"] + pending, 220);
    // What is counted of finished pairs stays; for a prediction that has left an outcome comes in vain.
    assert_eq!(story.told().1, 10);
    story.outcomes(&[outcome(25, 1050, "a")]).requests(&[request(500, 9000)]);
    assert_eq!(story.told().0["outcome_without_request"], 1);
}

fn newest(rows: usize) -> Settings {
    Settings { f1_window: Some(rows), rows_min: 3, label_delay_max: Duration::from_secs(3600), ..settings() }
}

#[test]
fn the_newest_labelled_predictions_outlive_the_windows() {
    let mut story = Story::new(newest(4));
    let recent = |story: &mut Story| {
        let recent = story.0.report().recent.unwrap();
        (
            recent.labelled_rows,
            recent.oldest.map(|at| at.0 / SECOND),
            recent.quality.and_then(|quality| quality.accuracy),
        )
    };
    assert_eq!(recent(&mut story), (0, None, None));
    story.requests(&[request(1, 1000), request(2, 1001), request(3, 1002), request(4, 1003), request(5, 1004)]);
    story.outcomes(&[outcome(5, 1010, "a"), outcome(2, 1010, "b")]);
    assert_eq!(recent(&mut story), (2, Some(1001), None), "fewer than rows_min");
    // The windows are empty by then. Labels come in any order; the first prediction is the fifth newest.
    story.requests(&[request(6, 3000)]).outcomes(&[
        outcome(1, 3000, "b"),
        outcome(4, 3000, "a"),
        outcome(3, 3000, "a"),
    ]);
    assert_eq!(recent(&mut story), (4, Some(1001), Some(0.75)));
    story.outcomes(&[outcome(2, 3001, "a")]);
    assert_eq!(recent(&mut story), (4, Some(1001), Some(1.0)), "corrected");
    // Two are over an hour old by now; what comes for those waits in vain.
    story.requests(&[request(7, 4603)]).outcomes(&[outcome(1, 4603, "a")]);
    assert_eq!(recent(&mut story), (2, Some(1003), None));
    let told = BTreeMap::from([("corrected_outcome", 1), ("paired", 5)]);
    assert_eq!(story.told().0, told);
}

#[test]
fn a_request_that_is_too_old_for_the_windows_may_be_among_the_newest_labelled_ones() {
    for (f1_window, labelled) in [(Some(100), 1), (None, 0)] {
        let mut story = Story::new(Settings { f1_window, ..newest(100) });
        story.requests(&[request(1, 5000)]).requests(&[request(2, 3000)]).outcomes(&[outcome(2, 3001, "a")]);
        let report = story.0.report();
        assert_eq!(report.recent.map_or(0, |recent| recent.labelled_rows), labelled);
        assert_eq!(story.0.dropped(drift_sidecar::batch::Log::Requests), BTreeMap::from([("late", 1)]));
        assert_eq!(report.windows[1].rows, 1);
    }
}

#[test]
fn rows_are_needed_until_they_can_no_more_be_among_the_newest() {
    let mut story = Story::new(newest(3));
    assert_eq!(story.0.low_water(), i64::MIN);
    story.requests(&[request(1, 7000)]);
    assert_eq!(story.0.low_water(), 3400 * SECOND, "an hour back, since there is room for more");
    story.requests(&[request(2, 7001), request(3, 7002), request(4, 7003), request(5, 9000)]);
    story.outcomes(&[outcome(1, 9000, "a"), outcome(2, 9000, "a"), outcome(3, 9000, "a")]);
    assert_eq!(story.0.low_water(), 7000 * SECOND, "there are three");
    story.outcomes(&[outcome(4, 9000, "a")]);
    assert_eq!(story.0.low_water(), 7001 * SECOND, "newer ones");
}

/// A model of one version at most, told a request; the versions of its longest window, with their rows and how many have labels.
fn versions(story: &mut Story, request: Request, version: &str) -> Vec<(String, u64, Option<u64>)> {
    let mut batch = request_batch(&[request], NOW);
    batch.columns.insert(3, keys([Some(version)].into_iter()));
    story.0.ingest(&batch);
    let told = |slice: &SliceReport| (slice.name.clone(), slice.windows[1].rows, slice.windows[1].labelled_rows);
    story.0.report().versions.iter().map(told).collect()
}

#[test]
fn a_version_that_left_begins_anew_and_a_request_again_pushes_none_out() {
    let mut settings = Settings { versions_max: 1, ..settings() };
    settings.requests.version = Some("version".to_string());
    let mut story = Story::new(settings);
    let one = |name: &str, rows, labelled| vec![(name.to_string(), rows, Some(labelled))];
    assert_eq!(versions(&mut story, request(1, 1000), "v1"), one("v1", 1, 0));
    assert_eq!(versions(&mut story, request(1, 1000), "v2"), one("v1", 1, 0), "it was there, as one of v1");
    assert_eq!(versions(&mut story, request(2, 1000), "v2"), one("v2", 1, 0), "the last of two that are equally new");
    assert_eq!(versions(&mut story, request(3, 1000), "v1"), one("v2", 1, 0));
    // The outcome of its first row is for nobody, that of its new one counts.
    story.outcomes(&[outcome(1, 1005, "a"), outcome(4, 1005, "a")]);
    assert_eq!(versions(&mut story, request(4, 1001), "v1"), one("v1", 1, 1));
    assert_eq!(story.told(), (BTreeMap::from([("paired", 2)]), 2), "all rows together have both");
}
