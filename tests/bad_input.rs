//! One bad thing stays one bad thing: each has a defined result and a counter with a reason, and the rest goes on.

#[path = "support/logs.rs"]
mod logs;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::Int32Type;
use drift_sidecar::report::ModelReport;
use drift_sidecar::settings::Task;
use drift_sidecar::worker::{Turn, Worker};
use logs::*;

/// A good file of a hundred rows beside whatever is bad.
fn beside(good: &Logs) {
    write(&good.path("requests/good.parquet"), &[requests(0, 100)]);
}

/// The good rows are there, all of them.
fn unharmed(report: &ModelReport) {
    assert_eq!(window(report).rows, 100);
    assert!(column(report, "price").tests.iter().all(|test| test.score.is_finite()));
}

fn after_a_quiet_while(logs: &Logs) -> ModelReport {
    let mut worker = logs.worker();
    let first = read(&mut worker, NOW);
    assert_eq!(log(&first, "requests").files["unfinished"], 1);
    assert_eq!(failed(&first), BTreeMap::new(), "it may still be being written");
    read(&mut worker, NOW + 11 * 60 * SECOND)
}

#[test]
fn files_that_are_no_parquet_yet_fail_after_a_quiet_while() {
    let whole = {
        let logs = Logs::new();
        write(&logs.path("requests/x.parquet"), &[requests(0, 100)]);
        fs::read(logs.path("requests/x.parquet")).unwrap()
    };
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b"PAR1", "unfinished"),
        (&whole[..whole.len() / 2], "unfinished"),
        (&whole[..whole.len() - 3], "unfinished"),
        (b"request_id,price\n1,2\n", "not_parquet"),
        (b"PAR1 and then nonsense of some length PAR1", "corrupt"),
    ];
    for (bytes, reason) in cases {
        let logs = Logs::new();
        beside(&logs);
        fs::write(logs.path("requests/bad.parquet"), bytes).unwrap();
        let report = after_a_quiet_while(&logs);
        assert_eq!(failed(&report), BTreeMap::from([(reason, 1)]));
        unharmed(&report);
    }
}

#[test]
fn a_file_that_is_finished_late_is_read_after_all() {
    let logs = Logs::new();
    beside(&logs);
    let path = logs.path("requests/late.parquet");
    write(&path, &[requests(100, 150)]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut worker = logs.worker();
    assert_eq!(window(&read(&mut worker, NOW)).rows, 100);
    let given_up = read(&mut worker, NOW + 11 * 60 * SECOND);
    assert_eq!(failed(&given_up), BTreeMap::from([("unfinished", 1)]));
    fs::write(&path, &whole).unwrap();
    let report = read(&mut worker, NOW + 12 * 60 * SECOND);
    assert_eq!((window(&report).rows, log(&report, "requests").files["failed"]), (150, 0));
}

#[test]
fn a_file_without_rows_is_read_and_gives_none() {
    let logs = Logs::new();
    beside(&logs);
    write(&logs.path("requests/none.parquet"), &[requests(0, 0)]);
    let report = logs.read();
    assert_eq!(log(&report, "requests").files["read"], 2);
    unharmed(&report);
}

#[test]
fn a_damaged_page_costs_the_rest_of_its_file_only() {
    let logs = Logs::new();
    let path = logs.path("requests/damaged.parquet");
    write(&path, &[requests(100, 200), requests(200, 300), requests(300, 400)]);
    beside(&logs);
    let size = fs::metadata(&path).unwrap().len();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(size / 2)).unwrap();
    file.write_all(&[0xff; 600]).unwrap();
    drop(file);
    let report = logs.read();
    assert_eq!(failed(&report), BTreeMap::from([("corrupt", 1)]));
    // The first row group was whole; where the damage is told late, some of the second's rows came too.
    assert!((200..400).contains(&window(&report).rows), "{}", window(&report).rows);
}

#[test]
fn a_file_that_vanishes_while_it_is_read_is_counted() {
    let logs = Logs::new();
    write(&logs.path("requests/a.parquet"), &[requests(100, 200)]);
    let mut worker = logs.worker();
    assert_eq!(window(&read(&mut worker, NOW)).rows, 100);
    // Listed together, the first gone before its turn comes: the worker opens it when it is not there any more.
    fs::remove_file(logs.path("requests/a.parquet")).unwrap();
    std::os::unix::fs::symlink(logs.path("nowhere"), logs.path("requests/dangling.parquet")).unwrap();
    beside(&logs);
    let report = read(&mut worker, NOW);
    assert_eq!(failed(&report), BTreeMap::from([("unreadable", 1)]));
    assert_eq!(window(&report).rows, 200, "rows that were read stay");
    let again = read(&mut worker, NOW + SECOND);
    assert_eq!(failed(&again), BTreeMap::from([("unreadable", 1)]), "the same failure is counted once");
}

