//! L-infinity distance over the bins: the largest change of one bin's share.
//!
//! L = max abs(p - q) over shares of rows without smoothing; 0 for equal shares, 1 where each side is one bin of its own.
//! Symmetric, and a metric. It names no bin and adds none up: many small changes leave it small, whatever their sum
//! (`total_variation` is that). A side without rows: not defined.
//!
//! The limit of 0.1: one bin has gained or lost a tenth of all rows.
//!
//! Source: `scipy.spatial.distance.chebyshev(p, q)`; NannyML's and TFDV's distance of categorical columns.
//! This file knows bins; no columns, windows or thresholds in force.

use super::noise::Noise;
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "l_infinity",
    numerical: true,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    about: "largest change of one bin's share of the rows, 0 to 1",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: |_| None, is_distance: true, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let bins = sides.bins.reference.iter().zip(sides.bins.current);
    // Counts are exact, so equal shares give 0.
    let most = bins.map(|(&r, &c)| (r as f64 * m - c as f64 * n).abs()).fold(0.0, f64::max);
    Ok(most / (n * m))
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    #[test]
    fn scores_follow_the_formula() {
        // scipy.spatial.distance.chebyshev([.3, .5, .2], [.1, .65, .25])
        let found = score(&binned(&[30, 50, 20], &[10, 65, 25])).expect("defined");
        assert!((found - 0.2).abs() < 1e-15, "{found}");
    }

    #[test]
    fn nothing_in_common_is_one_and_equal_shares_are_zero() {
        assert_eq!(score(&binned(&[5, 0], &[0, 9])), Ok(1.0));
        assert_eq!(score(&binned(&[5, 5, 0, 0], &[0, 0, 9, 9])), Ok(0.5));
        assert_eq!(score(&binned(&[5, 0, 10], &[7, 0, 14])), Ok(0.0));
    }

    #[test]
    fn no_rows_are_not_defined() {
        assert_eq!(score(&binned(&[5, 0], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(score(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
