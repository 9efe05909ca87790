//! `threshold: auto`: how far windows of the reference lie from the whole of it, where nothing has drifted.
//!
//! The reference's rows, in the order of its file, are cut into adjacent chunks of one length, each is scored like a window,
//! and the threshold is the mean of the scores and three of their standard deviations (ddof 0). So it knows what noise does
//! not: the ups and downs of days and weeks, as far as the reference's order holds them. It is found for lengths from an
//! eighth of the reference down to some fifty rows, and between them by geometric interpolation over the rows; windows
//! larger than the longest chunks take the threshold of those.
//!
//! Source: NannyML's standard deviation threshold. This file knows a column and its rows; no window, no settings.

use super::Side;
use crate::profile::{Categories, Numbers, Profile, Scratch};
use crate::stats::{Method, Moments, Sides, nannyml};

/// Chunks of the longest length, and how many of a length are scored at most, spread evenly.
const CHUNKS_MIN: usize = 8;
const CHUNKS_MAX: usize = 64;

/// Rows of the shortest chunks, and of the longest ones in a small reference.
const ROWS_SHORT: usize = 50;
const ROWS_MIN: usize = 10;

const DEVIATIONS: f64 = 3.0;

/// A column's rows in the order of the reference. NaN and `MISSING` are missing values.
#[derive(Debug, Clone)]
pub enum Rows {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Rows::Numbers(values) => values.len(),
            Rows::Codes(codes) => codes.len(),
        }
    }

    fn profile(&self, side: &Side, chunk: std::ops::Range<usize>) -> Option<Profile> {
        match (self, side) {
            (Rows::Numbers(values), Side::Numbers(reference)) => {
                let mut numbers = Numbers::default();
                numbers.add(reference.grid(), &values[chunk], None);
                Some(Profile::Numbers(numbers))
            }
            (Rows::Codes(codes), Side::Categories { profile, .. }) => {
                let mut categories = Categories::new(profile.codes());
                categories.add(&codes[chunk]);
                Some(Profile::Categories(categories))
            }
            _ => None,
        }
    }
}

/// Thresholds by rows, ascending; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Auto(Vec<(u64, f64)>);

impl Auto {
    /// `None` where the reference is too small, or its chunks have no score.
    pub fn new(method: &Method, side: &Side, rows: &Rows) -> Option<Auto> {
        let mut steps = Vec::new();
        let mut length = rows.len() / CHUNKS_MIN;
        while length >= ROWS_SHORT.min(rows.len() / CHUNKS_MIN).max(ROWS_MIN) {
            let all = rows.len() / length;
            let taken = all.min(CHUNKS_MAX);
            let starts = (0..taken).map(|i| i * all / taken * length);
            let scores = scores(method, side, rows, starts.map(|start| start..start + length));
            steps.extend(threshold(&scores).map(|threshold| (length as u64, threshold)));
            length /= 2;
        }
        steps.reverse();
        (!steps.is_empty()).then_some(Auto(steps))
    }

    /// As NannyML has it: ten chunks and what is left over, and one threshold whatever the window's rows.
    pub fn nannyml(method: &Method, side: &Side, rows: &Rows) -> Option<Auto> {
        let (all, length) = (rows.len(), rows.len() / nannyml::CHUNKS);
        let starts = (0..all).step_by(length.max(1)).take_while(|_| length > 0);
        let scores = scores(method, side, rows, starts.map(|start| start..all.min(start + length)));
        nannyml::threshold(method, &scores).map(|threshold| Auto(vec![(1, threshold)]))
    }

    /// The threshold for a window of so many rows.
    pub fn at(&self, rows: u64) -> f64 {
        let above = self.0.partition_point(|(step, _)| *step < rows);
        match (above.checked_sub(1).map(|below| self.0[below]), self.0.get(above).copied()) {
            (Some(below), Some(above)) => {
                let way = (rows as f64 / below.0 as f64).ln() / (above.0 as f64 / below.0 as f64).ln();
                below.1 + (above.1 - below.1) * way
            }
            (Some(only), None) | (None, Some(only)) => only.1,
            (None, None) => f64::INFINITY,
        }
    }
}

