//! Total variation distance over the bins: the share of the rows that would have to move to another bin.
//!
//! TV = sum abs(p - q) / 2 over shares of rows without smoothing; 0 for equal shares, 1 where no bin has rows of both sides.
//! Symmetric, and a metric. Bins that are empty on both sides add nothing. A side without rows: not defined.
//!
//! The limit of 0.1: a tenth of the rows has moved.
//!
//! Source: `numpy.abs(p - q).sum() / 2`, which is `scipy.spatial.distance.cityblock(p, q) / 2`.
//! This file knows bins; no columns, windows or thresholds in force.

use super::noise::Noise;
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "total_variation",
    numerical: true,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    about: "share of the rows that moved to another bin, 0 to 1",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: |_| None, is_distance: true, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let bins = sides.bins.reference.iter().zip(sides.bins.current);
    // Counts are exact, so equal shares give 0.
    let apart: f64 = bins.map(|(&r, &c)| (r as f64 * m - c as f64 * n).abs()).sum();
    Ok((apart / (n * m) / 2.0).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    #[test]
    fn scores_follow_the_formula() {
        // scipy.spatial.distance.cityblock([.3, .5, .2], [.1, .6, .3]) / 2
        let found = score(&binned(&[30, 50, 20], &[10, 60, 30])).expect("defined");
        assert!((found - 0.2).abs() < 1e-15, "{found}");
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
