//! Maximum mean discrepancy: how far apart the two samples are in the space of a Gaussian kernel.
//!
//! MMD^2 = mean k(r, r') + mean k(c, c') - 2 mean k(r, c) over pairs of different rows (the unbiased estimate), with
//! k(x, y) = exp(-|x - y|^2 / h). It sees any difference of the distributions, not of the means alone. About 0 without drift (it may
//! be below), at most 2. The bandwidth h is the median squared distance over all pairs of the pooled rows, the lower one of the
//! two in the middle: alibi-detect's `sigma_median`, gamma = 1 / (2 sigma^2) = 1 / h. Where half of the pairs are equal h would
//! be 0; there it is the median of those that are not. All rows equal: 0. Fewer than two rows on a side, or distances beyond the range of
//! numbers: not defined.
//!
//! A shift of one normal column by s standard deviations scores about 0.175 s^2: 0.002 for a tenth, 0.016 for 0.3.
//!
//! p-value and noise level are those of 199 seeded deals of the labels (`permutation`), exact whatever the distribution.
//! Of a numerical column at most 1000 rows of each side are drawn, each as likely, by a seed from the counts: both numbers are those
//! of the sample. Its infinities are left out.
//!
//! Measured with 1000 rows a side: a normal column's noise level is 0.0033; a shift of 0.17 standard deviations is above it in 75 % of
//! windows, one of 0.3 always.
//!
//! Source: Gretton et al. (2012), "A kernel two-sample test", lemma 6; alibi-detect 0.13 `MMDDrift`.
//! This file knows rows of numbers, and cells; no columns, windows or thresholds in force.

use super::draw::Draw;
use super::permutation::{LANES, Labels, Scores};
use super::{Limit, Method, NOT_NUMERICAL, Outcome, Points, Samples, Sides, Undefined, Vectors, both};

pub const METHOD: Method = Method {
    name: "mmd",
    numerical: true,
    categorical: false,
    text: false,
    embedding: true,
    several: false,
    has_p_value: true,
    limit: Limit::Score(0.002),
    about: "squared maximum mean discrepancy, Gaussian kernel, of at most 1000 rows a side",
    test,
    noise: None,
};

/// Time and memory grow with the square of it.
pub const ROWS_MAX: usize = 1000;
/// An odd number with bits everywhere.
const SEED: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    if let Some(Samples::Vectors([reference, current])) = sides.samples {
        return of_vectors(reference, current);
    }
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let mut draw = Draw::new(seed([cells.reference, cells.current]));
    let mut pooled = finite_rows(cells.reference, &mut draw);
    let n = pooled.len();
    pooled.extend(finite_rows(cells.current, &mut draw));
    mmd(n, &pooled, 1, |x, y| (x[0] - y[0]) * (x[0] - y[0]))
}

/// Of all counts: equal sides are drawn alike, and no luck stays from window to window.
fn seed(sides: [Points; 2]) -> u128 {
    let counts = sides.into_iter().flat_map(|side| side.counts);
    counts.fold(1, |seed: u128, &count| (seed ^ u128::from(count)).wrapping_mul(SEED).rotate_left(47))
}

/// The finite values, one for each row; where there are more than [`ROWS_MAX`], so many of them, each row as likely.
fn finite_rows(points: Points, draw: &mut Draw) -> Vec<f64> {
    let finite = || points.values.iter().zip(points.counts).filter(|(value, _)| value.is_finite());
    let rows: u64 = finite().map(|(_, &count)| count).sum();
    let ranks = ranks(rows, draw);
    let mut ranks = ranks.iter().peekable();
    let (mut drawn, mut below) = (Vec::new(), 0);
    for (&value, &count) in finite() {
        below += count;
        while ranks.next_if(|&&rank| rank < below).is_some() {
            drawn.push(value);
        }
    }
    drawn
}

/// Different numbers below `rows`, ascending: all of them, or [`ROWS_MAX`], as Floyd draws them.
fn ranks(rows: u64, draw: &mut Draw) -> Vec<u64> {
    if rows <= ROWS_MAX as u64 {
        return (0..rows).collect();
    }
    let mut drawn = std::collections::BTreeSet::new();
    for last in rows - ROWS_MAX as u64..rows {
        let rank = draw.below(last as usize + 1) as u64;
        if !drawn.insert(rank) {
            drawn.insert(last);
        }
    }
    drawn.into_iter().collect()
}

