//! Rows of several numbers at once: tables of mixed columns, and vectors.

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

    pub(super) fn column(self, at: usize) -> impl Iterator<Item = Value> + Clone + use<'a> {
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

impl Vectors<'_> {
    pub fn rows(&self) -> usize {
        self.values.len() / self.dims
    }
}

/// The numbers of both sides, the reference's first.
pub(super) fn pooled(reference: Vectors, current: Vectors) -> Vec<f64> {
    reference.values.iter().chain(current.values).map(|&x| f64::from(x)).collect()
}

/// Mean and standard deviation (ddof 0); 0 and 0 of nothing.
pub(super) fn mean_and_std(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let rows = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / rows;
    (mean, (values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows).sqrt())
}
