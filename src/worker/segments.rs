//! The segments of a reference: its rows, read twice more for each way to divide them.

use crate::batch::{Batch, Field, Wanted};
use crate::config::Model;
use crate::reference::{Division, References};

/// Adds the segments to references. `read` hands out the rows of the main one, of which `fields` are the columns; it can fail
/// only where it has succeeded before, and then what it was to divide stays whole.
pub fn divide(
    model: &Model,
    references: &mut References,
    fields: &[Field],
    mut read: impl FnMut(&[Wanted], &mut dyn FnMut(&Batch)) -> Result<(), String>,
) {
    let settings = &model.monitor;
    for columns in &settings.segments {
        let Some(mut division) = Division::new(settings, &references.main, columns, fields) else {
            continue;
        };
        let counted = read(&division.wanted(), &mut |batch| division.count(batch));
        division.choose();
        let filled = counted.and_then(|()| read(&division.wanted_rows(), &mut |batch| division.ingest(batch)));
        match filled {
            Ok(()) => references.segmentations.push(division.finish(&references.main)),
            Err(problem) => {
                tracing::warn!(
                    model = settings.name,
                    columns = columns.join(","),
                    problem,
                    "no segments by these columns"
                );
            }
        }
    }
}
