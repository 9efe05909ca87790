//! The noise level of a score: what a sample of this size reaches by chance without any drift.
//!
//! The level is the 99th percentile of the score between a reference of n rows, itself a sample, and a window of
//! m rows from the same distribution; about one undrifted window in a hundred lies above it. A closed form gives it
//! where theory holds, else the score of resampled pairs (`resample`).
//!
//! Measured with windows of 100, 1000 and 100 000 rows, drawn through the monitor: 0.6 to 1.7 % of undrifted windows exceed it for
//! every method, 0.2 to 2 % in any single column (`docs/false_alarms.md`). `epps_singleton` at 100 rows and `wasserstein` beside a
//! heavy tail lie a little above 1 %, `ks` of columns with one heavy tie below; where two categories leave few possible scores,
//! chance decides on which side of 1 % they fall; with 900 categories, most of them rare, and a window ten times
//! the reference it is 0.2 %.
//!
//! This file knows no formula of a single method.

use std::collections::HashMap;

use super::resample::resampled_level;
use super::{Method, Moments, Points, Sides};

/// How a method's noise level is found.
#[derive(Debug)]
pub struct Noise {
    /// The level by formula, in about a microsecond; `None` where the formula does not hold.
    pub closed: fn(&Null) -> Option<f64>,
    /// The level falls like the root of 1/n + 1/m, as that of a distance between samples of any but the fewest rows does.
    pub is_distance: bool,
    /// The score alone, for resampling. It sees bins for methods of categories, cells for those that are numerical only.
    pub score: fn(&Sides) -> Option<f64>,
}

/// "No drift": the reference, and a current window of so many rows drawn from the same distribution.
#[derive(Debug, Clone, Copy)]
pub struct Null<'a> {
    /// The reference's counts in the bins of the comparison (all sums to the reference's rows).
    pub bins: &'a [u64],
    /// Numerical columns only: the reference's points.
    pub points: Option<Points<'a>>,
    /// Of the reference's finite values; of nothing for categorical columns.
    pub moments: Moments,
    /// Rows of the current window that fall in bins (all of them), and those that are points (not missing).
    pub rows: u64,
    pub point_rows: u64,
}

/// The noise levels of one column against one reference; keeps what is dear to compute.
#[derive(Debug, Default)]
pub struct Levels {
    resampled: HashMap<Step, f64>,
}

/// What a resampled level depends on, beside the reference.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Step {
    method: &'static str,
    bins: usize,
    rows: u64,
}

/// About 5 KiB a column. A window that grows from 100 rows to a million passes 54 steps.
const STEPS_MAX: usize = 128;

/// From here on levels of distances fall as they should.
const ROWS_MANY: u64 = 1000;

impl Levels {
    /// The 99th percentile of the method's score under `null`, in the score's unit. The same for the same arguments, whatever
    /// was asked before. Resampled levels are kept at four row counts an octave; between them they are interpolated or, where it
    /// is known how they fall, follow from the one below.
    /// Infinite where a side has no rows: there chance can do anything. `None` for a method without noise.
    pub fn level(&mut self, method: &Method, null: &Null) -> Option<f64> {
        let noise = method.noise.as_ref()?;
        if let Some(level) = (noise.closed)(null) {
            return Some(level);
        }
        let rows = if method.categorical { null.rows } else { null.point_rows };
        let (below, above) = steps(rows);
        let low = self.step(method, null, below);
        if above == below {
            return Some(low);
        }
        if noise.is_distance && rows >= ROWS_MANY {
            let n: u64 = null.points.map_or(null.bins.iter().sum(), |points| points.rows());
            let spread = |rows: u64| (1.0 / n as f64 + 1.0 / rows as f64).sqrt();
            return Some(low * spread(rows) / spread(below));
        }
        let high = self.step(method, null, above);
        let way = (rows as f64 / below as f64).ln() / (above as f64 / below as f64).ln();
        Some(low.powf(1.0 - way) * high.powf(way))
    }

    fn step(&mut self, method: &Method, null: &Null, rows: u64) -> f64 {
        let bins = if method.categorical { null.bins.len() } else { 0 };
        let step = Step { method: method.name, bins, rows };
        if self.resampled.len() >= STEPS_MAX && !self.resampled.contains_key(&step) {
            self.resampled.clear();
        }
        *self.resampled.entry(step).or_insert_with(|| resampled_level(method, null, rows).unwrap_or(f64::INFINITY))
    }
}

/// The steps at or about a row count: every number of three significant bits, and those below 32.
fn steps(rows: u64) -> (u64, u64) {
    if rows < 32 {
        return (rows, rows);
    }
    let dropped = u64::BITS - rows.leading_zeros() - 3;
    let below = rows >> dropped << dropped;
    if rows == below { (below, below) } else { (below, below.saturating_add(1 << dropped)) }
}

/// The 99th percentile of sum (p - q)^2 / ((p + q)/2) over the bins: (1/n + 1/m) times that of chi-square with one degree
/// of freedom less than there are bins in use. `None` where a bin has too few rows for that.
pub(super) fn chi_square_level(null: &Null) -> Option<f64> {
    const EXPECTED_MIN: f64 = 20.0;
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    let used = null.bins.iter().filter(|&&count| count > 0);
    let (bins, smallest) =
        used.fold((0u32, f64::INFINITY), |(bins, least), &count| (bins + 1, least.min(count as f64)));
    (bins > 0 && m > 0.0 && smallest * (m / n).min(1.0) >= EXPECTED_MIN)
        .then(|| (1.0 / n + 1.0 / m) * chi_square_99(f64::from(bins - 1)))
}

/// The 99th percentile of chi-square, after Wilson and Hilferty (1931): within 1 % for one degree of freedom, 0.2 % for five.
fn chi_square_99(freedom: f64) -> f64 {
    if freedom == 0.0 {
        return 0.0;
    }
    let variance = 2.0 / (9.0 * freedom);
    freedom * (1.0 - variance + NORMAL_99 * variance.sqrt()).powi(3)
}

/// The largest share of the rows that one point has; 1 without rows.
pub(super) fn heaviest_share(points: Points) -> f64 {
    let heaviest = points.counts.iter().max().copied().unwrap_or(0);
    if heaviest == 0 { 1.0 } else { heaviest as f64 / points.rows() as f64 }
}

/// The 99th percentile of the standard normal distribution.
pub(super) const NORMAL_99: f64 = 2.326_347_874_040_841;
/// That of its absolute value.
pub(super) const NORMAL_995: f64 = 2.575_829_303_548_900_4;

#[cfg(test)]
mod tests;
