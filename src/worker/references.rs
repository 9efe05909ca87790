//! Which reference is in force: a file, a file for each version, the first rows of the request log, or its trailing past.
//!
//! It looks between two evaluations and answers only where something has changed. What is found replaces all that was there.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3Default;

use super::segments::divide;
use crate::batch::{Batch, Column, Field, Form, Nature, Wanted};
use crate::config::{self, Model};
use crate::reference::{Draft, Reference, References};
use crate::report::{Mode, Moment, ReferenceReport};
use crate::source::history::{self, Chosen, History, Span, Take, hour_of_week};
use crate::source::{Labels, Outcomes, Table, VERSION, versions};

/// Rows of a trailing reference at most: more of them hardly tell more, and cost time at each step.
const ROWS_MAX: usize = 100_000;

/// A trailing reference moves in so many steps of its length, so that it changes seldom.
const STEPS: i64 = 7;

const HOUR: i64 = 3_600_000_000;

/// References, and where their rows come from.
#[derive(Debug)]
pub struct Found {
    pub references: References,
    pub mode: Mode,
    /// The event times between which the rows were taken; `None` for files.
    pub span: Option<(i64, i64)>,
}

impl Found {
    /// Says in a report where the reference comes from.
    pub fn tell(&self, report: &mut ReferenceReport) {
        report.mode = self.mode;
        report.start = self.span.map(|(start, _)| Moment(start));
        report.end = self.span.map(|(_, end)| Moment(end));
    }
}

/// Looks for a model's reference.
#[derive(Debug)]
pub struct Lookout {
    /// Where the first rows are kept; `None`: in memory.
    kept: Option<PathBuf>,
    history: History,
    seen: Option<Seen>,
}

/// What the last look saw.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Files by their stamps; `None`: there are none.
    Files(Option<u64>),
    /// The log has given its first rows, and they are in memory.
    FirstRows,
    Past(Span),
}

impl Lookout {
    /// `kept`: where to keep the first rows of a log.
    pub fn new(model: &Model, kept: Option<PathBuf>) -> Lookout {
        let history = History::new(&model.requests.path, &model.monitor.requests.timestamp);
        Lookout { kept, history, seen: None }
    }

    /// `None`: all is as it was at the last look. `Err`: why there is nothing to compare with, in words.
    pub fn look(&mut self, model: &Model, now: i64) -> Option<Result<Found, String>> {
        match &model.reference {
            config::Reference::File(path) => {
                let stamp = Table::stamp(path);
                self.is_news(Seen::Files(stamp)).then(|| file(model, path))
            }
            config::Reference::Versions(path) => self.versions(model, path),
            config::Reference::FirstRows(rows) => self.first_rows(model, *rows, now),
            config::Reference::Trailing { length, same_hour_of_week } => {
                self.trailing(model, *length, *same_hour_of_week, now)
            }
        }
    }

    fn is_news(&mut self, seen: Seen) -> bool {
        let news = self.seen.as_ref() != Some(&seen);
        self.seen = Some(seen);
        news
    }

