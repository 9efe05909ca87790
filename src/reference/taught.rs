//! What the reference teaches an estimator: rows with predictions, labels, and the scores or features beside them.
//!
//! Rows are taken while they are read, every so many-th, so that there are at most [`ROWS_MAX`]. This file decides which kind
//! of estimator there is, or says in words why there is none.

use std::collections::HashMap;

use arrow::array::Array;

use super::gathered::{Gathered, KeyOrder};
use super::{Compared, Side};
use crate::batch::{Column, Field, Form, Wanted, canonical, vector};
use crate::estimate::losses::{Code, Losses};
use crate::estimate::{CLASSES_MAX, Estimator};
use crate::label::Labels;
use crate::report::Role;
use crate::settings::{Average, Settings, Task};

/// Rows that an estimator learns from: more make it no better, only slower.
const ROWS_MAX: u64 = 100_000;

/// Numbers that losses are learnt from, all columns together.
const NUMBERS_MAX: u64 = 5_000_000;

/// Scores and probabilities beside predictions and labels.
#[derive(Debug)]
pub struct Taught {
    /// Names of the columns, where the reference has them.
    score: Option<String>,
    probabilities: Option<String>,
    /// Every so many-th row is taken.
    step: u64,
    seen: u64,
    /// Score, and codes of predicted and true class.
    scores: Vec<(f64, u16, u16)>,
    /// Lists one after the other, all of the first one's length, and the code of each row's true class.
    lists: Vec<f32>,
    list: Option<usize>,
    truth: Vec<u16>,
}

impl Taught {
    pub fn new(settings: &Settings, fields: &[Field], rows_expected: u64, classification: bool) -> Taught {
        let find = |name: &Option<String>| {
            name.clone().filter(|name| classification && fields.iter().any(|field| field.name == *name))
        };
        Taught {
            score: find(&settings.reference.score),
            probabilities: find(&settings.reference.probabilities),
            step: rows_expected.div_ceil(ROWS_MAX).max(1),
            seen: 0,
            scores: Vec::new(),
            lists: Vec::new(),
            list: None,
            truth: Vec::new(),
        }
    }

    /// Its columns of each batch, in the order in which they stand behind the others.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted> {
        let wanted = |name: &String, form| Wanted { name: name.clone(), form };
        let score = self.score.iter().map(move |name| wanted(name, Form::Number));
        score.chain(self.probabilities.iter().map(move |name| wanted(name, Form::Vector)))
    }

    /// The scores among its columns of a batch.
    pub fn scores_of<'a>(&self, own: &'a [Column]) -> Option<&'a Column> {
        own.first().filter(|_| self.score.is_some())
    }

    pub fn ingest(&mut self, own: &[Column], predicted: &[Option<u16>], actual: &[Option<u16>]) {
        let (scores, lists) = own.split_at(usize::from(self.score.is_some()).min(own.len()));
        for (row, both) in predicted.iter().zip(actual).enumerate() {
            self.seen += 1;
            let (&Some(predicted), &Some(actual), true) = (both.0, both.1, self.seen.is_multiple_of(self.step)) else {
                continue;
            };
            if let Some(Column::Numbers(scores)) = scores.first()
                && scores.is_valid(row)
            {
                self.scores.push((scores.value(row), predicted, actual));
            }
            if let Some(Column::Vectors(lists)) = lists.first()
                && let Some(list) = vector(lists, row)
                && list.len() <= CLASSES_MAX
                && *self.list.get_or_insert(list.len()) == list.len()
            {
                self.lists.extend_from_slice(list);
                self.truth.push(actual);
            }
        }
    }

    /// The estimator of a classification. `Err`: why there is none although the config names what it needs.
    pub fn classification(
        self,
        settings: &Settings,
        (task, average): (Task, Average),
        labels: &Labels,
        labelled: bool,
    ) -> Result<Option<Estimator>, String> {
        let requests = &settings.requests;
        let (score, probabilities) = (requests.score.as_deref(), requests.probabilities.as_deref());
        let asked = match task {
            Task::Binary => score.or(probabilities),
            _ => probabilities.or(score),
        };
        let Some(asked) = asked else {
            return Ok(None);
        };
        let no = |why: String| Err(format!("no estimate of quality without labels from `{asked}`: {why}"));
        if !labelled {
            return no("the reference has no rows with prediction and label to learn from".to_string());
        }
        if Some(asked) == probabilities {
            return match self.classes(settings, asked, average, labels) {
                Ok(estimator) => Ok(Some(estimator)),
                Err(why) => no(why),
            };
        }
        if self.scores.is_empty() {
            return no("the reference has no such scores to learn from".to_string());
        }
        let positive = settings.positive_label.as_deref().and_then(|name| labels.code(name));
        let rows = |right: fn(u16, u16, Option<u16>) -> bool| -> Vec<(f64, bool)> {
            self.scores.iter().map(|&(score, predicted, actual)| (score, right(predicted, actual, positive))).collect()
        };
        Ok(match (task, settings.positive_label.as_deref()) {
            (Task::Binary, Some(name)) => {
                let rows = rows(|_, actual, positive| Some(actual) == positive);
                Some(Estimator::binary(asked, name, average, &rows))
            }
            // Whose probability the score is, nobody knows.
            (Task::Binary, None) => None,
            _ => Some(Estimator::right(asked, &rows(|predicted, actual, _| predicted == actual))),
        })
    }

    fn classes(self, settings: &Settings, name: &str, average: Average, labels: &Labels) -> Result<Estimator, String> {
        let Some(length) = self.list else {
            return Err(format!("the reference has no such lists of 1 to {CLASSES_MAX} probabilities to learn from"));
        };
        let classes = match settings.classes.is_empty() {
            true => in_order(labels),
            false => settings.classes.clone(),
        };
        if classes.len() != length {
            let listed = classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            return Err(format!(
                "its lists have {length} numbers, but there are {} classes ({listed}); name them in their order: `classes: [...]`",
                classes.len()
            ));
        }
        let place = |code: u16| classes.iter().position(|class| labels.code(class) == Some(code)).map(|at| at as u16);
        let places: HashMap<u16, u16> = self.truth.iter().filter_map(|code| Some((*code, place(*code)?))).collect();
        let truth: Vec<u16> =
            self.truth.iter().map(|code| places.get(code).copied().unwrap_or(length as u16)).collect();
        let positive = settings.positive_label.as_deref().map(|name| canonical(name));
        let positive = positive.and_then(|name| classes.iter().position(|class| canonical(class) == name));
        Ok(Estimator::classes(name, &classes, (average, positive.unwrap_or(0) as u32), (&self.lists, &truth)))
    }
}