/// MMD^2 of vectors. Distances are in single precision: five digits of the score.
pub fn of_vectors(reference: Vectors, current: Vectors) -> Result<Outcome, Undefined> {
    let pooled = [reference.values, current.values].concat();
    mmd(reference.rows(), &pooled, reference.dims, squared_distance)
}

/// Of pooled rows of so many numbers each, the first `n` of them the reference's, by their squared distances.
fn mmd<T>(n: usize, pooled: &[T], dims: usize, distance: fn(&[T], &[T]) -> f64) -> Result<Outcome, Undefined> {
    let m = pooled.len() / dims - n;
    both(n as u64, m as u64)?;
    if n < 2 || m < 2 {
        return Err("a side has a single row");
    }
    let mut pairs = squared_distances(pooled, dims, distance);
    let bandwidth = bandwidth(&pairs).ok_or("the values lie too far apart")?;
    pairs.iter_mut().for_each(|pair| *pair = (-*pair / bandwidth).exp());
    let score = unbiased(&pairs, n, m);
    let scores = relabelled(&pairs, n, m);
    Ok(Outcome { score, p_value: Some(scores.p_value()), noise: Some(scores.noise()) })
}

/// |x_i - x_j|^2 of the pairs i < j, row by row. Sixteen rows meet each other row while it is in the cache.
fn squared_distances<T>(pooled: &[T], dims: usize, distance: fn(&[T], &[T]) -> f64) -> Vec<f64> {
    const TOGETHER: usize = 16;
    let rows = pooled.len() / dims;
    let mut pairs = vec![0.0; rows * (rows - 1) / 2];
    for first in (0..rows).step_by(TOGETHER) {
        for (j, y) in pooled.chunks_exact(dims).enumerate().skip(first + 1) {
            for (i, x) in pooled.chunks_exact(dims).enumerate().take((first + TOGETHER).min(j)).skip(first) {
                pairs[i * (2 * rows - i - 1) / 2 + j - i - 1] = distance(x, y);
            }
        }
    }
    pairs
}

/// In sixteen sums, for speed.
fn squared_distance(x: &[f32], y: &[f32]) -> f64 {
    const SUMS: usize = 16;
    let (chunks_x, rest_x) = x.as_chunks::<SUMS>();
    let (chunks_y, rest_y) = y.as_chunks::<SUMS>();
    let mut sums = [0.0f32; SUMS];
    for (x, y) in chunks_x.iter().zip(chunks_y) {
        for at in 0..SUMS {
            sums[at] += (x[at] - y[at]) * (x[at] - y[at]);
        }
    }
    let rest: f32 = rest_x.iter().zip(rest_y).map(|(x, y)| (x - y) * (x - y)).sum();
    sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() + f64::from(rest)
}

/// 1 where all rows are equal; `None` where distances are beyond the range of numbers.
fn bandwidth(pairs: &[f64]) -> Option<f64> {
    let mut pairs = pairs.to_vec();
    let mut median = lower_median(&mut pairs)?;
    if median == 0.0 {
        pairs.retain(|&pair| pair > 0.0);
        median = lower_median(&mut pairs).unwrap_or(1.0);
    }
    // Each of the pairs, not the median alone: infinite minus infinite is no number.
    (pairs.iter().all(|pair| pair.is_finite())).then_some(median)
}

