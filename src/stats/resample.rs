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

/// Pairs to draw, for a percentile between 0.5 and 2 %. With many bins the score varies little, and fewer pairs do.
const PAIRS_MIN: usize = 128;
const PAIRS_MAX: usize = 4096;
/// An odd number with bits everywhere.
const SEED: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
/// Bounds the time: about 15 ns for a count.
const COUNTS_MAX: usize = 160_000;

/// The 99th percentile of the score of `rows` rows, all of them points. `None` where the score is not defined.
pub(super) fn resampled_level(method: &Method, null: &Null, rows: u64) -> Option<f64> {
    let reference_std = null.reference_std;
    let mut scores = if method.categorical {
        let categories = Categories::new(null.bins);
        pairs(
            &categories.weights,
            null.bins.iter().sum(),
            rows,
            |reference, current| {
                let bins = categories.fold(reference, current);
                let bins = Bins {
                    reference: &reference[..bins],
                    current: &current[..bins],
                };
                (method.noise.score)(&Sides {
                    bins,
                    cells: None,
                    reference_std,
                })
            },
        )
    } else {
        let points = null.points?;
        let groups = Groups::new(points);
        pairs(&groups.rows, points.rows(), rows, |reference, current| {
            let bins = Bins {
                reference: &[],
                current: &[],
            };
            let reference = Points {
                values: &groups.values,
                counts: reference,
            };
            let current = Points {
                values: &groups.values,
                counts: current,
            };
            (method.noise.score)(&Sides {
                bins,
                cells: Some(Cells { reference, current }),
                reference_std,
            })
        })
    };
    percentile_99(&mut scores)
}

