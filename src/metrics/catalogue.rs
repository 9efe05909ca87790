//! The catalogue: every metric family's name, kind, labels and help, once.

use std::collections::HashMap;
use std::sync::LazyLock;

use prometheus::core::Desc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// A metric family.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// What it is, its range, and when it is absent.
    pub help: &'static str,
}

macro_rules! catalogue {
    ($($id:ident $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// A place in the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Id { $($id),* }

        /// Every family that `/metrics` can show.
        pub static CATALOGUE: &[Family] = &[$(Family { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help }),*];
    };
}

catalogue! {
    F1 Gauge "prediction_f1_score" ["model", "window"] "F1 of the window's labelled predictions, averaged as f1_average says, 0 to 1. Absent below rows_min labelled rows.";
    F1StandardError Gauge "prediction_f1_score_standard_error" ["model", "window"] "Sampling error of prediction_f1_score: with so many labelled rows it is off by more than twice this in 5 % of windows.";
    F1StandardErrorReference Gauge "prediction_f1_score_standard_error_reference" ["model"] "Sampling error of prediction_f1_score_reference. Absent where the reference has no labels.";
    F1Reference Gauge "prediction_f1_score_reference" ["model"] "F1 of the reference, averaged in the same way. Absent where the reference has no labels.";
    Precision Gauge "prediction_precision_score" ["model", "window"] "Precision of the window's labelled predictions, averaged as f1_average says, 0 to 1.";
    PrecisionReference Gauge "prediction_precision_score_reference" ["model"] "Precision on the reference, averaged in the same way. Absent where the reference has no labels.";
    Recall Gauge "prediction_recall_score" ["model", "window"] "Recall of the window's labelled predictions, averaged as f1_average says, 0 to 1.";
    RecallReference Gauge "prediction_recall_score_reference" ["model"] "Recall on the reference, averaged in the same way. Absent where the reference has no labels.";
    Accuracy Gauge "prediction_accuracy_score" ["model", "window"] "Share of the window's labelled predictions that are right, 0 to 1.";
    AccuracyReference Gauge "prediction_accuracy_score_reference" ["model"] "Share of the reference's predictions that are right, 0 to 1. Absent where the reference has no labels.";
    Specificity Gauge "prediction_specificity_score" ["model", "window"] "Share of the window's labelled predictions not of the positive class that were not predicted as it, 0 to 1. Absent without a positive_label or such rows.";
    SpecificityReference Gauge "prediction_specificity_score_reference" ["model"] "Specificity on the reference. Absent where the reference has no labels.";
    RocAuc Gauge "prediction_roc_auc_score" ["model", "window"] "Area under the ROC curve of the window's labelled scores, 0 to 1. Absent for models that are not binary, below rows_min labelled scores, and where all are of one class.";
    RocAucReference Gauge "prediction_roc_auc_score_reference" ["model"] "Area under the ROC curve of the reference's scores. Absent where the reference has no scores or no labels.";
    LogLoss Gauge "prediction_log_loss" ["model", "window"] "Mean log loss of the window's labelled scores in nats, 0 to 36.04. Absent for models that are not binary and below rows_min labelled scores.";
    LogLossReference Gauge "prediction_log_loss_reference" ["model"] "Mean log loss of the reference's scores. Absent where the reference has no scores or no labels.";
    BrierScore Gauge "prediction_brier_score" ["model", "window"] "Mean squared distance of the window's labelled scores from the truth, 0 to 1. Absent for models that are not binary and below rows_min labelled scores.";
    BrierScoreReference Gauge "prediction_brier_score_reference" ["model"] "Mean squared distance of the reference's scores from the truth. Absent where the reference has no scores or no labels.";
    F1Estimated Gauge "prediction_f1_score_estimated" ["model", "window"] "F1 that the scores of all of the window's rows make probable, labelled or not, averaged as f1_average says, 0 to 1. It does not see concept drift. Absent without scores or labels in the reference, and below rows_min such rows.";
    F1EstimatedStandardError Gauge "prediction_f1_score_estimated_standard_error" ["model", "window"] "Sampling error of the F1 that so many rows will have, if the estimate is right: it is off by more than twice this in at most 5 % of windows.";
    PrecisionEstimated Gauge "prediction_precision_score_estimated" ["model", "window"] "Precision that the scores of all of the window's rows make probable, 0 to 1.";
    RecallEstimated Gauge "prediction_recall_score_estimated" ["model", "window"] "Recall that the scores of all of the window's rows make probable, 0 to 1.";
    AccuracyEstimated Gauge "prediction_accuracy_score_estimated" ["model", "window"] "Share of right predictions that the scores of all of the window's rows make probable, 0 to 1.";
    EstimateError Gauge "prediction_estimate_error" ["model", "window"] "Estimated minus realised F1 (of a regression: mean absolute error) over those panes of the window of which at least nine in ten rows are labelled. Absent below rows_min rows in them.";
    ClassRows Gauge "prediction_class_rows" ["model", "window", "class", "result"] "Labelled rows of the window by class and result (true_positive, false_positive, false_negative). Sums across replicas give a fleet's F1.";
    ClassRowsReference Gauge "prediction_class_rows_reference" ["model", "class", "result"] "Labelled rows of the reference by class and result. Absent where it has no labels.";
    LabelledRatio Gauge "prediction_labelled_ratio" ["model", "window"] "Share of the window's predictions whose outcome has arrived, 0 to 1. Absent without rows or without an outcome log.";
    LabelDelay Histogram "prediction_label_delay_seconds" ["model"] "Time from a prediction to its outcome, by the timestamps in the logs.";
    MeanError Gauge "prediction_mean_error" ["model", "window"] "Mean of prediction minus truth over the window's labelled predictions, in the unit of the label.";
    MeanAbsoluteError Gauge "prediction_mean_absolute_error" ["model", "window"] "Mean absolute error over the window's labelled predictions, in the unit of the label.";
    MeanAbsoluteErrorReference Gauge "prediction_mean_absolute_error_reference" ["model"] "Mean absolute error on the reference. Absent where the reference has no labels.";
    RootMeanSquaredError Gauge "prediction_root_mean_squared_error" ["model", "window"] "Root mean squared error over the window's labelled predictions, in the unit of the label.";
    MeanAbsoluteErrorEstimated Gauge "prediction_mean_absolute_error_estimated" ["model", "window"] "Mean absolute error that the features of all of the window's rows make probable, labelled or not, in the unit of the label. It does not see concept drift. Absent without labels in the reference.";
    RootMeanSquaredErrorEstimated Gauge "prediction_root_mean_squared_error_estimated" ["model", "window"] "Root mean squared error that the features of all of the window's rows make probable, in the unit of the label.";
    RootMeanSquaredErrorReference Gauge "prediction_root_mean_squared_error_reference" ["model"] "Root mean squared error on the reference. Absent where the reference has no labels.";
    MeanAbsolutePercentageError Gauge "prediction_mean_absolute_percentage_error_ratio" ["model", "window"] "Mean of error over truth, as a share (1 is 100 %).";
    R2 Gauge "prediction_r2_score" ["model", "window"] "Coefficient of determination, at most 1. Absent where the truth does not vary.";
    R2Reference Gauge "prediction_r2_score_reference" ["model"] "Coefficient of determination on the reference. Absent where the reference has no labels.";
    DataDriftScore Gauge "data_drift_score" ["model", "window"] "Share of the tested features that have drifted, 0 to 1. Absent where none could be tested.";
    DataDriftDetected Gauge "data_drift_detected" ["model", "window"] "1 when data_drift_score reaches drift.share, else 0.";
    PredictionDriftScore Gauge "prediction_drift_score" ["model", "window"] "Score of the prediction column itself, by its first method.";
    PredictionDriftDetected Gauge "prediction_drift_detected" ["model", "window"] "1 when the prediction column has drifted, else 0.";
    DriftScore Gauge "drift_score" ["model", "window", "column", "method"] "How far the window is from the reference, in the unit of the method; high means far.";
    DriftThreshold Gauge "drift_threshold" ["model", "window", "column", "method"] "The score from which on the column may have drifted.";
    DriftNoise Gauge "drift_noise" ["model", "window", "column", "method"] "The score that a window of this many rows reaches by chance, without any drift, once in a hundred times.";
    DriftPValue Gauge "drift_p_value" ["model", "window", "column", "method"] "Probability of such a score without any drift, 0 to 1. Absent where the method has no test.";
    DriftDetected Gauge "drift_detected" ["model", "window", "column"] "1 when the column has drifted (a score at its threshold and above its noise, or a jump in missing values), else 0.";
    MultivariateScore Gauge "multivariate_drift_score" ["model", "window", "method"] "How far the window is from the reference over all numerical and categorical features at once, in the unit of the method. Only where drift.multivariate asks for it.";
    MultivariateThreshold Gauge "multivariate_drift_threshold" ["model", "window", "method"] "The score from which on the features may have drifted together.";
    MultivariateNoise Gauge "multivariate_drift_noise" ["model", "window", "method"] "The score that a window of this many rows reaches by chance, without any drift, once in a hundred times.";
    MultivariateDetected Gauge "multivariate_drift_detected" ["model", "window", "method"] "1 when the score is at its threshold and above its noise, else 0. It has no part in data_drift_detected.";
    MissingRatio Gauge "column_missing_ratio" ["model", "window", "column"] "Share of the window's rows whose value is missing (null or NaN), 0 to 1.";
    MissingRatioReference Gauge "column_missing_ratio_reference" ["model", "column"] "Share of the reference's rows whose value is missing, 0 to 1.";
    UnseenRatio Gauge "column_unseen_ratio" ["model", "window", "column"] "Share of the window's values that the reference never had, 0 to 1. Categorical columns only.";
    UnseenRatioReference Gauge "column_unseen_ratio_reference" ["model", "column"] "The share of unseen values to expect without any drift: the reference's values that it has only once, over its rows.";
    InfiniteRatio Gauge "column_infinite_ratio" ["model", "window", "column"] "Share of the window's values that are infinite, 0 to 1. Numerical columns only.";
    InfiniteRatioReference Gauge "column_infinite_ratio_reference" ["model", "column"] "Share of the reference's values that are infinite, 0 to 1.";
    OutOfRangeRatio Gauge "column_out_of_range_ratio" ["model", "window", "column"] "Share of the window's values outside the reference's smallest and largest finite value, 0 to 1. Numerical columns only.";
    OutOfRangeRatioReference Gauge "column_out_of_range_ratio_reference" ["model", "column"] "The same of the reference itself: its share of infinities.";
    WindowRows Gauge "window_rows" ["model", "window"] "Rows in the window. Numbers are absent while they are fewer than rows_min.";
    LabelledRows Gauge "window_labelled_rows" ["model", "window"] "Rows of the window whose outcome has arrived. Quality is absent while they are fewer than rows_min.";
    WindowMain Gauge "window_main" ["model", "window"] "1 for the model's main window, the first of its config; the others have none. Alerts speak of it alone.";
    WindowEnd Gauge "window_end_timestamp_seconds" ["model", "window"] "Event time at which the window ends. It moves with the newest row.";
    ReferenceRows Gauge "reference_rows" ["model"] "Rows of the reference in force. Absent while there is none.";
    ReferenceStart Gauge "reference_start_timestamp_seconds" ["model"] "Event time from which on the reference's rows were taken from the request log. Absent for references that are files.";
    ReferenceEnd Gauge "reference_end_timestamp_seconds" ["model"] "Event time up to which the reference's rows were taken from the request log. Absent for references that are files.";
    RowsRead Counter "drift_sidecar_rows_read_total" ["model", "log"] "Rows read from the log files.";
    RowsDropped Counter "drift_sidecar_rows_dropped_total" ["model", "log", "reason"] "Rows that could not be used, by reason.";
    Files Gauge "drift_sidecar_files" ["model", "log", "state"] "Files of the log now: read, waiting to be read, unfinished (no footer yet), failed.";
    FilesFailed Counter "drift_sidecar_files_failed_total" ["model", "log", "reason"] "Files that could not be read, by reason; each is named once in the program's log.";
    ColumnProblems Counter "drift_sidecar_column_problems_total" ["model", "log", "column", "reason"] "Files in which a column was missing, nested, or of a type that does not fit (its values count as missing), or new: the reference does not have it.";
    Pairs Counter "drift_sidecar_pairs_total" ["model", "reason"] "What became of predictions and outcomes: paired, or why not.";
    PendingPredictions Gauge "drift_sidecar_pending_predictions" ["model"] "Predictions that wait for their outcome. Absent without an outcome log.";
    LastEvent Gauge "drift_sidecar_last_event_timestamp_seconds" ["model", "log"] "The newest timestamp in the log's rows.";
    EvaluationDuration Gauge "drift_sidecar_evaluation_duration_seconds" ["model"] "What the latest evaluation took.";
    LastEvaluation Gauge "drift_sidecar_last_evaluation_timestamp_seconds" ["model"] "When the latest evaluation was made.";
    ModelUp Gauge "drift_sidecar_model_up" ["model"] "1 when the model is evaluated, 0 when its config or its reference cannot be used.";
    ReferenceInfo Gauge "drift_sidecar_reference_info" ["model", "digest", "mode"] "1, with the digest of the reference in force and where it comes from: file, versions, first_rows, trailing.";
    VersionInfo Gauge "prediction_version_info" ["model", "version", "digest"] "1 for each version of which some window has rows, with the digest of the reference that it is compared with.";
    ReloadSuccessful Gauge "drift_sidecar_config_last_reload_successful" [] "1 when the config file was taken over at the last try, 0 when it has mistakes and the old one is in force.";
    ReloadSuccessTimestamp Gauge "drift_sidecar_config_last_reload_success_timestamp_seconds" [] "When the config file was last taken over.";
    BuildInfo Gauge "drift_sidecar_build_info" ["version"] "1, with the version of the program.";
}

impl Id {
    pub fn family(self) -> &'static Family {
        &CATALOGUE[self as usize]
    }
}

