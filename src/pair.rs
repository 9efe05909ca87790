//! Pairs: predictions and outcomes that wait for each other, by a 64-bit hash of the request id.
//!
//! An open-addressing table: 16 bytes a slot (classes) or 32 (numbers), and beside it 8 where predictions have scores and 4 where
//! they have tags. A batch is probed in blocks: the home slots of a block are touched first, independent
//! of each other, so that their cache misses overlap.
//!
//! An entry leaves when it has expired, whatever became of it: until then a request or an outcome that comes again is known. Where
//! there are more than there may be, the oldest leave before their time, finished ones too: what is counted of them stays counted.
//! What comes for an entry that has left is new: an outcome waits in vain, a request counts once more.
//! This file knows neither windows nor panes; times are seconds since 1970, taken from the rows.

mod kept;
mod table;
#[cfg(test)]
mod tests;

use std::hint::black_box;

use serde::Serialize;
use serde::de::DeserializeOwned;

use table::{Beside, Slot, Table};

/// Ids touched before they are probed.
const BLOCK: usize = 32;

/// What a prediction or a label is kept as.
pub trait Payload: Copy + PartialEq + Serialize + DeserializeOwned {
    /// Stands for "not there"; never a value.
    const NONE: Self;
    fn is_none(self) -> bool;
}

/// Class codes.
impl Payload for u16 {
    const NONE: u16 = u16::MAX;
    fn is_none(self) -> bool {
        self == u16::MAX
    }
}

/// Numbers.
impl Payload for f64 {
    const NONE: f64 = f64::NAN;
    fn is_none(self) -> bool {
        self.is_nan()
    }
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Met<P> {
    /// An outcome that waits for its request.
    Waiting,
    /// An outcome that waits for its request, and takes the place of one with another label that did.
    Replaced,
    /// A request whose id was there already: the first one stays.
    Duplicate,
    /// An outcome that says what was known.
    Repeated,
    /// Both are there now; `delay` is outcome minus request. `tag` 0: none.
    Paired { request_seconds: u32, predicted: P, score: Option<f64>, tag: u32, label: P, delay: i64 },
    /// Another label than the one known: it takes the old one's place.
    Corrected { request_seconds: u32, predicted: P, score: Option<f64>, tag: u32, old: P, label: P },
}

/// Entries that left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Left {
    /// Predictions that never got an outcome, and outcomes that never met a request.
    pub pending: u64,
    pub waiting: u64,
    /// Both were there: nothing is lost but that what comes again is not known.
    pub paired: u64,
}

impl Left {
    fn count<P: Payload>(&mut self, slot: &Slot<P>) {
        if slot.predicted.is_none() {
            self.waiting += 1;
        } else if slot.label.is_none() {
            self.pending += 1;
        } else {
            self.paired += 1;
        }
    }

    fn add(&mut self, more: Left) {
        self.pending += more.pending;
        self.waiting += more.waiting;
        self.paired += more.paired;
    }
}

/// The table.
#[derive(Debug)]
pub struct Pairs<P> {
    table: Table<P>,
    pending: usize,
    /// Entries kept at most.
    max: usize,
    evicted: Left,
    /// No entry is of before this, and the next sweep is worth its cost from the other time on.
    oldest: u32,
    next_sweep: u32,
    newest: u32,
}

