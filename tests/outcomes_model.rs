//! Random streams of requests and outcomes, with duplicates, corrections, orphans, expiry, restarts and reloads, against a plain
//! recomputation from all rows: quality, estimates, versions, segments, the newest labelled predictions, and every counter.
//!
//! What is promised where it is not obvious:
//!
//! - One id is one event: it always has the same time. The first row of an id that has a prediction counts, the last label.
//! - The versions of a report are the `versions_max` ones whose newest rows are newest (of equal ones those of the last name). A version
//!   that was not among them for a while has the rows that were read since then.
//! - An outcome waits as long as a prediction of its time. One that is said to be older than its prediction may have gone just before.
//! - Counters are those of the rows that were read since the last start. Where a row comes for an id that has expired, either may
//!   happen: its entry is there still, or it is gone.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use arrow::array::{Float64Array, Int64Array, UInt64Array};
use drift_sidecar::batch::{Batch, Column, Field, Log, Nature, Wanted};
use drift_sidecar::estimate::{Expected, Reading};
use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::{Division, Draft, References};
use drift_sidecar::report::{Estimate, ModelReport, Quality, SliceReport, WindowReport};
use drift_sidecar::settings::{Average, Definition, Feature, Settings, Task};
use drift_sidecar::stats::f1::{self, Cell};
use proptest::prelude::*;
use support::*;

const NOW: i64 = 100_000 * SECOND;
/// Long after everything else: what waits then has waited in vain.
const END: i64 = 9_000_000 * SECOND;

/// Lengths of the windows and of their panes.
const WINDOWS: [(i64, i64); 2] = [(120 * SECOND, 30 * SECOND), (600 * SECOND, 150 * SECOND)];

const VERSIONS: [&str; 5] = ["1.1", "1.10", "v2", "v3", "v4"];
const COLORS: [&str; 5] = ["red", "green", "blue", "black", "unknown to the reference"];
const SIZES: [&str; 3] = ["7", "7.0", "8"];

#[derive(Debug, Clone)]
enum Time {
    OfKey,
    Missing,
    Future,
    Invalid,
}

/// A request; its time and its id, if it has one, follow from its key.
#[derive(Clone)]
struct Row {
    key: i64,
    has_id: bool,
    time: Time,
    prediction: Option<&'static str>,
    score: Option<f64>,
    version: Option<&'static str>,
    color: Option<&'static str>,
    size: Option<&'static str>,
}

#[derive(Clone)]
struct Label {
    key: i64,
    has_id: bool,
    delay: i64,
    label: Option<&'static str>,
}

/// What a reload may change.
#[derive(Debug, Clone)]
struct Choices {
    rows_min: u64,
    f1_window: Option<usize>,
    versions_max: usize,
}

#[derive(Debug, Clone)]
enum Act {
    Requests(Vec<Row>),
    Outcomes(Vec<Label>),
    /// Forget the memory; read again, in the same order, what is still needed.
    Restart,
    Reload(Choices),
}

#[derive(Debug, Clone)]
struct Case {
    choices: Choices,
    label_delay_max: u64,
    weighted: bool,
    exact: bool,
    pairs_max: usize,
    acts: Vec<Act>,
}

/// Two keys a second, and thirteen seconds then.
fn time_of(key: i64) -> i64 {
    (8_000 + key / 2 * 13) * SECOND + key * 271_828 % SECOND
}

/// A story has a line for each row.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Row { key, has_id, time, prediction, score, version, color, size } = self;
        let (id, or) = (if *has_id { "id" } else { "no id, key" }, |text: &Option<&'static str>| text.unwrap_or("-"));
        let (prediction, version, color, size) = (or(prediction), or(version), or(color), or(size));
        write!(f, "{id} {key} {time:?} predicted {prediction} score {score:?} version {version} {color} size {size}")
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = if self.has_id { "id" } else { "no id, key" };
        write!(f, "{id} {} is {} after {} s", self.key, self.label.unwrap_or("-"), self.delay)
    }
}

impl Row {
    fn time(&self) -> Option<i64> {
        match self.time {
            Time::OfKey => Some(time_of(self.key)),
            Time::Missing => None,
            Time::Future => Some(NOW + 61 * SECOND),
            Time::Invalid => Some(-SECOND),
        }
    }

    fn is_usable(&self) -> bool {
        matches!(self.time, Time::OfKey)
    }

    fn is_paired(&self) -> bool {
        self.has_id && self.prediction.is_some()
    }
}

impl Label {
    fn time(&self) -> i64 {
        time_of(self.key) + self.delay * SECOND
    }

    fn is_usable(&self) -> bool {
        self.has_id && self.label.is_some()
    }
}

