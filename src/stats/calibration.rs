//! Calibrated scores: as many of the rows with a score near p are right as p says.
//!
//! The calibrator is the isotonic regression of what came true on the score. It is used only where it lowers the expected
//! calibration error: the rows, ordered by score, fall into ten bins of alike many rows (rows of one score stay together), and
//! the error is the mean over the rows of how far their bin's mean score is from its share of true rows, 0 to 1. Ten folds, stratified by
//! the truth and dealt out by a seed, are each calibrated by the other nine; the error of all of them together is compared with that of the
//! scores as they are. With fewer than ten rows of either truth the scores stay as they are. Calibrated or not, the mean of
//! many scores is what counts, and there isotonic regression is right on its own rows whatever their number.
//!
//! Source: NannyML's `needs_calibration`. It draws ten tenths that may overlap; here every row counts once. Scores with an AUC
//! above 0.999, which NannyML leaves alone, are judged like all others.
//! This file knows scores and what came true; no classes and no predictions.

use super::draw::Draw;
use super::isotonic::Isotonic;

const FOLDS: usize = 10;
const BINS: usize = 10;

/// A score, 0 to 1, made a probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrator(Option<Isotonic>);

impl Calibrator {
    /// Rows of scores, 0 to 1, and whether what they are the probability of came true; in any order.
    pub fn new(mut rows: Vec<(f64, bool)>) -> Calibrator {
        rows.sort_unstable_by(by_score);
        let positive = rows.iter().filter(|row| row.1).count();
        if positive.min(rows.len() - positive) < FOLDS {
            return Calibrator(None);
        }
        let folds = folds(&rows, positive);
        let mut held_out = Vec::with_capacity(rows.len());
        for fold in 0..FOLDS {
            let part = |inside: bool| {
                let chosen = rows.iter().zip(&folds).filter(move |(_, of)| (**of == fold) == inside);
                chosen.map(|(row, _)| *row)
            };
            if let Some(fitted) = Isotonic::fit(part(false).map(point)) {
                held_out.extend(part(true).map(|(score, truth)| (fitted.at(score), truth)));
            }
        }
        held_out.sort_unstable_by(by_score);
        let lower = calibration_error(&held_out) < calibration_error(&rows);
        Calibrator(Isotonic::fit(rows.into_iter().map(point)).filter(|_| lower))
    }

    pub fn at(&self, score: f64) -> f64 {
        self.0.as_ref().map_or(score, |fitted| fitted.at(score))
    }

    /// Whether it changes scores.
    pub fn calibrates(&self) -> bool {
        self.0.is_some()
    }
}

fn point((score, truth): (f64, bool)) -> (f64, f64, f64) {
    (score, f64::from(u8::from(truth)), 1.0)
}

/// By truth as well, so that nothing hangs on the order in which rows came.
fn by_score(a: &(f64, bool), b: &(f64, bool)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The fold of each row: each has a tenth of either truth.
fn folds(rows: &[(f64, bool)], positive: usize) -> Vec<usize> {
    let mut draw = Draw::new(rows.len() as u128);
    let mut dealt = |rows: usize| {
        let mut folds: Vec<usize> = (0..rows).map(|i| i % FOLDS).collect();
        draw.shuffle(&mut folds);
        folds.into_iter()
    };
    let (mut of_true, mut of_false) = (dealt(positive), dealt(rows.len() - positive));
    rows.iter().filter_map(|row| if row.1 { of_true.next() } else { of_false.next() }).collect()
}

/// Rows ascending by score.
fn calibration_error(rows: &[(f64, bool)]) -> f64 {
    let mut start = 0;
    let mut sum = 0.0;
    for bin in 1..=BINS {
        let mut end = (bin * rows.len() / BINS).max(start);
        while end > start && end < rows.len() && rows[end].0 == rows[end - 1].0 {
            end += 1;
        }
        sum += rows[start..end].iter().map(|row| row.0 - f64::from(u8::from(row.1))).sum::<f64>().abs();
        start = end;
    }
    sum / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose truth has the chance `chance(score)`.
    fn rows(count: usize, chance: fn(f64) -> f64) -> Vec<(f64, bool)> {
        let mut draw = Draw::new(7);
        (0..count)
            .map(|_| {
                let score = (draw.uniform() * 100.0).round() / 100.0;
                (score, draw.uniform() < chance(score))
            })
            .collect()
    }

    #[test]
    fn scores_that_say_too_much_are_calibrated() {
        let found = Calibrator::new(rows(20_000, |score| 0.25 + 0.5 * score));
        assert!(found.calibrates());
        for (score, chance) in [(0.1, 0.3), (0.5, 0.5), (0.9, 0.7)] {
            assert!((found.at(score) - chance).abs() < 0.03, "{score}: {}", found.at(score));
        }
    }

    #[test]
    fn scores_that_are_probabilities_hardly_change() {
        let found = Calibrator::new(rows(20_000, |score| score));
        for score in [0.1, 0.3, 0.5, 0.7, 0.9] {
            assert!((found.at(score) - score).abs() < 0.03, "{score}: {}", found.at(score));
        }
        // Three tenths of 0.3 and seven tenths of 0.7 are true: there is nothing to gain.
        let right = (0..1000).map(|i| if i % 2 == 0 { (0.3, i % 20 < 6) } else { (0.7, i % 20 < 14) });
        let found = Calibrator::new(right.collect());
        assert!(!found.calibrates());
        assert_eq!(found.at(0.37), 0.37);
    }

    #[test]
    fn the_order_of_the_rows_makes_no_difference() {
        let forward = rows(900, |score| score * score);
        let backward = forward.iter().rev().copied().collect();
        assert_eq!(Calibrator::new(forward), Calibrator::new(backward));
    }

    #[test]
    fn without_rows_of_either_truth_nothing_is_learnt() {
        for rows in [vec![], vec![(0.5, true); 100], vec![(0.5, false); 100]] {
            assert!(!Calibrator::new(rows).calibrates());
        }
    }

    #[test]
    fn the_error_is_the_distance_of_the_bins() {
        // Ten bins of one row each.
        let rows: Vec<(f64, bool)> = (0..10).map(|i| (f64::from(i) / 10.0, i >= 5)).collect();
        // np.mean([0, .1, .2, .3, .4, .5, .4, .3, .2, .1])
        assert!((calibration_error(&rows) - 0.25).abs() < 1e-15);
        // Rows of one score are one bin: 0.5 and 30 of 60 true.
        let one: Vec<(f64, bool)> = (0..60).map(|i| (0.5, i >= 30)).collect();
        assert_eq!(calibration_error(&one), 0.0);
    }
}
