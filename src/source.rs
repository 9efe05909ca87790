//! The source: the files of one log, as batches, each row once.
//!
//! The directory listing is the truth; a notification only shortens the sleep. A row group is the unit of progress.
//! This room knows `batch` and nothing else of the program; it asks no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod columns;
pub mod cursor;
mod files;
pub mod parquet;
pub mod scan;
mod table;
pub mod wake;

use crate::batch::{Batch, Log, Wanted};
use cursor::{Cursor, Cursors, Group, NEVER};
use files::{File, Status};
use parquet::{Failure, Opened, Rows};
use scan::{Place, Stamp};
pub use table::{Table, TableError};

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
    /// Files in which a wanted column was missing or did not fit, by column and reason.
    pub column_problems: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

/// The files of one log.
#[derive(Debug)]
pub struct Source {
    settings: Settings,
    log: Log,
    wanted: Vec<Wanted>,
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

    /// Goes on where an earlier run ended: row groups that were read whole and are not needed since `low_water` are not
    /// read again; all others are, in the order in which their files were first seen.
    pub fn resume(&mut self, cursors: Cursors, low_water: i64) {
        self.low_water = low_water;
        for (path, mut cursor) in cursors.files {
            for group in &mut cursor.groups {
                if !(group.is_done() && group.needed_until < low_water) {
                    group.done = 0;
                    group.needed_until = NEVER;
                }
            }
            self.order = self.order.max(cursor.order + 1);
            let file = File::resumed(cursor);
            self.wait(&path, &file);
            self.files.insert(path, file);
        }
    }

    /// Looks at the folder: new, grown, replaced, unfinished, moved and gone files.
    pub fn scan(&mut self, now: i64) -> Scan {
        let listing = match self.place.list() {
            Ok(listing) => listing,
            Err(error) => {
                if self.said.insert(error.clone()) {
                    tracing::warn!(log = self.log.name(), path = %self.settings.path.display(), error, "folder cannot be listed; check its permissions");
                }
                return Scan::Unchanged;
            }
        };
        let mut gone: BTreeMap<PathBuf, File> = BTreeMap::new();
        let mut looks: Vec<(Stamp, PathBuf)> = Vec::new();
        self.files.retain(|path, file| {
            listing.contains_key(path) || {
                gone.insert(path.clone(), file.clone());
                false
            }
        });
        for (path, stamp) in listing {
            match stamp {
                Err(what) => self.fail(
                    &path,
                    None,
                    &Failure {
                        reason: "unreadable",
                        what,
                    },
                ),
                Ok(stamp) if self.files.get(&path).is_none_or(|file| file.is_news(stamp)) => {
                    looks.push((stamp, path))
                }
                Ok(_) => self.ripen(&path, now),
            }
        }
        let changed = !looks.is_empty() || !gone.is_empty();
        looks.sort_by(|a, b| (a.0.modified_ns, &a.1).cmp(&(b.0.modified_ns, &b.1)));
        let mut replaced = None;
        for (stamp, path) in looks {
            if self.look(&path, stamp, now, &mut gone) {
                replaced.get_or_insert(path);
            }
        }
        gone.keys().for_each(|path| self.forget(path));
        match replaced {
            Some(path) => Scan::Replaced { path },
            None if changed => Scan::Changed,
            None => Scan::Unchanged,
        }
    }

    /// Opens a file that is new or has changed. True: rows that are still needed were replaced.
    fn look(
        &mut self,
        path: &Path,
        stamp: Stamp,
        now: i64,
        gone: &mut BTreeMap<PathBuf, File>,
    ) -> bool {
        let opened = match parquet::open(path) {
            Ok(opened) => opened,
            Err(failure) if failure.may_pass() => {
                self.unfinished(path, stamp, now, &failure);
                return false;
            }
            Err(failure) => {
                self.fail(path, Some(stamp), &failure);
                return false;
            }
        };
        let moved = self.moved(path, &opened, gone);
        let old = moved.or_else(|| self.files.remove(path));
        let known = old.as_ref().map_or(&[][..], |file| &file.cursor.groups);
        let grown = known.len() <= opened.groups.len()
            && known
                .iter()
                .zip(&opened.groups)
                .all(|(old, new)| old.digest == new.0);
        let replaced = !grown
            && known
                .iter()
                .any(|group| group.done > 0 && group.needed_until >= self.low_water.max(NEVER + 1));
        if old
            .as_ref()
            .is_none_or(|file| !grown || file.cursor.groups.is_empty())
        {
            self.note_columns(path, &opened);
        }
        let order = old
            .as_ref()
            .filter(|_| grown)
            .map_or_else(|| self.next_order(), |file| file.cursor.order);
        if let Some(old) = &old {
            self.waiting.remove(&(old.cursor.order, path.to_path_buf()));
        }
        let mut groups = if grown {
            old.map_or_else(Vec::new, |file| file.cursor.groups)
        } else {
            Vec::new()
        };
        let new = opened.groups.iter().skip(groups.len());
        groups.extend(
            new.map(|&(digest, rows)| Group {
                digest,
                rows,
                done: 0,
                needed_until: NEVER,
                read_at: 0,
            })
            .collect::<Vec<_>>(),
        );
        if self
            .reading
            .as_ref()
            .is_some_and(|reading| reading.path == path)
        {
            self.reading = None;
        }
        let file = File {
            cursor: Cursor {
                order,
                stamp: opened.stamp,
                groups,
            },
            status: Status::Known,
        };
        self.wait(path, &file);
        self.files.insert(path.to_path_buf(), file);
        replaced
    }

