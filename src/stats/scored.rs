//! The quality of a binary model's scores, from counts and sums that merge by addition.
//!
//! A row is a score (the probability of the positive class, 0 to 1) and whether it came true. ROC AUC, log loss and Brier score are
//! those of `roc_auc`, `log_loss` and `brier`; the last two are exact always. AUC is exact while the rows are kept one by one.
//! Folded, scores fall into 3971 cells, 64 an octave of their distance from 0 or from 1, whichever is nearer, down to
//! 2^-32, and rows of one cell count as ties. That moves AUC by at most half the share of (positive, negative) pairs
//! that lie in one cell together, and for scores of logistic models, blunt or sharp, by less than 5e-5.
//!
//! This file knows no class and no row that lacks its truth.

use super::{brier, log_loss, roc_auc};

/// Running counts over labelled rows with a score.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Scored {
    rows: u64,
    log_loss: f64,
    brier: f64,
    kept: Kept,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Kept {
    /// Each row, in any order.
    Rows(Vec<(f64, bool)>),
    /// Negative and positive rows of each cell, from the lowest scores to the highest; empty before the first row.
    Cells(Vec<[u32; 2]>),
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::Rows(Vec::new())
    }
}

/// Of at least one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreQuality {
    pub rows: u64,
    /// `None` where all rows are of one class.
    pub roc_auc: Option<f64>,
    pub log_loss: f64,
    pub brier: f64,
}

impl Scored {
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row. `false`, and nothing added, where the score is no probability: NaN, infinite, or outside 0 to 1.
    pub fn add(&mut self, score: f64, positive: bool) -> bool {
        if !(0.0..=1.0).contains(&score) {
            return false;
        }
        self.rows += 1;
        self.log_loss += log_loss::row(if positive { score } else { 1.0 - score });
        self.brier += brier::binary(score, positive);
        self.kept.add(score, positive);
        true
    }

    /// Takes back a row that `add` took, as when a label is corrected: the sums are those of the other rows, to rounding.
    pub fn remove(&mut self, score: f64, positive: bool) {
        if !(0.0..=1.0).contains(&score) || !self.kept.remove(score, positive) {
            return;
        }
        self.rows -= 1;
        self.log_loss -= log_loss::row(if positive { score } else { 1.0 - score });
        self.brier -= brier::binary(score, positive);
    }

    /// Adds the rows of `other`; in cells where either is.
    pub fn merge(&mut self, other: &Scored) {
        self.rows += other.rows;
        self.log_loss += other.log_loss;
        self.brier += other.brier;
        match (&mut self.kept, &other.kept) {
            (Kept::Rows(rows), Kept::Rows(more)) => rows.extend_from_slice(more),
            (kept, Kept::Rows(more)) => more.iter().for_each(|&(score, positive)| kept.add(score, positive)),
            (kept, Kept::Cells(more)) => {
                let cells = kept.fold();
                if cells.is_empty() {
                    cells.clone_from(more);
                } else {
                    cells.iter_mut().zip(more).for_each(|(cell, more)| {
                        cell[0] += more[0];
                        cell[1] += more[1];
                    });
                }
            }
        }
    }

    /// Puts the scores into cells, from now on.
    pub fn fold(&mut self) {
        self.kept.fold();
    }

    /// `None` without rows.
    pub fn finish(&self) -> Option<ScoreQuality> {
        let rows = self.rows as f64;
        (self.rows > 0).then(|| ScoreQuality {
            rows: self.rows,
            roc_auc: roc_auc::binary(self.kept.ascending()),
            log_loss: self.log_loss / rows,
            brier: self.brier / rows,
        })
    }
}

impl Kept {
    fn add(&mut self, score: f64, positive: bool) {
        match self {
            Kept::Rows(rows) => rows.push((score, positive)),
            Kept::Cells(cells) => {
                cells.resize(CELLS, [0, 0]);
                cells[cell(score)][usize::from(positive)] += 1;
            }
        }
    }

    /// `false` where there is no such row.
    fn remove(&mut self, score: f64, positive: bool) -> bool {
        match self {
            Kept::Rows(rows) => {
                let found = rows.iter().position(|row| *row == (score, positive));
                found.map(|at| rows.swap_remove(at)).is_some()
            }
            Kept::Cells(cells) => match cells.get_mut(cell(score)).map(|rows| &mut rows[usize::from(positive)]) {
                Some(rows) if *rows > 0 => {
                    *rows -= 1;
                    true
                }
                _ => false,
            },
        }
    }

    fn fold(&mut self) -> &mut Vec<[u32; 2]> {
        if let Kept::Rows(rows) = self {
            let rows = std::mem::take(rows);
            *self = Kept::Cells(Vec::new());
            rows.into_iter().for_each(|(score, positive)| self.add(score, positive));
        }
        match self {
            Kept::Cells(cells) => cells,
            Kept::Rows(_) => unreachable!("they are in cells now"),
        }
    }

    /// Negative and positive rows of each score or cell, from the lowest to the highest.
    fn ascending(&self) -> Vec<[u64; 2]> {
        match self {
            Kept::Cells(cells) => cells.iter().map(|cell| cell.map(u64::from)).collect(),
            Kept::Rows(rows) => {
                let mut rows = rows.clone();
                rows.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
                let positives = |ties: &[(f64, bool)]| ties.iter().filter(|(_, positive)| *positive).count();
                let ties = rows.chunk_by(|(a, _), (b, _)| a == b);
                ties.map(|ties| [ties.len() - positives(ties), positives(ties)].map(|rows| rows as u64)).collect()
            }
        }
    }
}

