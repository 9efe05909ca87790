//! A file of a log: its cursor and what is known of it. Pure; no disk.

use super::cursor::{Cursor, Group};
use super::parquet::Failure;
use super::scan::Stamp;

/// The values of the `state` label.
pub const STATES: [&str; 4] = ["read", "waiting", "unfinished", "failed"];

#[derive(Debug, Clone)]
pub struct File {
    pub cursor: Cursor,
    pub status: Status,
}

#[derive(Debug, Clone)]
pub enum Status {
    /// Left by an earlier run, not looked at yet.
    Resumed,
    /// Its footer was read.
    Known,
    /// No readable footer since then (microseconds since 1970): being written, or broken off.
    Unfinished {
        since: i64,
        failure: Failure,
    },
    Failed(Failure),
    /// Not there at the last look; kept because its rows are in the windows.
    Gone,
}

impl File {
    pub fn empty(order: u64, stamp: Stamp) -> File {
        File { cursor: Cursor { order, stamp, groups: Vec::new() }, status: Status::Known }
    }

    pub fn resumed(cursor: Cursor) -> File {
        File { cursor, status: Status::Resumed }
    }

    /// Whether a stamp asks for another look. What was left by an earlier run is trusted as long as its stamp is the same.
    pub fn is_news(&self, stamp: Stamp) -> bool {
        match &self.status {
            // Permissions change without a new stamp.
            Status::Failed(failure) if failure.reason == "unreadable" => true,
            Status::Gone => true,
            _ => self.cursor.stamp != stamp,
        }
    }

    /// The first row group with unread rows, and how many of its rows were read.
    pub fn next_unread(&self) -> Option<(usize, u64)> {
        let unread = |group: &Group| self.has_footer() && !group.is_done();
        self.cursor.groups.iter().position(unread).map(|i| (i, self.cursor.groups[i].done))
    }

    pub fn has_unread(&self) -> bool {
        self.next_unread().is_some()
    }

    pub fn rows_unread(&self) -> u64 {
        let unread = |group: &Group| group.rows.saturating_sub(group.done);
        if self.has_footer() { self.cursor.groups.iter().map(unread).sum() } else { 0 }
    }

    /// Whether what is there now, if anything, is known to go on from the cursor.
    pub fn has_footer(&self) -> bool {
        matches!(self.status, Status::Known | Status::Resumed)
    }

    pub fn is_gone(&self) -> bool {
        matches!(self.status, Status::Gone)
    }

    /// Whether a footer, as (digest, rows) of its row groups, begins with all row groups of the cursor.
    pub fn goes_on_in(&self, groups: &[(u64, u64)]) -> bool {
        let known = &self.cursor.groups;
        !known.is_empty()
            && known.len() <= groups.len()
            && known.iter().zip(groups).all(|(known, found)| known.digest == found.0)
    }

    /// Whether rows that were handed out are needed from this event time on.
    pub fn is_needed(&self, low_water: i64) -> bool {
        self.cursor.groups.iter().any(|group| group.done > 0 && group.is_needed(low_water))
    }

    /// `None`: it is gone.
    pub fn state(&self) -> Option<&'static str> {
        match self.status {
            Status::Unfinished { .. } => Some("unfinished"),
            Status::Failed(_) => Some("failed"),
            Status::Gone => None,
            Status::Known | Status::Resumed => Some(if self.has_unread() { "waiting" } else { "read" }),
        }
    }
}

/// What to do about a file that failed.
pub fn advice(reason: &str) -> &'static str {
    match reason {
        "empty" => "file is empty; remove it, or finish writing it",
        "unfinished" => "file was never finished; write it aside and rename it when it is whole, or remove it",
        "not_parquet" => "file is not Parquet; move it out of the folder or narrow the path in the config",
        "unreadable" => "file cannot be opened; give this process read permission",
        "vanished" => "file went away while it was read; rows read so far count, the rest is lost",
        "unsupported" => {
            "file uses a codec or encryption that is not read; write it with snappy, zstd, lz4, gzip or none"
        }
        _ => "file is damaged; rows read so far count, replace it to have the rest",
    }
}
