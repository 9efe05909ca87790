//! A worker: one model from its files to its Report, as plain calls. No lock, no queue, no clock.
//!
//! `turn` does a bounded amount of work: the daemon calls it when woken, `once` until idle, tests by hand with
//! the time they like. The only arrow back to the source is the low water: rows before it are needed no more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::batch::Log;
use crate::config;
use crate::monitor::Monitor;
use crate::reference::{Draft, Reference};
use crate::report::{LogReport, ModelReport};
use crate::source::cursor::{self, State};
use crate::source::{Scan, Source, Table};

/// Batches that one turn reads at most: some tenths of a second.
const BATCHES_A_TURN: usize = 64;

/// What a turn leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There are more rows to read at once.
    Busy,
    /// Everything that is there has been read.
    Idle,
}

/// One model at work.
#[derive(Debug)]
pub struct Worker {
    model: config::Model,
    /// Where the cursors are kept; `None`: nowhere.
    state_file: Option<PathBuf>,
    saved: Option<State>,
    /// `None` while there is no reference to compare with.
    running: Option<Running>,
    /// Why there is none, in words, and the reference file's look at that time.
    problem: Option<String>,
    reference_stamp: Option<u64>,
    scanned: bool,
}

#[derive(Debug)]
struct Running {
    reference: Arc<Reference>,
    monitor: Monitor,
    requests: Source,
    outcomes: Option<Source>,
    /// Everything that was there at the start has been read: what windows hold is whole.
    caught_up: bool,
}

impl Worker {
    /// `state_dir`: where to keep cursors between runs.
    pub fn new(model: config::Model, state_dir: Option<&Path>) -> Worker {
        let state_file = state_dir.map(|dir| dir.join(format!("{}.json", file_name(&model.monitor.name))));
        Worker { model, state_file, saved: None, running: None, problem: None, reference_stamp: None, scanned: false }
    }

    pub fn name(&self) -> &str {
        &self.model.monitor.name
    }

    /// What the reference and the settings came to; `None` without a reference.
    pub fn reference(&self) -> Option<&Arc<Reference>> {
        self.running.as_ref().map(|running| &running.reference)
    }

    /// Why there is nothing to compare with.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// A bounded amount of work at `now` (microseconds since 1970). The first turn after an idle one lists the files.
    pub fn turn(&mut self, now: i64) -> Turn {
        if !self.scanned {
            self.look_at_reference();
            self.scan(now);
            self.scanned = true;
        }
        let Some(running) = &mut self.running else {
            self.scanned = false;
            return Turn::Idle;
        };
        for _ in 0..BATCHES_A_TURN {
            if !running.step(now) {
                running.caught_up = true;
                running.acknowledge();
                self.scanned = false;
                return Turn::Idle;
            }
        }
        Turn::Busy
    }

    /// Whether a Report would be whole: after a start or a rebuild not before all files were read once.
    pub fn caught_up(&self) -> bool {
        self.running.as_ref().is_none_or(|running| running.caught_up)
    }

    /// Takes a new or replaced reference into force: everything that windows need is then read anew.
    fn look_at_reference(&mut self) {
        let path = &self.model.reference.path;
        let stamp = Table::stamp(path);
        if stamp == self.reference_stamp && (self.running.is_some() || self.problem.is_some()) {
            return;
        }
        match read_reference(&self.model) {
            Ok(reference)
                if self.running.as_ref().is_some_and(|running| running.reference.digest == reference.digest) => {}
            Ok(reference) => {
                if self.running.is_some() {
                    tracing::info!(
                        model = self.model.monitor.name,
                        digest = reference.digest,
                        "reference replaced; reading the logs anew"
                    );
                }
                self.problem = None;
                let restored = if self.running.is_none() { self.restore() } else { None };
                self.running = Some(Running::new(&self.model, Arc::new(reference), restored));
            }
            Err(problem) if self.running.is_some() => {
                tracing::warn!(
                    model = self.model.monitor.name,
                    problem,
                    "new reference cannot be used; the old one stays in force"
                );
            }
            Err(problem) => {
                tracing::warn!(
                    model = self.model.monitor.name,
                    problem,
                    "no reference to compare with; looking again at each evaluation"
                );
                self.problem = Some(problem);
            }
        }
        self.reference_stamp = stamp;
    }

    /// Lists the files; where content that is still needed was replaced, everything is read anew, so that the
    /// numbers are those of the files as they are.
    fn scan(&mut self, now: i64) {
        let Some(running) = &mut self.running else {
            return;
        };
        let replaced = running.sources().fold(None, |found, source| match source.scan(now) {
            Scan::Replaced { path } => found.or(Some(path)),
            Scan::Unchanged | Scan::Changed => found,
        });
        if let Some(path) = replaced {
            tracing::info!(model = self.model.monitor.name, path = %path.display(), "log file replaced; reading the logs anew");
            running.rebuild(&self.model, now);
        }
    }

    /// Only for one-shot runs: what is unfinished now counts as failed.
    pub fn give_up(&mut self) {
        if let Some(running) = &mut self.running {
            running.sources().for_each(Source::give_up);
        }
    }

    /// Rows read so far and rows known to be there in all, for a progress bar.
    pub fn progress(&self) -> (u64, u64) {
        let Some(running) = &self.running else {
            return (0, 0);
        };
        let sources = std::iter::once(&running.requests).chain(&running.outcomes);
        sources.fold((0, 0), |(read, total), source| {
            let counts = source.counts();
            (read + counts.rows_read, total + counts.rows_read + counts.rows_waiting)
        })
    }

