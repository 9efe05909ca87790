//! A pane: a short slice of event time, as one profile a column and the pairs that are known of it.
//!
//! Panes merge by addition; a window is the sum of its panes. This file knows no window and no clock.

use crate::estimate::Expected;
use crate::profile::{Categories, Numbers, Presence, Profile};
use crate::reference::{Compared, Side};
use crate::sample::{Row, Sample};
use crate::stats::f1::Confusion;
use crate::stats::regression::Errors;
use crate::stats::scored::Scored;

/// Rows of a slice of event time.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Pane {
    pub rows: u64,
    /// One for each compared column, in the reference's order.
    pub columns: Vec<Profile>,
    pub truth: Truth,
    /// `None` where the reference teaches no estimator.
    pub expected: Option<Expected>,
    /// Of its rows, where a test needs them.
    pub sample: Sample<Row>,
    /// Its numbers lie on the grid: the values themselves are gone.
    folded: bool,
}

/// Predictions whose outcome is known.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Truth {
    /// Rows by (predicted, actual) class, and the scores of those that have one.
    Classes(Confusion, Scored),
    Values(Errors),
}

impl Truth {
    pub fn rows(&self) -> u64 {
        match self {
            Truth::Classes(cells, _) => cells.values().sum(),
            Truth::Values(errors) => errors.rows,
        }
    }

    fn merge(&mut self, other: &Truth) {
        self.merge_answers(other);
        if let (Truth::Classes(_, scored), Truth::Classes(_, more)) = (self, other) {
            scored.merge(more);
        }
    }

    /// Without the scores.
    fn merge_answers(&mut self, other: &Truth) {
        match (self, other) {
            (Truth::Classes(cells, _), Truth::Classes(more, _)) => {
                for (&pair, &rows) in more {
                    *cells.entry(pair).or_default() += rows;
                }
            }
            (Truth::Values(errors), Truth::Values(more)) => errors.merge(more),
            _ => unreachable!("a model has one task"),
        }
    }
}

/// Panes whose labels are nearly all there: what was expected of their rows, and what came true.
#[derive(Debug, Clone)]
pub struct Settled {
    pub rows: u64,
    pub truth: Truth,
    pub expected: Expected,
}

impl Settled {
    /// Adds a pane, where it is one of those.
    pub fn add(&mut self, pane: &Pane) {
        let labelled = pane.truth.rows();
        let Some(expected) = pane.expected.as_ref().filter(|_| labelled > 0 && labelled * 10 >= pane.rows * 9) else {
            return;
        };
        self.rows += pane.rows;
        self.expected.merge(expected);
        self.truth.merge_answers(&pane.truth);
    }
}

impl Pane {
    /// Without rows; `truth` and `expected` are so too.
    pub fn new(columns: &[Compared], truth: Truth, expected: Option<Expected>) -> Pane {
        let empty = |column: &Compared| match &column.side {
            Side::Numbers(_) => Profile::Numbers(Numbers::default()),
            Side::Categories { profile, .. } => Profile::Categories(Categories::new(profile.codes())),
            Side::Texts(_) | Side::Vectors { .. } => Profile::Presence(Presence::default()),
        };
        let columns = columns.iter().map(empty).collect();
        Pane { rows: 0, columns, truth, expected, sample: Sample::default(), folded: false }
    }

    /// Puts the numbers onto the reference's grid and the scores into cells, once no window that holds this pane can be small enough to need the values.
    pub fn fold(&mut self, columns: &[Compared]) {
        if self.folded {
            return;
        }
        self.folded = true;
        if let Truth::Classes(_, scored) = &mut self.truth {
            scored.fold();
        }
        for (profile, column) in self.columns.iter_mut().zip(columns) {
            if let (Profile::Numbers(numbers), Side::Numbers(reference)) = (profile, &column.side) {
                numbers.fold(reference.grid());
            }
        }
    }

    pub fn merge(&mut self, other: &Pane, columns: &[Compared]) {
        self.rows += other.rows;
        self.truth.merge(&other.truth);
        if let (Some(expected), Some(more)) = (&mut self.expected, &other.expected) {
            expected.merge(more);
        }
        self.sample.merge(&other.sample);
        self.folded |= other.folded;
        for ((profile, more), column) in self.columns.iter_mut().zip(&other.columns).zip(columns) {
            match (profile, more, &column.side) {
                (Profile::Numbers(numbers), Profile::Numbers(more), Side::Numbers(reference)) => {
                    numbers.merge(reference.grid(), more)
                }
                (Profile::Categories(counts), Profile::Categories(more), _) => counts.merge(more),
                (Profile::Presence(presence), Profile::Presence(more), _) => presence.merge(more),
                _ => unreachable!("panes of one model have the same columns"),
            }
        }
    }
}
