//! Chi-square test of homogeneity of the 2 x k table of both sides' counts, with Cramer's V as its score.
//!
//! chi2 = sum (observed - expected)^2 / expected over both rows of the table, expected from the pooled shares; V = sqrt(chi2 / N)
//! over all N rows of both sides, 0 for equal shares to 1 where no category has rows of both. Columns without
//! rows are dropped. p-value: the upper tail at k - 1 degrees of freedom, without Yates' correction. One category
//! only: V 0, p 1. A side without rows: not defined. V depends on how the rows divide over the sides: for a small window
//! beside a large reference it stays small; use `jensen_shannon` where that matters.
//!
//! Source: Pearson (1900), Cramer (1946); `scipy.stats.chi2_contingency(table, correction=False)`.
//! This file knows bins; no columns, windows or thresholds in force.

use statrs::function::gamma::gamma_ur;

use super::noise::{Noise, Null, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "chi_square",
    numerical: false,
    categorical: true,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Score(0.1),
    about: "Cramer's V of the counts of both sides, 0 to 1",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| test(sides).ok().map(|outcome| outcome.score),
    }),
};

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let (mut chi_square, mut categories) = (0.0, 0u64);
    for (&r, &c) in sides.bins.reference.iter().zip(sides.bins.current) {
        let pooled = r as f64 + c as f64;
        if pooled > 0.0 {
            // A column's two cells are equally far from what is expected; this is the sum of both terms.
            let apart = r as f64 * m - c as f64 * n;
            chi_square += apart * (apart / (pooled * n * m));
            categories += 1;
        }
    }
    let p_value = if categories > 1 && chi_square > 0.0 {
        gamma_ur((categories - 1) as f64 / 2.0, chi_square / 2.0)
    } else {
        1.0
    };
    Ok(Outcome::tested((chi_square / (n + m)).sqrt().min(1.0), p_value))
}

fn noise(null: &Null) -> Option<f64> {
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    chi_square_level(null).map(|level| (level * n * m / (n + m) / (n + m)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::*;
    use crate::stats::{NO_CURRENT, NO_REFERENCE};

    fn assert_outcome(sides: &Sides, score: f64, p_value: f64) {
        let found = test(sides).expect("both sides have rows");
        assert!((found.score - score).abs() < 1e-14, "{found:?}");
        assert!((found.p_value.expect("it has one") / p_value - 1.0).abs() < 1e-11, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // found = scipy.stats.chi2_contingency([[30, 50, 20], [10, 60, 30]], correction=False)
        // numpy.sqrt(found.statistic / 200), found.pvalue
        assert_outcome(&binned(&[30, 50, 20], &[10, 60, 30]), 0.25405797477240216, 0.0015733542800576339);
        // The same of [[90, 10], [80, 40]], over 220; empty columns make no difference.
        assert_outcome(&binned(&[90, 0, 10, 0], &[80, 0, 40, 0]), 0.27724131203346886, 3.9198603664954456e-05);
    }

    #[test]
    fn one_category_is_equal_and_nothing_in_common_is_one() {
        assert_eq!(test(&binned(&[5, 0], &[9, 0])), Ok(Outcome::tested(0.0, 1.0)));
        assert_eq!(test(&binned(&[5, 0], &[0, 9])).map(|found| found.score), Ok(1.0));
        assert_eq!(test(&binned(&[5, 10], &[1, 2])), Ok(Outcome::tested(0.0, 1.0)));
    }

    #[test]
    fn no_rows_are_not_defined() {
        assert_eq!(test(&binned(&[5, 0], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(test(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
