//! What is gathered of one column of a reference while it is read.
//!
//! This file decides nothing about kinds; it knows `batch`, `label` and how profiles write a missing value.

use std::collections::HashMap;

use arrow::array::{Array, DictionaryArray, Float64Array};
use arrow::datatypes::Int32Type;
use xxhash_rust::xxh3::xxh3_64;

use super::described::Described;
use crate::batch::{Column, Form, canonical, vector};
use crate::label::KeyCodes;
use crate::profile::MISSING;

#[derive(Debug)]
pub enum Gathered {
    /// Every row in its order, NaN where the value is missing.
    Numbers { values: Vec<f64> },
    /// `order`: where the order of the rows is asked for.
    Keys { counts: HashMap<String, u64>, missing: u64, order: Option<KeyOrder> },
    /// `sum`: of the hashes of all texts, equal in whatever order they come.
    Texts { missing: u64, why: String, sum: u64, described: Box<Described> },
    /// `lengths`: the shortest and the longest.
    Vectors { missing: u64, lengths: Option<(usize, usize)>, sum: u64 },
}

impl Gathered {
    pub fn empty(form: Form) -> Gathered {
        match form {
            Form::Number => Gathered::Numbers { values: Vec::new() },
            Form::Key => Gathered::Keys { counts: HashMap::new(), missing: 0, order: None },
            Form::Vector => Gathered::Vectors { missing: 0, lengths: None, sum: 0 },
            _ => Gathered::Texts {
                missing: 0,
                why: "kind: text in the config".to_string(),
                sum: 0,
                described: Box::default(),
            },
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
            Gathered::Texts { .. } => Form::Text,
            Gathered::Vectors { .. } => Form::Vector,
        }
    }

    /// Keys become texts once there are more than `distinct_max` of them.
    pub fn add(&mut self, column: &Column, rows: usize, distinct_max: usize) {
        match (&mut *self, column) {
            (Gathered::Numbers { values }, Column::Numbers(array)) => append(values, array),
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
                    *self = Gathered::Texts {
                        missing: *missing,
                        why,
                        sum: sum(counts),
                        described: described(counts, *missing),
                    };
                }
            }
            (Gathered::Texts { missing, sum, described, .. }, Column::Texts(array)) => {
                *missing += array.null_count() as u64;
                described.add_missing(array.null_count() as u64);
                for text in array.iter().flatten() {
                    *sum = sum.wrapping_add(times(text, 1));
                    described.add(text, 1);
                }
            }
            (Gathered::Texts { missing, sum, described, .. }, Column::Keys(array)) => {
                let without = crate::label::count_keys(array, |text, n| {
                    *sum = sum.wrapping_add(times(&canonical(text), n));
                    described.add(text, n);
                });
                *missing += without;
                described.add_missing(without);
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
            (Gathered::Keys { missing, order, .. }, _) => {
                *missing += rows as u64;
                if let Some(order) = order {
                    order.rows.resize(order.rows.len() + rows, MISSING);
                }
            }
            (Gathered::Texts { missing, described, .. }, _) => {
                *missing += rows as u64;
                described.add_missing(rows as u64);
            }
            (Gathered::Vectors { missing, .. }, _) => *missing += rows as u64,
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

/// A negative zero is a zero.
fn append(values: &mut Vec<f64>, array: &Float64Array) {
    match array.nulls() {
        None => values.extend(array.values().iter().map(|value| value + 0.0)),
        Some(_) => values.extend(array.iter().map(|value| value.map_or(f64::NAN, |value| value + 0.0))),
    }
}

/// Of texts that were counted.
pub fn described(counts: &HashMap<String, u64>, missing: u64) -> Box<Described> {
    let mut described = Box::<Described>::default();
    described.add_missing(missing);
    counts.iter().for_each(|(text, rows)| described.add(text, *rows));
    described
}

/// Of the hashes of all texts, each as often as it is there.
pub fn sum(counts: &HashMap<String, u64>) -> u64 {
    counts.iter().fold(0, |sum: u64, (text, &n)| sum.wrapping_add(times(text, n)))
}

/// The hash of a text that is there so many times.
fn times(text: &str, n: u64) -> u64 {
    xxh3_64(text.as_bytes()).wrapping_mul(n)
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

    /// Some of the rows.
    pub fn taken(&self, rows: &[usize]) -> KeyOrder {
        let rows = rows.iter().map(|row| self.rows[*row]).collect();
        KeyOrder { known: KeyCodes::default(), codes: self.codes.clone(), rows }
    }

    /// Row by row; NaN for a key that has no number.
    pub fn numbers(&self, numbers: &HashMap<String, f64>) -> Vec<f64> {
        let mut to = vec![f64::NAN; self.codes.len()];
        self.codes.iter().for_each(|(name, &code)| to[code as usize] = numbers.get(name).copied().unwrap_or(f64::NAN));
        self.rows.iter().map(|row| to.get(*row as usize).copied().unwrap_or(f64::NAN)).collect()
    }

    /// Row by row, under the codes of the reference.
    pub fn under(self, codes: &HashMap<String, u32>) -> Vec<u32> {
        let mut to = vec![MISSING; self.codes.len()];
        self.codes.iter().for_each(|(name, &code)| to[code as usize] = codes.get(name).copied().unwrap_or(MISSING));
        self.rows.into_iter().map(|row| to.get(row as usize).copied().unwrap_or(MISSING)).collect()
    }
}
