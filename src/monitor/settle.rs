//! Predictions that have met their outcomes: to the panes they belong to, to the newest, and to the counters.

use super::slice::Slice;
use super::{DELAY_BOUNDS, Monitor, Pairing, SECOND};
use crate::pair::{Met, Payload};
use crate::pane::Truth;
use crate::window::{Place, Windows};

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
    pub(super) fn settle<P: Payload + Into<Answer>>(&mut self, ids: &[u64], met: &[(u32, Met<P>)]) {
        let timed = self.settings.outcomes.as_ref().is_some_and(|outcomes| outcomes.timestamp.is_some());
        let (mut paired, mut corrected, mut repeated, mut late) = (0, 0, 0, 0);
        let mut tally = Tally::of(&self.truth);
        for (row, met) in met {
            let (tag, pair) = match *met {
                Met::Waiting | Met::Duplicate => continue,
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
            late += u64::from(!self.learn((ids[*row as usize], tag), &pair, &mut tally));
        }
        tally.book(&mut self.main);
        self.count_pairs("paired", paired);
        self.count_pairs("corrected_outcome", corrected);
        self.count_pairs("repeated_outcome", repeated);
        self.count_pairs("late_outcome", late);
    }

    /// Adds a pair to the pane of its prediction, or to the tally, and to the newest, in place of what was known before. `false`: it
    /// is too old for both.
    pub(super) fn learn(&mut self, (id, tag): (u64, u32), pair: &Pair, tally: &mut Tally) -> bool {
        let among_newest = self.recent.as_mut().is_some_and(|recent| recent.put(pair.seconds, id, *pair));
        let in_window = tally.count(&self.main.windows, pair).unwrap_or_else(|| {
            if pair.old.is_some() {
                // What it corrects may be in the tally.
                tally.book(&mut self.main);
            }
            self.main.learn(pair, self.positive)
        });
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

/// Pairs of a batch that are no more than two classes, counted by pane: most of them fall in a few panes and cells, and a small table
/// finds these sooner than the window does.
#[derive(Debug)]
pub(super) struct Tally {
    /// It takes codes below this.
    classes: u16,
    panes: Vec<Gained>,
}

/// What a pane gains.
#[derive(Debug)]
struct Gained {
    place: Place,
    /// Event times: start (included) and end (excluded).
    span: (i64, i64),
    /// Rows by predicted and actual class.
    cells: Box<[i32]>,
}

impl Tally {
    /// More classes than this are too many for it.
    const CLASSES_MAX: usize = 64;

    /// For pairs of the classes that are known by now.
    pub(super) fn of(truth: &Pairing) -> Tally {
        let classes = match truth {
            Pairing::Rows(labels) | Pairing::Classes { labels, .. } => labels.names().len().min(Self::CLASSES_MAX),
            Pairing::Off | Pairing::Values { .. } => 0,
        };
        Tally { classes: classes as u16, panes: Vec::new() }
    }

    /// Whether a window holds the pair's pane; then it is counted. `None`: the pair is none of those.
    fn count(&mut self, windows: &Windows, pair: &Pair) -> Option<bool> {
        let (Answer::Class(predicted), Answer::Class(label)) = (pair.predicted, pair.label) else {
            return None;
        };
        let old = match pair.old {
            Some(Answer::Class(old)) => Some(old),
            _ => None,
        };
        let highest = predicted.max(label).max(old.unwrap_or(0));
        if pair.score.is_some() || highest >= self.classes {
            return None;
        }
        let time = i64::from(pair.seconds) * SECOND;
        let known = self.panes.iter().position(|pane| pane.span.0 <= time && time < pane.span.1);
        let Some(at) = known.or_else(|| self.open(windows, time)) else {
            return Some(false);
        };
        let cells = &mut self.panes[at].cells;
        let cell = |label: u16| usize::from(predicted * self.classes + label);
        cells[cell(label)] += 1;
        old.into_iter().for_each(|old| cells[cell(old)] -= 1);
        Some(true)
    }

    fn open(&mut self, windows: &Windows, time: i64) -> Option<usize> {
        let place = windows.place(time)?;
        let cells = vec![0; usize::from(self.classes).pow(2)].into();
        self.panes.push(Gained { place, span: windows.span(place), cells });
        Some(self.panes.len() - 1)
    }

    /// Adds what was counted to the panes, and begins anew.
    pub(super) fn book(&mut self, slice: &mut Slice) {
        for Gained { place, cells, .. } in self.panes.drain(..) {
            let Truth::Classes(known, _) = &mut slice.windows.pane(place, &slice.reference.columns).truth else {
                continue;
            };
            for (predicted, row) in (0..self.classes).zip(cells.chunks(usize::from(self.classes))) {
                for (label, gained) in (0..self.classes).zip(row).filter(|(_, gained)| **gained != 0) {
                    let rows = known.entry((predicted, label)).or_default();
                    *rows = rows.saturating_add_signed((*gained).into());
                }
            }
        }
    }
}

impl super::Counts {
    /// `delay` in seconds.
    fn add_delay(&mut self, delay: f64) {
        // Without a branch for each bound, as delays come in no order.
        self.delays[DELAY_BOUNDS.iter().map(|bound| usize::from(*bound < delay)).sum::<usize>()] += 1;
        self.delay_sum += delay;
    }
}

pub(super) fn seconds_of(time: i64) -> u32 {
    (time.max(0) / SECOND).try_into().unwrap_or(u32::MAX)
}
