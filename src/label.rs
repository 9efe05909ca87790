//! Labels: class names as small codes, compared by value, and the quality that follows from counted pairs.
//!
//! This file knows `batch` and `stats`; it knows no pane, no window and no clock.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray};
use arrow::datatypes::Int32Type;

use crate::batch::canonical;
use crate::report::{ClassRows, Quality};
use crate::stats::f1::{self, Average, Confusion};
use crate::stats::regression::Errors;
use crate::stats::scored::ScoreQuality;

/// Classes that one model can have; pairs of further classes are dropped and counted.
pub const CLASSES_MAX: usize = 65_000;

/// Class names and their codes, in order of first sight.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    names: Vec<String>,
    codes: HashMap<String, u16>,
    known: KeyCodes<Option<u16>>,
}

impl Labels {
    /// The code of each value; `None` for missing values and for classes beyond `CLASSES_MAX`.
    pub fn codes(&mut self, keys: &DictionaryArray<Int32Type>) -> Vec<Option<u16>> {
        let Labels { names, codes, known } = self;
        let mut out = Vec::new();
        known.map(keys, None, &mut out, |text| intern(names, codes, text));
        out
    }

    /// The code of a class that may never come.
    pub fn learn(&mut self, name: &str) -> Option<u16> {
        intern(&mut self.names, &mut self.codes, name)
    }

    /// Those of these names, in the order of their codes.
    pub fn of(names: Vec<String>) -> Labels {
        let codes = names.iter().cloned().zip(0..).collect();
        Labels { names, codes, known: KeyCodes::default() }
    }

    /// By code.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn code(&self, name: &str) -> Option<u16> {
        self.codes.get(canonical(name).as_ref()).copied()
    }

    pub fn name(&self, code: u16) -> &str {
        &self.names[usize::from(code)]
    }

    /// `None` without pairs.
    pub fn quality(&self, cells: &Confusion, average: Average, positive: Option<&str>) -> Option<Quality> {
        let mut table: Vec<f1::Cell> = cells
            .iter()
            .filter(|(_, rows)| **rows > 0)
            .map(|(&(predicted, actual), &rows)| f1::Cell {
                predicted: predicted.into(),
                actual: actual.into(),
                rows: rows as f64,
            })
            .collect();
        table.sort_unstable_by_key(|cell| (cell.predicted, cell.actual));
        let binary = positive.is_some();
        let positive = positive.and_then(|name| self.code(name)).unwrap_or(u16::MAX);
        let scores = f1::scores(&table, average, positive.into())?;
        let mut classes: Vec<ClassRows> = scores
            .classes
            .iter()
            .map(|class| ClassRows {
                class: self.names[class.class as usize].clone(),
                true_positive: class.true_positive as u64,
                false_positive: class.false_positive as u64,
                false_negative: class.false_negative as u64,
            })
            .collect();
        classes.sort_unstable_by(|a, b| a.class.cmp(&b.class));
        Some(Quality {
            labelled_rows: scores.rows as u64,
            f1: Some(scores.f1),
            f1_standard_error: Some(scores.f1_standard_error),
            precision: Some(scores.precision),
            recall: Some(scores.recall),
            accuracy: Some(scores.accuracy),
            specificity: f1::specificity(&table, positive.into()).filter(|_| binary),
            classes,
            ..Quality::default()
        })
    }
}

fn intern(names: &mut Vec<String>, codes: &mut HashMap<String, u16>, text: &str) -> Option<u16> {
    let text = canonical(text);
    if let Some(&code) = codes.get(text.as_ref()) {
        return Some(code);
    }
    let code = u16::try_from(names.len()).ok().filter(|_| names.len() < CLASSES_MAX)?;
    names.push(text.clone().into_owned());
    codes.insert(text.into_owned(), code);
    Some(code)
}

/// Quality with what the scores of a binary model say.
pub fn with_scores(quality: Quality, scores: Option<ScoreQuality>) -> Quality {
    Quality {
        roc_auc: scores.and_then(|scores| scores.roc_auc),
        log_loss: scores.map(|scores| scores.log_loss),
        brier: scores.map(|scores| scores.brier),
        ..quality
    }
}

/// `None` without rows.
pub fn regression_quality(errors: &Errors) -> Option<Quality> {
    let scores = errors.finish()?;
    Some(Quality {
        labelled_rows: errors.rows,
        mean_error: Some(scores.mean_error),
        mean_absolute_error: Some(scores.mean_absolute_error),
        root_mean_squared_error: Some(scores.root_mean_squared_error),
        mean_absolute_percentage_error: Some(scores.mean_absolute_percentage_error),
        r2: scores.r2,
        ..Quality::default()
    })
}

/// Maps dictionary keys to something small, each dictionary once: batches of one row group share theirs.
#[derive(Debug, Clone, Default)]
pub struct KeyCodes<T> {
    dictionary: Option<ArrayRef>,
    mapped: Vec<T>,
}

impl<T: Copy> KeyCodes<T> {
    /// Writes one value a row to `out` (cleared first): `missing` for nulls, else what `look_up` says of the text.
    pub fn map(
        &mut self,
        keys: &DictionaryArray<Int32Type>,
        missing: T,
        out: &mut Vec<T>,
        mut look_up: impl FnMut(&str) -> T,
    ) {
        let dictionary = keys.values();
        if !self.dictionary.as_ref().is_some_and(|known| std::sync::Arc::ptr_eq(known, dictionary)) {
            let texts = dictionary.as_string::<i32>();
            self.mapped.clear();
            self.mapped.extend(texts.iter().map(|text| text.map_or(missing, &mut look_up)));
            self.dictionary = Some(dictionary.clone());
        }
        out.clear();
        let codes = keys.keys();
        match codes.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => out.extend(codes.values().iter().map(|&key| self.mapped[key as usize])),
            Some(nulls) => out.extend(
                codes.values().iter().zip(nulls.iter()).map(
                    |(&key, valid)| {
                        if valid { self.mapped[key as usize] } else { missing }
                    },
                ),
            ),
        }
    }
}

/// Counts the values of a column: calls `count(text, n)` for each distinct value there is and returns the number of nulls.
pub fn count_keys(keys: &DictionaryArray<Int32Type>, mut count: impl FnMut(&str, u64)) -> u64 {
    let texts = keys.values().as_string::<i32>();
    let mut counts = vec![0u64; texts.len()];
    let mut missing = 0;
    for key in keys.keys().iter() {
        match key {
            Some(key) => counts[key as usize] += 1,
            None => missing += 1,
        }
    }
    for (text, n) in texts.iter().zip(counts).filter(|(_, n)| *n > 0) {
        match text {
            Some(text) => count(text, n),
            None => missing += n,
        }
    }
    missing
}
