//! The promises of the scores of rows, kept or broken by simulation: about one undrifted pair in a hundred is above the noise, and
//! the drift that each is for is found.

use super::*;
use crate::stats::draw::Draw;
use crate::stats::{Outcome, Undefined, domain_classifier, embedding, mmd, reconstruction};

/// Scores of two sides.
type VectorScore = fn(Vectors, Vectors) -> Result<Outcome, Undefined>;
type TableScore = fn(Table, Table) -> Result<Outcome, Undefined>;

/// Of so many seeded pairs, the share above the noise, and the mean score.
fn pairs(count: usize, mut pair: impl FnMut(&mut Draw) -> Result<Outcome, Undefined>) -> (f64, f64) {
    let mut draw = Draw::new(count as u128);
    let (mut above, mut sum) = (0, 0.0);
    for _ in 0..count {
        let found = pair(&mut draw).expect("both sides have rows");
        above += usize::from(found.score > found.noise.expect("every score of rows has noise"));
        sum += found.score;
    }
    (above as f64 / count as f64, sum / count as f64)
}

/// Undrifted pairs of few rows, and of many.
const FEW: usize = 1200;
const MANY: usize = 300;

/// What [`pairs`] found of both.
fn assert_about_one_in_a_hundred(name: &str, few: (f64, f64), many: (f64, f64)) {
    let share = (few.0 * FEW as f64 + many.0 * MANY as f64) / (FEW + MANY) as f64;
    assert!((0.003..=0.02).contains(&share), "{name}: {share} of undrifted pairs above the noise");
}

/// Texts of so many words with shares that fall as 1 / rank; `other` of them are on another topic, which has 40 % of their words.
fn texts(draw: &mut Draw, count: usize, words: usize, other: f64) -> Vec<Vec<u32>> {
    const WORDS: f64 = 3000.0;
    let mut one = |topic: bool| {
        let mut word = || {
            let rank = WORDS.powf(draw.below(1 << 30) as f64 / f64::from(1 << 30)) as u32;
            if topic && draw.below(10) < 4 { WORDS as u32 + rank } else { rank }
        };
        let mut bag: Vec<u32> = (0..words).map(|_| word()).collect();
        bag.sort_unstable();
        bag
    };
    (0..count).map(|i| one((i as f64) < other * count as f64)).collect()
}

/// Vectors whose components share a part of their luck; the first tenth is moved by so many standard deviations.
fn vectors(draw: &mut Draw, rows: usize, dims: usize, shift: f64) -> Vec<f32> {
    let mut values = Vec::new();
    for _ in 0..rows {
        let common = draw.normal();
        let component = |at| 0.9 * draw.normal() + 0.436 * common + if at * 10 < dims { shift } else { 0.0 };
        values.extend((0..dims).map(component).map(|x| x as f32));
    }
    values
}

/// A pair of `n` and `m` vectors.
fn of_vectors(
    (n, m, dims, shift): (usize, usize, usize, f64),
    score: VectorScore,
) -> impl Fn(&mut Draw) -> Result<Outcome, Undefined> {
    move |draw| {
        let (reference, current) = (vectors(draw, n, dims, 0.0), vectors(draw, m, dims, shift));
        score(Vectors { values: &reference, dims }, Vectors { values: &current, dims })
    }
}

/// Ten columns: normal, skewed, dependent on each other (by `dependence`), with gaps, of categories. The first is `wide` times as wide.
fn table(draw: &mut Draw, rows: usize, wide: f64, dependence: f64) -> Vec<Value> {
    let rest = (1.0 - dependence * dependence).sqrt();
    let mut values = Vec::new();
    for _ in 0..rows {
        let common = draw.normal();
        values.push(Value::Number(draw.normal() * wide));
        values.extend((0..3).map(|_| Value::Number(dependence * common + rest * draw.normal())));
        values.extend((0..3).map(|_| Value::Number((0.8 * common + 0.5 * draw.normal()).exp())));
        values.push(if draw.below(10) == 0 { Value::Missing } else { Value::Number(draw.normal()) });
        values.extend((0..2).map(|_| Value::Category(draw.below(30).min(draw.below(30)) as u32)));
    }
    values
}

