//! The history: what the latest evaluations found, as few small numbers, for the page's plots over time.
//!
//! A bounded ring a model: [`POINTS`] evaluations, which are an hour at one each 15 s. Of each window its quality, and of each
//! column the score, threshold and noise of its first test: 12 bytes. It knows `report` only; the evaluation's own time is its clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use crate::report::{ModelReport, Quality, WindowReport};

/// Evaluations kept of a model.
pub const POINTS: usize = 240;

#[derive(Debug, Default)]
pub struct History {
    models: BTreeMap<String, VecDeque<Point>>,
}

#[derive(Debug)]
struct Point {
    /// Seconds since 1970.
    at: f64,
    windows: Vec<Window>,
}

#[derive(Debug)]
struct Window {
    name: String,
    measured: Option<f64>,
    error: Option<f64>,
    estimated: Option<f64>,
    labelled: Option<f64>,
    drift: Option<f64>,
    /// One list for all points that have the same columns.
    columns: Arc<[String]>,
    /// Score, threshold, noise; NaN where there is none.
    scores: Vec<[f32; 3]>,
}

/// One window over time; all lists have one value a point, the oldest first. F1 (of a regression: MAE) as measured, its standard
/// error and its estimate (of accuracy where F1 has none); labelled rows and drifted features as shares, 0 to 1.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Past {
    /// Seconds since 1970.
    pub at: Vec<f64>,
    pub measured: Vec<Option<f64>>,
    pub error: Vec<Option<f64>>,
    pub estimated: Vec<Option<f64>>,
    pub labelled: Vec<Option<f64>>,
    pub drift: Vec<Option<f64>>,
    #[serde(flatten)]
    pub column: Option<Scores>,
}

/// One column over time, by its first test.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    pub score: Vec<Option<f32>>,
    pub threshold: Vec<Option<f32>>,
    pub noise: Vec<Option<f32>>,
}

impl History {
    /// Adds an evaluation; one without a time is none.
    pub fn add(&mut self, report: &ModelReport) {
        let Some(at) = report.evaluated_at else { return };
        let points = self.models.entry(report.model.clone()).or_default();
        let last = points.back().map_or(&[][..], |point| &point.windows);
        let windows = report.windows.iter().map(|window| Window::new(window, last)).collect();
        if points.len() == POINTS {
            points.pop_front();
        }
        points.push_back(Point { at: at.seconds(), windows });
    }

    /// Forgets the models that are not among these.
    pub fn retain(&mut self, models: &[String]) {
        self.models.retain(|name, _| models.contains(name));
    }

    /// `None`: there is no such model.
    pub fn past(&self, model: &str, window: &str, column: Option<&str>) -> Option<Past> {
        let mut past = Past { column: column.map(|_| Scores::default()), ..Past::default() };
        for point in self.models.get(model)? {
            let Some(found) = point.windows.iter().find(|found| found.name == window) else { continue };
            past.at.push(point.at);
            past.measured.push(found.measured);
            past.error.push(found.error);
            past.estimated.push(found.estimated);
            past.labelled.push(found.labelled);
            past.drift.push(found.drift);
            if let (Some(scores), Some(column)) = (&mut past.column, column) {
                let place = found.columns.iter().position(|name| name == column);
                let numbers = place.map_or([f32::NAN; 3], |place| found.scores[place]);
                let [score, threshold, noise] = numbers.map(|number| (!number.is_nan()).then_some(number));
                scores.score.push(score);
                scores.threshold.push(threshold);
                scores.noise.push(noise);
            }
        }
        Some(past)
    }
}

impl Window {
    /// `last`: the windows of the point before.
    fn new(report: &WindowReport, last: &[Window]) -> Window {
        let measure = |found: &Quality| found.f1.or(found.mean_absolute_error);
        let names = || report.columns.iter().map(|column| &column.column);
        let same = last.iter().map(|window| &window.columns).find(|columns| names().eq(columns.iter()));
        let scores = report.columns.iter().map(|column| match column.tests.first() {
            Some(test) => [Some(test.score), test.threshold, test.noise].map(|n| n.map_or(f32::NAN, |n| n as f32)),
            None => [f32::NAN; 3],
        });
        Window {
            name: report.window.clone(),
            measured: report.quality.as_ref().and_then(measure),
            error: report.quality.as_ref().and_then(|found| found.f1_standard_error),
            estimated: report
                .estimate
                .as_ref()
                .and_then(|found| found.f1.or(found.mean_absolute_error).or(found.accuracy)),
            labelled: report.labelled_rows.filter(|_| report.rows > 0).map(|rows| rows as f64 / report.rows as f64),
            drift: report.data_drift_score,
            columns: same.cloned().unwrap_or_else(|| names().cloned().collect()),
            scores: scores.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ColumnReport, Moment, TestReport};

    fn column(name: &str, score: f64) -> ColumnReport {
        let test = TestReport { method: "psi", score, threshold: Some(0.25), ..TestReport::default() };
        ColumnReport { column: name.to_string(), tests: vec![test], ..ColumnReport::default() }
    }

    fn evaluation(second: i64, columns: Vec<ColumnReport>) -> ModelReport {
        let quality = Some(Quality { f1: Some(second as f64 / 1000.0), ..Quality::default() });
        let window = WindowReport {
            window: "1h".to_string(),
            rows: 4,
            labelled_rows: Some(1),
            quality,
            columns,
            ..Default::default()
        };
        ModelReport {
            model: "m".to_string(),
            windows: vec![window],
            evaluated_at: Some(Moment(second * 1_000_000)),
            ..ModelReport::default()
        }
    }

    #[test]
    fn the_latest_evaluations_are_kept_the_oldest_first() {
        let mut history = History::default();
        (0..POINTS as i64 + 10).for_each(|second| history.add(&evaluation(second, vec![column("price", 0.5)])));
        let past = history.past("m", "1h", Some("price")).unwrap();
        assert_eq!((past.at.len(), past.at[0], past.at[POINTS - 1]), (POINTS, 10.0, 249.0));
        assert_eq!((past.measured[1], past.labelled[0], past.estimated[0]), (Some(0.011), Some(0.25), None));
        let scores = past.column.unwrap();
        assert_eq!((scores.score[0], scores.threshold[0], scores.noise[0]), (Some(0.5), Some(0.25), None));
        let columns = |point: &Point| point.windows[0].columns.clone();
        let points = &history.models["m"];
        assert!(Arc::ptr_eq(&columns(&points[0]), &columns(&points[POINTS - 1])), "the names are there once");
    }

    #[test]
    fn a_column_that_comes_later_has_gaps_before() {
        let mut history = History::default();
        history.add(&evaluation(1, vec![column("price", 0.5)]));
        history.add(&evaluation(2, vec![column("age", 0.75), column("price", 0.5)]));
        assert_eq!(history.past("m", "1h", Some("age")).unwrap().column.unwrap().score, [None, Some(0.75)]);
        assert_eq!(history.past("m", "24h", None).unwrap(), Past::default());
        assert_eq!(history.past("n", "1h", None), None);
    }

    #[test]
    fn models_that_are_gone_are_forgotten_and_what_was_not_evaluated_is_no_point() {
        let mut history = History::default();
        history.add(&ModelReport { evaluated_at: None, ..evaluation(1, Vec::new()) });
        assert_eq!(history.past("m", "1h", None), None);
        history.add(&evaluation(1, Vec::new()));
        history.retain(&["other".to_string()]);
        assert_eq!(history.past("m", "1h", None), None);
    }
}
