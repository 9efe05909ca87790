//! The sample of a reference: rows drawn while it is read, made comparable once the kinds of the columns are decided.
//!
//! It knows batches and samples; it decides nothing.

use crate::batch::{Batch, Value};
use crate::sample::{Item, Row, Sample, priority};

use super::Side;

/// Rows with the values of all columns of the batches.
#[derive(Debug, Default)]
pub struct Drawn(Sample<Vec<Value<'static>>>);

impl Drawn {
    pub fn ingest(&mut self, batch: &Batch) {
        for row in 0..batch.rows {
            let priority = priority(&[batch.group, batch.first_row + row as u64]);
            if self.0.takes(priority) {
                let values = batch.columns.iter().map(|column| column.value(row).into_owned());
                self.0.add(priority, values.collect());
            }
        }
    }

    /// What a sampled row of these columns takes, on average.
    pub fn row_bytes(&self, columns: &[usize]) -> usize {
        let items = columns.len() * size_of::<Item>();
        let apart = |value: &Value| match value {
            // Four bytes for each word and each pair of words.
            Value::Text(text) => text.len(),
            Value::Vector(vector) => size_of_val(&vector[..]),
            Value::Missing | Value::Number(_) => 0,
        };
        let all: usize = self.0.rows().flat_map(|row| columns.iter().map(|&at| apart(&row[at]))).sum();
        if columns.is_empty() { 0 } else { items + all / self.0.rows().len().max(1) }
    }

    /// `columns`: where each stands in the batches, and what it is.
    pub fn finish(self, columns: &[(usize, &Side)]) -> Sample<Row> {
        if columns.is_empty() {
            return Sample::default();
        }
        self.0.map(|row| columns.iter().map(|(at, side)| side.item(&row[*at])).collect())
    }
}
