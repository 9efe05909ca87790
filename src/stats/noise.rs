//! The noise level of a score: its 99th percentile between the reference (n rows, itself a sample) and a window of
//! m rows without any drift. In closed form where that is honest, else from seeded draws, once per step of m.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{Bins, Cells, Method, Points};

/// The share of undrifted windows whose score stays below the noise.
pub const QUANTILE: f64 = 0.99;

/// Where a bin expects fewer rows than this, chi-square is not to be trusted and draws decide.
const EXPECTED_MIN: f64 = 20.0;

/// Draws behind one percentile.
const DRAWS: usize = 1000;

/// Rows of one draw of points; larger windows are scaled from it.
const DRAW_ROWS_MAX: u64 = 1024;

/// Levels kept per column before the oldest steps go.
const KEPT_MAX: usize = 64;

/// How a method's noise level is found.
#[derive(Debug)]
pub enum Noise {
    /// From the rows of both sides alone.
    Rows(fn(n: f64, m: f64) -> f64),
    /// From counts in bins: in closed form of (degrees of freedom, n, m, bins empty in the reference, all bins), or, where
    /// bins are sparse, from draws of the score. `order`: the level falls with (1/n + 1/m) to this power.
    Bins {
        score: fn(Bins) -> Option<f64>,
        closed: fn(degrees: f64, n: f64, m: f64, empty: f64, bins: f64) -> f64,
        order: f64,
    },
    /// From draws of the reference's points; `score` gets the cells and the reference's standard deviation. The level
    /// falls with the square root of (1/n + 1/m).
    Draws {
        score: fn(Cells, f64) -> Option<f64>,
    },
}

/// "No drift": the reference, and a current window of so many rows drawn from the same distribution.
#[derive(Debug, Clone, Copy)]
pub struct Null<'a> {
    /// The reference's counts in the bins of the comparison.
    pub bins: &'a [u64],
    /// Numerical columns only: the reference's points.
    pub points: Option<Points<'a>>,
    /// As in `Sides`.
    pub reference_std: f64,
    /// Rows of the current window in bins (all of them), and those that are points (not missing).
    pub rows: u64,
    pub point_rows: u64,
}

/// The noise levels of one column; keeps those that took draws, by method and step of rows.
#[derive(Debug, Default)]
pub struct Levels {
    kept: BTreeMap<(&'static str, usize, u64), f64>,
}

impl Levels {
    /// The 99th percentile of the method's score under `null`, in the score's unit.
    pub fn level(&mut self, method: &Method, null: &Null) -> f64 {
        match &method.noise {
            Noise::Rows(level) => {
                let n = null.points.map_or(0, |points| points.rows());
                level(n.max(1) as f64, null.point_rows.max(1) as f64)
            }
            Noise::Bins {
                score,
                closed,
                order,
            } => self.bins(method.name, *score, *closed, *order, null),
            Noise::Draws { score } => {
                let Some(points) = null.points else {
                    return 0.0;
                };
                let n = points.rows().max(1) as f64;
                let step = step(null.point_rows.max(1)).min(DRAW_ROWS_MAX);
                let key = (method.name, points.values.len(), step);
                let drawn = self.keep(key, || {
                    draw_points(*score, points, null.reference_std, step)
                });
                drawn * ((1.0 / n + 1.0 / null.point_rows.max(1) as f64) * step as f64).sqrt()
            }
        }
    }

    fn bins(
        &mut self,
        name: &'static str,
        score: fn(Bins) -> Option<f64>,
        closed: fn(f64, f64, f64, f64, f64) -> f64,
        order: f64,
        null: &Null,
    ) -> f64 {
        let n = null.bins.iter().sum::<u64>().max(1) as f64;
        let m = null.rows.max(1) as f64;
        let used = null.bins.iter().filter(|count| **count > 0).count();
        let empty = null.bins.len() - used;
        let rarest = null
            .bins
            .iter()
            .filter(|count| **count > 0)
            .min()
            .copied()
            .unwrap_or(0) as f64;
        if used < 2 || rarest.min(rarest * m / n) >= EXPECTED_MIN {
            return closed(
                used.saturating_sub(1) as f64,
                n,
                m,
                empty as f64,
                null.bins.len() as f64,
            );
        }
        let step = step(null.rows.max(1));
        let drawn = self.keep((name, null.bins.len(), step), || {
            draw_bins(score, null.bins, n, step as f64)
        });
        drawn * ((1.0 / n + 1.0 / m) / (1.0 / n + 1.0 / step as f64)).powf(order)
    }

