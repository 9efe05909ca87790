//! What happens to the service and when, and how it is told.

use std::ops::Range;

use super::rows::CLASSES;

/// Whether an order stays or comes back.
const ORDERS: [&str; 2] = ["kept", "returned"];

/// A course of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A product classifier: the data drift, the model gets worse, both recover.
    Drift,
    /// A model of returned orders: labels stop, then the data drift, then all labels come at once.
    LabelsStop,
}

impl Scenario {
    /// When the data drift, in seconds from the start.
    pub(super) fn drift(self) -> Range<i64> {
        match self {
            Scenario::Drift => 60..150,
            Scenario::LabelsStop => 75..i64::MAX,
        }
    }

    /// When no labels arrive, in seconds from the start.
    pub(super) fn silence(self) -> Range<i64> {
        match self {
            Scenario::Drift => 0..0,
            Scenario::LabelsStop => 30..180,
        }
    }

    /// What the model tells apart; of two, the last one is what its score is the probability of.
    pub(super) fn classes(self) -> &'static [&'static str] {
        match self {
            Scenario::Drift => &CLASSES,
            Scenario::LabelsStop => &ORDERS,
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Scenario::Drift => "A product classifier: 27 classes, labels arrive seconds to half a minute late.",
            Scenario::LabelsStop => "Which orders will be returned: the score is how probable that is.",
        }
    }

    /// What the config says of this model alone.
    pub(super) fn config(self) -> &'static str {
        match self {
            Scenario::Drift => {
                "name: product-classifier
    windows: [1m, 5m]
    f1_average: weighted"
            }
            Scenario::LabelsStop => {
                "name: returns
    task: binary
    positive_label: returned
    windows: [30s]"
            }
        }
    }

    /// What happens and what to watch for, by seconds from the start.
    pub(super) fn events(self) -> Vec<(i64, &'static str)> {
        let (drift, silence) = (self.drift(), self.silence());
        match self {
            Scenario::Drift => vec![
                (0, "all is well: F1 near 0.9, no column drifts"),
                (
                    drift.start,
                    "prices rise, devices shift, ratings go missing, the model gets worse:
data_drift_score rises, prediction_f1_score falls towards 0.65",
                ),
                (drift.end, "the cause is gone"),
                (drift.end + 70, "the one-minute window is clean again: F1 is back"),
            ],
            Scenario::LabelsStop => vec![
                (0, "all is well: prediction_f1_score near 0.9, prediction_f1_score_estimated too"),
                (silence.start, "no labels arrive any more"),
                (silence.start + 30, "the window has none left: prediction_f1_score is absent, the estimate goes on"),
                (
                    drift.start,
                    "prices rise, devices shift, ratings go missing, the model is less sure:
prediction_f1_score_estimated falls to 0.7, and there is no label yet",
                ),
                (
                    silence.end,
                    "all missing labels arrive at once: prediction_f1_score is back, near 0.7;
prediction_estimate_error near 0: the estimate was right",
                ),
            ],
        }
    }

    /// Names on the page that tell the story, as grep -E has them.
    pub(super) fn watched(self) -> &'static str {
        match self {
            Scenario::Drift => "(prediction_f1_score|data_drift_score|drift_detected).*1m",
            Scenario::LabelsStop => {
                "(prediction_f1_score(_estimated)?|prediction_estimate_error|window_labelled_rows)[{]"
            }
        }
    }
}
