//! What chance makes of a score: the labels "reference" and "current" of the pooled rows, dealt anew.
//!
//! Without drift every way to deal n and m labels to the n + m rows is alike, so the observed score is one of 200 (199
//! seeded deals and what was observed) that could each be any rank. So both numbers are exact for any distribution, any
//! number of rows and any score: p = (deals at or above the observed + 1) / 200, and the observed one is above the second
//! highest of the deals in one undrifted pair of a hundred (ties only make that rarer).
//!
//! All labellings go through the data together, [`LANES`] abreast: lane 0 of the first pass is the observed one.
//!
//! Source: Phipson and Smyth (2010), "Permutation p-values should never be zero". This file knows one score, the difference of the means.

use super::draw::Draw;
use super::rows::moments;

/// Labellings: the observed one, and the deals. A multiple of 100, so that the hundredth part is a whole number.
pub(super) const LABELLINGS: usize = 200;
/// Labellings in one pass over the data: as many sums as fit in ten registers of four.
pub(super) const LANES: usize = 40;
const SEED: u128 = 0x5851_F42D_4C95_7F2D_1405_7B7E_F767_814F;

/// For every pooled row, reference first, and every labelling: 1 where the row is labelled reference, else 0.
pub(super) struct Labels {
    /// Pass by pass, row by row.
    passes: Vec<Vec<[f32; LANES]>>,
}

impl Labels {
    pub(super) fn new(reference: usize, current: usize) -> Self {
        let mut draw = Draw::new(SEED);
        let mut order: Vec<usize> = (0..reference + current).collect();
        let pass = |pass| {
            let mut rows = vec![[0.0; LANES]; reference + current];
            (0..LANES).for_each(|lane| {
                if pass + lane > 0 {
                    draw.shuffle(&mut order);
                }
                for &row in &order[..reference] {
                    rows[row][lane] = 1.0;
                }
            });
            rows
        };
        Labels { passes: (0..LABELLINGS / LANES).map(pass).collect() }
    }

    /// The score of every labelling, by a function that scores those of one pass.
    pub(super) fn scores(&self, pass: impl Fn(&[[f32; LANES]]) -> [f64; LANES]) -> Scores {
        Scores(self.passes.iter().flat_map(|rows| pass(rows)).collect())
    }
}

/// The score of every labelling, the observed one first.
pub(super) struct Scores(pub(super) Vec<f64>);

impl Scores {
    /// The share of labellings that score at least as high as the observed one, itself included.
    pub(super) fn p_value(&self) -> f64 {
        let (least, most) =
            self.0.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &x| (least.min(x), most.max(x)));
        // Single precision: what differs by less is a tie.
        let observed = self.0[0] - (most - least) * 1e-5;
        self.0.iter().filter(|&&score| score >= observed).count() as f64 / LABELLINGS as f64
    }

    /// The 99th percentile of the deals: one observed score in a hundred is above it.
    pub(super) fn noise(&self) -> f64 {
        highest(&self.0[1..], LABELLINGS / 100 - 1)
    }

    /// Whether each labelling is among the highest hundredth, ties not counted.
    pub(super) fn extreme(&self) -> impl Iterator<Item = bool> {
        let level = highest(&self.0, LABELLINGS / 100);
        self.0.iter().map(move |&score| score > level)
    }
}

/// mean(R) - mean(C) of every labelling of numbers, n of the reference and then m: from the centre of all, it is (1/n + 1/m) times
/// the sum of those labelled reference.
pub(super) fn mean_differences(labels: &Labels, values: &[f64], n: usize, m: usize) -> Scores {
    let mean = moments(values.iter().copied()).mean;
    let centered: Vec<f32> = values.iter().map(|x| (x - mean) as f32).collect();
    labels.scores(|labels| {
        let mut sums = [0.0f32; LANES];
        for (x, labelled) in centered.iter().zip(labels) {
            for lane in 0..LANES {
                sums[lane] += x * labelled[lane];
            }
        }
        sums.map(|sum| f64::from(sum) * (1.0 / n as f64 + 1.0 / m as f64))
    })
}

/// The number that this many others lie above.
fn highest(scores: &[f64], above: usize) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted[above]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_labelling_has_the_rows_of_each_side_and_the_first_is_the_observed_one() {
        let labels = Labels::new(7, 3);
        let sums = labels.scores(|rows| std::array::from_fn(|lane| rows.iter().map(|row| f64::from(row[lane])).sum()));
        assert_eq!(sums.0, [7.0; LABELLINGS]);
        let observed: Vec<f32> = labels.passes[0].iter().map(|row| row[0]).collect();
        assert_eq!(observed, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        let first = labels.scores(|rows| std::array::from_fn(|lane| f64::from(rows[0][lane])));
        let share = first.0[1..].iter().sum::<f64>() / 199.0;
        assert!((share - 0.7).abs() < 0.1, "{share}");
    }

    #[test]
    fn the_observed_score_is_ranked_among_the_deals() {
        let ranked = |observed: f64| Scores([observed].into_iter().chain((1..200).map(f64::from)).collect());
        assert_eq!(ranked(0.5).p_value(), 1.0);
        assert_eq!(ranked(198.5).p_value(), 0.01);
        assert_eq!(ranked(1000.0).p_value(), 0.005);
        assert_eq!(ranked(0.5).noise(), 198.0);
        assert!(ranked(198.5).extreme().next().is_some_and(|extreme| extreme));
        assert_eq!(ranked(198.5).extreme().filter(|extreme| *extreme).count(), 2);
        let tied = Scores(vec![3.0; LABELLINGS]);
        assert_eq!((tied.p_value(), tied.noise(), tied.extreme().any(|extreme| extreme)), (1.0, 3.0, false));
    }
}
