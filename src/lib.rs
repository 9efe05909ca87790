//! `drift-sidecar` runs beside a prediction service, tails its Parquet request and outcome logs, and serves
//! drift and model quality as Prometheus gauges. This page is the map of the house.
//!
//! # Glossary
//!
//! - **Log**: Parquet files of one kind. *Requests* hold features and the prediction, *outcomes* the true label, later.
//! - **Reference**: rows of a time when the model was well; of a file, or of the log's own past. **Current**: the rows of a window.
//! - **Event time**: the timestamp in the row. **Watermark**: the newest one seen. Nothing else moves a window.
//! - **Pane**: a short slice of event time. **Window**: the sum of the panes up to the watermark.
//! - **Knots**: the reference's values (all, or so many quantiles) that a numeric column is counted on. **Grid**: knots and bins.
//! - **Profile**: one column of one pane, counted on the grid; profiles merge by addition.
//! - **Sample**: at most a thousand whole rows, drawn evenly; what tests of texts, vectors and several columns read.
//! - **Slice**: some of a model's rows, their windows and their reference: all rows, those of a version, those of a segment.
//! - **Pair**: a prediction and its outcome, met by request id.
//! - **Estimate**: the quality that scores and features make probable, before the labels are there.
//! - **Score, threshold, noise**: how far apart, how far is too far, and how far chance alone gets with so many rows.
//! - **Report**: all that one evaluation found. **Cursor**: how far a file has been read. **Turn**: a bounded amount of work.
//! - **Low water**: the event time before which no window needs a row any more, nor the newest labelled predictions.
//!
//! # A row's way
//!
//! ```text
//! disk --scan--> source --Batch--> monitor --Report--> metrics --text--> http --> Prometheus
//!                  ^                  |  panes, pairs, statistics: memory only
//!                  +--- low water ----+  the only arrow back: "rows before this are no longer needed"
//! ```
//!
//! [`source`] lists a folder, decides per file what it is (new, grown, replaced, unfinished, gone) and reads whole row
//! groups, only the columns in use. [`monitor`] drops each row into its pane: one profile a column, one table of pairs;
//! rows that cannot be used are counted by reason. An evaluation sums panes into windows, tests each column against the
//! [`mod@reference`] and gives a [`report`]. [`worker`] does this for one model in plain calls on one thread; [`daemon`] owns
//! the threads and the clock; [`once`] does it a single time.
//!
//! # Who may name whom
//!
//! Ground: `stats`. Heart: `batch settings grid profile label sample estimate pane window pair recent plan reference verdict monitor report history`. In: `source`.
//! Out: `metrics http page table`. Join: `worker once daemon shutdown progress`. Apart: `demo`, `retrain`. The heart never sees a
//! config file, a clock or a path; the two edges never see each other. `tests/tidy.rs` holds the fences, crate by crate and
//! room by room.
//!
//! # Decisions
//!
//! - Windows share panes: a pane that leaves the shortest window is merged into a coarser one of the next longer window. So a
//!   row is profiled once, and every window is a whole number of the shortest one's panes.
//! - A prediction leaves the pairs only when it has left every window *and* `label_delay_max` has passed: what counts must not
//!   depend on when a file was read.
//! - Which segments there are follows from the reference alone, so that it does not depend on the order of rows; each is compared with the same
//!   segment of the reference. Versions are those of the newest rows. Both have metric families of their own.
//! - A label finds the slices of its prediction by a tag in the pairs; what scores make probable is added to panes when the prediction comes.
//! - `estimate_error` compares estimate and truth over whole panes of which nine tenths are labelled: no prediction has to carry its estimate.
//! - Of the references in `{version}` files the one modified last is that of the model as a whole.
//! - A row group remembers until which event time its rows are needed (for outcomes: that of the predictions they met), and
//!   when it was first read. A restart reads again, in the first order, what the low water has not passed.
//! - A replaced file makes the fold begin anew; rows of a deleted file stay, since retention deletes what is in long windows too.
//! - A new reference goes on from the cursors of the old one, as a restart does: only what windows hold is read again.
//! - A reference of the log's past follows the newest event time in steps: so the same files give the same reference, and it
//!   changes seldom. Its rows are chosen by their times alone first, and read second: memory follows the rows that are taken.
//! - Whatever its method, a column drifts when its missing values jump.
//! - A row is drawn for samples by a hash of its id, else of its place in the log: of its values it would be the same for equal rows,
//!   which then were all in the sample or all not.
//! - Noise comes in closed form where that is honest, else from draws of the method's own score.
//!
//! # Invariants
//!
//! - All state is a fold over the log files. Losing the state file costs time, never a number. A file that is replaced
//!   while its rows are needed makes the fold begin anew.
//! - Which rows a window holds depends on the watermark and the rows, never on the order in which they came.
//! - A scrape renders one immutable Report. Nothing that is undefined is in it.
//! - A window is exact (the values themselves) if and only if it holds at most `exact_rows` rows; panes keep values for
//!   just as long as some window can still be exact.
//! - Memory follows the reference's shape: panes x columns x knots, a thousand sampled rows for each new doubling of panes,
//!   and pairs up to `pairs_max`. It does not follow the traffic.
//! - Bad input is a counter with a reason. It stops neither the file beside it nor the model beside it.

pub mod batch;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod estimate;
pub mod frame;
pub mod grid;
pub mod history;
pub mod http;
pub mod label;
pub mod metrics;
pub mod monitor;
pub mod once;
pub mod page;
pub mod pair;
pub mod pane;
pub mod plan;
pub mod profile;
pub mod progress;
pub mod recent;
pub mod reference;
pub mod report;
pub mod retrain;
pub mod sample;
pub mod settings;
pub mod shutdown;
pub mod source;
pub mod stats;
pub mod table;
pub mod verdict;
pub mod window;
pub mod worker;

/// An error and all that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said.push_str(": ");
        said.push_str(&cause.to_string());
        source = cause.source();
    }
    said
}

/// Lets the memory of the pages of a file stay with the process from one file to the next. glibc gives blocks back to the kernel, to
/// be zeroed and mapped anew, until a large one has been freed; from then on it keeps such sizes. Other allocators learn nothing
/// from it.
pub fn keep_pages() {
    const LARGE: usize = 8 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}
