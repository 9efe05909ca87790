//! Seeded chance, the same in every run: normal numbers, binomial and multinomial counts, orders.
//!
//! They are for noise levels: a binomial of more than six expected successes is a normal number bent to its skew, which is
//! right to a thousandth of probability and not exact. This file knows no statistic.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// Random numbers, counts and orders.
pub(super) struct Draw {
    bits: Pcg64Mcg,
    /// Normal numbers come in twos.
    spare: Option<f64>,
}

impl Draw {
    pub(super) fn new(seed: u128) -> Self {
        Draw { bits: Pcg64Mcg::new(seed), spare: None }
    }

    /// Uniform in [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..bound, to 2^-64 of it.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Every order alike, as Fisher and Yates do it.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Marsaglia's polar method.
    pub(super) fn normal(&mut self) -> f64 {
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
        if trial.turned { trials - successes } else { successes }
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
        Trial { chance, odds: chance / (1.0 - chance), log_failure: (-chance).ln_1p(), turned }
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
        for (trials, chance) in [(10, 0.3), (100, 0.02), (1000, 0.005), (1000, 0.007), (50_000, 0.4), (200, 0.93)] {
            const DRAWS: u32 = 40_000;
            let counts: Vec<f64> = (0..DRAWS).map(|_| draw.binomial(trials, &Trial::new(chance)) as f64).collect();
            let mean = counts.iter().sum::<f64>() / f64::from(DRAWS);
            let central = |power| counts.iter().map(|count| (count - mean).powi(power)).sum::<f64>() / f64::from(DRAWS);
            let variance = trials as f64 * chance * (1.0 - chance);
            let skew = (1.0 - 2.0 * chance) / variance.sqrt();
            assert!(
                (mean - trials as f64 * chance).abs() < 4.0 * (variance / f64::from(DRAWS)).sqrt(),
                "{trials} {chance}"
            );
            assert!((central(2) / variance - 1.0).abs() < 0.04, "{trials} {chance}: {}", central(2) / variance);
            assert!((central(3) / central(2).powf(1.5) - skew).abs() < 0.06, "{trials} {chance}");
        }
    }

    #[test]
    fn every_order_comes_alike_often() {
        let mut draw = Draw::new(4);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            draw.shuffle(&mut items);
            *seen.entry(items).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 24);
        assert!(seen.values().all(|times| (870..1130).contains(times)), "{seen:?}");
        draw.shuffle::<u8>(&mut []);
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
        assert_eq!(counts[..3].iter().sum::<u64>(), 5, "the last cell of weight takes what is left");
    }
}
