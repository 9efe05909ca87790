//! Texts, vectors and several columns at once, from Parquet to the Report: what moved is seen and told, what did not is not,
//! and what cannot be tested says why.

#[path = "support/logs.rs"]
mod logs;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Float64Type};
use drift_sidecar::config;
use drift_sidecar::once::compare;
use drift_sidecar::report::{ColumnReport, Kind, ModelReport, Role, WindowReport};
use drift_sidecar::settings::Definition;
use drift_sidecar::worker::Worker;
use logs::{NOW, column, floats, ids, log, read, table, texts, time, with, without, write};

/// Numbers that look drawn by lot, the same in every run.
fn lot(row: usize, seed: u64) -> u64 {
    let mixed = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed.wrapping_mul(0xD1B5_4A32_D192_ED03);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn uniform(row: usize, seed: u64) -> f64 {
    (lot(row, seed) >> 11) as f64 / (1u64 << 53) as f64
}

/// About normal: mean 0, standard deviation 1.
fn normal(row: usize, seed: u64) -> f64 {
    (0..12).map(|part| uniform(row, seed * 12 + part)).sum::<f64>() - 6.0
}

const TOYS: [&str; 8] = ["wooden", "puzzle", "doll", "toy", "children", "game", "blocks", "train"];
const POOL: [&str; 8] = ["pool", "pump", "filter", "chlorine", "garden", "hose", "cover", "water"];

/// Eight words of a topic.
fn text(row: usize, topic: &[&str; 8]) -> String {
    (0..8).map(|word| topic[(lot(row, word) % 8) as usize]).collect::<Vec<_>>().join(" ")
}

/// Products of toys, a share of them of the other topic.
fn designations(rows: std::ops::Range<usize>, share: f64) -> ArrayRef {
    let topic = |row| if uniform(row, 77) < share { &POOL } else { &TOYS };
    Arc::new(StringArray::from_iter_values(rows.map(|row| text(row, topic(row)))))
}

/// Vectors of eight numbers, moved by so many standard deviations.
fn vectors(rows: std::ops::Range<usize>, moved: f64) -> ArrayRef {
    let row = |row| Some((0..8).map(|at| Some((normal(row, 100 + at) + moved) as f32)).collect::<Vec<_>>());
    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows.map(row), 8))
}

fn classes(rows: std::ops::Range<usize>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.map(|row| ["a", "b"][(lot(row, 5) % 2) as usize])))
}

/// Requests from row to row: price and size go together.
fn requests(from: usize, to: usize) -> RecordBatch {
    let price: ArrayRef = Arc::new(Float64Array::from_iter_values((from..to).map(|row| normal(row, 1))));
    let size: ArrayRef =
        Arc::new(Float64Array::from_iter_values((from..to).map(|row| 2.0 * normal(row, 1) + 0.3 * normal(row, 2))));
    table(vec![
        ("request_id", ids(from, to)),
        ("timestamp", logs::times((from..to).map(|row| Some(time(row))))),
        ("price", price),
        ("size", size),
        ("designation", designations(from..to, 0.0)),
        ("embedding", vectors(from..to, 0.0)),
        ("prediction", classes(from..to)),
    ])
}

/// A folder with a reference of rows that come again in no log.
struct Logs(tempfile::TempDir);

impl Logs {
    fn new() -> Logs {
        let reference = requests(120_000, 123_000);
        Logs::of(&reference)
    }

    fn of(reference: &RecordBatch) -> Logs {
        let logs = Logs(tempfile::tempdir().unwrap());
        write(&logs.path("reference.parquet"), &[without(&without(reference, "request_id"), "timestamp")]);
        logs
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn worker(&self, more: &str) -> Worker {
        let text = format!(
            "models:\n  - name: m\n    requests: {{path: requests}}\n    reference: {{path: reference.parquet}}\n    windows: [1h]\n    rows_min: 1\n{more}"
        );
        let loaded = config::parse(&text, &self.path("sidecar.yaml"), &|_| None).unwrap();
        Worker::new(loaded.whole().unwrap().models.remove(0), None)
    }

    fn read(&self, more: &str) -> ModelReport {
        read(&mut self.worker(more), NOW)
    }
}

/// What a log of these rows comes to.
fn report(rows: &RecordBatch) -> ModelReport {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), std::slice::from_ref(rows));
    logs.read("")
}

