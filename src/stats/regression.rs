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
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
