//! Noise levels by seeded resampling: pairs of samples from the reference's own counts, and the score of each pair.
//!
//! A pair is two multinomial draws over the bins, or over the reference's points, one of n rows and one of m.
//! The 99th percentile of a few hundred scores comes from their first three moments after a cube root, which
//! makes chi-square and its like nearly normal (Wilson and Hilferty 1931; Cornish and Fisher 1938 for the rest):
//! a third of the variance of the percentile that a plain count would give.
//!
//! This file knows no formula of a single method.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::noise::{NORMAL_99, Null};
use super::{Bins, Cells, Method, Points, Sides};

/// Pairs to draw: enough for the percentile to lie within 0.5 to 2 %.
const PAIRS_MAX: usize = 512;
/// With many bins the score varies little, and fewer pairs do.
const PAIRS_MIN: usize = 128;
/// Bounds the time: about 20 ns for a count.
const COUNTS_MAX: usize = 320_000;

/// The 99th percentile of the score, and `None` where it is not defined.
pub(super) fn resampled_level(method: &Method, null: &Null) -> Option<f64> {
    // The same draws for every method and step: levels differ by what they measure, not by luck.
    let mut draw = Draw::new(0x6472_6966_7431_3939);
    let mut scores = if method.categorical {
        let weights: Vec<f64> = null.bins.iter().map(|&count| count as f64).collect();
        let n = null.bins.iter().sum();
        pairs(&mut draw, &weights, n, null.rows, |reference, current| {
            let sides = Sides { bins: Bins { reference, current }, cells: None, reference_std: null.reference_std };
            (method.noise.score)(&sides)
        })
    } else {
        let points = null.points?;
        let groups = Groups::new(points);
        pairs(&mut draw, &groups.rows, points.rows(), null.point_rows, |reference, current| {
            let reference = Points { values: &groups.values, counts: reference };
            let current = Points { values: &groups.values, counts: current };
            let bins = Bins { reference: &[], current: &[] };
            let sides = Sides { bins, cells: Some(Cells { reference, current }), reference_std: null.reference_std };
            (method.noise.score)(&sides)
        })
    };
    percentile_99(&mut scores)
}

/// The scores of pairs of `n` and `m` rows over the cells of these weights.
fn pairs(draw: &mut Draw, weights: &[f64], n: u64, m: u64, score: impl Fn(&[u64], &[u64]) -> Option<f64>) -> Vec<f64> {
    let mut reference = vec![0; weights.len()];
    let mut current = reference.clone();
    if n == 0 || m == 0 {
        return Vec::new();
    }
    let pairs = (COUNTS_MAX / (2 * weights.len())).clamp(PAIRS_MIN, PAIRS_MAX);
    (0..pairs)
        .filter_map(|_| {
            draw.multinomial(n, weights, &mut reference);
            draw.multinomial(m, weights, &mut current);
            score(&reference, &current)
        })
        .collect()
}

/// The 99th percentile of the distribution that the scores come from. Where they are few distinct numbers, or of a shape
/// that three moments miss, at least their own 98.5th.
fn percentile_99(scores: &mut [f64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let count = scores.len() as f64;
    let mean = scores.iter().map(|score| score.cbrt()).sum::<f64>() / count;
    let moment = |power| scores.iter().map(|score| (score.cbrt() - mean).powi(power)).sum::<f64>() / count;
    let std = moment(2).sqrt();
    let skew = if std > 0.0 { (moment(3) / std.powi(3)).clamp(-2.0, 2.0) } else { 0.0 };
    let z = NORMAL_99;
    let z = z + (z * z - 1.0) / 6.0 * skew - (2.0 * z * z - 5.0) * z / 36.0 * skew * skew;
    scores.sort_unstable_by(f64::total_cmp);
    let counted = scores[(0.985 * count) as usize];
    Some((mean + z * std).powi(3).max(counted))
}

/// The reference's points, neighbours put together where the distribution function hardly moves: each group holds at most a
/// sixteenth of F(1-F), so that both tails keep their single values and the middle has few groups.
struct Groups {
    values: Vec<f64>,
    rows: Vec<f64>,
}

impl Groups {
    fn new(points: Points) -> Self {
        let all = points.rows() as f64;
        let mut groups = Groups { values: Vec::new(), rows: Vec::new() };
        let (mut below, mut room) = (0.0, 0.0);
        for (&value, &count) in points.values.iter().zip(points.counts) {
            let count = count as f64;
            match (groups.values.last_mut(), groups.rows.last_mut()) {
                _ if count == 0.0 => continue,
                (Some(mean), Some(rows)) if count <= room && mean.is_finite() && value.is_finite() => {
                    *rows += count;
                    *mean += (value - *mean) * (count / *rows);
                    room -= count;
                }
                _ => {
                    groups.values.push(value);
                    groups.rows.push(count);
                    room = below * (1.0 - below / all) / 16.0 - count;
                }
            }
            below += count;
        }
        groups
    }
}

/// Random counts.
struct Draw {
    bits: Pcg64Mcg,
    /// Normal numbers come in twos.
    spare: Option<f64>,
}

impl Draw {
    fn new(seed: u128) -> Self {
        Draw { bits: Pcg64Mcg::new(seed), spare: None }
    }

    /// Uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }

    /// `rows` rows over cells of these weights: one binomial after another, of what is left.
    fn multinomial(&mut self, rows: u64, weights: &[f64], counts: &mut [u64]) {
        let (mut rows, mut weight_left) = (rows, weights.iter().sum::<f64>());
        for (count, &weight) in counts.iter_mut().zip(weights) {
            *count = if weight > 0.0 { self.binomial(rows, weight / weight_left) } else { 0 };
            rows -= *count;
            weight_left -= weight;
        }
    }

    /// Successes among `trials`: by inversion where few are expected, else a normal number bent to the binomial's skew.
    fn binomial(&mut self, trials: u64, chance: f64) -> u64 {
        if chance >= 1.0 || trials == 0 {
            return trials;
        }
        if chance > 0.5 {
            return trials - self.binomial(trials, 1.0 - chance);
        }
        let mean = trials as f64 * chance;
        if mean < 12.0 {
            return self.rare(trials, chance);
        }
        let variance = mean * (1.0 - chance);
        let z = self.normal();
        let bent = z * variance.sqrt() + (1.0 - 2.0 * chance) * (z * z - 1.0) / 6.0;
        ((mean + bent).round().max(0.0) as u64).min(trials)
    }

    fn rare(&mut self, trials: u64, chance: f64) -> u64 {
        let odds = chance / (1.0 - chance);
        let mut share = (trials as f64 * (-chance).ln_1p()).exp();
        let mut left = self.uniform();
        let mut successes = 0;
        while left >= share && successes < trials {
            left -= share;
            successes += 1;
            share *= odds * ((trials - successes + 1) as f64 / successes as f64);
        }
        successes
    }
}
