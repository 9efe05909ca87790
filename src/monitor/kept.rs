//! The state as frames, so that a run can go on where an earlier one ended, without the rows that made it.
//!
//! Kept is what rows have changed. What follows from the settings and the references is not; counters begin anew with each run.

use std::collections::HashMap;
use std::io::Result;

use super::divided::{Divided, Group, Version};
use super::slice::Slice;
use super::{Monitor, Pairing};
use crate::frame::{Reader, Writer};
use crate::label::Labels;
use crate::settings::Settings;

impl Monitor {
    /// Writes the state, for [`Monitor::restore`].
    pub fn save(&self, out: &mut Writer) -> Result<()> {
        out.put(&self.counts.last_event)?;
        self.main.save(out)?;
        self.divided.as_ref().map_or(Ok(()), |divided| divided.save(out))?;
        self.recent.as_ref().map_or(Ok(()), |recent| recent.save(out))?;
        match &self.truth {
            Pairing::Off | Pairing::Rows(_) => Ok(()),
            Pairing::Classes { pairs, labels } => {
                out.put(labels.names())?;
                pairs.save(out)
            }
            Pairing::Values { pairs } => pairs.save(out),
        }
    }

    /// Takes what a monitor of the same settings and references saved. After an error the monitor is of no use.
    pub fn restore(&mut self, from: &mut Reader) -> Result<()> {
        self.counts.last_event = from.take()?;
        self.main.restore(from)?;
        self.divided.as_mut().map_or(Ok(()), |divided| divided.restore(from, &self.settings))?;
        self.recent.as_mut().map_or(Ok(()), |recent| recent.restore(from))?;
        match &mut self.truth {
            Pairing::Off | Pairing::Rows(_) => Ok(()),
            Pairing::Classes { pairs, labels } => {
                *labels = Labels::of(from.take()?);
                pairs.restore(from)
            }
            Pairing::Values { pairs } => pairs.restore(from),
        }
    }
}

impl Slice {
    fn save(&self, out: &mut Writer) -> Result<()> {
        out.put(&self.unseen)?;
        self.windows.save(out)
    }

    fn restore(&mut self, from: &mut Reader) -> Result<()> {
        self.unseen = from.take()?;
        self.windows.restore(from)
    }
}

impl Divided {
    fn save(&self, out: &mut Writer) -> Result<()> {
        let versions: Vec<(u32, &str, i64)> =
            self.versions.iter().map(|(code, version)| (*code, version.name.as_str(), version.newest)).collect();
        out.put(&(&self.codes, self.next_code, &self.groups, versions))?;
        self.slices().try_for_each(|slice| slice.save(out))
    }

    fn restore(&mut self, from: &mut Reader, settings: &Settings) -> Result<()> {
        let versions: Vec<(u32, String, i64)>;
        (self.codes, self.next_code, self.groups, versions) = from.take()?;
        self.tags = self.groups.iter().cloned().zip(1..).collect::<HashMap<Group, u32>>();
        for (code, name, newest) in versions {
            let slice = self.slice_of(&name, settings);
            self.versions.insert(code, Version { name, slice, newest });
        }
        self.slices_mut().try_for_each(|slice| slice.restore(from))
    }
}
