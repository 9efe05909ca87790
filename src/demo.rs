//! The demo: a synthetic service that writes its logs while things happen to it, as a scenario says.
//!
//! A room apart: it writes Parquet as a service would and knows nothing of the program that reads it. Time is an argument.

mod rows;
mod scenario;
mod story;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ArrowWriter;
use arrow::array::RecordBatch;

pub use rows::{Outcome, Request};
pub use scenario::Scenario;
pub use story::Story;

const SECOND: i64 = 1_000_000;

/// Requests a second.
const RATE: i64 = 300;

/// Rows of the reference.
const REFERENCE_ROWS: usize = 20_000;

/// The first turn writes so much of the past, so that the page is full at once.
const BACKFILL: i64 = 120 * SECOND;

/// Files older than this are deleted, as retention would do it.
const RETENTION: i64 = 900 * SECOND;

/// A service that writes request and outcome logs into a folder.
#[derive(Debug)]
pub struct Traffic {
    folder: PathBuf,
    story: Story,
    /// Event time up to which requests are written.
    written: i64,
    /// Labels on their way, by the time at which they arrive.
    labels: BTreeMap<(i64, u64), Outcome>,
    files: Vec<(i64, PathBuf)>,
}

impl Traffic {
    /// A service in `folder`, whose story begins at `start` (microseconds since 1970).
    pub fn new(folder: &Path, scenario: Scenario, start: i64, seed: u64) -> std::io::Result<Traffic> {
        for name in ["requests", "outcomes"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let folder = folder.to_path_buf();
        let traffic = Traffic {
            folder,
            story: Story::new(scenario, start, seed),
            written: start - BACKFILL,
            labels: BTreeMap::new(),
            files: Vec::new(),
        };
        Ok(traffic)
    }

    /// Requests with their labels, of a time when the model was well.
    pub fn write_reference(&mut self) -> std::io::Result<()> {
        let requests: Vec<Request> =
            (0..REFERENCE_ROWS).map(|_| self.story.request(self.story.start() - BACKFILL)).collect();
        write(&self.folder.join("reference.parquet"), &rows::reference(&requests))
    }

    /// The config that a person would write for this service.
    pub fn config(&self, listen: SocketAddr) -> String {
        let scenario = self.story.scenario();
        format!(
            "# {}
listen: {listen}
evaluate_every: 2s
models:
  - {}
    requests: {{path: requests, score: score, version: model_version}}
    outcomes: {{path: outcomes}}
    reference: {{path: reference.parquet}}
    panes: 30
    rows_min: 100
    drift: {{share: 0.5}}
    features:
      price: {{method: [wasserstein, psi, ks]}}
      country: {{kind: categorical}}
",
            scenario.about(),
            scenario.config()
        )
    }

    /// Writes everything that is due at `now`: requests since the last turn, and the labels that have arrived.
    pub fn turn(&mut self, now: i64) -> std::io::Result<()> {
        let mut requests = Vec::new();
        while self.written + SECOND / RATE <= now {
            self.written += SECOND / RATE;
            let request = self.story.request(self.written);
            let label = self.story.outcome(&request);
            self.labels.insert((label.time, request.id), label);
            requests.push(request);
        }
        let waiting = self.labels.split_off(&(self.story.labelled_until(now) + 1, 0));
        let arrived: Vec<Outcome> = std::mem::replace(&mut self.labels, waiting).into_values().collect();
        if !requests.is_empty() {
            self.rotate("requests", now, &rows::requests(&requests))?;
        }
        if !arrived.is_empty() {
            self.rotate("outcomes", now, &rows::outcomes(&arrived))?;
        }
        let (old, kept) = self.files.drain(..).partition(|(written, _)| *written < now - RETENTION);
        self.files = kept;
        let old: Vec<(i64, PathBuf)> = old;
        old.iter().try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn rotate(&mut self, log: &str, now: i64, batch: &RecordBatch) -> std::io::Result<()> {
        let path = self.folder.join(log).join(format!("part-{now}.parquet"));
        write(&path, batch)?;
        self.files.push((now, path));
        Ok(())
    }

    /// What to look at and when, for a terminal. `clock` says a moment as people read it.
    pub fn guide(&self, address: SocketAddr, clock: impl Fn(i64) -> String) -> String {
        let scenario = self.story.scenario();
        let url = format!("http://{address}");
        let event = |(seconds, told): (i64, &str)| {
            let when = if seconds == 0 { "now".to_string() } else { format!("+{seconds} s") };
            let at = clock(self.story.start() + seconds * SECOND);
            let moment = format!("    {at}  {when:9}  ");
            let told = told.replace('\n', &format!("\n{:1$}", "", moment.len()));
            format!("{moment}{told}\n")
        };
        format!(
            "
  {}
  It is being served: {RATE} predictions a second, labels some seconds later.

    page       {url}/
    metrics    {url}/metrics
    JSON       {url}/api/v1/report
    logs       {}

  What happens               what to watch for
{}
  In another terminal:
    watch -n 2 \"curl -s {url}/metrics | grep -E '^{}'\"

  Ctrl-C ends it.
",
            scenario.about(),
            self.folder.display(),
            scenario.events().into_iter().map(event).collect::<String>(),
            scenario.watched(),
        )
    }
}

/// Aside first, then under its name: a reader never sees half a file.
fn write(path: &Path, batch: &RecordBatch) -> std::io::Result<()> {
    let aside = path.with_extension("parquet.tmp");
    let mut writer = ArrowWriter::try_new(File::create(&aside)?, batch.schema(), None)?;
    writer.write(batch)?;
    writer.close()?;
    fs::rename(aside, path)
}
