//! Estimates of a model's quality without labels, from what the reference taught.
//!
//! - Binary: the calibrated score p of a row says how probably it is of the positive class: its part of an expected confusion table.
//! - Multiclass with probabilities: each class's own, calibrated against the rest, then brought to a sum of 1 (all alike where all are 0).
//! - Multiclass with the top score alone: the calibrated chance that the prediction is right; it gives the accuracy and nothing else.
//! - Regression: the absolute and the squared error that the row's features and prediction make probable.
//!
//! All of it holds as long as the truth follows from scores and features as it did in the reference. Where that has changed
//! (concept drift), an estimate says what it said before.
//!
//! An [`Estimator`] is immutable; it reads a batch at once, and the rows that are kept go to an [`Expected`], which merges by addition.
//! Source: NannyML's CBPE and DLE. This file knows batches and codes of classes; no pane, no window and no settings.

pub mod losses;

use std::collections::HashMap;

use arrow::array::AsArray;

use crate::batch::{Column, Form, Wanted, canonical, vector};
use crate::report::Estimate;
use crate::stats::calibration::Calibrator;
use crate::stats::expected::ExpectedTable;
use crate::stats::f1::Average;
use losses::{Code, Losses};

/// Classes with a probability each; a table has so many times so many cells.
pub const CLASSES_MAX: usize = 200;

/// Probabilities that calibrators learn from, all classes together.
const PROBABILITIES_MAX: usize = 5_000_000;

/// No class of the estimator's, or a missing prediction.
const NO_PLACE: u16 = u16::MAX;

/// What estimates the quality of rows without labels.
#[derive(Debug)]
pub struct Estimator {
    inputs: Vec<Wanted>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Binary { positive: String, calibrator: Calibrator, average: Average },
    Classes { places: HashMap<String, u16>, calibrators: Vec<Calibrator>, average: Average, positive: u32 },
    Right(Calibrator),
    Losses { codes: Vec<Code>, losses: Losses },
}

/// What a batch tells, row by row.
#[derive(Debug)]
pub struct Reading {
    /// So many numbers a row; NaN is the first of a row that tells nothing.
    width: usize,
    numbers: Vec<f64>,
    /// The places of the predicted classes among the estimator's; empty where they do not matter.
    places: Vec<u16>,
}

/// What is expected of rows.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Expected {
    Table(ExpectedTable),
    /// How many of the predictions are right.
    Right {
        rows: u64,
        right: f64,
    },
    /// Sums of absolute and squared errors.
    Losses {
        rows: u64,
        sums: [f64; 2],
    },
}

impl Estimator {
    /// `score`: the column of the requests with the probability of the positive class. `rows`: of the reference, the score and whether the row
    /// is of that class; those whose score is no probability are left out.
    pub fn binary(score: &str, positive: &str, average: Average, rows: &[(f64, bool)]) -> Estimator {
        let calibrator = calibrator(rows.iter().copied());
        let positive = canonical(positive).into_owned();
        Estimator { inputs: vec![number(score)], kind: Kind::Binary { positive, calibrator, average } }
    }

    /// `score`: the column with the probability of the predicted class. `rows`: the score, and whether the prediction was right.
    pub fn right(score: &str, rows: &[(f64, bool)]) -> Estimator {
        Estimator { inputs: vec![number(score)], kind: Kind::Right(calibrator(rows.iter().copied())) }
    }

    /// `probabilities`: the column of lists with one for each of `classes`, in that order. `rows`: lists of the reference, one after the
    /// other, each with the place of its true class. `positive`: the place that `Average::Binary` is about.
    pub fn classes(
        probabilities: &str,
        classes: &[String],
        (average, positive): (Average, u32),
        (lists, truth): (&[f32], &[u16]),
    ) -> Estimator {
        let step = lists.len().div_ceil(PROBABILITIES_MAX).max(1);
        let of_class = |class: usize| {
            let rows = lists.chunks_exact(classes.len().max(1)).zip(truth).step_by(step);
            calibrator(rows.map(|(list, truth)| (f64::from(list[class]), usize::from(*truth) == class)))
        };
        let places = classes.iter().zip(0..).map(|(name, place)| (canonical(name).into_owned(), place)).collect();
        let calibrators = (0..classes.len()).map(of_class).collect();
        let wanted = Wanted { name: probabilities.to_string(), form: Form::Vector };
        Estimator { inputs: vec![wanted], kind: Kind::Classes { places, calibrators, average, positive } }
    }

