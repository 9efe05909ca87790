//! Windows: sliding slices of event time, as rings of panes that merge into coarser ones as they age.
//!
//! The shortest window has the finest panes. A pane that leaves it is merged into a pane of the next longer
//! window, and so on; a window is the sum of its own panes and those of all shorter windows. Which rows a
//! window holds depends on the watermark alone, never on the order in which they came.
//! Times are microseconds since 1970; this file asks no clock.

use std::collections::BTreeMap;
use std::io::Result;

use crate::estimate::Expected;
use crate::frame::{Reader, Writer};
use crate::pane::{Pane, Settled, Truth};
use crate::reference::Compared;
use crate::settings::Window;

const SECOND: i64 = 1_000_000;

/// The panes of all windows of a model.
#[derive(Debug)]
pub struct Windows {
    /// From the shortest window to the longest.
    levels: Vec<Level>,
    /// The newest event time.
    watermark: Option<i64>,
    empty_truth: Truth,
    /// `None` where nothing is estimated.
    nothing_expected: Option<Expected>,
    /// Windows with at most this many rows keep their values.
    exact_rows: u64,
}

#[derive(Debug)]
struct Level {
    name: String,
    /// Position in the config.
    rank: usize,
    /// Lengths of a pane and of the window, a whole number of panes.
    pane: i64,
    length: i64,
    /// By pane number: event time / pane.
    panes: BTreeMap<i64, Pane>,
}

impl Level {
    /// The pane numbers of this window at a watermark: the last one holds the watermark.
    fn range(&self, watermark: i64) -> std::ops::RangeInclusive<i64> {
        let last = watermark.div_euclid(self.pane);
        (last - self.length / self.pane + 1)..=last
    }
}

/// One window, summed up.
#[derive(Debug)]
pub struct Summed {
    pub name: String,
    pub rank: usize,
    /// Start (included) and end (excluded); `None` without event time.
    pub span: Option<(i64, i64)>,
    pub pane: Pane,
    /// Those of its panes whose labels are nearly all there; `None` where nothing is estimated.
    pub settled: Option<Settled>,
}

impl Windows {
    /// `windows` in the order of the config, each a whole multiple of the shortest one's pane. `None`: one window over all rows.
    pub fn new(windows: Option<&[Window]>, panes: u32, exact_rows: usize, empty: (Truth, Option<Expected>)) -> Windows {
        let levels = match windows {
            None => vec![Level {
                name: "all".to_string(),
                rank: 0,
                pane: i64::MAX,
                length: i64::MAX,
                panes: BTreeMap::new(),
            }],
            Some(windows) => levels(windows, panes),
        };
        let (empty_truth, nothing_expected) = empty;
        Windows { levels, watermark: None, empty_truth, nothing_expected, exact_rows: exact_rows as u64 }
    }

    pub fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// The start of the longest window: rows before it are in none.
    pub fn start(&self) -> Option<i64> {
        let longest = self.levels.last()?;
        let watermark = self.watermark?;
        Some(longest.range(watermark).start().saturating_mul(longest.pane))
    }

    /// Moves the watermark forward; panes that leave a window go to the next longer one, or away.
    pub fn advance(&mut self, event_time: i64, columns: &[Compared]) {
        if self.watermark.is_some_and(|watermark| event_time <= watermark) {
            return;
        }
        let last = |time: i64| time.div_euclid(self.levels[0].pane);
        let new_pane = self.watermark.is_none_or(|watermark| last(watermark) != last(event_time));
        self.watermark = Some(event_time);
        for i in 0..self.levels.len() {
            let keep = *self.levels[i].range(event_time).start();
            while let Some(entry) = self.levels[i].panes.first_entry().filter(|entry| *entry.key() < keep) {
                let (number, pane) = entry.remove_entry();
                let start = number * self.levels[i].pane;
                let Some(next) = self.levels.get_mut(i + 1) else {
                    continue;
                };
                let number = start.div_euclid(next.pane);
                if next.range(event_time).contains(&number) {
                    match next.panes.entry(number) {
                        std::collections::btree_map::Entry::Vacant(slot) => drop(slot.insert(pane)),
                        std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(&pane, columns),
                    }
                }
            }
        }
        if new_pane {
            self.thin();
        }
    }

    /// Lets go of sampled rows that no window can draw any more, now or later: a window that holds a pane holds all newer ones.
    fn thin(&mut self) {
        let mut lowest = Vec::new();
        for level in &mut self.levels {
            level.panes.values_mut().rev().for_each(|pane| pane.sample.thin(&mut lowest));
        }
    }

