//! Errors of a regression model, from sums that merge by addition.
//!
//! With e = prediction - truth: ME = mean(e), MAE = mean |e|, RMSE = sqrt(mean(e^2)),
//! MAPE = mean(|e| / max(|truth|, 2^-52)), a ratio and not per cent, R2 = 1 - sum(e^2) / sum((truth - mean(truth))^2), at most 1.
//! R2 is not defined for constant truth or for fewer than two rows; nothing is without rows.
//!
//! Source: `sklearn.metrics` (`mean_absolute_error`, `root_mean_squared_error`, `mean_absolute_percentage_error`,
//! `r2_score`); the moments of the truth after Welford (1962), merged after Chan, Golub and LeVeque (1979).
//! This file knows no rows that lack their truth.

/// Running sums over labelled predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Errors {
    pub rows: u64,
    sum: f64,
    sum_absolute: f64,
    sum_squared: f64,
    sum_relative: f64,
    /// The mean of the truth, and what its rounding has lost: truth far from 0 (a timestamp, a price in cents) keeps its digits.
    truth_mean: f64,
    truth_mean_lost: f64,
    /// Sum of squared distances of the truth from its mean.
    truth_spread: f64,
}

/// The errors of at least one row, in the unit of the target but for `mape` and `r2`, which have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorScores {
    pub rows: u64,
    pub mean_error: f64,
    pub mean_absolute_error: f64,
    pub root_mean_squared_error: f64,
    pub mean_absolute_percentage_error: f64,
    /// `None` where the truth is constant, one row among them.
    pub r2: Option<f64>,
}

impl Errors {
    /// Adds a row. `false`, and nothing added, where a value is not finite: such a row has no error.
    pub fn add(&mut self, prediction: f64, truth: f64) -> bool {
        if !prediction.is_finite() || !truth.is_finite() {
            return false;
        }
        let error = prediction - truth;
        self.rows += 1;
        self.sum += error;
        self.sum_absolute += error.abs();
        self.sum_squared += error * error;
        self.sum_relative += error.abs() / truth.abs().max(f64::EPSILON);
        let from_mean = (truth - self.truth_mean) - self.truth_mean_lost;
        self.move_mean(from_mean / self.rows as f64);
        self.truth_spread += from_mean * ((truth - self.truth_mean) - self.truth_mean_lost);
        true
    }

    /// Adds the rows of `other`: the same sums as if they had been added here, to rounding.
    pub fn merge(&mut self, other: &Errors) {
        if other.rows == 0 {
            return;
        }
        let (rows, others) = (self.rows as f64, other.rows as f64);
        let apart = (other.truth_mean - self.truth_mean) + (other.truth_mean_lost - self.truth_mean_lost);
        self.move_mean(apart * (others / (rows + others)));
        self.truth_spread += other.truth_spread + apart * apart * (rows * others / (rows + others));
        self.rows += other.rows;
        self.sum += other.sum;
        self.sum_absolute += other.sum_absolute;
        self.sum_squared += other.sum_squared;
        self.sum_relative += other.sum_relative;
    }

    /// Takes back a row that `add` took, as when a label is corrected: the sums are those of the other rows, to rounding.
    pub fn remove(&mut self, prediction: f64, truth: f64) {
        if !prediction.is_finite() || !truth.is_finite() {
            return;
        }
        if self.rows <= 1 {
            *self = Errors::default();
            return;
        }
        let error = prediction - truth;
        self.rows -= 1;
        self.sum -= error;
        self.sum_absolute -= error.abs();
        self.sum_squared -= error * error;
        self.sum_relative -= error.abs() / truth.abs().max(f64::EPSILON);
        let from_mean = (truth - self.truth_mean) - self.truth_mean_lost;
        self.move_mean(-from_mean / self.rows as f64);
        let from_rest = (truth - self.truth_mean) - self.truth_mean_lost;
        self.truth_spread = (self.truth_spread - from_mean * from_rest).max(0.0);
    }

    /// Knuth's two-sum.
    fn move_mean(&mut self, by: f64) {
        let by = by + self.truth_mean_lost;
        let moved = self.truth_mean + by;
        let kept = moved - self.truth_mean;
        self.truth_mean_lost = (self.truth_mean - (moved - kept)) + (by - kept);
        self.truth_mean = moved;
    }

