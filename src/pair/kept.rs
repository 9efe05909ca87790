//! The table as frames, part by part, so that a run can go on with what an earlier one held.

use std::io::Result;

use super::{Pairs, Payload};
use crate::frame::{Reader, Writer};

impl<P: Payload> Pairs<P> {
    pub fn save(&self, out: &mut Writer) -> Result<()> {
        out.put(&(self.pending, self.evicted, self.oldest, self.next_sweep, self.newest))?;
        out.put(&(self.table.homes(), self.len()))?;
        self.table.parts().try_for_each(|part| out.put(&part))
    }

    /// Takes what a table of the same settings saved, in place of what is here.
    pub fn restore(&mut self, from: &mut Reader) -> Result<()> {
        (self.pending, self.evicted, self.oldest, self.next_sweep, self.newest) = from.take()?;
        let (homes, len) = from.take()?;
        self.table.refill(homes, len, || from.take())
    }
}
