//! A worker: one model from its files to its Report, as plain calls. No lock, no queue, no clock.
//!
//! `turn` does a bounded amount of work: the daemon calls it when woken, `once` until idle, tests by hand with
//! the time they like. The only arrow back to the source is the low water: rows before it are needed no more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

mod kept;
mod references;
mod segments;

use crate::batch::Log;
use crate::config;
use crate::monitor::Monitor;
use crate::reference::{Reference, References};
use crate::report::{LogReport, ModelReport};
use crate::source::cursor::State;
use crate::source::{Scan, Source};
use references::{Found, Lookout};

/// Batches that one turn reads at most: some tenths of a second.
const BATCHES_A_TURN: usize = 64;

/// How the file ends that keeps the first rows of a log.
const FIRST_ROWS: &str = "reference.parquet";

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
    /// Where windows and pairs are kept, and under which digest and up to which rows they are.
    checkpoint_file: Option<PathBuf>,
    checkpointed: Option<(u64, State)>,
    /// `None` while there is no reference to compare with.
    running: Option<Running>,
    /// Why there is none, in words.
    problem: Option<String>,
    lookout: Lookout,
    scanned: bool,
}

#[derive(Debug)]
struct Running {
    found: Found,
    monitor: Monitor,
    requests: Source,
    outcomes: Option<Source>,
    /// Everything that was there at the start has been read: what windows hold is whole.
    caught_up: bool,
}

impl Worker {
    /// `state_dir`: where to keep cursors, and the first rows of a log, between runs.
    pub fn new(model: config::Model, state_dir: Option<&Path>) -> Worker {
        let file = |ending| state_dir.map(|dir| state_file(dir, &model, ending));
        let lookout = Lookout::new(&model, file(FIRST_ROWS));
        let (state_file, checkpoint_file) = (file("json"), file("windows"));
        Worker {
            model,
            state_file,
            saved: None,
            checkpoint_file,
            checkpointed: None,
            running: None,
            problem: None,
            lookout,
            scanned: false,
        }
    }

    pub fn name(&self) -> &str {
        &self.model.monitor.name
    }

    /// What is in force; `None` without a reference.
    pub fn references(&self) -> Option<&References> {
        self.running.as_ref().map(|running| &running.found.references)
    }

    /// Why there is nothing to compare with.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// A bounded amount of work at `now` (microseconds since 1970). The first turn after an idle one lists the files.
    pub fn turn(&mut self, now: i64) -> Turn {
        if !self.scanned {
            self.look_at_reference(now);
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

    /// Takes a new or replaced reference into force: everything that windows need is then read again.
    fn look_at_reference(&mut self, now: i64) {
        let name = &self.model.monitor.name;
        match (self.lookout.look(&self.model, now), &mut self.running) {
            (None, _) => {}
            (Some(Ok(found)), Some(running)) if running.found.references.equal(&found.references) => {
                running.found = found;
            }
            (Some(Ok(found)), running) => {
                let running = match running {
                    Some(running) => {
                        let digest = &found.references.main.digest;
                        tracing::info!(model = name, digest, "reference replaced; reading again what windows hold");
                        // With another task other outcomes are needed.
                        let task = |found: &Found| found.references.main.plan.task;
                        let state = (task(&running.found) == task(&found)).then(|| running.state(&self.model));
                        Running::new(&self.model, found, state)
                    }
                    None => self.take_up(found),
                };
                self.problem = None;
                self.running = Some(running);
            }
            (Some(Err(problem)), Some(_)) => {
                tracing::warn!(model = name, problem, "new reference cannot be used; the old one stays in force");
            }
            (Some(Err(problem)), None) => {
                let said = "no reference to compare with; looking again at each evaluation";
                tracing::warn!(model = name, problem, "{said}");
                self.problem = Some(problem);
            }
        }
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
        report.reference.iter_mut().for_each(|reference| running.found.tell(reference));
        report.logs = running.logs();
        report
    }
}

impl Running {
    fn new(model: &config::Model, found: Found, state: Option<State>) -> Running {
        let monitor = Monitor::new(model.monitor.clone(), found.references.clone());
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
        Running { found, monitor, requests, outcomes, caught_up: false }
    }

    fn sources(&mut self) -> impl Iterator<Item = &mut Source> {
        std::iter::once(&mut self.requests).chain(&mut self.outcomes)
    }

    /// Forgets everything and begins with the files as they are now.
    fn rebuild(&mut self, model: &config::Model, now: i64) {
        self.monitor = Monitor::new(model.monitor.clone(), self.found.references.clone());
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

/// What a model would be compared with, for who only looks: nothing is kept. `Err`: why there is nothing, in words.
pub fn reference(model: &config::Model, state_dir: Option<&Path>, now: i64) -> Result<Arc<Reference>, String> {
    let kept = state_dir.map(|dir| state_file(dir, model, FIRST_ROWS)).filter(|path| path.exists());
    let found = Lookout::new(model, kept).look(model, now);
    found.expect("a first look finds something or says why not").map(|found| found.references.main)
}

fn state_file(dir: &Path, model: &config::Model, ending: &str) -> PathBuf {
    dir.join(format!("{}.{ending}", file_name(&model.monitor.name)))
}

/// A model's name as a file name: what could mislead a file system is replaced, and a hash keeps names apart.
fn file_name(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(80).collect();
    if plain == name { plain } else { format!("{plain}-{:08x}", xxh3_64(name.as_bytes()) as u32) }
}