    fn keep(&mut self, key: (&'static str, usize, u64), find: impl FnOnce() -> f64) -> f64 {
        if let Some(&known) = self.kept.get(&key) {
            return known;
        }
        let found = find();
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_first();
        }
        self.kept.insert(key, found);
        found
    }
}

/// The 99th percentile of chi-square; 0 for no degrees of freedom.
pub(super) fn chi_square_quantile(degrees: f64) -> f64 {
    ChiSquared::new(degrees).map_or(0.0, |distribution| distribution.inverse_cdf(QUANTILE))
}

/// Rows rounded down to their three leading bits: steps of at most a quarter.
fn step(rows: u64) -> u64 {
    let bits = (u64::BITS - rows.leading_zeros()).saturating_sub(3);
    rows >> bits << bits
}

/// Both sides drawn from the reference's shares, each bin a Poisson count.
fn draw_bins(score: fn(Bins) -> Option<f64>, bins: &[u64], n: f64, m: f64) -> f64 {
    let mut random = Pcg64Mcg::seed_from_u64(0x5eed ^ m as u64);
    let (mut reference, mut current) = (vec![0; bins.len()], vec![0; bins.len()]);
    let mut scores = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        for (i, &count) in bins.iter().enumerate() {
            reference[i] = poisson(&mut random, count as f64);
            current[i] = poisson(&mut random, count as f64 / n * m);
        }
        scores.extend(score(Bins {
            reference: &reference,
            current: &current,
        }));
    }
    percentile(scores)
}

/// Windows of `rows` rows drawn from the reference's points and compared with them.
fn draw_points(score: fn(Cells, f64) -> Option<f64>, points: Points, std: f64, rows: u64) -> f64 {
    let mut random = Pcg64Mcg::seed_from_u64(0x5eed ^ rows);
    let total = points.rows() as f64;
    let mut current = vec![0u64; points.counts.len()];
    let mut ranks = Vec::with_capacity(rows as usize);
    let mut scores = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        // Sorted uniform ranks are normalised sums of exponential steps.
        let mut sum = 0.0;
        ranks.clear();
        for _ in 0..rows {
            sum += exponential(&mut random);
            ranks.push(sum);
        }
        sum += exponential(&mut random);
        current.fill(0);
        let (mut cell, mut reached) = (0, points.counts.first().map_or(0.0, |count| *count as f64));
        for rank in &ranks {
            let rank = rank / sum * total;
            while reached <= rank && cell + 1 < current.len() {
                cell += 1;
                reached += points.counts[cell] as f64;
            }
            current[cell] += 1;
        }
        let cells = Cells {
            reference: points,
            current: Points {
                values: points.values,
                counts: &current,
            },
        };
        scores.extend(score(cells, std));
    }
    percentile(scores)
}

fn percentile(mut scores: Vec<f64>) -> f64 {
    if scores.is_empty() {
        return 0.0;
    }
    scores.sort_unstable_by(f64::total_cmp);
    let rank = QUANTILE * (scores.len() - 1) as f64;
    let (low, part) = (rank as usize, rank.fract());
    let high = scores[(low + 1).min(scores.len() - 1)];
    scores[low] + (high - scores[low]) * part
}

fn exponential(random: &mut Pcg64Mcg) -> f64 {
    -(1.0 - random.random::<f64>()).ln()
}

/// Inversion for small means; for large ones a rounded normal with the same mean and variance.
fn poisson(random: &mut Pcg64Mcg, mean: f64) -> u64 {
    if mean > 50.0 {
        let angle = std::f64::consts::TAU * random.random::<f64>();
        let normal = (2.0 * exponential(random)).sqrt() * angle.cos();
        return (mean + mean.sqrt() * normal).round().max(0.0) as u64;
    }
    let (mut left, mut count) = (random.random::<f64>(), 0);
    let mut p = (-mean).exp();
    while left > p && count < 1000 {
        left -= p;
        count += 1;
        p *= mean / count as f64;
    }
    count
}
