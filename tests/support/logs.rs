//! Small logs written by hand, and the worker that reads them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use drift_sidecar::config;
use drift_sidecar::report::{ColumnReport, LogReport, ModelReport, WindowReport};
use drift_sidecar::worker::{Turn, Worker};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

pub const SECOND: i64 = 1_000_000;

/// The time of the tests: rows are written for the minutes before it.
pub const NOW: i64 = 1_750_000_000 * SECOND;

pub fn floats(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

pub fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

pub fn times(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

pub fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// Rows `from..to` of a well-behaved request log.
pub fn requests(from: usize, to: usize) -> RecordBatch {
    table(vec![
        ("request_id", ids(from, to)),
        ("timestamp", times((from..to).map(|i| Some(time(i))))),
        ("price", floats((from..to).map(|i| Some(price(i))))),
        ("color", texts((from..to).map(|i| Some(["red", "green", "blue"][i % 3])))),
        ("prediction", texts((from..to).map(|i| Some(class(i))))),
    ])
}

pub fn time(i: usize) -> i64 {
    NOW - 50 * 60 * SECOND + i as i64 * SECOND / 10
}

pub fn price(i: usize) -> f64 {
    ((i * 7919) % 1009) as f64 / 10.0
}

pub fn class(i: usize) -> &'static str {
    ["a", "b"][i % 2]
}

pub fn ids(from: usize, to: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((from..to).map(|i| format!("id-{i}"))))
}

/// Right labels for the rows `from..to`.
pub fn outcomes(from: usize, to: usize) -> RecordBatch {
    table(vec![
        ("request_id", ids(from, to)),
        ("timestamp", times((from..to).map(|i| Some(time(i) + 30 * SECOND)))),
        ("label", texts((from..to).map(|i| Some(class(i))))),
    ])
}

/// Without one column.
pub fn without(batch: &RecordBatch, column: &str) -> RecordBatch {
    let kept = (0..batch.num_columns()).filter(|i| batch.schema().field(*i).name() != column);
    batch.project(&kept.collect::<Vec<_>>()).unwrap()
}

/// With one column exchanged.
pub fn with(batch: &RecordBatch, column: &str, array: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    table(
        columns
            .map(|(field, old)| {
                (field.name().as_str(), if field.name() == column { array.clone() } else { old.clone() })
            })
            .collect(),
    )
}

/// One row group for each batch.
pub fn write(path: &Path, batches: &[RecordBatch]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), Some(properties)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

/// A folder with logs, a reference and one model.
pub struct Logs {
    pub folder: tempfile::TempDir,
}

impl Logs {
    /// The reference is there, the logs are empty.
    pub fn new() -> Logs {
        let logs = Logs { folder: tempfile::tempdir().unwrap() };
        let reference = without(&without(&requests(0, 3000), "request_id"), "timestamp");
        let label = texts((0..3000).map(|i| Some(class(i))));
        let mut columns: Vec<(&str, ArrayRef)> = vec![("label", label)];
        let schema = reference.schema();
        columns
            .extend(schema.fields().iter().map(|field| field.name().as_str()).zip(reference.columns().iter().cloned()));
        write(&logs.path("reference.parquet"), &[table(columns)]);
        logs
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> config::Model {
        self.config_with("reference: {path: reference.parquet}")
    }

    /// `more`: the reference, and what else is said of the model.
    pub fn config_with(&self, more: &str) -> config::Model {
        let text = format!(
            "models:\n  - name: m\n    requests: {{path: requests}}\n    outcomes: {{path: outcomes}}\n    windows: [1h]\n    rows_min: 1\n    {more}\n"
        );
        let loaded = config::parse(&text, &self.path("sidecar.yaml"), &|_| None).unwrap();
        loaded.whole().unwrap().models.remove(0)
    }

    pub fn worker(&self) -> Worker {
        Worker::new(self.config(), None)
    }

    /// The Report once everything that is there was read.
    pub fn read(&self) -> ModelReport {
        let mut worker = self.worker();
        read(&mut worker, NOW)
    }
}

pub fn read(worker: &mut Worker, now: i64) -> ModelReport {
    while worker.turn(now) == Turn::Busy {}
    worker.report()
}

pub fn window(report: &ModelReport) -> &WindowReport {
    &report.windows[0]
}

pub fn column<'a>(report: &'a ModelReport, name: &str) -> &'a ColumnReport {
    window(report).columns.iter().find(|column| column.column == name).unwrap()
}

pub fn log<'a>(report: &'a ModelReport, name: &str) -> &'a LogReport {
    report.logs.iter().find(|log| log.log == name).unwrap()
}

pub fn failed(report: &ModelReport) -> BTreeMap<&'static str, u64> {
    log(report, "requests").files_failed.clone()
}
