//! The look: what became of each file since the last one, and what that means for its cursor.
//!
//! It decides; reading rows is the source's. No clock: `now` is an argument.

use std::path::{Path, PathBuf};

use super::cursor::{Cursor, Group};
use super::files::{self, File, Status};
use super::parquet::{self, Failure};
use super::scan::{self, Listing, Stamp};
use super::{Scan, Source};

/// Names of new columns that are kept apart: they come from files, and each is a series.
const NEW_COLUMNS_MAX: usize = 100;

/// A file with a readable footer, and what was found in it.
struct Found {
    path: PathBuf,
    stamp: Stamp,
    /// (digest, rows) of each row group.
    groups: Vec<(u64, u64)>,
    /// Wanted columns that cannot be had, with the reason; nested columns.
    problems: Vec<(String, &'static str)>,
    nested: Vec<String>,
    /// Columns that nobody expected.
    new: Vec<String>,
}

impl Source {
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
        let (lost, unread) = self.lose(&listing);
        let mut looks: Vec<(Stamp, PathBuf)> = Vec::new();
        for (path, stamp) in listing {
            match stamp {
                Err(what) => self.fail(&path, None, &Failure { reason: "unreadable", what }),
                Ok(stamp) if self.files.get(&path).is_none_or(|file| file.is_news(stamp)) => looks.push((stamp, path)),
                Ok(_) => {
                    self.ripen(&path, now);
                    // It may have been set aside because it could not be had for a moment.
                    self.wait(&path);
                }
            }
        }
        let changed = !looks.is_empty() || lost;
        looks.sort_by(|a, b| (a.0.modified_ns, &a.1).cmp(&(b.0.modified_ns, &b.1)));
        let found = looks.into_iter().filter_map(|(stamp, path)| self.look(path, stamp, now)).collect();
        let replaced = self.settle(found);
        self.tell_vanished(&unread);
        match replaced {
            Some(path) => Scan::Replaced { path },
            None if changed => Scan::Changed,
            None => Scan::Unchanged,
        }
    }

    /// Marks the files that are not there any more: whether there are any, and which had rows to read. Their cursors
    /// stay while their rows are needed: what comes back, under whatever name, is not read twice.
    fn lose(&mut self, listing: &Listing) -> (bool, Vec<PathBuf>) {
        let is_lost = |(path, file): &(&PathBuf, &File)| !listing.contains_key(*path) && !file.is_gone();
        let lost: Vec<PathBuf> = self.files.iter().filter(is_lost).map(|(path, _)| path.clone()).collect();
        let mut unread = Vec::new();
        for path in &lost {
            self.set_aside(path);
            let Some(file) = self.files.get_mut(path) else { continue };
            if matches!(file.status, Status::Known) && file.has_unread() {
                unread.push(path.clone());
            }
            file.status = Status::Gone;
            if file.cursor.groups.is_empty() {
                self.files.remove(path);
            }
        }
        (!lost.is_empty(), unread)
    }

    /// Opens a file that is new or has changed; `None`: it has no footer to go by.
    fn look(&mut self, path: PathBuf, stamp: Stamp, now: i64) -> Option<Found> {
        match parquet::open(&path) {
            Ok(opened) => {
                let partitions = scan::partitions(self.place.root(), &path);
                let problems = opened.problems(&self.wanted, &partitions);
                return Some(Found {
                    path,
                    stamp: opened.stamp,
                    nested: opened.nested(),
                    new: self.unexpected(opened.names()),
                    problems,
                    groups: opened.groups,
                });
            }
            // Taken away or renamed since it was listed: the next look sees it.
            Err(failure) if failure.reason == "vanished" => {}
            Err(failure) if failure.may_pass() => self.unfinished(&path, stamp, now, &failure),
            Err(failure) => self.fail(&path, Some(stamp), &failure),
        }
        None
    }

    /// Gives each file its cursor: its own one where it has grown, that of a file whose content it took over, or a new
    /// one. `Some`: rows that are still needed were replaced there.
    fn settle(&mut self, found: Vec<Found>) -> Option<PathBuf> {
        let mut left: Vec<(PathBuf, File)> = Vec::new();
        let mut others: Vec<(Found, Option<u64>)> = Vec::new();
        for found in found {
            self.set_aside(&found.path);
            let known = self.files.remove(&found.path);
            if known.as_ref().is_some_and(|file| matches!(file.status, Status::Failed(_))) {
                tracing::info!(log = self.log.name(), path = %found.path.display(), "file can be read again");
            }
            match known {
                Some(file) if file.goes_on_in(&found.groups) => self.adopt(found, file.cursor),
                // Its footer has come: it keeps its place in the order.
                Some(file) if file.cursor.groups.is_empty() => others.push((found, Some(file.cursor.order))),
                Some(file) => {
                    left.push((found.path.clone(), file));
                    others.push((found, None));
                }
                None => others.push((found, None)),
            }
        }
        for (found, order) in others {
            let moved = match left.iter().position(|(_, file)| file.goes_on_in(&found.groups)) {
                Some(i) => Some(left.swap_remove(i).1.cursor),
                None => self.take_left(&found.groups),
            };
            let cursor = moved.unwrap_or_else(|| {
                self.note_columns(&found);
                let order = order.unwrap_or_else(|| self.next_order());
                Cursor { order, stamp: found.stamp, groups: Vec::new() }
            });
            self.adopt(found, cursor);
        }
        left.into_iter().filter(|(_, file)| file.is_needed(self.low_water)).map(|(path, _)| path).min()
    }

