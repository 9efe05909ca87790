//! Samples of rows: drawn while rows come in, and the tests that read them.

use std::collections::BTreeMap;

use arrow::array::Array;

use super::count::Route;
use super::slice::Slice;
use crate::batch::{Batch, Column};
use crate::pane::Pane;
use crate::reference::{Compared, Reference};
use crate::report::{Kind, TestReport};
use crate::sample::{Item, Row, Sample, priority};
use crate::settings::Settings;
use crate::stats::noise::{Levels, Null};
use crate::stats::{Limit, Method, Moments, Samples, Sides, Table, Undefined, Vectors};
use crate::verdict;

type Tests = (Vec<TestReport>, BTreeMap<&'static str, Undefined>);

impl Slice {
    /// Draws among the routed rows for the samples of their panes. A row's lot is that of its id, else of its place in the log.
    pub(super) fn draw(&mut self, batch: &Batch, route: &Route, times: &[i64], ids: Option<usize>) {
        let Slice { reference, windows, compared, .. } = self;
        let sampled = || reference.columns.iter().zip(&*compared).filter(|(column, _)| column.slot.is_some());
        if sampled().next().is_none() {
            return;
        }
        let ids = match ids.map(|position| &batch.columns[position]) {
            Some(Column::Ids(ids)) => Some(ids),
            _ => None,
        };
        for (place, rows) in route.runs() {
            let sample = &mut windows.pane(place, &reference.columns).sample;
            for row in rows.iter().map(|row| *row as usize) {
                let priority = match ids.filter(|ids| ids.is_valid(row)) {
                    Some(ids) => priority(&[ids.value(row)]),
                    None => priority(&[batch.group, batch.first_row + row as u64, times[row] as u64]),
                };
                if sample.takes(priority) {
                    let items = sampled().map(|(column, at)| column.side.item(&batch.columns[*at].value(row)));
                    sample.add(priority, items.collect());
                }
            }
        }
    }
}

/// The items of a column on both sides.
fn items(samples: [&Sample<Row>; 2], slot: usize) -> [impl Iterator<Item = &Item>; 2] {
    samples.map(|sample| sample.rows().map(move |row| &row[slot]))
}

/// The tests of a column of texts or vectors.
pub(super) fn tests(column: &Compared, reference: &Reference, pane: &Pane, levels: &mut Levels) -> Tests {
    let Some(slot) = column.slot else {
        return Tests::default();
    };
    let samples = items([&reference.sample, &pane.sample], slot);
    match column.side {
        crate::reference::Side::Vectors { length, .. } => {
            let vectors = samples.map(|items| {
                let vectors =
                    items.filter_map(|item| if let Item::Vector(vector) = item { Some(&vector[..]) } else { None });
                vectors.flatten().copied().collect::<Vec<f32>>()
            });
            let vectors = vectors.each_ref().map(|values| Vectors { values, dims: length });
            test(planned(column), Samples::Vectors(vectors), levels)
        }
        _ => {
            let texts = samples.map(|items| {
                let texts = items.filter_map(|item| if let Item::Text(bag) = item { Some(&bag[..]) } else { None });
                texts.collect::<Vec<&[u32]>>()
            });
            test(planned(column), Samples::Texts(texts.each_ref().map(Vec::as_slice)), levels)
        }
    }
}

/// The tests of all numerical and categorical features at once.
pub(super) fn multivariate(settings: &Settings, reference: &Reference, pane: &Pane) -> Tests {
    let tests = settings.drift.multivariate.iter().map(|&method| (method, method.limit));
    let single = |column: &&Compared| matches!(column.kind, Kind::Numerical | Kind::Categorical);
    let slots: Vec<usize> = reference.columns.iter().filter(single).filter_map(|column| column.slot).collect();
    if slots.is_empty() {
        let none = tests.map(|(method, _)| (method.name, "there is no numerical or categorical feature"));
        return (Vec::new(), none.collect());
    }
    let values = [&reference.sample, &pane.sample]
        .map(|sample| sample.rows().flat_map(|row| slots.iter().map(|&slot| row[slot].value())).collect::<Vec<_>>());
    let rows = values.each_ref().map(|values| Table { values, columns: slots.len() });
    test(tests, Samples::Rows(rows), &mut Levels::default())
}

/// Thresholds of samples do not hang on the rows of the window.
fn planned(column: &Compared) -> impl Iterator<Item = (&'static Method, Limit)> {
    column.tests.iter().map(|test| (test.method, test.limit))
}

fn test(tests: impl Iterator<Item = (&'static Method, Limit)>, samples: Samples, levels: &mut Levels) -> Tests {
    let sides = Sides { samples: Some(samples), ..Sides::default() };
    // Tests of samples find their noise themselves.
    let null = Null { bins: &[], points: None, moments: Moments::default(), rows: 0, point_rows: 0 };
    let (mut made, mut undefined) = Tests::default();
    for (method, limit) in tests {
        match verdict::test(method, limit, &sides, &null, levels) {
            Ok(test) => made.push(test),
            Err(why) => drop(undefined.insert(method.name, why)),
        }
    }
    (made, undefined)
}