    /// `None` without rows.
    pub fn finish(&self) -> Option<ErrorScores> {
        if self.rows == 0 {
            return None;
        }
        let rows = self.rows as f64;
        Some(ErrorScores {
            rows: self.rows,
            mean_error: self.sum / rows,
            mean_absolute_error: self.sum_absolute / rows,
            root_mean_squared_error: (self.sum_squared / rows).sqrt(),
            mean_absolute_percentage_error: self.sum_relative / rows,
            r2: (self.truth_spread > 0.0).then(|| 1.0 - self.sum_squared / self.truth_spread),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(rows: &[(f64, f64)]) -> Errors {
        let mut errors = Errors::default();
        for &(prediction, truth) in rows {
            assert!(errors.add(prediction, truth));
        }
        errors
    }

    #[test]
    fn a_row_taken_back_leaves_the_others() {
        let rows = [(1.0, 2.0), (3.5, 3.0), (-1.0, 0.5), (8.0, 7.0)];
        let mut all = errors(&rows);
        all.remove(8.0, 7.0);
        let (found, expected) = (all.finish().unwrap(), errors(&rows[..3]).finish().unwrap());
        assert!((found.r2.unwrap() - expected.r2.unwrap()).abs() < 1e-12);
        assert!((found.mean_absolute_error - expected.mean_absolute_error).abs() < 1e-12);
        all.remove(1.0, 2.0);
        all.remove(3.5, 3.0);
        all.remove(-1.0, 0.5);
        assert_eq!(all, Errors::default());
    }

    #[test]
    fn scores_are_those_of_scikit_learn() {
        // t, p = [3, -0.5, 2, 7], [2.5, 0, 2, 8]
        let found = errors(&[(2.5, 3.0), (0.0, -0.5), (2.0, 2.0), (8.0, 7.0)]).finish().expect("there are rows");
        assert_eq!(found.rows, 4);
        assert_eq!(found.mean_error, 0.25);
        // mean_absolute_error(t, p)
        assert_eq!(found.mean_absolute_error, 0.5);
        // root_mean_squared_error(t, p)
        assert_eq!(found.root_mean_squared_error, 0.6123724356957945);
        // mean_absolute_percentage_error(t, p)
        assert!((found.mean_absolute_percentage_error - 0.3273809523809524).abs() < 1e-15);
        // r2_score(t, p)
        assert!((found.r2.expect("the truth varies") - 0.9486081370449679).abs() < 1e-15);
        // mean_absolute_percentage_error([0, 1], [1, 1])
        let found = errors(&[(1.0, 0.0), (1.0, 1.0)]).finish().expect("there are rows");
        assert_eq!(found.mean_absolute_percentage_error, 2251799813685248.0);
    }

    #[test]
    fn constant_truth_and_one_row_have_no_r2() {
        assert_eq!(errors(&[(1.0, 0.1)]).finish().map(|found| found.r2), Some(None));
        let mut constant = errors(&[(1.0, 0.1); 7]);
        constant.merge(&errors(&[(3.0, 0.1); 5]));
        assert_eq!(constant.finish().map(|found| found.r2), Some(None));
    }

    #[test]
    fn rows_without_an_error_are_not_added() {
        let mut errors = Errors::default();
        assert!(!errors.add(f64::NAN, 1.0) && !errors.add(1.0, f64::INFINITY));
        assert_eq!(errors.finish(), None);
        assert_eq!(errors, Errors::default());
    }

    #[test]
    fn truth_far_from_zero_keeps_its_digits() {
        let near: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i % 7), f64::from(i % 10))).collect();
        let far: Vec<(f64, f64)> = near.iter().map(|(p, t)| (p + 1e9, t + 1e9)).collect();
        let [near, far] = [near, far].map(|rows| errors(&rows).finish().and_then(|found| found.r2).expect("it varies"));
        assert!((near - far).abs() < 1e-13, "{near} {far}");
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            rows in prop::collection::vec((-1e3..1e3f64, 0.0..1e6f64), 2..60),
            cut in 0..60usize,
        ) {
            let (first, second) = rows.split_at(cut.min(rows.len()));
            let mut merged = errors(first);
            merged.merge(&errors(second));
            let merged = merged.finish().expect("there are rows");
            let whole = errors(&rows).finish().expect("there are rows");
            prop_assert_eq!(merged.rows, whole.rows);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(1e3);
            prop_assert!(close(merged.mean_error, whole.mean_error));
            prop_assert!(close(merged.mean_absolute_error, whole.mean_absolute_error));
            prop_assert!(close(merged.root_mean_squared_error, whole.root_mean_squared_error));
            let relative = merged.mean_absolute_percentage_error / whole.mean_absolute_percentage_error;
            prop_assert!((relative - 1.0).abs() < 1e-12);
            match (merged.r2, whole.r2) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0)),
                (a, b) => prop_assert_eq!(a, b),
            }
            prop_assert!(merged.r2.is_none_or(|r2| r2 <= 1.0));
            prop_assert!(merged.root_mean_squared_error >= merged.mean_absolute_error * (1.0 - 1e-12));
        }
    }
}
