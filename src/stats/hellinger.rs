//! Hellinger distance over the bins.
//!
//! H = sqrt(1 - sum sqrt(p q)) over shares of rows without smoothing; 0 for equal shares, 1 where no bin has rows of both
//! sides. Symmetric, and a metric. It is computed as sqrt(sum (sqrt p - sqrt q)^2 / 2), which is the same and keeps its digits
//! near 0. Bins that are empty on both sides add nothing. A side without rows: not defined.
//!
//! The limit of 0.1 is that of `jensen_shannon`, which is a fifth larger for small shifts and equal where nothing is in common.
//!
//! Source: Hellinger (1909), as NannyML has it: `numpy.linalg.norm(numpy.sqrt(p) - numpy.sqrt(q)) / numpy.sqrt(2)`.
//! This file knows bins; no columns, windows or thresholds in force.

use super::noise::{Noise, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "hellinger",
    numerical: true,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    about: "Hellinger distance of the shares in the bins, 0 to 1",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise {
        is_distance: false,
        // Its square is an eighth of sum (p - q)^2 / a to the second order.
        closed: |null| chi_square_level(null).map(|level| (level / 8.0).sqrt()),
        score: |sides| score(sides).ok(),
    }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let bins = sides.bins.reference.iter().zip(sides.bins.current).filter(|(r, c)| **r > 0 || **c > 0);
    let squares: f64 = bins
        .map(|(&r, &c)| {
            let (r, c) = (r as f64, c as f64);
            // sqrt p - sqrt q = (p - q) / (sqrt p + sqrt q); counts are exact, so equal shares give 0.
            let apart = (r * m - c * n) / (n * m);
            (apart / ((r / n).sqrt() + (c / m).sqrt())).powi(2)
        })
        .sum();
    Ok((squares / 2.0).sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    #[test]
    fn scores_are_those_of_numpy() {
        // numpy.sqrt(1 - numpy.sqrt(numpy.array([.3, .5, .2]) * [.1, .6, .3]).sum())
        let found = score(&binned(&[30, 50, 20], &[10, 60, 30])).expect("defined");
        assert!((found - 0.18472516736933414).abs() < 1e-15, "{found}");
    }

    #[test]
    fn nothing_in_common_is_one_and_equal_shares_are_zero() {
        assert_eq!(score(&binned(&[5, 0], &[0, 9])), Ok(1.0));
        assert_eq!(score(&binned(&[5], &[9])), Ok(0.0));
        assert_eq!(score(&binned(&[5, 0, 10], &[7, 0, 14])), Ok(0.0));
    }

    #[test]
    fn no_rows_are_not_defined() {
        assert_eq!(score(&binned(&[5, 0], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(score(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
