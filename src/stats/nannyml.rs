//! The univariate methods of NannyML 0.13, by NannyML's own formulas, for people who come from there.
//!
//! Missing values are left out. Thresholds come from chunks of the reference, see [`threshold`], but for `chi_square`, whose
//! p-value decides at 0.05. Both kinds of columns have `jensen_shannon` by default.
//!
//! - Numbers are cut by Doane's rule over the reference; what lies outside is one bin more, which the reference has no rows in.
//!   Unseen categories are one bin likewise. Infinities lie outside; a reference that has any cannot be cut.
//! - From 10 000 reference rows on, `ks` and `wasserstein` are those of 10 000 bins of equal width over the reference.
//! - `wasserstein` is in the column's own unit. `ks` is the distance alone.
//!
//! Copied: from 10 000 reference rows on, `wasserstein` takes one row too many as below the reference, where any is.
//! Not copied: `ks` is always 0 for a reference of 10 000 rows or more with infinities, here it is not defined; and rounding may leave a share of 1e-16 outside, which lifts the distance of equal sides from 0 to 1e-8.
//!
//! Source: nannyml 0.13.1, `drift/univariate/methods.py` and `thresholds.py`.

mod distances;
mod steps;

use super::Method;

/// Every method of this definition, in the order in which help texts list them.
pub static METHODS: &[&Method] = &[
    &distances::JENSEN_SHANNON,
    &distances::HELLINGER,
    &steps::KS,
    &steps::WASSERSTEIN,
    &distances::CHI_SQUARE,
    &distances::L_INFINITY,
];

/// For both kinds of columns.
pub static DEFAULT: Method = distances::JENSEN_SHANNON;

/// The chunks of a reference whose scores give the threshold: it is cut, in the order of its rows, into chunks of
/// rows / `CHUNKS` rows (rounded down); what is left over is one more, shorter chunk. Fewer rows than `CHUNKS` cannot be cut.
pub const CHUNKS: usize = 10;

/// The least score that alerts: the next number above the mean plus three standard deviations (ddof 0) of the scores of
/// the reference's chunks, for a score at the mean itself, as of a constant, is no alert. The sum is at most 1 for `ks`, which then
/// never alerts. Chunks without a score are left out; `None` where none has one.
pub fn threshold(method: &Method, scores: &[f64]) -> Option<f64> {
    let scores: Vec<f64> = scores.iter().copied().filter(|score| !score.is_nan()).collect();
    let rows = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / rows;
    let variance = scores.iter().map(|score| (score - mean) * (score - mean)).sum::<f64>() / rows;
    let threshold = mean + 3.0 * variance.sqrt();
    let most = if method.name == steps::KS.name { 1.0 } else { f64::INFINITY };
    threshold.is_finite().then_some(threshold.min(most).next_up())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_mean_and_three_deviations_of_the_chunks() {
        // numpy.nanmean(x) + 3 * numpy.nanstd(x) of [0.1, 0.2, nan, 0.3]
        let found = threshold(&distances::JENSEN_SHANNON, &[0.1, 0.2, f64::NAN, 0.3]).expect("three scores");
        assert!((found - 0.444948974278318).abs() < 1e-15, "{found}");
        assert_eq!(threshold(&distances::JENSEN_SHANNON, &[f64::NAN]), None);
        assert_eq!(threshold(&distances::JENSEN_SHANNON, &[]), None);
    }

    #[test]
    fn ks_has_a_legal_limit() {
        assert_eq!(threshold(&steps::KS, &[0.0, 1.0]), Some(1.0f64.next_up()));
        assert_eq!(threshold(&steps::WASSERSTEIN, &[0.0, 1.0]), Some(2.0f64.next_up()));
        assert!(threshold(&steps::WASSERSTEIN, &[0.0, 0.0]).is_some_and(|threshold| 0.0 < threshold));
    }
}
