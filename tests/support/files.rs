//! Small Parquet files whose rows are numbers, and a source that hands them out again.
#![allow(dead_code)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use drift_sidecar::batch::{Column, Form, Log, Wanted};
use drift_sidecar::source::{Scan, Settings, Source};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

pub const SECOND: i64 = 1_000_000;
pub const NOW: i64 = 1_750_000_000 * SECOND;
pub const QUIET: Duration = Duration::from_secs(600);

/// One row group for each slice, rows as column `n`.
pub fn bytes(groups: &[&[i64]]) -> Vec<u8> {
    let table = |rows: &[i64]| {
        let rows: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("n", rows, true)]).unwrap()
    };
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table(&[]).schema(), Some(properties)).unwrap();
    for rows in groups {
        writer.write(&table(rows)).unwrap();
        writer.flush().unwrap();
    }
    writer.into_inner().unwrap()
}

/// Writes aside and renames into place.
pub fn put(path: &Path, groups: &[&[i64]]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let aside = path.with_extension("tmp");
    fs::write(&aside, bytes(groups)).unwrap();
    fs::rename(aside, path).unwrap();
}

/// A modification time in seconds, so that an order does not hang on the clock.
pub fn modified(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

pub fn wanted(name: &str, form: Form) -> Wanted {
    Wanted { name: name.to_string(), form }
}

/// A source of the numbers `n` below a path.
pub fn source(path: &Path) -> Source {
    of(path, vec![wanted("n", Form::Number)])
}

pub fn of(path: &Path, wanted: Vec<Wanted>) -> Source {
    let settings = Settings { path: path.to_path_buf(), unfinished_max: QUIET };
    Source::new(settings, Log::Requests, wanted)
}

/// What the next batch holds; its rows are needed until the largest of them.
pub fn batch(source: &mut Source) -> Option<Vec<i64>> {
    let batch = source.next(NOW)?;
    let rows: Vec<i64> = match &batch.columns[0] {
        Column::Numbers(numbers) => numbers.iter().map(|value| value.unwrap_or(-1.0) as i64).collect(),
        other => panic!("numbers were wanted, not {other:?}"),
    };
    assert_eq!(rows.len(), batch.rows);
    source.keep_until(rows.iter().copied().max().unwrap_or(i64::MIN));
    Some(rows)
}

pub const NOTHING: [i64; 0] = [];

pub fn rest(source: &mut Source) -> Vec<i64> {
    std::iter::from_fn(|| batch(source)).flatten().collect()
}

/// Looks and reads all there is.
pub fn read(source: &mut Source) -> Vec<i64> {
    source.scan(NOW);
    rest(source)
}

pub fn is_replaced(scan: &Scan) -> bool {
    matches!(scan, Scan::Replaced { .. })
}

pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::create_dir(&path).unwrap();
    (folder, path)
}
