//! A reference divided into segments: rows by the values of some columns, each segment with a reference of its own.
//!
//! It reads the reference twice: once to see which segments have the most rows, once to fill them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::UInt32Array;

use super::{Draft, Reference, Segment, Segmentation};
use crate::batch::{Batch, Column, Field, Form, Wanted};
use crate::label::Labels;
use crate::settings::{SEGMENT_COLUMNS_MAX, Settings};

/// What all segments beyond the most frequent are called.
const OTHER: &str = "other";

/// What a missing value is called.
const MISSING: &str = "missing";

/// The codes of a row's values, one for each column, filled up with zeros.
pub type Combination = [u16; SEGMENT_COLUMNS_MAX];

/// A reference being divided.
#[derive(Debug)]
pub struct Division {
    settings: Settings,
    fields: Vec<Field>,
    columns: Vec<String>,
    labels: Vec<Labels>,
    counts: HashMap<Combination, u64>,
    places: HashMap<Combination, usize>,
    /// Each with the rows that it will have and its name.
    drafts: Vec<(Draft, String)>,
}

/// The combination of each row, of the columns that `labels` are of.
pub fn combinations(labels: &mut [Labels], columns: &[&Column], rows: usize) -> Vec<Combination> {
    let mut found = vec![Combination::default(); rows];
    for (at, (labels, column)) in labels.iter_mut().zip(columns).enumerate() {
        let missing = labels.learn(MISSING).unwrap_or(0);
        match column {
            Column::Keys(keys) => {
                let codes = labels.codes(keys);
                found.iter_mut().zip(codes).for_each(|(row, code)| row[at] = code.unwrap_or(missing));
            }
            _ => found.iter_mut().for_each(|row| row[at] = missing),
        }
    }
    found
}

impl Division {
    /// `main`: the whole reference, of which `fields` are the columns. `None`: it lacks one of those to divide it by.
    pub fn new(settings: &Settings, main: &Reference, columns: &[String], fields: &[Field]) -> Option<Division> {
        if columns.iter().any(|name| !fields.iter().any(|field| field.name == *name)) {
            return None;
        }
        let mut fixed = main.plan.settings(settings);
        (fixed.requests.version, fixed.segments) = (None, Vec::new());
        fixed.memory_max /= 2 * settings.segments.len() * settings.segments_max;
        Some(Division {
            settings: fixed,
            fields: fields.to_vec(),
            columns: columns.to_vec(),
            labels: vec![Labels::default(); columns.len()],
            counts: HashMap::new(),
            places: HashMap::new(),
            drafts: Vec::new(),
        })
    }

    /// The columns of each batch of the first reading.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.columns.iter().map(|name| Wanted { name: name.clone(), form: Form::Key }).collect()
    }

    /// The first reading.
    pub fn count(&mut self, batch: &Batch) {
        let columns: Vec<&Column> = batch.columns.iter().collect();
        for combination in combinations(&mut self.labels, &columns, batch.rows) {
            *self.counts.entry(combination).or_default() += 1;
        }
    }

    /// The most frequent combinations get a segment each; the place behind them is for all others.
    pub fn choose(&mut self) {
        let name = |combination: &Combination| {
            let values = self.labels.iter().zip(combination).map(|(labels, code)| labels.name(*code));
            named(&self.columns, values)
        };
        let other = named(&self.columns, self.columns.iter().map(|_| OTHER));
        let mut ranked: Vec<(u64, String, Combination)> =
            self.counts.iter().map(|(combination, rows)| (*rows, name(combination), *combination)).collect();
        ranked.retain(|(_, name, _)| *name != other);
        ranked.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        ranked.truncate(self.settings.segments_max - 1);
        let rest = self.counts.values().sum::<u64>() - ranked.iter().map(|(rows, ..)| rows).sum::<u64>();
        self.places = ranked.iter().enumerate().map(|(place, (_, _, combination))| (*combination, place)).collect();
        let drafts = ranked.into_iter().map(|(rows, name, _)| (rows, name)).chain([(rest, other)]);
        self.drafts = drafts.map(|(rows, name)| (Draft::new(&self.settings, &self.fields, rows), name)).collect();
    }

    /// The columns of each batch of the second reading.
    pub fn wanted_rows(&self) -> Vec<Wanted> {
        let draft = self.drafts.first().map_or_else(Vec::new, |(draft, _)| draft.wanted());
        self.wanted().into_iter().chain(draft).collect()
    }

    /// The second reading.
    pub fn ingest(&mut self, batch: &Batch) {
        let keys: Vec<&Column> = batch.columns[..self.columns.len()].iter().collect();
        let mut rows = vec![Vec::new(); self.drafts.len()];
        for (row, combination) in (0..).zip(combinations(&mut self.labels, &keys, batch.rows)) {
            rows[self.places.get(&combination).copied().unwrap_or(self.places.len())].push(row);
        }
        for ((draft, _), rows) in self.drafts.iter_mut().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
            draft.ingest(&batch.pick(self.columns.len(), &UInt32Array::from(rows)));
        }
    }

    /// A segment that the reference has no rows of, or none that can be used, is compared with nothing.
    pub fn finish(self, main: &Reference) -> Segmentation {
        let segment = |(draft, name): (Draft, String)| Segment {
            name,
            reference: Arc::new(draft.finish_part(main).unwrap_or_else(|_| main.empty())),
        };
        Segmentation {
            columns: self.columns,
            segments: self.drafts.into_iter().map(segment).collect(),
            labels: self.labels,
            places: self.places,
        }
    }
}

fn named<'a>(columns: &[String], values: impl Iterator<Item = &'a str>) -> String {
    columns.iter().zip(values).map(|(column, value)| format!("{column}={value}")).collect::<Vec<_>>().join(",")
}