    /// The file modified last is the reference of the model as a whole, and the others are judged as it is.
    fn versions(&mut self, model: &Model, path: &Path) -> Option<Result<Found, String>> {
        let files = match versions(path) {
            Ok(files) => files,
            Err(problem) => return self.is_news(Seen::Files(None)).then_some(Err(problem)),
        };
        let mut hash = Xxh3Default::new();
        for (version, (_, stamp)) in &files {
            hash.update(version.as_bytes());
            hash.write_u64(stamp.inode);
            hash.write_u64(stamp.size);
            hash.write_i64(stamp.modified_ns);
        }
        if !self.is_news(Seen::Files((!files.is_empty()).then(|| hash.digest()))) {
            return None;
        }
        let newest = files.iter().max_by_key(|(version, (_, stamp))| (stamp.modified_ns, *version));
        let Some((newest, (main, _))) = newest else {
            let advice = "give it one for each version of the model";
            return Some(Err(format!("there is no file {}, whatever {VERSION} is; {advice}", path.display())));
        };
        let mut references = match table(model, main, None).and_then(|(found, _)| divided(model, found, main)) {
            Ok(references) => references,
            Err(problem) => return Some(Err(problem)),
        };
        let main = references.main.clone();
        references.versions.insert(newest.clone(), main.clone());
        for (version, (path, _)) in files.iter().filter(|(version, _)| *version != newest) {
            match table(model, path, Some(&main)) {
                Ok((reference, _)) => drop(references.versions.insert(version.clone(), Arc::new(reference))),
                Err(problem) => tracing::warn!(
                    model = model.monitor.name,
                    version,
                    problem,
                    "the reference of this version cannot be used; the others can"
                ),
            }
        }
        Some(Ok(Found { references, mode: Mode::Versions, span: None }))
    }

    /// From the file that keeps them; where there is none, from the log as soon as it holds so many.
    fn first_rows(&mut self, model: &Model, rows: u64, now: i64) -> Option<Result<Found, String>> {
        let kept = self.kept.clone().filter(|path| path.exists());
        if let Some(path) = kept {
            let news = self.is_news(Seen::Files(Table::stamp(&path)));
            return news.then(|| kept_rows(model, &path, rows));
        }
        if self.seen == Some(Seen::FirstRows) {
            return None;
        }
        let files = self.history.look();
        if !self.is_news(Seen::Files(Some(files))) {
            return None;
        }
        let lacks = |there: u64| Err(format!("the reference takes the first {rows} rows; {there} are there"));
        if self.history.rows() < rows {
            return Some(lacks(self.history.rows()));
        }
        let all = Span { from: 0, to: latest(model, now).saturating_add(1), hours: BTreeSet::new() };
        let chosen = self.history.choose(&all, Take::First, rows as usize);
        if chosen.there < rows {
            return Some(lacks(chosen.there));
        }
        let name = &model.monitor.name;
        if let Some(path) = self.kept.clone() {
            let labels = self.labels(model, &chosen);
            match self.history.write(&chosen, labels.as_ref(), &path) {
                Ok(()) => {
                    tracing::info!(model = name, path = %path.display(), rows, "the first rows of the log are the reference from now on");
                    self.seen = Some(Seen::Files(Table::stamp(&path)));
                    return Some(kept_rows(model, &path, rows));
                }
                Err(error) => tracing::warn!(
                    model = name,
                    error = crate::chain(&error),
                    "the first rows of the log cannot be kept; a restart would take others as the reference"
                ),
            }
        }
        self.seen = Some(Seen::FirstRows);
        let span = chosen.ends;
        Some(self.of(model, &chosen).map(|references| Found { references, mode: Mode::FirstRows, span }))
    }

    /// Anew whenever the newest row has moved it by a step.
    fn trailing(
        &mut self,
        model: &Model,
        length: Duration,
        same_hour: bool,
        now: i64,
    ) -> Option<Result<Found, String>> {
        let files = self.history.look();
        if self.seen == Some(Seen::Files(Some(files))) {
            return None;
        }
        let Some(newest) = self.history.newest(latest(model, now)) else {
            self.seen = Some(Seen::Files(Some(files)));
            return Some(Err("the reference is the past of the request log, and the log has no rows yet".to_string()));
        };
        let windows = model.monitor.windows.as_deref().unwrap_or_default();
        let main = windows.first().map_or(0, |window| micros(window.length));
        let span = past(newest, micros(length), main, same_hour);
        if !self.is_news(Seen::Past(span.clone())) {
            return None;
        }
        let chosen = self.history.choose(&span, Take::Evenly, ROWS_MAX);
        let found = match chosen.rows {
            0 => {
                let (from, to) = (Moment(span.from), Moment(span.to));
                Err(format!("the reference takes the rows from {from} to {to}; none is there"))
            }
            _ => self.of(model, &chosen),
        };
        if found.is_err() {
            // Older rows may come yet.
            self.seen = Some(Seen::Files(Some(files)));
        }
        let span = Some((span.from, span.to));
        Some(found.map(|references| Found { references, mode: Mode::Trailing, span }))
    }