    /// The same content under a name that is gone now: its cursor goes along.
    fn moved(
        &mut self,
        path: &Path,
        opened: &Opened,
        gone: &mut BTreeMap<PathBuf, File>,
    ) -> Option<File> {
        if self.files.contains_key(path) || opened.groups.is_empty() {
            return None;
        }
        let same = |file: &File| {
            file.cursor
                .groups
                .iter()
                .map(|group| group.digest)
                .eq(opened.groups.iter().map(|group| group.0))
        };
        let old = gone
            .iter()
            .find(|(_, file)| same(file))
            .map(|(old, _)| old.clone())?;
        let file = gone.remove(&old)?;
        self.forget_waiting(&old, &file);
        Some(file)
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order - 1
    }

    fn wait(&mut self, path: &Path, file: &File) {
        if file.has_unread() {
            self.waiting.insert((file.cursor.order, path.to_path_buf()));
        }
    }

    fn forget(&mut self, path: &Path) {
        self.waiting.retain(|(_, waiting)| waiting != path);
        if self
            .reading
            .as_ref()
            .is_some_and(|reading| reading.path == path)
        {
            self.reading = None;
        }
    }

    fn forget_waiting(&mut self, path: &Path, file: &File) {
        self.waiting
            .remove(&(file.cursor.order, path.to_path_buf()));
        if self
            .reading
            .as_ref()
            .is_some_and(|reading| reading.path == path)
        {
            self.reading = None;
        }
    }

    fn unfinished(&mut self, path: &Path, stamp: Stamp, now: i64, failure: &Failure) {
        let order = self.next_order();
        let file = self
            .files
            .entry(path.to_path_buf())
            .or_insert_with(|| File::empty(order, stamp));
        let waiting = (file.cursor.order, path.to_path_buf());
        file.cursor.stamp = stamp;
        file.status = Status::Unfinished {
            since: now,
            failure: failure.clone(),
        };
        self.waiting.remove(&waiting);
        self.ripen(path, now);
    }

    /// What has been unfinished for long enough, or must not stay so, has failed.
    fn ripen(&mut self, path: &Path, now: i64) {
        let Some(File {
            status: Status::Unfinished { since, failure },
            cursor,
        }) = self.files.get(path)
        else {
            return;
        };
        let stamp = cursor.stamp;
        let quiet = now.saturating_sub(*since) as i128;
        if quiet >= self.settings.unfinished_max.as_micros() as i128 {
            let failure = failure.clone();
            self.fail(path, Some(stamp), &failure);
        }
    }

    /// Counts and names a failure once; the same file failing in the same way again is no news.
    fn fail(&mut self, path: &Path, stamp: Option<Stamp>, failure: &Failure) {
        let order = self.next_order();
        let stamp = stamp.unwrap_or(Stamp {
            device: 0,
            inode: 0,
            size: 0,
            modified_ns: 0,
        });
        let file = self
            .files
            .entry(path.to_path_buf())
            .or_insert_with(|| File::empty(order, stamp));
        let known = matches!(&file.status, Status::Failed(old) if old.reason == failure.reason)
            && file.cursor.stamp == stamp;
        file.cursor.stamp = stamp;
        file.status = Status::Failed(failure.clone());
        let waiting = (file.cursor.order, path.to_path_buf());
        self.waiting.remove(&waiting);
        if !known {
            *self.counts.files_failed.entry(failure.reason).or_default() += 1;
            tracing::warn!(log = self.log.name(), path = %path.display(), reason = failure.reason, what = failure.what, "{}", files::advice(failure.reason));
        }
    }