#[test]
fn a_score_that_is_missing_or_no_number_costs_its_own_numbers_only() {
    let binary = |scores: Option<ArrayRef>| {
        let logs = Logs::new();
        let rows = requests(0, 100);
        let schema = rows.schema();
        let named = schema.fields().iter().map(|field| field.name().as_str()).zip(rows.columns().iter().cloned());
        let scores = scores.into_iter().map(|scores| ("score", scores));
        write(&logs.path("requests/x.parquet"), &[table(named.chain(scores).collect())]);
        write(&logs.path("outcomes/x.parquet"), &[outcomes(0, 100)]);
        let mut model = logs.config();
        model.monitor.task = Some(Task::Binary);
        model.monitor.positive_label = Some("a".to_string());
        model.monitor.requests.score = Some("score".to_string());
        let report = read(&mut Worker::new(model, None), NOW);
        let quality = window(&report).quality.clone().expect("a hundred outcomes");
        assert_eq!((quality.f1, quality.specificity), (Some(1.0), Some(1.0)));
        assert_eq!(
            (quality.log_loss.is_some(), quality.brier.is_some()),
            (quality.roc_auc.is_some(), quality.roc_auc.is_some())
        );
        unharmed(&report);
        let problems = log(&report, "requests").column_problems.get("score").cloned().unwrap_or_default();
        (quality.roc_auc, problems.into_keys().collect::<Vec<_>>())
    };
    let score = |i: usize| if class(i) == "a" { 0.75 } else { 0.25 };
    assert_eq!(binary(Some(floats((0..100).map(|i| Some(score(i)))))), (Some(1.0), vec![]));
    assert_eq!(
        binary(Some(Arc::new((0..100).map(|i| Some(score(i) as f32)).collect::<Float32Array>()))),
        (Some(1.0), vec![])
    );
    assert_eq!(binary(Some(floats((0..100).map(|i| Some(1.0 + score(i)))))), (None, vec![]));
    assert_eq!(binary(Some(floats((0..100).map(|_| None)))), (None, vec![]));
    assert_eq!(binary(Some(texts((0..100).map(|_| Some("0.75"))))), (None, vec!["type"]));
    assert_eq!(binary(None), (None, vec!["missing"]));
}

#[test]
fn a_column_that_is_missing_renamed_or_retyped_counts_as_missing_values_and_is_drift() {
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..100).map(|i| format!("{i} EUR"))));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>((0..100).map(|i| Some([Some(i)]))));
    let cases = [
        (without(&requests(0, 100), "price"), "missing"),
        (with(&requests(0, 100), "price", text), "type"),
        (with(&requests(0, 100), "price", list), "nested"),
    ];
    for (batch, reason) in cases {
        let logs = Logs::new();
        write(&logs.path("requests/x.parquet"), &[batch]);
        let report = logs.read();
        let price = column(&report, "price");
        assert_eq!((price.missing_ratio, price.drifted), (Some(1.0), Some(true)), "{reason}");
        assert!(price.reason.contains("100.0 % of the values are missing"), "{}", price.reason);
        assert_eq!(log(&report, "requests").column_problems["price"], BTreeMap::from([(reason, 1)]));
        assert_eq!(column(&report, "color").drifted, Some(false));
        assert_eq!(window(&report).rows, 100);
    }
}

#[test]
fn a_column_that_the_reference_does_not_have_is_counted_as_new_and_not_compared() {
    let logs = Logs::new();
    let batch = requests(0, 100);
    let mut columns: Vec<(&str, ArrayRef)> = vec![("weight", floats((0..100).map(|i| Some(f64::from(i)))))];
    let schema = batch.schema();
    columns.extend(schema.fields().iter().map(|field| field.name().as_str()).zip(batch.columns().iter().cloned()));
    write(&logs.path("requests/x.parquet"), &[table(columns)]);
    let report = logs.read();
    unharmed(&report);
    assert_eq!(
        log(&report, "requests").column_problems,
        BTreeMap::from([("weight".to_string(), BTreeMap::from([("new", 1)]))])
    );
    assert!(window(&report).columns.iter().all(|column| column.column != "weight"));
}

#[test]
fn an_all_null_column_and_nan_are_missing_values_and_infinities_are_out_of_range() {
    let logs = Logs::new();
    let prices = (0..100).map(|i| match i % 10 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(f64::INFINITY),
        3 => Some(f64::NEG_INFINITY),
        _ => Some(price(i)),
    });
    let batch = with(&requests(0, 100), "price", floats(prices));
    write(&logs.path("requests/x.parquet"), &[with(&batch, "color", texts((0..100).map(|_| None)))]);
    let report = logs.read();
    let price = column(&report, "price");
    assert_eq!((price.missing_ratio, price.out_of_range_ratio), (Some(0.2), Some(0.25)));
    assert_eq!((price.infinite_ratio, price.infinite_ratio_reference), (Some(0.25), Some(0.0)));
    assert!(price.tests.iter().all(|test| test.score.is_finite()));
    assert_eq!((column(&report, "color").missing_ratio, column(&report, "color").drifted), (Some(1.0), Some(true)));
}

