//! The writer under trouble: a queue that is full, a folder that cannot be written, an end.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch};
use arrow::error::ArrowError;
use examples::parquet_log::{Log, Row, Settings};
use support::{files, wait};

struct Number(i64);

impl Row for Number {
    fn batch(rows: &[Number]) -> Result<RecordBatch, ArrowError> {
        let numbers = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        RecordBatch::try_from_iter([("number", Arc::new(numbers) as _)])
    }
}

/// A row whose batch waits until it is told to go on: a disk that hangs.
struct Stuck(Arc<std::sync::Mutex<Receiver<()>>>);

impl Row for Stuck {
    fn batch(rows: &[Stuck]) -> Result<RecordBatch, ArrowError> {
        rows[0].0.lock().unwrap().recv().unwrap();
        Number::batch(&rows.iter().map(|_| Number(0)).collect::<Vec<_>>())
    }
}

fn settings(folder: &std::path::Path) -> Settings {
    Settings { folder: folder.to_path_buf(), rows: 10, every: Duration::from_secs(3600), queue: 25 }
}

#[test]
fn rows_go_into_files_of_so_many_and_the_rest_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(Settings { queue: 100, ..settings(folder.path()) }).unwrap();
    (0..32).for_each(|number| log.write(Number(number)));
    wait("three full files", || (files(folder.path()).len() == 3).then_some(()));
    assert_eq!(log.counts.written.load(Ordering::Relaxed), 30);
    log.close();
    assert_eq!(files(folder.path()).len(), 4);
    assert_eq!(log.counts.written.load(Ordering::Relaxed), 32);
    assert_eq!(log.counts.waiting.load(Ordering::Relaxed), 0);
    let aside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(aside, 4, "nothing is left aside");
    log.write(Number(1));
    assert_eq!(log.counts.dropped_full.load(Ordering::Relaxed), 1, "after its end a log takes nothing");
}

#[test]
fn a_disk_that_hangs_never_blocks_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (go, wait_for): (Sender<()>, _) = channel();
    let gate = Arc::new(std::sync::Mutex::new(wait_for));
    let log = Log::open(Settings { rows: 1, ..settings(folder.path()) }).unwrap();
    (0..1000).for_each(|_| log.write(Stuck(gate.clone())));
    let dropped = log.counts.dropped_full.load(Ordering::Relaxed);
    // 25 wait in the queue, at most one is on its way to the disk.
    assert!((974..=975).contains(&dropped), "{dropped}");
    (0..26).for_each(|_| go.send(()).unwrap());
    drop(go);
    log.close();
    assert_eq!(log.counts.written.load(Ordering::Relaxed) + dropped, 1000);
}

#[test]
fn a_folder_that_cannot_be_written_keeps_the_rows_for_a_later_try() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    // A file in the folder's place: not even root can write below it.
    std::fs::write(&logs, "in the way").unwrap();
    let log = Log::open(Settings { every: Duration::from_millis(1), ..settings(&logs) }).unwrap();
    (0..10).for_each(|number| log.write(Number(number)));
    assert_eq!(log.counts.written.load(Ordering::Relaxed), 0);
    std::fs::remove_file(&logs).unwrap();
    wait("the rows are written", || (log.counts.written.load(Ordering::Relaxed) == 10).then_some(()));
    assert_eq!(log.counts.dropped_failed.load(Ordering::Relaxed), 0);
}

#[test]
fn a_disk_that_takes_nothing_for_long_costs_the_oldest_rows_and_they_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::write(&logs, "in the way").unwrap();
    let log = Log::open(Settings { every: Duration::from_millis(1), ..settings(&logs) }).unwrap();
    for number in 0..100 {
        log.write(Number(number));
        wait("the queue has room", || (log.counts.waiting.load(Ordering::Relaxed) < 45).then_some(()));
    }
    log.close();
    let counts = &log.counts;
    let all =
        [&counts.written, &counts.dropped_full, &counts.dropped_failed].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(all.iter().sum::<u64>(), 100, "{all:?}");
    assert_eq!(all[0], 0);
    assert_eq!(counts.waiting.load(Ordering::Relaxed), 0);
}