    /// `features`: columns of the requests and how they become numbers; what `losses` learnt from, and then the prediction.
    pub fn losses(features: Vec<(String, Code)>, losses: Losses) -> Estimator {
        let wanted = |(name, code): &(String, Code)| match code {
            Code::Number => number(name),
            Code::Category(_) => Wanted { name: name.clone(), form: Form::Key },
        };
        let inputs = features.iter().map(wanted).collect();
        Estimator { inputs, kind: Kind::Losses { codes: features.into_iter().map(|(_, code)| code).collect(), losses } }
    }

    /// The columns of the requests that it reads beside the prediction.
    pub fn inputs(&self) -> &[Wanted] {
        &self.inputs
    }

    /// What it estimates, and from what, in words.
    pub fn about(&self) -> String {
        let first = self.inputs.first().map_or("", |input| &input.name);
        match &self.kind {
            Kind::Binary { .. } | Kind::Classes { .. } => format!("F1 before the labels are there, from `{first}`"),
            Kind::Right(_) => format!("accuracy before the labels are there, from `{first}`"),
            Kind::Losses { .. } => "MAE and RMSE before the labels are there, from the features".to_string(),
        }
    }

    /// Nothing expected yet.
    pub fn nothing(&self) -> Expected {
        match &self.kind {
            Kind::Binary { .. } | Kind::Classes { .. } => Expected::Table(ExpectedTable::default()),
            Kind::Right(_) => Expected::Right { rows: 0, right: 0.0 },
            Kind::Losses { .. } => Expected::Losses { rows: 0, sums: [0.0; 2] },
        }
    }

    /// `inputs`: as [`Estimator::inputs`] has them; each column has `rows` rows.
    pub fn read(&self, prediction: &Column, inputs: &[&Column], rows: usize) -> Reading {
        match &self.kind {
            Kind::Binary { positive, calibrator, .. } => {
                let places = places(prediction, rows, |text| u16::from(text == positive));
                Reading { width: 1, numbers: chances(calibrator, inputs[0], rows), places }
            }
            Kind::Right(calibrator) => {
                let places = places(prediction, rows, |_| 0);
                Reading { width: 1, numbers: chances(calibrator, inputs[0], rows), places }
            }
            Kind::Classes { places: known, calibrators, .. } => {
                let place = |text: &str| known.get(text).copied().unwrap_or(NO_PLACE);
                let places = places(prediction, rows, place);
                Reading { width: calibrators.len(), numbers: lists(calibrators, inputs[0], rows), places }
            }
            Kind::Losses { codes, losses } => {
                let mut values = Vec::with_capacity((codes.len() + 1) * rows);
                codes.iter().zip(inputs).for_each(|(code, column)| code.extend(column, rows, &mut values));
                Code::Number.extend(prediction, rows, &mut values);
                let mut numbers = losses.of(&values, rows).into_flattened();
                let predicted = &values[codes.len() * rows..];
                predicted.iter().enumerate().filter(|(_, p)| p.is_nan()).for_each(|(row, p)| numbers[2 * row] = *p);
                Reading { width: 2, numbers, places: Vec::new() }
            }
        }
    }

    /// `None` without rows.
    pub fn estimate(&self, expected: &Expected) -> Option<Estimate> {
        match (expected, &self.kind) {
            (Expected::Table(table), kind) => {
                let scores = match kind {
                    Kind::Binary { average, .. } => table.scores(*average, 1),
                    Kind::Classes { average, positive, .. } => table.scores(*average, *positive),
                    _ => None,
                }?;
                Some(Estimate {
                    rows: table.rows(),
                    f1: Some(scores.f1),
                    f1_standard_error: Some(scores.f1_standard_error),
                    precision: Some(scores.precision),
                    recall: Some(scores.recall),
                    accuracy: Some(scores.accuracy),
                    ..Estimate::default()
                })
            }
            (&Expected::Right { rows, right }, _) if rows > 0 => {
                Some(Estimate { rows, accuracy: Some(right / rows as f64), ..Estimate::default() })
            }
            (&Expected::Losses { rows, sums: [absolute, squared] }, _) if rows > 0 => Some(Estimate {
                rows,
                mean_absolute_error: Some(absolute / rows as f64),
                root_mean_squared_error: Some((squared / rows as f64).sqrt()),
                ..Estimate::default()
            }),
            _ => None,
        }
    }
}