/// No NaN, no infinity: JSON has none, and would say null.
fn whole(report: &ModelReport) {
    for test in report.windows.iter().flat_map(|window| window.columns.iter().flat_map(|column| &column.tests)) {
        assert!(test.score.is_finite() && test.noise.is_none_or(f64::is_finite), "{test:?}");
    }
}

fn scores(window: &WindowReport) -> Vec<(String, f64)> {
    let tests = window.columns.iter().flat_map(|column| column.tests.iter().map(move |test| (&column.column, test)));
    tests.map(|(column, test)| (format!("{column} {}", test.method), test.score)).collect()
}

fn drifted(column: &ColumnReport) -> bool {
    column.drifted.unwrap_or_else(|| panic!("no verdict: {column:?}"))
}

#[test]
fn a_quiet_log_has_not_drifted() {
    let report = report(&requests(0, 2000));
    whole(&report);
    assert_eq!(column(&report, "designation").kind, Kind::Text);
    assert_eq!(column(&report, "embedding").kind, Kind::Embedding);
    let methods = |name| column(&report, name).tests.iter().map(|test| test.method).collect::<Vec<_>>();
    assert_eq!(methods("designation"), ["domain_classifier"]);
    assert_eq!(methods("embedding"), ["mean_distance", "domain_classifier"]);
    for name in ["designation", "embedding", "price", "size"] {
        assert!(!drifted(column(&report, name)), "{:?}", column(&report, name));
    }
}

#[test]
fn a_topic_that_a_fifth_of_the_texts_changed_to_is_told() {
    let report = report(&with(&requests(0, 2000), "designation", designations(0..2000, 0.2)));
    let found = column(&report, "designation");
    assert!(drifted(found), "{found:?}");
    // A fifth that is surely recognised: (1 + 0.2) / 2.
    assert!((found.tests[0].score - 0.6).abs() < 0.05, "{found:?}");
    assert!(found.reason.starts_with("domain_classifier 0."), "{}", found.reason);
    assert!(found.reason.contains(">= threshold 0.55 and > noise"), "{}", found.reason);
    assert!(!drifted(column(&report, "embedding")));
}

#[test]
fn vectors_that_moved_are_told() {
    let report = report(&with(&requests(0, 2000), "embedding", vectors(0..2000, 0.5)));
    let found = column(&report, "embedding");
    assert!(drifted(found), "{found:?}");
    // Every component by half a standard deviation.
    assert!((found.tests[0].score - 0.5).abs() < 0.05, "{found:?}");
    assert!(!drifted(column(&report, "designation")));
}

#[test]
fn all_methods_of_vectors_work_on_lists_of_doubles_of_one_length() {
    let lists = |rows: std::ops::Range<usize>, moved: f64| -> ArrayRef {
        let row = |row| Some((0..3).map(|at| Some(normal(row, 100 + at) + moved)).collect::<Vec<_>>());
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows.map(row)))
    };
    let logs = Logs::of(&with(&requests(120_000, 121_000), "embedding", lists(120_000..121_000, 0.0)));
    write(&logs.path("requests/1.parquet"), &[with(&requests(0, 500), "embedding", lists(0..500, 1.0))]);
    let methods = "[mmd, drifted_components, mean_distance, domain_classifier]";
    let report = logs.read(&format!("    drift: {{embedding: {methods}}}\n"));
    let found = column(&report, "embedding");
    assert_eq!(found.tests.len(), 4, "{found:?}");
    assert!(found.tests.iter().all(|test| test.drifted), "{found:?}");
}