fn by_value(name: &'static str) -> &'static str {
    match name {
        "1.0" | "true" => "1",
        "0.0" | "false" => "0",
        "7.0" => "7",
        name => name,
    }
}

// Strategies.

fn sometimes<T: Clone + std::fmt::Debug + 'static>(names: &'static [T]) -> impl Strategy<Value = Option<T>> {
    prop_oneof![12 => proptest::sample::select(names).prop_map(Some), 1 => Just(None)]
}

/// Of a row whose key is so far from where the stream has come to.
fn row() -> impl Strategy<Value = Row> {
    let time = prop_oneof![40 => Just(Time::OfKey), 1 => Just(Time::Missing), 1 => Just(Time::Future), 1 => Just(Time::Invalid)];
    let score = prop_oneof![20 => (0..65u32).prop_map(|x| Some(f64::from(x) / 64.0)), 1 => Just(None), 1 => Just(Some(1.25)), 1 => Just(Some(f64::NAN))];
    let place = (proptest::sample::select(&VERSIONS[..]), prop::bool::weighted(0.9));
    let key = prop_oneof![4 => -12..8i64, 1 => -90..0i64];
    let divided = (place, sometimes(&COLORS), sometimes(&SIZES));
    let prediction = sometimes(&["0", "1", "1.0", "0", "true"]);
    (key, prop::bool::weighted(0.97), time, prediction, score, divided).prop_map(
        |(key, has_id, time, prediction, score, ((version, there), color, size))| Row {
            key,
            has_id,
            time,
            prediction,
            score,
            version: Some(version).filter(|_| there),
            color,
            size,
        },
    )
}

fn label() -> impl Strategy<Value = Label> {
    let key = prop_oneof![4 => -25..8i64, 1 => -120..0i64];
    // Clocks differ: some outcomes are said to be older than their predictions.
    let delay = prop_oneof![1 => -4..1i64, 8 => 0..90i64, 1 => 0..2_000i64];
    let label = sometimes(&["0", "1", "1.0", "0", "false", "true", "0.0", "1", "2"]);
    (key, prop::bool::weighted(0.98), delay, label).prop_map(|(key, has_id, delay, label)| Label {
        key,
        has_id,
        delay,
        label,
    })
}

