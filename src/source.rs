//! The source: the files of one log, as batches, each row once.
//!
//! The directory listing is the truth; a notification only shortens the sleep. A row group is the unit of progress.
//! This room knows `batch` and nothing else of the program.

use std::path::PathBuf;
use std::time::Duration;

pub mod cursor;
pub mod parquet;
pub mod scan;
pub mod wake;

/// What to read and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A file, a directory or a glob; absolute, or relative to the working directory.
    pub path: PathBuf,
    /// A file without a readable footer counts as failed once it has not changed for this long.
    pub unfinished_max: Duration,
}
