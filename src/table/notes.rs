//! What the table cannot say in a word: a sentence for the worst columns, and why some were not tested.
//!
//! This file knows the Report and nothing of how it came to be.

use super::{Ink, PREDICTION_NOTE, Paper, clean, percent};
use crate::report::{ColumnReport, Role};

/// Sentences of one kind; a table of a thousand columns has no end of its own below it.
const SENTENCES_MAX: usize = 5;

/// From so many more strange values than the reference has, as a share of all, a note tells of them.
const WORTH_TELLING: f64 = 0.01;

/// `columns`: the worst first.
pub fn notes(columns: &[&ColumnReport], paper: Paper) -> String {
    let mut text = String::new();
    if columns.iter().any(|column| column.role == Role::Prediction) {
        text += &format!(" {}\n", paper.ink(Ink::Dim, PREDICTION_NOTE));
    }
    // What the prediction did stands above the table.
    let told = |column: &&ColumnReport| column.drifted == Some(true) && column.role == Role::Feature;
    let (drifted, others): (Vec<&ColumnReport>, Vec<&ColumnReport>) = columns.iter().copied().partition(told);
    let drifted = drifted.into_iter().map(|column| {
        let words = std::iter::once(column.reason.clone()).chain(strange(column));
        (clean(&column.column), words.collect::<Vec<_>>().join("; "))
    });
    let strange = others.into_iter().filter_map(|column| {
        let words: Vec<String> = strange(column).collect();
        (!words.is_empty()).then(|| (clean(&column.column), words.join("; ")))
    });
    for (heading, sentences) in
        [("drifted most", drifted.collect()), ("worth a look", strange.collect()), ("not tested", untested(columns))]
    {
        text += &some(heading, sentences, paper);
    }
    text
}

/// Values that the reference did not prepare for.
fn strange(column: &ColumnReport) -> impl Iterator<Item = String> {
    let ratios = [
        (column.unseen_ratio, column.unseen_ratio_reference, "new to the reference"),
        (column.infinite_ratio, column.infinite_ratio_reference, "infinite"),
        (column.out_of_range_ratio, column.out_of_range_ratio_reference, "outside of the reference's range"),
    ];
    let worth = |ratio: Option<f64>, reference: Option<f64>| {
        ratio.is_some_and(|ratio| ratio - reference.unwrap_or(0.0) >= WORTH_TELLING)
    };
    ratios
        .into_iter()
        .filter(move |(ratio, reference, _)| worth(*ratio, *reference))
        .map(|(ratio, _, what)| format!("{} of the values are {what}", percent(ratio)))
}

/// One sentence a reason, with the columns that it holds for.
fn untested(columns: &[&ColumnReport]) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    let mut tell = |reason: String, column| match reasons.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, columns)) => columns.push(column),
        None => reasons.push((reason, vec![column])),
    };
    for column in columns {
        for (method, why) in &column.undefined {
            tell(format!("{method}: {why}"), &column.column);
        }
        if column.tests.is_empty() && column.undefined.is_empty() {
            tell(column.reason.clone(), &column.column);
        }
    }
    let named = reasons.into_iter().map(|(reason, columns)| match columns.as_slice() {
        [one, more @ ..] if !more.is_empty() => (format!("{} and {} more", clean(one), more.len()), reason),
        _ => (clean(columns[0]), reason),
    });
    named.collect()
}

fn some(heading: &str, mut sentences: Vec<(String, String)>, paper: Paper) -> String {
    let more = sentences.len().saturating_sub(SENTENCES_MAX);
    sentences.truncate(SENTENCES_MAX);
    let mut text = paper.sentences(heading, &sentences);
    if more > 0 {
        text += &format!(" {}\n", paper.ink(Ink::Dim, &format!("and {more} more")));
    }
    text
}
