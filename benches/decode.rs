//! Reads the logs and the references of a config with the program's own reader, the columns that `once` reads of them, and does
//! nothing with the rows: what `once` cannot go below.
//!
//!     cargo bench --bench decode -- CONFIG
//!
//! It measures nothing itself: `benches/peers/run.py` runs it beside the others. What is wanted of the logs hangs on the reference;
//! it is learned from the reference's first batch alone.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use drift_sidecar::batch::Log;
use drift_sidecar::config::{self, Model};
use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::{Draft, Reference};
use drift_sidecar::source::{Source, Table};

fn main() -> Result<(), Box<dyn Error>> {
    // Without a config, as in a run of all benches, it has nothing to do.
    let Some(file) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        return Ok(());
    };
    drift_sidecar::keep_pages();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros() as i64;
    for model in config::load(Path::new(&file))?.config.models {
        let rows = decode(&model, now)?;
        writeln!(stdout(), "{}: {rows} rows", model.monitor.name)?;
    }
    Ok(())
}

fn decode(model: &Model, now: i64) -> Result<u64, Box<dyn Error>> {
    let config::Reference::File(path) = &model.reference else {
        return Err("the reference must be a file".into());
    };
    let (reference, mut rows) = reference(model, path)?;
    let monitor = Monitor::new(model.monitor.clone(), Arc::new(reference));
    let logs = [(Log::Requests, Some(&model.requests)), (Log::Outcomes, model.outcomes.as_ref())];
    for (log, settings) in logs.into_iter().filter_map(|(log, settings)| Some((log, settings?))) {
        let mut source = Source::new(settings.clone(), log, monitor.wanted(log));
        source.scan(now);
        while let Some(batch) = source.next(now) {
            rows += black_box(batch).rows as u64;
        }
    }
    Ok(rows)
}

/// All rows of a reference are decoded; the first batch makes it.
fn reference(model: &Model, path: &Path) -> Result<(Reference, u64), Box<dyn Error>> {
    let table = Table::open(path)?;
    let mut draft = Draft::new(&model.monitor, table.fields(), table.rows());
    let mut rows = 0;
    for batch in table.batches(&draft.wanted()) {
        let batch = batch?;
        if rows == 0 {
            draft.ingest(&batch);
        }
        rows += black_box(batch).rows as u64;
    }
    Ok((draft.finish()?, rows))
}
