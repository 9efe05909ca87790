//! The table itself: open addressing over the ids' hashes, in one block that grows in place, so that nothing is there twice.
//!
//! An id's home is its place among all hashes, stretched over the homes, so that there can be any number of them. Entries stand in the
//! order of their hashes, each at its home or behind it, with no empty slot between: a search ends at the first larger hash, and
//! growing and sweeping are one pass each, from the first entry to the last, that puts every entry down as low as it may stand.

use super::{Left, Payload};

/// Homes of a new table.
const HOMES_MIN: usize = 64;

/// From here on space is dearer than time.
const HOMES_MANY: usize = 1 << 20;

/// Slots behind the last home, for what finds it taken; more where these are not enough.
const TAIL: usize = 64;

/// Entries that are saved together.
const SAVED: usize = 1 << 16;

/// `hash` 0: empty. Without a prediction, `seconds` is the outcome's time, else the request's.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Slot<P> {
    pub hash: u64,
    pub seconds: u32,
    pub predicted: P,
    pub label: P,
}

impl<P: Payload> Slot<P> {
    const EMPTY: Slot<P> = Slot { hash: 0, seconds: 0, predicted: P::NONE, label: P::NONE };
}

/// What stands beside a prediction: its score, NaN for none, and its tag, 0 for none.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Beside {
    pub score: f64,
    pub tag: u32,
}

impl Beside {
    pub const NONE: Beside = Beside { score: f64::NAN, tag: 0 };
}

#[derive(Debug)]
pub struct Table<P> {
    /// The last one is always empty.
    slots: Vec<Slot<P>>,
    /// Of each slot's prediction, each where it is kept at all.
    scores: Option<Vec<f64>>,
    tags: Option<Vec<u32>>,
    homes: usize,
    len: usize,
}

/// Some of what a table holds, in the order of its slots.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Entries<P> {
    entries: Vec<Slot<P>>,
    /// One an entry; empty where nothing stands beside any.
    beside: Vec<Beside>,
}

