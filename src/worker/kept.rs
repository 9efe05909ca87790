//! What a worker keeps between two runs: how far it has read, and what it holds of what it has read.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::references::Found;
use super::{Running, Worker};
use crate::batch::Log;
use crate::config;
use crate::frame::Reader;
use crate::source::checkpoint;
use crate::source::cursor::{self, State};

impl Worker {
    /// Keeps the cursors, where there is a place for them and something changed. A failure is said and tried again next time.
    pub fn save(&mut self) {
        let (Some(path), Some(running)) = (&self.state_file, &mut self.running) else {
            return;
        };
        let state = running.state(&self.model);
        if self.saved.as_ref() == Some(&state) {
            return;
        }
        match cursor::save(path, &state) {
            Ok(()) => self.saved = Some(state),
            Err(error) => tracing::warn!(
                model = self.model.monitor.name,
                error = crate::chain(&error),
                "state not saved; a restart would read more than it needs to"
            ),
        }
    }

    /// Keeps what windows and pairs hold, so that the next run need not read it again. A failure is said and tried again next time.
    pub fn checkpoint(&mut self) {
        let (Some(path), Some(running)) = (&self.checkpoint_file, &mut self.running) else {
            return;
        };
        let now = (running.digest(&self.model), running.state(&self.model));
        if self.checkpointed.as_ref() == Some(&now) || !running.sources().all(|source| source.can_go_on()) {
            return;
        }
        let written = checkpoint::save(path, now.0, |out| {
            out.put(&now.1)?;
            running.monitor.save(out)
        });
        match written {
            Ok(()) => self.checkpointed = Some(now),
            Err(error) => tracing::warn!(
                model = self.model.monitor.name,
                error = crate::chain(&error),
                "windows not saved; a restart would read their rows again"
            ),
        }
    }

    /// Goes on where an earlier run ended; where it left no checkpoint that fits, reads again what windows need.
    pub(super) fn take_up(&self, found: Found) -> Running {
        let mut taken = Running::new(&self.model, found, None);
        let Some(path) = &self.checkpoint_file else {
            return taken;
        };
        let digest = taken.digest(&self.model);
        let model = &self.model.monitor.name;
        match checkpoint::load(path, digest, |from| taken.restore(from)) {
            Ok(true) => {
                tracing::info!(model, "windows are as the last run left them; going on behind the last row");
                return taken;
            }
            Ok(false) => {}
            Err(error) => tracing::info!(model, reason = crate::chain(&error), "reading again what windows hold"),
        }
        Running::new(&self.model, taken.found, self.restore())
    }

    /// What an earlier run left, if it was about the same files, columns and windows.
    pub(super) fn restore(&self) -> Option<State> {
        let path = self.state_file.as_ref()?;
        match cursor::load(path) {
            Ok(state) => state.filter(|state| state.digest == digest(&self.model)),
            Err(error) => {
                tracing::warn!(
                    model = self.model.monitor.name,
                    error = crate::chain(&error),
                    "state not usable; reading the logs from the beginning"
                );
                None
            }
        }
    }
}

impl Running {
    /// What the next run, or the next reference, needs to know to go on here.
    pub(super) fn state(&mut self, model: &config::Model) -> State {
        let low_water = self.acknowledge();
        let mut logs = BTreeMap::from([(Log::Requests.name().to_string(), self.requests.cursors())]);
        logs.extend(self.outcomes.as_ref().map(|source| (Log::Outcomes.name().to_string(), source.cursors())));
        State::new(digest(model), low_water, logs)
    }

    /// Takes what another one of the same digest wrote.
    fn restore(&mut self, from: &mut Reader) -> std::io::Result<()> {
        let mut state: State = from.take()?;
        self.monitor.restore(from)?;
        for (log, source) in [(Log::Requests, Some(&mut self.requests)), (Log::Outcomes, self.outcomes.as_mut())] {
            if let (Some(source), Some(cursors)) = (source, state.logs.remove(log.name())) {
                source.go_on(cursors, state.low_water);
            }
        }
        Ok(())
    }

    /// What must be equal for a checkpoint to hold.
    fn digest(&self, model: &config::Model) -> u64 {
        let references = &self.found.references;
        let digests: Vec<&str> = references.all().map(|reference| reference.digest.as_str()).collect();
        let versions: Vec<&String> = references.versions.keys().collect();
        let release = env!("CARGO_PKG_VERSION");
        let said = format!("{release} {} {:?} {digests:?} {versions:?}", digest(model), model.monitor);
        xxh3_64(said.as_bytes())
    }
}

/// What must be equal for cursors of an earlier run to hold.
fn digest(model: &config::Model) -> u64 {
    let monitor = &model.monitor;
    let said = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        model.requests.path,
        model.outcomes.as_ref().map(|outcomes| &outcomes.path),
        monitor.requests,
        monitor.outcomes,
        monitor.windows,
        monitor.panes,
        monitor.label_delay_max,
        monitor.f1_window
    );
    xxh3_64(said.as_bytes())
}
