//! Estimates without labels on NannyML's own data, chunk by chunk, beside NannyML's: `tests/golden/estimates.py` wrote down what
//! it estimates, what came true, and the rows. CBPE is within 0.01 of it and DLE within 5 %, both at least as close to what came true.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use drift_sidecar::batch::{Batch, Column, Form, Wanted};
use drift_sidecar::estimate::Expected;
use drift_sidecar::label::{Labels, regression_quality};
use drift_sidecar::reference::{Draft, Reference};
use drift_sidecar::report::{Estimate, Quality};
use drift_sidecar::settings::{Average, ReferenceColumns, RequestColumns, Settings, Task};
use drift_sidecar::source::Table;
use drift_sidecar::stats::f1::Confusion;
use drift_sidecar::stats::regression::Errors;
use serde::Deserialize;

const SCRIPT: &str = include_str!("golden/estimates.py");
const GOLDEN: &str = include_str!("golden/estimates.json");

#[derive(Deserialize)]
struct Golden {
    script: String,
    loans: Set,
    cards: Set,
    prices: Set,
}

#[derive(Deserialize)]
struct Set {
    /// Of each chunk.
    rows: usize,
    #[serde(default)]
    classes: Vec<String>,
    metrics: BTreeMap<String, Numbers>,
}

/// One for each chunk.
#[derive(Deserialize)]
struct Numbers {
    estimated: Vec<f64>,
    /// As scikit-learn has it.
    realised: Vec<f64>,
    realised_nannyml: Option<Vec<f64>>,
}

fn golden() -> Golden {
    let golden: Golden = serde_json::from_str(GOLDEN).expect("what tests/golden/estimates.py writes");
    let digest = SCRIPT
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!(golden.script, format!("{digest:016x}"), "estimates.py has changed: run it again");
    golden
}

fn settings(task: Task, score: Option<&str>, probabilities: Option<&str>) -> Settings {
    let name = |name: Option<&str>| name.map(str::to_string);
    let prediction = "y_pred".to_string();
    let base = support::settings();
    let requests = RequestColumns {
        prediction: prediction.clone(),
        score: name(score),
        probabilities: name(probabilities),
        ..base.requests
    };
    let label = "y_true".to_string();
    let reference = ReferenceColumns { prediction, score: name(score), probabilities: name(probabilities), label };
    Settings { task: Some(task), requests, reference, f1_average: None, ..base }
}

fn table(name: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/estimates/{name}.parquet"));
    Table::open(&path).expect("a table of the repository")
}

fn reference(name: &str, settings: &Settings) -> Reference {
    let table = table(name);
    let mut draft = Draft::new(settings, table.fields(), table.rows());
    let wanted = draft.wanted();
    table.batches(&wanted).for_each(|batch| draft.ingest(&batch.expect("rows")));
    draft.finish().expect("a reference")
}

/// What one chunk has come to.
struct Chunk {
    expected: Expected,
    cells: Confusion,
    errors: Errors,
}

/// The estimate of each chunk, and what came true.
fn found(name: &str, settings: &Settings, rows: usize) -> Vec<(Estimate, Quality)> {
    let reference = reference(&format!("{name}_reference"), settings);
    assert_eq!(reference.plan.warnings, Vec::<String>::new());
    let estimator = reference.estimator.clone().expect("an estimator");
    let form = if settings.task == Some(Task::Regression) { Form::Number } else { Form::Key };
    let answers = [&settings.requests.prediction, &settings.reference.label];
    let answers = answers.map(|name| Wanted { name: name.clone(), form });
    let wanted: Vec<Wanted> = answers.into_iter().chain(estimator.inputs().iter().cloned()).collect();
    let table = table(&format!("{name}_analysis"));
    let empty = || Chunk { expected: estimator.nothing(), cells: Confusion::default(), errors: Errors::default() };
    let mut chunks: Vec<Chunk> = (0..table.rows() as usize / rows).map(|_| empty()).collect();
    let mut labels = reference.labels.clone();
    let mut read = 0;
    for batch in table.batches(&wanted) {
        let batch = batch.expect("rows");
        let inputs: Vec<&Column> = batch.columns[2..].iter().collect();
        let reading = estimator.read(&batch.columns[0], &inputs, batch.rows);
        let pairs = pairs(&batch, &mut labels);
        for row in 0..batch.rows {
            let chunk = &mut chunks[(read + row) / rows];
            reading.add(row, &mut chunk.expected);
            match pairs[row] {
                Pair::Classes(pair) => *chunk.cells.entry(pair).or_default() += 1,
                Pair::Values(predicted, truth) => assert!(chunk.errors.add(predicted, truth)),
            }
        }
        read += batch.rows;
    }
    let average = reference.plan.average;
    let finish = |chunk: Chunk| {
        let quality = match average {
            Some(average) => labels.quality(&chunk.cells, average, settings.positive_label.as_deref()),
            None => regression_quality(&chunk.errors),
        };
        let estimate = estimator.estimate(&chunk.expected).expect("there are rows");
        assert_eq!(estimate.rows, rows as u64);
        (estimate, quality.expect("there are rows"))
    };
    chunks.into_iter().map(finish).collect()
}

