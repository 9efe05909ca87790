//! Rows into panes: each kept row goes to the pane of its time, each of its values to the pane's profile of its column.

use std::collections::HashMap;

use arrow::array::{Array, StringArray};

use super::slice::Slice;
use crate::batch::{Batch, Column, canonical, vector};
use crate::profile::{MISSING, Profile, UNSEEN, UNSEEN_FIRST};
use crate::reference::{Compared, Side};
use crate::settings::{Definition, Settings};
use crate::stats::text::{self, DESCRIPTORS};
use crate::window::Place;

/// With more runs of rows than this in a batch, rows are gathered pane by pane before they are counted.
const RUNS_MAX: usize = 32;

/// Rows of a batch, in the order in which they are counted, cut into runs of one pane each.
pub(super) struct Route {
    rows: Vec<u32>,
    runs: Vec<(Place, std::ops::Range<usize>)>,
    /// `rows` is 0, 1, 2, ...: slices of the batch serve.
    straight: bool,
}

impl Route {
    /// The rows of each run.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Place, &[u32])> {
        self.runs.iter().map(|(place, run)| (*place, &self.rows[run.clone()]))
    }
}

impl Slice {
    /// Cuts the kept rows into runs of one pane; many short runs are sorted into few long ones.
    pub(super) fn route(&self, times: &[i64], kept: Vec<u32>) -> Route {
        let mut route = Route { straight: kept.len() == times.len(), rows: kept, runs: Vec::new() };
        let time_of = |row: &u32| times[*row as usize];
        let mut at = 0;
        while let Some(row) = route.rows.get(at) {
            let start = at;
            at += 1;
            if let Some(place) = self.windows.place(time_of(row)) {
                let span = self.windows.span(place);
                let within = |row: &&u32| span.0 <= time_of(row) && time_of(row) < span.1;
                at += route.rows[at..].iter().take_while(within).count();
                route.runs.push((place, start..at));
            }
        }
        if route.runs.len() <= RUNS_MAX {
            return route;
        }
        route.runs.sort_by_key(|(place, _)| *place);
        let mut sorted = Route { rows: Vec::with_capacity(route.rows.len()), runs: Vec::new(), straight: false };
        for (place, run) in route.runs {
            let start = sorted.rows.len();
            sorted.rows.extend_from_slice(&route.rows[run]);
            match sorted.runs.last_mut() {
                Some((last, run)) if *last == place => run.end = sorted.rows.len(),
                _ => sorted.runs.push((place, start..sorted.rows.len())),
            }
        }
        sorted
    }

    /// Adds every column of the routed rows to the profiles of their panes.
    pub(super) fn count(&mut self, batch: &Batch, route: &Route, settings: &Settings) {
        let Slice { reference, windows, compared: positions, codes: known_codes, unseen, .. } = self;
        let apart = if settings.drift.definition == Definition::Robust { 0 } else { settings.categories_max };
        for (place, run) in &route.runs {
            windows.pane(*place, &reference.columns).rows += run.len() as u64;
        }
        // Before they are counted: what no exact window can hold goes onto the grid at once.
        windows.fold(&reference.columns);
        let (mut codes, mut gathered_codes, mut gathered) = (Vec::new(), Vec::new(), Vec::new());
        let mut described = Described::default();
        for (i, compared) in reference.columns.iter().enumerate() {
            let column = &batch.columns[positions[i]];
            let gather = !route.straight;
            match (&compared.side, column) {
                (Side::Numbers(_), Column::Texts(texts)) => described.read(positions[i], texts, compared, route),
                (Side::Numbers(_), Column::Numbers(numbers)) if gather => {
                    gathered.clear();
                    gathered.extend(route.rows.iter().map(|&row| {
                        if numbers.is_valid(row as usize) { numbers.value(row as usize) } else { f64::NAN }
                    }));
                }
                (Side::Categories { codes: known, .. }, Column::Keys(keys)) => {
                    let unseen = &mut unseen[i];
                    let look_up = |text: &str| {
                        let text = canonical(text);
                        known.get(text.as_ref()).copied().unwrap_or_else(|| strange(unseen, &text, apart))
                    };
                    known_codes[i].map(keys, MISSING, &mut codes, look_up);
                    if gather {
                        gathered_codes.clear();
                        gathered_codes.extend(route.rows.iter().map(|&row| codes[row as usize]));
                        std::mem::swap(&mut codes, &mut gathered_codes);
                    }
                }
                _ => {}
            }
            for (place, run) in &route.runs {
                let profile = &mut windows.pane(*place, &reference.columns).columns[i];
                match (profile, &compared.side, column) {
                    (Profile::Numbers(profile), Side::Numbers(side), Column::Texts(_)) => {
                        profile.add(side.grid(), described.rows(compared, run.clone()), None)
                    }
                    (Profile::Numbers(profile), Side::Numbers(side), Column::Numbers(_)) if gather => {
                        profile.add(side.grid(), &gathered[run.clone()], None)
                    }
                    (Profile::Numbers(profile), Side::Numbers(side), Column::Numbers(numbers)) => {
                        let slice = numbers.slice(run.start, run.len());
                        profile.add(side.grid(), slice.values(), slice.nulls());
                    }
                    (Profile::Categories(profile), _, Column::Keys(_)) => profile.add(&codes[run.clone()]),
                    (Profile::Presence(profile), Side::Texts(_), Column::Texts(texts)) => {
                        let missing = route.rows[run.clone()].iter().filter(|row| texts.is_null(**row as usize));
                        profile.add(run.len() as u64, missing.count() as u64);
                    }
                    (Profile::Presence(profile), Side::Vectors { length, .. }, Column::Vectors(lists)) => {
                        let there = |row: u32| vector(lists, row as usize).is_some_and(|found| found.len() == *length);
                        let missing = route.rows[run.clone()].iter().filter(|row| !there(**row));
                        profile.add(run.len() as u64, missing.count() as u64);
                    }
                    (profile, _, _) => profile.add_missing(run.len() as u64),
                }
            }
        }
    }
}

/// The descriptors of the routed rows of one column of texts: several columns are made of it, one after the other.
#[derive(Default)]
struct Described {
    of: Option<usize>,
    numbers: [Vec<f64>; DESCRIPTORS.len()],
}

impl Described {
    fn read(&mut self, position: usize, texts: &StringArray, column: &Compared, route: &Route) {
        let Some(describes) = column.describes.as_ref().filter(|_| self.of != Some(position)) else {
            return;
        };
        self.of = Some(position);
        self.numbers.iter_mut().for_each(Vec::clear);
        for row in route.rows.iter().map(|row| *row as usize) {
            let told = match texts.is_valid(row) {
                true => text::descriptors(texts.value(row), |word| describes.words.contains(&word)).numbers(),
                false => [f64::NAN; DESCRIPTORS.len()],
            };
            self.numbers.iter_mut().zip(told).for_each(|(numbers, number)| numbers.push(number));
        }
    }

    fn rows(&self, column: &Compared, run: std::ops::Range<usize>) -> &[f64] {
        let which = column.describes.as_ref().map_or(0, |describes| describes.which);
        &self.numbers[which][run]
    }
}

/// The code of a category that the reference never had: one of its own for the first `apart` of them.
fn strange(unseen: &mut HashMap<String, u32>, text: &str, apart: usize) -> u32 {
    let next = unseen.len();
    match unseen.get(text) {
        Some(&code) => code,
        None if next >= apart => UNSEEN,
        None => *unseen.entry(text.to_string()).or_insert(UNSEEN_FIRST + next as u32),
    }
}
