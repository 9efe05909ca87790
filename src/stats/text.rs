//! What a text is, in numbers: its length, its words, its signs, its news; and its words and pairs of words as features.
//!
//! A word is a maximal run of alphanumeric characters, in lower case, as Unicode has both; of scripts written without spaces
//! (Chinese, Japanese) each character is one. Words are told by 64-bit hashes of their letters.
//!
//! This file knows one text; no columns, windows or vocabularies' sources.

use xxhash_rust::xxh3::xxh3_64;

/// The numbers of one text, each a numerical column of its own. A share of nothing is absent: of an empty text, or of
/// one without words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descriptors {
    /// Unicode characters.
    pub length: u64,
    pub words: u64,
    /// The share of characters that are neither letters nor spaces, 0 to 1. Evidently's `NonLetterCharacterPercentage` by 100: the space
    /// (U+0020) alone counts as one, tabs and line ends do not. A letter is what Unicode calls alphabetic, which is Python's
    /// `isalpha` and besides vowel signs and letter-like numbers.
    pub non_letters: Option<f64>,
    /// The share of words, each as often as it occurs, that the vocabulary lacks, 0 to 1.
    pub unseen: Option<f64>,
}

/// Names of the descriptors, in the order of [`Descriptors::numbers`].
pub const DESCRIPTORS: [&str; 4] = ["length", "words", "non_letters", "unseen_words"];

impl Descriptors {
    /// NaN where there is none.
    pub fn numbers(self) -> [f64; DESCRIPTORS.len()] {
        let share = |share: Option<f64>| share.unwrap_or(f64::NAN);
        [self.length as f64, self.words as f64, share(self.non_letters), share(self.unseen)]
    }
}

/// The descriptors of a text. `known` is asked of each of its words, in order, by the hash that [`words`] gives.
pub fn descriptors(text: &str, mut known: impl FnMut(u64) -> bool) -> Descriptors {
    let (mut length, mut signs) = (0, 0);
    for c in text.chars() {
        length += 1;
        signs += u64::from(!c.is_alphabetic() && c != ' ');
    }
    let (mut count, mut unseen) = (0, 0);
    words(text, |word| {
        count += 1;
        unseen += u64::from(!known(word));
    });
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    Descriptors { length, words: count, non_letters: share(signs, length), unseen: share(unseen, count) }
}

/// The hashes of a text's words, in order.
pub fn words(text: &str, mut each: impl FnMut(u64)) {
    let mut word = String::new();
    let mut end = |word: &mut String| {
        if !word.is_empty() {
            each(xxh3_64(word.as_bytes()));
            word.clear();
        }
    };
    for c in text.chars() {
        let alone = stands_alone(c);
        if alone || !c.is_alphanumeric() {
            end(&mut word);
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        if alone {
            end(&mut word);
        }
    }
    end(&mut word);
}

/// Kana and Han, of which a sentence is one run.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Buckets of [`bag`]: 262 144, so that ten thousand features meet another in one case of twenty.
pub const BUCKETS: u32 = 1 << 18;

/// A text's features: its words, and its pairs of neighbouring words, each hashed to a number below [`BUCKETS`]; sorted, as often as
/// they occur. Four bytes a feature: about as much memory as the text.
pub fn bag(text: &str) -> Vec<u32> {
    let mut features = Vec::new();
    let mut before = None;
    words(text, |word| {
        features.push(bucket(word));
        if let Some(before) = before.replace(word) {
            // Odd multiplier: the order of the two matters.
            features.push(bucket(before.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word));
        }
    });
    features.sort_unstable();
    features
}

fn bucket(hash: u64) -> u32 {
    (hash >> 32) as u32 % BUCKETS
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn vocabulary(text: &str) -> HashSet<u64> {
        let mut known = HashSet::new();
        words(text, |word| {
            known.insert(word);
        });
        known
    }

    #[test]
    fn shares_of_non_letters_are_those_of_evidently() {
        // NonLetterCharacterPercentage / 100 of "2Ad <4", "abc ", "144&&?1", as in its own test
        for (text, expected) in [("2Ad <4", 3.0 / 6.0), ("abc ", 0.0), ("144&&?1", 1.0)] {
            assert_eq!(descriptors(text, |_| false).non_letters, Some(expected), "{text}");
        }
        // sum(not c.isalpha() and c != " " for c in s) / len(s)
        for (text, expected) in
            [("Ünïcödé, ok", 1.0 / 11.0), ("a\tb\n", 0.5), ("naïve 😀", 1.0 / 7.0), ("日本語。", 0.25)]
        {
            assert_eq!(descriptors(text, |_| false).non_letters, Some(expected), "{text}");
        }
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_whatever_their_case() {
        let counted = |text| descriptors(text, |_| false).words;
        assert_eq!(counted("It's 2 o'clock -- già!"), 6);
        assert_eq!(counted("snake_case, kebab-case\n3.14"), 6);
        assert_eq!(counted("東京タワー"), 5);
        assert_eq!(counted("..."), 0);
        assert_eq!(vocabulary("Straße ÉTÉ"), vocabulary("STRAßE été"));
        assert_eq!(vocabulary("a b a").len(), 2);
    }

    #[test]
    fn unseen_words_are_those_that_the_vocabulary_lacks() {
        let known = vocabulary("the cat sat on the mat");
        assert_eq!(descriptors("The dog sat on THE log", |word| known.contains(&word)).unseen, Some(2.0 / 6.0));
        assert_eq!(descriptors("dog dog cat", |word| known.contains(&word)).unseen, Some(2.0 / 3.0));
    }

    #[test]
    fn a_share_of_nothing_is_absent() {
        let nothing = Descriptors { length: 0, words: 0, non_letters: None, unseen: None };
        assert_eq!(descriptors("", |_| false), nothing);
        let signs = Descriptors { length: 3, words: 0, non_letters: Some(1.0), unseen: None };
        assert_eq!(descriptors("?!?", |_| false), signs);
        assert!(bag("?!?").is_empty());
    }

    #[test]
    fn a_bag_has_words_and_their_pairs() {
        assert_eq!(bag("one two three").len(), 5);
        assert!(bag("to be or not to be").is_sorted());
        assert_eq!(bag("Good morning"), bag("good, MORNING"));
        assert_ne!(bag("morning good"), bag("good morning"), "the pair is another");
        assert!(bag("a b c d e f g").iter().all(|&feature| feature < BUCKETS));
    }
}