fn choices() -> impl Strategy<Value = Choices> {
    let f1_window = prop_oneof![1 => Just(None), 3 => (3..50usize).prop_map(Some)];
    (1..9u64, f1_window, 1..5usize).prop_map(|(rows_min, f1_window, versions_max)| Choices {
        rows_min,
        f1_window,
        versions_max,
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => prop::collection::vec(row(), 1..32).prop_map(Act::Requests),
        7 => prop::collection::vec(label(), 1..60).prop_map(Act::Outcomes),
        1 => Just(Act::Restart),
        1 => choices().prop_map(Act::Reload),
    ]
}

/// Acts with the keys by which the stream moves on before each; a few times it jumps.
fn case() -> impl Strategy<Value = Case> {
    let step = prop_oneof![8 => 0..10i64, 1 => 10..150i64];
    let acts = prop::collection::vec((step, act()), 1..24).prop_map(|acts| {
        let mut at = 100;
        let placed = acts.into_iter().map(|(step, mut act)| {
            at += step;
            match &mut act {
                Act::Requests(rows) => rows.iter_mut().for_each(|row| row.key = (row.key + at).max(0)),
                Act::Outcomes(rows) => rows.iter_mut().for_each(|row| row.key = (row.key + at).max(0)),
                Act::Restart | Act::Reload(_) => {}
            }
            act
        });
        placed.collect()
    });
    let pairs_max = prop_oneof![7 => Just(1_000_000), 1 => 16..80usize];
    let delay = prop_oneof![Just(60), Just(300), Just(1_500)];
    (choices(), delay, any::<bool>(), any::<bool>(), pairs_max, acts).prop_map(
        |(choices, label_delay_max, weighted, exact, pairs_max, acts)| Case {
            choices,
            label_delay_max,
            weighted,
            exact,
            pairs_max,
            acts,
        },
    )
}

// The program's way.

impl Case {
    /// Quality alone: nothing is tested for drift.
    fn settings(&self, choices: &Choices) -> Settings {
        let mut settings = model_settings(self.weighted);
        settings.rows_min = choices.rows_min;
        settings.f1_window = choices.f1_window;
        settings.versions_max = choices.versions_max;
        settings.label_delay_max = Duration::from_secs(self.label_delay_max);
        settings.exact_rows = if self.exact { 20_000 } else { 0 };
        settings.pairs_max = self.pairs_max;
        settings
    }

    /// Those in force at the end.
    fn choices(&self) -> &Choices {
        let reloads = self.acts.iter().rev();
        let last = reloads.filter_map(|act| if let Act::Reload(choices) = act { Some(choices) } else { None }).next();
        last.unwrap_or(&self.choices)
    }

    /// The monitor at the end, and the acts that it was fed with since it began.
    fn run(&self) -> (Monitor, Vec<&Act>) {
        let references = &REFERENCES[usize::from(self.weighted)];
        let monitor = |choices: &Choices| Monitor::new(self.settings(choices), references.clone());
        let mut choices = &self.choices;
        let mut current = monitor(choices);
        // All that came, until when it is needed, and whether it was since the last start.
        let mut log: Vec<(&Act, Batch, i64, bool)> = Vec::new();
        for act in &self.acts {
            let next = match act {
                Act::Requests(rows) => {
                    let batch = request_batch(&current.wanted(Log::Requests), rows, NOW);
                    log.push((act, batch.clone(), current.ingest(&batch), true));
                    continue;
                }
                Act::Outcomes(rows) => {
                    let batch = outcome_batch(rows);
                    log.push((act, batch.clone(), current.ingest(&batch), true));
                    continue;
                }
                Act::Restart => choices,
                Act::Reload(choices) => choices,
            };
            // Another number of newest labelled predictions may need what was let go of.
            let again = next.f1_window != choices.f1_window;
            let low_water = if again { i64::MIN } else { current.low_water() };
            choices = next;
            current = monitor(choices);
            for (_, batch, needed, fed) in &mut log {
                *fed = again || (*fed && *needed > i64::MIN && *needed >= low_water);
                if *fed {
                    let anew = current.ingest(batch);
                    *needed = if again { anew } else { *needed };
                }
            }
        }
        (current, log.into_iter().filter(|(.., fed)| *fed).map(|(act, ..)| act).collect())
    }
}

fn model_settings(weighted: bool) -> Settings {
    let mut settings = settings();
    settings.task = Some(Task::Binary);
    settings.positive_label = Some("1".to_string());
    settings.f1_average = weighted.then_some(Average::Weighted);
    settings.requests.score = Some("score".to_string());
    settings.reference.score = Some("score".to_string());
    settings.requests.version = Some("version".to_string());
    settings.segments = vec![vec!["color".to_string()], vec!["size".to_string(), "color".to_string()]];
    settings.segments_max = 4;
    settings.drift.definition = Definition::Evidently;
    (settings.drift.numerical, settings.drift.categorical) = (Vec::new(), Vec::new());
    let ignored = Feature { ignore: true, ..Feature::default() };
    settings.features = ["color", "size"].map(|name| (name.to_string(), ignored.clone())).into();
    settings
}

/// Red and green have segments of their own, and blue, which is as frequent as no color and comes before it by name.
static REFERENCE_ROWS: LazyLock<Vec<(Row, &str)>> = LazyLock::new(|| {
    (0..200i64)
        .map(|i| {
            let score = (i * 37 % 65) as f64 / 64.0;
            let row = Row {
                key: i,
                has_id: true,
                time: Time::OfKey,
                prediction: Some(if score >= 0.5 { "1" } else { "0" }),
                score: Some(score),
                version: None,
                color: [Some("red"), Some("green"), Some("blue"), None, Some("red"), Some("green"), Some("red")]
                    [i as usize % 7],
                size: Some(if i % 3 == 0 { "8" } else { "7" }),
            };
            (row, if i * 53 % 64 < (score * score * 64.0) as i64 { "1" } else { "0" })
        })
        .collect()
});

/// With the positive class's F1, and with that of all classes.
static REFERENCES: LazyLock<[References; 2]> = LazyLock::new(|| [false, true].map(references));

fn references(weighted: bool) -> References {
    let settings = model_settings(weighted);
    let field = |name: &str, nature, type_name: &str| Field {
        name: name.to_string(),
        nature,
        type_name: type_name.to_string(),
    };
    let mut fields = ["color", "size", "prediction", "label"].map(|name| field(name, Nature::Text, "string")).to_vec();
    fields.push(field("score", Nature::Float, "double"));
    let rows: Vec<Row> = REFERENCE_ROWS.iter().map(|(row, _)| row.clone()).collect();
    let labels = keys(REFERENCE_ROWS.iter().map(|(_, label)| Some(*label)));
    let batch = |wanted: &[Wanted]| {
        let mut batch = request_batch(wanted, &rows, 0);
        let named = wanted.iter().zip(&mut batch.columns).filter(|(wanted, _)| wanted.name == "label");
        named.for_each(|(_, column)| *column = labels.clone());
        batch
    };
    let mut draft = Draft::new(&settings, &fields, rows.len() as u64);
    draft.ingest(&batch(&draft.wanted()));
    let mut references = References::from(std::sync::Arc::new(draft.finish().unwrap()));
    for columns in &settings.segments {
        let mut division = Division::new(&settings, &references.main, columns, &fields).unwrap();
        division.count(&batch(&division.wanted()));
        division.choose();
        division.ingest(&batch(&division.wanted_rows()));
        references.segmentations.push(division.finish(&references.main));
    }
    references
}

fn key_hash(key: i64) -> u64 {
    id_hash(key as u64)
}

fn request_batch(wanted: &[Wanted], rows: &[Row], read_at: i64) -> Batch {
    let column = |wanted: &Wanted| match wanted.name.as_str() {
        "timestamp" => Column::Times(rows.iter().map(Row::time).collect::<Int64Array>()),
        "request_id" => {
            Column::Ids(rows.iter().map(|row| row.has_id.then(|| key_hash(row.key))).collect::<UInt64Array>())
        }
        "prediction" => keys(rows.iter().map(|row| row.prediction)),
        "score" => Column::Numbers(rows.iter().map(|row| row.score).collect::<Float64Array>()),
        "version" => keys(rows.iter().map(|row| row.version)),
        "color" => keys(rows.iter().map(|row| row.color)),
        "size" => keys(rows.iter().map(|row| row.size)),
        _ => Column::Absent,
    };
    let columns = wanted.iter().map(column).collect();
    Batch { log: Log::Requests, rows: rows.len(), read_at, group: 0, first_row: 0, columns }
}

fn outcome_batch(rows: &[Label]) -> Batch {
    let columns = vec![
        Column::Ids(rows.iter().map(|row| row.has_id.then(|| key_hash(row.key))).collect::<UInt64Array>()),
        Column::Times(rows.iter().map(|row| Some(row.time())).collect::<Int64Array>()),
        keys(rows.iter().map(|row| row.label)),
    ];
    Batch { log: Log::Outcomes, rows: rows.len(), read_at: NOW, group: 0, first_row: 0, columns }
}

// The obvious way: all rows at once.

struct Plain<'a> {
    case: &'a Case,
    /// 0 before the first row.
    watermark: i64,
    rows: Vec<Counted<'a>>,
    reading: Reading,
}