fn lower_median(pairs: &mut [f64]) -> Option<f64> {
    let middle = pairs.len().checked_sub(1)? / 2;
    Some(*pairs.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// The estimate for the observed labels, in double precision.
fn unbiased(kernel: &[f64], n: usize, m: usize) -> f64 {
    let (mut within_r, mut between, mut within_c) = (0.0, 0.0, 0.0);
    let mut rest = kernel;
    for i in 0..n + m {
        let row;
        (row, rest) = rest.split_at(n + m - 1 - i);
        if i < n {
            let (same, other) = row.split_at(n - 1 - i);
            within_r += same.iter().sum::<f64>();
            between += other.iter().sum::<f64>();
        } else {
            within_c += row.iter().sum::<f64>();
        }
    }
    estimate(within_r, between, within_c, n as f64, m as f64)
}

/// From the sums over pairs i < j.
fn estimate(within_r: f64, between: f64, within_c: f64, n: f64, m: f64) -> f64 {
    2.0 * within_r / (n * (n - 1.0)) + 2.0 * within_c / (m * (m - 1.0)) - 2.0 * between / (n * m)
}

/// The estimate for every labelling. With a_i = 1 for the rows labelled reference, the sum of k_ij a_i a_j and that of
/// a_i times the sum of row i tell all three. A constant taken from the kernel changes no estimate and saves digits.
fn relabelled(kernel: &[f64], n: usize, m: usize) -> Scores {
    let rows = n + m;
    let mean = kernel.iter().sum::<f64>() / kernel.len() as f64;
    let kernel: Vec<f32> = kernel.iter().map(|k| (k - mean) as f32).collect();
    let mut row_sums = vec![0.0; rows];
    let mut rest = &kernel[..];
    for i in 0..rows {
        let row;
        (row, rest) = rest.split_at(rows - 1 - i);
        for (j, k) in row.iter().enumerate() {
            row_sums[i] += f64::from(*k);
            row_sums[i + 1 + j] += f64::from(*k);
        }
    }
    let total = row_sums.iter().sum::<f64>() / 2.0;
    Labels::new(n, m).scores(|labels| {
        let (mut within, mut touched) = ([0.0; LANES], [0.0; LANES]);
        let mut rest = &kernel[..];
        for (i, own) in labels.iter().enumerate() {
            let row;
            (row, rest) = rest.split_at(rows - 1 - i);
            let mut sums = [0.0f32; LANES];
            for (k, other) in row.iter().zip(&labels[i + 1..]) {
                for lane in 0..LANES {
                    sums[lane] += k * other[lane];
                }
            }
            for lane in 0..LANES {
                within[lane] += f64::from(own[lane] * sums[lane]);
                touched[lane] += f64::from(own[lane]) * row_sums[i];
            }
        }
        std::array::from_fn(|lane| {
            let between = touched[lane] - 2.0 * within[lane];
            estimate(within[lane], between, total - within[lane] - between, n as f64, m as f64)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Result<Outcome, Undefined> {
        test(&sides(&cells(reference, current)))
    }

    #[test]
    fn where_most_pairs_are_equal_the_bandwidth_is_that_of_the_others() {
        // h = 4; k(0, 2) = 1/e; (1 + 1) / 2 + 1 - 2 (1 + 1/e) / 2 with the pairs of each side counted by hand
        let found = of(&[(0.0, 4)], &[(0.0, 3), (2.0, 1)]).expect("both sides have rows");
        let e = (-1f64).exp();
        let expected = 1.0 + (3.0 + 3.0 * e) / 6.0 - 2.0 * (12.0 + 4.0 * e) / 16.0;
        assert!((found.score - expected).abs() < 1e-15, "{} {expected}", found.score);
    }

    #[test]
    fn equal_rows_are_no_drift_and_few_or_far_ones_are_not_defined() {
        let equal = of(&[(5.0, 30)], &[(5.0, 20)]).expect("both sides have rows");
        assert_eq!(equal, Outcome { score: 0.0, p_value: Some(1.0), noise: Some(0.0) });
        assert!(of(&[(1.0, 9)], &[(1.0, 1)]).is_err());
        assert!(of(&[(f64::NEG_INFINITY, 9)], &[(1.0, 3)]).is_err());
        assert!(of(&[(-1e300, 2)], &[(1e300, 2)]).is_err());
        assert!(of(&[(1.0, 2), (f64::INFINITY, 7)], &[(1.0, 3)]).is_ok_and(|found| found.score == 0.0));
    }

    #[test]
    fn apart_sides_have_the_smallest_p_value() {
        let found = of(&[(0.0, 5), (1.0, 5)], &[(10.0, 6), (11.0, 6)]).expect("both sides have rows");
        assert_eq!(found.p_value, Some(0.005));
        assert!(found.score > 1.0 && found.noise.is_some_and(|noise| noise < 0.5), "{found:?}");
    }

    #[test]
    fn many_rows_are_a_sample_in_which_each_is_as_likely() {
        assert_eq!(ranks(3, &mut Draw::new(1)), [0, 1, 2]);
        let mut times = [0; 10];
        for seed in 0..40 {
            let drawn = ranks(5000, &mut Draw::new(seed));
            assert_eq!(drawn.len(), ROWS_MAX);
            assert!(drawn.is_sorted_by(|a, b| a < b));
            drawn.iter().for_each(|rank| times[*rank as usize / 500] += 1);
        }
        assert!(times.iter().all(|times| (3750..4250).contains(times)), "{times:?}");
        let points = Points { values: &[1.0, f64::INFINITY, 2.0], counts: &[u64::MAX / 8, 3, u64::MAX / 8] };
        let drawn = finite_rows(points, &mut Draw::new(1));
        let ones = drawn.iter().filter(|&&x| x == 1.0).count();
        assert!(drawn.len() == ROWS_MAX && (400..600).contains(&ones), "{ones}");
    }
}
