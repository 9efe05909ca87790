//! G-test of homogeneity (likelihood ratio) of the 2 x k table of both sides' counts, with Cramer's V made of G as its score.
//!
//! G = 2 sum observed ln(observed / expected) over both rows of the table, expected from the pooled shares; the score is
//! sqrt(G / N) over all N rows of both sides, 0 for equal shares, and near that of `chi_square` while shares are near each other;
//! where no category has rows of both it is at most sqrt(2 ln 2) = 1.177, for sides of equally many rows. Columns
//! without rows are dropped. p-value: the upper tail of chi-square at k - 1 degrees of freedom, without a correction.
//! One category only: score 0, p 1. A side without rows: not defined. Like that of `chi_square` the score stays
//! small for a small window beside a large reference.
//!
//! The limit of 0.1 is that of `chi_square`.
//!
//! Source: Woolf (1957); `scipy.stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)`.
//! This file knows bins; no columns, windows or thresholds in force.

use statrs::function::gamma::gamma_ur;

use super::kl_divergence::term;
use super::noise::{Noise, Null, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "g_test",
    numerical: false,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    about: "Cramer's V made of the G statistic of the counts of both sides, 0 to 1.18",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| test(sides).ok().map(|outcome| outcome.score),
    }),
};

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let all = n + m;
    let (mut half, mut categories) = (0.0, 0u64);
    for (&r, &c) in sides.bins.reference.iter().zip(sides.bins.current) {
        let (r, c) = (r as f64, c as f64);
        let pooled = r + c;
        if pooled > 0.0 {
            half += term(r, pooled * n / all) + term(c, pooled * m / all);
            categories += 1;
        }
    }
    let p_value = if categories > 1 && half > 0.0 { gamma_ur((categories - 1) as f64 / 2.0, half) } else { 1.0 };
    Ok(Outcome::tested((2.0 * half / all).sqrt(), p_value))
}

fn noise(null: &Null) -> Option<f64> {
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    chi_square_level(null).map(|level| (level * n * m / (n + m) / (n + m)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    fn assert_outcome(sides: &Sides, score: f64, p_value: f64) {
        let found = test(sides).expect("both sides have rows");
        assert!((found.score - score).abs() < 1e-14, "{found:?}");
        assert!((found.p_value.expect("it has one") / p_value - 1.0).abs() < 1e-11, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // found = scipy.stats.chi2_contingency([[30, 50, 20], [10, 60, 30]], lambda_="log-likelihood", correction=False)
        // numpy.sqrt(found.statistic / 200), found.pvalue
        assert_outcome(&binned(&[30, 50, 20], &[10, 60, 30]), 0.258735980187168, 0.0012377862905961884);
        // The same of [[90, 0], [80, 40]], over 210; empty columns make no difference.
        assert_outcome(&binned(&[90, 0, 0], &[80, 0, 40]), 0.49636745981551217, 6.336071737382034e-13);
    }

    #[test]
    fn one_category_is_equal_and_nothing_in_common_is_more_than_one() {
        assert_eq!(test(&binned(&[5, 0], &[9, 0])), Ok(Outcome::tested(0.0, 1.0)));
        assert_eq!(test(&binned(&[5, 10], &[1, 2])), Ok(Outcome::tested(0.0, 1.0)));
        let found = test(&binned(&[9, 0], &[0, 9])).expect("both sides have rows");
        assert!((found.score - (2.0 * std::f64::consts::LN_2).sqrt()).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn no_rows_are_not_defined() {
        assert_eq!(test(&binned(&[5, 0], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(test(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