/// A request that counts.
struct Counted<'a> {
    row: &'a Row,
    time: i64,
    /// The act that brought it.
    act: usize,
    label: Option<&'static str>,
    /// Where it stands in the reading.
    at: usize,
}

fn start(watermark: i64, (length, pane): (i64, i64)) -> i64 {
    (watermark / pane + 1) * pane - length
}

impl Plain<'_> {
    fn of(case: &Case) -> Plain<'_> {
        let mut labels = HashMap::new();
        let mut rows: Vec<Counted> = Vec::new();
        let (mut seen, mut watermark) = (HashSet::new(), 0);
        for (at, act) in case.acts.iter().enumerate() {
            match act {
                Act::Requests(all) => {
                    for row in all.iter().filter(|row| row.is_usable()) {
                        watermark = watermark.max(time_of(row.key));
                        if !row.is_paired() || seen.insert(row.key) {
                            rows.push(Counted { row, time: time_of(row.key), act: at, label: None, at: rows.len() });
                        }
                    }
                }
                Act::Outcomes(all) => {
                    let usable = all.iter().filter(|row| row.has_id);
                    labels.extend(usable.filter_map(|row| Some((row.key, by_value(row.label?)))));
                }
                Act::Restart | Act::Reload(_) => {}
            }
        }
        let labelled = rows.iter_mut().filter(|counted| counted.row.is_paired());
        labelled.for_each(|counted| counted.label = labels.get(&counted.row.key).copied());
        let estimator = REFERENCES[0].main.estimator.as_ref().expect("scores teach an estimator");
        let predictions = keys(rows.iter().map(|counted| counted.row.prediction));
        let scores = Column::Numbers(rows.iter().map(|counted| counted.row.score).collect::<Float64Array>());
        let reading = estimator.read(&predictions, &[&scores], rows.len());
        Plain { case, watermark, rows, reading }
    }

    /// The newest labelled predictions, from the oldest of them on.
    fn newest(&self, rows: usize) -> Vec<&Counted<'_>> {
        let from = (self.watermark / SECOND * SECOND).saturating_sub(self.case.label_delay_max as i64 * SECOND);
        let mut newest: Vec<&Counted> =
            self.rows.iter().filter(|row| row.label.is_some() && row.time >= from).collect();
        newest.sort_by_key(|counted| (counted.time / SECOND, key_hash(counted.row.key)));
        newest.split_off(newest.len().saturating_sub(rows))
    }

    fn window(&self, window: (i64, i64)) -> Vec<&Counted<'_>> {
        let start = start(self.watermark, window);
        self.rows.iter().filter(|counted| counted.time >= start).collect()
    }

    /// The rows of each version of the report.
    fn versions(&self) -> BTreeMap<&'static str, Vec<&Counted<'_>>> {
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        let mut found: BTreeMap<&str, Vec<&Counted>> = BTreeMap::new();
        for of_act in self.rows.chunk_by(|a, b| a.act == b.act) {
            for counted in of_act {
                if let Some(version) = counted.row.version {
                    let newest = newest.entry(version).or_insert(i64::MIN);
                    *newest = counted.time.max(*newest);
                    found.entry(version).or_default().push(counted);
                }
            }
            let mut ranked: Vec<(i64, &str)> = newest.iter().map(|(version, time)| (*time, *version)).collect();
            ranked.sort_unstable_by(|a, b| b.cmp(a));
            ranked.iter().skip(self.case.choices().versions_max).for_each(|(_, version)| drop(found.remove(version)));
        }
        found
    }

    fn expected(&self, rows: &[&Counted]) -> (Expected, Option<Estimate>) {
        let estimator = self.reference().estimator.as_ref().expect("scores teach an estimator");
        let mut expected = estimator.nothing();
        rows.iter().for_each(|counted| self.reading.add(counted.at, &mut expected));
        let estimate = estimator.estimate(&expected);
        (expected, estimate)
    }

    fn reference(&self) -> &'static drift_sidecar::reference::Reference {
        &REFERENCES[usize::from(self.case.weighted)].main
    }

    /// `None` without labelled rows; the scores' part of it with fewer than `rows_min` scores.
    fn quality(&self, rows: &[&Counted]) -> Option<Quality> {
        let pairs: Vec<(&str, &str)> =
            rows.iter().filter_map(|row| Some((by_value(row.row.prediction?), row.label?))).collect();
        let names = ["0", "1", "2"];
        let cells = (0..9).map(|cell| {
            let rows = pairs.iter().filter(|pair| **pair == (names[cell / 3], names[cell % 3])).count();
            Cell { predicted: cell as u32 / 3, actual: cell as u32 % 3, rows: rows as f64 }
        });
        let cells: Vec<Cell> = cells.collect();
        let average = if self.case.weighted { Average::Weighted } else { Average::Binary };
        let scores = f1::scores(&cells, average, 1)?;
        let scored = rows.iter().filter_map(|row| Some((row.row.score, row.label? == "1")));
        let (count, auc, loss, brier) = naive_score_quality(&scored.collect::<Vec<_>>());
        let enough = count as u64 >= self.case.choices().rows_min && count > 0;
        Some(Quality {
            labelled_rows: pairs.len() as u64,
            f1: Some(scores.f1),
            f1_standard_error: Some(scores.f1_standard_error),
            precision: Some(scores.precision),
            recall: Some(scores.recall),
            accuracy: Some(scores.accuracy),
            specificity: f1::specificity(&cells, 1),
            roc_auc: auc.filter(|_| enough),
            log_loss: enough.then_some(loss),
            brier: enough.then_some(brier),
            ..Quality::default()
        })
    }

    /// Estimated minus realised F1 of those panes that have nearly all their labels.
    fn estimate_error(&self, rows: &[&Counted]) -> Option<f64> {
        let finer = start(self.watermark, WINDOWS[0]);
        let mut panes: BTreeMap<(bool, i64), Vec<&Counted>> = BTreeMap::new();
        for &counted in rows {
            let old = counted.time < finer;
            panes.entry((old, counted.time / WINDOWS[usize::from(old)].1)).or_default().push(counted);
        }
        let labelled = |rows: &Vec<&Counted>| rows.iter().filter(|counted| counted.label.is_some()).count();
        let settled = panes.into_values().filter(|rows| labelled(rows) > 0 && labelled(rows) * 10 >= rows.len() * 9);
        let settled: Vec<&Counted> = settled.flatten().collect();
        if (settled.len() as u64) < self.case.choices().rows_min {
            return None;
        }
        Some(self.expected(&settled).1?.f1? - self.quality(&settled)?.f1?)
    }
}