/// Binary digits behind the first one that tell the cells of an octave apart, and the octaves below 1/2 that have cells of their own.
const DIGITS: u32 = 6;
const OCTAVES: u32 = 31;
const CELLS: usize = 2 * ((OCTAVES as usize) << DIGITS) + 3;

/// The number of a score's cell, 0 to `CELLS` - 1.
fn cell(score: f64) -> usize {
    if score < 0.5 { nearer(score) } else { CELLS - 1 - nearer(1.0 - score) }
}

/// The number of the cell at this distance, 0 to 1/2, from the nearer end: the leading digits of the number.
fn nearer(distance: f64) -> usize {
    const LOST: u32 = f64::MANTISSA_DIGITS - 1 - DIGITS;
    const NEAREST: f64 = 0.5 / (1u64 << OCTAVES) as f64;
    if distance < NEAREST { 0 } else { 1 + ((distance.to_bits() >> LOST) - (NEAREST.to_bits() >> LOST)) as usize }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rows: &[(f64, bool)]) -> Scored {
        let mut scored = Scored::default();
        rows.iter().for_each(|&(score, positive)| assert!(scored.add(score, positive)));
        scored
    }

    #[test]
    fn a_score_that_is_no_probability_is_left_out() {
        let mut scored = Scored::default();
        for score in [f64::NAN, f64::INFINITY, -0.01, 1.01, f64::NEG_INFINITY] {
            assert!(!scored.add(score, true));
        }
        assert_eq!(scored.finish(), None);
        assert!(scored.add(0.0, false) && scored.add(-0.0, true) && scored.add(1.0, true));
        let found = scored.finish().expect("three rows");
        assert_eq!((found.rows, found.roc_auc), (3, Some(0.75)));
    }

    #[test]
    fn one_class_has_losses_and_no_area() {
        let found = of(&[(0.5, true), (0.25, true)]).finish().expect("two rows");
        assert_eq!((found.roc_auc, found.brier), (None, (0.25 + 0.5625) / 2.0));
    }

    #[test]
    fn cells_are_in_the_order_of_the_scores_and_narrow_at_both_ends() {
        let scores = (0..=2_000_000u32).map(|i| f64::from(i) / 2e6).chain([1e-300, 1e-9, 1.0 - 1e-9, 1.0 - 1e-16]);
        let mut scores: Vec<f64> = scores.collect();
        scores.sort_unstable_by(f64::total_cmp);
        assert!(scores.iter().map(|&score| cell(score)).is_sorted());
        assert_eq!((CELLS, cell(0.0), cell(0.5), cell(1.0)), (3971, 0, 1985, 3970));
        assert_eq!([1e-300, -0.0, 1.0 - 1e-16].map(cell), [0, 0, 3970]);
        assert_eq!([cell(0.5 - 1e-16), cell(0.5 + 1e-15)], [1984, 1986]);
        assert_ne!(cell(1e-9), cell(1.02e-9));
        assert_ne!(cell(1.0 - 1e-9), cell(1.0 - 1.02e-9));
    }

    #[test]
    fn folding_moves_the_area_by_less_than_five_hundred_thousandths() {
        // Scores of a logistic model on a normal feature, sharp and blunt, and a truth that they know.
        for sharpness in [0.5, 2.0, 8.0] {
            let mut scored = Scored::default();
            for i in 0..200_000u64 {
                let uniform = |salt: u64| (i.wrapping_mul(salt) >> 11) as f64 / (1u64 << 53) as f64;
                let z: f64 = [0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB]
                    .map(uniform)
                    .iter()
                    .sum::<f64>()
                    - 1.5;
                let score = 1.0 / (1.0 + (-sharpness * z * 2.0).exp());
                scored.add(score, uniform(0xD6E8_FEB8_6659_FD93) < score);
            }
            let exact = scored.finish().and_then(|found| found.roc_auc).expect("both classes");
            scored.fold();
            let folded = scored.finish().and_then(|found| found.roc_auc).expect("both classes");
            assert!((exact - folded).abs() < 5e-5, "{sharpness}: {exact} {folded}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn parts_merge_and_rows_leave(
            rows in prop::collection::vec((prop_oneof![0.0..=1.0f64, Just(0.0), Just(0.5), Just(1.0)], any::<bool>()), 1..60),
            cut in 0..60usize, folded in any::<bool>()
        ) {
            let (left, right) = rows.split_at(cut.min(rows.len()));
            let mut whole = of(&rows);
            let mut merged = of(left);
            if folded {
                merged.fold();
                whole.fold();
            }
            merged.merge(&of(right));
            prop_assert_eq!(merged.kept.ascending(), whole.kept.ascending());
            right.iter().for_each(|&(score, positive)| merged.remove(score, positive));
            let mut expected = of(left);
            if folded {
                expected.fold();
            }
            let there = |scored: &Scored| scored.kept.ascending().into_iter().filter(|rows| *rows != [0, 0]).collect::<Vec<_>>();
            prop_assert_eq!(there(&merged), there(&expected));
            prop_assert_eq!(merged.rows, expected.rows);
            prop_assert!((merged.log_loss - expected.log_loss).abs() < 1e-9 && (merged.brier - expected.brier).abs() < 1e-12);
        }
    }
}
