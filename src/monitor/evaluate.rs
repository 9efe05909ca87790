//! The evaluation: panes summed up into windows, each column tested against the reference, verdicts drawn.

use std::collections::BTreeMap;

use super::distribution::distribution;
use super::divided::Segmented;
use super::settle::Pair;
use super::slice::{Slice, book, nothing};
use super::{DELAY_BOUNDS, Monitor, Pairing, SECOND, sampled};
use crate::pane::{Pane, Truth};
use crate::profile::{Profile, Scratch};
use crate::reference::{Compared, Reference, Side};
use crate::report::{
    ColumnReport, Estimate, Histogram, ModelReport, Moment, Quality, RecentReport, ReferenceReport, Role, SliceReport,
    Summary, TestReport, WindowReport,
};
use crate::settings::{Definition, Drift, Settings};
use crate::stats::definition::decided;
use crate::stats::noise::{Levels, Null};
use crate::stats::{Moments, Undefined};
use crate::verdict::{self, Missing};
use crate::window::Summed;

impl Monitor {
    /// What the rows so far come to. What came in and what did not (`logs`) is the worker's to add.
    pub fn report(&mut self) -> ModelReport {
        ModelReport {
            model: self.settings.name.clone(),
            reference: Some(reference_report(&self.main.reference)),
            windows: self.main.windows(&self.settings, &self.truth),
            recent: self.recent_report(),
            versions: self.versions(),
            segments: self.segments(),
            pairing: self.counts.pairing.clone(),
            pending_predictions: match &self.truth {
                Pairing::Off | Pairing::Rows(_) => 0,
                Pairing::Classes { pairs, .. } => pairs.pending() as u64,
                Pairing::Values { pairs } => pairs.pending() as u64,
            },
            label_delay: self.label_delay(),
            ..ModelReport::default()
        }
    }

    fn recent_report(&self) -> Option<RecentReport> {
        let (recent, most) = (self.recent.as_ref()?, self.settings.f1_window?);
        let mut truth = nothing(self.main.reference.plan.task);
        recent.entries().for_each(|pair| book(&mut truth, &Pair { old: None, ..*pair }, self.positive));
        let labelled_rows = recent.len() as u64;
        let enough = labelled_rows >= self.settings.rows_min.max(1);
        Some(RecentReport {
            window: format!("{most}_labelled"),
            labelled_rows,
            oldest: recent.oldest().map(|seconds| Moment(i64::from(seconds) * SECOND)),
            quality: enough.then(|| quality(&self.truth, &truth, &self.main.reference, &self.settings)).flatten(),
        })
    }

    /// Each version that some window has rows of.
    fn versions(&mut self) -> Vec<SliceReport> {
        let Monitor { divided, settings, truth, .. } = self;
        let versions = divided.iter_mut().flat_map(|divided| divided.versions.values_mut());
        let mut found: Vec<SliceReport> =
            versions.map(|version| slice_report(&version.name, &mut version.slice, 1, settings, truth)).collect();
        found.retain(|version| !version.windows.is_empty());
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Each segment that some window has `rows_min` rows of.
    fn segments(&mut self) -> Vec<SliceReport> {
        let Monitor { divided, settings, truth, .. } = self;
        let segmented = divided.iter_mut().flat_map(|divided| &mut divided.segmented);
        let mut found = Vec::new();
        for Segmented { segmentation, slices } in segmented {
            let mut of_this: Vec<SliceReport> = std::iter::zip(&segmentation.segments, slices)
                .map(|(segment, slice)| slice_report(&segment.name, slice, settings.rows_min, settings, truth))
                .collect();
            of_this.retain(|segment| !segment.windows.is_empty());
            of_this.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            found.append(&mut of_this);
        }
        found
    }

    fn label_delay(&self) -> Option<Histogram> {
        self.settings.outcomes.as_ref()?.timestamp.as_ref()?;
        let sum_up = |total: &mut u64, count: &u64| {
            *total += count;
            Some(*total)
        };
        Some(Histogram {
            bounds: DELAY_BOUNDS.to_vec(),
            cumulative: self.counts.delays.iter().scan(0, sum_up).collect(),
            sum: self.counts.delay_sum,
        })
    }
}

/// Of the windows with at least `rows_min` rows.
fn slice_report(name: &str, slice: &mut Slice, rows_min: u64, settings: &Settings, truth: &Pairing) -> SliceReport {
    let mut windows = slice.windows(settings, truth);
    windows.retain(|window| window.rows >= rows_min);
    SliceReport { name: name.to_string(), reference: reference_report(&slice.reference), windows }
}

fn reference_report(reference: &Reference) -> ReferenceReport {
    ReferenceReport {
        rows: reference.rows,
        digest: reference.digest.clone(),
        quality: reference.quality.clone(),
        ignored_columns: reference.plan.ignored.clone(),
        ..ReferenceReport::default()
    }
}

impl Slice {
    /// Every window, in the order of the config.
    pub(super) fn windows(&mut self, settings: &Settings, truth: &Pairing) -> Vec<WindowReport> {
        let Slice { reference, windows, levels, scratch, .. } = self;
        let columns = &reference.columns;
        let mut found: Vec<(usize, WindowReport)> = Vec::new();
        for summed in windows.sums(columns) {
            let rank = summed.rank;
            let reports = if summed.pane.rows >= settings.rows_min {
                tested_columns(reference, &summed.pane, settings.drift.definition, levels, scratch)
            } else {
                let reason =
                    format!("{} rows in the window, fewer than rows_min ({})", summed.pane.rows, settings.rows_min);
                let columns = columns.iter().zip(&summed.pane.columns);
                columns.map(|(column, profile)| untested(column, profile, reason.clone())).collect()
            };
            let labelled_rows = match truth {
                Pairing::Off => None,
                Pairing::Rows(_) => Some(summed.pane.truth.rows()).filter(|rows| *rows > 0),
                Pairing::Classes { .. } | Pairing::Values { .. } => Some(summed.pane.truth.rows()),
            };
            let quality = labelled_rows
                .filter(|rows| *rows >= settings.rows_min.max(1))
                .and_then(|_| quality(truth, &summed.pane.truth, reference, settings));
            let (estimate, estimate_error) = estimates(truth, &summed, reference, settings);
            let (multivariate, multivariate_undefined) = match summed.pane.rows >= settings.rows_min {
                true => sampled::multivariate(settings, reference, &summed.pane),
                false => Default::default(),
            };
            let report = window_report(summed, reports, labelled_rows, quality, &settings.drift);
            found.push((
                rank,
                WindowReport { estimate, estimate_error, multivariate, multivariate_undefined, ..report },
            ));
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, window)| window).collect()
    }
}