/// The score of each chunk beside the whole reference; chunks without one are left out.
pub fn scores(
    method: &Method,
    side: &Side,
    rows: &Rows,
    chunks: impl Iterator<Item = std::ops::Range<usize>>,
) -> Vec<f64> {
    let mut scratch = Scratch::default();
    let score = |chunk| {
        let profile = rows.profile(side, chunk)?;
        let sides = side.beside(&profile, &mut scratch)?;
        (method.test)(&sides).ok().map(|outcome| outcome.score).filter(|score| score.is_finite())
    };
    chunks.filter_map(score).collect()
}

fn threshold(scores: &[f64]) -> Option<f64> {
    let moments = Moments::of(scores);
    (scores.len() >= CHUNKS_MIN / 2).then(|| moments.mean + DEVIATIONS * moments.std())
}

impl Side {
    /// This side and a window's, for the tests; `None` where no test reads the kind.
    pub fn beside<'a>(&'a self, current: &'a Profile, scratch: &'a mut Scratch) -> Option<Sides<'a>> {
        match (self, current) {
            (Side::Numbers(reference), Profile::Numbers(numbers)) => {
                let (cells, bins) = reference.compare(numbers, scratch);
                let moments = Some([reference.profile().moments, numbers.moments]);
                Some(Sides { bins, cells: Some(cells), moments, ..Sides::default() })
            }
            (Side::Categories { profile, .. }, Profile::Categories(categories)) => {
                Some(Sides { bins: profile.compare(categories, scratch), ..Sides::default() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Grid;
    use crate::profile::ReferenceNumbers;
    use crate::stats::method;

    fn numbers(values: &[f64]) -> Side {
        let mut distinct = values.to_vec();
        distinct.sort_unstable_by(f64::total_cmp);
        let counts: Vec<u64> = distinct.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect();
        distinct.dedup();
        let grid = Grid::new(&distinct, &counts, (0, 0), 10, 4096);
        Side::Numbers(Box::new(ReferenceNumbers::new(grid, distinct, counts, 0, 0, 0)))
    }

    #[test]
    fn thresholds_are_the_mean_and_three_deviations_of_the_chunks() {
        let values: Vec<f64> = (0..8000u64).map(|i| (i * i * 7919 % 8000) as f64).collect();
        let ks = method("ks").expect("a method");
        let auto = Auto::new(ks, &numbers(&values), &Rows::Numbers(values)).expect("it is large enough");
        // s = [scipy.stats.ks_2samp(v, v[i*L:(i+1)*L]).statistic for i in range(8000 // L)]; np.mean(s) + 3 * np.std(s)
        for (rows, expected) in [(1000, 0.0175), (500, 0.052892688244000584), (250, 0.09389041933326592)] {
            assert!((auto.at(rows) / expected - 1.0).abs() < 1e-9, "{rows}: {}", auto.at(rows));
        }
        assert_eq!(auto.at(1_000_000), auto.at(1000));
        assert_eq!(auto.at(1), auto.0[0].1);
        let between = auto.at(700);
        assert!(auto.at(1000) < between && between < auto.at(500), "{between}");
    }

    #[test]
    fn a_reference_that_goes_up_and_down_asks_for_more() {
        let wave = |height: f64| -> Vec<f64> {
            let noise = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 24) as f64;
            (0..4000).map(|i| noise(i) + height * (i as f64 / 500.0 * std::f64::consts::TAU).sin()).collect()
        };
        let wasserstein = method("wasserstein").expect("a method");
        let of = |values: Vec<f64>| Auto::new(wasserstein, &numbers(&values), &Rows::Numbers(values)).unwrap().at(125);
        assert!(of(wave(1.0)) > 3.0 * of(wave(0.0)));
    }

    #[test]
    fn a_reference_of_few_rows_or_without_values_gives_none() {
        let ks = method("ks").expect("a method");
        let few: Vec<f64> = (0..79).map(f64::from).collect();
        assert_eq!(Auto::new(ks, &numbers(&few), &Rows::Numbers(few)), None);
        assert_eq!(Auto::new(ks, &numbers(&[]), &Rows::Numbers(vec![f64::NAN; 1000])), None);
    }
}
