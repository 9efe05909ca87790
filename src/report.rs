//! The Report: everything that one evaluation found, as plain values. `/metrics`, the JSON API, the tables
//! and the page are pure functions of it. A number that is not defined is `None` and appears nowhere.
//!
//! This file knows nothing of the rest of the program.

use std::collections::BTreeMap;
use std::sync::Arc;

mod quality;

pub use quality::{ClassRows, Estimate, Quality};
use serde::{Serialize, Serializer};

/// A moment: microseconds since 1970-01-01T00:00:00Z. Serialises as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Seconds since 1970, as Prometheus wants timestamps.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} us", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The latest evaluation of every model, in the order of the config file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub models: Vec<Arc<ModelReport>>,
}

/// One model's evaluation.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ModelReport {
    pub model: String,
    /// What is wrong with this model as a whole, in words; empty while all is well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceReport>,
    pub windows: Vec<WindowReport>,
    /// The newest labelled predictions, whatever the windows; `None` where the config does not ask for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent: Option<RecentReport>,
    /// The rows of each version by themselves, where the config names a column of versions; in the order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<SliceReport>,
    /// The rows of each segment that has `rows_min` of them; in the order of the config, then of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SliceReport>,
    pub logs: Vec<LogReport>,
    /// Outcomes and requests that could not be paired or were paired twice, by reason; a running count.
    pub pairing: BTreeMap<&'static str, u64>,
    /// Predictions that wait for their outcome.
    pub pending_predictions: u64,
    /// `None` where the model has no outcome log, or its outcomes carry no timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_delay: Option<Histogram>,
    /// Only a daemon has these two: they depend on the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_seconds: Option<f64>,
}

/// Where the rows of a reference come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    File,
    /// A file for each version of the model.
    Versions,
    /// The first rows of the request log.
    FirstRows,
    /// The past of the request log before the main window.
    Trailing,
}

impl Mode {
    /// The value of the `mode` label.
    pub fn name(self) -> &'static str {
        match self {
            Mode::File => "file",
            Mode::Versions => "versions",
            Mode::FirstRows => "first_rows",
            Mode::Trailing => "trailing",
        }
    }
}

/// The reference in force.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReferenceReport {
    pub mode: Mode,
    /// Start (included) and end (excluded) of the event time that its rows were taken from; `None` for files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
    pub rows: u64,
    /// 16 hex digits over the reference's rows and columns; the same data gives the same digits.
    pub digest: String,
    /// `None` where the reference carries no labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Columns that are not compared, with the reason in words, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ignored_columns: BTreeMap<String, String>,
}

/// The newest labelled predictions by the time they were made, of those that `label_delay_max` has not left behind.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecentReport {
    /// Such as `5000_labelled`: so many at most.
    pub window: String,
    pub labelled_rows: u64,
    /// When the oldest of them was made; `None` while there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Moment>,
    /// `None` below `rows_min` labelled rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// Some of a model's rows: those of a version or of a segment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SliceReport {
    /// The version, or the segment as `country=FR` or `device=mobile,country=FR`.
    pub name: String,
    /// What they are compared with.
    pub reference: ReferenceReport,
    /// Those in which there are enough rows to say something.
    pub windows: Vec<WindowReport>,
}

impl SliceReport {
    /// Its numbers in one window.
    pub fn window(&self, name: &str) -> Option<&WindowReport> {
        self.windows.iter().find(|window| window.window == name)
    }
}

/// One window of one model.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WindowReport {
    /// As the config writes it (`1h`), or `all` in `compare`.
    pub window: String,
    /// Start (included) and end (excluded) of the window in event time; `None` before the first row and in `compare`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
    pub rows: u64,
    /// Rows of this window whose outcome has arrived; `None` without an outcome log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labelled_rows: Option<u64>,
    /// `None` below `rows_min` labelled rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Without labels; `None` where the reference teaches no estimate, and below `rows_min` rows that tell something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Estimated minus realised F1 (of a regression: MAE) over the panes of which at least nine in ten rows are labelled;
    /// `None` below `rows_min` rows in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_error: Option<f64>,
    /// Share of tested features that drifted, 0 to 1; `None` where no feature could be tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_drift_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_drift_detected: Option<bool>,
    /// How many features have drifted and how many it takes, in words.
    pub data_drift_reason: String,
    /// The score of the prediction column itself, by its first method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_drift_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_drift_detected: Option<bool>,
    /// Tests of all numerical and categorical features at once, where they are asked for. They have no part in
    /// `data_drift_detected`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub multivariate: Vec<TestReport>,
    /// Those of them that could not be made: the method, and why in words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub multivariate_undefined: BTreeMap<&'static str, &'static str>,
    pub columns: Vec<ColumnReport>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Feature,
    Prediction,
    /// A number that describes a text: it is judged, and does not count among the features.
    Descriptor,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Numerical,
    Categorical,
    Text,
    Embedding,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Numerical => "numerical",
            Kind::Categorical => "categorical",
            Kind::Text => "text",
            Kind::Embedding => "embedding",
        }
    }
}

