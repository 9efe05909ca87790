//! Wasserstein distance of order 1, in standard deviations of the reference.
//!
//! W1(R, C) / max(std(R), 0.001), W1 = integral of |F_R(x) - F_C(x)| dx over the finite values of both sides; 0 and up.
//! It is the mean way that a value has to travel for R to become C. Infinities are left out (the bins of the other
//! methods count them). The floor of the divisor keeps a constant reference from dividing by nothing: there the
//! score is the distance in thousandths. Ties need no care. A side without finite values: not defined; nor is a
//! distance beyond the range of `f64`.
//!
//! A shift of the whole column by s standard deviations scores s. One far outlier among m rows scores its distance / m: the
//! reference's std is inflated likewise by an outlier of its own, so clip such columns, or use `psi`.
//!
//! Source: `scipy.stats.wasserstein_distance`; the divisor is Evidently's "normed" form with ddof 0.
//! This file knows cells; no columns, windows or thresholds in force.

use super::noise::Noise;
use super::{BEYOND, Limit, Method, NOT_NUMERICAL, Outcome, Points, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "wasserstein",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    limit: Limit::Score(0.1),
    about: "mean distance that values moved, in standard deviations of the reference",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: |_| None, is_distance: true, score: |sides| score(sides).ok() }),
};

/// The smallest standard deviation that divides.
pub(super) const STD_MIN: f64 = 0.001;

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let std = sides.reference_std();
    let score = apart(cells.reference, cells.current, |apart| apart)? / std.max(STD_MIN);
    if score.is_finite() && std.is_finite() { Ok(score) } else { Err(BEYOND) }
}

/// The integral over x of `height` of |F_R(x) - F_C(x)| for the finite points, in the column's unit; `height` of 0 is 0.
pub(super) fn apart(reference: Points, current: Points, height: impl Fn(f64) -> f64) -> Result<f64, Undefined> {
    let (n, m) = both(finite_rows(reference), finite_rows(current))?;
    let (n, m) = (n as f64, m as f64);
    let mut walk = Walk { at: f64::NEG_INFINITY, below_r: 0.0, below_c: 0.0, n, m, height, sum: 0.0 };
    let reference = reference.values.iter().zip(reference.counts);
    let current = current.values.iter().zip(current.counts);
    for ((&x, &r), (&y, &c)) in reference.zip(current) {
        let r = if x.is_finite() { r } else { 0 };
        let c = if y.is_finite() { c } else { 0 };
        match (r > 0, c > 0) {
            (true, true) if x <= y => {
                walk.step(x, r, 0);
                walk.step(y, 0, c);
            }
            (_, true) => {
                walk.step(y, 0, c);
                if r > 0 {
                    walk.step(x, r, 0);
                }
            }
            (true, false) => walk.step(x, r, 0),
            (false, false) => {}
        }
    }
    Ok(walk.sum)
}

fn finite_rows(points: Points) -> u64 {
    let finite = points.values.iter().zip(points.counts).filter(|(value, _)| value.is_finite());
    finite.map(|(_, &count)| count).sum()
}

/// The two distribution functions up to `at`, and the area between them so far.
struct Walk<H> {
    at: f64,
    below_r: f64,
    below_c: f64,
    n: f64,
    m: f64,
    height: H,
    sum: f64,
}

impl<H: Fn(f64) -> f64> Walk<H> {
    fn step(&mut self, to: f64, r: u64, c: u64) {
        // Counts are exact up to 2^53 rows, so equal sides give 0 and the first step from -inf adds nothing.
        let apart = (self.below_r * self.m - self.below_c * self.n).abs();
        if apart > 0.0 {
            self.sum += (self.height)(apart / (self.n * self.m)) * (to - self.at).max(0.0);
        }
        self.at = to;
        self.below_r += r as f64;
        self.below_c += c as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides, spread};
    use super::*;
    use crate::stats::{NO_CURRENT, NO_REFERENCE};

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)], reference_std: f64) -> Result<f64, Undefined> {
        let column = cells(reference, current);
        score(&Sides { moments: Some([spread(reference_std); 2]), ..sides(&column) })
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.stats.wasserstein_distance([0, 1, 3], [5, 6, 8]) / numpy.std([0, 1, 3])
        let found = of(&[(0.0, 1), (1.0, 1), (3.0, 1)], &[(5.0, 1), (6.0, 1), (8.0, 1)], 1.247219128924647);
        assert!((found.expect("defined") - 5.0 / 1.247219128924647).abs() < 1e-14);
        // scipy.stats.wasserstein_distance([0, 1], [0, 1], [3, 1], [2, 2])
        assert_eq!(of(&[(0.0, 3), (1.0, 1)], &[(0.0, 2), (1.0, 2)], 1.0), Ok(0.25));
    }

    #[test]
    fn the_sides_may_lie_apart_inside_a_cell() {
        let distance_of = |x, y| {
            let reference = Points { values: &[0.0, x, 10.0], counts: &[1, 2, 1] };
            apart(reference, Points { values: &[0.0, y, 10.0], counts: &[1, 2, 1] }, |apart| apart)
        };
        assert_eq!(distance_of(4.0, 6.0), Ok(1.0));
        assert_eq!(distance_of(6.0, 4.0), Ok(1.0));
        assert_eq!(distance_of(5.0, 5.0), Ok(0.0));
    }

    #[test]
    fn infinities_are_left_out_and_no_finite_row_is_not_defined() {
        let found = of(&[(0.0, 2), (f64::INFINITY, 7)], &[(f64::NEG_INFINITY, 1), (3.0, 1)], 1.0);
        assert_eq!(found, Ok(3.0));
        assert_eq!(of(&[(0.0, 2)], &[(f64::INFINITY, 1)], 1.0), Err(NO_CURRENT));
        assert_eq!(of(&[], &[(1.0, 1)], 1.0), Err(NO_REFERENCE));
    }

    #[test]
    fn a_constant_reference_divides_by_a_thousandth() {
        assert_eq!(of(&[(2.0, 5)], &[(2.5, 5)], 0.0), Ok(500.0));
        assert_eq!(of(&[(2.0, 5)], &[(2.0, 9)], 0.0), Ok(0.0));
    }

    #[test]
    fn a_distance_beyond_f64_is_not_defined() {
        assert_eq!(of(&[(-1.7e308, 1)], &[(1.7e308, 1)], 1.0), Err(BEYOND));
        assert_eq!(of(&[(0.0, 1)], &[(1.0, 1)], f64::INFINITY), Err(BEYOND));
    }
}