// The comparison.

#[track_caller]
fn close(what: &str, found: Option<f64>, expected: Option<f64>) {
    let near = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        (found, expected) => found == expected,
    };
    assert!(near, "{what}: found {found:?}, expected {expected:?}");
}

fn check_quality(found: Option<&Quality>, rows: &[&Counted], plain: &Plain) {
    let labelled = rows.iter().filter(|counted| counted.label.is_some()).count() as u64;
    let expected = plain.quality(rows).filter(|_| labelled >= plain.case.choices().rows_min);
    assert_eq!(found.is_some(), expected.is_some());
    let (Some(found), Some(expected)) = (found, expected) else {
        return;
    };
    assert_eq!(found.labelled_rows, expected.labelled_rows);
    let numbers = |of: &Quality| {
        [
            ("f1", of.f1),
            ("f1_standard_error", of.f1_standard_error),
            ("precision", of.precision),
            ("recall", of.recall),
            ("accuracy", of.accuracy),
            ("specificity", of.specificity),
            ("roc_auc", of.roc_auc),
            ("log_loss", of.log_loss),
            ("brier", of.brier),
        ]
    };
    for ((name, found), (_, expected)) in numbers(found).into_iter().zip(numbers(&expected)) {
        close(name, found, expected);
    }
    let mut classes: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for (predicted, label) in rows.iter().filter_map(|row| Some((by_value(row.row.prediction?), row.label?))) {
        classes.entry(predicted).or_default()[usize::from(predicted != label)] += 1;
        classes.entry(label).or_default()[2] += u64::from(predicted != label);
    }
    let told = |of: &drift_sidecar::report::ClassRows| {
        (of.class.clone(), [of.true_positive, of.false_positive, of.false_negative])
    };
    let expected: Vec<_> = classes.into_iter().map(|(name, rows)| (name.to_string(), rows)).collect();
    assert_eq!(found.classes.iter().map(told).collect::<Vec<_>>(), expected);
}

