//! F1, precision, recall and accuracy from a confusion table, each 0 to 1.
//!
//! For one class: precision = tp / (tp + fp), recall = tp / (tp + fn), F1 = 2 tp / (2 tp + fp + fn); 0/0 is 0. The classes are
//! those that were predicted or true at least once. `Macro` is their plain mean, `Weighted` weighs each by its true
//! rows, `Micro` takes all decisions together (all three scores are then the accuracy), `Binary` is the positive
//! class alone (all 0 where that class never occurs). No rows: not defined.
//!
//! Source: `sklearn.metrics.precision_recall_fscore_support(truth, predicted, average=..., zero_division=0)`.
//! Rows are counted in `f64`: whole rows (exact up to 2^53), or the parts of rows that a table of expectations holds.
//! This file knows class numbers, not their names.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

/// Rows by (predicted, actual) class.
pub type Confusion = FxHashMap<(u16, u16), u64>;

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    pub predicted: u32,
    pub actual: u32,
    pub rows: f64,
}

/// One class against the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassCounts {
    pub class: u32,
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub rows: f64,
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
        self.true_positive + self.false_negative
    }

    fn precision(&self) -> f64 {
        ratio(self.true_positive, self.true_positive + self.false_positive)
    }

    fn recall(&self) -> f64 {
        ratio(self.true_positive, self.actual())
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.true_positive, self.decisions())
    }

    /// Rows predicted as this class plus rows that are it: what F1 divides by.
    fn decisions(&self) -> f64 {
        2.0 * self.true_positive + self.false_positive + self.false_negative
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// `None` without rows. `cells` in any order, each pair at most once. `positive` is used by `Average::Binary` alone.
pub fn scores(cells: &[Cell], average: Average, positive: u32) -> Option<Scores> {
    let rows: f64 = cells.iter().map(|cell| cell.rows).sum();
    if rows <= 0.0 {
        return None;
    }
    let classes = class_counts(cells);
    let accuracy = classes.iter().map(|class| class.true_positive).sum::<f64>() / rows;
    let weights: Vec<f64> = classes.iter().map(|class| weight(class, average, positive, rows, classes.len())).collect();
    let mean = |score: fn(&ClassCounts) -> f64| match average {
        Average::Micro => accuracy,
        _ => classes.iter().zip(&weights).map(|(class, weight)| weight * score(class)).sum(),
    };
    let f1 = mean(ClassCounts::f1);
    let variance = match average {
        Average::Micro => accuracy * (1.0 - accuracy) / rows,
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

/// Of the rows that are not of the positive class, the share that was not predicted as it: tn / (tn + fp), the recall of the other class.
/// `None` where all rows are of the positive class, or there is none.
pub fn specificity(cells: &[Cell], positive: u32) -> Option<f64> {
    let negatives = || cells.iter().filter(|cell| cell.actual != positive);
    let rows: f64 = negatives().map(|cell| cell.rows).sum();
    let right: f64 = negatives().filter(|cell| cell.predicted != positive).map(|cell| cell.rows).sum();
    (rows > 0.0).then(|| right / rows)
}

/// The share that a class has in the average.
fn weight(class: &ClassCounts, average: Average, positive: u32, rows: f64, classes: usize) -> f64 {
    match average {
        Average::Weighted => class.actual() / rows,
        Average::Macro => 1.0 / classes as f64,
        Average::Binary => f64::from(u8::from(class.class == positive)),
        // Not a mean over classes.
        Average::Micro => 0.0,
    }
}

fn class_counts(cells: &[Cell]) -> Vec<ClassCounts> {
    let mut classes: BTreeMap<u32, ClassCounts> = BTreeMap::new();
    let empty = |class| ClassCounts { class, true_positive: 0.0, false_positive: 0.0, false_negative: 0.0 };
    for cell in cells.iter().filter(|cell| cell.rows > 0.0) {
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
    let rows: f64 = cells.iter().map(|cell| cell.rows).sum();
    // Per class: what a row that names it adds or takes (2 tp / d moves by (2 - F1)/d or -F1/d), and its F1.
    let slope = |class: u32| {
        let at = classes.binary_search_by_key(&class, |counts| counts.class).expect("every class of a cell is counted");
        (weights[at] / classes[at].decisions(), classes[at].f1())
    };
    let variance = cells.iter().filter(|cell| cell.rows > 0.0).map(|cell| {
        let (actual, f1) = slope(cell.actual);
        let moved = if cell.predicted == cell.actual {
            actual * (2.0 - 2.0 * f1)
        } else {
            let (predicted, predicted_f1) = slope(cell.predicted);
            -actual * f1 - predicted * predicted_f1
        };
        let reweighed = weighted.map_or(0.0, |mean| (f1 - mean) / rows);
        cell.rows * (moved + reweighed).powi(2)
    });
    variance.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draw::{Draw, Multinomial};

    fn table(cells: &[(u32, u32, u64)]) -> Vec<Cell> {
        cells.iter().map(|&(predicted, actual, rows)| Cell { predicted, actual, rows: rows as f64 }).collect()
    }

    fn assert_scores(found: &Scores, precision: f64, recall: f64, f1: f64) {
        for (ours, theirs) in [(found.precision, precision), (found.recall, recall), (found.f1, f1)] {
            assert!((ours - theirs).abs() < 1e-15, "{found:?}");
        }
    }

    #[test]
    fn scores_are_those_of_scikit_learn() {
        // T, P = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 1, 2, 1, 1, 0, 2, 2, 3]; class 3 is predicted and never true.
        let cells = table(&[(0, 0, 2), (1, 0, 1), (2, 0, 1), (1, 1, 2), (0, 1, 1), (2, 2, 2), (3, 2, 1), (5, 5, 0)]);
        let of = |average| scores(&cells, average, 1).expect("there are rows");
        // precision_recall_fscore_support(T, P, average="weighted", zero_division=0)
        assert_scores(&of(Average::Weighted), 0.6666666666666666, 0.6, 0.6285714285714286);
        // ... average="macro"
        assert_scores(&of(Average::Macro), 0.5, 0.45833333333333326, 0.47619047619047616);
        // ... average="micro"
        assert_scores(&of(Average::Micro), 0.6, 0.6, 0.6);
        // ... labels=[1], average="macro"
        assert_scores(&of(Average::Binary), 0.6666666666666666, 0.6666666666666666, 0.6666666666666666);
        // accuracy_score(T, P)
        assert_eq!(of(Average::Macro).accuracy, 0.6);
        let classes = of(Average::Macro).classes;
        assert_eq!(classes.iter().map(|class| class.class).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(classes[3], ClassCounts { class: 3, true_positive: 0.0, false_positive: 1.0, false_negative: 0.0 });
        assert_eq!(classes[0], ClassCounts { class: 0, true_positive: 2.0, false_positive: 1.0, false_negative: 2.0 });
    }

    #[test]
    fn no_rows_no_scores() {
        assert_eq!(scores(&[], Average::Macro, 0), None);
        assert_eq!(scores(&table(&[(0, 1, 0)]), Average::Macro, 0), None);
    }

    #[test]
    fn a_positive_class_that_never_occurs_scores_zero() {
        let found = scores(&table(&[(0, 0, 5)]), Average::Binary, 1).expect("there are rows");
        assert_eq!((found.f1, found.precision, found.recall, found.accuracy), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn the_order_of_the_cells_makes_no_difference() {
        let mut cells = table(&[(0, 0, 20), (1, 0, 10), (2, 0, 1), (1, 1, 12), (0, 1, 4), (2, 2, 7)]);
        let forward = scores(&cells, Average::Weighted, 0).expect("there are rows");
        cells.reverse();
        let backward = scores(&cells, Average::Weighted, 0).expect("there are rows");
        assert_eq!(forward.classes, backward.classes);
        assert_eq!(forward.f1, backward.f1);
        assert!((forward.f1_standard_error - backward.f1_standard_error).abs() < 1e-15);
    }

    /// The true F1 lies within 1.96 standard errors of the measured one in 93 to 97 % of samples.
    #[test]
    fn the_standard_error_covers_the_truth() {
        const SAMPLES: u32 = 3000;
        for (classes, rows, right) in
            [(2, 500, 0.8), (3, 1000, 0.6), (4, 1000, 0.9), (4, 20_000, 0.7), (27, 20_000, 0.7)]
        {
            let mut draw = Draw::new(u128::from(rows));
            let cells: Vec<Cell> = (0..classes * classes)
                .map(|i| Cell { predicted: i / classes, actual: i % classes, rows: 0.0 })
                .collect();
            let weights: Vec<f64> = cells
                .iter()
                .map(|cell| {
                    let wrong = (1.0 - right) / f64::from(classes - 1);
                    let share = if cell.predicted == cell.actual { right } else { wrong };
                    share / f64::from(1 + cell.actual)
                })
                .collect();
            let counted = |counts: &[f64]| -> Vec<Cell> {
                cells.iter().zip(counts).map(|(cell, rows)| Cell { rows: *rows, ..*cell }).collect()
            };
            let expected = counted(&weights.iter().map(|weight| weight * 1e12).collect::<Vec<_>>());
            let averages = [Average::Weighted, Average::Macro, Average::Micro, Average::Binary];
            let truths = averages.map(|average| scores(&expected, average, 1).expect("rows").f1);
            let mut covered = [0; 4];
            let spread = Multinomial::new(&weights);
            let mut drawn = vec![0; cells.len()];
            for _ in 0..SAMPLES {
                spread.draw(&mut draw, rows, &mut drawn);
                let sample = counted(&drawn.iter().map(|&count| count as f64).collect::<Vec<_>>());
                for ((average, truth), covered) in averages.into_iter().zip(truths).zip(&mut covered) {
                    let found = scores(&sample, average, 1).expect("rows");
                    *covered += u32::from((found.f1 - truth).abs() <= 1.96 * found.f1_standard_error);
                }
            }
            for (average, covered) in averages.into_iter().zip(covered) {
                let share = f64::from(covered) / f64::from(SAMPLES);
                assert!((0.93..=0.97).contains(&share), "{classes} classes, {rows} rows, {average:?}: {share}");
            }
        }
    }

    #[test]
    fn the_standard_error_shrinks_with_the_root_of_the_rows() {
        let of = |times: u64| {
            let cells = table(&[(0, 0, 30 * times), (1, 0, 10 * times), (1, 1, 15 * times), (0, 1, 5 * times)]);
            scores(&cells, Average::Weighted, 1).expect("there are rows").f1_standard_error
        };
        assert!((of(1) / of(100) - 10.0).abs() < 1e-9);
    }
}