#[test]
fn timestamps_that_are_null_late_ancient_or_from_the_future_drop_their_rows() {
    let logs = Logs::new();
    beside(&logs);
    let odd = [None, Some(-1), Some(NOW - 7200 * SECOND), Some(NOW + 3600 * SECOND), Some(NOW + 60 * SECOND)];
    write(&logs.path("requests/odd.parquet"), &[with(&requests(500, 505), "timestamp", times(odd))]);
    let report = logs.read();
    let dropped = &log(&report, "requests").rows_dropped;
    let expected = [("late", 1), ("timestamp_in_future", 1), ("timestamp_invalid", 1), ("timestamp_missing", 1)];
    assert_eq!(*dropped, BTreeMap::from(expected));
    assert_eq!(window(&report).rows, 101, "a minute ahead is within the allowed skew");
}

#[test]
fn numbers_and_text_are_taken_for_times_by_their_size_and_form() {
    for divide in [1, 1_000, 1_000_000] {
        let logs = Logs::new();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100).map(|i| time(i) / divide)));
        write(&logs.path("requests/x.parquet"), &[with(&requests(0, 100), "timestamp", numbers)]);
        unharmed(&logs.read());
    }
    let logs = Logs::new();
    let nanoseconds: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100).map(|i| time(i) * 1_000)));
    write(&logs.path("requests/ns.parquet"), &[with(&requests(0, 100), "timestamp", nanoseconds)]);
    unharmed(&logs.read());
    let logs = Logs::new();
    let iso: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..100).map(|i| drift_sidecar::report::Moment(time(i)).to_string())));
    write(&logs.path("requests/iso.parquet"), &[with(&requests(0, 100), "timestamp", iso)]);
    unharmed(&logs.read());
}

#[test]
fn a_repeated_request_counts_once_and_an_outcome_without_request_harms_nobody() {
    let logs = Logs::new();
    write(&logs.path("requests/a.parquet"), &[requests(0, 100)]);
    write(&logs.path("requests/b.parquet"), &[requests(50, 120)]);
    write(&logs.path("outcomes/a.parquet"), &[outcomes(0, 60), outcomes(30, 60), outcomes(5000, 5010)]);
    let report = logs.read();
    assert_eq!((window(&report).rows, window(&report).labelled_rows), (120, Some(60)));
    assert_eq!(log(&report, "requests").rows_dropped, BTreeMap::from([("duplicate", 50)]));
    assert_eq!(report.pairing, BTreeMap::from([("paired", 60), ("repeated_outcome", 30)]));
    assert_eq!(window(&report).quality.as_ref().unwrap().f1, Some(1.0));
}

#[test]
fn a_class_that_the_reference_never_had_counts_in_f1_and_is_unseen_in_the_predictions() {
    let logs = Logs::new();
    let new: Vec<Option<&str>> = (0..100).map(|i| Some(if i < 10 { "new" } else { class(i) })).collect();
    write(&logs.path("requests/x.parquet"), &[with(&requests(0, 100), "prediction", texts(new))]);
    write(&logs.path("outcomes/x.parquet"), &[outcomes(0, 100)]);
    let report = logs.read();
    let classes = &window(&report).quality.as_ref().unwrap().classes;
    let new = classes.iter().find(|class| class.class == "new").unwrap();
    assert_eq!((new.true_positive, new.false_positive, new.false_negative), (0, 10, 0));
    assert_eq!(column(&report, "prediction").unseen_ratio, Some(0.1));
}

#[test]
fn a_row_without_id_prediction_or_label_is_counted_and_still_serves_for_what_it_has() {
    let logs = Logs::new();
    let some = |of: &'static str| (0..100).map(move |i| if i % 4 == 0 { None } else { Some(of) });
    let batch = with(&requests(0, 100), "request_id", texts((0..100).map(|i| (i >= 10).then_some("same"))));
    write(&logs.path("requests/x.parquet"), &[with(&batch, "prediction", texts(some("a")))]);
    write(&logs.path("outcomes/x.parquet"), &[with(&outcomes(0, 100), "label", texts(some("a")))]);
    let report = logs.read();
    assert_eq!(report.pairing["request_id_missing"], 10);
    assert_eq!(log(&report, "outcomes").rows_dropped, BTreeMap::from([("label_missing", 25)]));
    assert!(report.pairing["prediction_missing"] > 0);
}