/// The classes in scikit-learn's order: numbers by value, where all are numbers, else by text.
fn in_order(labels: &Labels) -> Vec<String> {
    let mut classes = labels.names().to_vec();
    let numbers: Option<Vec<f64>> = classes.iter().map(|name| name.parse().ok()).collect();
    classes.sort_unstable();
    if numbers.is_some() {
        let number = |name: &String| name.parse::<f64>().unwrap_or(f64::NAN);
        classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    classes
}

/// Rows of a regression's reference that have a prediction and a label.
#[derive(Debug)]
pub struct Erring {
    predictions: Vec<f64>,
    errors: Vec<f64>,
    /// By the column's position in the batches.
    features: HashMap<usize, Values>,
}

#[derive(Debug)]
enum Values {
    Numbers(Vec<f64>),
    Keys(KeyOrder),
}

impl Erring {
    /// `None` where such rows are missing. Keys take part where they have their order.
    pub fn new<'a>(
        columns: impl Iterator<Item = &'a Gathered> + Clone,
        prediction: usize,
        label: usize,
    ) -> Option<Erring> {
        let numbers = |at: usize| match columns.clone().nth(at) {
            Some(Gathered::Numbers { values }) => Some(values),
            _ => None,
        };
        let (predicted, truth) = (numbers(prediction)?, numbers(label)?);
        let both = predicted.iter().zip(truth).enumerate();
        let rows: Vec<usize> = both.filter(|(_, (p, t))| p.is_finite() && t.is_finite()).map(|(row, _)| row).collect();
        let rows_max = ROWS_MAX.min(NUMBERS_MAX / columns.clone().count() as u64);
        let step = (rows.len() as u64).div_ceil(rows_max.max(1)).max(1) as usize;
        let rows: Vec<usize> = rows.into_iter().step_by(step).collect();
        let take = |values: &[f64]| rows.iter().map(|row| values[*row]).collect::<Vec<f64>>();
        let features = columns.clone().enumerate().filter(|(at, _)| *at != prediction && *at != label);
        let features = features.filter_map(|(at, gathered)| match gathered {
            Gathered::Numbers { values } => Some((at, Values::Numbers(take(values)))),
            Gathered::Keys { order: Some(order), .. } => Some((at, Values::Keys(order.taken(&rows)))),
            _ => None,
        });
        Some(Erring {
            features: features.collect(),
            errors: rows.iter().map(|row| predicted[*row] - truth[*row]).collect(),
            predictions: take(predicted),
        })
        .filter(|erring| !erring.errors.is_empty())
    }

    /// The estimator of a regression. `columns`: compared ones, with their positions in the batches.
    pub fn regression(mut self, columns: &[Compared], positions: &[usize]) -> Result<Estimator, String> {
        let (mut features, mut learnt) = (Vec::new(), Vec::new());
        for (column, position) in columns.iter().zip(positions).filter(|(column, _)| column.role == Role::Feature) {
            let Some(values) = self.features.remove(position) else {
                continue;
            };
            let code = match &column.side {
                Side::Numbers(_) => Code::Number,
                Side::Categories { codes, .. } => Code::categories(codes.keys().cloned()),
                Side::Texts(_) | Side::Vectors { .. } => continue,
            };
            learnt.push(values.under(&code));
            features.push((column.name.clone(), code));
        }
        learnt.push(self.predictions);
        let losses = Losses::learn(&learnt, &self.errors);
        losses
            .map(|losses| Estimator::losses(features, losses))
            .map_err(|why| format!("no estimate of errors without labels: {why}"))
    }
}

impl Values {
    fn under(self, code: &Code) -> Vec<f64> {
        match (self, code) {
            (Values::Numbers(values), Code::Number) => values.into_iter().map(Code::number).collect(),
            (Values::Numbers(values), Code::Category(codes)) => {
                values.iter().map(|value| Code::category(codes, &value.to_string())).collect()
            }
            (Values::Keys(keys), Code::Category(codes)) => keys.numbers(codes),
            (Values::Keys(keys), Code::Number) => vec![f64::NAN; keys.rows.len()],
        }
    }
}