    /// The evaluation of everything read so far.
    pub fn report(&mut self) -> ModelReport {
        let Some(running) = &mut self.running else {
            return ModelReport {
                model: self.model.monitor.name.clone(),
                problems: self.problem.iter().cloned().collect(),
                ..ModelReport::default()
            };
        };
        let mut report = running.monitor.report();
        report.logs = running.logs();
        report
    }

    /// Keeps the cursors, where there is a place for them and something changed. A failure is said and tried again next time.
    pub fn save(&mut self) {
        let (Some(path), Some(running)) = (&self.state_file, &mut self.running) else {
            return;
        };
        let low_water = running.acknowledge();
        let mut logs = BTreeMap::from([(Log::Requests.name().to_string(), running.requests.cursors())]);
        logs.extend(running.outcomes.as_ref().map(|source| (Log::Outcomes.name().to_string(), source.cursors())));
        let state = State::new(digest(&self.model), low_water, logs);
        if self.saved.as_ref() == Some(&state) {
            return;
        }
        match cursor::save(path, &state) {
            Ok(()) => self.saved = Some(state),
            Err(error) => tracing::warn!(
                model = self.model.monitor.name,
                error = crate::chain(&error),
                "state not saved; a restart would read more than it needs to"
            ),
        }
    }

    /// What an earlier run left, if it was about the same files, columns and windows.
    fn restore(&self) -> Option<State> {
        let path = self.state_file.as_ref()?;
        match cursor::load(path) {
            Ok(state) => state.filter(|state| state.digest == digest(&self.model)),
            Err(error) => {
                tracing::warn!(
                    model = self.model.monitor.name,
                    error = crate::chain(&error),
                    "state not usable; reading the logs from the beginning"
                );
                None
            }
        }
    }
}

impl Running {
    fn new(model: &config::Model, reference: Arc<Reference>, state: Option<State>) -> Running {
        let monitor = Monitor::new(model.monitor.clone(), reference.clone());
        let (low_water, mut logs) = state.map_or((i64::MIN, BTreeMap::new()), |state| (state.low_water, state.logs));
        let mut source = |settings: &crate::source::Settings, log: Log| {
            let mut source = Source::new(settings.clone(), log, monitor.wanted(log));
            if let Some(columns) = monitor.expected(log) {
                source.expect(columns);
            }
            if let Some(cursors) = logs.remove(log.name()) {
                source.resume(cursors, low_water);
            }
            source
        };
        let requests = source(&model.requests, Log::Requests);
        let outcomes = model.outcomes.as_ref().map(|settings| source(settings, Log::Outcomes));
        Running { reference, monitor, requests, outcomes, caught_up: false }
    }

    fn sources(&mut self) -> impl Iterator<Item = &mut Source> {
        std::iter::once(&mut self.requests).chain(&mut self.outcomes)
    }

    /// Forgets everything and begins with the files as they are now.
    fn rebuild(&mut self, model: &config::Model, now: i64) {
        self.monitor = Monitor::new(model.monitor.clone(), self.reference.clone());
        self.caught_up = false;
        for source in self.sources() {
            source.rewind();
            source.scan(now);
        }
    }

    /// Tells the sources which rows are needed no more: those before the event time that it gives.
    fn acknowledge(&mut self) -> i64 {
        let low_water = self.monitor.low_water();
        self.sources().for_each(|source| source.acknowledge(low_water));
        low_water
    }

    /// One batch, requests before outcomes; false: all read.
    fn step(&mut self, now: i64) -> bool {
        let Running { monitor, requests, outcomes, .. } = self;
        for source in std::iter::once(requests).chain(outcomes) {
            if let Some(batch) = source.next(now) {
                let needed = monitor.ingest(&batch);
                source.keep_until(needed);
                return true;
            }
        }
        false
    }

    fn logs(&self) -> Vec<LogReport> {
        let logs = std::iter::once((Log::Requests, &self.requests))
            .chain(self.outcomes.iter().map(|source| (Log::Outcomes, source)));
        logs.map(|(log, source)| {
            let counts = source.counts();
            LogReport {
                log: log.name(),
                rows_read: counts.rows_read,
                rows_dropped: self.monitor.dropped(log),
                files: counts.files,
                files_failed: counts.files_failed,
                column_problems: counts.column_problems,
                last_event: self.monitor.last_event(log),
            }
        })
        .collect()
    }
}

/// Reads a model's reference whole. `Err`: why it cannot be used, and what to do.
pub fn read_reference(model: &config::Model) -> Result<Reference, String> {
    let path = &model.reference.path;
    let said = |error: &dyn std::error::Error| crate::chain(error);
    let table = Table::open(path).map_err(|error| said(&error))?;
    let mut draft = Draft::new(&model.monitor, table.fields(), table.rows());
    let wanted = draft.wanted();
    for batch in table.batches(&wanted) {
        draft.ingest(&batch.map_err(|error| said(&error))?);
    }
    draft.finish().map_err(|problem| format!("{}: {problem}", path.display()))
}

/// What must be equal for cursors of an earlier run to hold.
fn digest(model: &config::Model) -> u64 {
    let monitor = &model.monitor;
    let said = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        model.requests.path,
        model.outcomes.as_ref().map(|outcomes| &outcomes.path),
        monitor.requests,
        monitor.outcomes,
        monitor.windows,
        monitor.panes,
        monitor.label_delay_max,
        monitor.f1_window
    );
    xxh3_64(said.as_bytes())
}

/// A model's name as a file name: what could mislead a file system is replaced, and a hash keeps names apart.
fn file_name(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(80).collect();
    if plain == name { plain } else { format!("{plain}-{:08x}", xxh3_64(name.as_bytes()) as u32) }
}
