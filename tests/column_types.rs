//! Every type of column, by every writer: the values are what the writer meant.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use drift_sidecar::batch::{Batch, Column, Form, Wanted, canonical};
use drift_sidecar::source::Table;
use serde_json::Value;

fn golden() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/golden/types");
    let there = folder.join("expected.json").exists();
    assert!(there, "no golden data: run `tests/run`, or `python tests/golden/column_types.py target/golden`");
    folder
}

fn read(path: &Path, name: &str, form: Form) -> Vec<Column> {
    let table = Table::open(path).unwrap();
    let wanted = [Wanted { name: name.to_string(), form }];
    table.batches(&wanted).map(|batch: Result<Batch, _>| batch.unwrap().columns.remove(0)).collect()
}

/// The values of a column as JSON.
fn values(column: &Column) -> Vec<Value> {
    match column {
        Column::Numbers(array) => array.iter().map(Value::from).collect(),
        Column::Times(array) => array.iter().map(Value::from).collect(),
        Column::Keys(array) => {
            let texts = array.values().as_string::<i32>();
            let text = |key: Option<i32>| key.map(|key| canonical(texts.value(key as usize)).into_owned());
            array.keys().iter().map(|key| Value::from(text(key))).collect()
        }
        other => vec![Value::from(format!("{other:?}"))],
    }
}

#[test]
fn every_type_says_what_its_writer_meant() {
    let folder = golden();
    let expected: Value = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let (mut checked, mut faults) = (0, Vec::new());
    for (file, columns) in expected.as_object().unwrap() {
        for (name, said) in columns.as_object().unwrap() {
            for (form, wanted) in said.as_object().unwrap() {
                let form = match form.as_str() {
                    "numbers" => Form::Number,
                    "keys" => Form::Key,
                    _ => Form::Time,
                };
                let found: Vec<Value> = read(&folder.join(file), name, form).iter().flat_map(values).collect();
                let wanted = wanted.as_array().unwrap();
                let same = |(found, wanted): (&Value, &Value)| match (found.as_f64(), wanted.as_f64()) {
                    (Some(found), Some(wanted)) => found == wanted,
                    _ => found == wanted,
                };
                if found.len() != wanted.len() || !found.iter().zip(wanted).all(same) {
                    faults.push(format!("{file}: {name} as {form:?}\n  found    {found:?}\n  expected {wanted:?}"));
                }
                checked += 1;
            }
        }
    }
    assert!(faults.is_empty(), "{} of {checked}\n{}", faults.len(), faults.join("\n"));
    assert!(checked > 400, "only {checked} columns were checked");
}

#[test]
fn one_id_is_one_id_whatever_its_type() {
    let hashes = |name: &str| -> Vec<Option<u64>> {
        let columns = read(&golden().join("pyarrow-snappy-v1.parquet"), name, Form::Id);
        let ids = |column: &Column| match column {
            Column::Ids(ids) => ids.iter().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        columns.iter().flat_map(ids).collect()
    };
    let integers = hashes("int64");
    for name in ["int8", "uint64", "dictionary_int"] {
        assert_eq!(hashes(name), integers, "{name}");
    }
    assert_eq!(hashes("string"), hashes("binary"));
    assert_eq!(hashes("string"), hashes("dictionary_string"));
    // The third word is the text "7".
    assert_eq!(hashes("string")[2], integers[7]);
    let uuids = read(&golden().join("duckdb-v2.parquet"), "id", Form::Id);
    assert!(matches!(&uuids[0], Column::Ids(ids) if ids.null_count() == 0));
}
