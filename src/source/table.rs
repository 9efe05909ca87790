//! A table: all files of a path read whole, once, for references and comparisons.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::parquet::{self, Failure, Opened, Rows};
use super::scan::{self, Place};
use crate::batch::{Batch, Field, Log, Nature, Wanted};

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("there is no Parquet file at {}; give a file, a folder with *.parquet files, or a glob", path.display())]
    NotThere { path: PathBuf },
    #[error("{} cannot be listed: {what}", path.display())]
    Listing { path: PathBuf, what: String },
    #[error("{} cannot be read ({})", path.display(), source.reason)]
    File { path: PathBuf, source: Failure },
    #[error("{} was replaced while it was read; read it again when its writer is done", path.display())]
    Replaced { path: PathBuf },
}

/// All files of a path.
#[derive(Debug)]
pub struct Table {
    root: PathBuf,
    /// With the (digest, rows) of each row group. None is held open: there may be more than a process may open.
    files: Vec<(PathBuf, Vec<(u64, u64)>)>,
    fields: Vec<Field>,
}

impl Table {
    pub fn open(path: &Path) -> Result<Table, TableError> {
        let place = Place::new(path);
        let listing = place.list().map_err(|what| TableError::Listing { path: path.to_path_buf(), what })?;
        if listing.is_empty() {
            return Err(TableError::NotThere { path: path.to_path_buf() });
        }
        let mut files = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        for path in listing.into_keys() {
            let opened = parquet::open(&path).map_err(|source| TableError::File { path: path.clone(), source })?;
            let partitions = scan::partitions(place.root(), &path).into_keys();
            let folders =
                partitions.map(|name| Field { name, nature: Nature::Text, type_name: "folder name".to_string() });
            for field in opened.fields().into_iter().chain(folders) {
                if !fields.iter().any(|known| known.name == field.name) {
                    fields.push(field);
                }
            }
            files.push((path, opened.groups));
        }
        Ok(Table { root: place.root().to_path_buf(), files, fields })
    }

    /// Columns of all files, in order of first sight.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub fn rows(&self) -> u64 {
        self.files.iter().flat_map(|(_, groups)| groups).map(|group| group.1).sum()
    }

    /// Changes whenever a file of the path is replaced, added or removed; `None` where there is none.
    pub fn stamp(path: &Path) -> Option<u64> {
        let listing = Place::new(path).list().ok()?;
        let mut hash = Xxh3Default::new();
        for (path, stamp) in &listing {
            hash.update(path.as_os_str().as_encoded_bytes());
            let stamp = stamp.as_ref().ok()?;
            hash.write_u64(stamp.inode);
            hash.write_u64(stamp.size);
            hash.write_i64(stamp.modified_ns);
        }
        (!listing.is_empty()).then(|| hash.digest())
    }

    /// Hands out all rows, file by file.
    pub fn read(&self, wanted: &[Wanted], each: &mut dyn FnMut(&Batch)) -> Result<(), TableError> {
        for batch in self.batches(wanted) {
            each(&batch?);
        }
        Ok(())
    }

    /// All rows, file by file.
    pub fn batches(&self, wanted: &[Wanted]) -> Batches {
        Batches {
            root: self.root.clone(),
            files: self.files.clone().into_iter(),
            wanted: wanted.to_vec(),
            open: None,
            done: 0,
            partitions: BTreeMap::new(),
        }
    }
}

/// The batches of a table.
#[derive(Debug)]
pub struct Batches {
    root: PathBuf,
    files: std::vec::IntoIter<(PathBuf, Vec<(u64, u64)>)>,
    wanted: Vec<Wanted>,
    open: Option<(PathBuf, Opened, usize, Option<Rows>)>,
    /// Rows read of the row group.
    done: u64,
    partitions: BTreeMap<String, String>,
}

impl Iterator for Batches {
    type Item = Result<Batch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((path, opened, group, rows)) = &mut self.open else {
                let (path, groups) = self.files.next()?;
                let opened = match parquet::open(&path) {
                    Ok(opened) if opened.groups == groups => opened,
                    Ok(_) => return Some(Err(TableError::Replaced { path })),
                    Err(source) => return Some(Err(TableError::File { path, source })),
                };
                self.partitions = scan::partitions(&self.root, &path);
                self.open = Some((path, opened, 0, None));
                continue;
            };
            let failed = |source| TableError::File { path: path.clone(), source };
            if let Some(reading) = rows {
                match reading.next(&self.wanted, &self.partitions) {
                    Some(Ok((rows, columns))) => {
                        let (log, group, first_row) = (Log::Requests, opened.groups[*group].0, self.done);
                        self.done += rows as u64;
                        return Some(Ok(Batch { log, rows, read_at: 0, group, first_row, columns }));
                    }
                    Some(Err(failure)) => return Some(Err(failed(failure))),
                    None => {
                        *rows = None;
                        *group += 1;
                    }
                }
            } else if *group < opened.groups.len() {
                match opened.read(*group, 0, &self.wanted) {
                    Ok(reading) => {
                        *rows = Some(reading);
                        self.done = 0;
                    }
                    Err(failure) => return Some(Err(failed(failure))),
                }
            } else {
                self.open = None;
            }
        }
    }
}