fn check_window(found: &WindowReport, rows: &[&Counted], plain: &Plain) {
    assert_eq!(found.rows, rows.len() as u64);
    assert_eq!(found.labelled_rows, Some(rows.iter().filter(|counted| counted.label.is_some()).count() as u64));
    check_quality(found.quality.as_ref(), rows, plain);
    let estimate = plain.expected(rows).1.filter(|estimate| estimate.rows >= plain.case.choices().rows_min);
    assert_eq!(found.estimate.as_ref().map(|found| found.rows), estimate.as_ref().map(|estimate| estimate.rows));
    let numbers = |of: &Option<Estimate>| {
        let of = of.clone().unwrap_or_default();
        [of.f1, of.f1_standard_error, of.precision, of.recall, of.accuracy]
    };
    let both = numbers(&found.estimate).into_iter().zip(numbers(&estimate));
    both.for_each(|(found, expected)| close("estimate", found, expected));
    close("estimate_error", found.estimate_error, plain.estimate_error(rows));
}

/// Slices are there with the windows in which they have so many rows, in the order of their names.
fn check_slices(found: &[SliceReport], expected: &BTreeMap<String, Vec<&Counted>>, rows_min: usize, plain: &Plain) {
    let mut names = Vec::new();
    for (name, rows) in expected {
        let of = |window| {
            let start = start(plain.watermark, window);
            rows.iter().copied().filter(|counted| counted.time >= start).collect::<Vec<&Counted>>()
        };
        let windows: Vec<(&str, Vec<&Counted>)> =
            ["2m", "10m"].into_iter().zip(WINDOWS.map(of)).filter(|(_, rows)| rows.len() >= rows_min).collect();
        if windows.is_empty() {
            continue;
        }
        names.push(name.as_str());
        let slice = found.iter().find(|slice| slice.name == *name);
        let slice = slice.unwrap_or_else(|| panic!("{name} is not there"));
        assert_eq!(
            slice.windows.iter().map(|window| window.window.as_str()).collect::<Vec<_>>(),
            windows.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "{name}"
        );
        slice.windows.iter().zip(&windows).for_each(|(found, (_, rows))| check_window(found, rows, plain));
    }
    assert_eq!(found.iter().map(|slice| slice.name.as_str()).collect::<Vec<_>>(), names);
}

/// The name of a row's segment: among the three most frequent ones of the reference's, or others.
fn segments<'a>(plain: &'a Plain, name: fn(&Row) -> String, other: &str) -> BTreeMap<String, Vec<&'a Counted<'a>>> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    REFERENCE_ROWS.iter().for_each(|(row, _)| *counts.entry(name(row)).or_default() += 1);
    let mut ranked: Vec<(i64, String)> = counts.into_iter().map(|(name, rows)| (-rows, name)).collect();
    ranked.sort();
    let own: BTreeSet<String> = ranked.into_iter().take(3).map(|(_, name)| name).collect();
    let mut found: BTreeMap<String, Vec<&Counted>> = BTreeMap::new();
    for counted in &plain.rows {
        let name = Some(name(counted.row)).filter(|name| own.contains(name));
        found.entry(name.unwrap_or_else(|| other.to_string())).or_default().push(counted);
    }
    found
}

fn check_report(report: &ModelReport, plain: &Plain) {
    let choices = plain.case.choices();
    for (found, window) in report.windows.iter().zip(WINDOWS) {
        let end = (!plain.rows.is_empty()).then(|| (plain.watermark / window.1 + 1) * window.1);
        assert_eq!(found.end.map(|end| end.0), end);
        assert_eq!(found.start.map(|start| start.0), end.map(|end| end - window.0));
        check_window(found, &plain.window(window), plain);
    }
    assert_eq!(report.recent.is_some(), choices.f1_window.is_some());
    if let (Some(recent), Some(rows)) = (&report.recent, choices.f1_window) {
        let newest = plain.newest(rows);
        assert_eq!(recent.labelled_rows, newest.len() as u64);
        let oldest = newest.first().map(|counted| counted.time / SECOND);
        assert_eq!(recent.oldest.map(|at| at.0 / SECOND), oldest);
        check_quality(recent.quality.as_ref(), &newest, plain);
    }
    let versions = plain.versions().into_iter().map(|(name, rows)| (name.to_string(), rows)).collect();
    check_slices(&report.versions, &versions, 1, plain);
    let rows_min = choices.rows_min as usize;
    let (of_colors, of_both): (Vec<_>, Vec<_>) =
        report.segments.iter().cloned().partition(|segment| segment.name.starts_with("color="));
    let color = |row: &Row| format!("color={}", row.color.unwrap_or("missing"));
    check_slices(&of_colors, &segments(plain, color, "color=other"), rows_min, plain);
    let both =
        |row: &Row| format!("size={},color={}", row.size.map_or("missing", by_value), row.color.unwrap_or("missing"));
    check_slices(&of_both, &segments(plain, both, "size=other,color=other"), rows_min, plain);
}