/// Whose numbers they are: of all of a model's rows, or of those of one part, which have families of their own, so that sums and
/// alerts over the main ones count nothing twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    #[default]
    All,
    Version,
    Segment,
}

impl Part {
    /// The label that names it, which is also what its families begin with.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Part::All => None,
            Part::Version => Some("version"),
            Part::Segment => Some("segment"),
        }
    }
}

impl Family {
    /// Whether each version and each segment has it too: what is told of a window, and of the reference that it is compared with.
    pub fn is_divided(&self) -> bool {
        let of_reference = self.name.ends_with("_reference") || self.name == "reference_rows";
        of_reference || (self.labels.contains(&"window") && self.name != "window_main")
    }

    pub fn name_of(&self, part: Part) -> String {
        part.label().map_or_else(|| self.name.to_string(), |label| format!("{label}_{}", self.name))
    }

    /// The model, the part, and the rest.
    pub fn labels_of(&self, part: Part) -> Vec<&'static str> {
        let (model, rest) = self.labels.split_at(self.labels.len().min(1));
        model.iter().copied().chain(part.label()).chain(rest.iter().copied()).collect()
    }

    pub fn help_of(&self, part: Part) -> String {
        part.label().map_or_else(|| self.help.to_string(), |label| format!("Of one {label}: {}", self.help))
    }
}

/// The families as the `prometheus` crate wants them.
pub fn descriptions() -> &'static [Desc] {
    static DESCRIPTIONS: LazyLock<Vec<Desc>> = LazyLock::new(|| {
        let describe = |(family, part): (&Family, Part)| {
            let labels = family.labels_of(part).iter().map(ToString::to_string).collect();
            Desc::new(family.name_of(part), family.help_of(part), labels, HashMap::new())
                .expect("names and labels are legal")
        };
        let parts = |part| CATALOGUE.iter().filter(|family| family.is_divided()).map(move |family| (family, part));
        let all = CATALOGUE.iter().map(|family| (family, Part::All));
        all.chain(parts(Part::Version)).chain(parts(Part::Segment)).map(describe).collect()
    });
    &DESCRIPTIONS
}