enum Pair {
    Classes((u16, u16)),
    Values(f64, f64),
}

fn pairs(batch: &Batch, labels: &mut Labels) -> Vec<Pair> {
    match (&batch.columns[0], &batch.columns[1]) {
        (Column::Keys(predicted), Column::Keys(truth)) => {
            let (predicted, truth) = (labels.codes(predicted), labels.codes(truth));
            let both = predicted.into_iter().zip(truth);
            both.map(|(p, t)| Pair::Classes((p.expect("a prediction"), t.expect("a label")))).collect()
        }
        (Column::Numbers(predicted), Column::Numbers(truth)) => {
            predicted.values().iter().zip(truth.values()).map(|(p, t)| Pair::Values(*p, *t)).collect()
        }
        _ => panic!("predictions and labels have one form"),
    }
}

fn distance(ours: &[f64], realised: &[f64]) -> f64 {
    ours.iter().zip(realised).map(|(ours, realised)| (ours - realised).abs()).sum::<f64>() / ours.len() as f64
}

/// Our numbers beside NannyML's: each at most `apart(theirs)` from it, all together as near to what came true.
fn assert_estimates(name: &str, golden: &Numbers, ours: &[f64], apart: impl Fn(f64) -> f64) {
    assert_eq!(ours.len(), golden.estimated.len());
    for (ours, theirs) in ours.iter().zip(&golden.estimated) {
        assert!((ours - theirs).abs() <= apart(*theirs), "{name}: {ours}, and {theirs} by NannyML");
    }
    let (near, theirs) = (distance(ours, &golden.realised), distance(&golden.estimated, &golden.realised));
    assert!(near <= theirs * (1.0 + 1e-12), "{name}: {near} from what came true, and NannyML {theirs}");
}

/// What came true is what scikit-learn says, and NannyML.
fn assert_realised(name: &str, golden: &Numbers, ours: &[f64]) {
    for theirs in [Some(&golden.realised), golden.realised_nannyml.as_ref()].into_iter().flatten() {
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{name}: {ours}, not {theirs}");
        }
    }
}

/// F1, precision, recall and accuracy, as far as they are estimated.
fn assert_classification(set: &Set, found: &[(Estimate, Quality)], estimated: &[&str]) {
    for (name, golden) in &set.metrics {
        let of = |found: &(Estimate, Quality)| match name.as_str() {
            "f1" => (found.0.f1, found.1.f1),
            "precision" => (found.0.precision, found.1.precision),
            "recall" => (found.0.recall, found.1.recall),
            "accuracy" => (found.0.accuracy, found.1.accuracy),
            other => panic!("{other} is not known"),
        };
        let realised: Vec<f64> = found.iter().map(|found| of(found).1.expect("it came true")).collect();
        assert_realised(name, golden, &realised);
        let ours: Vec<f64> = found.iter().filter_map(|found| of(found).0).collect();
        match estimated.contains(&name.as_str()) {
            true => assert_estimates(name, golden, &ours, |_| 0.01),
            false => assert!(ours.is_empty(), "{name} cannot be estimated"),
        }
    }
}

#[test]
fn loans_are_estimated_as_nannyml_does_it() {
    let set = golden().loans;
    let mut settings = settings(Task::Binary, Some("y_pred_proba"), None);
    settings.positive_label = Some("1".to_string());
    settings.reference.label = "repaid".to_string();
    let found = found("loans", &settings, set.rows);
    assert_classification(&set, &found, &["f1", "precision", "recall", "accuracy"]);
    // The band of so many rows around the estimate: what came true is within two standard errors of it in most chunks.
    let within = found.iter().filter(|(estimate, quality)| {
        let apart = (estimate.f1.unwrap() - quality.f1.unwrap()).abs();
        apart <= 2.0 * estimate.f1_standard_error.expect("an F1 has one")
    });
    assert!(within.count() >= 9);
}

