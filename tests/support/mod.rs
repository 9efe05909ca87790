//! What several tests need: settings, batches made by hand, and the slow, obvious way to compute each number.
#![allow(dead_code)]

pub mod drawn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{DictionaryArray, Float64Array, Int64Array, UInt64Array};
use arrow::datatypes::Int32Type;
use drift_sidecar::batch::{Batch, Column, Field, Log, Nature};
use drift_sidecar::frame::{Reader, Writer};
use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::{Draft, Reference};
use drift_sidecar::settings::{Drift, OutcomeColumns, ReferenceColumns, RequestColumns, Settings, Window};
use drift_sidecar::stats;

pub const SECOND: i64 = 1_000_000;

/// Settings of a small model: windows of two and ten minutes in four panes each.
pub fn settings() -> Settings {
    let window = |name: &str, seconds| Window { name: name.to_string(), length: Duration::from_secs(seconds) };
    Settings {
        name: "m".to_string(),
        task: None,
        positive_label: None,
        classes: Vec::new(),
        requests: RequestColumns {
            request_id: "request_id".to_string(),
            timestamp: "timestamp".to_string(),
            prediction: "prediction".to_string(),
            score: None,
            probabilities: None,
            version: None,
        },
        outcomes: Some(OutcomeColumns {
            request_id: "request_id".to_string(),
            timestamp: Some("timestamp".to_string()),
            label: "label".to_string(),
        }),
        reference: ReferenceColumns {
            prediction: "prediction".to_string(),
            score: None,
            probabilities: None,
            label: "label".to_string(),
        },
        windows: Some(vec![window("2m", 120), window("10m", 600)]),
        panes: 4,
        label_delay_max: Duration::from_secs(300),
        clock_skew_max: Duration::from_secs(60),
        f1_average: None,
        f1_window: None,
        rows_min: 1,
        drift: Drift {
            definition: Default::default(),
            limit: None,
            alpha: Some(0.05),
            numerical: ["ks", "wasserstein", "psi", "jensen_shannon"].map(|name| stats::method(name).unwrap()).to_vec(),
            categorical: ["jensen_shannon", "psi", "chi_square"].map(|name| stats::method(name).unwrap()).to_vec(),
            text: ["domain_classifier"].map(|name| stats::method(name).unwrap()).to_vec(),
            embedding: ["mean_distance"].map(|name| stats::method(name).unwrap()).to_vec(),
            multivariate: Vec::new(),
            share: 0.5,
        },
        features: BTreeMap::new(),
        resolution: 4096,
        exact_rows: 20_000,
        bins: 10,
        categories_max: 1000,
        pairs_max: 1_000_000,
        memory_max: 256 << 20,
        versions_max: 20,
        segments: Vec::new(),
        segments_max: 20,
    }
}

/// One request as a person would write it down.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub id: u64,
    pub time: Option<i64>,
    pub price: Option<f64>,
    pub color: Option<&'static str>,
    pub prediction: &'static str,
}

impl Request {
    /// Follows from the id: names that are equal as numbers are different versions, and some requests have none.
    pub fn version(&self) -> Option<&'static str> {
        [Some("1.1"), Some("1.10"), Some("v2"), None][self.id as usize % 4]
    }

    /// Follows from the price: some are missing, some no probability, many are equal, some are 0 or 1.
    pub fn score(&self) -> Option<f64> {
        match self.price? {
            price if !price.is_finite() => Some(price),
            price if price < 0.0 => Some(1.25),
            price => Some(((price * 16.0) as u64 * 7 % 65) as f64 / 64.0),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub id: u64,
    pub time: i64,
    pub label: &'static str,
}

pub fn keys<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Column {
    Column::Keys(values.collect::<DictionaryArray<Int32Type>>())
}

pub fn id_hash(id: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes())
}

/// Columns in the order in which a monitor of `settings` wants them.
pub fn request_batch(rows: &[Request], read_at: i64) -> Batch {
    let columns = vec![
        Column::Times(rows.iter().map(|row| row.time).collect::<Int64Array>()),
        Column::Ids(rows.iter().map(|row| Some(id_hash(row.id))).collect::<UInt64Array>()),
        keys(rows.iter().map(|row| Some(row.prediction))),
        Column::Numbers(rows.iter().map(|row| row.price).collect::<Float64Array>()),
        keys(rows.iter().map(|row| row.color)),
    ];
    Batch { log: Log::Requests, rows: rows.len(), read_at, group: 0, first_row: 0, columns }
}

/// The same where the monitor wants the scores too.
pub fn scored_request_batch(rows: &[Request], read_at: i64) -> Batch {
    let mut batch = request_batch(rows, read_at);
    batch.columns.insert(3, scores(rows));
    batch
}

/// The same where the monitor wants versions, and divides the rows by color.
pub fn divided_request_batch(rows: &[Request], read_at: i64) -> Batch {
    let mut batch = request_batch(rows, read_at);
    batch.columns.insert(3, keys(rows.iter().map(Request::version)));
    batch.columns.swap(4, 5);
    batch
}

fn scores(rows: &[Request]) -> Column {
    Column::Numbers(rows.iter().map(Request::score).collect::<Float64Array>())
}

pub fn outcome_batch(rows: &[Outcome], read_at: i64) -> Batch {
    let columns = vec![
        Column::Ids(rows.iter().map(|row| Some(id_hash(row.id))).collect::<UInt64Array>()),
        Column::Times(rows.iter().map(|row| Some(row.time)).collect::<Int64Array>()),
        keys(rows.iter().map(|row| Some(row.label))),
    ];
    Batch { log: Log::Outcomes, rows: rows.len(), read_at, group: 0, first_row: 0, columns }
}

