//! The source: the files of one log, as batches, each row once.
//!
//! The directory listing is the truth; a notification only shortens the sleep. A row group is the unit of progress.
//! This room knows `batch` and nothing else of the program; it asks no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub mod checkpoint;
mod columns;
pub mod cursor;
mod files;
pub mod history;
mod labels;
mod look;
pub mod parquet;
pub mod scan;
mod table;
mod versions;
pub mod wake;

use crate::batch::{Batch, Log, Wanted};
use cursor::{Cursors, NEVER};
use files::{File, Status};
pub use labels::{Labels, Outcomes};
use parquet::{Failure, Opened, Rows};
use scan::{Place, Stamp};
pub use table::{Table, TableError};
pub use versions::{VERSION, versions};

/// What to read and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A file, a directory or a glob; absolute, or relative to the working directory.
    pub path: PathBuf,
    /// A file without a readable footer counts as failed once it has not changed for this long.
    pub unfinished_max: Duration,
}

/// What a look at the files found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    Unchanged,
    Changed,
    /// Content whose rows were read and are still needed is not there any more: only a new beginning gives true numbers.
    Replaced {
        path: PathBuf,
    },
}

/// What came in and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub rows_read: u64,
    /// Rows that footers announce and that were not read yet.
    pub rows_waiting: u64,
    /// Files now in each state: `read`, `waiting`, `unfinished`, `failed`.
    pub files: BTreeMap<&'static str, u64>,
    /// Files that failed so far, by reason.
    pub files_failed: BTreeMap<&'static str, u64>,
    /// Files in which a wanted column was missing or did not fit, or another one is new, by column and reason.
    pub column_problems: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

/// The files of one log.
#[derive(Debug)]
pub struct Source {
    settings: Settings,
    log: Log,
    wanted: Vec<Wanted>,
    /// Every column that a file may have; `None`: nobody asked.
    expected: Option<BTreeSet<String>>,
    place: Place,
    files: BTreeMap<PathBuf, File>,
    /// Files with rows to read, in order of first sight.
    waiting: BTreeSet<(u64, PathBuf)>,
    order: u64,
    low_water: i64,
    reading: Option<Reading>,
    /// Where the batch given last came from.
    last: Option<(PathBuf, usize)>,
    counts: Counts,
    /// Said once: columns that are nested, missing or of another type, and folders that cannot be listed.
    said: BTreeSet<String>,
}

#[derive(Debug)]
struct Reading {
    path: PathBuf,
    opened: Opened,
    group: usize,
    rows: Rows,
}

impl Source {
    /// `wanted`: the columns of each batch, in order.
    pub fn new(settings: Settings, log: Log, wanted: Vec<Wanted>) -> Source {
        let place = Place::new(&settings.path);
        Source {
            settings,
            log,
            wanted,
            expected: None,
            place,
            files: BTreeMap::new(),
            waiting: BTreeSet::new(),
            order: 0,
            low_water: NEVER,
            reading: None,
            last: None,
            counts: Counts::default(),
            said: BTreeSet::new(),
        }
    }

    /// Counts the columns that a file has beyond these (and those that are wanted) as new.
    pub fn expect(&mut self, columns: BTreeSet<String>) {
        self.expected = Some(columns);
    }

    /// Goes on where an earlier run ended: row groups that were read whole and are not needed since `low_water` are not
    /// read again; all others are, in the order in which their files were first seen.
    pub fn resume(&mut self, mut cursors: Cursors, low_water: i64) {
        for group in cursors.files.values_mut().flat_map(|cursor| &mut cursor.groups) {
            if !group.is_done() || group.is_needed(low_water) {
                group.done = 0;
                group.needed_until = NEVER;
            }
        }
        self.go_on(cursors, low_water);
    }

    /// Goes on behind the last row that was handed out: what became of the others is known.
    pub fn go_on(&mut self, cursors: Cursors, low_water: i64) {
        self.low_water = low_water;
        for (path, cursor) in cursors.files {
            self.order = self.order.max(cursor.order + 1);
            let file = File::resumed(cursor);
            self.files.insert(path.clone(), file);
            self.wait(&path);
        }
    }

    /// The next batch of the files that have unread rows; `None`: all read.
    pub fn next(&mut self, now: i64) -> Option<Batch> {
        loop {
            if self.reading.is_none() && !self.open_next() {
                return None;
            }
            let reading = self.reading.as_mut()?;
            let partitions = scan::partitions(self.place.root(), &reading.path);
            match reading.rows.next(&self.wanted, &partitions) {
                Some(Ok((rows, columns))) => {
                    let file = self.files.get_mut(&reading.path)?;
                    let group = &mut file.cursor.groups[reading.group];
                    if group.read_at == 0 {
                        group.read_at = now;
                    }
                    let first_row = group.done;
                    group.done += rows as u64;
                    self.counts.rows_read += rows as u64;
                    self.last = Some((reading.path.clone(), reading.group));
                    let (digest, _) = reading.opened.groups[reading.group];
                    let read_at = group.read_at;
                    return Some(Batch { log: self.log, rows, read_at, group: digest, first_row, columns });
                }
                Some(Err(failure)) => {
                    let path = reading.path.clone();
                    self.broken(&path, &failure);
                }
                None => self.close_group(),
            }
        }
    }