    /// Counts what a new file lacks, and says each column once.
    fn note_columns(&mut self, path: &Path, opened: &Opened) {
        let partitions = scan::partitions(self.place.root(), path);
        for (column, reason) in opened.problems(&self.wanted, &partitions) {
            *self
                .counts
                .column_problems
                .entry(column.clone())
                .or_default()
                .entry(reason)
                .or_default() += 1;
            if self.said.insert(format!("{reason} {column}")) {
                tracing::warn!(log = self.log.name(), path = %path.display(), column, reason, "column cannot be read; its values count as missing");
            }
        }
        for column in opened.nested() {
            if self.said.insert(format!("skipped {column}")) {
                tracing::info!(log = self.log.name(), path = %path.display(), column, "nested column skipped");
            }
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
                    group.done += rows as u64;
                    self.counts.rows_read += rows as u64;
                    self.last = Some((reading.path.clone(), reading.group));
                    return Some(Batch {
                        log: self.log,
                        rows,
                        read_at: group.read_at,
                        columns,
                    });
                }
                Some(Err(failure)) => self.broken(failure),
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
                // What was looked at is not what is there now: the next scan decides.
                Ok((opened, _)) if !self.files[&path].expects(&opened.groups) => {
                    self.waiting.remove(&(order, path));
                }
                Ok((opened, rows)) => {
                    self.reading = Some(Reading {
                        path,
                        opened,
                        group,
                        rows,
                    });
                    return true;
                }
                Err(failure) => {
                    let stamp = self.files[&path].cursor.stamp;
                    self.fail(&path, Some(stamp), &failure);
                }
            }
        }
        false
    }

    fn close_group(&mut self) {
        let Some(Reading {
            path,
            opened,
            group,
            ..
        }) = self.reading.take()
        else {
            return;
        };
        let changed =
            std::fs::metadata(&path).map_or(true, |metadata| Stamp::of(&metadata) != opened.stamp);
        let Some(file) = self.files.get_mut(&path) else {
            return;
        };
        let cursor = &mut file.cursor.groups[group];
        cursor.done = cursor.done.max(cursor.rows);
        let Some((group, from_row)) = file.next_unread().filter(|_| !changed) else {
            let waiting = (file.cursor.order, path);
            if changed || !file.has_unread() {
                self.waiting.remove(&waiting);
            }
            return;
        };
        match opened.read(group, from_row, &self.wanted) {
            Ok(rows) => {
                self.reading = Some(Reading {
                    path,
                    opened,
                    group,
                    rows,
                })
            }
            Err(failure) => {
                let stamp = file.cursor.stamp;
                self.fail(&path, Some(stamp), &failure);
            }
        }
    }

    /// A row group that cannot be read on: what was handed out stays, the rest of the file is left.
    fn broken(&mut self, failure: Failure) {
        let Some(Reading { path, opened, .. }) = self.reading.take() else {
            return;
        };
        let now_there = std::fs::metadata(&path).map(|metadata| Stamp::of(&metadata));
        let stamp = opened.stamp;
        match now_there {
            Err(_) => self.fail(
                &path,
                Some(stamp),
                &Failure {
                    reason: "vanished",
                    what: "it is gone".to_string(),
                },
            ),
            // Rewritten under our hands: the next scan looks at it anew.
            Ok(there) if there != stamp => self.forget(&path),
            Ok(_) => self.fail(&path, Some(stamp), &failure),
        }
    }

    /// For the batch that `next` gave last: its rows are needed until the low water passes this event time.
    pub fn keep_until(&mut self, event_time: i64) {
        if let Some((path, group)) = &self.last
            && let Some(group) = self
                .files
                .get_mut(path)
                .and_then(|file| file.cursor.groups.get_mut(*group))
        {
            group.needed_until = group.needed_until.max(event_time);
        }
    }

    /// Rows needed until before this event time are needed no more.
    pub fn acknowledge(&mut self, low_water: i64) {
        self.low_water = self.low_water.max(low_water);
    }

    /// Forgets all progress: the next scan reads every file anew.
    pub fn rewind(&mut self) {
        self.files.clear();
        self.waiting.clear();
        self.reading = None;
        self.last = None;
        self.low_water = NEVER;
    }

    /// Only for one-shot runs: what is unfinished now will not be finished.
    pub fn give_up(&mut self) {
        let unfinished = self
            .files
            .iter()
            .filter_map(|(path, file)| match &file.status {
                Status::Unfinished { failure, .. } => {
                    Some((path.clone(), file.cursor.stamp, failure.clone()))
                }
                _ => None,
            });
        for (path, stamp, failure) in unfinished.collect::<Vec<_>>() {
            self.fail(&path, Some(stamp), &failure);
        }
    }

    pub fn cursors(&self) -> Cursors {
        let files = self
            .files
            .iter()
            .filter(|(_, file)| !file.cursor.groups.is_empty());
        Cursors {
            files: files
                .map(|(path, file)| (path.clone(), file.cursor.clone()))
                .collect(),
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        for state in files::STATES {
            counts.files.insert(state, 0);
        }
        for file in self.files.values() {
            *counts.files.entry(file.state()).or_default() += 1;
            counts.rows_waiting += file.rows_unread();
        }
        counts
    }
}
