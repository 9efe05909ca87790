//! What is gathered of one column of a reference while it is read.
//!
//! This file decides nothing about kinds; it knows `batch` and `label` only.

use std::collections::HashMap;

use arrow::array::Array;

use crate::batch::{Column, Form, canonical};

#[derive(Debug)]
pub enum Gathered {
    Numbers { values: Vec<f64>, missing: u64, below: u64, above: u64 },
    Keys { counts: HashMap<String, u64>, missing: u64 },
    Presence { missing: u64, why: String },
}

impl Gathered {
    pub fn empty(form: Form) -> Gathered {
        match form {
            Form::Number => Gathered::Numbers { values: Vec::new(), missing: 0, below: 0, above: 0 },
            Form::Key => Gathered::Keys { counts: HashMap::new(), missing: 0 },
            _ => Gathered::Presence { missing: 0, why: "kind: text in the config".to_string() },
        }
    }

    pub fn form(&self) -> Form {
        match self {
            Gathered::Numbers { .. } => Form::Number,
            Gathered::Keys { .. } => Form::Key,
            Gathered::Presence { .. } => Form::Presence,
        }
    }

    /// Keys become presence (text) once there are more than `distinct_max` of them.
    pub fn add(&mut self, column: &Column, rows: usize, distinct_max: usize) {
        match (&mut *self, column) {
            (Gathered::Numbers { values, missing, below, above }, Column::Numbers(array)) => {
                for value in array.iter() {
                    match value {
                        Some(v) if v.is_finite() => values.push(v + 0.0),
                        Some(f64::INFINITY) => *above += 1,
                        Some(f64::NEG_INFINITY) => *below += 1,
                        _ => *missing += 1,
                    }
                }
            }
            (Gathered::Keys { counts, missing }, Column::Keys(array)) => {
                *missing += crate::label::count_keys(array, |text, n| {
                    let text = canonical(text);
                    match counts.get_mut(text.as_ref()) {
                        Some(count) => *count += n,
                        None => drop(counts.insert(text.into_owned(), n)),
                    }
                });
                if counts.len() > distinct_max {
                    let why = format!("text with more than {distinct_max} distinct values");
                    *self = Gathered::Presence { missing: *missing, why };
                }
            }
            (Gathered::Presence { missing, .. }, Column::Presence(nulls)) => {
                *missing += nulls.as_ref().map_or(0, |nulls| nulls.null_count() as u64);
            }
            (Gathered::Presence { missing, .. }, Column::Keys(array)) => *missing += array.logical_null_count() as u64,
            (
                Gathered::Numbers { missing, .. } | Gathered::Keys { missing, .. } | Gathered::Presence { missing, .. },
                _,
            ) => *missing += rows as u64,
        }
    }

    /// Different keys; 0 for numbers.
    pub fn distinct_keys(&self) -> usize {
        match self {
            Gathered::Keys { counts, .. } => counts.len(),
            _ => 0,
        }
    }
}
