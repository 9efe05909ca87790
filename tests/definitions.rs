//! `compare --definition evidently|nannyml` on Parquet files says what those tools say of the same tables, column by column:
//! `tests/golden/definitions.py` wrote that down, and the tables are made again here.

#[path = "support/samples.rs"]
mod samples;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use samples::Sample;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Golden<Expected> {
    frames: Vec<Frame<Expected>>,
}

#[derive(Deserialize)]
struct Frame<Expected> {
    columns: Vec<Column>,
    expected: BTreeMap<String, Expected>,
    /// Columns that Evidently counts as drifted.
    drifted: Option<f64>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    kind: String,
    reference: Sample,
    current: Sample,
}

#[derive(Deserialize)]
struct Alert {
    score: f64,
    threshold: f64,
    drifted: bool,
}

#[derive(Deserialize)]
struct Expected {
    /// As Evidently's report shows it.
    method: String,
    threshold: f64,
    score: f64,
}

impl Expected {
    fn drifted(&self) -> bool {
        if self.is_p_value() { self.score < self.threshold } else { self.score >= self.threshold }
    }

    fn is_p_value(&self) -> bool {
        self.method.ends_with("p_value")
    }

    fn method(&self) -> &'static str {
        match self.method.as_str() {
            "K-S p_value" => "ks",
            "Z-test p_value" => "z_test",
            "chi-square p_value" => "chi_square",
            "Wasserstein distance (normed)" => "wasserstein",
            "Jensen-Shannon distance" => "jensen_shannon",
            other => panic!("an unknown method {other}"),
        }
    }
}

fn write(path: &Path, columns: &[Column], side: impl Fn(&Column) -> &Sample) {
    let arrays = columns.iter().map(|column| (column.name.as_str(), array(&column.kind, side(column)), true));
    let table = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), table.schema(), None).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
}

fn array(kind: &str, sample: &Sample) -> ArrayRef {
    let whole =
        || Sample { kind: "skewed".to_string(), ..sample.clone() }.values().into_iter().map(|value| value as i64);
    match kind {
        "float" => Arc::new(Float64Array::from(sample.values())),
        "integer" => Arc::new(Int64Array::from_iter_values(whole())),
        _ => {
            let gap = |at: usize| sample.kind == "gaps" && at % 10 == 3;
            let word = |(at, code)| (!gap(at)).then(|| format!("c{code:03}"));
            Arc::new(whole().enumerate().map(word).collect::<StringArray>())
        }
    }
}

/// The window of the report.
fn compare(definition: &str, columns: &[Column]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (reference, current) = (folder.join("reference.parquet"), folder.join("current.parquet"));
    write(&reference, columns, |column| &column.reference);
    write(&current, columns, |column| &column.current);
    let output = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
        .args(["compare", "--definition", definition, "--format", "json", "--reference"])
        .arg(&reference)
        .arg("--current")
        .arg(&current)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["models"][0]["windows"][0].clone()
}

fn column<'a>(window: &'a Value, name: &str) -> &'a Value {
    window["columns"].as_array().unwrap().iter().find(|column| column["column"] == name).unwrap()
}

fn agree(ours: &Value, theirs: f64) -> bool {
    (ours.as_f64().unwrap() - theirs).abs() <= (1e-9 * theirs).max(1e-12)
}

#[test]
fn a_comparison_says_what_evidently_reports() {
    let golden: Golden<Expected> = serde_json::from_str(include_str!("golden/evidently.json")).unwrap();
    assert!(!golden.frames.is_empty());
    for frame in &golden.frames {
        let window = compare("evidently", &frame.columns);
        let rows = frame.columns[0].reference.rows;
        let mut drifted = 0.0;
        for (name, theirs) in &frame.expected {
            let ours = column(&window, name);
            let told = format!("{name} of {rows} rows: {ours:#}");
            let test = &ours["tests"][0];
            assert_eq!(test["method"], theirs.method(), "{told}");
            let (number, limit) = if theirs.is_p_value() { ("p_value", "alpha") } else { ("score", "threshold") };
            assert!(agree(&test[number], theirs.score), "{}: {told}", theirs.score);
            assert_eq!(test[limit], theirs.threshold, "{told}");
            assert_eq!(ours["drifted"], theirs.drifted(), "{told}");
            assert_eq!(test.get("noise").and_then(Value::as_f64), None, "{told}");
            drifted += f64::from(theirs.drifted());
        }
        let share = drifted / frame.columns.len() as f64;
        assert_eq!(window["data_drift_score"], share);
        assert_eq!(window["data_drift_detected"], share >= 0.5);
        // Evidently's count keeps infinities in a column without missing values, and so misses what its own test of the column finds.
        let missed = f64::from(frame.expected["infinities"].drifted());
        let counted = frame.drifted.unwrap();
        assert!(counted == drifted || counted == drifted - missed, "{drifted} columns, not {counted}");
    }
}

#[test]
fn a_comparison_says_what_nannyml_alerts() {
    let golden: Golden<Alert> = serde_json::from_str(include_str!("golden/nannyml.json")).unwrap();
    assert!(!golden.frames.is_empty());
    for frame in &golden.frames {
        let window = compare("nannyml", &frame.columns);
        for (name, theirs) in &frame.expected {
            let ours = column(&window, name);
            let told = format!("{name} of {} rows: {ours:#}", frame.columns[0].reference.rows);
            let test = &ours["tests"][0];
            assert_eq!(test["method"], "jensen_shannon", "{told}");
            assert!(agree(&test["score"], theirs.score), "{}: {told}", theirs.score);
            assert!(agree(&test["threshold"], theirs.threshold), "{}: {told}", theirs.threshold);
            assert_eq!(ours["drifted"], theirs.drifted, "{told}");
            assert_eq!(test.get("noise").and_then(Value::as_f64), None, "{told}");
        }
    }
}
