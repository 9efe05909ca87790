//! Profiles: mergeable summaries of one column in one pane, counted on the reference's grid.
//!
//! A numeric profile keeps the values themselves while some window may be small enough to be exact, and a count for
//! each knot and each gap between two knots after that. This file knows `grid` and `stats`; no pane, no time.

mod bars;
mod compare;

use arrow::buffer::NullBuffer;

pub use crate::grid::Cell;
use crate::grid::Grid;
use crate::stats::Moments;
pub use bars::Bars;
pub use compare::{ReferenceNumbers, Scratch};

/// The code of a category that the reference never had, where such categories are counted together.
pub const UNSEEN: u32 = u32::MAX - 1;

/// Where they are counted one by one, their codes are these, up to `UNSEEN`.
pub const UNSEEN_FIRST: u32 = 1 << 31;

/// The code of a missing value.
pub const MISSING: u32 = u32::MAX;

/// One column of one pane.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Profile {
    Numbers(Numbers),
    Categories(Categories),
    Presence(Presence),
}

impl Profile {
    pub fn rows(&self) -> u64 {
        match self {
            Profile::Numbers(numbers) => numbers.rows,
            Profile::Categories(categories) => categories.rows,
            Profile::Presence(presence) => presence.rows,
        }
    }

    pub fn missing(&self) -> u64 {
        match self {
            Profile::Numbers(numbers) => numbers.missing,
            Profile::Categories(categories) => categories.missing,
            Profile::Presence(presence) => presence.missing,
        }
    }

    /// Rows whose value is missing.
    pub fn add_missing(&mut self, rows: u64) {
        let (all, missing) = match self {
            Profile::Numbers(numbers) => (&mut numbers.rows, &mut numbers.missing),
            Profile::Categories(categories) => (&mut categories.rows, &mut categories.missing),
            Profile::Presence(presence) => (&mut presence.rows, &mut presence.missing),
        };
        *all += rows;
        *missing += rows;
    }
}

/// A numeric column.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Numbers {
    /// All rows, missing ones among them.
    pub rows: u64,
    /// Nulls and NaN.
    pub missing: u64,
    /// Negative and positive infinities.
    pub below: u64,
    pub above: u64,
    /// Finite values outside the reference's range.
    pub out_of_range: u64,
    /// Of the finite values.
    pub moments: Moments,
    form: Form,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Form {
    Values(Vec<f64>),
    Cells(Box<[Cell]>),
}

impl Default for Form {
    fn default() -> Form {
        Form::Values(Vec::new())
    }
}

impl Numbers {
    pub fn add(&mut self, grid: &Grid, values: &[f64], nulls: Option<&NullBuffer>) {
        self.rows += values.len() as u64;
        let whole = nulls.is_none_or(|nulls| nulls.null_count() == 0);
        let moments = whole.then(|| Moments::of(values)).filter(|moments| moments.mean.is_finite());
        if let Some(moments) = moments {
            self.add_finite(grid, values, &moments);
            return;
        }
        let mut finite = Vec::with_capacity(values.len());
        let mut take = |slice: &[f64]| {
            for &value in slice {
                if value.is_finite() {
                    finite.push(value);
                }
                self.above += u64::from(value == f64::INFINITY);
                self.below += u64::from(value == f64::NEG_INFINITY);
            }
        };
        match nulls {
            Some(nulls) => nulls.valid_slices().for_each(|(start, end)| take(&values[start..end])),
            None => take(values),
        }
        self.add_finite(grid, &finite, &Moments::of(&finite));
        self.missing = self.rows - self.moments.count - self.below - self.above;
    }

    fn add_finite(&mut self, grid: &Grid, values: &[f64], moments: &Moments) {
        self.moments.merge(moments);
        let (low, high) = grid.range();
        if moments.min < low || high < moments.max {
            self.out_of_range += values.iter().map(|value| u64::from((*value < low) | (*value > high))).sum::<u64>();
        }
        match &mut self.form {
            Form::Values(kept) => kept.extend_from_slice(values),
            Form::Cells(cells) => grid.count(values, cells),
        }
    }

    /// Puts the values onto the grid and lets go of them.
    pub fn fold(&mut self, grid: &Grid) {
        if let Form::Values(values) = &self.form {
            let mut cells = vec![Cell::default(); grid.knots().len() + 1].into_boxed_slice();
            grid.count(values, &mut cells);
            self.form = Form::Cells(cells);
        }
    }