fn quality(pairing: &Pairing, truth: &Truth, reference: &Reference, settings: &Settings) -> Option<Quality> {
    match (pairing, truth) {
        (Pairing::Classes { labels, .. } | Pairing::Rows(labels), Truth::Classes(cells, scored)) => {
            let quality = labels.quality(cells, reference.plan.average?, settings.positive_label.as_deref())?;
            let scores = scored.finish().filter(|scores| scores.rows >= settings.rows_min);
            Some(crate::label::with_scores(quality, scores))
        }
        (Pairing::Values { .. } | Pairing::Rows(_), Truth::Values(errors)) => crate::label::regression_quality(errors),
        _ => None,
    }
}

/// The estimate of a window, and how wrong it was where the labels are there.
fn estimates(
    pairing: &Pairing,
    summed: &Summed,
    reference: &Reference,
    settings: &Settings,
) -> (Option<Estimate>, Option<f64>) {
    let Some(estimator) = &reference.estimator else {
        return (None, None);
    };
    let enough = |rows: &u64| *rows >= settings.rows_min.max(1);
    let estimate = summed.pane.expected.as_ref().and_then(|expected| estimator.estimate(expected));
    let settled = summed.settled.as_ref().filter(|settled| enough(&settled.rows));
    let error = settled.and_then(|settled| {
        let expected = estimator.estimate(&settled.expected)?;
        let came = quality(pairing, &settled.truth, reference, settings)?;
        let f1 = expected.f1.zip(came.f1);
        f1.or(expected.mean_absolute_error.zip(came.mean_absolute_error)).map(|(expected, came)| expected - came)
    });
    (estimate.filter(|estimate| enough(&estimate.rows)), error)
}

fn window_report(
    summed: Summed,
    columns: Vec<ColumnReport>,
    labelled_rows: Option<u64>,
    quality: Option<Quality>,
    drift: &Drift,
) -> WindowReport {
    let of = |role: Role| columns.iter().filter(move |column| column.role == role);
    // Evidently counts the prediction as a column like any other.
    let all = drift.definition == Definition::Evidently;
    let counted = || columns.iter().filter(move |column| all || column.role == Role::Feature);
    let tested = counted().filter(|column| column.drifted.is_some()).count();
    let drifted = counted().filter(|column| column.drifted == Some(true)).count();
    let noun = if all { "column" } else { "feature" };
    let (data_drift_score, data_drift_detected, data_drift_reason) =
        verdict::dataset(drifted, tested, noun, drift.share);
    let prediction = of(Role::Prediction).next();
    WindowReport {
        window: summed.name,
        start: summed.span.map(|(start, _)| Moment(start)),
        end: summed.span.map(|(_, end)| Moment(end)),
        rows: summed.pane.rows,
        labelled_rows,
        quality,
        data_drift_score,
        data_drift_detected,
        data_drift_reason,
        prediction_drift_score: prediction.and_then(|column| column.tests.first()).map(|test| test.score),
        prediction_drift_detected: prediction.and_then(|column| column.drifted),
        columns,
        ..WindowReport::default()
    }
}

fn untested(column: &Compared, profile: &Profile, reason: String) -> ColumnReport {
    let reference = reference_missing(column);
    ColumnReport {
        column: column.name.clone(),
        kind: column.kind,
        role: column.role,
        reference_rows: reference.rows,
        current_rows: profile.rows(),
        missing_ratio_reference: reference.ratio(),
        reason,
        distribution: distribution(&column.side, profile),
        ..ColumnReport::default()
    }
}

