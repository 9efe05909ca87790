//! Noise levels by seeded resampling: pairs of samples from the reference's own counts, and the score of each pair.
//!
//! A pair is two multinomial draws over the bins, or over the reference's points, one of n rows and one of m.
//! The 99th percentile of a few hundred scores comes from their first three moments after a cube root, which
//! makes chi-square and its like nearly normal (Wilson and Hilferty 1931; Cornish and Fisher 1938 for the rest):
//! a third of the variance of the percentile that a plain count would give.
//!
//! Where bins are many and some hold few rows, a reference looks rougher than what it came from, and pairs drawn from it score a
//! little too low (300 categories: by less than 1 %, which makes 2.5 % of undrifted windows of one in a hundred). So there the
//! same is done once more, from each drawn reference: what is lost on that way was lost on the first one too (Hall 1986, the
//! bootstrap iterated).
//!
//! This file knows no formula of a single method.

use super::draw::{Draw, Multinomial};
use super::groups::groups;
use super::noise::{NORMAL_99, Null};
use super::{Bins, Cells, Method, Points, Sides};

/// Pairs to draw, for a percentile between 0.5 and 2 %. With many bins the score varies little, and fewer pairs do.
const PAIRS_MIN: usize = 128;
const PAIRS_MAX: usize = 4096;
/// An odd number with bits everywhere.
const SEED: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
/// Bounds the time: 15 to 25 ns for a count.
const COUNTS_MAX: usize = 160_000;
/// Points are drawn in groups of an eighth of F(1-F).
const GROUP: f64 = 0.125;
/// With more bins than this the levels are corrected.
const BINS_FEW: usize = 32;

/// The 99th percentile of the score of `rows` rows, all of them points. `None` without rows on a side; 0 where the score is not
/// defined without drift.
pub(super) fn resampled_level(method: &Method, null: &Null, rows: u64) -> Option<f64> {
    let score = method.noise.as_ref()?.score;
    let moments = Some([null.moments; 2]);
    if method.categorical {
        return level_of_bins(null.bins, rows, |bins: Bins| score(&Sides { bins, moments, ..Sides::default() }));
    }
    let points = null.points?;
    let (values, counts) = groups(points, GROUP);
    let weights: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
    let scores = pairs(&weights, points.rows(), rows, |_, reference, current| {
        let reference = Points { values: &values, counts: reference };
        let current = Points { values: &values, counts: current };
        score(&Sides { cells: Some(Cells { reference, current }), moments, ..Sides::default() })
    });
    Some(percentile_99(&mut scores?))
}

fn level_of_bins(bins: &[u64], m: u64, score: impl Fn(Bins) -> Option<f64>) -> Option<f64> {
    let n = bins.iter().sum();
    let categories = Categories::new(bins);
    let mut again = Vec::new();
    let mut scores = pairs(&categories.weights, n, m, |draw, reference, current| {
        let bins = categories.fold(reference, current);
        let (reference, current) = (&reference[..bins], &current[..bins]);
        if bins > BINS_FEW {
            again.extend(Categories::new(reference).pair(draw, n, m, &score));
        }
        score(Bins { reference, current, ..Bins::default() })
    })?;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    let lost = mean(&scores) / mean(&again);
    let level = percentile_99(&mut scores);
    Some(if lost.is_finite() { level * lost } else { level })
}

/// The scores of pairs of `n` and `m` rows over the cells of these weights. `None` without rows on a side.
fn pairs(
    weights: &[f64],
    n: u64,
    m: u64,
    mut score: impl FnMut(&mut Draw, &mut [u64], &mut [u64]) -> Option<f64>,
) -> Option<Vec<f64>> {
    if n == 0 || m == 0 {
        return None;
    }
    // One reference has the same luck at all row counts, another reference has its own.
    let seed = weights.iter().fold(0, |seed: u128, weight| (seed ^ u128::from(weight.to_bits())).wrapping_mul(SEED));
    let mut draw = Draw::new(seed);
    let spread = Multinomial::new(weights);
    let (mut reference, mut current) = (vec![0; weights.len()], vec![0; weights.len()]);
    let pairs = (COUNTS_MAX / (2 * weights.len())).clamp(PAIRS_MIN, PAIRS_MAX);
    let scores = (0..pairs).filter_map(|_| {
        spread.draw(&mut draw, n, &mut reference);
        spread.draw(&mut draw, m, &mut current);
        score(&mut draw, &mut reference, &mut current)
    });
    Some(scores.collect())
}

/// The distribution behind a reference's bins. Where many categories are rare there are others that the reference
/// missed: as many as Chao (1984) estimates, with the share that Good (1953) gives them. A drawn reference misses
/// some again, and what the drawn window has of those is unseen, as in life.
struct Categories {
    /// The bins, then the categories that the reference missed.
    weights: Vec<f64>,
    /// Bins without rows in the reference, the one for unseen categories among them.
    empty: usize,
}