// Counters.

/// What is known of an id.
#[derive(Clone, Copy)]
struct Entry {
    /// That of the outcome while there is no request.
    second: i64,
    request: bool,
    label: Option<&'static str>,
}

/// What becomes of each row that was fed, one after the other.
#[derive(Default)]
struct Counters {
    dropped: BTreeMap<Log, BTreeMap<&'static str, u64>>,
    pairing: BTreeMap<&'static str, u64>,
    entries: HashMap<i64, Entry>,
    watermark: Option<i64>,
    newest: BTreeSet<(i64, u64)>,
    /// What is older has expired, and has left the newest.
    expired: i64,
    from: i64,
    delays: Vec<i64>,
    /// Something came for an id that had expired; that was a request, for an outcome that waited.
    after_expiry: bool,
    in_vain: bool,
}

impl Counters {
    fn of(case: &Case, fed: &[&Act]) -> Counters {
        let mut counters = Counters::default();
        for act in fed {
            match act {
                Act::Requests(rows) => counters.requests(case, rows),
                Act::Outcomes(rows) => rows.iter().for_each(|row| counters.outcome(case, row)),
                Act::Restart | Act::Reload(_) => {}
            }
            if let Some(watermark) = counters.watermark {
                counters.from = watermark / SECOND - case.label_delay_max as i64;
                counters.expired = counters.from.min(start(watermark, WINDOWS[1]) / SECOND);
            }
        }
        counters
    }

    fn drop(&mut self, log: Log, reason: &'static str) {
        *self.dropped.entry(log).or_default().entry(reason).or_default() += 1;
    }

    fn pair(&mut self, reason: &'static str) {
        *self.pairing.entry(reason).or_default() += 1;
    }

    fn requests(&mut self, case: &Case, rows: &[Row]) {
        self.watermark =
            self.watermark.max(rows.iter().filter(|row| row.is_usable()).map(|row| time_of(row.key)).max());
        let watermark = self.watermark.unwrap_or(0);
        let start = start(watermark, WINDOWS[1]);
        let recent = (watermark / SECOND - case.label_delay_max as i64) * SECOND;
        let from = if case.choices().f1_window.is_some() { start.min(recent) } else { start };
        for row in rows {
            let time = time_of(row.key);
            match row.time {
                Time::Missing => self.drop(Log::Requests, "timestamp_missing"),
                Time::Future => self.drop(Log::Requests, "timestamp_in_future"),
                Time::Invalid => self.drop(Log::Requests, "timestamp_invalid"),
                Time::OfKey if time < from => self.drop(Log::Requests, "late"),
                Time::OfKey => {
                    if !self.request(case, row) {
                        self.drop(Log::Requests, "duplicate");
                    } else if time < start {
                        self.drop(Log::Requests, "late");
                    }
                }
            }
        }
    }

    /// `false`: it was there.
    fn request(&mut self, case: &Case, row: &Row) -> bool {
        if !row.is_paired() {
            self.pair(if row.has_id { "prediction_missing" } else { "request_id_missing" });
            return true;
        }
        let second = time_of(row.key) / SECOND;
        match self.entry(row.key) {
            None => drop(self.entries.insert(row.key, Entry { second, request: true, label: None })),
            Some(entry) if entry.request => return false,
            Some(entry) => {
                self.in_vain |= entry.second < self.expired;
                self.entries.insert(row.key, Entry { second, request: true, ..entry });
                self.paired(case, row.key, entry.second - second);
            }
        }
        true
    }

    fn outcome(&mut self, case: &Case, row: &Label) {
        if !row.is_usable() {
            return self.drop(Log::Outcomes, if row.has_id { "label_missing" } else { "request_id_missing" });
        }
        let (label, second) = (row.label.map(by_value), row.time() / SECOND);
        match self.entry(row.key) {
            None => drop(self.entries.insert(row.key, Entry { second, request: false, label })),
            Some(entry) if entry.label == label => self.pair("repeated_outcome"),
            Some(entry) if !entry.request => {
                self.entries.insert(row.key, Entry { second, label, ..entry });
                self.pair("corrected_outcome");
            }
            Some(entry) => {
                self.entries.insert(row.key, Entry { label, ..entry });
                if entry.label.is_none() {
                    self.paired(case, row.key, second - entry.second);
                } else {
                    self.pair("corrected_outcome");
                    self.learn(case, row.key);
                }
            }
        }
    }

