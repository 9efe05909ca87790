//! Kullback-Leibler divergence of the window from the reference, over the bins.
//!
//! KL(R, C) = sum p ln(p/q) in nats, 0 and up, p and q = (count + 1/2) / (rows + k/2) on either side over the k bins: the half row
//! keeps an empty bin finite. It asks how badly the window's shares would do as a model of the reference, so it is not
//! symmetric: a bin that loses its rows weighs more than one that gains some. One bin: 0. A side without rows: not
//! defined. `psi` is this divergence taken both ways and summed.
//!
//! The limit of 0.1 is half of that of `psi`, which is about twice as large.
//!
//! Source: Kullback and Leibler (1951); `scipy.stats.entropy(p, q)`; the half row is Jeffreys' prior.
//! This file knows bins; no columns, windows or thresholds in force.

use super::noise::{Noise, Null, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "kl_divergence",
    numerical: true,
    categorical: true,
    limit: Limit::Score(0.1),
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    about: "Kullback-Leibler divergence of the window from the reference in nats, 0 and up",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: noise, is_distance: false, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let half = sides.bins.reference.len() as f64 / 2.0;
    let bins = sides.bins.reference.iter().zip(sides.bins.current);
    Ok(bins.map(|(&r, &c)| term((r as f64 + 0.5) / (n + half), (c as f64 + 0.5) / (m + half))).sum())
}

/// p ln(p/q) - p + q, which is never negative; over shares that sum to 1 on both sides, p and q cancel. Precise where p is
/// near q, and q where p is 0.
pub(super) fn term(p: f64, q: f64) -> f64 {
    if p == 0.0 {
        return q;
    }
    let t = (p - q) / q;
    q * ((1.0 + t) * t.ln_1p() - t).max(0.0)
}

/// The divergence is half of sum (p - q)^2 / a to the second order; bins that are empty on both sides always add their own.
fn noise(null: &Null) -> Option<f64> {
    let half = null.bins.len() as f64 / 2.0;
    let empty = null.bins.iter().filter(|&&count| count == 0).count() as f64;
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    chi_square_level(null).map(|level| level / 2.0 + empty * term(0.5 / (n + half), 0.5 / (m + half)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::super::{NO_CURRENT, NO_REFERENCE};
    use super::*;

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.stats.entropy(*[(numpy.array(s) + .5) / (sum(s) + 1.5) for s in ([30, 50, 20], [10, 60, 30])])
        let found = score(&binned(&[30, 50, 20], &[10, 60, 30])).expect("defined");
        assert!((found - 0.15029748971877038).abs() < 1e-14, "{found}");
        // The same of ([30, 50, 0], [10, 60, 30]), and the other way round.
        let found = score(&binned(&[30, 50, 0], &[10, 60, 30])).expect("defined");
        assert!((found - 0.48135081041273187).abs() < 1e-14, "{found}");
        let found = score(&binned(&[10, 60, 30], &[30, 50, 0])).expect("defined");
        assert!((found - 1.0132092426444705).abs() < 1e-14, "{found}");
    }

    #[test]
    fn one_bin_is_zero_and_no_rows_are_not_defined() {
        assert_eq!(score(&binned(&[30], &[7])), Ok(0.0));
        assert_eq!(score(&binned(&[30, 1], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(score(&binned(&[0, 0], &[1, 2])), Err(NO_REFERENCE));
        assert_eq!(score(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