#[test]
fn cards_are_estimated_as_nannyml_does_it() {
    let set = golden().cards;
    let mut settings = settings(Task::Multiclass, None, Some("probabilities"));
    settings.f1_average = Some(Average::Macro);
    settings
        .features
        .insert("score".to_string(), drift_sidecar::settings::Feature { ignore: true, ..Default::default() });
    let all = ["f1", "precision", "recall", "accuracy"];
    assert_classification(&set, &found("cards", &settings, set.rows), &all);
    settings.classes = set.classes.clone();
    assert_classification(&set, &found("cards", &settings, set.rows), &all);
}

#[test]
fn the_top_score_of_cards_is_enough_for_their_accuracy() {
    let set = golden().cards;
    let mut settings = settings(Task::Multiclass, Some("score"), None);
    settings.f1_average = Some(Average::Macro);
    let found = found("cards", &settings, set.rows);
    let ours: Vec<f64> = found.iter().filter_map(|(estimate, _)| estimate.accuracy).collect();
    let golden = &set.metrics["accuracy"];
    assert!(ours.iter().zip(&golden.estimated).all(|(ours, theirs)| (ours - theirs).abs() < 0.01), "{ours:?}");
    assert!(found.iter().all(|(estimate, _)| estimate.f1.is_none()));
}

#[test]
fn prices_are_estimated_as_nannyml_does_it() {
    let set = golden().prices;
    let found = found("prices", &settings(Task::Regression, None, None), set.rows);
    for (name, golden) in &set.metrics {
        let of = |(estimate, quality): &(Estimate, Quality)| match name.as_str() {
            "mean_absolute_error" => estimate.mean_absolute_error.zip(quality.mean_absolute_error),
            _ => estimate.root_mean_squared_error.zip(quality.root_mean_squared_error),
        };
        let (ours, realised): (Vec<f64>, Vec<f64>) = found.iter().filter_map(of).unzip();
        assert_realised(name, golden, &realised);
        assert_estimates(name, golden, &ours, |theirs| 0.05 * theirs);
    }
}

/// Why the cards' or loans' reference teaches no estimator.
fn why_not(name: &str, settings: &Settings) -> String {
    let mut reference = reference(&format!("{name}_reference"), settings);
    assert!(reference.estimator.is_none());
    assert_eq!(reference.plan.warnings.len(), 1, "{:?}", reference.plan.warnings);
    reference.plan.warnings.remove(0)
}

#[test]
fn where_an_estimate_was_asked_for_and_cannot_be_the_plan_says_why() {
    let mut loans = settings(Task::Binary, Some("y_pred_proba"), None);
    loans.positive_label = Some("1".to_string());
    assert!(why_not("loans", &loans).contains("no rows with prediction and label"), "there is no column y_true");
    loans.reference.label = "repaid".to_string();
    loans.reference.score = Some("no_such_column".to_string());
    assert!(why_not("loans", &loans).contains("`y_pred_proba`: the reference has no such scores"));
    let mut cards = settings(Task::Multiclass, None, Some("probabilities"));
    cards.classes = vec!["highstreet_card".to_string(), "prepaid_card".to_string()];
    assert!(why_not("cards", &cards).contains("its lists have 3 numbers, but there are 2 classes"));
    let prices = settings(Task::Regression, None, None);
    let without = ReferenceColumns { label: "no_such_column".to_string(), ..prices.reference.clone() };
    let without = reference("prices_reference", &Settings { reference: without, ..prices });
    assert!(without.estimator.is_none() && without.plan.warnings.is_empty(), "nobody asked for one");
}

#[test]
fn neither_scores_nor_probabilities_are_features() {
    let cards = settings(Task::Multiclass, Some("score"), Some("probabilities"));
    let reference = reference("cards_reference", &cards);
    assert_eq!(reference.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["y_pred"]);
    let inputs = reference.estimator.expect("an estimator");
    assert_eq!(inputs.inputs().iter().map(|wanted| wanted.name.as_str()).collect::<Vec<_>>(), ["probabilities"]);
}
