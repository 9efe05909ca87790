//! Pairs: predictions and outcomes that wait for each other, by a 64-bit hash of the request id.
//!
//! One open-addressing table of 16-byte slots (classes) or 32-byte ones (numbers); where predictions have scores, 8 bytes a slot
//! beside it. A batch is probed in blocks: the home slots of a block are touched first, independent of each other, so
//! that their cache misses overlap.
//! This file knows neither windows nor panes; times are seconds since 1970, taken from the rows.

use std::hint::black_box;

/// Ids touched before they are probed.
const BLOCK: usize = 32;

/// Slots of a new table.
const SLOTS_MIN: usize = 1024;

/// What a prediction or a label is kept as.
pub trait Payload: Copy + PartialEq {
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
    /// A prediction that waits for its outcome.
    Pending,
    /// An outcome that waits for its request.
    Waiting,
    /// A request whose id was there already: the first one stays.
    Duplicate,
    /// An outcome that says what was known.
    Repeated,
    /// Both are there now; `delay` is outcome minus request.
    Paired { request_seconds: u32, predicted: P, score: Option<f64>, label: P, delay: i64 },
    /// Another label than the one known: it takes the old one's place.
    Corrected { request_seconds: u32, predicted: P, score: Option<f64>, old: P, label: P },
}

impl<P> Met<P> {
    pub fn map<Q>(self, f: impl Fn(P) -> Q) -> Met<Q> {
        match self {
            Met::Pending => Met::Pending,
            Met::Waiting => Met::Waiting,
            Met::Duplicate => Met::Duplicate,
            Met::Repeated => Met::Repeated,
            Met::Paired { request_seconds, predicted, score, label, delay } => {
                Met::Paired { request_seconds, predicted: f(predicted), score, label: f(label), delay }
            }
            Met::Corrected { request_seconds, predicted, score, old, label } => {
                Met::Corrected { request_seconds, predicted: f(predicted), score, old: f(old), label: f(label) }
            }
        }
    }
}

/// Entries that left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Predictions that never got an outcome, and outcomes that never met a request.
    pub pending: u64,
    pub waiting: u64,
    pub paired: u64,
    /// Entries that had to leave before their time: the table was full.
    pub evicted: u64,
}

/// `hash` 0: empty. Without a prediction, `seconds` is the outcome's time, else the request's.
#[derive(Debug, Clone, Copy)]
struct Slot<P> {
    hash: u64,
    seconds: u32,
    predicted: P,
    label: P,
}

impl<P: Payload> Slot<P> {
    const EMPTY: Slot<P> = Slot { hash: 0, seconds: 0, predicted: P::NONE, label: P::NONE };
}

/// The table.
#[derive(Debug)]
pub struct Pairs<P> {
    slots: Vec<Slot<P>>,
    /// The score of each slot's prediction, NaN where it has none; `None` where no prediction has one.
    scores: Option<Vec<f64>>,
    len: usize,
    pending: usize,
    /// Entries kept at most.
    max: usize,
    evicted: u64,
    /// Entries before this were swept out, and the next sweep is worth its cost from here on.
    swept: u32,
    next_sweep: u32,
    newest: u32,
}

