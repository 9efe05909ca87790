//! What is gathered of one column of a reference while it is read.
//!
//! This file decides nothing about kinds; it knows `batch` and `label` only.

use std::collections::HashMap;

use arrow::array::Array;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::{Column, Form, canonical, vector};

#[derive(Debug)]
pub enum Gathered {
    Numbers {
        values: Vec<f64>,
        missing: u64,
        below: u64,
        above: u64,
    },
    Keys {
        counts: HashMap<String, u64>,
        missing: u64,
    },
    /// `sum`: of the hashes of all texts, equal in whatever order they come.
    Texts {
        missing: u64,
        why: String,
        sum: u64,
    },
    /// `lengths`: the shortest and the longest.
    Vectors {
        missing: u64,
        lengths: Option<(usize, usize)>,
        sum: u64,
    },
}

impl Gathered {
    pub fn empty(form: Form) -> Gathered {
        match form {
            Form::Number => Gathered::Numbers { values: Vec::new(), missing: 0, below: 0, above: 0 },
            Form::Key => Gathered::Keys { counts: HashMap::new(), missing: 0 },
            Form::Vector => Gathered::Vectors { missing: 0, lengths: None, sum: 0 },
            _ => Gathered::Texts { missing: 0, why: "kind: text in the config".to_string(), sum: 0 },
        }
    }

    pub fn form(&self) -> Form {
        match self {
            Gathered::Numbers { .. } => Form::Number,
            Gathered::Keys { .. } => Form::Key,
            Gathered::Texts { .. } => Form::Text,
            Gathered::Vectors { .. } => Form::Vector,
        }
    }

    /// Keys become texts once there are more than `distinct_max` of them.
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
                    let sum = counts.iter().fold(0, |sum: u64, (text, &n)| sum.wrapping_add(times(text, n)));
                    *self = Gathered::Texts { missing: *missing, why, sum };
                }
            }
            (Gathered::Texts { missing, sum, .. }, Column::Texts(array)) => {
                *missing += array.null_count() as u64;
                array.iter().flatten().for_each(|text| *sum = sum.wrapping_add(times(text, 1)));
            }
            (Gathered::Texts { missing, sum, .. }, Column::Keys(array)) => {
                let add = |text: &str, n| *sum = sum.wrapping_add(times(&canonical(text), n));
                *missing += crate::label::count_keys(array, add);
            }
            (Gathered::Vectors { missing, lengths, sum }, Column::Vectors(lists)) => {
                for row in 0..rows {
                    let Some(vector) = vector(lists, row) else {
                        *missing += 1;
                        continue;
                    };
                    let (shortest, longest) = lengths.unwrap_or((vector.len(), vector.len()));
                    *lengths = Some((shortest.min(vector.len()), longest.max(vector.len())));
                    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                    *sum = sum.wrapping_add(xxh3_64(&bytes));
                }
            }
            (
                Gathered::Numbers { missing, .. }
                | Gathered::Keys { missing, .. }
                | Gathered::Texts { missing, .. }
                | Gathered::Vectors { missing, .. },
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

    /// Why vectors cannot be compared; `None` where they can, and for all else.
    pub fn problem(&self) -> Option<String> {
        match self {
            Gathered::Vectors { lengths: None, .. } => Some("none of its lists holds numbers".to_string()),
            Gathered::Vectors { lengths: Some((shortest, longest)), .. } if shortest < longest => {
                Some(format!("its lists have {shortest} to {longest} numbers; vectors of one length can be compared"))
            }
            _ => None,
        }
    }
}

/// The hash of a text that is there so many times.
fn times(text: &str, n: u64) -> u64 {
    xxh3_64(text.as_bytes()).wrapping_mul(n)
}