/// Every column tested, then judged: a p-value's verdict depends on those of the other columns. Other tools judge each column
/// alone, and do not look at missing values.
fn tested_columns(
    reference: &Reference,
    pane: &Pane,
    definition: Definition,
    levels: &mut [(Levels, Levels)],
    scratch: &mut Scratch,
) -> Vec<ColumnReport> {
    let (columns, profiles) = (&reference.columns, &pane.columns);
    let each = columns.iter().zip(profiles).zip(levels.iter_mut());
    let mut reports: Vec<ColumnReport> = each
        .map(|((column, profile), levels)| {
            let tests = match column.side {
                Side::Texts(_) | Side::Vectors { .. } => sampled::tests(column, reference, pane, &mut levels.0),
                _ => tests(column, profile, &mut levels.0, scratch),
            };
            tested_column(column, profile, tests)
        })
        .collect();
    let robust = definition == Definition::Robust;
    let tests = reports.iter_mut().flat_map(|report| &mut report.tests);
    if robust {
        verdict::adjust(tests)
    } else {
        verdict::decide(tests)
    }
    for ((report, (column, profile)), levels) in reports.iter_mut().zip(columns.iter().zip(profiles)).zip(levels) {
        let (reference, current) = (reference_missing(column), current_missing(profile));
        // Where a text is missing, that is told of the text.
        let asked = robust && column.role != Role::Descriptor;
        let missing = if asked { verdict::missing(reference, current, &mut levels.1) } else { None };
        let ratios = (reference.ratio(), current.ratio());
        (report.drifted, report.reason) = verdict::judge(&report.tests, missing.as_ref(), ratios, &report.undefined);
    }
    reports
}

/// The column's numbers and tests; its verdict is open.
fn tested_column(
    column: &Compared,
    profile: &Profile,
    (tests, undefined): (Vec<TestReport>, Undefineds),
) -> ColumnReport {
    let (reference, current) = (reference_missing(column), current_missing(profile));
    let present = current.rows - current.missing;
    let mut report =
        ColumnReport { missing_ratio: current.ratio(), tests, undefined, ..untested(column, profile, String::new()) };
    let share = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
    match (&column.side, profile) {
        (Side::Numbers(side), Profile::Numbers(numbers)) => {
            report.out_of_range_ratio = share(numbers.out_of_range + numbers.below + numbers.above, present);
            report.infinite_ratio = share(numbers.below + numbers.above, present);
            let infinite = side.profile().below + side.profile().above;
            report.infinite_ratio_reference = share(infinite, reference.rows - reference.missing);
            report.out_of_range_ratio_reference = report.infinite_ratio_reference;
            report.summary = summary(&numbers.moments);
            report.summary_reference = summary(&side.profile().moments);
        }
        (Side::Categories { profile: side, .. }, Profile::Categories(categories)) => {
            report.unseen_ratio = share(categories.unseen, present);
            report.unseen_ratio_reference = share(side.once(), reference.rows - reference.missing);
        }
        _ => {}
    }
    report
}

fn summary(moments: &Moments) -> Option<Summary> {
    (moments.count > 0).then(|| Summary { mean: moments.mean, standard_deviation: moments.std() })
}

fn current_missing(profile: &Profile) -> Missing {
    Missing { rows: profile.rows(), missing: profile.missing() }
}

fn reference_missing(column: &Compared) -> Missing {
    match &column.side {
        Side::Numbers(side) => Missing { rows: side.profile().rows, missing: side.profile().missing },
        Side::Categories { profile, .. } => Missing { rows: profile.rows, missing: profile.missing },
        Side::Texts(presence) | Side::Vectors { presence, .. } => {
            Missing { rows: presence.rows, missing: presence.missing }
        }
    }
}

type Undefineds = BTreeMap<&'static str, Undefined>;

fn tests(
    column: &Compared,
    profile: &Profile,
    levels: &mut Levels,
    scratch: &mut Scratch,
) -> (Vec<TestReport>, Undefineds) {
    let rows = profile.rows();
    let present = rows - profile.missing();
    let (mut made, mut undefined) = (Vec::new(), BTreeMap::new());
    let Some(sides) = column.side.beside(profile, scratch) else {
        return (made, undefined);
    };
    let points = match &column.side {
        Side::Numbers(side) => Some(side.points()),
        _ => None,
    };
    let moments = sides.moments.map_or(Moments::default(), |[reference, _]| reference);
    let null = Null { bins: sides.bins.reference, points, moments, rows, point_rows: present };
    for test in &column.tests {
        let (method, limit) = decided(test.method, test.limit(rows), &sides);
        match verdict::test(method, limit, &sides, &null, levels) {
            Ok(found) => made.push(found),
            Err(why) => drop(undefined.insert(method.name, why)),
        }
    }
    (made, undefined)
}