#[test]
fn missing_texts_are_drift() {
    let some = (0..2000).map(|row| text(row, &TOYS)).collect::<Vec<_>>();
    let column_of = texts(some.iter().enumerate().map(|(row, text)| (row % 2 == 0).then_some(text.as_str())));
    let report = report(&with(&requests(0, 2000), "designation", column_of));
    let found = column(&report, "designation");
    assert!(drifted(found));
    assert!(found.reason.starts_with("50.0 % of the values are missing, 0.0 % in the reference"), "{}", found.reason);
}

#[test]
fn what_cannot_be_tested_says_why() {
    let nothing = texts(std::iter::repeat_n(None, 2000));
    let report_of = report(&with(&requests(0, 2000), "designation", nothing));
    let found = column(&report_of, "designation");
    assert!(drifted(found), "all are missing: {found:?}");
    assert_eq!(found.tests.len(), 0);
    assert_eq!(found.undefined["domain_classifier"], "a side has fewer than four rows");

    let one = report(&requests(0, 1));
    whole(&one);
    assert_eq!(column(&one, "designation").drifted, None);
    assert_eq!(column(&one, "designation").reason, "domain_classifier: a side has fewer than four rows");
    assert!(!drifted(column(&one, "embedding")));

    let empty = report(&with(&requests(0, 2000), "designation", texts(std::iter::repeat_n(Some(""), 2000))));
    whole(&empty);
    let found = column(&empty, "designation");
    assert!(drifted(found), "a text without words is none of the reference's: {found:?}");
    assert_eq!(found.missing_ratio, Some(0.0));
}

#[test]
fn a_text_column_that_is_a_number_later_counts_as_missing() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 1000)]);
    let number = floats((1000..2000).map(|row| Some(row as f64)));
    write(&logs.path("requests/2.parquet"), &[with(&requests(1000, 2000), "designation", number)]);
    let report = logs.read("");
    let found = column(&report, "designation");
    assert_eq!(found.missing_ratio, Some(0.5));
    assert!(drifted(found));
    assert_eq!(log(&report, "requests").column_problems["designation"]["type"], 1);
}

#[test]
fn vectors_of_another_length_or_without_numbers_are_missing() {
    let rows = (0..1000).map(|row| match row % 4 {
        0 => Some(vec![Some(f32::NAN); 8]),
        1 => Some(vec![Some(1.0); 7]),
        2 => None,
        _ => Some((0..8).map(|at| Some(normal(row, 100 + at) as f32)).collect::<Vec<_>>()),
    });
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
    let report = report(&with(&requests(0, 1000), "embedding", lists));
    whole(&report);
    assert_eq!(column(&report, "embedding").missing_ratio, Some(0.75));
}

#[test]
fn lists_of_many_lengths_are_no_vectors() {
    let rows = (0..100).map(|row| Some(vec![Some(1.0); 1 + row % 3]));
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
    let logs = Logs::of(&with(&requests(0, 100), "embedding", lists));
    write(&logs.path("requests/1.parquet"), &[requests(0, 100)]);
    let ignored = logs.read("").reference.unwrap().ignored_columns;
    assert_eq!(ignored["embedding"], "its lists have 1 to 3 numbers; vectors of one length can be compared");
}

#[test]
fn texts_may_go_without_a_test() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[with(&requests(0, 900), "designation", designations(0..900, 0.5))]);
    let report = logs.read("    drift: {text: none}\n");
    let found = column(&report, "designation");
    assert!(found.tests.is_empty() && found.undefined.is_empty());
    assert_eq!(found.drifted, Some(false));
}

#[test]
fn the_numbers_are_the_same_in_any_order_of_files_and_after_a_restart() {
    let (one, other) = (Logs::new(), Logs::new());
    for (at, from) in (0..6000).step_by(1000).enumerate() {
        write(&one.path(&format!("requests/{at}.parquet")), &[requests(from, from + 1000)]);
        write(&other.path(&format!("requests/{}.parquet", 9 - at)), &[requests(from, from + 1000)]);
    }
    let more = "    drift: {multivariate: [reconstruction, domain_classifier]}\n";
    let (straight, backward) = (one.read(more), other.read(more));
    let mut worker = one.worker(more);
    worker.turn(NOW);
    worker = one.worker(more);
    let again = read(&mut worker, NOW);
    assert_eq!(scores(&straight.windows[0]), scores(&backward.windows[0]));
    assert_eq!(scores(&straight.windows[0]), scores(&again.windows[0]));
    let together = |report: &ModelReport| {
        report.windows[0].multivariate.iter().map(|test| (test.method, test.score)).collect::<Vec<_>>()
    };
    assert_eq!(together(&straight).len(), 2);
    assert_eq!(together(&straight), together(&backward));
    assert_eq!(together(&straight), together(&again));
}

