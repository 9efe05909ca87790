//! Rows as few features each, for a linear model: texts, rows of mixed columns, vectors. Every row has a length of 1 or about.
//!
//! All that an encoding takes from the data it takes from both sides together, whose labels it does not know.
//! This file knows rows; no sides, no scores.

use std::collections::BTreeMap;

use super::Moments;
use super::logistic::SparseRows;
use super::rows::{Table, Value, Vectors, moments};
use super::text::BUCKETS;

/// Bags of features (`text::bag`), weighted by (1 + ln times) (1 + ln((1 + texts) / (1 + texts that have it))) and scaled to length 1:
/// `TfidfTransformer(sublinear_tf=True)`. Features of one text alone are left out: nothing is learnt from them.
pub(super) fn texts<'a>(bags: impl Iterator<Item = &'a [u32]> + Clone) -> SparseRows {
    let times_of = |bag: &'a [u32]| bag.chunk_by(|a, b| a == b).map(|times| (times[0], times.len() as f64));
    // How many texts have each feature.
    let (mut having, mut all) = (vec![0.0; BUCKETS as usize], 0.0);
    for bag in bags.clone() {
        all += 1.0;
        times_of(bag).for_each(|(feature, _)| having[feature as usize] += 1.0);
    }
    let mut rows = SparseRows::default();
    let mut row = Vec::new();
    for bag in bags {
        row.clear();
        for (feature, times) in times_of(bag) {
            let texts: f64 = having[feature as usize];
            if texts > 1.0 {
                row.push((feature, (1.0 + times.ln()) * (1.0 + ((1.0 + all) / (1.0 + texts)).ln())));
            }
        }
        let length = row.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        rows.push(row.iter().map(|&(feature, weight)| (feature, (weight / length) as f32)));
    }
    rows
}

/// Features of a column: its value, ten deciles, its way from the mean, missing; then come its categories.
const DECILES: usize = 10;
const WAY: u32 = 1 + DECILES as u32;
const MISSING: u32 = WAY + 1;
/// Ten deciles have ten weights to learn, so they learn less each.
const DECILE_WEIGHT: f32 = 0.5;
/// Standard deviations beyond which a value is no farther.
const FAR: f64 = 3.0;

/// Rows of columns. A number counts by its standard deviations from the mean, with their sign and without (so that a changed spread is
/// seen), and by its decile (so that any other change is); a category and a missing value are one feature each.
pub(super) fn mixed(tables: [Table; 2]) -> SparseRows {
    let columns = tables[0].columns;
    let mut first = 0;
    let encodings: Vec<Encoding> = (0..columns)
        .map(|column| {
            let encoding = Encoding::new(tables.iter().flat_map(|table| table.column(column)), first);
            first += MISSING + 1 + encoding.categories.len() as u32;
            encoding
        })
        .collect();
    let weight = 1.0 / (columns as f32).sqrt();
    let mut rows = SparseRows::default();
    for row in tables.iter().flat_map(|table| table.values.chunks_exact(columns)) {
        let features = row.iter().zip(&encodings).flat_map(|(value, encoding)| encoding.features(*value));
        rows.push(features.map(|(feature, value)| (feature, value * weight)));
    }
    rows
}

/// How one column becomes features.
struct Encoding {
    first: u32,
    moments: Moments,
    /// Inner edges; a value on an edge belongs to the bin below it.
    edges: Vec<f64>,
    /// Each category's number.
    categories: BTreeMap<u32, u32>,
}

impl Encoding {
    fn new(values: impl Iterator<Item = Value>, first: u32) -> Self {
        let (mut numbers, mut categories) = (Vec::new(), BTreeMap::new());
        for value in values {
            match value {
                Value::Number(x) if !x.is_nan() => numbers.push(x),
                Value::Category(code) => drop(categories.insert(code, 0)),
                _ => {}
            }
        }
        categories.values_mut().enumerate().for_each(|(number, entry)| *entry = number as u32);
        let moments = moments(numbers.iter().copied().filter(|x| x.is_finite()));
        numbers.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<f64> =
            (1..DECILES).filter_map(|i| numbers.get(numbers.len() * i / DECILES).copied()).collect();
        edges.dedup();
        Encoding { first, moments, edges, categories }
    }

