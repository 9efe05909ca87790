//! Jensen-Shannon distance: how well one row tells which side it came from.
//!
//! JS = sqrt(sum (p log2(p/a) + q log2(q/a)) / 2), a = (p + q)/2, over shares of rows without smoothing; 0 for equal
//! shares, 1 where no bin has rows of both sides. Symmetric, and a metric. Bins that are empty on both sides add
//! nothing. A side without rows: not defined.
//!
//! Source: Endres and Schindelin (2003); `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
//! This file knows bins; no columns, windows or thresholds in force.

use std::f64::consts::LN_2;

use super::noise::{Noise, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub static METHOD: Method = Method {
    name: "jensen_shannon",
    numerical: true,
    categorical: true,
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    limit: Limit::Score(0.1),
    about: "square root of the Jensen-Shannon divergence in bits, 0 to 1",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise {
        is_distance: false,
        // The divergence is an eighth of sum (p - q)^2 / a, in nats, to the second order.
        closed: |null| chi_square_level(null).map(|level| (level / (8.0 * LN_2)).sqrt()),
        score: |sides| score(sides).ok(),
    }),
};

/// So many categories are few.
pub const FEW: usize = 3;

/// The limit among few categories: a tenth of the rows moved between two or three large ones is a distance of 0.085 to
/// 0.11, and a sampled score lies as often below that as above.
pub const LIMIT_AMONG_FEW: Limit = Limit::Score(0.05);

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let bins = sides.bins.reference.iter().zip(sides.bins.current);
    let nats: f64 = bins.map(|(&r, &c)| divergence(r as f64 / n, c as f64 / m)).sum();
    Ok((nats / LN_2).sqrt().min(1.0))
}

/// One bin's share of the divergence, in nats.
pub(super) fn divergence(p: f64, q: f64) -> f64 {
    let a = (p + q) / 2.0;
    if a == 0.0 {
        return 0.0;
    }
    // p = a (1 + t), q = a (1 - t). Near t = 0 the logarithms cancel, their series does not.
    let t = (p - q).abs() / (p + q);
    if t < 0.05 {
        let s = t * t;
        return a / 2.0
            * s
            * (1.0 + s * (1.0 / 6.0 + s * (1.0 / 15.0 + s * (1.0 / 28.0 + s * (1.0 / 45.0 + s / 66.0)))));
    }
    let smaller = if t < 1.0 { (1.0 - t) * (-t).ln_1p() } else { 0.0 };
    a / 2.0 * ((1.0 + t) * t.ln_1p() + smaller)
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::*;
    use crate::stats::{NO_CURRENT, NO_REFERENCE};

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.spatial.distance.jensenshannon([30, 50, 20], [10, 60, 30], base=2)
        let found = score(&binned(&[30, 50, 20], &[10, 60, 30])).expect("defined");
        assert!((found - 0.21975010849185064).abs() < 1e-15, "{found}");
        // scipy.spatial.distance.jensenshannon([30, 50, 0], [10, 60, 30], base=2)
        let found = score(&binned(&[30, 50, 0], &[10, 60, 30])).expect("defined");
        assert!((found - 0.4597208198832514).abs() < 1e-15, "{found}");
    }

    #[test]
    fn nothing_in_common_is_one_and_one_bin_is_zero() {
        assert_eq!(score(&binned(&[5, 0], &[0, 9])), Ok(1.0));
        assert_eq!(score(&binned(&[5], &[9])), Ok(0.0));
        assert_eq!(score(&binned(&[5, 0, 5], &[9, 0, 9])), Ok(0.0));
    }

    #[test]
    fn no_rows_are_not_defined() {
        assert_eq!(score(&binned(&[5, 0], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(score(&binned(&[], &[])), Err(NO_REFERENCE));
    }

    #[test]
    fn the_series_meets_the_logarithms() {
        let (below, above) =
            (divergence(0.5 * 1.049_999_9, 0.5 * 0.950_000_1), divergence(0.5 * 1.050_000_1, 0.5 * 0.949_999_9));
        // Between the two lies a step of 2e-7 in t, 8e-6 in its square.
        assert!((above / below - 1.0 - 8e-6 / 2.0 * 1.0).abs() < 5e-6, "{}", above / below);
        // mpmath: (1.00001 * log(1.00001) + 0.99999 * log(0.99999)) / 4
        let tiny = divergence(0.500_005, 0.499_995);
        assert!((tiny / 2.500_000_000_004_166_6e-11 - 1.0).abs() < 1e-9, "{tiny:e}");
    }
}
