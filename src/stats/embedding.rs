//! Drift of vectors (embeddings): of their mean, and of their components one by one.
//!
//! Vectors have one length, and all numbers are finite. p-values and noise levels are those of 199 deals of the labels
//! (`permutation`), exact whatever the distribution and however the components depend on each other.
//! `mmd` and `domain_classifier` take vectors too. This file knows vectors; no columns, windows or thresholds in force.

use super::permutation::{LABELLINGS, LANES, Labels, Scores, mean_differences};
use super::rows::moments;
use super::wasserstein::STD_MIN;
use super::{Limit, Method, NO_SAMPLE, Outcome, Samples, Sides, Undefined, Vectors, both};

pub const MEAN_DISTANCE: Method = Method {
    name: "mean_distance",
    limit: Limit::Score(0.1),
    about: "how far the mean of the vectors moved, in radii of the reference, 0 and up",
    test: |sides| of_samples(sides, mean_distance),
    ..DRIFTED_COMPONENTS
};

pub const DRIFTED_COMPONENTS: Method = Method {
    name: "drifted_components",
    numerical: false,
    categorical: false,
    text: false,
    embedding: true,
    several: false,
    has_p_value: true,
    // As Evidently's `ratio`.
    limit: Limit::Score(0.2),
    about: "share of the vectors' components that have drifted, 0 to 1",
    test: |sides| of_samples(sides, drifted_components),
    noise: None,
};

fn of_samples(sides: &Sides, test: fn(Vectors, Vectors) -> Result<Outcome, Undefined>) -> Result<Outcome, Undefined> {
    match sides.samples {
        Some(Samples::Vectors([reference, current])) => test(reference, current),
        _ => Err(NO_SAMPLE),
    }
}

/// |mean(R) - mean(C)| / sqrt(mean |r - mean(R)|^2): how far the centre moved, in radii of the reference; 0 and up,
/// free of scale and of the number of components. A shift of every component by s of its standard deviations scores s, of a share q
/// of them s sqrt(q). A side without rows, or a reference whose vectors are all equal: not defined.
pub fn mean_distance(reference: Vectors, current: Vectors) -> Result<Outcome, Undefined> {
    let (n, m) = rows(reference, current)?;
    let (mut apart, mut spread) = (0.0, 0.0);
    for at in 0..reference.dims {
        let (of_reference, of_current) = (moments(reference.component(at)), moments(current.component(at)));
        apart += (of_reference.mean - of_current.mean).powi(2);
        spread += of_reference.std().powi(2);
    }
    if spread == 0.0 {
        return Err("the reference's vectors are all equal");
    }
    let radius = spread.sqrt();
    let labels = Labels::new(n, m);
    let mut squares = vec![0.0; LABELLINGS];
    for at in 0..reference.dims {
        let differences = mean_differences(&labels, &pooled(reference, current, at), n, m);
        squares.iter_mut().zip(differences.0).for_each(|(square, difference)| *square += difference * difference);
    }
    let scores = Scores(squares.into_iter().map(f64::sqrt).collect());
    Ok(Outcome { score: apart.sqrt() / radius, p_value: Some(scores.p_value()), noise: Some(scores.noise() / radius) })
}

/// The share of components whose Wasserstein distance, in standard deviations of the reference, is at least 0.1 and above its own noise
/// level; 0 to 1. A side without rows: not defined. Evidently's `ratio` of embedding drift but for the noise.
pub fn drifted_components(reference: Vectors, current: Vectors) -> Result<Outcome, Undefined> {
    const DISTANCE_MIN: f64 = 0.1;
    let (n, m) = rows(reference, current)?;
    let dims = reference.dims;
    let labels = Labels::new(n, m);
    let mut drifted = vec![0u32; LABELLINGS];
    for at in 0..dims {
        let scores = distances(&labels, &pooled(reference, current, at), n, m);
        let far = DISTANCE_MIN * moments(reference.component(at)).std().max(STD_MIN);
        for ((drifted, distance), extreme) in drifted.iter_mut().zip(&scores.0).zip(scores.extreme()) {
            *drifted += u32::from(extreme && *distance >= far);
        }
    }
    let scores = Scores(drifted.into_iter().map(|count| f64::from(count) / dims as f64).collect());
    Ok(Outcome { score: scores.0[0], p_value: Some(scores.p_value()), noise: Some(scores.noise()) })
}

fn rows(reference: Vectors, current: Vectors) -> Result<(usize, usize), Undefined> {
    both(reference.rows() as u64, current.rows() as u64)?;
    Ok((reference.rows(), current.rows()))
}

/// One component of all rows, the reference's first.
fn pooled(reference: Vectors, current: Vectors, at: usize) -> Vec<f64> {
    reference.component(at).chain(current.component(at)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(values: &[f32]) -> Vectors<'_> {
        Vectors { values, dims: 2 }
    }

    #[test]
    fn the_distance_of_the_means_is_in_radii_of_the_reference() {
        // Mean (1, 1), each row sqrt(2) from it; the window's mean is (4, 5).
        let reference = [0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 2.0, 0.0];
        let current = [4.0, 5.0, 3.0, 4.0, 5.0, 6.0];
        let found = mean_distance(vectors(&reference), vectors(&current)).expect("both sides have rows");
        assert!((found.score - 5.0 / 2f64.sqrt()).abs() < 1e-15, "{found:?}");
        let scaled: Vec<f32> = reference.iter().map(|x| x * 1024.0).collect();
        let far: Vec<f32> = current.iter().map(|x| x * 1024.0).collect();
        assert_eq!(mean_distance(vectors(&scaled), vectors(&far)), Ok(found));
    }

    #[test]
    fn sides_without_rows_or_spread_are_not_defined() {
        let (some, none) = ([1.0, 2.0, 1.0, 2.0], []);
        assert!(mean_distance(vectors(&some), vectors(&some)).is_err());
        for (reference, current) in [(&some[..], &none[..]), (&none, &some)] {
            assert!(mean_distance(vectors(reference), vectors(current)).is_err());
            assert!(drifted_components(vectors(reference), vectors(current)).is_err());
        }
        let alike = drifted_components(vectors(&some), vectors(&some)).expect("both sides have rows");
        assert_eq!(alike, Outcome { score: 0.0, p_value: Some(1.0), noise: Some(0.0) });
    }

    #[test]
    fn labelled_distances_are_those_of_scipy() {
        let scores = distances(&Labels::new(3, 2), &[1.0, 4.0, 4.0, 2.0, 9.0], 3, 2);
        // scipy.stats.wasserstein_distance([1, 4, 4], [2, 9])
        assert!((scores.0[0] - 3.1666666666666665).abs() < 1e-6, "{}", scores.0[0]);
    }
}
