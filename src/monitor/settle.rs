//! Predictions that have met their outcomes: to the panes they belong to, to the newest, and to the counters.

use super::{DELAY_BOUNDS, Monitor, Pairing, SECOND};
use crate::pair::{Met, Payload};

/// A prediction whose label is known.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Pair {
    /// When it was made, in seconds since 1970.
    pub seconds: u32,
    pub predicted: Answer,
    pub score: Option<f64>,
    /// The label known before, where this one corrects it.
    pub old: Option<Answer>,
    pub label: Answer,
}

/// A class code or a number.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Answer {
    Class(u16),
    Value(f64),
}

impl From<u16> for Answer {
    fn from(code: u16) -> Answer {
        Answer::Class(code)
    }
}

impl From<f64> for Answer {
    fn from(number: f64) -> Answer {
        Answer::Value(number)
    }
}

impl Monitor {
    /// Books what became of the rows of a batch in the pairs. A request that comes again is a row that is dropped, and
    /// counted there.
    pub(super) fn settle<P: Payload + Into<Answer>>(&mut self, ids: &[u64], met: &[Met<P>]) {
        let timed = self.settings.outcomes.as_ref().is_some_and(|outcomes| outcomes.timestamp.is_some());
        let (mut paired, mut corrected, mut repeated, mut late) = (0, 0, 0, 0);
        for (&id, met) in ids.iter().zip(met) {
            let (tag, pair) = match *met {
                Met::Pending | Met::Waiting | Met::Duplicate => continue,
                Met::Replaced => {
                    corrected += 1;
                    continue;
                }
                Met::Repeated => {
                    repeated += 1;
                    continue;
                }
                Met::Paired { request_seconds, predicted, score, tag, label, delay } => {
                    paired += 1;
                    if timed {
                        self.counts.add_delay((delay as f64).max(0.0));
                    }
                    (tag, Pair::new(request_seconds, score, predicted, None, label))
                }
                Met::Corrected { request_seconds, predicted, score, tag, old, label } => {
                    corrected += 1;
                    (tag, Pair::new(request_seconds, score, predicted, Some(old), label))
                }
            };
            late += u64::from(!self.learn((id, tag), &pair));
        }
        self.count_pairs("paired", paired);
        self.count_pairs("corrected_outcome", corrected);
        self.count_pairs("repeated_outcome", repeated);
        self.count_pairs("late_outcome", late);
    }

    /// Adds a pair to the pane of its prediction and to the newest, in place of what was known before. `false`: it is too old
    /// for both.
    pub(super) fn learn(&mut self, (id, tag): (u64, u32), pair: &Pair) -> bool {
        let among_newest = self.recent.as_mut().is_some_and(|recent| recent.put(pair.seconds, id, *pair));
        let in_window = self.main.learn(pair, self.positive);
        if in_window {
            self.divided.iter_mut().for_each(|divided| divided.learn(tag, pair, self.positive));
        }
        in_window || among_newest
    }

    pub(super) fn count_pairs(&mut self, reason: &'static str, pairs: u64) {
        if pairs > 0 {
            *self.counts.pairing.entry(reason).or_default() += pairs;
        }
    }

    /// The event time from which on predictions wait for their outcomes, whether or not they are in a window.
    pub(super) fn waits_from(&self) -> Option<i64> {
        let delay_max = self.settings.label_delay_max.as_micros() as i64;
        let from = self.main.windows.watermark()?.saturating_sub(delay_max);
        // Pairs know the second.
        Some(i64::from(seconds_of(from)) * SECOND)
    }

    /// Forgets pairs that are older than every window and than the longest label delay.
    pub(super) fn expire(&mut self) {
        let Some(waits_from) = self.waits_from() else {
            return;
        };
        if let Some(recent) = &mut self.recent {
            recent.expire(seconds_of(waits_from));
        }
        let before = seconds_of(waits_from.min(self.main.windows.start().unwrap_or(i64::MIN)));
        let (expired, evicted) = match &mut self.truth {
            Pairing::Off | Pairing::Rows(_) => return,
            Pairing::Classes { pairs, .. } => (pairs.expire(before), pairs.evicted()),
            Pairing::Values { pairs } => (pairs.expire(before), pairs.evicted()),
        };
        self.count_pairs("prediction_without_outcome", expired.pending);
        self.count_pairs("outcome_without_request", expired.waiting);
        self.count_pairs("prediction_evicted", evicted.pending);
        self.count_pairs("outcome_evicted", evicted.waiting);
        self.count_pairs("pair_evicted", evicted.paired);
    }
}

impl Pair {
    fn new<P: Into<Answer>>(seconds: u32, score: Option<f64>, predicted: P, old: Option<P>, label: P) -> Pair {
        Pair { seconds, predicted: predicted.into(), score, old: old.map(P::into), label: label.into() }
    }
}

impl super::Counts {
    /// `delay` in seconds.
    fn add_delay(&mut self, delay: f64) {
        self.delays[DELAY_BOUNDS.partition_point(|bound| *bound < delay)] += 1;
        self.delay_sum += delay;
    }
}

pub(super) fn seconds_of(time: i64) -> u32 {
    (time.max(0) / SECOND).try_into().unwrap_or(u32::MAX)
}
