//! From a Report to metric families. Every number of the Report has its line here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use xxhash_rust::xxh3::xxh3_64;

use super::Process;
use super::catalogue::{Id, Kind, Part};
use crate::report::{
    ClassRows, ColumnReport, Estimate, LogReport, ModelReport, Quality, ReferenceReport, Report, Role, WindowReport,
};

/// Label values come from foreign data: longer ones are cut, with a hash that keeps two of them apart.
const LABEL_CHARS_MAX: usize = 128;

/// The log whose rows end the wait of predictions.
const OUTCOMES: &str = "outcomes";

/// A page that an id column taken for a prediction would fill helps nobody: so many classes have series of their own.
const CLASSES_MAX: usize = 1000;

/// Samples by family.
#[derive(Default)]
struct Samples<'a> {
    families: BTreeMap<(Part, Id), Vec<Metric>>,
    /// The part of the model that is told of, and its name.
    part: Part,
    name: Option<&'a str>,
}

impl<'a> Samples<'a> {
    fn add(&mut self, id: Id, labels: &[&str], value: f64) {
        let mut metric = self.labelled(id, labels);
        match id.family().kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            Kind::Gauge | Kind::Histogram => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.push(id, metric);
    }

    fn push(&mut self, id: Id, metric: Metric) {
        self.families.entry((self.part, id)).or_default().push(metric);
    }

    /// `values`: those of the family's labels; the part's name goes behind the model.
    fn labelled(&self, id: Id, values: &[&str]) -> Metric {
        let pair = |(name, value): (&str, &str)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_string());
            pair.set_value(bounded(value));
            pair
        };
        let (model, rest) = values.split_at(values.len().min(1));
        let values = model.iter().copied().chain(self.name).chain(rest.iter().copied());
        Metric::from_label(id.family().labels_of(self.part).into_iter().zip(values).map(pair).collect())
    }

    fn some(&mut self, id: Id, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(id, labels, value);
        }
    }

    fn histogram(&mut self, id: Id, labels: &[&str], histogram: &crate::report::Histogram) {
        let buckets = histogram.bounds.iter().zip(&histogram.cumulative).map(|(&bound, &count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound);
            bucket.set_cumulative_count(count);
            bucket
        });
        let mut proto = Histogram::default();
        proto.set_bucket(buckets.collect());
        proto.set_sample_count(histogram.cumulative.last().copied().unwrap_or(0));
        proto.set_sample_sum(histogram.sum);
        let mut metric = self.labelled(id, labels);
        metric.set_histogram(proto);
        self.push(id, metric);
    }
}

fn bounded(value: &str) -> String {
    match value.char_indices().nth(LABEL_CHARS_MAX) {
        None => value.to_string(),
        Some((cut, _)) => format!("{}…{:08x}", &value[..cut], xxh3_64(value.as_bytes()) as u32),
    }
}