    /// The references that rows of the log make.
    fn of(&mut self, model: &Model, chosen: &Chosen) -> Result<References, String> {
        let settings = &model.monitor;
        let labels = self.labels(model, chosen);
        let mut fields = history::fields(&self.history.schema(chosen));
        fields.extend(labels.as_ref().map(|labels| Field {
            name: labels.name.clone(),
            nature: Nature::Text,
            type_name: "label of the outcome log".to_string(),
        }));
        let mut draft = Draft::new(settings, &fields, chosen.rows);
        let wanted = draft.wanted();
        self.history.read(chosen, &wanted, labels.as_ref(), |batch| draft.ingest(&batch));
        let mut references = References::from(Arc::new(draft.finish()?));
        divide(model, &mut references, &fields, |wanted, each| {
            self.history.read(chosen, wanted, labels.as_ref(), |batch| each(&batch));
            Ok(())
        });
        Ok(references)
    }

    /// The labels that have come for these rows; `None` without an outcome log, and where the rows have labels of their own.
    fn labels(&mut self, model: &Model, chosen: &Chosen) -> Option<Labels> {
        let settings = &model.monitor;
        let (source, columns) = model.outcomes.as_ref().zip(settings.outcomes.as_ref())?;
        let fields = history::fields(&self.history.schema(chosen));
        let label = &settings.reference.label;
        if fields.iter().any(|field| field.name == *label) {
            return None;
        }
        // Labels have the form of the predictions.
        let draft = Draft::new(settings, &fields, chosen.rows);
        let prediction = draft.wanted().into_iter().find(|wanted| wanted.name == settings.reference.prediction)?;
        let id = Wanted { name: settings.requests.request_id.clone(), form: Form::Id };
        let mut ids = HashSet::new();
        self.history.read(chosen, std::slice::from_ref(&id), None, |batch| {
            if let [Column::Ids(found)] = &batch.columns[..] {
                ids.extend(found.iter().flatten());
            }
        });
        let outcomes = Outcomes {
            path: &source.path,
            request_id: &columns.request_id,
            timestamp: columns.timestamp.as_deref(),
            label: &columns.label,
        };
        let delay = micros(settings.label_delay_max);
        let (first, last) = chosen.ends?;
        let mut labels = Labels::new(label, &id.name, prediction.form);
        labels.read(outcomes, &ids, (first.saturating_sub(delay), last.saturating_add(delay)));
        Some(labels)
    }
}

