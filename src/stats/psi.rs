//! Population stability index: the symmetric Kullback-Leibler divergence of two sets of bin counts.
//!
//! PSI = sum (p - q) ln(p/q) over the k bins, in nats, 0 and up, p = (count + 1/2) / (rows + k/2) on either side. The half row in
//! each bin keeps an empty bin finite. One bin: 0. A side without rows: not defined. Folklore reads below 0.1 as
//! stable and above 0.2 as drifted; what chance alone does at this many rows is the noise level.
//!
//! Source: Yurdakul (2018), "Statistical properties of the population stability index"; the half row is Jeffreys' prior.
//! This file knows bins; no columns, windows or thresholds in force.

use super::noise::{Noise, Null, chi_square_level};
use super::{Limit, Method, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "psi",
    numerical: true,
    categorical: true,
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    limit: Limit::Score(0.2),
    about: "population stability index over the bins, 0 and up",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: noise, is_distance: false, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let (n, m) = sides.bins.rows()?;
    let half = sides.bins.reference.len() as f64 / 2.0;
    let bins = sides.bins.reference.iter().zip(sides.bins.current);
    Ok(bins.map(|(&r, &c)| term((r as f64 + 0.5) / (n + half), (c as f64 + 0.5) / (m + half))).sum())
}

fn term(p: f64, q: f64) -> f64 {
    (p - q) * (p / q).ln()
}

/// The chi-square level, and what the bins that are empty on both sides always add.
fn noise(null: &Null) -> Option<f64> {
    let half = null.bins.len() as f64 / 2.0;
    let empty = null.bins.iter().filter(|&&count| count == 0).count() as f64;
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    chi_square_level(null).map(|level| level + empty * term(0.5 / (n + half), 0.5 / (m + half)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::binned;
    use super::*;
    use crate::stats::{NO_CURRENT, NO_REFERENCE};

    #[test]
    fn scores_follow_the_formula() {
        // p, q = [(s + .5) / (s.sum() + 1.5) for s in (r, c)]; ((p - q) * numpy.log(p / q)).sum()
        let found = score(&binned(&[30, 50, 20], &[10, 60, 30])).expect("defined");
        assert!((found - 0.26706154474130667).abs() < 1e-14, "{found}");
        let found = score(&binned(&[30, 50, 0], &[10, 60, 30])).expect("defined");
        assert!((found - 1.4945600530572027).abs() < 1e-14, "{found}");
    }

    #[test]
    fn one_bin_is_zero_and_no_rows_are_not_defined() {
        assert_eq!(score(&binned(&[30], &[7])), Ok(0.0));
        assert_eq!(score(&binned(&[30, 1], &[0, 0])), Err(NO_CURRENT));
        assert_eq!(score(&binned(&[0, 0], &[1, 2])), Err(NO_REFERENCE));
        assert_eq!(score(&binned(&[], &[])), Err(NO_REFERENCE));
    }
}