#[test]
fn columns_that_go_together_no_more_are_told_though_each_stays_as_it_was() {
    let logs = Logs::new();
    let size = floats((0..2000).map(|row| Some(2.0 * normal(row, 3) + 0.3 * normal(row, 2))));
    write(&logs.path("requests/1.parquet"), &[with(&requests(0, 2000), "size", size)]);
    let report = logs.read("    drift: {multivariate: reconstruction}\n");
    assert!(!drifted(column(&report, "price")) && !drifted(column(&report, "size")));
    let window = &report.windows[0];
    assert_eq!(window.data_drift_detected, Some(false));
    let [test] = &window.multivariate[..] else { panic!("{:?}", window.multivariate) };
    assert!(test.drifted && test.score > 3.0, "{test:?}");
}

fn compared(reference: &RecordBatch, current: &RecordBatch) -> ModelReport {
    let folder = tempfile::tempdir().unwrap();
    let write_as = |name: &str, rows: &RecordBatch| {
        let path = folder.path().join(name);
        write(&path, &[without(&without(rows, "request_id"), "timestamp")]);
        path
    };
    let (reference, current) = (write_as("reference.parquet", reference), write_as("current.parquet", current));
    let report =
        compare(config::compare(Definition::Robust, None, None, None), Path::new(&reference), &[current]).unwrap();
    report.models[0].as_ref().clone()
}

#[test]
fn a_comparison_makes_all_these_tests() {
    let moved = with(&requests(0, 2000), "designation", designations(0..2000, 0.2));
    let report = compared(&requests(120_000, 123_000), &moved);
    whole(&report);
    assert!(drifted(column(&report, "designation")));
    assert!(!drifted(column(&report, "embedding")));
    let window = &report.windows[0];
    assert_eq!(
        window.multivariate.iter().map(|test| (test.method, test.drifted)).collect::<Vec<_>>(),
        [("domain_classifier", false), ("reconstruction", false)]
    );
}

#[test]
fn equal_rows_are_as_likely_to_be_drawn_as_others() {
    // Two columns of two values: four rows, each there a thousand times and more.
    let of = |rows: std::ops::Range<usize>| {
        let color = |seed| texts(rows.clone().map(move |row| Some(["red", "blue"][(lot(row, seed) % 2) as usize])));
        table(vec![("color", color(1)), ("shape", color(2)), ("prediction", classes(rows.clone()))])
    };
    let folder = tempfile::tempdir().unwrap();
    let (reference, current) = (folder.path().join("r.parquet"), folder.path().join("c.parquet"));
    write(&reference, &[of(0..8000)]);
    write(&current, &[of(8000..14_000)]);
    let report = compare(config::compare(Definition::Robust, None, None, None), &reference, &[current]).unwrap();
    let window = &report.models[0].windows[0];
    assert_eq!(window.multivariate.len(), 2, "{:?}", window.multivariate_undefined);
    assert!(window.multivariate.iter().all(|test| !test.drifted), "{:?}", window.multivariate);
}

#[test]
fn no_numbers_and_no_categories_say_why() {
    let only = |rows: std::ops::Range<usize>| {
        let folder = designations(rows.clone(), 0.0);
        table(vec![("designation", folder), ("prediction", classes(rows))])
    };
    let folder = tempfile::tempdir().unwrap();
    let (reference, current) = (folder.path().join("r.parquet"), folder.path().join("c.parquet"));
    write(&reference, &[only(0..1000)]);
    write(&current, &[only(1000..1500)]);
    let report = compare(config::compare(Definition::Robust, None, None, None), &reference, &[current]).unwrap();
    let window = &report.models[0].windows[0];
    assert!(window.multivariate.is_empty());
    assert_eq!(window.multivariate_undefined["reconstruction"], "there is no numerical or categorical feature");
}

