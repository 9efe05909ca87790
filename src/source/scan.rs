//! The scan: which files a path names, and what became of each since the last look. The listing is the truth.
//!
//! A path is a file, a directory (all Parquet files below it) or a glob. Pure decisions and directory reads; no file is opened here.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

/// Endings of files that count in a directory; a file named by itself or by a glob may have any.
const ENDINGS: [&str; 3] = ["parquet", "parq", "pq"];

/// Endings of files that are being written, and of what file systems lay beside them.
const TEMPORARY: [&str; 3] = [".tmp", ".inprogress", ".crc"];

/// What makes a path a glob.
const PATTERN: [char; 4] = ['*', '?', '[', '{'];

/// The cheap test for "look again": equal stamps, equal content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    pub modified_ns: i64,
}

impl Stamp {
    /// Of the file that is there now; `None`: there is none, or it cannot be asked.
    pub fn at(path: &Path) -> Option<Stamp> {
        std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
    }

    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        }
    }
}

/// A file that the path names now. `stamp` is the reason in words where it cannot be looked at.
pub type Listing = BTreeMap<PathBuf, Result<Stamp, String>>;

/// What a path means.
#[derive(Debug, Clone)]
pub struct Place {
    root: PathBuf,
    glob: Option<GlobMatcher>,
}

impl Place {
    pub fn new(path: &Path) -> Place {
        // As the walk will spell it: without doubled slashes and dots.
        let mut spelt: PathBuf = path.components().collect();
        let mut root = literal_part(&spelt);
        if root.as_os_str().is_empty() {
            root = PathBuf::from(".");
            spelt = root.join(spelt);
        }
        let text = spelt.to_string_lossy();
        let is_glob = text.contains(PATTERN) && !path.exists();
        let glob = is_glob.then(|| GlobBuilder::new(&text).literal_separator(true).build()).and_then(Result::ok);
        match glob {
            Some(glob) => Place { root, glob: Some(glob.compile_matcher()) },
            None => Place { root: path.to_path_buf(), glob: None },
        }
    }

    /// The folder (or file) below which all files of the path lie.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file, in path order. `Err`: why the folder itself cannot be listed; a folder that is not there is an empty one.
    pub fn list(&self) -> Result<Listing, String> {
        let mut listing = Listing::new();
        for entry in WalkDir::new(&self.root)
            .follow_links(true)
            .into_iter()
            .filter_entry(|entry| entry.depth() == 0 || is_log(entry))
        {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => {
                    let gone = error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
                    return if gone { Ok(listing) } else { Err(error.to_string()) };
                }
                Err(error) => {
                    if let Some(path) = error.path().filter(|path| self.names(path)) {
                        listing.insert(path.to_path_buf(), Err(said(&error)));
                    }
                    continue;
                }
            };
            if entry.file_type().is_dir() || !(entry.depth() == 0 || self.names(entry.path())) {
                continue;
            }
            let stamp = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => Ok(Stamp::of(&metadata)),
                // Opening a pipe would wait for a writer.
                Ok(_) => Err("it is a pipe, a socket or a device".to_string()),
                Err(error) => Err(said(&error)),
            };
            listing.insert(entry.into_path(), stamp);
        }
        Ok(listing)
    }

    fn names(&self, path: &Path) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(path),
            None => {
                path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
            }
        }
    }
}

fn said(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Names that are not logs yet: hidden, underscored, temporary.
fn is_log(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !(name.starts_with(['.', '_']) || TEMPORARY.iter().any(|ending| name.ends_with(ending)))
}

/// The folders of a glob that hold no pattern.
fn literal_part(path: &Path) -> PathBuf {
    let literal = |component: &Component| !component.as_os_str().to_string_lossy().contains(PATTERN);
    path.components().take_while(literal).collect()
}

/// Hive partitions of a path below a root: `dt=2026-01-01/country=de/x.parquet` gives two columns. Writers escape
/// what a folder's name may not hold as `%3A`.
pub fn partitions(root: &Path, path: &Path) -> BTreeMap<String, String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let folders = below.parent().into_iter().flat_map(Path::components);
    folders
        .filter_map(|folder| {
            let text = folder.as_os_str().to_string_lossy();
            text.split_once('=').map(|(key, value)| (unescaped(key), unescaped(value)))
        })
        .collect()
}

/// With `%` and two hex digits as the byte that they name; as it is where that gives no text.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match after.split_at_checked(2) {
            Some((digits, behind)) if *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit) => {
                bytes.extend(escaped(digits));
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_string())
}
