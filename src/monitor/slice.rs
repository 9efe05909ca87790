//! A slice: some of a model's rows, their windows, and the reference that these are compared with.
//!
//! It is handed rows that are known to count, and pairs; which ones, the monitor decides.

use std::collections::HashMap;
use std::sync::Arc;

use super::SECOND;
use super::count::Route;
use super::settle::{Answer, Pair};
use crate::batch::{Batch, Column, Wanted};
use crate::estimate::{Estimator, Expected, Reading};
use crate::label::KeyCodes;
use crate::pane::Truth;
use crate::profile::Scratch;
use crate::reference::Reference;
use crate::settings::{Settings, Task};
use crate::stats::f1::Confusion;
use crate::stats::noise::Levels;
use crate::stats::regression::Errors;
use crate::stats::scored::Scored;
use crate::window::Windows;

/// Rows that are compared with one reference.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) reference: Arc<Reference>,
    pub(super) windows: Windows,
    /// Where each compared column stands in a batch of requests.
    pub(super) compared: Vec<usize>,
    /// Where the prediction and then what the estimator reads stand in a batch; empty where nothing is estimated.
    estimated: Vec<usize>,
    /// From the keys of a batch to the reference's codes.
    pub(super) codes: Vec<KeyCodes<u32>>,
    /// Codes of categories that the reference never had, by their text, where the definition tells them apart.
    pub(super) unseen: Vec<HashMap<String, u32>>,
    /// What the noise of each compared column costs to find, and of its missing values.
    pub(super) levels: Vec<(Levels, Levels)>,
    pub(super) scratch: Scratch,
}

/// A batch of requests, and what all slices that take rows of it share.
pub(super) struct Incoming<'a> {
    pub batch: &'a Batch,
    /// The event time of each row that is taken.
    pub times: &'a [i64],
    /// Where the ids stand, if there are any.
    pub ids: Option<usize>,
    pub settings: &'a Settings,
    /// What each estimator tells of the batch.
    readings: Vec<(Arc<Estimator>, Reading)>,
}

impl<'a> Incoming<'a> {
    pub fn new(batch: &'a Batch, times: &'a [i64], ids: Option<usize>, settings: &'a Settings) -> Incoming<'a> {
        Incoming { batch, times, ids, settings, readings: Vec::new() }
    }

    /// Read by the first slice that asks. `positions`: of the prediction and of what the estimator reads beside it.
    fn reading(&mut self, estimator: &Arc<Estimator>, positions: &[usize]) -> &Reading {
        let known = self.readings.iter().position(|(of, _)| Arc::ptr_eq(of, estimator));
        let at = known.unwrap_or_else(|| {
            let columns: Vec<&Column> = positions.iter().map(|position| &self.batch.columns[*position]).collect();
            let (prediction, inputs) = columns.split_first().expect("an estimate reads the prediction");
            self.readings.push((estimator.clone(), estimator.read(prediction, inputs, self.batch.rows)));
            self.readings.len() - 1
        });
        &self.readings[at].1
    }
}

impl Slice {
    /// `wanted`: the columns of each batch of requests, those of the reference among them.
    pub(super) fn new(settings: &Settings, reference: Arc<Reference>, wanted: &[Wanted]) -> Slice {
        let empty = nothing(reference.plan.task);
        let expected: Option<Expected> = reference.estimator.as_ref().map(|estimator| estimator.nothing());
        let place = |name: &str, form| {
            let found = wanted.iter().position(|wanted| wanted.name == name && wanted.form == form);
            found.expect("what a reference asks for is wanted")
        };
        let compared = reference.columns.iter().map(|column| place(column.log_name(settings), column.form()));
        let columns = reference.columns.len();
        Slice {
            compared: compared.collect(),
            windows: Windows::new(settings.windows.as_deref(), settings.panes, settings.exact_rows, (empty, expected)),
            estimated: reference.estimated(settings).map(|(name, form)| place(&name, form)).collect(),
            codes: vec![KeyCodes::default(); columns],
            unseen: vec![HashMap::new(); columns],
            levels: std::iter::repeat_with(Default::default).take(columns).collect(),
            scratch: Scratch::default(),
            reference,
        }
    }

    /// Moves the watermark of its windows forward.
    pub(super) fn advance(&mut self, event_time: i64) {
        self.windows.advance(event_time, &self.reference.columns);
    }

    /// Takes in these rows of a batch.
    pub(super) fn take(&mut self, rows: Vec<u32>, incoming: &mut Incoming) {
        let route = self.route(incoming.times, rows);
        self.count(incoming.batch, &route, incoming.settings);
        self.estimate(incoming, &route);
        self.draw(incoming.batch, &route, incoming.times, incoming.ids);
    }

    /// Adds what is expected of the routed rows to their panes.
    fn estimate(&mut self, incoming: &mut Incoming, route: &Route) {
        let Slice { reference, windows, estimated, .. } = self;
        let Some(estimator) = &reference.estimator else {
            return;
        };
        let reading = incoming.reading(estimator, estimated);
        for (place, rows) in route.runs() {
            if let Some(expected) = &mut windows.pane(place, &reference.columns).expected {
                rows.iter().for_each(|row| reading.add(*row as usize, expected));
            }
        }
    }

    /// Adds a pair to the pane of its prediction, in place of what was known before. `false`: that pane is in no window any more.
    pub(super) fn learn(&mut self, pair: &Pair, positive: Option<u16>) -> bool {
        let Some(place) = self.windows.place(i64::from(pair.seconds) * SECOND) else {
            return false;
        };
        book(&mut self.windows.pane(place, &self.reference.columns).truth, pair, positive);
        true
    }
}

/// No pair yet.
pub(super) fn nothing(task: Task) -> Truth {
    match task {
        Task::Regression => Truth::Values(Errors::default()),
        _ => Truth::Classes(Confusion::default(), Scored::default()),
    }
}

/// Adds a pair, in place of what was known before.
pub(super) fn book(truth: &mut Truth, pair: &Pair, positive: Option<u16>) {
    match (truth, pair.predicted, pair.label) {
        (Truth::Classes(cells, scored), Answer::Class(predicted), Answer::Class(label)) => {
            if let (Some(score), Some(positive)) = (pair.score, positive) {
                if let Some(Answer::Class(old)) = pair.old {
                    scored.remove(score, old == positive);
                }
                scored.add(score, label == positive);
            }
            if let Some(Answer::Class(old)) = pair.old
                && let Some(rows) = cells.get_mut(&(predicted, old))
            {
                *rows -= 1;
            }
            *cells.entry((predicted, label)).or_default() += 1;
        }
        (Truth::Values(errors), Answer::Value(predicted), Answer::Value(label)) => {
            if let Some(Answer::Value(old)) = pair.old {
                errors.remove(predicted, old);
            }
            errors.add(predicted, label);
        }
        _ => unreachable!("a model has one task"),
    }
}