#[test]
fn a_text_is_described_in_numbers_of_their_own_which_no_verdict_counts() {
    let rows = requests(0, 2000);
    let longer = |row| format!("{}, {} neu {}!!", text(row, &TOYS), text(row + 9999, &TOYS), ["zusatz", "x1"][row % 2]);
    let described: ArrayRef = Arc::new(StringArray::from_iter((0..2000).map(|row| match row % 50 {
        0 => None,
        1 => Some(String::new()),
        _ => Some(longer(row)),
    })));
    let report = report(&with(&rows, "designation", described));
    whole(&report);
    for name in ["length", "words", "non_letters", "unseen_words"] {
        let told = column(&report, &format!("designation.{name}"));
        assert_eq!((told.role, told.kind, told.drifted), (Role::Descriptor, Kind::Numerical, Some(true)), "{told:?}");
        let missing = if ["length", "words"].contains(&name) { 0.02 } else { 0.04 };
        assert_eq!(told.missing_ratio, Some(missing), "{name}");
    }
    let window = &report.windows[0];
    // designation of four features: price, size, designation, embedding.
    assert_eq!(window.data_drift_score, Some(0.25));
    let quiet = self::report(&rows);
    let descriptors = quiet.windows[0].columns.iter().filter(|column| column.role == Role::Descriptor);
    let told: Vec<_> =
        descriptors.map(|column| (column.column.as_str(), column.drifted, column.reference_rows)).collect();
    let expected = ["length", "words", "non_letters", "unseen_words"];
    assert_eq!(told.len(), 4);
    for ((name, drifted, rows), which) in told.into_iter().zip(expected) {
        assert_eq!((name, drifted), (format!("designation.{which}").as_str(), Some(false)));
        assert_eq!(rows, if which == "unseen_words" { 1000 } else { 3000 });
    }
}

#[test]
fn a_descriptor_can_be_left_out_or_have_a_method_of_its_own() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 500)]);
    let report = logs.read(
        "    features:\n      designation.length: {ignore: true}\n      designation.words: {method: psi, threshold: 0.3}\n",
    );
    let columns = &report.windows[0].columns;
    assert!(columns.iter().all(|column| column.column != "designation.length"));
    let words = column(&report, "designation.words");
    assert_eq!((words.tests[0].method, words.tests[0].threshold), ("psi", Some(0.3)));
    assert!(report.reference.unwrap().ignored_columns.contains_key("designation.length"));
}

#[test]
fn words_that_are_rare_in_the_reference_are_rare_in_a_window_too() {
    // Every fourth text has a word that no other has.
    let with_number = |rows: std::ops::Range<usize>| {
        let texts = rows.map(|row| {
            let number = if row % 4 == 0 { format!("n{row}") } else { String::new() };
            format!("{} {number}", text(row, &TOYS))
        });
        Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
    };
    let logs = Logs::of(&with(&requests(120_000, 123_000), "designation", with_number(120_000..123_000)));
    write(&logs.path("requests/1.parquet"), &[with(&requests(0, 2000), "designation", with_number(0..2000))]);
    let quiet = logs.read("");
    assert!(!drifted(column(&quiet, "designation.unseen_words")), "{:?}", column(&quiet, "designation.unseen_words"));
    assert!(!drifted(column(&quiet, "designation")), "{:?}", column(&quiet, "designation"));
}

#[test]
fn missing_texts_are_told_of_the_text_alone() {
    let some = (0..2000).map(|row| text(row, &TOYS)).collect::<Vec<_>>();
    let half = texts(some.iter().enumerate().map(|(row, text)| (row % 2 == 0).then_some(text.as_str())));
    let report = report(&with(&requests(0, 2000), "designation", half));
    assert!(drifted(column(&report, "designation")));
    let words = column(&report, "designation.words");
    assert_eq!((words.missing_ratio, words.drifted), (Some(0.5), Some(false)));
}
