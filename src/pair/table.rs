//! The table itself: open addressing over the ids' hashes, in one block that grows in place, so that nothing is there twice.
//!
//! An id's home is its place among all hashes, stretched over the slots, so that there can be any number of slots and the entries
//! stand almost in order: with more slots no home moves down, and one pass from the last entry to the first moves them all.

use super::{Left, Payload};

/// Slots of a new table.
const SLOTS_MIN: usize = 64;

/// From here on space is dearer than time.
const SLOTS_MANY: usize = 1 << 20;

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
    slots: Vec<Slot<P>>,
    /// Of each slot's prediction, each where it is kept at all.
    scores: Option<Vec<f64>>,
    tags: Option<Vec<u32>>,
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
        Table {
            slots: vec![Slot::EMPTY; SLOTS_MIN],
            scores: scored.then(|| vec![Beside::NONE.score; SLOTS_MIN]),
            tags: tagged.then(|| vec![Beside::NONE.tag; SLOTS_MIN]),
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

    pub fn slots(&self) -> usize {
        self.slots.len()
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

    /// Takes the parts of another table of `slots` slots in place of what is here, until there are `len` entries.
    pub fn refill<E>(
        &mut self,
        slots: usize,
        len: usize,
        mut next: impl FnMut() -> Result<Entries<P>, E>,
    ) -> Result<(), E> {
        *self = Table::new(self.scores.is_some(), self.tags.is_some());
        self.extend(slots.saturating_sub(SLOTS_MIN));
        while self.len < len {
            let Entries { entries, beside } = next()?;
            for (i, slot) in entries.into_iter().enumerate() {
                self.insert(self.find(slot.hash), slot, beside.get(i).copied().unwrap_or(Beside::NONE));
            }
        }
        Ok(())
    }

    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> u64::BITS) as usize
    }

    /// Looks where `hash` most likely stands, and beside it, so that it is in the cache; the sum means nothing.
    pub fn touch(&self, hash: u64) -> u64 {
        let home = self.home(hash);
        let further = (home + 4).min(self.slots.len() - 1);
        let score = self.scores.as_ref().map_or(0, |scores| scores[home].to_bits());
        let tag = self.tags.as_ref().map_or(0, |tags| tags[home]);
        self.slots[home].hash ^ self.slots[further].hash ^ score ^ u64::from(tag)
    }

    /// The slot that holds `hash`, or the empty one that would take it.
    pub fn find(&self, hash: u64) -> usize {
        let mut at = self.home(hash);
        while self.slots[at].hash != hash && self.slots[at].hash != 0 {
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
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

    /// Takes an entry into the empty slot that [`Table::find`] gave for it.
    pub fn insert(&mut self, mut at: usize, slot: Slot<P>, beside: Beside) {
        // At most 13/16 full: from there on the way from home to slot gets long.
        if (self.len + 1) * 16 > self.slots.len() * 13 {
            self.grow();
            at = self.find(slot.hash);
        }
        self.put(at, slot, beside);
        self.len += 1;
    }

    /// Twice the slots; a fifth more where they are many, so that an entry takes 24 bytes at most. Whatever moves up meets only what
    /// has moved before it; the few that would not move up, at the beginning, and those that would go over the end wait until all
    /// others stand.
    fn grow(&mut self) {
        let slots = self.slots.len();
        self.extend(if slots < SLOTS_MANY { slots } else { slots / 5 });
        let mut waiting = Vec::new();
        for at in (0..slots).rev() {
            let slot = self.slots[at];
            if slot.hash == 0 {
                continue;
            }
            let beside = self.beside(at);
            self.slots[at] = Slot::EMPTY;
            let home = self.home(slot.hash);
            match self.slots[home..].iter().position(|slot| slot.hash == 0).filter(|_| home > at) {
                Some(further) => self.put(home + further, slot, beside),
                None => waiting.push((slot, beside)),
            }
        }
        waiting.into_iter().for_each(|(slot, beside)| self.put_down(slot, beside));
    }

    /// More slots, empty ones, behind the others.
    fn extend(&mut self, more: usize) {
        extend(&mut self.slots, more, Slot::EMPTY);
        self.scores.iter_mut().for_each(|scores| extend(scores, more, Beside::NONE.score));
        self.tags.iter_mut().for_each(|tags| extend(tags, more, Beside::NONE.tag));
    }

    fn put(&mut self, at: usize, slot: Slot<P>, beside: Beside) {
        self.slots[at] = slot;
        self.put_beside(at, beside);
    }

    /// Puts down an entry that was lifted.
    fn put_down(&mut self, slot: Slot<P>, beside: Beside) {
        self.put(self.find(slot.hash), slot, beside);
    }

    /// Takes out the entries that leave, in place: behind one that left, up to the next empty slot, every entry is lifted and, if it
    /// stays, put down at the first free slot from its home on, which is never behind where it was.
    pub fn sweep(&mut self, mut leaves: impl FnMut(&Slot<P>) -> bool) -> Left {
        let mut left = Left::default();
        let Some(start) = self.slots.iter().position(|slot| slot.hash == 0) else {
            return left;
        };
        let mut gap = false;
        for at in (start + 1..self.slots.len()).chain(0..start) {
            let slot = self.slots[at];
            if slot.hash == 0 {
                gap = false;
            } else if leaves(&slot) {
                self.slots[at] = Slot::EMPTY;
                left.count(&slot);
                self.len -= 1;
                gap = true;
            } else if gap {
                self.slots[at] = Slot::EMPTY;
                let beside = self.beside(at);
                self.put_down(slot, beside);
            }
        }
        left
    }
}

/// Large blocks grow by being mapped elsewhere, not by being copied.
fn extend<T: Copy>(column: &mut Vec<T>, more: usize, empty: T) {
    column.reserve_exact(more);
    column.resize(column.len() + more, empty);
}
