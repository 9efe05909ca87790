//! Recent: the newest so many of what has come, by time and id, in whatever order it came.
//!
//! What was pushed out is older than all that is left, so that what is here is always what a sorted list of all would begin with.
//! Times are seconds since 1970; this file asks no clock.

use std::collections::BTreeMap;
use std::io::Result;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::frame::{Reader, Writer};

/// The newest entries of one time or later, each id once.
#[derive(Debug)]
pub struct Recent<T> {
    max: usize,
    /// By time, then id.
    entries: BTreeMap<(u32, u64), T>,
    /// Entries of before this have left, and come no more.
    from: u32,
}

impl<T> Recent<T> {
    /// At most `max` entries.
    pub fn new(max: usize) -> Recent<T> {
        Recent { max, entries: BTreeMap::new(), from: 0 }
    }

    /// Takes an entry in, in place of the one of the same time and id. `false`: it is too old.
    pub fn put(&mut self, seconds: u32, id: u64, entry: T) -> bool {
        if seconds < self.from {
            return false;
        }
        self.entries.insert((seconds, id), entry);
        let oldest = if self.entries.len() > self.max { self.entries.pop_first() } else { None };
        oldest.is_none_or(|(key, _)| key != (seconds, id))
    }

    /// Entries of before `seconds` leave.
    pub fn expire(&mut self, seconds: u32) {
        if seconds > self.from {
            self.from = seconds;
            self.entries = self.entries.split_off(&(seconds, 0));
        }
    }

    pub fn save(&self, out: &mut Writer) -> Result<()>
    where
        T: Serialize,
    {
        out.put(&(self.from, &self.entries))
    }

    /// Takes what one of the same size saved, in place of what is here.
    pub fn restore(&mut self, from: &mut Reader) -> Result<()>
    where
        T: DeserializeOwned,
    {
        (self.from, self.entries) = from.take()?;
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The time of the oldest entry.
    pub fn oldest(&self) -> Option<u32> {
        self.entries.first_key_value().map(|(&(seconds, _), _)| seconds)
    }

    /// What is older than this can no more be among the entries; it never falls.
    pub fn floor(&self) -> u32 {
        self.oldest().filter(|_| self.len() == self.max).unwrap_or(self.from)
    }

    /// From the oldest to the newest.
    pub fn entries(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Act {
        /// Time, id, value.
        Put(u32, u64, u8),
        Expire(u32),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![8 => (0..50u32, 0..20u64, 0..4u8).prop_map(|(s, id, value)| Act::Put(s, id, value)), 1 => (0..60u32).prop_map(Act::Expire)]
    }

    /// All that came, the last value of each; then the newest of those that have not expired.
    fn plain(acts: &[Act], max: usize) -> Vec<u8> {
        let mut known = Vec::new();
        let mut from = 0;
        for act in acts {
            match *act {
                Act::Put(seconds, id, value) => {
                    known.retain(|(key, _)| *key != (seconds, id));
                    known.push(((seconds, id), value));
                }
                Act::Expire(seconds) => from = from.max(seconds),
            }
        }
        known.sort();
        known.retain(|((seconds, _), _)| *seconds >= from);
        known[known.len().saturating_sub(max)..].iter().map(|(_, value)| *value).collect()
    }

    fn run(acts: &[Act], max: usize) -> Recent<u8> {
        let mut recent = Recent::new(max);
        for act in acts {
            let floor = recent.floor();
            match *act {
                Act::Put(seconds, id, value) => {
                    let taken = recent.put(seconds, id, value);
                    assert_eq!(taken, recent.entries.get(&(seconds, id)) == Some(&value));
                }
                Act::Expire(seconds) => recent.expire(seconds),
            }
            assert!(recent.floor() >= floor && recent.oldest().is_none_or(|oldest| oldest >= recent.floor()));
        }
        recent
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_holds_the_newest_whatever_the_order(acts in prop::collection::vec(act(), 0..120), max in 1..30usize, turn in any::<prop::sample::Index>()) {
            let recent = run(&acts, max);
            prop_assert_eq!(recent.entries().copied().collect::<Vec<_>>(), plain(&acts, max));

            // Each entry once, in another order.
            let mut known = BTreeMap::new();
            acts.iter().for_each(|act| if let Act::Put(seconds, id, value) = *act { known.insert((seconds, id), value); });
            let mut other: Vec<Act> = known.into_iter().map(|((seconds, id), value)| Act::Put(seconds, id, value)).collect();
            other.extend(acts.iter().filter(|act| matches!(act, Act::Expire(_))).cloned());
            let turn = turn.index(other.len().max(1));
            other.rotate_left(turn);
            prop_assert_eq!(run(&other, max).entries().copied().collect::<Vec<_>>(), plain(&acts, max));

            // What is not older than the floor is enough to find it again.
            let floor = recent.floor();
            let again: Vec<Act> = acts.iter().filter(|act| !matches!(act, Act::Put(seconds, ..) if *seconds < floor)).cloned().collect();
            prop_assert_eq!(run(&again, max).entries().copied().collect::<Vec<_>>(), plain(&acts, max));
        }
    }

    #[test]
    fn an_entry_of_the_same_time_and_id_takes_the_others_place() {
        let mut recent = Recent::new(2);
        assert!(recent.put(10, 1, 'a') && recent.put(20, 2, 'b') && recent.put(10, 1, 'c'));
        assert_eq!(recent.entries().collect::<String>(), "cb");
        assert_eq!((recent.oldest(), recent.floor()), (Some(10), 10));
        assert!(recent.put(30, 3, 'd') && !recent.put(10, 1, 'e'), "two newer ones are there");
        recent.expire(25);
        assert_eq!((recent.entries().collect::<String>().as_str(), recent.floor()), ("d", 25));
        assert!(!recent.put(20, 2, 'b'));
    }
}
