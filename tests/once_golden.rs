//! `once` on files by every writer gives what SciPy and scikit-learn give on the same rows.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every kind of file; one test reads them all, so that a missing one is seen.
const WRITERS: [&str; 13] = [
    "duckdb",
    "fastparquet",
    "hive",
    "pandas",
    "pandas-categories",
    "polars",
    "pyarrow-gzip",
    "pyarrow-lz4",
    "pyarrow-none",
    "pyarrow-plain",
    "pyarrow-snappy",
    "pyarrow-zstd",
    "spark",
];

fn golden() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/golden/once");
    assert!(
        folder.join("expected.json").exists(),
        "no golden data: run `tests/run`, or `python tests/golden/once.py target/golden`"
    );
    folder
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(golden().join("expected.json")).unwrap()).unwrap()
}

/// The Report of the program itself.
fn once(size: &str, writer: &str, average: &str) -> Value {
    let golden = golden();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sidecar.yaml");
    let logs = golden.join(size).join(writer);
    let text = format!(
        "models:
  - name: golden
    requests: {{path: {0}/requests}}
    outcomes: {{path: {0}/outcomes}}
    reference: {{path: {1}/reference.parquet}}
    windows: [2h]
    f1_average: {average}
    drift: {{numerical: [ks, wasserstein, psi, jensen_shannon], categorical: [chi_square, psi, jensen_shannon]}}
",
        logs.display(),
        golden.display()
    );
    std::fs::write(&config, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
        .args(["once", "--format", "json", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn near(found: &Value, expected: &Value, relative: f64, absolute: f64, what: &str) {
    let (found, expected) =
        (found.as_f64().unwrap_or_else(|| panic!("{what}: nothing found")), expected.as_f64().unwrap());
    let apart = (found - expected).abs();
    assert!(apart <= relative * expected.abs() || apart <= absolute, "{what}: found {found}, expected {expected}");
}

fn check_columns(window: &Value, expected: &Value, exact: bool, writer: &str) {
    for (column, scores) in expected["columns"].as_object().unwrap() {
        let found =
            window["columns"].as_array().unwrap().iter().find(|found| found["column"] == column.as_str()).unwrap();
        for (score, value) in scores.as_object().unwrap() {
            let (method, is_p) = score.strip_suffix(" p").map_or((score.as_str(), false), |method| (method, true));
            let test = found["tests"]
                .as_array()
                .unwrap()
                .iter()
                .find(|test| test["method"] == method)
                .unwrap_or_else(|| panic!("{column} {method}"));
            let what = format!("{writer}: {column} {score}");
            match (is_p, method) {
                (true, "ks") if !exact => {}
                (true, _) => near(&test["p_value"], value, 1e-6, 1e-12, &what),
                (false, "wasserstein") if !exact => near(&test["score"], value, 0.01, 0.0005, &what),
                // The reference has more distinct values than knots: short by at most 1/resolution.
                (false, "ks") if !exact => near(&test["score"], value, 0.0, 1.0 / 4096.0, &what),
                (false, _) => near(&test["score"], value, 1e-9, 1e-12, &what),
            }
        }
    }
}

fn check(size: &str, writer: &str) {
    let expected = expected();
    let report = once(size, writer, "weighted");
    let model = &report["models"][0];
    let window = &model["windows"][0];
    assert_eq!(window["rows"], expected[size]["rows"], "{writer}");
    assert_eq!(window["labelled_rows"], expected[size]["labelled"], "{writer}");
    check_columns(window, &expected[size], size == "small", writer);
    for (name, found) in [
        ("f1 weighted", "f1"),
        ("precision weighted", "precision"),
        ("recall weighted", "recall"),
        ("accuracy", "accuracy"),
    ] {
        near(&window["quality"][found], &expected[size]["quality"][name], 1e-12, 0.0, &format!("{writer}: {name}"));
        near(
            &model["reference"]["quality"][found],
            &expected["reference quality"][name],
            1e-12,
            0.0,
            &format!("reference: {name}"),
        );
    }
}

#[test]
fn small_windows_are_exact_whoever_wrote_the_files() {
    WRITERS.iter().for_each(|writer| check("small", writer));
}

#[test]
fn large_windows_are_exact_up_to_the_resolution_whoever_wrote_the_files() {
    WRITERS.iter().for_each(|writer| check("large", writer));
}

#[test]
fn every_average_is_scikit_learns() {
    let expected = expected();
    for average in ["weighted", "macro", "micro"] {
        let report = once("small", "polars", average);
        for name in ["f1", "precision", "recall"] {
            let found = &report["models"][0]["windows"][0]["quality"][name];
            near(
                found,
                &expected["small"]["quality"][format!("{name} {average}")],
                1e-12,
                0.0,
                &format!("{name} {average}"),
            );
        }
    }
}

#[test]
fn the_same_files_give_the_same_bytes() {
    assert_eq!(
        once("large", "fastparquet", "weighted").to_string(),
        once("large", "fastparquet", "weighted").to_string()
    );
}

#[test]
fn what_fastparquet_appends_in_place_is_read_and_nothing_twice() {
    use drift_sidecar::batch::{Form, Log, Wanted};
    use drift_sidecar::source::{Scan, Settings, Source};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let settings = Settings { path: folder.path().to_path_buf(), unfinished_max: std::time::Duration::from_secs(60) };
    let wanted = vec![Wanted { name: "price".to_string(), form: Form::Number }];
    let mut source = Source::new(settings, Log::Requests, wanted);
    let rows = |source: &mut Source| std::iter::from_fn(|| source.next(0)).map(|batch| batch.rows).sum::<usize>();
    // The same inode, overwritten: the old footer goes, a row group and a new footer come.
    std::fs::write(&path, std::fs::read(golden().join("append/1.parquet")).unwrap()).unwrap();
    assert_eq!((source.scan(0), rows(&mut source)), (Scan::Changed, 500));
    source.keep_until(1);
    let whole = std::fs::read(golden().join("append/2.parquet")).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    source.scan(1);
    assert_eq!((source.counts().files["unfinished"], rows(&mut source)), (1, 0));
    std::fs::write(&path, &whole).unwrap();
    assert_eq!((source.scan(2), rows(&mut source)), (Scan::Changed, 400));
}
