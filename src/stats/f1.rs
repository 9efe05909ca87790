//! F1, precision, recall and accuracy from a confusion table, each 0 to 1.
//!
//! For one class: precision = tp / (tp + fp), recall = tp / (tp + fn), F1 = 2 tp / (2 tp + fp + fn); 0/0 is 0. The classes are
//! those that were predicted or true at least once. `Macro` is their plain mean, `Weighted` weighs each by its true
//! rows, `Micro` takes all decisions together (all three scores are then the accuracy), `Binary` is the positive
//! class alone (all 0 where that class never occurs). No rows: not defined.
//!
//! Source: `sklearn.metrics.precision_recall_fscore_support(truth, predicted, average=..., zero_division=0)`.
//! This file knows class numbers, not their names.

use std::collections::BTreeMap;

/// How the classes' F1 become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    Weighted,
    Macro,
    Micro,
    Binary,
}

/// One cell of a confusion table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub predicted: u32,
    pub actual: u32,
    pub rows: u64,
}

/// One class against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCounts {
    pub class: u32,
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub rows: u64,
    pub f1: f64,
    pub f1_standard_error: f64,
    pub precision: f64,
    pub recall: f64,
    pub accuracy: f64,
    /// Every class that was predicted or true, ascending.
    pub classes: Vec<ClassCounts>,
}

impl ClassCounts {
    /// Rows of which this class is the truth.
    fn actual(&self) -> f64 {
        (self.true_positive + self.false_negative) as f64
    }

    fn precision(&self) -> f64 {
        ratio(self.true_positive as f64, (self.true_positive + self.false_positive) as f64)
    }

    fn recall(&self) -> f64 {
        ratio(self.true_positive as f64, self.actual())
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.true_positive as f64, self.decisions())
    }

    /// Rows predicted as this class plus rows that are it: what F1 divides by.
    fn decisions(&self) -> f64 {
        (2 * self.true_positive + self.false_positive + self.false_negative) as f64
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// `None` without rows. `cells` in any order, each pair at most once. `positive` is used by `Average::Binary` alone.
pub fn scores(cells: &[Cell], average: Average, positive: u32) -> Option<Scores> {
    let rows: u64 = cells.iter().map(|cell| cell.rows).sum();
    if rows == 0 {
        return None;
    }
    let classes = class_counts(cells);
    let accuracy = classes.iter().map(|class| class.true_positive).sum::<u64>() as f64 / rows as f64;
    let weights: Vec<f64> = classes.iter().map(|class| weight(class, average, positive, rows, classes.len())).collect();
    let mean = |score: fn(&ClassCounts) -> f64| match average {
        Average::Micro => accuracy,
        _ => classes.iter().zip(&weights).map(|(class, weight)| weight * score(class)).sum(),
    };
    let f1 = mean(ClassCounts::f1);
    let variance = match average {
        Average::Micro => accuracy * (1.0 - accuracy) / rows as f64,
        _ => f1_variance(cells, &classes, &weights, (average == Average::Weighted).then_some(f1)),
    };
    Some(Scores {
        rows,
        f1,
        f1_standard_error: variance.sqrt(),
        precision: mean(ClassCounts::precision),
        recall: mean(ClassCounts::recall),
        accuracy,
        classes,
    })
}

/// The share that a class has in the average.
fn weight(class: &ClassCounts, average: Average, positive: u32, rows: u64, classes: usize) -> f64 {
    match average {
        Average::Weighted => class.actual() / rows as f64,
        Average::Macro => 1.0 / classes as f64,
        Average::Binary => f64::from(u8::from(class.class == positive)),
        // Not a mean over classes.
        Average::Micro => 0.0,
    }
}

fn class_counts(cells: &[Cell]) -> Vec<ClassCounts> {
    let mut classes: BTreeMap<u32, ClassCounts> = BTreeMap::new();
    let empty = |class| ClassCounts { class, true_positive: 0, false_positive: 0, false_negative: 0 };
    for cell in cells.iter().filter(|cell| cell.rows > 0) {
        let predicted = classes.entry(cell.predicted).or_insert_with(|| empty(cell.predicted));
        if cell.predicted == cell.actual {
            predicted.true_positive += cell.rows;
        } else {
            predicted.false_positive += cell.rows;
            classes.entry(cell.actual).or_insert_with(|| empty(cell.actual)).false_negative += cell.rows;
        }
    }
    classes.into_values().collect()
}

/// The sampling variance of a mean of class F1s, by the delta method: the rows are draws from a multinomial distribution over
/// the cells, and the mean does not change when all counts grow alike, so its variance is the sum over the cells of
/// rows times the squared derivative by that cell's count. `weighted` is the mean itself where the weights are the
/// true rows, which move with the counts too. 0 for a table without errors: the method sees no error that did not occur.
///
/// Source: Takahashi et al. (2022), "Confidence interval for micro-averaged F1 and macro-averaged F1 scores".
fn f1_variance(cells: &[Cell], classes: &[ClassCounts], weights: &[f64], weighted: Option<f64>) -> f64 {
    let rows: f64 = cells.iter().map(|cell| cell.rows as f64).sum();
    // Per class: what a row that names it adds or takes (2 tp / d moves by (2 - F1)/d or -F1/d), and its F1.
    let slope = |class: u32| {
        let at = classes.binary_search_by_key(&class, |counts| counts.class).expect("every class of a cell is counted");
        (weights[at] / classes[at].decisions(), classes[at].f1())
    };
    let variance = cells.iter().filter(|cell| cell.rows > 0).map(|cell| {
        let (actual, f1) = slope(cell.actual);
        let moved = if cell.predicted == cell.actual {
            actual * (2.0 - 2.0 * f1)
        } else {
            let (predicted, predicted_f1) = slope(cell.predicted);
            -actual * f1 - predicted * predicted_f1
        };
        let reweighed = weighted.map_or(0.0, |mean| (f1 - mean) / rows);
        cell.rows as f64 * (moved + reweighed).powi(2)
    });
    variance.sum()
}