/// The rows of the trailing past: up to the start of the main window, rounded down to a step.
fn past(newest: i64, length: i64, main: i64, same_hour: bool) -> Span {
    let step = if same_hour { HOUR } else { (length / STEPS).max(main).max(1) };
    let to = newest.saturating_sub(main).div_euclid(step) * step;
    // The hours that the main window has touched since the last step.
    let hours = (to.div_euclid(HOUR)..=newest.div_euclid(HOUR)).map(|hour| hour_of_week(hour * HOUR));
    let hours = if same_hour { hours.take(7 * 24).collect() } else { BTreeSet::new() };
    Span { from: to.saturating_sub(length), to, hours }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// Rows after it lie in the future and are not used, as in windows.
fn latest(model: &Model, now: i64) -> i64 {
    now.saturating_add(micros(model.monitor.clock_skew_max))
}

fn file(model: &Model, path: &Path) -> Result<Found, String> {
    let (main, _) = table(model, path, None)?;
    Ok(Found { references: divided(model, main, path)?, mode: Mode::File, span: None })
}

/// With the segments of its rows.
fn divided(model: &Model, main: Reference, path: &Path) -> Result<References, String> {
    let open = || Table::open(path).map_err(|error| crate::chain(&error));
    let fields = open()?.fields().to_vec();
    let mut references = References::from(Arc::new(main));
    divide(model, &mut references, &fields, |wanted, each| {
        open()?.read(wanted, each).map_err(|error| crate::chain(&error))
    });
    Ok(references)
}

fn kept_rows(model: &Model, path: &Path, rows: u64) -> Result<Found, String> {
    let (main, span) = table(model, path, None)
        .map_err(|problem| format!("{problem}; delete the file, and the first rows are taken anew"))?;
    if main.rows != rows {
        tracing::warn!(
            model = model.monitor.name,
            path = %path.display(),
            rows = main.rows,
            "the first rows that are kept are not as many as the config says; delete the file to take them anew"
        );
    }
    Ok(Found { references: divided(model, main, path)?, mode: Mode::FirstRows, span })
}

/// Reads a reference whole, and between which event times its rows lie. `like`: the main reference, for that of another version.
/// `Err`: why it cannot be used, and what to do.
fn table(model: &Model, path: &Path, like: Option<&Reference>) -> Result<(Reference, Option<(i64, i64)>), String> {
    let said = |error: &dyn std::error::Error| crate::chain(error);
    let table = Table::open(path).map_err(|error| said(&error))?;
    let settings = &model.monitor;
    let alike = like.map(|main| main.plan.settings(settings));
    let mut fields = table.fields().to_vec();
    fields.retain(|field| like.is_none_or(|main| main.has(&field.name, settings)));
    let mut draft = Draft::new(alike.as_ref().unwrap_or(settings), &fields, table.rows());
    let read = |wanted: &[Wanted], each: &mut dyn FnMut(&Batch)| table.read(wanted, each).map_err(|error| said(&error));
    draft.read(read)?;
    let time = Wanted { name: settings.requests.timestamp.clone(), form: Form::Time };
    let mut span: Option<(i64, i64)> = None;
    if table.fields().iter().any(|field| field.name == time.name) {
        read(&[time], &mut |batch| {
            if let Some(Column::Times(times)) = batch.columns.first() {
                for time in times.iter().flatten() {
                    span = Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
                }
            }
        })?;
    }
    let reference = draft.finish().map_err(|problem| format!("{}: {problem}", path.display()))?;
    Ok((reference, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR;

    #[test]
    fn a_trailing_past_moves_in_steps_and_never_reaches_into_the_window() {
        let week = |newest| past(newest, 7 * DAY, HOUR, false);
        assert_eq!(week(100 * DAY + 5 * HOUR), Span { from: 93 * DAY, to: 100 * DAY, hours: BTreeSet::new() });
        assert_eq!(week(100 * DAY + 5 * HOUR), week(101 * DAY + HOUR - 1));
        assert_eq!(week(101 * DAY + HOUR).to, 101 * DAY);
        // A step is at least as long as the window.
        assert_eq!(past(100 * DAY, DAY, 12 * HOUR, false).to, 99 * DAY + 12 * HOUR);
        assert_eq!(past(100 * DAY - 1, DAY, 12 * HOUR, false).to, 99 * DAY);
    }

    #[test]
    fn the_same_hours_of_the_week_are_those_that_the_window_touches() {
        let hours = |newest, main| past(newest, 28 * DAY, main, true).hours;
        let number = |hour: i64| hour_of_week(hour * HOUR);
        assert_eq!(hours(700 * HOUR + 1, HOUR), BTreeSet::from([number(699), number(700)]));
        assert_eq!(hours(700 * HOUR + 1, HOUR / 2), BTreeSet::from([number(699), number(700)]));
        assert_eq!(hours(700 * HOUR + HOUR / 2, HOUR / 2), BTreeSet::from([number(700)]));
        assert_eq!(hours(700 * HOUR, 30 * DAY).len(), 168);
        assert_eq!(number(699), number(699 - 168));
    }
}
