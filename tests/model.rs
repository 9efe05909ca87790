//! The fast path against the slow one: whatever rows come, in whatever order and batches, with restarts in between,
//! a Report is what a plain recomputation from all rows gives.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use drift_sidecar::batch::{Batch, Column, Field, Log, Nature, Wanted};
use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::{Division, Draft, Reference, References};
use drift_sidecar::report::{ColumnReport, Kind, ModelReport, Quality, SliceReport, WindowReport};
use drift_sidecar::settings::{Feature, Settings, Task};
use drift_sidecar::stats::{self, Method};
use proptest::prelude::*;
use support::*;

const NOW: i64 = 10_000 * SECOND;
const COLORS: [&str; 5] = ["red", "green", "blue", "black", "unknown to the reference"];
const CLASSES: [&str; 4] = ["a", "b", "7", "7.0"];
const PRICES: [f64; 12] = [0.0, -0.0, 1.0, 2.5, 2.5, 3.0, 9.75, 1e6, -4.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// 300 rows with ties, two missing prices, one infinite.
static REFERENCE_ROWS: LazyLock<Vec<Request>> = LazyLock::new(|| {
    (0..300u64)
        .map(|i| {
            let price = match i {
                17 | 30 => None,
                99 => Some(f64::INFINITY),
                _ => Some(((i * 7919) % 127) as f64 / 8.0 + if i % 3 == 0 { 0.0 } else { (i as f64).sqrt() }),
            };
            Request {
                id: i,
                time: None,
                price,
                color: Some(COLORS[(i % 4) as usize]),
                prediction: CLASSES[(i % 3) as usize],
            }
        })
        .collect()
});

/// The scores are recomputed here, not what chance alone would give: to draw that takes almost all of the time.
fn without_noise(methods: &[&'static Method]) -> Vec<&'static Method> {
    static ALL: LazyLock<Vec<Method>> = LazyLock::new(|| {
        let names = ["ks", "wasserstein", "psi", "jensen_shannon", "chi_square"];
        names.map(|name| Method { noise: None, ..*stats::method(name).unwrap() }).into()
    });
    methods.iter().map(|method| ALL.iter().find(|quiet| quiet.name == method.name).unwrap()).collect()
}

fn settings() -> Settings {
    let mut settings = support::settings();
    settings.drift.numerical = without_noise(&settings.drift.numerical);
    settings.drift.categorical = without_noise(&settings.drift.categorical);
    settings
}

fn reference_labels(rows: &[Request]) -> Vec<&'static str> {
    rows.iter().map(|row| if row.id % 5 == 0 { "a" } else { row.prediction }).collect()
}

fn the_reference(settings: &Settings) -> Arc<Reference> {
    reference(settings, &REFERENCE_ROWS, &reference_labels(&REFERENCE_ROWS))
}

/// Whether version `v2` has a row in the reference of its own.
fn is_of_v2(row: &Request) -> bool {
    row.id.is_multiple_of(2)
}

/// With one for version `v2`, and one for each color but the rarest, which is among the others.
fn the_references(settings: &Settings) -> References {
    let mut references = References::from(the_reference(settings));
    let own: Vec<Request> = REFERENCE_ROWS.iter().filter(|row| is_of_v2(row)).cloned().collect();
    references.versions = [("v2".to_string(), reference(settings, &own, &reference_labels(&own)))].into();
    for columns in &settings.segments {
        let mut division = Division::new(settings, &references.main, columns, &reference_fields(settings)).unwrap();
        let mut batch = reference_batch(settings, &REFERENCE_ROWS, &reference_labels(&REFERENCE_ROWS));
        let color = batch.columns[1].clone();
        division.count(&Batch { columns: vec![color.clone()], ..batch.clone() });
        division.choose();
        batch.columns.insert(0, color);
        division.ingest(&batch);
        references.segmentations.push(division.finish(&references.main));
    }
    references
}

#[derive(Debug, Clone)]
enum Act {
    Requests(Vec<Request>),
    Outcomes(Vec<Outcome>),
    /// Forget the memory; read again, in the same order, what is still needed.
    Restart,
}

fn request() -> impl Strategy<Value = Request> {
    let price = prop_oneof![8 => (0..400u32).prop_map(|x| Some(f64::from(x) / 16.0)), 2 => proptest::sample::select(&PRICES[..]).prop_map(Some), 1 => Just(None)];
    let time = prop_oneof![12 => (8_000..9_900i64).prop_map(Some), 1 => (9_000..9_900i64).prop_map(Some), 1 => Just(None), 1 => Just(Some(20_000))];
    let color = prop_oneof![9 => proptest::sample::select(&COLORS[..]).prop_map(Some), 1 => Just(None)];
    (0..150u64, time, price, color, proptest::sample::select(&CLASSES[..])).prop_map(
        |(id, time, price, color, prediction)| Request {
            id,
            // One id is one event: the same id always comes with the same time.
            time: time.map(
                |time| {
                    if time > 10_000 { time * SECOND } else { (8_000 + (id as i64 * 7_919) % 1_900) * SECOND }
                },
            ),
            price,
            color,
            prediction,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    (0..160u64, 0..400i64, proptest::sample::select(&CLASSES[..])).prop_map(|(id, delay, label)| Outcome {
        id,
        time: (8_000 + (id as i64 * 7_919) % 1_900 + delay) * SECOND,
        label,
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::collection::vec(request(), 1..40).prop_map(Act::Requests),
        3 => prop::collection::vec(outcome(), 1..25).prop_map(Act::Outcomes),
        1 => Just(Act::Restart),
    ]
}

/// The program's way, batch by batch.
fn run(settings: &Settings, references: impl Into<References>, acts: &[Act]) -> ModelReport {
    let references = references.into();
    let mut monitor = Monitor::new(settings.clone(), references.clone());
    let mut log = Vec::new();
    for (turn, act) in acts.iter().enumerate() {
        // Now and then the state goes to another process as bytes.
        if turn % 3 == 2 {
            monitor = handed_over(&monitor, Monitor::new(settings.clone(), references.clone()));
        }
        let batch = match act {
            Act::Requests(rows) if settings.requests.score.is_some() => scored_request_batch(rows, NOW),
            Act::Requests(rows) if settings.requests.version.is_some() => divided_request_batch(rows, NOW),
            Act::Requests(rows) => request_batch(rows, NOW),
            Act::Outcomes(rows) => outcome_batch(rows, NOW),
            Act::Restart => {
                let low_water = monitor.low_water();
                monitor = Monitor::new(settings.clone(), references.clone());
                log.retain(|(needed, _)| *needed >= low_water);
                for (_, batch) in &log {
                    monitor.ingest(batch);
                }
                continue;
            }
        };
        log.push((monitor.ingest(&batch), batch));
    }
    monitor.report()
}

/// The obvious way: all rows at once.
struct Plain {
    watermark: Option<i64>,
    /// First request of each id.
    requests: Vec<Request>,
    /// Predicted and true class by id.
    pairs: HashMap<u64, (&'static str, &'static str)>,
}

fn by_value(label: &'static str) -> &'static str {
    if label == "7.0" { "7" } else { label }
}

impl Plain {
    fn of(acts: &[Act]) -> Plain {
        let usable = |row: &Request| row.time.is_some_and(|time| time <= NOW + 60 * SECOND);
        let mut watermark: Option<i64> = None;
        let mut requests: Vec<Request> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut labels: HashMap<u64, &'static str> = HashMap::new();
        for act in acts {
            match act {
                Act::Requests(rows) => {
                    for row in rows.iter().filter(|row| usable(row)) {
                        watermark = watermark.max(row.time);
                        if seen.insert(row.id) {
                            requests.push(row.clone());
                        }
                    }
                }
                // The last outcome counts: it corrects those before it.
                Act::Outcomes(rows) => labels.extend(rows.iter().map(|row| (row.id, by_value(row.label)))),
                Act::Restart => {}
            }
        }
        let pairs = requests
            .iter()
            .filter_map(|row| labels.get(&row.id).map(|label| (row.id, (by_value(row.prediction), *label))));
        let pairs = pairs.collect();
        Plain { watermark, requests, pairs }
    }

    /// The newest labelled predictions, from the oldest of them on.
    fn newest(&self, rows: usize, delay: i64) -> Vec<&Request> {
        let from = (self.watermark.unwrap_or(0) - delay * SECOND).div_euclid(SECOND) * SECOND;
        let labelled = |row: &&Request| self.pairs.contains_key(&row.id) && row.time.is_some_and(|time| time >= from);
        let mut labelled: Vec<&Request> = self.requests.iter().filter(labelled).collect();
        labelled.sort_by_key(|row| (row.time, id_hash(row.id)));
        labelled.split_off(labelled.len().saturating_sub(rows))
    }

    fn window(&self, length: i64, pane: i64) -> Vec<&Request> {
        let Some(watermark) = self.watermark else {
            return Vec::new();
        };
        let end = (watermark / pane + 1) * pane;
        self.requests.iter().filter(|row| row.time.is_some_and(|time| time >= end - length && time < end)).collect()
    }
}

fn column<'a>(window: &'a WindowReport, name: &str) -> &'a ColumnReport {
    window.columns.iter().find(|column| column.column == name).unwrap()
}

fn score(column: &ColumnReport, method: &str) -> Option<f64> {
    column.tests.iter().find(|test| test.method == method).map(|test| test.score)
}

#[track_caller]
fn close(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.expect("a score");
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "found {found}, expected {expected}");
}

fn check(window: &WindowReport, rows: &[&Request], plain: &Plain, exact: bool) {
    check_beside(window, rows, &REFERENCE_ROWS.iter().collect::<Vec<_>>(), plain, exact);
}

fn check_beside(window: &WindowReport, rows: &[&Request], reference: &[&Request], plain: &Plain, exact: bool) {
    assert_eq!(window.rows, rows.len() as u64);
    let pairs: Vec<(&str, &str)> = rows.iter().filter_map(|row| plain.pairs.get(&row.id).copied()).collect();
    assert_eq!(window.labelled_rows, Some(pairs.len() as u64));
    check_classes(window.quality.as_ref(), &pairs);
    if rows.is_empty() {
        assert!(window.columns.iter().all(|column| column.tests.is_empty()));
        return;
    }
    check_bars(window, rows, reference, exact);
    let values = |rows: &[&Request]| {
        rows.iter().filter_map(|row| row.price).filter(|price| !price.is_nan()).collect::<Vec<f64>>()
    };
    let (theirs, ours) = (values(reference), values(rows));
    let price = column(window, "price");
    close(price.missing_ratio, 1.0 - ours.len() as f64 / rows.len() as f64, 1e-12);
    if ours.is_empty() {
        assert_eq!(score(price, "ks"), None);
    } else {
        close(score(price, "ks"), naive_ks(&theirs, &ours), 1e-9);
    }
    if ours.iter().any(|value| value.is_finite()) {
        let expected = naive_wasserstein(&theirs, &ours);
        // On the grid the values of one gap are one point: exact up to the spread inside a gap, and gaps of few rows are wide.
        let gaps = if reference.len() < 300 { 0.06 } else { 0.02 };
        close(score(price, "wasserstein"), expected, if exact { 1e-9 } else { gaps });
    }
    let known: Vec<&str> =
        COLORS.into_iter().filter(|color| reference.iter().any(|row| row.color == Some(color))).collect();
    let tally = |rows: &[&Request]| {
        let count = |is: &dyn Fn(Option<&str>) -> bool| rows.iter().filter(|row| is(row.color)).count() as f64;
        let unseen = count(&|color| color.is_some_and(|color| !known.contains(&color)));
        let named = known.iter().map(|name| count(&|color| color == Some(name)));
        named.chain([unseen, count(&|color| color.is_none())]).collect::<Vec<f64>>()
    };
    let (mut theirs, mut ours) = (tally(reference), tally(rows));
    if theirs.last() == Some(&0.0) && ours.last() == Some(&0.0) {
        theirs.pop();
        ours.pop();
    }
    close(score(column(window, "color"), "jensen_shannon"), naive_jensen_shannon(&theirs, &ours), 1e-9);
    close(score(column(window, "color"), "psi"), naive_psi(&theirs, &ours), 1e-9);
}

/// Bar by bar for the one who looks. On the grid only the totals: a gap's rows lie at their mean.
fn check_bars(window: &WindowReport, rows: &[&Request], reference: &[&Request], exact: bool) {
    let priced =
        |rows: &[&Request]| rows.iter().filter_map(|row| row.price).filter(|price| !price.is_nan()).collect::<Vec<_>>();
    let prices = priced(rows).into_iter();
    let found = column(window, "price").distribution.as_ref().expect("rows on both sides");
    let mut bars = vec![0; found.edges.len() + 1];
    prices.for_each(|price| bars[found.edges.iter().filter(|edge| **edge < price).count()] += 1);
    if exact {
        assert_eq!(found.current, bars);
    }
    assert_eq!(found.current.iter().sum::<u64>(), bars.iter().sum::<u64>());
    assert_eq!(found.reference.iter().sum::<u64>(), priced(reference).len() as u64);
    let found = column(window, "color").distribution.as_ref().expect("rows on both sides");
    let count = |rows: &[&Request], color: &str| rows.iter().filter(|row| row.color == Some(color)).count() as u64;
    let mut names = vec!["black", "blue", "green", "red"];
    names.retain(|name| count(reference, name) > 0);
    let seen: u64 = names.iter().map(|name| count(rows, name)).sum();
    let unseen = COLORS.iter().map(|color| count(rows, color)).sum::<u64>() - seen;
    let mut current: Vec<u64> = names.iter().map(|name| count(rows, name)).collect();
    let expected: Vec<u64> = names.iter().map(|name| count(reference, name)).collect();
    names.extend((unseen > 0).then_some("unseen"));
    current.extend((unseen > 0).then_some(unseen));
    assert_eq!(found.categories, names);
    assert_eq!(found.current, current);
    assert_eq!(found.reference[..expected.len()], expected);
}

fn check_classes(quality: Option<&Quality>, pairs: &[(&str, &str)]) {
    let Some(quality) = quality else {
        assert!(pairs.is_empty());
        return;
    };
    let names: BTreeSet<&str> = pairs.iter().flat_map(|(predicted, label)| [*predicted, *label]).collect();
    assert_eq!(
        quality.classes.iter().map(|class| class.class.as_str()).collect::<Vec<_>>(),
        names.iter().copied().collect::<Vec<_>>()
    );
    for class in &quality.classes {
        let count = |p: bool, l: bool| {
            pairs
                .iter()
                .filter(|(predicted, label)| (*predicted == class.class) == p && (*label == class.class) == l)
                .count() as u64
        };
        assert_eq!(
            (class.true_positive, class.false_positive, class.false_negative),
            (count(true, true), count(true, false), count(false, true))
        );
    }
}

/// A slice is there, with the window, if and only if that has rows.
fn check_slice(
    slices: &[SliceReport],
    name: &str,
    at: usize,
    rows: &[&Request],
    reference: &[&Request],
    plain: &Plain,
    exact: bool,
) {
    let window = ["2m", "10m"][at];
    let found = slices.iter().find(|slice| slice.name == name);
    let found = found.and_then(|slice| slice.windows.iter().find(|found| found.window == window));
    assert_eq!(found.is_some(), !rows.is_empty(), "{name}");
    if let Some(found) = found {
        check_beside(found, rows, reference, plain, exact);
    }
}

/// Class `a` is the positive one.
fn check_scores(quality: Option<&Quality>, rows: &[(Option<f64>, bool)]) {
    let (count, auc, loss, brier) = naive_score_quality(rows);
    let quality = quality.cloned().unwrap_or_default();
    assert_eq!((quality.roc_auc.is_some(), quality.log_loss.is_some()), (auc.is_some(), count > 0));
    if count > 0 {
        close(quality.log_loss, loss, 1e-9);
        close(quality.brier, brier, 1e-9);
    }
    if let Some(auc) = auc {
        // The scores of these tests have a cell each, so that folding changes nothing.
        close(quality.roc_auc, auc, 1e-12);
    }
    let negatives = rows.iter().filter(|(_, positive)| !positive).count();
    assert_eq!(quality.specificity.is_some(), negatives > 0);
}

/// A binary model whose predictions have scores; its drift is tested elsewhere.
fn scored_settings() -> Settings {
    let mut settings = settings();
    settings.task = Some(Task::Binary);
    settings.positive_label = Some("a".to_string());
    settings.requests.score = Some("score".to_string());
    settings.reference.score = Some("score".to_string());
    (settings.drift.numerical, settings.drift.categorical) = (Vec::new(), Vec::new());
    settings
}

fn numbers(report: &ModelReport) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for window in &report.windows {
        found.insert(format!("{} rows", window.window), window.rows as f64);
        found.extend(
            window.quality.as_ref().and_then(|quality| quality.f1).map(|f1| (format!("{} f1", window.window), f1)),
        );
        for column in &window.columns {
            for test in &column.tests {
                found.insert(format!("{} {} {}", window.window, column.column, test.method), test.score);
            }
        }
    }
    found
}

#[test]
fn predictions_and_labels_in_one_row_have_scores_too() {
    let mut settings = Settings { windows: None, outcomes: None, ..scored_settings() };
    settings.exact_rows = 20;
    let reference = the_reference(&settings);
    let labels = |i: usize| ["a", "b", "b"][i % 3];
    let rows = &REFERENCE_ROWS[..200];
    let mut batch = scored_request_batch(rows, NOW);
    // One window over all rows wants no time and no id, and the label behind the score.
    batch.columns.drain(..2);
    batch.columns.insert(2, keys((0..rows.len()).map(|i| Some(labels(i)))));
    let mut monitor = Monitor::new(settings, reference);
    monitor.ingest(&batch);
    let told = rows.iter().enumerate().map(|(i, row)| (row.score(), labels(i) == "a"));
    check_scores(monitor.report().windows[0].quality.as_ref(), &told.collect::<Vec<_>>());
}

#[test]
fn the_categories_of_a_private_column_are_told_by_their_rank() {
    let mut settings = Settings { windows: None, outcomes: None, ..settings() };
    settings.features.insert("color".to_string(), Feature { private: true, ..Feature::default() });
    let reference = the_reference(&settings);
    let mut batch = request_batch(&REFERENCE_ROWS[..200], NOW);
    batch.columns.drain(..2);
    batch.columns.insert(1, keys((0..batch.rows).map(|_| Some("a"))));
    let mut monitor = Monitor::new(settings, reference);
    monitor.ingest(&batch);
    let report = monitor.report();
    let color = column(&report.windows[0], "color").distribution.as_ref().expect("rows on both sides");
    assert_eq!(color.categories, ["#1", "#2", "#3", "#4"]);
    let told = serde_json::to_string(&report).unwrap();
    assert!(COLORS.iter().all(|color| !told.contains(&format!("\"{color}\""))), "{told}");
}

fn reference_of_numbers(settings: &Settings, rows: usize, columns: Vec<Column>) -> Reference {
    let field = Field { name: "x".to_string(), nature: Nature::Float, type_name: "double".to_string() };
    let mut draft = Draft::new(settings, &[field], rows as u64);
    draft.ingest(&Batch { log: Log::Requests, rows, read_at: 0, group: 0, first_row: 0, columns });
    draft.finish().unwrap()
}

/// Numbers after numbers, text before them and after: what stands alone is read on its own, the rest together.
#[test]
fn a_reference_read_a_column_at_a_time_is_the_one_read_whole() {
    let settings = settings();
    let number = |name: &str, nature| Field { name: name.to_string(), nature, type_name: "a number".to_string() };
    let mut fields = reference_fields(&settings);
    fields.insert(1, number("few", Nature::Integer));
    fields.push(number("last", Nature::Float));
    let row = |id: u64| Request {
        id,
        time: None,
        price: Some(id as f64 * 0.37 % 11.0),
        color: Some(COLORS[id as usize % 2]),
        prediction: CLASSES[id as usize % 2],
    };
    let rows: Vec<Request> = (0..3000).map(row).collect();
    let labels: Vec<&str> = (0..3000).map(|i| ["a", "b"][i % 5 / 4]).collect();
    let mut batch = reference_batch(&settings, &rows, &labels);
    batch.columns.insert(1, Column::Numbers((0..3000).map(|i| (i % 9 > 0).then_some((i % 7) as f64)).collect()));
    batch.columns.push(Column::Numbers((0..3000).map(|i| Some(f64::from(i).sqrt())).collect()));
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let mut readings = Vec::new();
    let mut read = |rows: u64| {
        let mut draft = Draft::new(&settings, &fields, rows);
        let turn = |wanted: &[Wanted], each: &mut dyn FnMut(&Batch)| {
            let place = |wanted: &Wanted| names.iter().position(|name| *name == wanted.name).unwrap();
            readings.push(wanted.len());
            let columns = wanted.iter().map(|wanted| batch.columns[place(wanted)].clone()).collect();
            each(&Batch { columns, ..batch });
            Ok::<(), ()>(())
        };
        draft.read(turn).unwrap();
        draft.finish().unwrap()
    };
    // The reader is told of more rows than the file then has.
    let (whole, apart) = (read(3000), read(8 << 20));
    assert_eq!(readings, [6, 3, 1, 1, 1]);
    assert_eq!((&whole.digest, whole.rows), (&apart.digest, apart.rows));
    assert_eq!(format!("{:?}", whole.quality), format!("{:?}", apart.quality));
    assert_eq!(format!("{:?}", whole.plan.columns), format!("{:?}", apart.plan.columns));
    assert_eq!(
        whole.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
        ["price", "few", "color", "last", "prediction"]
    );
}

/// A heavy tail of 60 000 values beside windows that are kept value by value, and on the grid.
#[test]
fn a_reference_larger_than_its_memory_keeps_fewer_points_and_says_almost_the_same() {
    let column = |rows: usize, factor: f64| {
        let value = |i| factor * (1.5 * drawn::normal((i as f64 + 0.5) / rows as f64)).exp();
        vec![Column::Numbers((0..rows).map(|i| Some(value(i))).collect())]
    };
    let scores = |memory_max: usize| {
        let mut settings = drawn::settings();
        settings.drift.numerical = ["ks", "wasserstein", "psi", "jensen_shannon", "energy"].map(drawn::method).to_vec();
        settings.memory_max = memory_max;
        let reference = reference_of_numbers(&settings, 60_000, column(60_000, 1.0));
        let warnings = reference.plan.warnings.clone();
        let mut monitor = Monitor::new(settings, Arc::new(reference));
        let windows = [5000, 50_000].map(|rows| drawn::window(&mut monitor, rows as i64, column(rows, 1.25), rows));
        let tests = windows.iter().flat_map(|window| &window.columns[0].tests);
        let found: Vec<(f64, Option<f64>)> = tests.map(|test| (test.score, test.noise)).collect();
        (found, warnings.join("; "), windows[0].columns[0].summary_reference)
    };
    let (whole, silent, summary) = scores(256 << 20);
    let (few, warned, few_summary) = scores(160 << 10);
    assert_eq!(silent, "");
    assert!(warned.contains("1 columns keep neighbouring values of the reference as one"), "{warned}");
    for ((a, a_noise), (b, b_noise)) in whole.iter().zip(&few) {
        assert!((a - b).abs() < 5e-4, "{a} and {b}");
        assert!((a_noise.unwrap() / b_noise.unwrap() - 1.0).abs() < 0.1, "{a_noise:?} and {b_noise:?}");
    }
    let (summary, few_summary) = (summary.unwrap(), few_summary.unwrap());
    assert!((summary.mean / few_summary.mean - 1.0).abs() < 1e-12);
    assert!((summary.standard_deviation / few_summary.standard_deviation - 1.0).abs() < 1e-5);
}

#[test]
fn numbers_that_are_categories_keep_each_of_them_whatever_the_memory() {
    let mut settings = drawn::settings();
    settings.memory_max = 160 << 10;
    settings.features.insert("x".to_string(), Feature { kind: Some(Kind::Categorical), ..Feature::default() });
    let numbers = || vec![Column::Numbers((0..30_000).map(|i| Some(f64::from(i))).collect())];
    let reference = reference_of_numbers(&settings, 30_000, numbers());
    assert_eq!((reference.plan.columns[0].distinct, reference.plan.warnings.len()), (30_000, 0));
    let numerical = Settings { features: BTreeMap::new(), ..settings };
    let reference = reference_of_numbers(&numerical, 30_000, numbers());
    assert_eq!((reference.plan.columns[0].distinct, reference.plan.warnings.len()), (30_000, 1));
}

#[test]
fn the_scores_of_several_classes_are_for_their_accuracy_alone() {
    let mut settings = scored_settings();
    (settings.task, settings.positive_label) = (Some(Task::Multiclass), None);
    let reference = the_reference(&settings);
    assert!(reference.quality.as_ref().is_some_and(|quality| quality.f1.is_some() && quality.roc_auc.is_none()));
    let mut monitor = Monitor::new(settings, reference);
    // No pairs have them: they stand behind the columns that are compared.
    assert_eq!(monitor.wanted(Log::Requests).last().map(|wanted| wanted.name.as_str()), Some("score"));
    let rows = REFERENCE_ROWS[..200].iter().map(|row| Request { time: Some(NOW - 1), ..row.clone() });
    let mut batch = scored_request_batch(&rows.collect::<Vec<_>>(), NOW);
    let scores = batch.columns.remove(3);
    batch.columns.push(scores);
    monitor.ingest(&batch);
    let estimate = monitor.report().windows[1].estimate.clone().expect("there are scores");
    assert!(estimate.accuracy.is_some() && estimate.f1.is_none(), "{estimate:?}");
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_report_is_what_a_recomputation_from_all_rows_gives(acts in prop::collection::vec(act(), 1..24), exact in any::<bool>()) {
        let mut settings = settings();
        settings.exact_rows = if exact { 20_000 } else { 0 };
        let reference = the_reference(&settings);
        let report = run(&settings, reference.clone(), &acts);
        let plain = Plain::of(&acts);
        // Panes: 120 s / 4 = 30 s; for 600 s the longest multiple of 30 s that divides 600 s and gives four steps: 150 s.
        for (window, length, pane) in [(&report.windows[0], 120, 30), (&report.windows[1], 600, 150)] {
            check(window, &plain.window(length * SECOND, pane * SECOND), &plain, exact);
        }
    }

    #[test]
    fn each_version_and_each_segment_is_what_its_own_rows_give(acts in prop::collection::vec(act(), 1..24), exact in any::<bool>()) {
        let mut settings = settings();
        settings.exact_rows = if exact { 20_000 } else { 0 };
        settings.requests.version = Some("version".to_string());
        settings.segments = vec![vec!["color".to_string()]];
        settings.segments_max = 4;
        let report = run(&settings, the_references(&settings), &acts);
        let plain = Plain::of(&acts);
        for (at, length, pane) in [(0, 120, 30), (1, 600, 150)] {
            let rows = plain.window(length * SECOND, pane * SECOND);
            check(&report.windows[at], &rows, &plain, exact);
            for version in ["1.1", "1.10", "v2"] {
                let rows: Vec<&Request> = rows.iter().copied().filter(|row| row.version() == Some(version)).collect();
                let reference: Vec<&Request> = REFERENCE_ROWS.iter().filter(|row| version != "v2" || is_of_v2(row)).collect();
                check_slice(&report.versions, version, at, &rows, &reference, &plain, exact);
            }
            // Of equally frequent colors the first names have segments of their own.
            let own = ["black", "blue", "green"];
            for color in own {
                let of = |row: &Request| row.color == Some(color);
                let rows: Vec<&Request> = rows.iter().copied().filter(|row| of(row)).collect();
                let reference: Vec<&Request> = REFERENCE_ROWS.iter().filter(|row| of(row)).collect();
                check_slice(&report.segments, &format!("color={color}"), at, &rows, &reference, &plain, exact);
            }
            let of = |row: &Request| row.color.is_none_or(|color| !own.contains(&color));
            let rows: Vec<&Request> = rows.iter().copied().filter(|row| of(row)).collect();
            let reference: Vec<&Request> = REFERENCE_ROWS.iter().filter(|row| of(row)).collect();
            check_slice(&report.segments, "color=other", at, &rows, &reference, &plain, exact);
        }
    }

    #[test]
    fn scores_are_judged_as_all_rows_at_once_are(acts in prop::collection::vec(act(), 1..24), exact in any::<bool>()) {
        let mut settings = scored_settings();
        settings.exact_rows = if exact { 20_000 } else { 0 };
        let reference = the_reference(&settings);
        let report = run(&settings, reference.clone(), &acts);
        let plain = Plain::of(&acts);
        for (window, length, pane) in [(&report.windows[0], 120, 30), (&report.windows[1], 600, 150)] {
            let rows = plain.window(length * SECOND, pane * SECOND);
            assert_eq!(window.rows, rows.len() as u64);
            let told = |row: &&Request| plain.pairs.get(&row.id).map(|(_, label)| (row.score(), *label == "a"));
            check_scores(window.quality.as_ref(), &rows.iter().filter_map(told).collect::<Vec<_>>());
        }
        let told = REFERENCE_ROWS.iter().map(|row| (row.score(), row.id % 5 == 0 || row.prediction == "a"));
        check_scores(reference.quality.as_ref(), &told.collect::<Vec<_>>());
    }

    #[test]
    fn the_newest_labelled_predictions_are_those_of_a_recomputation(
        acts in prop::collection::vec(act(), 1..24), rows in 5..60usize, delay in prop_oneof![Just(300), Just(1500)]
    ) {
        let mut settings = scored_settings();
        settings.f1_window = Some(rows);
        // Shorter than the longest window, or longer than every one.
        settings.label_delay_max = Duration::from_secs(delay);
        let reference = the_reference(&settings);
        let report = run(&settings, reference, &acts).recent.unwrap();
        let plain = Plain::of(&acts);
        let newest = plain.newest(rows, delay as i64);
        prop_assert_eq!(&report.window, &format!("{rows}_labelled"));
        prop_assert_eq!(report.labelled_rows, newest.len() as u64);
        let oldest = newest.first().and_then(|row| row.time);
        prop_assert_eq!(report.oldest.map(|at| at.0), oldest);
        let pairs: Vec<(&str, &str)> = newest.iter().map(|row| plain.pairs[&row.id]).collect();
        check_classes(report.quality.as_ref(), &pairs);
        let told = newest.iter().map(|row| (row.score(), plain.pairs[&row.id].1 == "a"));
        check_scores(report.quality.as_ref(), &told.collect::<Vec<_>>());
    }

    #[test]
    fn batches_may_come_in_any_order(rows in prop::collection::vec(request(), 1..200), cut in 1..40usize, rotate in 0..200usize) {
        let settings = settings();
        let reference = the_reference(&settings);
        // Rows of one id are equal here: which of them comes first must not matter.
        let mut seen = BTreeMap::new();
        for row in rows {
            seen.entry(row.id).or_insert(row);
        }
        let rows: Vec<Request> = seen.into_values().collect();
        let mut turned = rows.clone();
        turned.rotate_left(rotate % rows.len());
        turned.reverse();
        let there: Vec<Act> = rows.chunks(cut).map(|chunk| Act::Requests(chunk.to_vec())).collect();
        let back: Vec<Act> = turned.chunks(cut + 3).map(|chunk| Act::Requests(chunk.to_vec())).collect();
        let (there, back) = (numbers(&run(&settings, reference.clone(), &there)), numbers(&run(&settings, reference.clone(), &back)));
        prop_assert_eq!(there.keys().collect::<Vec<_>>(), back.keys().collect::<Vec<_>>());
        for (name, value) in &there {
            prop_assert!((value - back[name]).abs() <= 1e-12 * value.abs().max(1.0), "{}: {} and {}", name, value, back[name]);
        }
    }
}
