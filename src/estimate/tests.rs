use arrow::array::builder::{Float32Builder, ListBuilder};
use arrow::array::{DictionaryArray, Float64Array, ListArray};
use arrow::datatypes::Int32Type;

use super::*;

fn keys(texts: &[Option<&str>]) -> Column {
    Column::Keys(texts.iter().copied().collect::<DictionaryArray<Int32Type>>())
}

fn numbers(values: &[Option<f64>]) -> Column {
    Column::Numbers(values.iter().copied().collect::<Float64Array>())
}

fn vectors(rows: &[&[f32]]) -> Column {
    let mut builder = ListBuilder::new(Float32Builder::new());
    rows.iter().for_each(|row| builder.append_value(row.iter().map(|p| Some(*p))));
    let lists: ListArray = builder.finish();
    Column::Vectors(lists)
}

fn estimate(estimator: &Estimator, prediction: &Column, inputs: &[&Column], rows: usize) -> Option<Estimate> {
    let reading = estimator.read(prediction, inputs, rows);
    let mut expected = estimator.nothing();
    (0..rows).for_each(|row| reading.add(row, &mut expected));
    estimator.estimate(&expected)
}

fn assert_near(ours: Option<f64>, theirs: f64) {
    assert!(ours.is_some_and(|ours| (ours - theirs).abs() < 1e-7), "{ours:?}, not {theirs}");
}

#[test]
fn a_binary_estimate_is_that_of_nannyml() {
    let estimator = Estimator::binary("score", "1.0", Average::Binary, &[]);
    assert_eq!(estimator.inputs(), [Wanted { name: "score".to_string(), form: Form::Number }]);
    // The rows and numbers of src/stats/expected.rs, in which nothing is calibrated.
    let predicted = keys(&[Some("1"), Some("1"), Some("0"), Some("other"), Some("0")]);
    let scores = numbers(&[Some(0.9), Some(0.6), Some(0.4), Some(0.2), Some(0.7)]);
    let found = estimate(&estimator, &predicted, &[&scores], 5).expect("there are rows");
    assert_eq!(found.rows, 5);
    assert_near(found.f1, 0.625);
    assert_near(found.accuracy, 0.64);
    assert_near(found.precision, 0.75);
    assert_near(found.recall, 0.5357142857142857);
}

#[test]
fn rows_without_a_prediction_or_a_probability_tell_nothing() {
    let estimator = Estimator::binary("score", "1", Average::Binary, &[]);
    let predicted = keys(&[Some("1"), None, Some("1"), Some("1"), Some("1"), Some("1")]);
    let scores = numbers(&[Some(0.5), Some(0.5), None, Some(1.5), Some(-0.1), Some(f64::NAN)]);
    assert_eq!(estimate(&estimator, &predicted, &[&scores], 6).map(|found| found.rows), Some(1));
    assert_eq!(estimate(&estimator, &predicted, &[&Column::Absent], 6), None);
    assert_eq!(estimate(&estimator, &Column::Absent, &[&scores], 6), None);
    assert_eq!(estimate(&estimator, &predicted, &[&scores], 0), None);
}

#[test]
fn lists_are_brought_to_a_sum_of_one() {
    let classes = ["a", "b", "c"].map(str::to_string);
    let estimator = Estimator::classes("probabilities", &classes, (Average::Macro, 0), (&[], &[]));
    let lists = vectors(&[&[0.5, 0.25, 0.25], &[0.1, 0.1, 0.2], &[0.0, 0.0, 0.0], &[0.5, 0.5], &[0.5, 2.0, 0.0]]);
    let predicted = keys(&[Some("a"), Some("c"), Some("b"), Some("a"), Some("a")]);
    let found = estimate(&estimator, &predicted, &[&lists], 5).expect("there are rows");
    assert_eq!(found.rows, 3, "a list of two and one with a 2 tell nothing");
    assert_near(found.accuracy, (0.5 + 0.5 + 1.0 / 3.0) / 3.0);
    // Of each class, 2 tp / (predicted + expected): of a 1 / (1 + 1.083333...), and so on.
    let f1 = (2.0 * 0.5 / (1.0 + 13.0 / 12.0) + 2.0 / 3.0 / (1.0 + 5.0 / 6.0) + 2.0 * 0.5 / (1.0 + 13.0 / 12.0)) / 3.0;
    assert_near(found.f1, f1);
    let unknown = keys(&[Some("d"); 5]);
    assert_eq!(estimate(&estimator, &unknown, &[&lists], 5), None);
}

#[test]
fn a_top_score_tells_the_accuracy_and_nothing_else() {
    // Nine tenths say so, and seven tenths are right.
    let rows: Vec<(f64, bool)> = (0..1000).map(|i| (0.9, i % 10 < 7)).collect();
    let estimator = Estimator::right("score", &rows);
    let found = estimate(&estimator, &keys(&[Some("a"), Some("b")]), &[&numbers(&[Some(0.9); 2])], 2).expect("rows");
    assert_near(found.accuracy, 0.7);
    assert_eq!((found.f1, found.precision, found.mean_absolute_error), (None, None, None));
}

#[test]
fn a_regression_has_the_errors_that_its_features_make_probable() {
    let color: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
    let predicted: Vec<f64> = (0..1000).map(|i| f64::from(i * 7 % 31)).collect();
    let errors: Vec<f64> = color.iter().map(|color| 1.0 + color).collect();
    let losses = Losses::learn(&[color, predicted], &errors).expect("there are rows");
    let codes = [("red".to_string(), 0.0), ("2".to_string(), 1.0)].into();
    let estimator = Estimator::losses(vec![("color".to_string(), Code::Category(codes))], losses);
    assert_eq!(estimator.inputs()[0].form, Form::Key);
    let colors = keys(&[Some("2.0"), Some("2"), Some("red"), Some("red")]);
    let found = estimate(&estimator, &numbers(&[Some(3.0), Some(4.0), Some(5.0), None]), &[&colors], 4).expect("rows");
    assert_eq!((found.rows, found.f1), (3, None));
    assert!((found.mean_absolute_error.unwrap() - 5.0 / 3.0).abs() < 1e-3, "{found:?}");
    assert!((found.root_mean_squared_error.unwrap() - 3f64.sqrt()).abs() < 1e-3, "{found:?}");
}

#[test]
fn what_is_expected_merges_in_any_order() {
    let estimator = Estimator::binary("score", "1", Average::Binary, &[]);
    let scores: Vec<Option<f64>> = (0..900).map(|i| Some(f64::from(i * 37 % 101) / 101.0)).collect();
    let predicted: Vec<Option<&str>> = (0..900).map(|i| Some(if i % 3 == 0 { "1" } else { "0" })).collect();
    let reading = estimator.read(&keys(&predicted), &[&numbers(&scores)], 900);
    let part = |rows: std::ops::Range<usize>| {
        let mut expected = estimator.nothing();
        rows.for_each(|row| reading.add(row, &mut expected));
        expected
    };
    let whole = estimator.estimate(&part(0..900)).expect("there are rows");
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut merged = estimator.nothing();
        order.into_iter().for_each(|third| merged.merge(&part(third * 300..(third + 1) * 300)));
        let merged = estimator.estimate(&merged).expect("there are rows");
        assert_eq!(merged.rows, 900);
        assert!((merged.f1.unwrap() - whole.f1.unwrap()).abs() < 1e-12);
    }
}