/// Every family that has samples.
pub fn families(report: &Report, process: &Process) -> Vec<MetricFamily> {
    let mut samples = Samples::default();
    for report in &report.models {
        model(&mut samples, report);
    }
    samples.add(Id::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
    samples.some(Id::ReloadSuccessful, &[], process.reload_successful.map(flag));
    samples.some(Id::ReloadSuccessTimestamp, &[], process.reloaded_at.map(|at| at.seconds()));
    let family = |((part, id), metrics): ((Part, Id), Vec<Metric>)| {
        let about = id.family();
        let mut family = MetricFamily::default();
        family.set_name(about.name_of(part));
        family.set_help(about.help_of(part));
        family.set_field_type(match about.kind {
            Kind::Gauge => MetricType::GAUGE,
            Kind::Counter => MetricType::COUNTER,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(metrics);
        family
    };
    samples.families.into_iter().map(family).collect()
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn model<'a>(samples: &mut Samples<'a>, report: &'a ModelReport) {
    let model = report.model.as_str();
    samples.add(Id::ModelUp, &[model], flag(report.problems.is_empty()));
    samples.some(Id::LastEvaluation, &[model], report.evaluated_at.map(|at| at.seconds()));
    samples.some(Id::EvaluationDuration, &[model], report.evaluation_seconds);
    if let Some(reference) = &report.reference {
        samples.add(Id::ReferenceInfo, &[model, &reference.digest, reference.mode.name()], 1.0);
        samples.some(Id::ReferenceStart, &[model], reference.start.map(|start| start.seconds()));
        samples.some(Id::ReferenceEnd, &[model], reference.end.map(|end| end.seconds()));
    }
    compared(samples, model, report.reference.as_ref(), &report.windows);
    for (part, slices) in [(Part::Version, &report.versions), (Part::Segment, &report.segments)] {
        for slice in slices {
            if part == Part::Version {
                samples.add(Id::VersionInfo, &[model, &slice.name, &slice.reference.digest], 1.0);
            }
            (samples.part, samples.name) = (part, Some(slice.name.as_str()));
            compared(samples, model, Some(&slice.reference), &slice.windows);
            (samples.part, samples.name) = (Part::All, None);
        }
    }
    if report.logs.iter().any(|log| log.log == OUTCOMES) {
        samples.add(Id::PendingPredictions, &[model], report.pending_predictions as f64);
    }
    for (reason, count) in &report.pairing {
        samples.add(Id::Pairs, &[model, reason], *count as f64);
    }
    if let Some(delay) = &report.label_delay {
        samples.histogram(Id::LabelDelay, &[model], delay);
    }
    if let Some(main) = report.windows.first() {
        samples.add(Id::WindowMain, &[model, main.window.as_str()], 1.0);
    }
    if let Some(recent) = &report.recent {
        let labels = [model, recent.window.as_str()];
        samples.add(Id::LabelledRows, &labels, recent.labelled_rows as f64);
        recent.quality.iter().for_each(|found| quality(samples, labels, found));
    }
    report.logs.iter().for_each(|report| log(samples, model, report));
}

/// A reference, and the windows that are compared with it.
fn compared(samples: &mut Samples, model: &str, reference: Option<&ReferenceReport>, windows: &[WindowReport]) {
    if let Some(reference) = reference.filter(|reference| reference.rows > 0) {
        samples.add(Id::ReferenceRows, &[model], reference.rows as f64);
    }
    for (_, twin, value) in
        reference.and_then(|reference| reference.quality.as_ref()).map(numbers).into_iter().flatten()
    {
        if let Some(twin) = twin {
            samples.some(twin, &[model], value);
        }
    }
    if let Some(quality) = reference.and_then(|reference| reference.quality.as_ref()) {
        class_rows(samples, Id::ClassRowsReference, &[model], &quality.classes);
    }
    let first = windows.first().map_or(&[][..], |window| &window.columns);
    for column in first {
        let labels = [model, column.column.as_str()];
        samples.some(Id::MissingRatioReference, &labels, missing_told(column, column.missing_ratio_reference));
        samples.some(Id::UnseenRatioReference, &labels, column.unseen_ratio_reference);
        samples.some(Id::InfiniteRatioReference, &labels, column.infinite_ratio_reference);
        samples.some(Id::OutOfRangeRatioReference, &labels, column.out_of_range_ratio_reference);
    }
    windows.iter().for_each(|report| window(samples, model, report));
}

fn window(samples: &mut Samples, model: &str, report: &WindowReport) {
    let labels = [model, report.window.as_str()];
    samples.add(Id::WindowRows, &labels, report.rows as f64);
    samples.some(Id::LabelledRows, &labels, report.labelled_rows.map(|rows| rows as f64));
    samples.some(Id::WindowEnd, &labels, report.end.map(|end| end.seconds()));
    let ratio = report.labelled_rows.filter(|_| report.rows > 0).map(|labelled| labelled as f64 / report.rows as f64);
    samples.some(Id::LabelledRatio, &labels, ratio);
    samples.some(Id::DataDriftScore, &labels, report.data_drift_score);
    samples.some(Id::DataDriftDetected, &labels, report.data_drift_detected.map(flag));
    samples.some(Id::PredictionDriftScore, &labels, report.prediction_drift_score);
    samples.some(Id::PredictionDriftDetected, &labels, report.prediction_drift_detected.map(flag));
    if let Some(found) = &report.quality {
        quality(samples, labels, found);
    }
    for (id, value) in report.estimate.as_ref().map(estimated).into_iter().flatten() {
        samples.some(id, &labels, value);
    }
    samples.some(Id::EstimateError, &labels, report.estimate_error);
    for test in &report.multivariate {
        let labels = [model, report.window.as_str(), test.method];
        samples.add(Id::MultivariateScore, &labels, test.score);
        samples.some(Id::MultivariateThreshold, &labels, test.threshold);
        samples.some(Id::MultivariateNoise, &labels, test.noise);
        samples.add(Id::MultivariateDetected, &labels, flag(test.drifted));
    }
    report.columns.iter().for_each(|report| column(samples, labels, report));
}

/// Each number of a window's quality, and the family that it has of the reference.
fn numbers(quality: &Quality) -> [(Id, Option<Id>, Option<f64>); 14] {
    [
        (Id::F1, Some(Id::F1Reference), quality.f1),
        (Id::F1StandardError, Some(Id::F1StandardErrorReference), quality.f1_standard_error),
        (Id::Precision, Some(Id::PrecisionReference), quality.precision),
        (Id::Recall, Some(Id::RecallReference), quality.recall),
        (Id::Accuracy, Some(Id::AccuracyReference), quality.accuracy),
        (Id::Specificity, Some(Id::SpecificityReference), quality.specificity),
        (Id::RocAuc, Some(Id::RocAucReference), quality.roc_auc),
        (Id::LogLoss, Some(Id::LogLossReference), quality.log_loss),
        (Id::BrierScore, Some(Id::BrierScoreReference), quality.brier),
        (Id::MeanError, None, quality.mean_error),
        (Id::MeanAbsoluteError, Some(Id::MeanAbsoluteErrorReference), quality.mean_absolute_error),
        (Id::RootMeanSquaredError, Some(Id::RootMeanSquaredErrorReference), quality.root_mean_squared_error),
        (Id::MeanAbsolutePercentageError, None, quality.mean_absolute_percentage_error),
        (Id::R2, Some(Id::R2Reference), quality.r2),
    ]
}

fn estimated(estimate: &Estimate) -> [(Id, Option<f64>); 7] {
    [
        (Id::F1Estimated, estimate.f1),
        (Id::F1EstimatedStandardError, estimate.f1_standard_error),
        (Id::PrecisionEstimated, estimate.precision),
        (Id::RecallEstimated, estimate.recall),
        (Id::AccuracyEstimated, estimate.accuracy),
        (Id::MeanAbsoluteErrorEstimated, estimate.mean_absolute_error),
        (Id::RootMeanSquaredErrorEstimated, estimate.root_mean_squared_error),
    ]
}

fn quality(samples: &mut Samples, [model, window]: [&str; 2], quality: &Quality) {
    for (id, _, value) in numbers(quality) {
        samples.some(id, &[model, window], value);
    }
    class_rows(samples, Id::ClassRows, &[model, window], &quality.classes);
}

/// `labels`: those before the class.
fn class_rows(samples: &mut Samples, id: Id, labels: &[&str], classes: &[ClassRows]) {
    for class in bounded_classes(classes).iter() {
        let results = [
            ("true_positive", class.true_positive),
            ("false_positive", class.false_positive),
            ("false_negative", class.false_negative),
        ];
        for (result, rows) in results {
            samples.add(id, &[labels, &[&class.class, result]].concat(), rows as f64);
        }
    }
}

/// The classes with the most rows; the others as one, `other`.
fn bounded_classes(classes: &[ClassRows]) -> Cow<'_, [ClassRows]> {
    if classes.len() <= CLASSES_MAX {
        return Cow::Borrowed(classes);
    }
    let rows = |class: &ClassRows| class.true_positive + class.false_positive + class.false_negative;
    let mut sorted = classes.to_vec();
    sorted.sort_by(|a, b| rows(b).cmp(&rows(a)).then_with(|| a.class.cmp(&b.class)));
    let rest = sorted.split_off(CLASSES_MAX);
    sorted.push(ClassRows {
        class: "other".to_string(),
        true_positive: rest.iter().map(|class| class.true_positive).sum(),
        false_positive: rest.iter().map(|class| class.false_positive).sum(),
        false_negative: rest.iter().map(|class| class.false_negative).sum(),
    });
    Cow::Owned(sorted)
}

/// A text that is missing is missing once, and not again in each of the numbers that describe it.
fn missing_told(column: &ColumnReport, ratio: Option<f64>) -> Option<f64> {
    ratio.filter(|_| column.role != Role::Descriptor)
}

fn column(samples: &mut Samples, [model, window]: [&str; 2], report: &ColumnReport) {
    let labels = [model, window, report.column.as_str()];
    samples.some(Id::DriftDetected, &labels, report.drifted.map(flag));
    samples.some(Id::MissingRatio, &labels, missing_told(report, report.missing_ratio));
    samples.some(Id::UnseenRatio, &labels, report.unseen_ratio);
    samples.some(Id::InfiniteRatio, &labels, report.infinite_ratio);
    samples.some(Id::OutOfRangeRatio, &labels, report.out_of_range_ratio);
    for test in &report.tests {
        let labels = [model, window, report.column.as_str(), test.method];
        samples.add(Id::DriftScore, &labels, test.score);
        samples.some(Id::DriftThreshold, &labels, test.threshold);
        samples.some(Id::DriftNoise, &labels, test.noise);
        samples.some(Id::DriftPValue, &labels, test.p_value);
    }
}

fn log(samples: &mut Samples, model: &str, report: &LogReport) {
    let name = report.log;
    samples.add(Id::RowsRead, &[model, name], report.rows_read as f64);
    samples.some(Id::LastEvent, &[model, name], report.last_event.map(|at| at.seconds()));
    for (id, counts) in
        [(Id::RowsDropped, &report.rows_dropped), (Id::Files, &report.files), (Id::FilesFailed, &report.files_failed)]
    {
        for (label, count) in counts {
            samples.add(id, &[model, name, label], *count as f64);
        }
    }
    for (column, reasons) in &report.column_problems {
        for (reason, files) in reasons {
            samples.add(Id::ColumnProblems, &[model, name, column, reason], *files as f64);
        }
    }
}