    /// Two profiles that both have their values give one that has; else the sum lies on the grid.
    pub fn merge(&mut self, grid: &Grid, other: &Numbers) {
        self.rows += other.rows;
        self.missing += other.missing;
        self.below += other.below;
        self.above += other.above;
        self.out_of_range += other.out_of_range;
        self.moments.merge(&other.moments);
        if matches!(other.form, Form::Cells(_)) {
            self.fold(grid);
        }
        match (&mut self.form, &other.form) {
            (Form::Values(values), Form::Values(more)) => values.extend_from_slice(more),
            (Form::Cells(cells), Form::Values(more)) => grid.count(more, cells),
            (Form::Cells(cells), Form::Cells(more)) => {
                for (cell, more) in cells.iter_mut().zip(more) {
                    cell.gap += more.gap;
                    cell.at += more.at;
                    cell.sum += more.sum;
                }
            }
            (Form::Values(_), Form::Cells(_)) => unreachable!("folded above"),
        }
    }
}

/// A categorical column: rows by code, in the reference's order of codes.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Categories {
    pub rows: u64,
    pub missing: u64,
    /// Values that the reference never had.
    pub unseen: u64,
    counts: Box<[u64]>,
    /// Rows of those unseen categories that have a code of their own; they are in `unseen` too.
    strange: Vec<u64>,
}

impl Categories {
    /// `codes`: how many the reference has.
    pub fn new(codes: usize) -> Categories {
        Categories { counts: vec![0; codes].into_boxed_slice(), ..Categories::default() }
    }

    /// Codes with a single row.
    pub fn once(&self) -> u64 {
        self.counts.iter().filter(|&&count| count == 1).count() as u64
    }

    /// The number of codes.
    pub fn codes(&self) -> usize {
        self.counts.len()
    }

    /// Counts one value a row: a code below `codes()` or from `UNSEEN_FIRST` on, `UNSEEN` or `MISSING`.
    pub fn add(&mut self, codes: &[u32]) {
        self.rows += codes.len() as u64;
        // Of two rows, each is counted apart where that pays: an addition waits for the one before it, and neighbours are often equal.
        let mut others = vec![0; if self.counts.len() <= codes.len() { self.counts.len() } else { 0 }];
        let (pairs, rest) = codes.as_chunks::<2>();
        for &[code, other] in pairs {
            self.add_to_code(code, 1);
            match others.get_mut(other as usize) {
                Some(count) => *count += 1,
                None => self.add_to_code(other, 1),
            }
        }
        rest.iter().for_each(|code| self.add_to_code(*code, 1));
        self.counts.iter_mut().zip(others).for_each(|(count, more)| *count += more);
    }

    pub fn count(&mut self, code: u32, rows: u64) {
        self.rows += rows;
        self.add_to_code(code, rows);
    }

    fn add_to_code(&mut self, code: u32, rows: u64) {
        match self.counts.get_mut(code as usize) {
            Some(count) => *count += rows,
            None if code == MISSING => self.missing += rows,
            None => {
                self.unseen += rows;
                if (UNSEEN_FIRST..UNSEEN).contains(&code) {
                    let strange = (code - UNSEEN_FIRST) as usize;
                    self.strange.resize(self.strange.len().max(strange + 1), 0);
                    self.strange[strange] += rows;
                }
            }
        }
    }

    pub fn merge(&mut self, other: &Categories) {
        self.rows += other.rows;
        self.missing += other.missing;
        self.unseen += other.unseen;
        self.strange.resize(self.strange.len().max(other.strange.len()), 0);
        let both = self.counts.iter_mut().chain(&mut self.strange);
        for (count, more) in both.zip(other.counts.iter().chain(&other.strange)) {
            *count += more;
        }
    }
}

/// A column of texts or vectors: only whether its values are there. What they are is in samples.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub struct Presence {
    pub rows: u64,
    pub missing: u64,
}

impl Presence {
    pub fn add(&mut self, rows: u64, missing: u64) {
        self.rows += rows;
        self.missing += missing;
    }

    pub fn merge(&mut self, other: &Presence) {
        self.add(other.rows, other.missing);
    }
}