impl Categories {
    fn new(bins: &[u64]) -> Self {
        const MISSED_MAX: f64 = 500.0;
        let having = |rows| bins.iter().filter(|&&count| count == rows).count();
        let (empty, once, twice) = (having(0), having(1) as f64, having(2) as f64);
        let mut weights: Vec<f64> = bins.iter().map(|&count| count as f64).collect();
        if empty > 0 && once > 0.0 {
            let missed = (once * (once - 1.0) / (2.0 * (twice + 1.0))).clamp(1.0, MISSED_MAX).round();
            weights.resize(bins.len() + missed as usize, once / missed);
        }
        Categories { weights, empty }
    }

    /// The score of one pair.
    fn pair(&self, draw: &mut Draw, n: u64, m: u64, score: impl Fn(Bins) -> Option<f64>) -> Option<f64> {
        let spread = Multinomial::new(&self.weights);
        let mut sides = [vec![0; self.weights.len()], vec![0; self.weights.len()]];
        let [reference, current] = &mut sides;
        spread.draw(draw, n, reference);
        spread.draw(draw, m, current);
        let bins = self.fold(reference, current);
        score(Bins { reference: &reference[..bins], current: &current[..bins], ..Bins::default() })
    }

    /// Bins of the pair: one for each category that the drawn reference has, then the empty ones, the first of which takes all
    /// that the window has of others. Returns how many; without a bin for unseen categories nothing moves.
    fn fold(&self, reference: &mut [u64], current: &mut [u64]) -> usize {
        if self.empty == 0 {
            return reference.len();
        }
        let (mut bins, mut unseen) = (0, 0);
        for at in 0..reference.len() {
            if reference[at] > 0 {
                reference.swap(bins, at);
                current.swap(bins, at);
                bins += 1;
            } else {
                unseen += std::mem::take(&mut current[at]);
            }
        }
        // There is room: a drawn reference has none of the empty bins.
        let end = bins + self.empty;
        reference[bins..end].fill(0);
        current[bins..end].fill(0);
        current[bins] = unseen;
        end
    }
}

/// The 99th percentile of the distribution that the scores come from. Where they are few distinct numbers, or of a shape
/// that three moments miss, at least a little more than their own 98.5th, so that an equal score at a row
/// count beside is below.
/// No score, no noise: what is never defined without drift is beyond chance when it is.
fn percentile_99(scores: &mut [f64]) -> f64 {
    if scores.is_empty() {
        return 0.0;
    }
    let count = scores.len() as f64;
    // A score that can be negative begins at its least.
    let floor = scores.iter().copied().fold(0.0, f64::min);
    let root = |score: &f64| (score - floor).cbrt();
    let mean = scores.iter().map(root).sum::<f64>() / count;
    let moment = |power| scores.iter().map(|score| (root(score) - mean).powi(power)).sum::<f64>() / count;
    let std = moment(2).sqrt();
    let skew = if std > 0.0 { (moment(3) / std.powi(3)).clamp(-2.0, 2.0) } else { 0.0 };
    let z = NORMAL_99;
    let z = z + (z * z - 1.0) / 6.0 * skew - (2.0 * z * z - 5.0) * z / 36.0 * skew * skew;
    scores.sort_unstable_by(f64::total_cmp);
    let (middle, counted) = (scores[scores.len() / 2], scores[(0.985 * count) as usize]);
    (floor + (mean + z * std).powi(3)).max(counted + (counted - middle) * 0.015)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_of_normal_and_of_chi_square_scores_is_found() {
        let mut draw = Draw::new(3);
        let mut shifted: Vec<f64> = (0..20_000).map(|_| 10.0 + draw.normal()).collect();
        let found = percentile_99(&mut shifted);
        assert!((found - 12.326).abs() < 0.06, "{found}");
        // scipy.stats.chi2.ppf(0.99, 9) = 21.665994333461924
        let mut squares: Vec<f64> = (0..20_000).map(|_| (0..9).map(|_| draw.normal().powi(2)).sum()).collect();
        let found = percentile_99(&mut squares);
        assert!((found - 21.666).abs() < 0.4, "{found}");
        assert_eq!(percentile_99(&mut []), 0.0);
        assert_eq!(percentile_99(&mut [0.0; 100]), 0.0);
    }

    #[test]
    fn categories_that_the_drawn_reference_misses_are_unseen() {
        let categories = Categories::new(&[50, 1, 1, 1, 0]);
        // Chao's estimate for three singles and no double: three more categories.
        assert_eq!(categories.weights.len(), 5 + 3);
        assert_eq!(categories.weights[5..], [1.0; 3]);
        let mut reference = [49, 0, 2, 0, 0, 1, 0, 0];
        let mut current = [90, 4, 2, 0, 0, 0, 3, 1];
        assert_eq!(categories.fold(&mut reference, &mut current), 4);
        assert_eq!(reference[..4], [49, 2, 1, 0]);
        assert_eq!(current[..4], [90, 2, 0, 8]);
    }
}