impl<P: Payload> Pairs<P> {
    /// At most `max` entries, and those of one block; the oldest leave first. `scored`: predictions come with scores.
    pub fn new(max: usize, scored: bool) -> Pairs<P> {
        Pairs {
            slots: Vec::new(),
            scores: scored.then(Vec::new),
            len: 0,
            pending: 0,
            max: max.max(16),
            evicted: 0,
            swept: 0,
            next_sweep: 0,
            newest: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Predictions without an outcome.
    pub fn pending(&self) -> usize {
        self.pending
    }

    pub fn bytes(&self) -> usize {
        let scores = self.scores.as_ref().map_or(0, Vec::capacity);
        self.slots.capacity() * size_of::<Slot<P>>() + scores * size_of::<f64>()
    }

    /// Requests in, what became of each out. Equal lengths; `scores` may be empty, or NaN where a prediction has none.
    pub fn requests(
        &mut self,
        hashes: &[u64],
        seconds: &[u32],
        predicted: &[P],
        scores: &[f64],
        out: &mut Vec<Met<P>>,
    ) {
        self.each(hashes, |pairs, row, at, hash| {
            let score = scores.get(row).copied().unwrap_or(f64::NAN);
            let slot = &mut pairs.slots[at];
            if slot.hash == 0 {
                pairs.insert(
                    at,
                    Slot { hash, seconds: seconds[row], predicted: predicted[row], label: P::NONE },
                    score,
                );
                pairs.pending += 1;
                out.push(Met::Pending);
            } else if !slot.predicted.is_none() {
                out.push(Met::Duplicate);
            } else {
                let delay = i64::from(slot.seconds) - i64::from(seconds[row]);
                slot.seconds = seconds[row];
                slot.predicted = predicted[row];
                let Slot { predicted, label, .. } = *slot;
                pairs.put_score(at, score);
                let score = pairs.score(at);
                out.push(Met::Paired { request_seconds: seconds[row], predicted, score, label, delay });
            }
        });
    }

    /// Outcomes in, what became of each out. Equal lengths.
    pub fn outcomes(&mut self, hashes: &[u64], seconds: &[u32], labels: &[P], out: &mut Vec<Met<P>>) {
        self.each(hashes, |pairs, row, at, hash| {
            let label = labels[row];
            let slot = &mut pairs.slots[at];
            if slot.hash == 0 {
                pairs.insert(at, Slot { hash, seconds: seconds[row], predicted: P::NONE, label }, f64::NAN);
                out.push(Met::Waiting);
            } else if slot.predicted.is_none() {
                let known = slot.label == label;
                slot.seconds = seconds[row];
                slot.label = label;
                out.push(if known { Met::Repeated } else { Met::Waiting });
            } else if slot.label.is_none() {
                slot.label = label;
                let (request_seconds, predicted) = (slot.seconds, slot.predicted);
                let delay = i64::from(seconds[row]) - i64::from(request_seconds);
                pairs.pending -= 1;
                out.push(Met::Paired { request_seconds, predicted, score: pairs.score(at), label, delay });
            } else if slot.label == label {
                out.push(Met::Repeated);
            } else {
                let old = std::mem::replace(&mut slot.label, label);
                let (request_seconds, predicted) = (slot.seconds, slot.predicted);
                out.push(Met::Corrected { request_seconds, predicted, score: pairs.score(at), old, label });
            }
        });
    }

    /// Calls `visit(self, row, slot, hash)` for each id with the slot that holds it or would take it.
    fn each(&mut self, hashes: &[u64], mut visit: impl FnMut(&mut Self, usize, usize, u64)) {
        for (block, ids) in hashes.chunks(BLOCK).enumerate() {
            self.make_room(ids.len());
            let mask = self.slots.len() - 1;
            let touched = ids.iter().fold(0, |sum, &hash| sum ^ self.slots[hash as usize & mask].hash);
            black_box(touched);
            for (i, &hash) in ids.iter().enumerate() {
                let hash = hash.max(1);
                let at = self.find(hash);
                visit(self, block * BLOCK + i, at, hash);
            }
        }
    }

    /// The slot that holds `hash`, or the empty one that would take it.
    fn find(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].hash != hash && self.slots[at].hash != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    fn insert(&mut self, at: usize, slot: Slot<P>, score: f64) {
        self.newest = self.newest.max(slot.seconds);
        self.slots[at] = slot;
        self.put_score(at, score);
        self.len += 1;
    }

    fn score(&self, at: usize) -> Option<f64> {
        self.scores.as_ref().map(|scores| scores[at]).filter(|score| !score.is_nan())
    }

    fn put_score(&mut self, at: usize, score: f64) {
        if let Some(scores) = &mut self.scores {
            scores[at] = score;
        }
    }

    /// Puts down a slot that was lifted, with its score.
    fn put_down(&mut self, slot: Slot<P>, score: Option<f64>) {
        let at = self.find(slot.hash);
        self.slots[at] = slot;
        self.put_score(at, score.unwrap_or(f64::NAN));
    }

    /// Room for so many more: evicts the oldest once there are more than `max`, and grows by doubling, at most 7/8 full.
    fn make_room(&mut self, more: usize) {
        if self.len > self.max {
            self.evict(self.len - self.max);
        }
        if (self.len + more) * 8 > self.slots.len() * 7 {
            let slots = (self.slots.len() * 2).max(SLOTS_MIN);
            let old = std::mem::replace(&mut self.slots, vec![Slot::EMPTY; slots]);
            let scores = self.scores.as_mut().map(|scores| std::mem::replace(scores, vec![f64::NAN; slots]));
            for (at, slot) in old.into_iter().enumerate().filter(|(_, slot)| slot.hash != 0) {
                self.put_down(slot, scores.as_ref().map(|scores| scores[at]));
            }
        }
    }

    /// The oldest leave: `least` or an eighth, or a little more where many are of one second.
    fn evict(&mut self, least: usize) {
        let mut ages: Vec<u32> = self.slots.iter().filter(|slot| slot.hash != 0).map(|slot| slot.seconds).collect();
        let leave = (ages.len() / 8).max(least).min(ages.len()).saturating_sub(1);
        if ages.is_empty() {
            return;
        }
        let (_, &mut oldest, _) = ages.select_nth_unstable(leave);
        let gone = self.sweep(oldest.saturating_add(1));
        self.evicted += gone.pending + gone.waiting + gone.paired;
    }

    /// Forgets entries of before `seconds`, when enough of them may have gathered for a sweep to pay. Says what left since the last call.
    pub fn expire(&mut self, seconds: u32) -> Gone {
        let mut gone = Gone::default();
        if seconds >= self.next_sweep && seconds > self.swept {
            gone = self.sweep(seconds);
            self.swept = seconds;
            self.next_sweep = seconds.saturating_add((self.newest.saturating_sub(seconds) / 32).max(1));
        }
        gone.evicted = std::mem::take(&mut self.evicted);
        gone
    }

    /// Takes out entries of before `seconds`, in place: behind an empty slot every entry is lifted and, if it stays,
    /// put down at the first free slot from its home on, which is never behind where it was.
    fn sweep(&mut self, seconds: u32) -> Gone {
        let mut gone = Gone::default();
        let Some(start) = self.slots.iter().position(|slot| slot.hash == 0) else {
            return gone;
        };
        let mask = self.slots.len() - 1;
        for step in 1..=self.slots.len() {
            let at = (start + step) & mask;
            let slot = std::mem::replace(&mut self.slots[at], Slot::EMPTY);
            if slot.hash == 0 {
                continue;
            }
            if slot.seconds >= seconds {
                let score = self.score(at);
                self.put_down(slot, score);
                continue;
            }
            self.len -= 1;
            if slot.predicted.is_none() {
                gone.waiting += 1;
            } else if slot.label.is_none() {
                gone.pending += 1;
                self.pending -= 1;
            } else {
                gone.paired += 1;
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_million_pending_predictions_stay_under_400_mib() {
        assert_eq!(size_of::<Slot<u16>>(), 16);
        let slots = (10_000_000usize * 8 / 7).next_power_of_two();
        // With a score each, too.
        assert!(slots * (size_of::<Slot<u16>>() + size_of::<f64>()) < 400 << 20);
    }

    #[test]
    fn the_oldest_leave_a_full_table_first_and_are_counted() {
        let mut pairs = Pairs::<u16>::new(100, false);
        let mut out = Vec::new();
        let ids: Vec<u64> = (1..=1000).map(|id: u64| id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let seconds: Vec<u32> = (1..=1000).collect();
        pairs.requests(&ids, &seconds, &vec![3; 1000], &[], &mut out);
        assert!(pairs.len() <= 100 + BLOCK);
        let gone = pairs.expire(0);
        assert_eq!(gone.evicted as usize + pairs.len(), 1000);
        out.clear();
        pairs.outcomes(&ids[999..], &[2000], &[3], &mut out);
        assert_eq!(out, [Met::Paired { request_seconds: 1000, predicted: 3, score: None, label: 3, delay: 1000 }]);
    }

    #[test]
    fn a_table_that_is_just_full_lets_nobody_go() {
        let mut pairs = Pairs::<u16>::new(1000, false);
        let mut out = Vec::new();
        let ids: Vec<u64> = (1..=1000).map(|id: u64| id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        pairs.requests(&ids, &vec![7; 1000], &vec![3; 1000], &[], &mut out);
        out.clear();
        pairs.outcomes(&ids, &vec![8; 1000], &vec![3; 1000], &mut out);
        assert!(out.iter().all(|met| matches!(met, Met::Paired { .. })));
        assert_eq!(pairs.expire(0).evicted, 0);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Requests(Vec<(u64, u32, u16)>),
        Outcomes(Vec<(u64, u32, u16)>),
        Expire(u32),
    }

    fn act() -> impl Strategy<Value = Act> {
        // Ids that share their low bits collide in the table.
        let row =
            || prop::collection::vec(((0..60u64).prop_map(|id| (id % 7) << 40 | id << 2), 0..100u32, 0..3u16), 1..80);
        prop_oneof![4 => row().prop_map(Act::Requests), 4 => row().prop_map(Act::Outcomes), 1 => (0..120u32).prop_map(Act::Expire)]
    }

    /// A request's score tells which request it was; one in five has none.
    fn score_of((id, seconds, value): (u64, u32, u16)) -> f64 {
        let score = (id * 300 + u64::from(seconds) * 3 + u64::from(value)) as f64;
        if seconds % 5 == 0 { f64::NAN } else { score }
    }

    /// Request time and prediction, label: the same in a plain map.
    type Known = HashMap<u64, (Option<(u32, u16)>, Option<(u32, u16)>)>;

    fn plain(known: &mut Known, scored: bool, request: bool, (id, seconds, value): (u64, u32, u16)) -> Met<u16> {
        let entry = known.entry(id.max(1)).or_default();
        let score = |seconds, value| Some(score_of((id, seconds, value))).filter(|score| scored && !score.is_nan());
        match (request, *entry) {
            (true, (Some(_), _)) => Met::Duplicate,
            (true, (None, label)) => {
                entry.0 = Some((seconds, value));
                match label {
                    None => Met::Pending,
                    Some((at, label)) => Met::Paired {
                        request_seconds: seconds,
                        predicted: value,
                        score: score(seconds, value),
                        label,
                        delay: i64::from(at) - i64::from(seconds),
                    },
                }
            }
            (false, (request, old)) => {
                entry.1 = Some((seconds, value));
                match (request, old) {
                    (_, Some((_, old))) if old == value => Met::Repeated,
                    (None, _) => Met::Waiting,
                    (Some((at, predicted)), None) => Met::Paired {
                        request_seconds: at,
                        predicted,
                        score: score(at, predicted),
                        label: value,
                        delay: i64::from(seconds) - i64::from(at),
                    },
                    (Some((at, predicted)), Some((_, old))) => Met::Corrected {
                        request_seconds: at,
                        predicted,
                        score: score(at, predicted),
                        old,
                        label: value,
                    },
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_table_does_what_a_plain_map_does(acts in prop::collection::vec(act(), 1..40), scored in any::<bool>()) {
            let mut pairs = Pairs::<u16>::new(1_000_000, scored);
            let mut known = Known::new();
            for act in acts {
                let (request, rows) = match act {
                    Act::Expire(before) => {
                        let gone = pairs.sweep(before);
                        let (mut pending, mut waiting, mut paired) = (0, 0, 0);
                        known.retain(|_, entry| {
                            let (seconds, count) = match entry {
                                (Some((seconds, _)), None) => (*seconds, &mut pending),
                                (Some((seconds, _)), Some(_)) => (*seconds, &mut paired),
                                (None, Some((seconds, _))) => (*seconds, &mut waiting),
                                (None, None) => unreachable!(),
                            };
                            if seconds < before { *count += 1 }
                            seconds >= before
                        });
                        prop_assert_eq!(gone, Gone { pending, waiting, paired, evicted: 0 });
                        continue;
                    }
                    Act::Requests(rows) => (true, rows),
                    Act::Outcomes(rows) => (false, rows),
                };
                let ids: Vec<u64> = rows.iter().map(|row| row.0).collect();
                let seconds: Vec<u32> = rows.iter().map(|row| row.1).collect();
                let values: Vec<u16> = rows.iter().map(|row| row.2).collect();
                let scores: Vec<f64> = rows.iter().map(|row| score_of(*row)).collect();
                let mut out = Vec::new();
                if request { pairs.requests(&ids, &seconds, &values, &scores, &mut out) } else { pairs.outcomes(&ids, &seconds, &values, &mut out) }
                let expected: Vec<Met<u16>> = rows.into_iter().map(|row| plain(&mut known, scored, request, row)).collect();
                prop_assert_eq!(out, expected);
                prop_assert_eq!(pairs.len(), known.len());
                prop_assert_eq!(pairs.pending(), known.values().filter(|entry| entry.0.is_some() && entry.1.is_none()).count());
            }
        }
    }
}
