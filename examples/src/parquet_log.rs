//! A log of rows as Parquet files, for a service that must never wait for a disk.
//!
//! [`Log::write`] puts a row into a bounded queue and returns; a thread of its own gathers rows and writes a file every
//! so many rows or so many seconds, aside first, renamed when it is whole: a reader sees a whole file or none. A full
//! queue drops the row and counts it. A disk that takes nothing keeps the rows for a later try, as many as a queue holds.
//! [`Log::close`] writes what is left. To use it in a service of yours, copy this file and implement [`Row`].

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// After a failed write, the next try.
const RETRY: Duration = Duration::from_secs(1);

/// A row that knows its columns.
pub trait Row: Sized + Send + 'static {
    /// The rows as columns.
    fn batch(rows: &[Self]) -> Result<RecordBatch, ArrowError>;
}

/// When a file is full, and how much may wait.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the files go; made if it is not there.
    pub folder: PathBuf,
    /// A file is written when so many rows wait, 1 or more...
    pub rows: usize,
    /// ...or when the first of them has waited so long.
    pub every: Duration,
    /// Rows that may wait in the queue, and as many again for a disk that takes nothing.
    pub queue: usize,
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Counts {
    /// In files.
    pub written: AtomicU64,
    /// Dropped because the queue was full: rows came faster than the disk took them.
    pub dropped_full: AtomicU64,
    /// Dropped because the disk took nothing for too long.
    pub dropped_failed: AtomicU64,
    /// Waiting now.
    pub waiting: AtomicU64,
}

/// A log that is being written.
#[derive(Debug)]
pub struct Log<R> {
    /// `None` once it is closed.
    sender: Mutex<Option<SyncSender<R>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    pub counts: Arc<Counts>,
}

impl<R: Row> Log<R> {
    /// Starts the writer's thread. A folder that cannot be written yet is no error: the thread tries again.
    pub fn open(settings: Settings) -> std::io::Result<Log<R>> {
        let (sender, receiver) = sync_channel(settings.queue);
        let counts = Arc::new(Counts::default());
        let writer = Writer { settings, counts: counts.clone(), rows: Vec::new(), files: 0, told: false };
        let thread =
            std::thread::Builder::new().name("parquet-log".to_string()).spawn(move || writer.run(&receiver))?;
        Ok(Log { sender: Mutex::new(Some(sender)), writer: Mutex::new(Some(thread)), counts })
    }

    /// Logs a row, or drops and counts it: never waits for the disk.
    pub fn write(&self, row: R) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        let sent = sender.as_ref().map(|sender| sender.try_send(row));
        if !matches!(sent, Some(Ok(()))) {
            debug_assert!(!matches!(sent, Some(Err(TrySendError::Disconnected(_)))), "the writer outlives its senders");
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped_full.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<R> Log<R> {
    /// Writes what is left, and ends the thread. Rows written afterwards are dropped.
    pub fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A writer that panicked has told why; there is nothing left to wait for.
            let _ = writer.join();
        }
    }
}

impl<R> Drop for Log<R> {
    fn drop(&mut self) {
        self.close();
    }
}

struct Writer<R> {
    settings: Settings,
    counts: Arc<Counts>,
    /// What the next file will hold.
    rows: Vec<R>,
    files: u64,
    /// A failure is told when it begins, not at each try.
    told: bool,
}

impl<R: Row> Writer<R> {
    fn run(mut self, receiver: &Receiver<R>) {
        let mut due = None;
        loop {
            let wait = due.map_or(self.settings.every, |due: Instant| due.saturating_duration_since(Instant::now()));
            match receiver.recv_timeout(wait) {
                Ok(row) => {
                    due.get_or_insert_with(|| Instant::now() + self.settings.every);
                    self.rows.push(row);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.flush();
                    return self.give_up();
                }
            }
            let full = self.rows.len() >= self.settings.rows && !self.told;
            if full || due.is_some_and(|due| Instant::now() >= due) {
                due = (!self.flush()).then(|| Instant::now() + RETRY);
            }
            self.bound();
        }
    }

    /// Writes the rows that wait. `false`: they still wait.
    fn flush(&mut self) -> bool {
        if self.rows.is_empty() {
            return true;
        }
        match self.write() {
            Ok(()) => {
                self.counts.written.fetch_add(self.rows.len() as u64, Ordering::Relaxed);
                self.counts.waiting.fetch_sub(self.rows.len() as u64, Ordering::Relaxed);
                self.rows.clear();
                self.told = false;
                true
            }
            Err(error) => {
                if !self.told {
                    let folder = self.settings.folder.display();
                    tracing::error!(%folder, %error, "log not written; its rows wait for a later try");
                    self.told = true;
                }
                false
            }
        }
    }

    fn write(&mut self) -> Result<(), ParquetError> {
        fs::create_dir_all(&self.settings.folder)?;
        let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("part-{nanoseconds}-{}-{}.parquet", std::process::id(), self.files);
        let aside = self.settings.folder.join(format!(".{name}.tmp"));
        let written = write_file(&aside, &R::batch(&self.rows)?)
            .and_then(|()| Ok(fs::rename(&aside, self.settings.folder.join(&name))?));
        if written.is_err() {
            // What is left of it would lie there for ever; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&aside);
        }
        self.files += 1;
        written
    }

    /// The oldest leave first while the disk takes nothing.
    fn bound(&mut self) {
        let over = self.rows.len().saturating_sub(self.settings.queue.max(self.settings.rows));
        self.rows.drain(..over);
        self.dropped(over);
    }

    fn give_up(&mut self) {
        let left = self.rows.len();
        self.rows.clear();
        self.dropped(left);
    }

    fn dropped(&self, rows: usize) {
        self.counts.dropped_failed.fetch_add(rows as u64, Ordering::Relaxed);
        self.counts.waiting.fetch_sub(rows as u64, Ordering::Relaxed);
    }
}

fn write_file(path: &Path, batch: &RecordBatch) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    Ok(writer.into_inner()?.sync_all()?)
}