    /// A number for the pane that takes rows of this time, equal for times of one pane; `None`: older than every window.
    pub fn place(&self, event_time: i64) -> Option<Place> {
        let watermark = self.watermark?;
        self.levels.iter().enumerate().find_map(|(level, l)| {
            let number = event_time.div_euclid(l.pane);
            l.range(watermark).contains(&number).then_some(Place { level, number })
        })
    }

    /// The event times (start included, end excluded) of the rows that belong to a place.
    pub fn span(&self, place: Place) -> (i64, i64) {
        let pane = self.levels[place.level].pane;
        let start = place.number.saturating_mul(pane);
        let end = start.saturating_add(pane);
        let finer = place.level.checked_sub(1).map(|level| &self.levels[level]);
        let taken = finer.zip(self.watermark).map(|(finer, watermark)| finer.range(watermark).start() * finer.pane);
        (start, taken.map_or(end, |taken| end.min(taken)))
    }

    pub fn pane(&mut self, place: Place, columns: &[Compared]) -> &mut Pane {
        let Windows { levels, empty_truth, nothing_expected, .. } = self;
        let empty = || Pane::new(columns, empty_truth.clone(), nothing_expected.clone());
        levels[place.level].panes.entry(place.number).or_insert_with(empty)
    }

    /// Folds the panes that no exact window can hold any more, now or later: those from which on there are
    /// more than `exact_rows` rows up to the newest.
    pub fn fold(&mut self, columns: &[Compared]) {
        let mut rows = 0;
        for level in &mut self.levels {
            for pane in level.panes.values_mut().rev() {
                rows += pane.rows;
                if rows > self.exact_rows {
                    pane.fold(columns);
                }
            }
        }
    }

    /// The panes as frames, one each.
    pub fn save(&self, out: &mut Writer) -> Result<()> {
        let numbers: Vec<Vec<i64>> = self.levels.iter().map(|level| level.panes.keys().copied().collect()).collect();
        out.put(&(self.watermark, numbers))?;
        self.levels.iter().flat_map(|level| level.panes.values()).try_for_each(|pane| out.put(pane))
    }

    /// Takes what windows of the same settings and reference saved, in place of what is here.
    pub fn restore(&mut self, from: &mut Reader) -> Result<()> {
        let numbers: Vec<Vec<i64>>;
        (self.watermark, numbers) = from.take()?;
        for (level, numbers) in self.levels.iter_mut().zip(numbers) {
            level.panes = numbers.into_iter().map(|number| Ok((number, from.take()?))).collect::<Result<_>>()?;
        }
        Ok(())
    }

    /// Every window, from the shortest to the longest.
    pub fn sums<'a>(&'a self, columns: &'a [Compared]) -> impl Iterator<Item = Summed> + 'a {
        let mut sum = Pane::new(columns, self.empty_truth.clone(), self.nothing_expected.clone());
        let nothing =
            |expected: &Expected| Settled { rows: 0, truth: self.empty_truth.clone(), expected: expected.clone() };
        let mut settled = self.nothing_expected.as_ref().map(nothing);
        self.levels.iter().map(move |level| {
            for pane in level.panes.values() {
                sum.merge(pane, columns);
                settled.iter_mut().for_each(|settled| settled.add(pane));
            }
            if sum.rows > self.exact_rows {
                sum.fold(columns);
            }
            let span = self.watermark.filter(|_| level.pane != i64::MAX).map(|watermark| {
                let range = level.range(watermark);
                (range.start() * level.pane, (range.end() + 1) * level.pane)
            });
            Summed { name: level.name.clone(), rank: level.rank, span, pane: sum.clone(), settled: settled.clone() }
        })
    }
}

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    level: usize,
    number: i64,
}

/// Panes: each a divisor of its own and of every longer window and a multiple of the next finer pane, and of
/// those the longest that still gives about `panes` steps.
fn levels(windows: &[Window], panes: u32) -> Vec<Level> {
    let mut order: Vec<(usize, &Window)> = windows.iter().enumerate().collect();
    order.sort_by_key(|(_, window)| window.length);
    let seconds: Vec<i64> = order.iter().map(|(_, window)| window.length.as_secs() as i64).collect();
    let mut finer = (seconds[0] / i64::from(panes)).max(1);
    let mut levels = Vec::new();
    for (i, (rank, window)) in order.into_iter().enumerate() {
        let common = seconds[i..].iter().copied().fold(0, gcd) / finer;
        let steps = (seconds[i] / finer - 1) / i64::from(panes) + 1;
        let times = (1..=steps).rev().find(|times| common % times == 0).unwrap_or(1);
        finer *= times;
        levels.push(Level {
            name: window.name.clone(),
            rank,
            pane: finer * SECOND,
            length: seconds[i] * SECOND,
            panes: BTreeMap::new(),
        });
    }
    levels
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