    /// The cursor of a file that had this content, and is gone or is being written anew.
    fn take_left(&mut self, groups: &[(u64, u64)]) -> Option<Cursor> {
        let mut left = self.files.iter().filter(|(_, file)| !file.has_footer());
        let (path, _) = left.find(|(_, file)| file.goes_on_in(groups))?;
        let path = path.clone();
        let order = self.next_order();
        let file = self.files.remove(&path)?;
        if !file.is_gone() {
            let anew = File { status: file.status, ..File::empty(order, file.cursor.stamp) };
            self.files.insert(path, anew);
        }
        Some(file.cursor)
    }

    /// Goes on with a file from its cursor, which may lack its newest row groups.
    fn adopt(&mut self, found: Found, mut cursor: Cursor) {
        cursor.stamp = found.stamp;
        cursor
            .groups
            .extend(found.groups.iter().skip(cursor.groups.len()).copied().map(Group::new).collect::<Vec<_>>());
        let file = File { cursor, status: Status::Known };
        self.files.insert(found.path.clone(), file);
        self.wait(&found.path);
    }

    /// Rows that were announced and taken away before they were read are a loss, unless they are somewhere else now.
    fn tell_vanished(&mut self, unread: &[PathBuf]) {
        for path in unread {
            if self.files.get(path).is_some_and(File::is_gone) {
                let failure = Failure { reason: "vanished", what: "it is gone".to_string() };
                self.count_failure(path, &failure);
            }
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order - 1
    }

    pub(super) fn wait(&mut self, path: &Path) {
        if let Some(file) = self.files.get(path).filter(|file| file.has_unread()) {
            self.waiting.insert((file.cursor.order, path.to_path_buf()));
        }
    }

    /// Nothing more is read of a file before the next look at it.
    pub(super) fn set_aside(&mut self, path: &Path) {
        if let Some(file) = self.files.get(path) {
            self.waiting.remove(&(file.cursor.order, path.to_path_buf()));
        }
        if self.reading.as_ref().is_some_and(|reading| reading.path == path) {
            self.reading = None;
        }
    }

    fn unfinished(&mut self, path: &Path, stamp: Stamp, now: i64, failure: &Failure) {
        let order = self.next_order();
        self.set_aside(path);
        let file = self.files.entry(path.to_path_buf()).or_insert_with(|| File::empty(order, stamp));
        file.cursor.stamp = stamp;
        file.status = Status::Unfinished { since: now, failure: failure.clone() };
        self.ripen(path, now);
    }

    /// What has been unfinished for long enough, or must not stay so, has failed.
    fn ripen(&mut self, path: &Path, now: i64) {
        let Some(File { status: Status::Unfinished { since, failure }, cursor }) = self.files.get(path) else {
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
    pub(super) fn fail(&mut self, path: &Path, stamp: Option<Stamp>, failure: &Failure) {
        let order = self.next_order();
        let stamp = stamp.unwrap_or(Stamp { device: 0, inode: 0, size: 0, modified_ns: 0 });
        self.set_aside(path);
        let file = self.files.entry(path.to_path_buf()).or_insert_with(|| File::empty(order, stamp));
        let known =
            matches!(&file.status, Status::Failed(old) if old.reason == failure.reason) && file.cursor.stamp == stamp;
        file.cursor.stamp = stamp;
        file.status = Status::Failed(failure.clone());
        if !known {
            self.count_failure(path, failure);
        }
    }

    fn count_failure(&mut self, path: &Path, failure: &Failure) {
        *self.counts.files_failed.entry(failure.reason).or_default() += 1;
        tracing::warn!(log = self.log.name(), path = %path.display(), reason = failure.reason, what = failure.what, "{}", files::advice(failure.reason));
    }

    fn unexpected<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let Some(expected) = &self.expected else {
            return Vec::new();
        };
        let known = |name: &str| expected.contains(name) || self.wanted.iter().any(|wanted| wanted.name == name);
        names.filter(|name| !known(name)).map(str::to_string).collect()
    }

    /// Counts what a new file lacks and what it has beyond, and says each column once.
    fn note_columns(&mut self, found: &Found) {
        let Found { path, problems, nested, new, .. } = found;
        for (column, reason) in problems {
            *self.counts.column_problems.entry(column.clone()).or_default().entry(reason).or_default() += 1;
            if self.said.insert(format!("{reason} {column}")) {
                tracing::warn!(log = self.log.name(), path = %path.display(), column, reason, "column cannot be read; its values count as missing");
            }
        }
        for column in new {
            let news = self.counts.column_problems.values().filter(|reasons| reasons.contains_key("new")).count();
            let known = self.counts.column_problems.contains_key(column);
            let name = if known || news < NEW_COLUMNS_MAX { column.as_str() } else { "other" };
            *self.counts.column_problems.entry(name.to_string()).or_default().entry("new").or_default() += 1;
            if self.said.len() < NEW_COLUMNS_MAX && self.said.insert(format!("new {column}")) {
                tracing::info!(log = self.log.name(), path = %path.display(), column, "a column that the reference does not have; it is not compared");
            }
        }
        for column in nested {
            if self.said.insert(format!("skipped {column}")) {
                tracing::info!(log = self.log.name(), path = %path.display(), column, "nested column skipped");
            }
        }
    }
}
