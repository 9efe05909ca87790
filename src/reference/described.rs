//! What is gathered of the texts of a reference: their descriptors, row by row, and the words that they are made of.
//!
//! The reference knows all of its own words, so a share of unseen words counted in the plain way would be 0 in each of its
//! rows, and any new word drift. So a text of the reference is read as if it were not there: a word is unseen where no
//! other text has it. That needs the words of all texts, so it is counted over a sample of them.
//!
//! This file knows texts; no column, no kind and no settings.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::sample::{ROWS_MAX, Sample, priority};
use crate::stats::text::{self, DESCRIPTORS};

/// Words known of a column's texts; those that come first stay. About 24 bytes each.
const WORDS_MAX: usize = 1_000_000;

/// Descriptors of texts, and their words.
#[derive(Debug, Default)]
pub struct Described {
    /// Of every row; NaN where there is none. All but the share of unseen words.
    numbers: [Vec<f64>; DESCRIPTORS.len() - 1],
    /// By their hashes, and whether more than one text has it.
    words: HashMap<u64, bool>,
    /// The words of some texts.
    drawn: Sample<Vec<u64>>,
    missing: usize,
}

impl Described {
    /// A text that so many rows have.
    pub fn add(&mut self, text: &str, rows: u64) {
        let mut words = Vec::new();
        let read = |word| {
            words.push(word);
            true
        };
        let told = text::descriptors(text, read).numbers();
        for (numbers, number) in self.numbers.iter_mut().zip(told) {
            numbers.resize(numbers.len() + rows as usize, number);
        }
        let mut distinct = words.clone();
        distinct.sort_unstable();
        distinct.dedup();
        for word in distinct {
            if let Some(several) = self.words.get_mut(&word) {
                *several = true;
            } else if self.words.len() < WORDS_MAX {
                self.words.insert(word, rows > 1);
            }
        }
        let hash = xxh3_64(text.as_bytes());
        for row in 0..rows.min(ROWS_MAX as u64) {
            let lot = priority(&[hash, row]);
            if self.drawn.takes(lot) {
                self.drawn.add(lot, words.clone());
            }
        }
    }

    pub fn add_missing(&mut self, rows: u64) {
        self.missing += rows as usize;
        self.numbers.iter_mut().for_each(|numbers| numbers.resize(numbers.len() + rows as usize, f64::NAN));
    }

    /// The values of each descriptor, NaN where there is none, and the words of the reference.
    pub fn finish(self) -> ([Vec<f64>; DESCRIPTORS.len()], Arc<HashSet<u64>>) {
        let unseen = |words: &Vec<u64>| {
            let alone = words.iter().filter(|word| self.words.get(word) != Some(&true)).count();
            if words.is_empty() { f64::NAN } else { alone as f64 / words.len() as f64 }
        };
        let mut shares: Vec<f64> = self.drawn.rows().map(unseen).collect();
        // As many missing ones among them as there are among all rows.
        let rows = self.numbers[0].len();
        let texts = rows - self.missing;
        shares.resize(shares.len() + (shares.len() * self.missing).checked_div(texts).unwrap_or(rows), f64::NAN);
        let [length, words, non_letters] = self.numbers;
        ([length, words, non_letters, shares], Arc::new(self.words.into_keys().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_reference_is_unseen_where_no_other_text_has_it() {
        let mut described = Described::default();
        described.add("red lamp, tall", 1);
        described.add("red lamp", 2);
        described.add("blue lamp", 1);
        described.add("", 1);
        described.add_missing(1);
        let ([length, words, non_letters, unseen], vocabulary) = described.finish();
        let sorted = |mut numbers: Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            numbers.into_iter().map(|number| (!number.is_nan()).then_some(number)).collect::<Vec<_>>()
        };
        assert_eq!(sorted(length), [Some(0.0), Some(8.0), Some(8.0), Some(9.0), Some(14.0), None]);
        assert_eq!(sorted(words), [Some(0.0), Some(2.0), Some(2.0), Some(2.0), Some(3.0), None]);
        assert_eq!(sorted(non_letters), [Some(0.0), Some(0.0), Some(0.0), Some(1.0 / 14.0), None, None]);
        // `tall` and `blue` stand alone.
        assert_eq!(sorted(unseen), [Some(0.0), Some(0.0), Some(1.0 / 3.0), Some(0.5), None, None]);
        assert_eq!(vocabulary.len(), 4);
    }

    #[test]
    fn the_order_of_the_texts_makes_no_difference() {
        let texts: Vec<String> = (0..3000).map(|i| format!("lamp number {} of series {}", i, i % 70)).collect();
        let of = |texts: &mut dyn Iterator<Item = &String>| {
            let mut described = Described::default();
            texts.for_each(|text| described.add(text, 1));
            let ([.., mut unseen], _) = described.finish();
            unseen.sort_by(f64::total_cmp);
            unseen
        };
        let forward = of(&mut texts.iter());
        assert_eq!(forward, of(&mut texts.iter().rev()));
        assert_eq!(forward.len(), ROWS_MAX);
        assert!(forward.iter().all(|share| [0.0, 1.0 / 6.0].contains(share)), "the numbers from 70 on stand alone");
    }
}
