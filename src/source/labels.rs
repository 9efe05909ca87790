//! Labels: the outcomes of some requests, joined to them by request id.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, StringArray, new_null_array};
use arrow::datatypes::DataType;

use super::parquet::{self, Failure};
use super::scan::{self, Place};
use crate::batch::{Column, Form, Value, Wanted};

/// Where labels are and what their columns are called.
#[derive(Debug, Clone, Copy)]
pub struct Outcomes<'a> {
    pub path: &'a Path,
    pub request_id: &'a str,
    pub timestamp: Option<&'a str>,
    pub label: &'a str,
}

/// Labels by request id.
#[derive(Debug)]
pub struct Labels {
    /// Of the column that they come to stand in, and of the requests' ids.
    pub name: String,
    pub request_id: String,
    form: Form,
    /// With their event times: of two outcomes of one request the later counts.
    known: HashMap<u64, (i64, Value<'static>)>,
}

impl Labels {
    /// `form`: of the labels, numbers or keys.
    pub fn new(name: &str, request_id: &str, form: Form) -> Labels {
        Labels { name: name.to_string(), request_id: request_id.to_string(), form, known: HashMap::new() }
    }

    /// Reads the labels of these requests, of outcomes from one event time (included) to another (excluded). Outcomes without
    /// a time always count; files that cannot be read are left out, as the source says of them.
    pub fn read(&mut self, outcomes: Outcomes, ids: &HashSet<u64>, (from, to): (i64, i64)) {
        let place = Place::new(outcomes.path);
        let mut wanted = vec![
            Wanted { name: outcomes.request_id.to_string(), form: Form::Id },
            Wanted { name: outcomes.label.to_string(), form: self.form },
        ];
        wanted.extend(outcomes.timestamp.map(|name| Wanted { name: name.to_string(), form: Form::Time }));
        for path in place.list().unwrap_or_default().into_keys() {
            let read = self.read_file(&path, &place, &wanted, ids, (from, to));
            if let Err(failure) = read {
                tracing::debug!(path = %path.display(), reason = failure.reason, "labels left out of the reference");
            }
        }
    }

    fn read_file(
        &mut self,
        path: &Path,
        place: &Place,
        wanted: &[Wanted],
        ids: &HashSet<u64>,
        (from, to): (i64, i64),
    ) -> Result<(), Failure> {
        let opened = parquet::open(path)?;
        let partitions = scan::partitions(place.root(), path);
        let times = wanted.get(2).map_or_else(|| vec![None; opened.groups.len()], |time| opened.times(&time.name));
        for (group, times) in times.into_iter().enumerate() {
            if times.is_some_and(|(least, most)| most < from || to <= least) {
                continue;
            }
            let mut rows = opened.read(group, 0, wanted)?;
            while let Some(batch) = rows.next(wanted, &partitions) {
                self.add(&batch?.1, ids, (from, to));
            }
        }
        Ok(())
    }

    fn add(&mut self, columns: &[Column], ids: &HashSet<u64>, (from, to): (i64, i64)) {
        let (Column::Ids(found), labels) = (&columns[0], &columns[1]) else {
            return;
        };
        let times = match columns.get(2) {
            Some(Column::Times(times)) => Some(times),
            _ => None,
        };
        for (row, id) in found.iter().enumerate() {
            let Some(id) = id.filter(|id| ids.contains(id)) else { continue };
            let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            let label = labels.value(row);
            if time.is_some_and(|time| time < from || to <= time) || label == Value::Missing {
                continue;
            }
            let time = time.unwrap_or(i64::MIN);
            if self.known.get(&id).is_none_or(|(known, _)| *known <= time) {
                self.known.insert(id, (time, label.into_owned()));
            }
        }
    }

    pub fn data_type(&self) -> DataType {
        if self.form == Form::Number { DataType::Float64 } else { DataType::Utf8 }
    }

    /// Of the requests with these ids; null where none is known.
    pub fn of(&self, ids: &Column, rows: usize) -> ArrayRef {
        let Column::Ids(ids) = ids else {
            return new_null_array(&self.data_type(), rows);
        };
        let known = ids.iter().map(|id| self.known.get(&id?).map(|(_, label)| label));
        match self.form {
            Form::Number => Arc::new(known.map(number).collect::<Float64Array>()),
            _ => Arc::new(known.map(text).collect::<StringArray>()),
        }
    }
}

fn number(label: Option<&Value<'static>>) -> Option<f64> {
    match label {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

fn text<'a>(label: Option<&'a Value<'static>>) -> Option<&'a str> {
    match label {
        Some(Value::Text(Cow::Owned(text))) => Some(text),
        Some(Value::Text(Cow::Borrowed(text))) => Some(text),
        _ => None,
    }
}
