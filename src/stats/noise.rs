//! The noise level of a score: what a sample of this size reaches by chance without any drift.

use super::{Method, Points};

/// How a method's noise level is found.
#[derive(Debug)]
pub enum Noise {
    Closed(fn(&Null) -> f64),
}

/// "No drift": the reference, and a current window of so many rows drawn from the same distribution.
#[derive(Debug, Clone, Copy)]
pub struct Null<'a> {
    /// The reference's counts in the bins of the comparison (all sums to the reference's rows).
    pub bins: &'a [u64],
    /// Numerical columns only: the reference's points.
    pub points: Option<Points<'a>>,
    /// As in `Sides`.
    pub reference_std: f64,
    /// Rows of the current window that fall in bins (all of them), and those that are points (not missing).
    pub rows: u64,
    pub point_rows: u64,
}

/// The noise levels of one column; keeps what is dear to compute.
#[derive(Debug, Default)]
pub struct Levels {}

impl Levels {
    /// The 99th percentile of the method's score under `null`, in the score's unit.
    pub fn level(&mut self, method: &Method, null: &Null) -> f64 {
        let Noise::Closed(level) = method.noise;
        level(null)
    }
}