impl Reading {
    /// Adds a row, where it tells something.
    pub fn add(&self, row: usize, expected: &mut Expected) {
        let numbers = &self.numbers[row * self.width..(row + 1) * self.width];
        let place = self.places.get(row).copied().unwrap_or(0);
        let Some(&first) = numbers.first().filter(|first| !first.is_nan() && place != NO_PLACE) else {
            return;
        };
        match expected {
            Expected::Table(table) if self.width == 1 => table.add(place.into(), [1.0 - first, first].into_iter()),
            Expected::Table(table) => table.add(place.into(), numbers.iter().copied()),
            Expected::Right { rows, right } => {
                *rows += 1;
                *right += first;
            }
            Expected::Losses { rows, sums } => {
                *rows += 1;
                sums.iter_mut().zip(numbers).for_each(|(sum, loss)| *sum += loss);
            }
        }
    }
}

impl Expected {
    pub fn merge(&mut self, other: &Expected) {
        match (self, other) {
            (Expected::Table(table), Expected::Table(more)) => table.merge(more),
            (Expected::Right { rows, right }, Expected::Right { rows: more, right: more_right }) => {
                *rows += more;
                *right += more_right;
            }
            (Expected::Losses { rows, sums }, Expected::Losses { rows: more, sums: more_sums }) => {
                *rows += more;
                sums.iter_mut().zip(more_sums).for_each(|(sum, more)| *sum += more);
            }
            _ => unreachable!("a model has one estimator"),
        }
    }
}

fn number(name: &str) -> Wanted {
    Wanted { name: name.to_string(), form: Form::Number }
}

fn calibrator(rows: impl Iterator<Item = (f64, bool)>) -> Calibrator {
    Calibrator::new(rows.filter(|(score, _)| is_probability(*score)).collect())
}

pub fn is_probability(score: f64) -> bool {
    (0.0..=1.0).contains(&score)
}

/// The calibrated score of each row; NaN where there is none.
fn chances(calibrator: &Calibrator, scores: &Column, rows: usize) -> Vec<f64> {
    let Column::Numbers(scores) = scores else {
        return vec![f64::NAN; rows];
    };
    let of = |score: f64| if is_probability(score) { calibrator.at(score) } else { f64::NAN };
    scores.iter().map(|score| score.map_or(f64::NAN, of)).collect()
}

/// The calibrated probabilities of each row, with a sum of 1; NaN where it has none.
fn lists(calibrators: &[Calibrator], column: &Column, rows: usize) -> Vec<f64> {
    let width = calibrators.len();
    let mut numbers = vec![f64::NAN; rows * width];
    let Column::Vectors(lists) = column else {
        return numbers;
    };
    for (row, out) in numbers.chunks_exact_mut(width).enumerate() {
        let Some(list) = probabilities(vector(lists, row), width) else {
            continue;
        };
        let calibrated = list.iter().zip(calibrators).map(|(p, calibrator)| calibrator.at(f64::from(*p)));
        out.iter_mut().zip(calibrated).for_each(|(out, p)| *out = p);
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { 1.0 / width as f64 });
    }
    numbers
}

/// A list with a probability for each class.
pub fn probabilities(list: Option<&[f32]>, classes: usize) -> Option<&[f32]> {
    list.filter(|list| list.len() == classes && list.iter().all(|p| is_probability(f64::from(*p))))
}

/// The place of the predicted class of each row; `NO_PLACE` where there is none.
fn places(prediction: &Column, rows: usize, place: impl Fn(&str) -> u16) -> Vec<u16> {
    let Column::Keys(keys) = prediction else {
        return vec![NO_PLACE; rows];
    };
    let texts = keys.values().as_string::<i32>();
    let known: Vec<u16> = texts.iter().map(|text| text.map_or(NO_PLACE, |text| place(&canonical(text)))).collect();
    keys.keys().iter().map(|key| key.map_or(NO_PLACE, |key| known[key as usize])).collect()
}

#[cfg(test)]
mod tests;
