//! Settings: what a model monitors and how. Every value was checked by whoever made it.
//!
//! Plain values; this file knows the methods' names and nothing else of the program.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::report::Kind;
pub use crate::stats::definition::Definition;
pub use crate::stats::f1::Average;
use crate::stats::{Limit, Method};

/// Columns that one segment is made of, at most.
pub const SEGMENT_COLUMNS_MAX: usize = 4;

/// What a model monitors and how. Durations are of event time.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The value of the `model` label.
    pub name: String,
    /// `None`: from the reference's predictions (floats: regression; two classes or fewer with a
    /// positive label: binary; else multiclass).
    pub task: Option<Task>,
    /// Canonical text (`batch::canonical`) of the positive class of a binary model.
    pub positive_label: Option<String>,
    /// The classes in the order of `probabilities`; empty: the reference's, numbers by value, else by text.
    pub classes: Vec<String>,
    pub requests: RequestColumns,
    pub outcomes: Option<OutcomeColumns>,
    pub reference: ReferenceColumns,
    /// At least one; the first is the main one. `None` in `compare`: one window `all` over all rows, without event time.
    pub windows: Option<Vec<Window>>,
    /// Steps in which a window slides.
    pub panes: u32,
    pub label_delay_max: Duration,
    /// Rows with a timestamp later than the clock by more than this are dropped and counted.
    pub clock_skew_max: Duration,
    /// `None`: binary for a binary task, else weighted.
    pub f1_average: Option<Average>,
    /// Quality also over the newest so many labelled predictions, 100 to 100000; `None`: over windows alone.
    pub f1_window: Option<usize>,
    /// Fewer rows (labelled rows, for quality): no verdict, no gauge.
    pub rows_min: u64,
    pub drift: Drift,
    /// What the config says of single columns, by name.
    pub features: BTreeMap<String, Feature>,
    /// Knots of a numeric column's grid, 16 to 65536.
    pub resolution: usize,
    /// A window with at most this many rows keeps the values themselves.
    pub exact_rows: usize,
    /// Quantile bins of a numeric column, 2 to 100.
    pub bins: usize,
    /// Categories kept apart; rarer ones fold into `other`.
    pub categories_max: usize,
    /// Predictions and outcomes remembered for pairing; the oldest leave first.
    pub pairs_max: usize,
    /// Bytes that panes and reference may take; where columns are many, the resolution falls.
    pub memory_max: usize,
    /// Versions with numbers of their own, 1 to 20; the one whose newest row is oldest leaves first.
    pub versions_max: usize,
    /// Columns of the request log, up to four together, whose values divide the rows into segments.
    pub segments: Vec<Vec<String>>,
    /// Segments that each of these makes, 2 to 200: the reference's most frequent ones, the last one all others.
    pub segments_max: usize,
}

/// A sliding window, under the name that the config gives it (`1h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub name: String,
    pub length: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Binary,
    Multiclass,
    Regression,
}

/// Column names in the request log. Features are all columns of the reference that have no role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestColumns {
    /// Read only where the model has outcomes.
    pub request_id: String,
    pub timestamp: String,
    pub prediction: String,
    /// No feature. For a binary model with a `positive_label`, the probability of that label, 0 to 1: it gives ROC AUC, log loss and Brier
    /// score, and quality without labels; rows whose score is missing or no probability are left out of these. For a multiclass model the
    /// probability of the predicted class: it gives the accuracy without labels. For a regression nothing is made of it.
    pub score: Option<String>,
    /// No feature. Lists of the probabilities of all classes, in one order: quality without labels.
    pub probabilities: Option<String>,
    /// No feature: each version has numbers of its own.
    pub version: Option<String>,
}

/// Column names in the outcome log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeColumns {
    pub request_id: String,
    /// Event time of the outcome; where the log has none, there is no label delay and no expiry by it.
    pub timestamp: Option<String>,
    pub label: String,
}

/// Column names in the reference. All are optional in the file: without prediction no prediction drift,
/// without label no reference F1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceColumns {
    pub prediction: String,
    /// As in the request log; the same name where the config gives none.
    pub score: Option<String>,
    pub probabilities: Option<String>,
    pub label: String,
}

/// Defaults of all columns of a kind, and of the dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Whose formulas the methods follow.
    pub definition: Definition,
    pub numerical: Vec<&'static Method>,
    pub categorical: Vec<&'static Method>,
    /// Of texts: none, where only their missing values count.
    pub text: Vec<&'static Method>,
    pub embedding: Vec<&'static Method>,
    /// Of all numerical and categorical features at once.
    pub multivariate: Vec<&'static Method>,
    /// `Auto` where the reference's own chunks give the thresholds; `None`: each method's own.
    pub limit: Option<Limit>,
    /// The level of tests whose p-value decides, above 0, below 1; `None`: each method's own.
    pub alpha: Option<f64>,
    /// The dataset has drifted when at least this share of its tested features has; above 0, at most 1.
    pub share: f64,
}

/// What the config says of one column; `None` and empty mean the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feature {
    pub ignore: bool,
    pub kind: Option<Kind>,
    /// The first one gives the column its verdict's score; drift by any is drift.
    pub methods: Vec<&'static Method>,
    /// From where on it is drift. A score's only with at most one method: each has its own unit.
    pub limit: Option<Limit>,
    /// The names of its categories stay in the process.
    pub private: bool,
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
