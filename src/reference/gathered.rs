//! What is gathered of one column of a reference while it is read.
//!
//! This file decides nothing about kinds; it knows `batch`, `label` and how profiles write a missing value.

use std::collections::HashMap;

use arrow::array::{Array, DictionaryArray};
use arrow::datatypes::Int32Type;

use crate::batch::{Column, Form, canonical};
use crate::label::KeyCodes;
use crate::profile::MISSING;

#[derive(Debug)]
pub enum Gathered {
    /// Every row in its order, NaN where the value is missing.
    Numbers {
        values: Vec<f64>,
    },
    /// `order`: where the order of the rows is asked for.
    Keys {
        counts: HashMap<String, u64>,
        missing: u64,
        order: Option<KeyOrder>,
    },
    Presence {
        missing: u64,
        why: String,
    },
}

impl Gathered {
    pub fn empty(form: Form) -> Gathered {
        match form {
            Form::Number => Gathered::Numbers { values: Vec::new() },
            Form::Key => Gathered::Keys { counts: HashMap::new(), missing: 0, order: None },
            _ => Gathered::Presence { missing: 0, why: "kind: text in the config".to_string() },
        }
    }

    /// Keeps the order of the rows as well.
    pub fn ordered(self) -> Gathered {
        match self {
            Gathered::Keys { counts, missing, .. } => {
                Gathered::Keys { counts, missing, order: Some(KeyOrder::default()) }
            }
            other => other,
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
            (Gathered::Numbers { values }, Column::Numbers(array)) => {
                values.extend(array.iter().map(|value| value.map_or(f64::NAN, |value| value + 0.0)));
            }
            (Gathered::Numbers { values }, _) => values.resize(values.len() + rows, f64::NAN),
            (Gathered::Keys { counts, missing, order }, Column::Keys(array)) => {
                if let Some(order) = order {
                    order.add(array);
                }
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
            (Gathered::Keys { missing, order, .. }, _) => {
                *missing += rows as u64;
                if let Some(order) = order {
                    order.rows.resize(order.rows.len() + rows, MISSING);
                }
            }
            (Gathered::Presence { missing, .. }, _) => *missing += rows as u64,
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

/// Keys row by row, as numbers in the order of first sight.
#[derive(Debug, Default)]
pub struct KeyOrder {
    known: KeyCodes<u32>,
    codes: HashMap<String, u32>,
    pub rows: Vec<u32>,
}

impl KeyOrder {
    fn add(&mut self, array: &DictionaryArray<Int32Type>) {
        let KeyOrder { known, codes, rows } = self;
        let mut batch = Vec::new();
        known.map(array, MISSING, &mut batch, |text| {
            let next = codes.len() as u32;
            *codes.entry(canonical(text).into_owned()).or_insert(next)
        });
        rows.extend_from_slice(&batch);
    }

    /// Row by row, under the codes of the reference.
    pub fn under(self, codes: &HashMap<String, u32>) -> Vec<u32> {
        let mut to = vec![MISSING; self.codes.len()];
        self.codes.iter().for_each(|(name, &code)| to[code as usize] = codes.get(name).copied().unwrap_or(MISSING));
        self.rows.into_iter().map(|row| to.get(row as usize).copied().unwrap_or(MISSING)).collect()
    }
}