/// The columns of [`reference_batch`].
pub fn reference_fields(settings: &Settings) -> Vec<Field> {
    let field = |name: &str, nature, type_name: &str| Field {
        name: name.to_string(),
        nature,
        type_name: type_name.to_string(),
    };
    let mut fields = vec![
        field("price", Nature::Float, "double"),
        field("color", Nature::Text, "string"),
        field("prediction", Nature::Text, "string"),
        field("label", Nature::Text, "string"),
    ];
    fields.extend(settings.reference.score.iter().map(|name| field(name, Nature::Float, "double")));
    fields
}

/// Price, color, prediction and label.
pub fn reference_batch(settings: &Settings, rows: &[Request], labels: &[&'static str]) -> Batch {
    let mut columns = vec![
        Column::Numbers(rows.iter().map(|row| row.price).collect::<Float64Array>()),
        keys(rows.iter().map(|row| row.color)),
        keys(rows.iter().map(|row| Some(row.prediction))),
        keys(labels.iter().map(|label| Some(*label))),
    ];
    columns.extend(settings.reference.score.iter().map(|_| scores(rows)));
    Batch { log: Log::Requests, rows: rows.len(), read_at: 0, group: 0, first_row: 0, columns }
}

pub fn reference(settings: &Settings, rows: &[Request], labels: &[&'static str]) -> Arc<Reference> {
    let mut draft = Draft::new(settings, &reference_fields(settings), rows.len() as u64);
    draft.ingest(&reference_batch(settings, rows, labels));
    Arc::new(draft.finish().unwrap())
}

/// Two-sample Kolmogorov-Smirnov distance by definition.
pub fn naive_ks(reference: &[f64], current: &[f64]) -> f64 {
    let share = |side: &[f64], x: f64| side.iter().filter(|value| **value <= x).count() as f64 / side.len() as f64;
    let points = reference.iter().chain(current);
    points.map(|&x| (share(reference, x) - share(current, x)).abs()).fold(0.0, f64::max)
}

/// ROC AUC, log loss and Brier score by definition, of (score, positive) rows; those whose score is no probability are left out.
pub fn naive_score_quality(rows: &[(Option<f64>, bool)]) -> (usize, Option<f64>, f64, f64) {
    let rows: Vec<(f64, bool)> =
        rows.iter().filter_map(|(score, truth)| Some((score.filter(|s| (0.0..=1.0).contains(s))?, *truth))).collect();
    let of = |class: bool| rows.iter().filter(move |row| row.1 == class).map(|row| row.0);
    let pairs = (of(true).count() * of(false).count()) as f64;
    let won =
        of(true).flat_map(|p| of(false).map(move |n| if p > n { 1.0 } else { f64::from(u8::from(p == n)) / 2.0 }));
    let auc = (pairs > 0.0).then(|| won.sum::<f64>() / pairs);
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let told = |&(score, truth): &(f64, bool)| if truth { score } else { 1.0 - score };
    let loss = rows.iter().map(|row| -told(row).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()).collect();
    let squares = rows.iter().map(|row| (1.0 - told(row)).powi(2)).collect();
    (rows.len(), auc, mean(loss), mean(squares))
}

/// First Wasserstein distance by definition, over the reference's standard deviation.
pub fn naive_wasserstein(reference: &[f64], current: &[f64]) -> f64 {
    let finite = |side: &[f64]| side.iter().copied().filter(|value| value.is_finite()).collect::<Vec<f64>>();
    let (reference, current) = (finite(reference), finite(current));
    let mut points: Vec<f64> = reference.iter().chain(&current).copied().collect();
    points.sort_by(f64::total_cmp);
    let share = |side: &[f64], x: f64| side.iter().filter(|value| **value <= x).count() as f64 / side.len() as f64;
    let area: f64 = points
        .windows(2)
        .map(|pair| (share(&reference, pair[0]) - share(&current, pair[0])).abs() * (pair[1] - pair[0]))
        .sum();
    let mean = reference.iter().sum::<f64>() / reference.len() as f64;
    let variance = reference.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / reference.len() as f64;
    area / variance.sqrt().max(0.001)
}

/// Jensen-Shannon distance, base 2, of two tables of counts over the same keys.
pub fn naive_jensen_shannon(reference: &[f64], current: &[f64]) -> f64 {
    let total = |side: &[f64]| side.iter().sum::<f64>();
    let part = |p: f64, m: f64| if p > 0.0 { p * (p / m).log2() } else { 0.0 };
    let divergence: f64 = reference
        .iter()
        .zip(current)
        .map(|(r, c)| {
            let (p, q) = (r / total(reference), c / total(current));
            (part(p, (p + q) / 2.0) + part(q, (p + q) / 2.0)) / 2.0
        })
        .sum();
    divergence.max(0.0).sqrt()
}

/// Population stability index with half a row added to each bin.
pub fn naive_psi(reference: &[f64], current: &[f64]) -> f64 {
    let k = reference.len() as f64;
    let share = |count: f64, side: &[f64]| (count + 0.5) / (side.iter().sum::<f64>() + k / 2.0);
    reference
        .iter()
        .zip(current)
        .map(|(&r, &c)| (share(r, reference) - share(c, current)) * (share(r, reference) / share(c, current)).ln())
        .sum()
}

/// `fresh` with all that `monitor` holds, by way of bytes.
pub fn handed_over(monitor: &Monitor, mut fresh: Monitor) -> Monitor {
    let mut bytes = Vec::new();
    monitor.save(&mut Writer::new(&mut bytes)).expect("memory takes all");
    fresh.restore(&mut Reader::new(&mut bytes.as_slice())).expect("what was saved");
    fresh
}
