//! Drift of vectors (embeddings): of their mean, and of their components one by one.
//!
//! Vectors have one length, and all numbers are finite. p-values and noise levels are those of 199 deals of the labels
//! ([`super::permutation`]), exact whatever the distribution and however the components depend on each other.
//! `mmd` and `domain_classifier` take vectors too. This file knows vectors; no columns, windows or thresholds in force.

use super::permutation::{LABELLINGS, LANES, Labels, Scores, mean_distances};
use super::rows::{Vectors, mean_and_std, pooled};
use super::{Outcome, Undefined};

/// |mean(R) - mean(C)| / sqrt(mean |r - mean(R)|^2): how far the centre moved, in radii of the reference; 0 and up,
/// free of scale and of the number of components. A shift of every component by s of its standard deviations scores s, of a share q
/// of them s sqrt(q). Fewer than two rows on a side, or a reference of one single vector: not defined.
pub fn mean_distance(reference: Vectors, current: Vectors) -> Result<Outcome, Undefined> {
    let (n, m) = rows(reference, current)?;
    let dims = reference.dims;
    let pooled = pooled(reference, current);
    let (of_reference, of_current) = pooled.split_at(n * dims);
    let (mean_r, mean_c) = (mean(of_reference, dims), mean(of_current, dims));
    let radius = (of_reference.chunks_exact(dims).map(|row| distance_squared(row, &mean_r)).sum::<f64>() / n as f64).sqrt();
    if radius == 0.0 || !radius.is_finite() {
        return Err("the reference's vectors are all equal");
    }
    let score = distance_squared(&mean_r, &mean_c).sqrt() / radius;
    let scores = mean_distances(&pooled, dims, n, m);
    Ok(Outcome { score, p_value: Some(scores.p_value()), noise: Some(scores.noise() / radius) })
}

/// The share of components whose Wasserstein distance, in standard deviations of the reference, is at least 0.1 and above its own noise
/// level; 0 to 1. Evidently's `ratio` of embedding drift but for the noise.
pub fn drifted_components(reference: Vectors, current: Vectors) -> Result<Outcome, Undefined> {
    const DISTANCE_MIN: f64 = 0.1;
    let (n, m) = rows(reference, current)?;
    let dims = reference.dims;
    let labels = Labels::new(n, m);
    let mut drifted = vec![0u32; LABELLINGS];
    for at in 0..dims {
        let component = |side: Vectors<'_>| side.values.iter().skip(at).step_by(dims).map(|&x| f64::from(x)).collect();
        let (of_reference, of_current): (Vec<f64>, Vec<f64>) = (component(reference), component(current));
        let (_, std) = mean_and_std(of_reference.iter().copied());
        let scores = distances(&labels, &[of_reference, of_current].concat(), n, m);
        let far = DISTANCE_MIN * std.max(super::wasserstein::STD_MIN);
        for ((drifted, distance), extreme) in drifted.iter_mut().zip(&scores.0).zip(scores.extreme()) {
            *drifted += u32::from(extreme && *distance >= far);
        }
    }
    let scores = Scores(drifted.into_iter().map(|count| f64::from(count) / dims as f64).collect());
    Ok(Outcome { score: scores.0[0], p_value: Some(scores.p_value()), noise: Some(scores.noise()) })
}

fn rows(reference: Vectors, current: Vectors) -> Result<(usize, usize), Undefined> {
    let (n, m) = (reference.rows(), current.rows());
    if n < 2 || m < 2 { Err("a side has fewer than two rows") } else { Ok((n, m)) }
}

fn mean(values: &[f64], dims: usize) -> Vec<f64> {
    let mut sums = vec![0.0; dims];
    for row in values.chunks_exact(dims) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    let rows = (values.len() / dims) as f64;
    sums.iter_mut().for_each(|sum| *sum /= rows);
    sums
}

fn distance_squared(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// W1 of every labelling of one component: the area between the two distribution functions.
fn distances(labels: &Labels, pooled: &[f64], n: usize, m: usize) -> Scores {
    let mut order: Vec<usize> = (0..n + m).collect();
    order.sort_unstable_by(|&a, &b| pooled[a].total_cmp(&pooled[b]));
    // Between neighbours, the share of the reference below less that of the window: (1/n + 1/m) labelled - below / m.
    let gaps: Vec<f32> = order.windows(2).map(|pair| (pooled[pair[1]] - pooled[pair[0]]) as f32).collect();
    let (scale, step) = ((1.0 / n as f64 + 1.0 / m as f64) as f32, 1.0 / m as f32);
    labels.scores(|labels| {
        let (mut apart, mut areas) = ([0.0f32; LANES], [0.0f32; LANES]);
        for (row, gap) in order.iter().zip(&gaps) {
            for lane in 0..LANES {
                apart[lane] += labels[*row][lane] * scale - step;
                areas[lane] += apart[lane].abs() * gap;
            }
        }
        areas.map(f64::from)
    })
}