    fn features(&self, value: Value) -> impl Iterator<Item = (u32, f32)> {
        let features = match value {
            Value::Number(x) if !x.is_nan() => {
                let far = standardised(x, &self.moments);
                let decile = self.edges.partition_point(|edge| *edge < x);
                [Some((0, far as f32)), Some((1 + decile as u32, DECILE_WEIGHT)), Some((WAY, (far.abs() - 1.0) as f32))]
            }
            Value::Category(code) => [self.categories.get(&code).map(|number| (MISSING + 1 + number, 1.0)), None, None],
            _ => [Some((MISSING, 1.0)), None, None],
        };
        features.into_iter().flatten().map(|(feature, value)| (self.first + feature, value))
    }
}

/// Vectors, each component by its standard deviations from the mean.
pub(super) fn vectors(sides: [Vectors; 2]) -> SparseRows {
    let dims = sides[0].dims;
    let of_all = |at| moments(sides.iter().flat_map(|side| side.component(at)));
    let scales: Vec<Moments> = (0..dims).map(of_all).collect();
    let weight = 1.0 / (dims as f32).sqrt();
    let mut rows = SparseRows::default();
    for row in sides.iter().flat_map(|side| side.values.chunks_exact(dims)) {
        let scaled = row.iter().zip(&scales).map(|(&x, scale)| standardised(f64::from(x), scale) as f32 * weight);
        rows.push(scaled.enumerate().map(|(at, x)| (at as u32, x)));
    }
    rows
}

/// 0 where nothing varies.
fn standardised(x: f64, moments: &Moments) -> f64 {
    let std = moments.std();
    if std > 0.0 { ((x - moments.mean) / std).clamp(-FAR, FAR) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_texts_are_those_of_scikit_learn() {
        let bags: [&[u32]; 3] = [&[3, 3, 7], &[3, 9, 9, 9], &[3, 7, 9]];
        let rows = texts(bags.into_iter());
        // TfidfTransformer(sublinear_tf=True).fit_transform([[2, 1, 0], [1, 0, 3], [1, 1, 1]])
        let expected = [
            vec![(3, 0.7959605415681652), (7, 0.6053485081062916)],
            vec![(3, 0.34704923496523554), (9, 0.937846911020154)],
            vec![(3, 0.48133416873660545), (7, 0.6198053799406072), (9, 0.6198053799406072)],
        ];
        for (row, expected) in expected.into_iter().enumerate() {
            let found: Vec<(usize, f64)> = rows.row(row).collect();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-7, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_text_of_words_that_no_other_has_is_empty() {
        let bags: [&[u32]; 3] = [&[1, 2], &[1, 5, 5], &[8]];
        let rows = texts(bags.into_iter());
        assert_eq!(rows.row(1).count(), 1);
        assert_eq!(rows.row(2).count(), 0);
    }

    #[test]
    fn every_value_of_a_mixed_row_is_a_feature() {
        use Value::{Category, Missing, Number};
        let before = [Number(1.0), Category(7), Missing, Category(9), Number(f64::NAN), Missing];
        let after = [Number(f64::INFINITY), Category(2), Number(3.0), Category(7)];
        let rows = mixed([Table { values: &before, columns: 2 }, Table { values: &after, columns: 2 }]);
        let features = |row| rows.row(row).map(|(feature, _)| feature).collect::<Vec<_>>();
        assert_eq!(features(0).len(), 4, "a number has three features and a category one");
        assert_eq!(features(1)[0], MISSING as usize);
        assert_eq!(features(2)[0], MISSING as usize, "NaN is missing");
        assert_eq!(features(0)[3], features(4)[3], "the same category on both sides");
        assert_eq!(features(3)[2], WAY as usize);
        assert!((0..5).all(|row| rows.row(row).all(|(_, x)| x.is_finite())));
    }
}
