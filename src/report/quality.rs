//! How good the predictions were, or are expected to be, as plain values.

use serde::Serialize;

/// How good the predictions were, over labelled rows. Which fields are there depends on the task.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Quality {
    pub labelled_rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1_standard_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Binary models: of the rows that are not of the positive class, the share that was not predicted as it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specificity: Option<f64>,
    /// These three are of the labelled rows that have a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
    /// In the order of the class names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_absolute_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_mean_squared_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_absolute_percentage_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

/// One class, one against the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassRows {
    pub class: String,
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
}

/// Quality without labels; `None` where it is not defined, or cannot be known from what the model logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Rows that tell something: those without a prediction, or without a score that is a probability, do not.
    pub rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// Of the realised F1 of so many rows around this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1_standard_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_absolute_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_mean_squared_error: Option<f64>,
}