fn of_tables(
    (n, m, wide, dependence): (usize, usize, f64, f64),
    score: TableScore,
) -> impl Fn(&mut Draw) -> Result<Outcome, Undefined> {
    move |draw| {
        let (reference, current) = (table(draw, n, 1.0, 0.8), table(draw, m, wide, dependence));
        score(Table { values: &reference, columns: 10 }, Table { values: &current, columns: 10 })
    }
}

#[test]
fn undrifted_texts_exceed_the_noise_once_in_a_hundred() {
    let of_texts =
        |n, m| move |draw: &mut Draw| domain_classifier::of_texts(&texts(draw, n, 20, 0.0), &texts(draw, m, 20, 0.0));
    assert_about_one_in_a_hundred("classifier", pairs(FEW, of_texts(100, 100)), pairs(MANY, of_texts(1000, 300)));
}

#[test]
fn undrifted_rows_exceed_the_noise_once_in_a_hundred() {
    let (few, many) = ((100, 100, 1.0, 0.8), (1000, 300, 1.0, 0.8));
    let scores: [(&str, TableScore); 2] =
        [("classifier", domain_classifier::of_tables), ("reconstruction", reconstruction::drift)];
    for (name, score) in scores {
        assert_about_one_in_a_hundred(name, pairs(FEW, of_tables(few, score)), pairs(MANY, of_tables(many, score)));
    }
}

/// The scores that deals of the labels rank are exact at any size: few rows do.
#[test]
fn undrifted_vectors_exceed_the_noise_once_in_a_hundred() {
    let scores: [(&str, VectorScore); 4] = [
        ("mmd", mmd::of_vectors),
        ("mean_distance", embedding::mean_distance),
        ("drifted_components", embedding::drifted_components),
        ("classifier", domain_classifier::of_vectors),
    ];
    for (name, score) in scores {
        let (few, many) = ((40, 40, 20, 0.0), (100, 60, 20, 0.0));
        assert_about_one_in_a_hundred(name, pairs(FEW, of_vectors(few, score)), pairs(MANY, of_vectors(many, score)));
    }
}

#[test]
fn another_topic_is_found() {
    let of_share = |share| {
        move |draw: &mut Draw| domain_classifier::of_texts(&texts(draw, 1000, 80, 0.0), &texts(draw, 1000, 80, share))
    };
    // Were each of them recognised, the score would be (1 + share) / 2.
    let (found, score) = pairs(10, of_share(0.1));
    assert!(found >= 0.5 && (0.535..0.555).contains(&score), "a tenth: {found} found, {score}");
    let (found, score) = pairs(10, of_share(0.2));
    assert!(found == 1.0 && (0.57..0.605).contains(&score), "a fifth: {found} found, {score}");
}

#[test]
fn a_twice_as_wide_column_and_a_lost_dependence_are_found_each_by_its_own() {
    let classifier = domain_classifier::of_tables;
    let (found, score) = pairs(20, of_tables((1000, 1000, 2f64.sqrt(), 0.8), classifier));
    assert!(found >= 0.9 && score > 0.56, "twice the variance: {found} found, {score}");
    let (found, _) = pairs(20, of_tables((1000, 1000, 1.0, 0.3), classifier));
    assert!(found <= 0.1, "a linear model cannot see it: {found} found");
    let (found, score) = pairs(20, of_tables((1000, 1000, 1.0, 0.3), reconstruction::drift));
    assert!(found == 1.0 && score > 6.0, "a lost dependence: {found} found, {score}");
}

#[test]
fn a_tenth_of_the_components_moved_by_0_3_is_found() {
    let moved = (1000, 1000, 50, 0.3);
    let scores: [(&str, f64, VectorScore); 4] = [
        ("mmd", 0.002, mmd::of_vectors),
        ("mean_distance", 0.05, embedding::mean_distance),
        ("drifted_components", 0.05, embedding::drifted_components),
        ("domain_classifier", 0.55, domain_classifier::of_vectors),
    ];
    for (name, limit, score) in scores {
        let (found, mean) = pairs(1, of_vectors(moved, score));
        assert!(found == 1.0 && mean > limit, "{name}: {found} found, {mean}");
    }
}