/// One column in one window.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ColumnReport {
    pub column: String,
    pub kind: Kind,
    pub role: Role,
    /// Rows of each side, those with a missing value among them.
    pub reference_rows: u64,
    pub current_rows: u64,
    /// Shares of the rows, 0 to 1; `None` without rows, and where the ratio has no meaning for the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_ratio_reference: Option<f64>,
    /// Categorical: share of values that the reference never had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen_ratio: Option<f64>,
    /// The share of unseen values that as many rows as the reference's would show without any drift: its values that it has
    /// once, over its rows (Good 1953).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen_ratio_reference: Option<f64>,
    /// Numerical: share of values that are infinite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infinite_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infinite_ratio_reference: Option<f64>,
    /// Numerical: share of values (infinities among them) outside the reference's finite minimum and maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_range_ratio: Option<f64>,
    /// The reference's own share: 0 but for infinities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_range_ratio_reference: Option<f64>,
    /// Numerical: of the finite values; `None` without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_reference: Option<Summary>,
    /// `None` where no test could be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drifted: Option<bool>,
    /// The verdict in words: which score against which threshold and noise, or why there is none.
    pub reason: String,
    pub tests: Vec<TestReport>,
    /// Tests that were asked for and could not be made: the method, and why in words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub undefined: BTreeMap<&'static str, &'static str>,
    /// How the values lie on both sides, for people to look at; `None` without rows on either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
}

impl TestReport {
    /// How near its limit the test is: 1 at the limit, 2 at twice the threshold, or at the square of `alpha`.
    pub fn reach(&self) -> f64 {
        match (self.threshold, self.alpha, self.p_value_adjusted.or(self.p_value)) {
            (Some(threshold), ..) if threshold > 0.0 => self.score / threshold,
            (Some(_), ..) => f64::INFINITY,
            (None, Some(alpha), Some(p)) => p.max(f64::MIN_POSITIVE).ln() / alpha.ln(),
            _ => 0.0,
        }
    }
}

/// Finite values in two numbers, in their own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    pub mean: f64,
    /// Of the values themselves (ddof 0).
    pub standard_deviation: f64,
}

/// The rows of both sides, bar by bar: numbers between edges, or categories by name. Missing values are in no bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Inner edges, ascending: the first bar is everything up to the first edge, the last everything above the last. Empty
    /// for categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
    /// A name for each bar: the reference's most frequent categories, then `other` and `unseen`. Empty for numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Rows in each bar.
    pub reference: Vec<u64>,
    pub current: Vec<u64>,
}

/// One test of one column.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestReport {
    pub method: &'static str,
    /// High means far apart; range and unit are the method's.
    pub score: f64,
    /// The score from which on it may be drift; `null` where the p-value decides.
    pub threshold: Option<f64>,
    /// The 99th percentile of the score for a sample of this size without any drift; `null` where none is asked for.
    pub noise: Option<f64>,
    /// `null` where the method has none.
    pub p_value: Option<f64>,
    /// The level below which the adjusted p-value is drift; only where it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The p-value after Benjamini and Hochberg, over the model's columns that are tested in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value_adjusted: Option<f64>,
    pub drifted: bool,
}

/// What came in from one log and what did not. Counts run since the process started, or since a rebuild from the files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogReport {
    /// `requests` or `outcomes`.
    pub log: &'static str,
    pub rows_read: u64,
    pub rows_dropped: BTreeMap<&'static str, u64>,
    /// Files now in each state: `read`, `waiting` (rows not read yet), `unfinished`, `failed`.
    pub files: BTreeMap<&'static str, u64>,
    pub files_failed: BTreeMap<&'static str, u64>,
    /// Files in which a wanted column was missing or of a type that does not fit, by column and by
    /// reason (`missing`, `type`); nested columns that were skipped (`nested`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub column_problems: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// The newest event time read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event: Option<Moment>,
}

/// A cumulative histogram, as Prometheus has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// Upper bounds in ascending order, without the infinite one.
    pub bounds: Vec<f64>,
    /// One count for each bound, and a last one for everything; each holds those before it.
    pub cumulative: Vec<u64>,
    pub sum: f64,
}
