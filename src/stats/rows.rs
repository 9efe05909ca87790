//! Rows of several numbers at once: tables of mixed columns, and vectors.

use super::Moments;

/// One value of a row of a mixed table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// NaN is missing.
    Number(f64),
    /// By its code, the same on both sides.
    Category(u32),
    Missing,
}

/// Rows of so many columns each, at least one, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    pub values: &'a [Value],
    pub columns: usize,
}

impl<'a> Table<'a> {
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    pub(super) fn column(self, at: usize) -> impl Iterator<Item = Value> + use<'a> {
        self.values.iter().skip(at).step_by(self.columns).copied()
    }

    /// The values of these rows.
    pub(super) fn pick(self, rows: &[usize]) -> Vec<Value> {
        rows.iter().flat_map(|row| &self.values[row * self.columns..(row + 1) * self.columns]).copied().collect()
    }
}

/// Vectors of so many finite numbers each, at least one, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Vectors<'a> {
    pub values: &'a [f32],
    pub dims: usize,
}

impl<'a> Vectors<'a> {
    pub fn rows(&self) -> usize {
        self.values.len() / self.dims
    }

    pub(super) fn component(self, at: usize) -> impl Iterator<Item = f64> + use<'a> {
        self.values.iter().skip(at).step_by(self.dims).map(|&x| f64::from(x))
    }
}

/// Moments of a few numbers, all finite.
pub(super) fn moments(values: impl Iterator<Item = f64>) -> Moments {
    Moments::of(&values.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests;
