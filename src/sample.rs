//! Samples: at most a thousand whole rows, each as likely as any other, of all that were seen.
//!
//! A row's priority is a number that looks drawn by lot and hangs on the row alone; a sample keeps the rows of the smallest
//! ones. So it is uniform and without replacement, the same in whatever order rows came, and the sample of two sets
//! of rows is made of theirs: the bottom-k sketch of Cohen and Kaplan (2007). Time and memory do not follow the traffic: of n
//! rows about 1000 (1 + ln(n / 1000)) are ever looked at.
//! This file knows no column, no file and no time.

use std::sync::Arc;

use crate::stats::{self, text};

/// Rows of a sample.
pub const ROWS_MAX: usize = 1000;

/// Of a longer text no more than this is looked at.
const TEXT_BYTES_MAX: usize = 1 << 14;

/// One value of a sampled row.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Item {
    Missing,
    Number(f64),
    /// By its code in the reference.
    Category(u32),
    /// The features of a text, as [`text::bag`] gives them.
    Text(Box<[u32]>),
    /// As long as those of the reference.
    Vector(Box<[f32]>),
}

impl Item {
    pub fn text(text: &str) -> Item {
        let short = text.len().min(TEXT_BYTES_MAX);
        let end = (0..=short).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Item::Text(text::bag(&text[..end]).into())
    }

    /// As a value among those of several columns.
    pub fn value(&self) -> stats::Value {
        match self {
            Item::Number(number) => stats::Value::Number(*number),
            Item::Category(code) => stats::Value::Category(*code),
            _ => stats::Value::Missing,
        }
    }
}

/// The values of a row that some test needs.
pub type Row = Arc<[Item]>;

/// The lot of a row, from what tells it from others: its id, or its place in the log.
pub fn priority(told_by: &[u64]) -> u64 {
    // SplitMix64 (Steele, Lea and Flood 2014).
    told_by.iter().fold(0x9E37_79B9_7F4A_7C15, |state, part| {
        let mixed = state ^ part;
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).wrapping_add(0x9E37_79B9_7F4A_7C15)
    })
}

/// Rows by ascending priority.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Sample<T> {
    rows: Vec<(u64, T)>,
}

impl<T> Default for Sample<T> {
    fn default() -> Sample<T> {
        Sample { rows: Vec::new() }
    }
}

impl<T> Sample<T> {
    /// Whether a row of this priority would be kept: others need not be made.
    pub fn takes(&self, priority: u64) -> bool {
        self.rows.len() < ROWS_MAX || self.rows.last().is_some_and(|(last, _)| priority < *last)
    }

    pub fn add(&mut self, priority: u64, row: T) {
        if !self.takes(priority) {
            return;
        }
        let place = self.rows.partition_point(|(other, _)| *other <= priority);
        self.rows.truncate(ROWS_MAX - 1);
        self.rows.insert(place, (priority, row));
    }

    /// Lets go of the rows that can be in no union with the rows of `lowest`, the smallest priorities found
    /// elsewhere; those of this sample join them.
    pub fn thin(&mut self, lowest: &mut Vec<u64>) {
        if self.rows.is_empty() {
            return;
        }
        lowest.extend(self.rows.iter().map(|(priority, _)| priority));
        lowest.sort();
        lowest.truncate(ROWS_MAX);
        if let Some(last) = lowest.get(ROWS_MAX - 1) {
            self.rows.truncate(self.rows.partition_point(|(priority, _)| priority <= last));
            self.rows.shrink_to_fit();
        }
    }

    pub fn rows(&self) -> impl ExactSizeIterator<Item = &T> {
        self.rows.iter().map(|(_, row)| row)
    }

    pub fn map<U>(self, each: impl Fn(T) -> U) -> Sample<U> {
        Sample { rows: self.rows.into_iter().map(|(priority, row)| (priority, each(row))).collect() }
    }
}

impl<T: Clone> Sample<T> {
    pub fn merge(&mut self, other: &Sample<T>) {
        if other.rows.is_empty() {
            return;
        }
        self.rows.extend_from_slice(&other.rows);
        // Two ascending runs: the stable sort only merges them.
        self.rows.sort_by_key(|(priority, _)| *priority);
        self.rows.truncate(ROWS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: impl IntoIterator<Item = u64>) -> Sample<u64> {
        let mut sample = Sample::default();
        for row in rows {
            let priority = priority(&[row]);
            sample.add(priority, row);
        }
        sample
    }

    fn rows(sample: &Sample<u64>) -> Vec<u64> {
        sample.rows().copied().collect()
    }

    #[test]
    fn a_sample_is_the_same_in_whatever_order_and_parts_its_rows_came() {
        let whole = of(0..20_000);
        assert_eq!(whole.rows().len(), ROWS_MAX);
        assert_eq!(rows(&of((0..20_000).rev())), rows(&whole));
        let mut parts = of((0..20_000).step_by(3));
        parts.merge(&of((1..20_000).step_by(3)));
        parts.merge(&of((2..20_000).step_by(3)));
        assert_eq!(rows(&parts), rows(&whole));
        assert_eq!(of(0..7).rows().len(), 7);
    }

    #[test]
    fn every_row_is_as_likely_as_any_other() {
        // Each of ten equal parts has 100 rows of 1000; a standard deviation is 9.
        let mut parts = [0i32; 10];
        for row in rows(&of(0..100_000)) {
            parts[row as usize / 10_000] += 1;
        }
        assert!(parts.iter().all(|count| (count - 100).abs() < 36), "{parts:?}");
    }

    #[test]
    fn rows_that_are_in_no_sample_of_newer_parts_go() {
        let parts: Vec<Sample<u64>> = (0..50).map(|part| of(part * 1000..(part + 1) * 1000)).collect();
        let mut thinned = parts.clone();
        let mut lowest = Vec::new();
        thinned.iter_mut().rev().for_each(|part| part.thin(&mut lowest));
        for from in 0..50 {
            let sum = |parts: &[Sample<u64>]| {
                let mut sum = Sample::default();
                parts[from..].iter().for_each(|part| sum.merge(part));
                rows(&sum)
            };
            assert_eq!(sum(&thinned), sum(&parts), "from {from}");
        }
        // 1000 (1/1 + 1/2 + ... + 1/50)
        let kept: usize = thinned.iter().map(|part| part.rows().len()).sum();
        assert!((4200..4800).contains(&kept), "{kept}");
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let long = "é ".repeat(TEXT_BYTES_MAX);
        assert!(matches!(Item::text(&long), Item::Text(bag) if bag.len() < TEXT_BYTES_MAX));
    }
}
