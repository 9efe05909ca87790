//! Expected confusion tables: of rows whose truth is not known, how many of each predicted class are probably of each class.
//!
//! A row of predicted class p adds to the cells (p, k) the probability that it is of class k; they sum to 1. Tables add up, in any
//! order to rounding. F1, precision, recall and accuracy come of the expected counts as they come of counted ones; every class with
//! any probability takes part in averages, seen or not. The standard error is that of a window of so many rows with this table:
//! what chance alone does to the realised F1, not what a wrong probability does.
//!
//! Source: NannyML's confidence-based performance estimation (CBPE).
//! This file knows classes by number and their probabilities; no scores.

use super::f1::{self, Average, Cell, Scores};

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ExpectedTable {
    rows: u64,
    /// By predicted class; empty where that was never predicted.
    cells: Vec<Vec<f64>>,
}

impl ExpectedTable {
    /// Adds a row of a predicted class, with its probability of each class: as many in every row.
    pub fn add(&mut self, predicted: usize, chances: impl ExactSizeIterator<Item = f64>) {
        self.rows += 1;
        let classes = chances.len();
        let cells = self.of(predicted, classes);
        cells.iter_mut().zip(chances).for_each(|(cell, chance)| *cell += chance);
    }

    pub fn merge(&mut self, other: &ExpectedTable) {
        self.rows += other.rows;
        for (predicted, more) in other.cells.iter().enumerate().filter(|(_, more)| !more.is_empty()) {
            self.of(predicted, more.len()).iter_mut().zip(more).for_each(|(cell, more)| *cell += more);
        }
    }

    fn of(&mut self, predicted: usize, classes: usize) -> &mut Vec<f64> {
        if self.cells.len() <= predicted {
            self.cells.resize(predicted + 1, Vec::new());
        }
        let cells = &mut self.cells[predicted];
        if cells.is_empty() {
            cells.resize(classes, 0.0);
        }
        cells
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// `None` without rows. `positive` is used by `Average::Binary` alone.
    pub fn scores(&self, average: Average, positive: u32) -> Option<Scores> {
        let cell = |predicted, (actual, rows): (usize, &f64)| Cell { predicted, actual: actual as u32, rows: *rows };
        let cells = self.cells.iter().enumerate();
        let cells: Vec<Cell> = cells
            .flat_map(|(predicted, cells)| cells.iter().enumerate().map(move |of| cell(predicted as u32, of)))
            .collect();
        f1::scores(&cells, average, positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(usize, [f64; 2])]) -> ExpectedTable {
        let mut table = ExpectedTable::default();
        rows.iter().for_each(|(predicted, chances)| table.add(*predicted, chances.iter().copied()));
        table
    }

    #[test]
    fn expected_scores_are_those_of_nannyml() {
        // p, y = np.array([.9, .6, .4, .2, .7]), np.array([1, 1, 0, 0, 0])
        // nannyml.performance_estimation.confidence_based.metrics.estimate_f1(y, p), and _precision, _recall, _accuracy
        let rows = [(1, [0.1, 0.9]), (1, [0.4, 0.6]), (0, [0.6, 0.4]), (0, [0.8, 0.2]), (0, [0.3, 0.7])];
        let found = table(&rows).scores(Average::Binary, 1).expect("there are rows");
        for (ours, theirs) in [
            (found.f1, 0.625),
            (found.precision, 0.75),
            (found.recall, 0.5357142857142857),
            (found.accuracy, 0.64),
            (found.rows, 5.0),
        ] {
            assert!((ours - theirs).abs() < 1e-15, "{found:?}");
        }
    }

    #[test]
    fn certain_rows_give_the_scores_of_counted_ones() {
        let rows = [(0, [1.0, 0.0]), (0, [0.0, 1.0]), (1, [0.0, 1.0]), (1, [0.0, 1.0])];
        let counted =
            [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 2.0)].map(|(predicted, actual, rows)| Cell { predicted, actual, rows });
        for average in [Average::Binary, Average::Macro, Average::Micro, Average::Weighted] {
            assert_eq!(table(&rows).scores(average, 1), f1::scores(&counted, average, 1));
        }
    }

    #[test]
    fn tables_merge_by_addition() {
        let rows: Vec<(usize, [f64; 2])> =
            (0..500).map(|i| (i % 2, [f64::from(i as u32 % 7) / 7.0, 1.0 - f64::from(i as u32 % 7) / 7.0])).collect();
        let mut merged = table(&rows[300..]);
        merged.merge(&table(&rows[..300]));
        merged.merge(&ExpectedTable::default());
        let (ours, whole) =
            (merged.scores(Average::Macro, 1).unwrap(), table(&rows).scores(Average::Macro, 1).unwrap());
        assert!((ours.f1 - whole.f1).abs() < 1e-12 && merged.rows() == 500);
    }

    #[test]
    fn no_rows_no_scores() {
        assert_eq!(ExpectedTable::default().scores(Average::Macro, 0), None);
    }
}