    fn entry(&mut self, key: i64) -> Option<Entry> {
        let entry = self.entries.get(&key).copied();
        self.after_expiry |= entry.is_some_and(|entry| entry.second < self.expired);
        entry
    }

    fn paired(&mut self, case: &Case, key: i64, delay: i64) {
        self.pair("paired");
        self.delays.push(delay.max(0));
        self.learn(case, key);
    }

    /// Of no use where it is in no window, nor among the newest.
    fn learn(&mut self, case: &Case, key: i64) {
        let second = time_of(key) / SECOND;
        let in_window = self.watermark.is_some_and(|watermark| second * SECOND >= start(watermark, WINDOWS[1]));
        let among_newest = case.choices().f1_window.is_some_and(|rows| {
            let entry = (second, key_hash(key));
            self.newest.insert(entry);
            second >= self.from && self.newest.range(entry..).count() <= rows
        });
        if !in_window && !among_newest {
            self.pair("late_outcome");
        }
    }
}

/// Every row is in one counter or waits; at the end of all days nothing waits any more.
fn check_sums(case: &Case, monitor: &mut Monitor, fed: &[&Act], at_end: bool) {
    let report = monitor.report();
    let count = |names: &[&str]| names.iter().map(|name| report.pairing.get(name).copied().unwrap_or(0)).sum::<u64>();
    let dropped = |log| monitor.dropped(log).values().sum::<u64>();
    let (mut requests, mut outcomes) = (u64::from(at_end), 0);
    for act in fed {
        match act {
            Act::Requests(rows) => requests += rows.len() as u64,
            Act::Outcomes(rows) => outcomes += rows.len() as u64,
            Act::Restart | Act::Reload(_) => {}
        }
    }
    let told = dropped(Log::Outcomes)
        + count(&["repeated_outcome", "corrected_outcome", "paired", "outcome_without_request", "outcome_evicted"]);
    assert!(told <= outcomes && (!at_end || told == outcomes), "{told} of {outcomes} outcomes: {report:?}");
    if case.choices().f1_window.is_none() {
        let told = dropped(Log::Requests)
            + count(&["request_id_missing", "prediction_missing", "paired"])
            + count(&["prediction_without_outcome", "prediction_evicted"])
            + report.pending_predictions;
        assert_eq!(told, requests, "requests: {report:?}");
    }
    let finished = count(&["paired"]);
    assert!(
        count(&["pair_evicted"]) <= finished && count(&["late_outcome"]) <= finished + count(&["corrected_outcome"])
    );
    assert!(!at_end || report.pending_predictions == 1, "{report:?}");
}

fn check_counters(counters: &Counters, report: &ModelReport, monitor: &Monitor) {
    for log in Log::ALL {
        assert_eq!(monitor.dropped(log), counters.dropped.get(&log).cloned().unwrap_or_default());
    }
    let mut pairing = report.pairing.clone();
    let expired = pairing.remove("prediction_without_outcome").unwrap_or(0);
    let in_vain = pairing.remove("outcome_without_request").unwrap_or(0);
    assert_eq!(pairing, counters.pairing);
    // When those that have expired are swept out depends on what there is to sweep.
    let pending = || counters.entries.values().filter(|entry| entry.request && entry.label.is_none());
    let waiting = counters.entries.values().filter(|entry| !entry.request);
    let gone = |entry: &&Entry| entry.second < counters.expired;
    assert_eq!(expired + report.pending_predictions, pending().count() as u64);
    assert!(expired <= pending().filter(gone).count() as u64 && in_vain <= waiting.filter(gone).count() as u64);
    let delays = report.label_delay.as_ref().expect("outcomes have times");
    assert_eq!(delays.cumulative.last(), Some(&(counters.delays.len() as u64)));
    assert_eq!(delays.sum, counters.delays.iter().sum::<i64>() as f64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_report_is_what_all_rows_give_whatever_came_when(case in case()) {
        let (mut monitor, fed) = case.run();
        let report = monitor.report();
        // A full table forgets: what comes again is new then.
        if case.pairs_max == 1_000_000 {
            let all: Vec<&Act> = case.acts.iter().collect();
            if !Counters::of(&case, &all).in_vain {
                check_report(&report, &Plain::of(&case));
            }
            let counters = Counters::of(&case, &fed);
            if !counters.after_expiry {
                check_counters(&counters, &report, &monitor);
            }
        }
        check_sums(&case, &mut monitor, &fed, false);
        let last = Row { key: -1, has_id: true, time: Time::OfKey, prediction: Some("1"), score: None, version: None, color: None, size: None };
        let mut batch = request_batch(&monitor.wanted(Log::Requests), &[last], END);
        batch.columns[0] = Column::Times(Int64Array::from(vec![END]));
        monitor.ingest(&batch);
        check_sums(&case, &mut monitor, &fed, true);
    }
}