impl<P: Payload> Pairs<P> {
    /// At most `max` entries, and those of one block; the oldest leave first. Predictions come with scores (`scored`), with
    /// tags (`tagged`).
    pub fn new(max: usize, scored: bool, tagged: bool) -> Pairs<P> {
        Pairs {
            table: Table::new(scored, tagged),
            pending: 0,
            max: max.max(16),
            evicted: Left::default(),
            oldest: u32::MAX,
            next_sweep: 0,
            newest: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Predictions without an outcome.
    pub fn pending(&self) -> usize {
        self.pending
    }

    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Requests in; out, by row, what became of those that do not just wait for their outcome. Equal lengths; `scores` may be
    /// empty, or NaN where a prediction has none, and `tags` empty, or 0.
    pub fn requests(
        &mut self,
        hashes: &[u64],
        seconds: &[u32],
        predicted: &[P],
        scores: &[f64],
        tags: &[u32],
        out: &mut Vec<(u32, Met<P>)>,
    ) {
        self.each(hashes, |pairs, row, at, hash| {
            let beside = Beside {
                score: scores.get(row).copied().unwrap_or(Beside::NONE.score),
                tag: tags.get(row).copied().unwrap_or(Beside::NONE.tag),
            };
            let (request_seconds, predicted) = (seconds[row], predicted[row]);
            let slot = pairs.table.slot(at);
            if slot.hash != hash {
                let slot = Slot { hash, seconds: request_seconds, predicted, label: P::NONE };
                pairs.insert(at, slot, beside);
                pairs.pending += 1;
                return;
            }
            let met = if !slot.predicted.is_none() {
                Met::Duplicate
            } else {
                let delay = i64::from(slot.seconds) - i64::from(request_seconds);
                slot.seconds = request_seconds;
                slot.predicted = predicted;
                let label = slot.label;
                pairs.oldest = pairs.oldest.min(request_seconds);
                pairs.table.put_beside(at, beside);
                let (score, tag) = pairs.beside(at);
                Met::Paired { request_seconds, predicted, score, tag, label, delay }
            };
            out.push((row as u32, met));
        });
    }

    /// Outcomes in; out, by row, what became of each. Equal lengths.
    pub fn outcomes(&mut self, hashes: &[u64], seconds: &[u32], labels: &[P], out: &mut Vec<(u32, Met<P>)>) {
        out.reserve(hashes.len());
        self.each(hashes, |pairs, row, at, hash| {
            let label = labels[row];
            let slot = pairs.table.slot(at);
            let Slot { seconds: request_seconds, predicted, label: old, .. } = *slot;
            let met = if slot.hash != hash {
                let slot = Slot { hash, seconds: seconds[row], predicted: P::NONE, label };
                pairs.insert(at, slot, Beside::NONE);
                Met::Waiting
            } else if old == label {
                Met::Repeated
            } else if predicted.is_none() {
                slot.seconds = seconds[row];
                slot.label = label;
                pairs.oldest = pairs.oldest.min(seconds[row]);
                Met::Replaced
            } else {
                slot.label = label;
                let (score, tag) = pairs.beside(at);
                if old.is_none() {
                    let delay = i64::from(seconds[row]) - i64::from(request_seconds);
                    pairs.pending -= 1;
                    Met::Paired { request_seconds, predicted, score, tag, label, delay }
                } else {
                    Met::Corrected { request_seconds, predicted, score, tag, old, label }
                }
            };
            out.push((row as u32, met));
        });
    }

    /// Calls `visit(self, row, at, hash)` for each id with the slot that holds it or would take it.
    fn each(&mut self, hashes: &[u64], mut visit: impl FnMut(&mut Self, usize, usize, u64)) {
        for (block, ids) in hashes.chunks(BLOCK).enumerate() {
            if self.len() > self.max {
                self.evict();
            }
            black_box(ids.iter().fold(0, |sum, &hash| sum ^ self.table.touch(hash)));
            for (i, &hash) in ids.iter().enumerate() {
                let hash = hash.max(1);
                let at = self.table.find(hash);
                visit(self, block * BLOCK + i, at, hash);
            }
        }
    }

    fn insert(&mut self, at: usize, slot: Slot<P>, beside: Beside) {
        self.newest = self.newest.max(slot.seconds);
        self.oldest = self.oldest.min(slot.seconds);
        self.table.insert(at, slot, beside);
    }

    fn beside(&self, at: usize) -> (Option<f64>, u32) {
        let Beside { score, tag } = self.table.beside(at);
        (Some(score).filter(|score| !score.is_nan()), tag)
    }

    /// The oldest leave: what is more than there may be, and an eighth at least, since finding them costs a look at all.
    fn evict(&mut self) {
        let leave = (self.len() / 8).max(self.len() - self.max);
        let (cut, older) = self.oldest(leave - 1);
        // Of those of one second, as many as must.
        let mut of_cut = leave - older;
        let gone = self.sweep(|seconds| {
            let leaves = seconds < cut || (seconds == cut && of_cut > 0);
            of_cut -= usize::from(leaves && seconds == cut);
            leaves
        });
        self.evicted.add(gone);
    }

    /// The time of the entry before which `rank` others stand by age, and how many are older than that time. Counted by the upper
    /// half of the seconds, then by the lower: a list of all times to choose from would weigh a quarter of the table.
    fn oldest(&self, rank: usize) -> (u32, usize) {
        let (mut found, mut older) = (0, 0);
        for shift in [16, 0] {
            let mut counts = vec![0; 1 << 16];
            for slot in self.table.entries() {
                if shift == 16 || slot.seconds >> 16 == found {
                    counts[(slot.seconds >> shift) as usize & 0xffff] += 1;
                }
            }
            let digit = counts.iter().take_while(|&&count| {
                let before = older + count <= rank;
                older += if before { count } else { 0 };
                before
            });
            found = found << 16 | digit.count() as u32;
        }
        (found, older)
    }

    /// Forgets entries of before `seconds`, when enough of them may have gathered for a sweep to pay, and says what left.
    pub fn expire(&mut self, seconds: u32) -> Left {
        if seconds < self.next_sweep || seconds <= self.oldest {
            return Left::default();
        }
        self.oldest = seconds;
        self.next_sweep = seconds.saturating_add((self.newest.saturating_sub(seconds) / 32).max(1));
        self.sweep(|entry| entry < seconds)
    }

    /// What had to leave before its time, since the last call.
    pub fn evicted(&mut self) -> Left {
        std::mem::take(&mut self.evicted)
    }

    /// Takes out the entries whose time says so.
    fn sweep(&mut self, mut leaves: impl FnMut(u32) -> bool) -> Left {
        let gone = self.table.sweep(|slot| leaves(slot.seconds));
        self.pending -= gone.pending as usize;
        gone
    }
}
