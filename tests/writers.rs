//! Folders as other writers leave them: every row once, partition folders as columns, what is no log left alone.

#[path = "support/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::StringArray;
use drift_sidecar::batch::{Batch, Column, Form, Wanted};
use drift_sidecar::source::{Scan, Source, Table};
use files::*;

fn golden(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/golden/writers").join(name);
    assert!(path.exists(), "no golden data: run `tests/run`, or `python tests/golden/writers.py target/golden`");
    path
}

fn all() -> Vec<Wanted> {
    vec![wanted("n", Form::Number), wanted("at", Form::Time), wanted("kind", Form::Key)]
}

/// A row: its number, its moment in minutes since the first, its kind.
type Row = (i64, i64, String);

fn expected(n: i64) -> Row {
    (n, n, format!("k{}", n % 3))
}

fn rows(batch: &Batch) -> Vec<Row> {
    let [Column::Numbers(numbers), Column::Times(times), Column::Keys(kinds)] = &batch.columns[..] else {
        panic!("{:?}", batch.columns);
    };
    let start = "2026-03-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond();
    let kinds = kinds.downcast_dict::<StringArray>().unwrap();
    let minutes = |time: i64| (time - start) / (60 * SECOND);
    let parts = numbers.values().iter().zip(times.values()).zip(kinds);
    parts.map(|((n, at), kind)| (*n as i64, minutes(*at), kind.unwrap().to_string())).collect()
}

fn read_all(source: &mut Source) -> Vec<Row> {
    source.scan(NOW);
    let mut found: Vec<Row> = std::iter::from_fn(|| source.next(NOW)).flat_map(|batch| rows(&batch)).collect();
    found.sort();
    found
}

#[test]
fn every_writers_folder_gives_every_row_once() {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(golden("folders")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert_eq!(folders.len(), 7);
    let expected: Vec<Row> = (0..100).map(expected).collect();
    for folder in folders {
        let mut source = of(&folder, all());
        assert_eq!(read_all(&mut source), expected, "{}", folder.display());
        let counts = source.counts();
        assert_eq!(
            (counts.files_failed, counts.column_problems),
            (BTreeMap::new(), BTreeMap::new()),
            "{}",
            folder.display()
        );
        let table = Table::open(&folder).unwrap();
        assert_eq!(table.rows(), 100, "{}", folder.display());
        let mut found: Vec<Row> = table.batches(&all()).flat_map(|batch| rows(&batch.unwrap())).collect();
        found.sort();
        assert_eq!(found, expected, "{} as a table", folder.display());
    }
}

#[test]
fn one_partition_may_be_read_alone() {
    let glob = golden("folders").join("duckdb_hive/kind=k1/*.parquet");
    let mut source = of(&glob, vec![wanted("n", Form::Number)]);
    let mut numbers = read(&mut source);
    numbers.sort();
    assert_eq!(numbers, (0..100).filter(|n| n % 3 == 1).collect::<Vec<_>>());
}

#[test]
fn an_append_by_fastparquet_gives_the_new_rows_only() {
    let (_keep, log) = folder();
    let path = log.join("log.parquet");
    let [before, after] = ["append-1.parquet", "append-2.parquet"].map(|name| fs::read(golden(name)).unwrap());
    let mut source = of(&log, all());
    fs::write(&path, &before).unwrap();
    assert_eq!(read_all(&mut source), (0..60).map(expected).collect::<Vec<_>>());
    // The footer is overwritten first: for a while there is none.
    fs::write(&path, &after[..after.len() - 20]).unwrap();
    assert_eq!(read_all(&mut source), []);
    fs::write(&path, &after).unwrap();
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(read_all(&mut source), (60..100).map(expected).collect::<Vec<_>>());
    assert_eq!(source.counts().files_failed, BTreeMap::new());
}

#[test]
fn a_codec_that_is_not_read_is_named_and_costs_its_own_file_only() {
    let (_keep, log) = folder();
    fs::copy(golden("brotli.parquet"), log.join("a.parquet")).unwrap();
    put(&log.join("b.parquet"), &[&[1]]);
    let mut source = source(&log);
    assert_eq!(read(&mut source), [1]);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("unsupported", 1)]));
}

#[test]
fn the_year_9999_is_no_year_of_the_past() {
    let mut source = of(&golden("never.parquet"), vec![wanted("at", Form::Time)]);
    source.scan(NOW);
    let batch = source.next(NOW).unwrap();
    let Column::Times(times) = &batch.columns[0] else { panic!("{:?}", batch.columns) };
    let moment = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let expected =
        [moment("2026-03-01T00:00:00Z"), moment("9999-12-30T00:00:00Z").map(|day| day + 86_400 * SECOND), None];
    assert_eq!(times.iter().collect::<Vec<_>>(), expected);
}
