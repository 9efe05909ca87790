//! Progress of work that takes longer than a second, on a terminal. The only file that names `indicatif`.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar of rows read, on stderr where that is a terminal.
#[derive(Debug)]
pub struct Progress {
    since: Instant,
    bar: ProgressBar,
    what: String,
}

impl Progress {
    pub fn new(what: &str) -> Progress {
        Progress { since: Instant::now(), bar: ProgressBar::hidden(), what: what.to_string() }
    }

    /// Rows read and rows known to be there in all.
    pub fn show(&mut self, read: u64, total: u64) {
        if self.bar.is_hidden() && self.since.elapsed() > PATIENCE {
            let style = ProgressStyle::with_template(
                "{msg} {wide_bar} {human_pos}/{human_len} rows, {rate} rows/s, {eta} left",
            );
            self.bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate))
                .with_elapsed(self.since.elapsed());
            self.bar.set_message(self.what.clone());
        }
        self.bar.set_length(total);
        self.bar.set_position(read);
    }
}

/// Whole rows a second, in groups of three digits.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // A terminal that cannot be written to is not the work's concern.
    let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
