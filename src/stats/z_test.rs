//! z-test of two proportions, for binary columns; the score is the difference of the proportions.
//!
//! Score = abs(p - q), 0 to 1, p and q the shares of one of the two values among the rows that are not missing.
//! z = (p - q) / sqrt(s (1 - s) (1/n + 1/m)) with the pooled share s; the p-value is two-sided, 2 (1 - Phi(abs z)), without
//! continuity correction. The normal distribution is an approximation: with few rows of a value ask for `fisher_exact`.
//! One value only: score 0, p 1. More than two values in use, or a side without values: not defined.
//!
//! The limit of 0.1: a tenth of the rows has the other value.
//!
//! Source: `statsmodels.stats.proportion.proportions_ztest(counts, rows)`, Evidently's `z`; z^2 is
//! `scipy.stats.chi2_contingency(table, correction=False).statistic`.
//! This file knows two proportions; no columns, windows or thresholds in force.

use statrs::function::gamma::gamma_ur;

use super::proportions::Proportions;
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "z_test",
    numerical: false,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    about: "difference of the proportions of a binary column, 0 to 1, with the p-value of the z-test",
    test,
    // The test says it itself: only there the missing values are known.
    noise: None,
};

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let shares = Proportions::of(&sides.bins)?;
    let noise = Some(shares.noise());
    Ok(Outcome { noise, ..Outcome::tested(shares.difference(), p_value(&shares)) })
}

/// z^2 is chi-square with one degree of freedom.
pub(super) fn p_value(shares: &Proportions) -> f64 {
    match shares.difference() {
        0.0 => 1.0,
        difference => gamma_ur(0.5, (difference / shares.standard_error()).powi(2) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{Bins, NO_CURRENT, NO_REFERENCE};
    use super::*;

    #[test]
    fn p_values_are_those_of_the_pooled_test() {
        // z = (.7 - .6) / numpy.sqrt(.65 * .35 * (1 / 100 + 1 / 100)); 2 * scipy.stats.norm.sf(z)
        let found = test(&binned(&[70, 30], &[60, 40])).expect("defined");
        assert!((found.score - 0.1).abs() < 1e-15, "{found:?}");
        assert!((found.p_value.expect("it has one") / 0.13820766697402584 - 1.0).abs() < 1e-12, "{found:?}");
        // scipy.stats.norm.ppf(.995) * numpy.sqrt(.65 * .35 * (1 / 100 + 1 / 100))
        assert!((found.noise.expect("it has one") - 0.1737491857093049).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn missing_values_are_left_aside() {
        let bins = Bins { reference: &[70, 30, 0, 9], current: &[60, 40, 0, 5000], missing: true, unseen: &[] };
        let without = test(&binned(&[70, 30], &[60, 40]));
        assert_eq!(test(&Sides { bins, ..binned(&[], &[]) }), without);
        let found = test(&Sides { bins: Bins { missing: false, ..bins }, ..binned(&[], &[]) });
        assert_eq!(found, Err("the column has more than two values"));
        let gone = Bins { current: &[0, 0, 0, 5000], ..bins };
        assert_eq!(test(&Sides { bins: gone, ..binned(&[], &[]) }), Err(NO_CURRENT));
    }

    #[test]
    fn one_value_is_no_difference_and_another_one_is_all() {
        let found = test(&binned(&[5, 0], &[9, 0])).expect("defined");
        assert_eq!((found.score, found.p_value), (0.0, Some(1.0)));
        assert_eq!(test(&binned(&[5, 0], &[0, 9])).map(|found| found.score), Ok(1.0));
        assert_eq!(test(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
