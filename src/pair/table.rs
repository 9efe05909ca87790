//! A shard: one open-addressing table of a share of the ids. It grows alone, so that only so little is there twice at a time.
//!
//! An id's home is its place among all ids, stretched over the slots, so that a shard can have any number of slots and its entries
//! stand almost in order: moving them is one pass over both tables.

use super::{Left, Payload};

/// The hash's first bits choose the shard, those behind them the slot.
const BITS: u32 = 6;
pub const SHARDS: usize = 1 << BITS;

/// Slots of the smallest new shard.
const SLOTS_MIN: usize = 64;

/// From here on space is dearer than time.
const SLOTS_MANY: usize = 1 << 15;

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
pub struct Shard<P> {
    slots: Vec<Slot<P>>,
    /// Of each slot's prediction, each where it is kept at all.
    scores: Option<Vec<f64>>,
    tags: Option<Vec<u32>>,
    len: usize,
}

/// What a shard holds, in the order of its slots.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Entries<P> {
    slots: usize,
    entries: Vec<Slot<P>>,
    /// One an entry; empty where nothing stands beside any.
    beside: Vec<Beside>,
}

/// The shard of a hash.
pub fn shard_of(hash: u64) -> usize {
    (hash >> (u64::BITS - BITS)) as usize
}

impl<P: Payload> Shard<P> {
    /// Shards are of different sizes and stay so, lest they all grow at the same time.
    pub fn new(number: usize, scored: bool, tagged: bool) -> Shard<P> {
        Shard::of(SLOTS_MIN + number * (SLOTS_MIN / 4) / SHARDS, scored, tagged)
    }

    fn of(slots: usize, scored: bool, tagged: bool) -> Shard<P> {
        Shard {
            slots: vec![Slot::EMPTY; slots],
            scores: scored.then(|| vec![Beside::NONE.score; slots]),
            tags: tagged.then(|| vec![Beside::NONE.tag; slots]),
            len: 0,
        }
    }

    pub fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<P>>()
            + self.scores.as_ref().map_or(0, Vec::capacity) * size_of::<f64>()
            + self.tags.as_ref().map_or(0, Vec::capacity) * size_of::<u32>()
    }

    pub fn entries(&self) -> impl Iterator<Item = &Slot<P>> {
        self.slots.iter().filter(|slot| slot.hash != 0)
    }

    pub fn lifted(&self) -> Entries<P> {
        let filled = || (0..self.slots.len()).filter(|&at| self.slots[at].hash != 0);
        let bare = self.scores.is_none() && self.tags.is_none();
        Entries {
            slots: self.slots.len(),
            entries: self.entries().copied().collect(),
            beside: if bare { Vec::new() } else { filled().map(|at| self.beside(at)).collect() },
        }
    }

    /// A shard that keeps beside its entries what `like` does.
    pub fn holding(held: Entries<P>, like: &Shard<P>) -> Shard<P> {
        let mut shard = Shard::of(held.slots, like.scores.is_some(), like.tags.is_some());
        shard.len = held.entries.len();
        for (at, slot) in held.entries.into_iter().enumerate() {
            shard.put_down(slot, held.beside.get(at).copied().unwrap_or(Beside::NONE));
        }
        shard
    }

    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash << BITS) * self.slots.len() as u128) >> u64::BITS) as usize
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

    /// Takes an entry into the empty slot that [`Shard::find`] gave for it.
    pub fn insert(&mut self, mut at: usize, slot: Slot<P>, beside: Beside) {
        // At most 13/16 full: from there on the way from home to slot gets long.
        if (self.len + 1) * 16 > self.slots.len() * 13 {
            self.grow();
            at = self.find(slot.hash);
        }
        self.slots[at] = slot;
        self.put_beside(at, beside);
        self.len += 1;
    }

    /// Twice the slots; a quarter more where they are many.
    fn grow(&mut self) {
        let slots = self.slots.len();
        let slots = if slots < SLOTS_MANY { slots * 2 } else { slots + slots / 4 };
        let larger = Shard::of(slots, self.scores.is_some(), self.tags.is_some());
        let old = std::mem::replace(self, Shard { len: self.len, ..larger });
        for (at, slot) in old.slots.iter().enumerate().filter(|(_, slot)| slot.hash != 0) {
            self.put_down(*slot, old.beside(at));
        }
    }

    /// Puts down an entry that was lifted.
    fn put_down(&mut self, slot: Slot<P>, beside: Beside) {
        let at = self.find(slot.hash);
        self.slots[at] = slot;
        self.put_beside(at, beside);
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