/// The scores of pairs of `n` and `m` rows over the cells of these weights.
fn pairs(
    weights: &[f64],
    n: u64,
    m: u64,
    score: impl Fn(&mut [u64], &mut [u64]) -> Option<f64>,
) -> Vec<f64> {
    if n == 0 || m == 0 {
        return Vec::new();
    }
    // One reference has the same luck at all row counts, another reference has its own.
    let seed = weights.iter().fold(0, |seed: u128, weight| {
        (seed ^ u128::from(weight.to_bits())).wrapping_mul(SEED)
    });
    let mut draw = Draw::new(seed);
    let spread = Multinomial::new(weights);
    let (mut reference, mut current) = (vec![0; weights.len()], vec![0; weights.len()]);
    let pairs = (COUNTS_MAX / (2 * weights.len())).clamp(PAIRS_MIN, PAIRS_MAX);
    (0..pairs)
        .filter_map(|_| {
            spread.draw(&mut draw, n, &mut reference);
            spread.draw(&mut draw, m, &mut current);
            score(&mut reference, &mut current)
        })
        .collect()
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
            let missed = (once * (once - 1.0) / (2.0 * (twice + 1.0)))
                .clamp(1.0, MISSED_MAX)
                .round();
            weights.resize(bins.len() + missed as usize, once / missed);
        }
        Categories { weights, empty }
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
/// that three moments miss, at least their own 98.5th and a hundredth, so that an equal score at a row count beside is below.
fn percentile_99(scores: &mut [f64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let count = scores.len() as f64;
    let mean = scores.iter().map(|score| score.cbrt()).sum::<f64>() / count;
    let moment = |power| {
        scores
            .iter()
            .map(|score| (score.cbrt() - mean).powi(power))
            .sum::<f64>()
            / count
    };
    let std = moment(2).sqrt();
    let skew = if std > 0.0 {
        (moment(3) / std.powi(3)).clamp(-2.0, 2.0)
    } else {
        0.0
    };
    let z = NORMAL_99;
    let z = z + (z * z - 1.0) / 6.0 * skew - (2.0 * z * z - 5.0) * z / 36.0 * skew * skew;
    scores.sort_unstable_by(f64::total_cmp);
    let counted = scores[(0.985 * count) as usize];
    Some((mean + z * std).powi(3).max(counted * 1.01))
}

/// The reference's points, neighbours put together where the distribution function hardly moves: each group holds at most an
/// eighth of F(1-F), so that both tails keep their single values and the middle has few groups.
struct Groups {
    values: Vec<f64>,
    rows: Vec<f64>,
}

impl Groups {
    fn new(points: Points) -> Self {
        let all = points.rows() as f64;
        let mut groups = Groups {
            values: Vec::new(),
            rows: Vec::new(),
        };
        let (mut below, mut room) = (0.0, 0.0);
        for (&value, &count) in points.values.iter().zip(points.counts) {
            let count = count as f64;
            match (groups.values.last_mut(), groups.rows.last_mut()) {
                _ if count == 0.0 => continue,
                (Some(mean), Some(rows))
                    if count <= room && mean.is_finite() && value.is_finite() =>
                {
                    *rows += count;
                    *mean += (value - *mean) * (count / *rows);
                    room -= count;
                }
                _ => {
                    groups.values.push(value);
                    groups.rows.push(count);
                    room = below * (1.0 - below / all) / 8.0 - count;
                }
            }
            below += count;
        }
        groups
    }
}

/// Random counts.
pub(super) struct Draw {
    bits: Pcg64Mcg,
    /// Normal numbers come in twos.
    spare: Option<f64>,
}

impl Draw {
    pub(super) fn new(seed: u128) -> Self {
        Draw {
            bits: Pcg64Mcg::new(seed),
            spare: None,
        }
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

    /// Successes among `trials`: by inversion where few are expected, else a normal number bent to the binomial's skew.
    fn binomial(&mut self, trials: u64, trial: &Trial) -> u64 {
        let mean = trials as f64 * trial.chance;
        let successes = if mean < 6.0 {
            self.rare(trials, trial)
        } else {
            let z = self.normal();
            // Rounding adds a twelfth to the variance.
            let std = (mean * (1.0 - trial.chance) - 1.0 / 12.0).sqrt();
            let bent = z * std + (1.0 - 2.0 * trial.chance) * (z * z - 1.0) / 6.0;
            ((mean + bent + 0.5).max(0.0) as u64).min(trials)
        };
        if trial.turned {
            trials - successes
        } else {
            successes
        }
    }

    fn rare(&mut self, trials: u64, trial: &Trial) -> u64 {
        let mut share = (trials as f64 * trial.log_failure).exp();
        let mut left = self.uniform();
        let mut successes = 0;
        while left >= share && successes < trials {
            left -= share;
            successes += 1;
            share *= trial.odds * ((trials - successes + 1) as f64 / successes as f64);
        }
        successes
    }
}

/// One yes or no.
struct Trial {
    /// 0 to 1/2; of the failure where it is the rarer one (`turned`).
    chance: f64,
    odds: f64,
    /// ln(1 - chance)
    log_failure: f64,
    turned: bool,
}

impl Trial {
    fn new(chance: f64) -> Self {
        let turned = chance > 0.5;
        let chance = if turned { 1.0 - chance } else { chance };
        Trial {
            chance,
            odds: chance / (1.0 - chance),
            log_failure: (-chance).ln_1p(),
            turned,
        }
    }
}

/// Rows spread over cells by their weights: one binomial after another, of the rows that are left.
pub(super) struct Multinomial {
    trials: Vec<Trial>,
}

impl Multinomial {
    pub(super) fn new(weights: &[f64]) -> Self {
        // From the last, so that the last cell of any weight gets all that is left, exactly.
        let mut left = 0.0;
        let chances = weights.iter().rev().map(|weight| {
            left += weight;
            Trial::new(if *weight > 0.0 { weight / left } else { 0.0 })
        });
        let mut trials: Vec<Trial> = chances.collect();
        trials.reverse();
        Multinomial { trials }
    }

    pub(super) fn draw(&self, draw: &mut Draw, mut rows: u64, counts: &mut [u64]) {
        for (count, trial) in counts.iter_mut().zip(&self.trials) {
            *count = draw.binomial(rows, trial);
            rows -= *count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_of_the_binomial() {
        let mut draw = Draw::new(1);
        for (trials, chance) in [
            (10, 0.3),
            (100, 0.02),
            (1000, 0.005),
            (1000, 0.007),
            (50_000, 0.4),
            (200, 0.93),
        ] {
            const DRAWS: u32 = 40_000;
            let counts: Vec<f64> = (0..DRAWS)
                .map(|_| draw.binomial(trials, &Trial::new(chance)) as f64)
                .collect();
            let mean = counts.iter().sum::<f64>() / f64::from(DRAWS);
            let central = |power| {
                counts
                    .iter()
                    .map(|count| (count - mean).powi(power))
                    .sum::<f64>()
                    / f64::from(DRAWS)
            };
            let variance = trials as f64 * chance * (1.0 - chance);
            let skew = (1.0 - 2.0 * chance) / variance.sqrt();
            assert!(
                (mean - trials as f64 * chance).abs() < 4.0 * (variance / f64::from(DRAWS)).sqrt(),
                "{trials} {chance}"
            );
            assert!(
                (central(2) / variance - 1.0).abs() < 0.04,
                "{trials} {chance}: {}",
                central(2) / variance
            );
            assert!(
                (central(3) / central(2).powf(1.5) - skew).abs() < 0.06,
                "{trials} {chance}"
            );
        }
    }

    #[test]
    fn a_multinomial_draw_has_all_rows_and_none_in_cells_without_weight() {
        let mut draw = Draw::new(2);
        let mut counts = [9; 5];
        for rows in [0, 1, 7, 1_000_000] {
            Multinomial::new(&[0.0, 3.0, 0.0, 1e-9, 2.0]).draw(&mut draw, rows, &mut counts);
            assert_eq!(counts.iter().sum::<u64>(), rows);
            assert_eq!((counts[0], counts[2]), (0, 0));
        }
        Multinomial::new(&[1.0, 2.0, 0.0]).draw(&mut draw, 5, &mut counts[..3]);
        assert_eq!(
            counts[..3].iter().sum::<u64>(),
            5,
            "the last cell of weight takes what is left"
        );
    }

    #[test]
    fn the_percentile_of_normal_and_of_chi_square_scores_is_found() {
        let mut draw = Draw::new(3);
        let mut shifted: Vec<f64> = (0..20_000).map(|_| 10.0 + draw.normal()).collect();
        let found = percentile_99(&mut shifted).expect("there are scores");
        assert!((found - 12.326).abs() < 0.06, "{found}");
        // scipy.stats.chi2.ppf(0.99, 9) = 21.665994333461924
        let mut squares: Vec<f64> = (0..20_000)
            .map(|_| (0..9).map(|_| draw.normal().powi(2)).sum())
            .collect();
        let found = percentile_99(&mut squares).expect("there are scores");
        assert!((found - 21.666).abs() < 0.4, "{found}");
        assert_eq!(percentile_99(&mut []), None);
        assert_eq!(percentile_99(&mut [0.0; 100]), Some(0.0));
    }

    #[test]
    fn groups_keep_every_row_the_mean_and_the_infinities() {
        let values: Vec<f64> = [f64::NEG_INFINITY]
            .into_iter()
            .chain((0..5000).map(f64::from))
            .chain([f64::INFINITY])
            .collect();
        let counts = vec![2; values.len()];
        let groups = Groups::new(Points {
            values: &values,
            counts: &counts,
        });
        assert!(groups.values.len() < 400, "{} groups", groups.values.len());
        assert_eq!(groups.rows.iter().sum::<f64>(), 2.0 * 5002.0);
        assert_eq!((groups.values[0], groups.rows[0]), (f64::NEG_INFINITY, 2.0));
        assert_eq!(
            (groups.values.last(), groups.rows.last()),
            (Some(&f64::INFINITY), Some(&2.0))
        );
        let finite = groups
            .values
            .iter()
            .zip(&groups.rows)
            .filter(|(value, _)| value.is_finite());
        let sum: f64 = finite.map(|(value, rows)| value * rows).sum();
        assert!((sum / 10_000.0 - 2499.5).abs() < 1e-9);
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
