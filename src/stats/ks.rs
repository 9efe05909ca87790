//! Kolmogorov-Smirnov: the largest distance between the two empirical distribution functions.
//!
//! D = sup |F_R(x) - F_C(x)|, 0 to 1, over all rows that have a value, infinities included. Ties are one step
//! of both functions: D is read after each cell, and a stretch between two knots counts as one value, so that D is
//! exact where the cells hold every value and else at most the mass of one stretch short.
//! Two constant columns: 0 where the values are equal, else 1. No rows with a value on a side: not defined.
//!
//! The p-value is two-sided, as `scipy.stats.ks_2samp` gives it in its automatic mode: exact up to 10 000
//! rows a side, else the one-sample distribution at round(nm/(n+m)) rows. It takes the columns as continuous;
//! with many ties it is too large.
//!
//! Source: Hodges (1958), "The significance probability of the Smirnov two-sample test"; SciPy 1.17.
//! This file knows cells; no columns, windows or thresholds in force.

use super::kolmogorov::{gcd, one_sample, two_sample_exact};
use super::noise::{Noise, Null};
use super::{Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "ks",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Score(0.1),
    about: "largest distance between the distribution functions, 0 to 1",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| distance(sides).ok().map(|distance| distance.score()),
    }),
};

/// More rows than this on a side take the asymptotic p-value, as SciPy does.
const EXACT_ROWS_MAX: u64 = 10_000;

/// D as a fraction of whole numbers.
struct Distance {
    /// D times `reference` times `current`.
    steps: u128,
    reference: u64,
    current: u64,
}

impl Distance {
    fn score(&self) -> f64 {
        self.steps as f64 / (self.reference as f64 * self.current as f64)
    }

    fn p_value(&self) -> f64 {
        let (n, m) = (self.reference, self.current);
        if n.max(m) <= EXACT_ROWS_MAX {
            let steps = self.steps / u128::from(gcd(n, m));
            return two_sample_exact(n, m, steps as u64);
        }
        let (rows, others) = (n as f64, m as f64);
        let pooled = (rows * others / (rows + others)).round_ties_even();
        one_sample(self.score(), pooled.max(1.0) as u64)
    }
}

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let distance = distance(sides)?;
    Ok(Outcome::tested(distance.score(), distance.p_value()))
}

fn distance(sides: &Sides) -> Result<Distance, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let (reference, current) = both(cells.reference.rows(), cells.current.rows())?;
    let (mut below_r, mut below_c, mut steps) = (0u128, 0u128, 0u128);
    for (&r, &c) in cells.reference.counts.iter().zip(cells.current.counts) {
        below_r += u128::from(r) * u128::from(current);
        below_c += u128::from(c) * u128::from(reference);
        steps = steps.max(below_r.abs_diff(below_c));
    }
    Ok(Distance { steps, reference, current })
}

/// The 99 % point of Kolmogorov's distribution with Stephens' (1970) correction for few rows. Not for columns of few values,
/// where D is smaller than for continuous ones.
fn noise(null: &Null) -> Option<f64> {
    const KOLMOGOROV_99: f64 = 1.627_624;
    const FEW_POINTS: usize = 256;
    let points = null.points?;
    let distinct = points.counts.iter().filter(|&&count| count > 0).count();
    if distinct <= FEW_POINTS || null.point_rows == 0 {
        return None;
    }
    let rows = 1.0 / (1.0 / points.rows() as f64 + 1.0 / null.point_rows as f64);
    Some(KOLMOGOROV_99 / (rows.sqrt() + 0.12 + 0.11 / rows.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides};
    use super::*;

    fn outcome(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Option<(f64, f64)> {
        let column = cells(reference, current);
        test(&sides(&column)).ok().map(|found| (found.score, found.p_value.expect("ks has one")))
    }

    fn assert_outcome(found: Option<(f64, f64)>, score: f64, p_value: f64) {
        let found = found.expect("both sides have rows");
        assert!((found.0 - score).abs() < 1e-15, "{found:?}");
        assert!((found.1 / p_value - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.stats.ks_2samp([1, 2, 2, 3], [2, 3, 3, 5])
        let found = outcome(&[(1.0, 1), (2.0, 2), (3.0, 1)], &[(2.0, 1), (3.0, 2), (5.0, 1)]);
        assert_outcome(found, 0.5, 0.7714285714285716);
        // scipy.stats.ks_2samp([1, 2, 3, 4, 5], [1.5, 6, 7])
        let found = outcome(&[(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 1), (5.0, 1)], &[(1.5, 1), (6.0, 1), (7.0, 1)]);
        assert_outcome(found, 0.6666666666666666, 0.2857142857142857);
        // scipy.stats.ks_2samp(np.repeat([0, 1], [500, 500]), np.repeat([0, 1], [560, 441]))
        let found = outcome(&[(0.0, 500), (1.0, 500)], &[(0.0, 560), (1.0, 441)]);
        assert_outcome(found, 0.05944055944055944, 0.0552446639074209);
        // scipy.stats.ks_2samp(np.repeat([0, 1], [5000, 15000]), np.repeat([0, 1], [280, 720]))
        let found = outcome(&[(0.0, 5000), (1.0, 15_000)], &[(0.0, 280), (1.0, 720)]);
        assert_outcome(found, 0.030000000000000027, 0.35137330066411476);
    }

    #[test]
    fn constants_are_equal_or_wholly_apart() {
        assert_eq!(outcome(&[(3.0, 10)], &[(3.0, 20)]), Some((0.0, 1.0)));
        let (score, p_value) = outcome(&[(3.0, 10)], &[(4.0, 20)]).expect("both sides have rows");
        assert_eq!(score, 1.0);
        assert!(p_value < 1e-6);
    }

    #[test]
    fn infinities_count_and_no_rows_are_not_defined() {
        let found = outcome(&[(0.0, 4)], &[(f64::NEG_INFINITY, 1), (0.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(found.map(|found| found.0), Some(0.25));
        assert_eq!(outcome(&[], &[(1.0, 3)]), None);
        assert_eq!(outcome(&[(1.0, 3)], &[]), None);
    }

    #[test]
    fn billions_of_rows_do_not_overflow() {
        let (score, p_value) =
            outcome(&[(0.0, 1 << 40), (1.0, 1 << 40)], &[(0.0, 1 << 39), (1.0, 3 << 39)]).expect("rows");
        assert_eq!((score, p_value), (0.25, 0.0));
    }
}