    /// Begins the next row group with unread rows; false: there is none.
    fn open_next(&mut self) -> bool {
        while let Some((order, path)) = self.waiting.first().cloned() {
            let next = self.files.get(&path).and_then(File::next_unread);
            let Some((group, from_row)) = next else {
                self.waiting.remove(&(order, path));
                continue;
            };
            let opened = parquet::open(&path).and_then(|opened| {
                let rows = opened.read(group, from_row, &self.wanted)?;
                Ok((opened, rows))
            });
            match opened {
                Ok((opened, rows)) if self.files[&path].goes_on_in(&opened.groups) => {
                    self.reading = Some(Reading { path, opened, group, rows });
                    return true;
                }
                // What was looked at is not what is there now: the next scan decides.
                Ok(_) => self.set_aside(&path),
                Err(failure) => self.broken(&path, &failure),
            }
        }
        false
    }

    /// Goes on with the next row group of the same file, if the file is still the one that was opened.
    fn close_group(&mut self) {
        let Some(Reading { path, opened, group, .. }) = self.reading.take() else {
            return;
        };
        let Some(file) = self.files.get_mut(&path) else {
            return;
        };
        let cursor = &mut file.cursor.groups[group];
        cursor.done = cursor.done.max(cursor.rows);
        let next = file.next_unread();
        match next {
            Some((group, from_row)) if Stamp::at(&path) == Some(opened.stamp) => {
                match opened.read(group, from_row, &self.wanted) {
                    Ok(rows) => self.reading = Some(Reading { path, opened, group, rows }),
                    Err(failure) => self.broken(&path, &failure),
                }
            }
            _ => self.set_aside(&path),
        }
    }

    /// A file that cannot be read on: what was handed out stays, the rest is left. Where it is not the file that was
    /// looked at, the next scan decides what happened to it.
    fn broken(&mut self, path: &Path, failure: &Failure) {
        let looked_at = self.files.get(path).map(|file| file.cursor.stamp);
        match looked_at {
            Some(stamp) if Stamp::at(path) == Some(stamp) => self.fail(path, Some(stamp), failure),
            _ => self.set_aside(path),
        }
    }

    /// For the batch that `next` gave last: its rows are needed until the low water passes this event time.
    pub fn keep_until(&mut self, event_time: i64) {
        if let Some((path, group)) = &self.last
            && let Some(group) = self.files.get_mut(path).and_then(|file| file.cursor.groups.get_mut(*group))
        {
            group.needed_until = group.needed_until.max(event_time);
        }
    }

    /// Rows needed until before this event time are needed no more. Files that are gone are forgotten with their rows.
    pub fn acknowledge(&mut self, low_water: i64) {
        self.low_water = self.low_water.max(low_water);
        self.files.retain(|_, file| !file.is_gone() || file.is_needed(self.low_water));
    }

    /// Forgets all progress and begins to count anew: the next scan reads every file from its beginning. Files that had
    /// no footer to go by stay as they are.
    pub fn rewind(&mut self) {
        self.files.retain(|_, file| file.cursor.groups.is_empty());
        self.counts = Counts::default();
        for file in self.files.values() {
            if let Status::Failed(failure) = &file.status {
                *self.counts.files_failed.entry(failure.reason).or_default() += 1;
            }
        }
        self.waiting.clear();
        self.reading = None;
        self.last = None;
        self.low_water = NEVER;
    }

    /// Only for one-shot runs: what is unfinished now will not be finished.
    pub fn give_up(&mut self) {
        let unfinished = self.files.iter().filter_map(|(path, file)| match &file.status {
            Status::Unfinished { failure, .. } => Some((path.clone(), file.cursor.stamp, failure.clone())),
            _ => None,
        });
        for (path, stamp, failure) in unfinished.collect::<Vec<_>>() {
            self.fail(&path, Some(stamp), &failure);
        }
    }

    /// Whether the cursors are all that was read.
    pub fn can_go_on(&self) -> bool {
        self.files.iter().all(|(path, file)| path.to_str().is_some() || file.cursor.groups.is_empty())
    }

    /// What the next run needs to know. A file whose name is not UTF-8 is not among them: it will be read anew.
    pub fn cursors(&self) -> Cursors {
        let can_be_kept = |path: &Path, file: &File| path.to_str().is_some() && !file.cursor.groups.is_empty();
        let files = self.files.iter().filter(|(path, file)| can_be_kept(path, file));
        Cursors { files: files.map(|(path, file)| (path.clone(), file.cursor.clone())).collect() }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        for state in files::STATES {
            counts.files.insert(state, 0);
        }
        for file in self.files.values() {
            if let Some(state) = file.state() {
                *counts.files.entry(state).or_default() += 1;
            }
            counts.rows_waiting += file.rows_unread();
        }
        counts
    }
}
