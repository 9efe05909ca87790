//! Two proportions: the shares of one of two values in the reference and in the window.
//!
//! A column is binary where at most two bins are in use on either side, missing values left aside; the bin of unseen values
//! counts as one. Which of the two values is looked at makes no difference. This file knows bins; no method.

use super::{Bins, Undefined, both};

/// Rows of the two values on each side, both sides with rows; the second value may have none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proportions {
    pub(super) reference: [u64; 2],
    pub(super) current: [u64; 2],
}

impl Proportions {
    pub(super) fn of(bins: &Bins) -> Result<Proportions, Undefined> {
        let values = bins.reference.len().saturating_sub(usize::from(bins.missing));
        let in_use = bins.reference.iter().zip(bins.current).take(values).filter(|(r, c)| **r > 0 || **c > 0);
        let mut found = Proportions { reference: [0; 2], current: [0; 2] };
        for (at, (&r, &c)) in in_use.enumerate() {
            if at == 2 {
                return Err("the column has more than two values");
            }
            (found.reference[at], found.current[at]) = (r, c);
        }
        both(found.reference.iter().sum(), found.current.iter().sum()).map(|_| found)
    }

    /// Rows of the reference and of the window.
    pub(super) fn rows(&self) -> (f64, f64) {
        let rows = |side: [u64; 2]| side[0] as f64 + side[1] as f64;
        (rows(self.reference), rows(self.current))
    }

    /// abs(p - q), 0 to 1. Counts are exact, so equal shares give 0.
    pub(super) fn difference(&self) -> f64 {
        let (n, m) = self.rows();
        (self.reference[0] as f64 * m - self.current[0] as f64 * n).abs() / (n * m)
    }

    /// Standard error of the difference where both sides are of one distribution, whose share is the pooled one.
    pub(super) fn standard_error(&self) -> f64 {
        let (n, m) = self.rows();
        let pooled = |value: usize| (self.reference[value] as f64 + self.current[value] as f64) / (n + m);
        (pooled(0) * pooled(1) * (1.0 / n + 1.0 / m)).sqrt()
    }

    /// The 99th percentile of the difference under no drift: that of the absolute value of a normal number. With fewer than
    /// some five expected rows of either value it is rough.
    pub(super) fn noise(&self) -> f64 {
        const NORMAL_99_5: f64 = 2.575_829_303_548_900_4;
        NORMAL_99_5 * self.standard_error()
    }
}
