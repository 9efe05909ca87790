//! The table as frames, shard by shard, so that a run can go on with what an earlier one held.

use std::io::Result;

use super::shard::{Entries, Shard};
use super::{Pairs, Payload};
use crate::frame::{Reader, Writer};

impl<P: Payload> Pairs<P> {
    pub fn save(&self, out: &mut Writer) -> Result<()> {
        out.put(&(self.len, self.pending, self.evicted, self.oldest, self.next_sweep, self.newest))?;
        self.shards.iter().try_for_each(|shard| out.put(&shard.lifted()))
    }

    /// Takes what a table of the same settings saved, in place of what is here.
    pub fn restore(&mut self, from: &mut Reader) -> Result<()> {
        (self.len, self.pending, self.evicted, self.oldest, self.next_sweep, self.newest) = from.take()?;
        self.shards.iter_mut().try_for_each(|shard| {
            let entries: Entries<P> = from.take()?;
            *shard = Shard::holding(entries, shard);
            Ok(())
        })
    }
}