#[test]
fn a_hundred_thousand_categories_are_bounded() {
    let logs = Logs::new();
    let many: ArrayRef = Arc::new(StringArray::from_iter_values((0..300_000).map(|i| format!("key-{}", i % 100_000))));
    let rows = 300_000;
    let batch = table(vec![
        ("color", many.clone()),
        ("price", floats((0..rows).map(|i| Some(price(i))))),
        ("prediction", texts((0..rows).map(|i| Some(class(i))))),
    ]);
    write(&logs.path("reference.parquet"), &[batch]);
    write(&logs.path("requests/x.parquet"), &[with(&requests(0, 3000), "color", many.slice(0, 3000))]);
    let report = logs.read();
    let color = column(&report, "color");
    assert_eq!((color.unseen_ratio, window(&report).rows), (Some(0.0), 3000));
    assert_eq!(color.tests.len(), 1);
}

#[test]
fn a_large_row_group_is_read_in_small_batches() {
    use drift_sidecar::batch::{Form, Log, Wanted};
    use drift_sidecar::source::{Settings, Source};
    let logs = Logs::new();
    let rows = 1_000_000;
    let batch = table(
        (0..14)
            .map(|i| {
                (
                    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"][i],
                    floats((0..rows).map(|row| Some(price(row + i)))),
                )
            })
            .collect(),
    );
    assert!(batch.get_array_memory_size() > 100 << 20);
    write(&logs.path("requests/large.parquet"), &[batch]);
    let settings = Settings { path: logs.path("requests"), unfinished_max: std::time::Duration::from_secs(60) };
    let mut source = Source::new(settings, Log::Requests, vec![Wanted { name: "b".to_string(), form: Form::Number }]);
    source.scan(NOW);
    let (mut seen, mut largest) = (0, 0);
    while let Some(batch) = source.next(NOW) {
        seen += batch.rows;
        largest = largest.max(batch.rows);
    }
    assert_eq!(seen, rows);
    assert!(largest <= 8192);
}

#[test]
fn a_reference_that_is_missing_empty_or_damaged_leaves_no_numbers_and_is_taken_when_it_is_there() {
    let logs = Logs::new();
    beside(&logs);
    let path = logs.path("reference.parquet");
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut worker = logs.worker();
    let report = read(&mut worker, NOW);
    assert!(
        report.windows.is_empty() && report.problems[0].contains("there is no Parquet file at"),
        "{:?}",
        report.problems
    );
    write(&path, &[without(&requests(0, 0), "request_id")]);
    assert!(read(&mut worker, NOW).problems[0].contains("the reference has no rows"));
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(read(&mut worker, NOW).problems[0].contains("unfinished"));
    fs::write(&path, &whole).unwrap();
    let report = read(&mut worker, NOW);
    assert_eq!(report.problems, Vec::<String>::new());
    unharmed(&report);
}

#[test]
fn a_replaced_reference_is_taken_over_between_two_evaluations_and_a_bad_one_is_not() {
    let logs = Logs::new();
    beside(&logs);
    let mut worker = logs.worker();
    let before = read(&mut worker, NOW);
    let path = logs.path("reference.parquet");
    let good = fs::read(&path).unwrap();
    fs::write(&path, b"nonsense").unwrap();
    let during = read(&mut worker, NOW);
    assert_eq!(during.reference.as_ref().unwrap().digest, before.reference.as_ref().unwrap().digest);
    unharmed(&during);
    fs::write(&path, &good).unwrap();
    let shifted =
        with(&without(&requests(0, 3000), "request_id"), "price", floats((0..3000).map(|i| Some(price(i) + 500.0))));
    fs::remove_file(&path).unwrap();
    write(&path, &[shifted]);
    while worker.turn(NOW) == Turn::Busy {}
    let after = worker.report();
    assert_ne!(after.reference.as_ref().unwrap().digest, before.reference.as_ref().unwrap().digest);
    unharmed(&after);
    assert_eq!((column(&before, "price").drifted, column(&after, "price").drifted), (Some(false), Some(true)));
}

#[test]
fn a_replaced_log_file_gives_the_numbers_of_the_files_as_they_are() {
    let logs = Logs::new();
    let path = logs.path("requests/x.parquet");
    write(&path, &[requests(0, 100)]);
    let mut worker = logs.worker();
    assert_eq!(window(&read(&mut worker, NOW)).rows, 100);
    // As `read, append, write` with pandas does it: one file, all rows anew.
    write(&path, &[requests(0, 160)]);
    assert_eq!(window(&read(&mut worker, NOW)).rows, 160);
    write(&path, &[requests(300, 310)]);
    assert_eq!(window(&read(&mut worker, NOW)).rows, 10);
}
