//! One evaluation of all there is, then done: `once` and `compare`. No state is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::batch::Log;
use crate::config::{Config, Model};
use crate::monitor::Monitor;
use crate::progress::Progress;
use crate::reference::{Draft, Reference};
use crate::report::{ModelReport, Report};
use crate::settings::Settings;
use crate::source::{Table, TableError};
use crate::worker::{Turn, Worker};

/// Reads every log to its end and evaluates once. What cannot be used is counted in the Report.
pub fn once(config: &Config, now: i64) -> Report {
    let models = config.models.iter().map(|model| Arc::new(read_all(model, now)));
    Report { models: models.collect() }
}

fn read_all(model: &Model, now: i64) -> ModelReport {
    let mut worker = Worker::new(model.clone(), None);
    let mut progress = Progress::new(worker.name());
    while worker.turn(now) == Turn::Busy {
        let (read, total) = worker.progress();
        progress.show(read, total);
    }
    worker.give_up();
    worker.report()
}

/// Why two tables could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("{} cannot be read", path.display())]
    Table { path: PathBuf, source: TableError },
    #[error("{} is no reference: {problem}", path.display())]
    Reference { path: PathBuf, problem: String },
}

/// Compares tables with a reference, without event time: one model `compare` with one window `all`.
pub fn compare(settings: Settings, reference: &Path, current: &[PathBuf]) -> Result<Report, CompareError> {
    let reference = Arc::new(compare_reference(&settings, reference)?);
    let mut monitor = Monitor::new(settings, reference);
    let wanted = monitor.wanted(Log::Requests);
    let mut progress = Progress::new("compare");
    let mut read = 0;
    for path in current {
        let failed = |source| CompareError::Table { path: path.clone(), source };
        let table = Table::open(path).map_err(failed)?;
        let total = read + table.rows();
        for batch in table.batches(&wanted) {
            let batch = batch.map_err(failed)?;
            read += batch.rows as u64;
            monitor.ingest(&batch);
            progress.show(read, total);
        }
    }
    Ok(Report { models: vec![Arc::new(monitor.report())] })
}

fn compare_reference(settings: &Settings, path: &Path) -> Result<Reference, CompareError> {
    let failed = |source| CompareError::Table { path: path.to_path_buf(), source };
    let table = Table::open(path).map_err(failed)?;
    let mut draft = Draft::new(settings, table.fields(), table.rows());
    draft.read(|wanted, each| table.read(wanted, each)).map_err(failed)?;
    draft.finish().map_err(|problem| CompareError::Reference { path: path.to_path_buf(), problem })
}
