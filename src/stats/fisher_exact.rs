//! Fisher's exact test of two proportions, for binary columns; the score is the difference of the proportions.
//!
//! Score = abs(p - q), 0 to 1, as in `z_test`. The p-value is two-sided: of all 2 x 2 tables with the same sums, the share
//! (hypergeometric) of those at most as likely as the one seen, to a relative 1e-7.
//! One value only: score 0, p 1. More than two values in use, or a side without values: not defined.
//!
//! Tables are weighed from the most likely one outward, each by its ratio to the one before, until a weight is lost beside the
//! sum or too small for `f64` (38 standard deviations away: p is 0 there). A million rows on either side take 54 000 steps at
//! most, 0.2 ms. Beyond a standard deviation of 20 000 rows (6e9 rows) the p-value is that of `z_test`, within 1 % down to 1e-12.
//!
//! The limit of 0.1: a tenth of the rows has the other value.
//!
//! Source: Fisher (1922); `scipy.stats.fisher_exact(table)`, R's `fisher.test`.
//! This file knows two proportions; no columns, windows or thresholds in force.

use super::proportions::Proportions;
use super::{Limit, Method, Outcome, Sides, Undefined, z_test};

pub const METHOD: Method = Method {
    name: "fisher_exact",
    numerical: false,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    about: "difference of the proportions of a binary column, 0 to 1, with the p-value of Fisher's exact test",
    test,
    // The test says it itself: only there the missing values are known.
    noise: None,
};

/// Two tables are equally likely to this: far above rounding, far below the step between neighbours that matter.
const TOLERANCE: f64 = 1e-7;

/// In rows; from here on the exact sum takes longer than 10 ms.
const DEVIATION_MAX: f64 = 20_000.0;

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let shares = Proportions::of(&sides.bins)?;
    let noise = Some(shares.noise());
    Ok(Outcome { noise, ..Outcome::tested(shares.difference(), p_value(&shares)) })
}

fn p_value(shares: &Proportions) -> f64 {
    let (n, m) = shares.rows();
    if shares.standard_error() * (n * m / (n + m)) > DEVIATION_MAX {
        return z_test::p_value(shares);
    }
    let mut seen = Table { reference: shares.reference, current: shares.current };
    let mut likeliest = seen.likeliest();
    // The table seen has at least as much of the first value as the likeliest one.
    if seen.reference[0] < likeliest.reference[0] {
        (seen, likeliest) = (seen.turned(), likeliest.turned());
    }
    let steps = seen.reference[0] - likeliest.reference[0];
    if steps == 0 {
        return 1.0;
    }
    let lost = |weight: f64, tail: f64| weight <= tail * f64::EPSILON / 16.0;
    let (mut tail, mut rest, mut limit) = (0.0, 0.0, 0.0);
    for (step, weight) in (1..).zip(likeliest.upward()) {
        if step < steps {
            rest += weight;
        } else {
            limit = f64::max(limit, weight * (1.0 + TOLERANCE));
            tail += weight;
        }
        if lost(weight, tail) {
            break;
        }
    }
    for weight in std::iter::once(1.0).chain(likeliest.turned().upward()) {
        *(if weight <= limit { &mut tail } else { &mut rest }) += weight;
        if lost(weight, tail) {
            break;
        }
    }
    tail / (tail + rest)
}

/// Rows of two values on two sides.
#[derive(Debug, Clone, Copy)]
struct Table {
    reference: [u64; 2],
    current: [u64; 2],
}

impl Table {
    /// The most likely table of the same sums.
    fn likeliest(self) -> Table {
        let sum = |side: [u64; 2]| u128::from(side[0]) + u128::from(side[1]);
        let (n, m) = (sum(self.reference), sum(self.current));
        let k = u128::from(self.reference[0]) + u128::from(self.current[0]);
        let first = ((n + 1) * (k + 1) / (n + m + 2)) as u64;
        let [r, c] = self.reference;
        let [into, out] =
            [first.saturating_sub(r).min(c).min(self.current[0]), r.saturating_sub(first).min(self.current[1])];
        Table {
            reference: [r + into - out, c - into + out],
            current: [self.current[0] - into + out, self.current[1] + into - out],
        }
    }

    /// The values in the other order.
    fn turned(self) -> Table {
        let turn = |[first, second]: [u64; 2]| [second, first];
        Table { reference: turn(self.reference), current: turn(self.current) }
    }

    /// How likely the tables are that have one row more of the first value in the reference, two more, and so on, beside this one.
    fn upward(self) -> impl Iterator<Item = f64> {
        let [mut r, mut s] = self.reference.map(|rows| rows as f64);
        let [mut c, mut d] = self.current.map(|rows| rows as f64);
        let mut weight = 1.0;
        std::iter::from_fn(move || {
            weight *= s * c / ((r + 1.0) * (d + 1.0));
            (r, s, c, d) = (r + 1.0, s - 1.0, c - 1.0, d + 1.0);
            Some(weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    fn assert_p_value(reference: [u64; 2], current: [u64; 2], expected: f64) {
        for turn in [false, true] {
            let (r, c) = if turn { (current, reference) } else { (reference, current) };
            let found = test(&binned(&r, &c)).expect("defined").p_value.expect("it has one");
            assert!((found / expected - 1.0).abs() < 1e-9, "{r:?} {c:?}: {found:e}, not {expected:e}");
        }
    }

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy.stats.fisher_exact([[8, 2], [1, 5]]).pvalue, and so on.
        assert_p_value([8, 2], [1, 5], 0.034965034965034975);
        assert_p_value([70, 30], [60, 40], 0.1819324149014409);
        assert_p_value([10, 90], [30, 70], 0.0006504107076034208);
        assert_p_value([1, 999], [30, 9970], 0.3589278617293325);
        assert_p_value([400_000, 600_000], [402_000, 598_000], 0.0039251720983817405);
        assert_p_value([200, 9800], [100, 9900], 6.205062185310538e-09);
    }

    #[test]
    fn one_value_is_no_difference_and_a_table_of_two_rows_says_nothing() {
        let found = test(&binned(&[5, 0], &[9, 0])).expect("defined");
        assert_eq!((found.score, found.p_value), (0.0, Some(1.0)));
        let found = test(&binned(&[1, 0], &[0, 1])).expect("defined");
        assert_eq!((found.score, found.p_value), (1.0, Some(1.0)));
        assert_eq!(test(&binned(&[1, 1], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(test(&binned(&[], &[])), Err(NO_REFERENCE));
        assert_eq!(test(&binned(&[1, 1, 1], &[1, 0, 0])), Err("the column has more than two values"));
    }

    #[test]
    fn beyond_the_sum_there_is_the_normal_distribution() {
        let million = |reference, current| Proportions { reference, current };
        let inside = million([500_000_000, 500_000_000], [500_050_000, 499_950_000]);
        let exact = p_value(&inside);
        assert!((exact / z_test::p_value(&inside) - 1.0).abs() < 0.01, "{exact}");
        let beyond = million([u64::MAX / 4, u64::MAX / 4], [u64::MAX / 4, u64::MAX / 4 - 9_000_000_000]);
        assert_eq!(p_value(&beyond), z_test::p_value(&beyond));
        assert_eq!(p_value(&million([1_000_000, 0], [0, 1_000_000])), 0.0);
    }
}
