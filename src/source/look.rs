//! The look: what became of each file since the last one, and what that means for its cursor.
//!
//! It decides; reading rows is the source's. No clock: `now` is an argument.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cursor::{Cursor, Group, NEVER};
use super::files::{self, File, Status};
use super::parquet::{self, Failure, Opened};
use super::scan::{self, Stamp};
use super::{Scan, Source};

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
                Err(what) => self.fail(&path, None, &Failure { reason: "unreadable", what }),
                Ok(stamp) if self.files.get(&path).is_none_or(|file| file.is_news(stamp)) => looks.push((stamp, path)),
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
    fn look(&mut self, path: &Path, stamp: Stamp, now: i64, gone: &mut BTreeMap<PathBuf, File>) -> bool {
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
            && known.iter().zip(&opened.groups).all(|(old, new)| old.digest == new.0);
        let replaced =
            !grown && known.iter().any(|group| group.done > 0 && group.needed_until >= self.low_water.max(NEVER + 1));
        if old.as_ref().is_none_or(|file| !grown || file.cursor.groups.is_empty()) {
            self.note_columns(path, &opened);
        }
        let order = old.as_ref().filter(|_| grown).map_or_else(|| self.next_order(), |file| file.cursor.order);
        if let Some(old) = &old {
            self.waiting.remove(&(old.cursor.order, path.to_path_buf()));
        }
        let mut groups = if grown { old.map_or_else(Vec::new, |file| file.cursor.groups) } else { Vec::new() };
        let new = opened.groups.iter().skip(groups.len());
        groups.extend(
            new.map(|&(digest, rows)| Group { digest, rows, done: 0, needed_until: NEVER, read_at: 0 })
                .collect::<Vec<_>>(),
        );
        if self.reading.as_ref().is_some_and(|reading| reading.path == path) {
            self.reading = None;
        }
        let file = File { cursor: Cursor { order, stamp: opened.stamp, groups }, status: Status::Known };
        self.wait(path, &file);
        self.files.insert(path.to_path_buf(), file);
        replaced
    }

    /// The same content under a name that is gone now: its cursor goes along.
    fn moved(&mut self, path: &Path, opened: &Opened, gone: &mut BTreeMap<PathBuf, File>) -> Option<File> {
        if self.files.contains_key(path) || opened.groups.is_empty() {
            return None;
        }
        let same = |file: &File| {
            file.cursor.groups.iter().map(|group| group.digest).eq(opened.groups.iter().map(|group| group.0))
        };
        let old = gone.iter().find(|(_, file)| same(file)).map(|(old, _)| old.clone())?;
        let file = gone.remove(&old)?;
        self.forget_waiting(&old, &file);
        Some(file)
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order - 1
    }

    pub(super) fn wait(&mut self, path: &Path, file: &File) {
        if file.has_unread() {
            self.waiting.insert((file.cursor.order, path.to_path_buf()));
        }
    }

    pub(super) fn forget(&mut self, path: &Path) {
        self.waiting.retain(|(_, waiting)| waiting != path);
        if self.reading.as_ref().is_some_and(|reading| reading.path == path) {
            self.reading = None;
        }
    }

    fn forget_waiting(&mut self, path: &Path, file: &File) {
        self.waiting.remove(&(file.cursor.order, path.to_path_buf()));
        if self.reading.as_ref().is_some_and(|reading| reading.path == path) {
            self.reading = None;
        }
    }

    fn unfinished(&mut self, path: &Path, stamp: Stamp, now: i64, failure: &Failure) {
        let order = self.next_order();
        let file = self.files.entry(path.to_path_buf()).or_insert_with(|| File::empty(order, stamp));
        let waiting = (file.cursor.order, path.to_path_buf());
        file.cursor.stamp = stamp;
        file.status = Status::Unfinished { since: now, failure: failure.clone() };
        self.waiting.remove(&waiting);
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
        let file = self.files.entry(path.to_path_buf()).or_insert_with(|| File::empty(order, stamp));
        let known =
            matches!(&file.status, Status::Failed(old) if old.reason == failure.reason) && file.cursor.stamp == stamp;
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
            *self.counts.column_problems.entry(column.clone()).or_default().entry(reason).or_default() += 1;
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
}