impl<P: Payload> Table<P> {
    pub fn new(scored: bool, tagged: bool) -> Table<P> {
        let slots = HOMES_MIN + TAIL;
        Table {
            slots: vec![Slot::EMPTY; slots],
            scores: scored.then(|| vec![Beside::NONE.score; slots]),
            tags: tagged.then(|| vec![Beside::NONE.tag; slots]),
            homes: HOMES_MIN,
            len: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<P>>()
            + self.scores.as_ref().map_or(0, Vec::capacity) * size_of::<f64>()
            + self.tags.as_ref().map_or(0, Vec::capacity) * size_of::<u32>()
    }

    pub fn homes(&self) -> usize {
        self.homes
    }

    pub fn entries(&self) -> impl Iterator<Item = &Slot<P>> {
        self.slots.iter().filter(|slot| slot.hash != 0)
    }

    /// All that it holds, in parts.
    pub fn parts(&self) -> impl Iterator<Item = Entries<P>> {
        let bare = self.scores.is_none() && self.tags.is_none();
        let mut filled = (0..self.slots.len()).filter(|&at| self.slots[at].hash != 0);
        std::iter::from_fn(move || {
            let part: Vec<usize> = filled.by_ref().take(SAVED).collect();
            (!part.is_empty()).then(|| Entries {
                entries: part.iter().map(|&at| self.slots[at]).collect(),
                beside: if bare { Vec::new() } else { part.iter().map(|&at| self.beside(at)).collect() },
            })
        })
    }

    /// Takes the parts of another table of so many homes in place of what is here, until there are `len` entries.
    pub fn refill<E>(
        &mut self,
        homes: usize,
        len: usize,
        mut next: impl FnMut() -> Result<Entries<P>, E>,
    ) -> Result<(), E> {
        *self = Table::new(self.scores.is_some(), self.tags.is_some());
        self.add_homes(homes.saturating_sub(HOMES_MIN));
        while self.len < len {
            let Entries { entries, beside } = next()?;
            for (i, slot) in entries.into_iter().enumerate() {
                self.insert(self.find(slot.hash), slot, beside.get(i).copied().unwrap_or(Beside::NONE));
            }
        }
        Ok(())
    }

    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.homes as u128) >> u64::BITS) as usize
    }

    /// Looks where `hash` most likely stands, and beside it, so that it is in the cache; the sum means nothing.
    pub fn touch(&self, hash: u64) -> u64 {
        let home = self.home(hash);
        let score = self.scores.as_ref().map_or(0, |scores| scores[home].to_bits());
        let tag = self.tags.as_ref().map_or(0, |tags| tags[home]);
        self.slots[home].hash ^ self.slots[home + 4].hash ^ score ^ u64::from(tag)
    }

    /// The slot that holds `hash`, or the one that would take it. `hash` is not 0.
    pub fn find(&self, hash: u64) -> usize {
        let mut at = self.home(hash);
        // Less one, the hash of an empty slot is the largest of all.
        while self.slots[at].hash.wrapping_sub(1) < hash.wrapping_sub(1) {
            at += 1;
        }
        at
    }

    pub fn slot(&mut self, at: usize) -> &mut Slot<P> {
        &mut self.slots[at]
    }

    pub fn beside(&self, at: usize) -> Beside {
        Beside {
            score: self.scores.as_ref().map_or(Beside::NONE.score, |scores| scores[at]),
            tag: self.tags.as_ref().map_or(Beside::NONE.tag, |tags| tags[at]),
        }
    }

    pub fn put_beside(&mut self, at: usize, beside: Beside) {
        if let Some(scores) = &mut self.scores {
            scores[at] = beside.score;
        }
        if let Some(tags) = &mut self.tags {
            tags[at] = beside.tag;
        }
    }

    /// Takes an entry into the slot that [`Table::find`] gave for it; what stands there and behind it, up to the next empty slot, moves
    /// one further.
    pub fn insert(&mut self, mut at: usize, slot: Slot<P>, beside: Beside) {
        // At most 13/16 full: from there on the way from home to slot gets long.
        if (self.len + 1) * 16 > self.homes * 13 {
            self.grow();
            at = self.find(slot.hash);
        }
        let mut empty = at;
        while self.slots[empty].hash != 0 {
            empty += 1;
        }
        if empty + 1 == self.slots.len() {
            self.extend(TAIL);
        }
        self.shift(at, empty, 1);
        self.put(at, slot, beside);
        self.len += 1;
    }

    /// Twice the homes; a fifth more where they are many, so that an entry takes 24 bytes at most. All entries move up by as many slots
    /// as there are more, which is at least as far as any home does, and are put down from there.
    fn grow(&mut self) {
        let slots = self.slots.len();
        let more = if self.homes < HOMES_MANY { self.homes } else { self.homes / 5 };
        self.add_homes(more);
        self.shift(0, slots, more);
        self.slots[..more].fill(Slot::EMPTY);
        self.put_down_all(|_| false);
    }

    fn add_homes(&mut self, more: usize) {
        self.homes += more;
        self.extend(more);
    }

    /// More slots, empty ones, behind the others.
    fn extend(&mut self, more: usize) {
        extend(&mut self.slots, more, Slot::EMPTY);
        self.scores.iter_mut().for_each(|scores| extend(scores, more, Beside::NONE.score));
        self.tags.iter_mut().for_each(|tags| extend(tags, more, Beside::NONE.tag));
    }

    /// Copies what stands from `start` to `end` `up` slots further.
    fn shift(&mut self, start: usize, end: usize, up: usize) {
        self.slots.copy_within(start..end, start + up);
        self.scores.iter_mut().for_each(|scores| scores.copy_within(start..end, start + up));
        self.tags.iter_mut().for_each(|tags| tags.copy_within(start..end, start + up));
    }

    fn put(&mut self, at: usize, slot: Slot<P>, beside: Beside) {
        self.slots[at] = slot;
        self.put_beside(at, beside);
    }

    /// Takes out the entries that leave, in place.
    pub fn sweep(&mut self, leaves: impl FnMut(&Slot<P>) -> bool) -> Left {
        let left = self.put_down_all(leaves);
        self.len -= (left.pending + left.waiting + left.paired) as usize;
        left
    }

    /// Puts every entry that stays down to its home, or behind the one before it: none of them stands lower than that.
    fn put_down_all(&mut self, mut leaves: impl FnMut(&Slot<P>) -> bool) -> Left {
        let mut left = Left::default();
        let mut free = 0;
        for at in 0..self.slots.len() {
            let slot = self.slots[at];
            if slot.hash == 0 {
                continue;
            }
            if leaves(&slot) {
                self.slots[at] = Slot::EMPTY;
                left.count(&slot);
                continue;
            }
            let down = self.home(slot.hash).max(free);
            if down != at {
                self.slots[at] = Slot::EMPTY;
                self.put(down, slot, self.beside(at));
            }
            free = down + 1;
        }
        left
    }
}

/// Large blocks grow by being mapped elsewhere, not by being copied.
fn extend<T: Copy>(column: &mut Vec<T>, more: usize, empty: T) {
    column.reserve_exact(more);
    column.resize(column.len() + more, empty);
}
