//! Cursors: how far each file has been read and until when its rows are needed; and the file that keeps them
//! between runs. The only file that opens one to write.
//!
//! A write is whole or not at all: temporary file, fsync, rename, fsync of the folder. It knows no Parquet and no clock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::scan::Stamp;

/// The form of the state file; another one is not read.
const VERSION: u32 = 1;

/// Never needed again.
pub const NEVER: i64 = i64::MIN;

/// One row group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Over schema, sizes and column statistics.
    pub digest: u64,
    pub rows: u64,
    /// Rows handed out.
    pub done: u64,
    /// Rows are needed until the low water passes this event time (microseconds); the latest of the rows handed out.
    pub needed_until: i64,
    /// When the first row was read (microseconds since 1970).
    pub read_at: i64,
}

impl Group {
    /// Unread, from its (digest, rows).
    pub fn new((digest, rows): (u64, u64)) -> Group {
        Group { digest, rows, done: 0, needed_until: NEVER, read_at: 0 }
    }

    /// Whether rows that were handed out are needed from this event time on.
    pub fn is_needed(&self, low_water: i64) -> bool {
        self.needed_until > NEVER && self.needed_until >= low_water
    }

    pub fn is_done(&self) -> bool {
        self.done >= self.rows
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Files are read in the order in which they were first seen.
    pub order: u64,
    pub stamp: Stamp,
    pub groups: Vec<Group>,
}

/// All files of one log, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursors {
    pub files: BTreeMap<PathBuf, Cursor>,
}

/// What one run leaves for the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    /// What must be equal for the cursors to hold: paths, columns, windows.
    pub digest: u64,
    /// Event time in microseconds.
    pub low_water: i64,
    /// By log.
    pub logs: BTreeMap<String, Cursors>,
}

impl State {
    pub fn new(digest: u64, low_water: i64, logs: BTreeMap<String, Cursors>) -> State {
        State { version: VERSION, digest, low_water, logs }
    }
}

/// Why the state file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("state file {} cannot be read; check its permissions", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("state file {} is damaged ({what}); it will be written anew", path.display())]
    Damaged { path: PathBuf, what: &'static str },
    #[error("state file {} has version {found}, this program writes {VERSION}; it will be written anew", path.display())]
    Version { path: PathBuf, found: u64 },
    #[error("state file {} is of other settings, another reference or another release; it will be written anew", path.display())]
    Foreign { path: PathBuf },
    #[error("state file {} cannot be written; free some space or make the folder writable", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// `None`: there is no state file yet.
pub fn load(path: &Path) -> Result<Option<State>, StateError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StateError::Read { path: path.to_path_buf(), source });
        }
    };
    let damaged = |what| StateError::Damaged { path: path.to_path_buf(), what };
    let split = text.iter().position(|byte| *byte == b'\n').ok_or(damaged("no checksum line"))?;
    let (checksum, body) = (&text[..split], &text[split + 1..]);
    if checksum != format!("{:016x}", xxh3_64(body)).as_bytes() {
        return Err(damaged("its checksum does not fit"));
    }
    let found: serde_json::Value = serde_json::from_slice(body).map_err(|_| damaged("not JSON"))?;
    let version = found.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if version != u64::from(VERSION) {
        return Err(StateError::Version { path: path.to_path_buf(), found: version });
    }
    serde_json::from_value(found).map(Some).map_err(|_| damaged("fields missing"))
}

/// Writes the state whole: a reader and a crash see the old one or the new one.
pub fn save(path: &Path, state: &State) -> Result<(), StateError> {
    write(path, state).map_err(|source| StateError::Write { path: path.to_path_buf(), source })
}

fn write(path: &Path, state: &State) -> std::io::Result<()> {
    let body = serde_json::to_vec(state)?;
    whole(path, |file| {
        writeln!(file, "{:016x}", xxh3_64(&body))?;
        file.write_all(&body)
    })
}

/// Writes a file whole: a reader and a crash see the old one or the new one. Only the process' own user may read it.
pub fn whole(path: &Path, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut aside = path.as_os_str().to_os_string();
    aside.push(".tmp");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    fill(&mut file)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state() -> State {
        let group = Group { digest: 7, rows: 10, done: 10, needed_until: 5, read_at: 1 };
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified_ns: 4 };
        let files = BTreeMap::from([(PathBuf::from("a.parquet"), Cursor { order: 0, stamp, groups: vec![group] })]);
        State::new(42, NEVER, BTreeMap::from([("requests".to_string(), Cursors { files })]))
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/model.json");
        assert!(load(&path).unwrap().is_none());
        save(&path, &state()).unwrap();
        assert_eq!(load(&path).unwrap(), Some(state()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_torn_or_foreign_state_file_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        save(&path, &state()).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in [0, 5, 17, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(matches!(load(&path), Err(StateError::Damaged { .. })), "cut at {cut}");
        }
        let body = br#"{"version":9}"#;
        fs::write(&path, [format!("{:016x}\n", xxh3_64(body)).as_bytes(), body].concat()).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("version 9"));
    }

    #[test]
    fn a_disk_that_takes_no_more_is_an_error_and_the_old_state_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        save(&path, &state()).unwrap();
        // The name of the temporary file leads to a device that is always full.
        std::os::unix::fs::symlink("/dev/full", folder.path().join("model.json.tmp")).unwrap();
        let error = save(&path, &State::new(1, 1, BTreeMap::new())).unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(load(&path).unwrap(), Some(state()));
    }
}
