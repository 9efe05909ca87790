//! Errors of a regression model, from sums that merge by addition; error = prediction - truth.
//!
//! As scikit-learn's `mean_absolute_error`, `root_mean_squared_error`, `mean_absolute_percentage_error` and `r2_score`.

/// The least truth that a percentage is taken of: `numpy.finfo(float).eps`.
const TRUTH_MIN: f64 = f64::EPSILON;

/// Running sums over labelled predictions, all finite.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Errors {
    pub rows: u64,
    error: f64,
    absolute: f64,
    squared: f64,
    percentage: f64,
    truth_mean: f64,
    /// Sum of squared distances of the truth from its mean.
    truth_m2: f64,
}

/// Means over the rows; `percentage` is a share (1 = 100 %).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorScores {
    pub mean_error: f64,
    pub mean_absolute_error: f64,
    pub root_mean_squared_error: f64,
    pub mean_absolute_percentage_error: f64,
    /// `None` for fewer than two rows or a constant truth.
    pub r2: Option<f64>,
}

impl Errors {
    pub fn add(&mut self, prediction: f64, truth: f64) {
        self.merge(&Errors::of(prediction, truth));
    }

    /// Takes back what `add` put in.
    pub fn remove(&mut self, prediction: f64, truth: f64) {
        let one = Errors::of(prediction, truth);
        if self.rows <= 1 {
            *self = Errors::default();
            return;
        }
        self.rows -= 1;
        self.error -= one.error;
        self.absolute -= one.absolute;
        self.squared -= one.squared;
        self.percentage -= one.percentage;
        let n = self.rows as f64;
        let mean = self.truth_mean - (truth - self.truth_mean) / n;
        self.truth_m2 = (self.truth_m2 - (truth - self.truth_mean) * (truth - mean)).max(0.0);
        self.truth_mean = mean;
    }

    fn of(prediction: f64, truth: f64) -> Errors {
        let error = prediction - truth;
        Errors {
            rows: 1,
            error,
            absolute: error.abs(),
            squared: error * error,
            percentage: error.abs() / truth.abs().max(TRUTH_MIN),
            truth_mean: truth,
            truth_m2: 0.0,
        }
    }

    pub fn merge(&mut self, other: &Errors) {
        if other.rows == 0 {
            return;
        }
        let (n, m) = (self.rows as f64, other.rows as f64);
        let delta = other.truth_mean - self.truth_mean;
        self.truth_m2 += other.truth_m2 + delta * delta * (n * m / (n + m));
        self.truth_mean += delta * (m / (n + m));
        self.rows += other.rows;
        self.error += other.error;
        self.absolute += other.absolute;
        self.squared += other.squared;
        self.percentage += other.percentage;
    }

    /// `None` without rows.
    pub fn finish(&self) -> Option<ErrorScores> {
        let n = self.rows as f64;
        (self.rows > 0).then(|| ErrorScores {
            mean_error: self.error / n,
            mean_absolute_error: self.absolute / n,
            root_mean_squared_error: (self.squared / n).sqrt(),
            mean_absolute_percentage_error: self.percentage / n,
            r2: (self.rows > 1 && self.truth_m2 > 0.0).then(|| 1.0 - self.squared / self.truth_m2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_taken_back_leaves_the_others() {
        let rows = [(1.0, 2.0), (3.5, 3.0), (-1.0, 0.5), (8.0, 7.0)];
        let (mut all, mut few) = (Errors::default(), Errors::default());
        rows.iter().for_each(|row| all.add(row.0, row.1));
        rows[..3].iter().for_each(|row| few.add(row.0, row.1));
        all.remove(8.0, 7.0);
        let (a, b) = (all.finish().unwrap(), few.finish().unwrap());
        assert!(
            (a.r2.unwrap() - b.r2.unwrap()).abs() < 1e-12
                && (a.mean_absolute_error - b.mean_absolute_error).abs() < 1e-12
        );
    }
}
