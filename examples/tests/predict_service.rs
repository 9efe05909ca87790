//! Predictions, feedback, models that change, and the logs that remain.

mod support;

use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use examples::token::Keys;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use support::{Program, SECRET, files, model, promote, promtool, wait};
use tempfile::TempDir;

struct Site {
    folder: TempDir,
    predict: Program,
    token: String,
}

impl Site {
    /// A service with model v1.
    fn open(arguments: &[&str]) -> Site {
        let folder = tempfile::tempdir().unwrap();
        promote(&folder.path().join("registry"), "v1", &model("v1", "roman"));
        let predict = Program::predict(folder.path(), arguments);
        Site { folder, predict, token: token(&["predict", "feedback"]) }
    }

    fn ask(&self, designation: &str, description: Value) -> (u16, Value) {
        let product = json!({"designation": designation, "description": description});
        self.predict.post("/predict", Some(&self.token), &product)
    }

    fn tell(&self, id: &str, label: &str) -> (u16, Value) {
        self.predict.post("/feedback", Some(&self.token), &json!({"request_id": id, "label": label}))
    }

    fn log(&self, name: &str) -> Vec<RecordBatch> {
        files(&self.folder.path().join("logs").join(name)).iter().flat_map(|file| read(file)).collect()
    }
}

fn token(roles: &[&str]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    Keys::new(SECRET).issue("shop", &roles.iter().map(ToString::to_string).collect::<Vec<_>>(), now, 60)
}

fn read(file: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn texts(batches: &[RecordBatch], column: &str) -> Vec<Option<String>> {
    let column = |batch: &RecordBatch| batch.column_by_name(column).unwrap().as_string::<i32>().clone();
    batches
        .iter()
        .flat_map(|batch| column(batch).iter().map(|text| text.map(str::to_string)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_prediction_and_its_feedback_are_answered_and_logged() {
    let site = Site::open(&[]);
    let (status, answer) = site.ask("Roman de POCHE", Value::Null);
    // softmax([0.1 + 2 + 1, -0.1 - 2 - 1]) = 1 / (1 + exp(-6.2))
    assert_eq!((status, &answer["prediction"], &answer["model_version"]), (200, &json!("10"), &json!("v1")));
    assert!((answer["score"].as_f64().unwrap() - 0.997_974_7).abs() < 1e-6, "{answer}");
    let id = answer["request_id"].as_str().unwrap().to_string();
    assert_eq!(site.tell(&id, "2583").0, 202);
    assert_eq!(site.ask("piscine", json!("pompe à chaleur")).1["prediction"], "2583");
    assert_eq!(site.predict.metric("prediction_feedback_total{result=\"accepted\"}"), Some(1.0));
    assert_eq!(site.predict.metric("prediction_model_info{version=\"v1\"}"), Some(1.0));
    assert_eq!(promtool(&site.predict.get("/metrics").1), "");

    // SIGTERM writes what waits.
    let Site { folder, predict, .. } = site;
    assert!(predict.terminate().success());
    let logs = |name: &str| {
        files(&folder.path().join("logs").join(name)).iter().flat_map(|file| read(file)).collect::<Vec<_>>()
    };
    let (requests, outcomes) = (logs("requests"), logs("outcomes"));
    assert_eq!(texts(&requests, "request_id")[0], Some(id.clone()));
    assert_eq!(texts(&requests, "designation"), [Some("Roman de POCHE".to_string()), Some("piscine".to_string())]);
    assert_eq!(texts(&requests, "description"), [None, Some("pompe à chaleur".to_string())]);
    let ratio = requests[0].column_by_name("known_words_ratio").unwrap().as_primitive::<Float64Type>();
    assert_eq!(ratio.values(), &[2.0 / 3.0, 0.5]);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(requests[0].column_by_name("timestamp").unwrap().data_type(), &time);
    assert_eq!(texts(&outcomes, "request_id"), [Some(id)]);
    assert_eq!(texts(&outcomes, "label"), [Some("2583".to_string())]);
}

#[test]
fn who_may_not_or_asks_for_what_is_not_there_is_told_so() {
    let site = Site::open(&[]);
    let product = json!({"designation": "roman"});
    let status = |token: Option<&str>, path: &str, body: &Value| site.predict.post(path, token, body).0;
    assert_eq!(status(None, "/predict", &product), 401);
    assert_eq!(status(Some("forged"), "/predict", &product), 401);
    assert_eq!(status(Some(&token(&["feedback"])), "/predict", &product), 403);
    assert_eq!(status(Some(&token(&["predict"])), "/feedback", &json!({"request_id": "x", "label": "10"})), 403);
    let good = Some(site.token.as_str());
    assert_eq!(site.predict.send("POST", "/predict", good, "", "{\"designation\":").0, 400);
    assert_eq!(status(good, "/predict", &json!({"designation": 7})), 422);
    assert_eq!(status(good, "/predict", &json!({})), 422);
    assert_eq!(status(good, "/predict", &json!(["roman", null])), 422);
    assert_eq!(site.ask("", json!("  ")).0, 422);
    assert_eq!(site.ask("!?", Value::Null).0, 422);
    assert_eq!(site.ask(&"x".repeat(70_000), Value::Null).0, 413);
    assert_eq!(site.predict.get("/predict").0, 405);
}

#[test]
fn feedback_of_an_unknown_request_or_class_is_refused_and_counted() {
    let site = Site::open(&[]);
    let id = site.ask("roman", Value::Null).1["request_id"].as_str().unwrap().to_string();
    let other = format!("{}{}", &id[..31], if id.ends_with('0') { '1' } else { '0' });
    for unknown in [other.as_str(), "", "7", &"é".repeat(16)] {
        let (status, said) = site.tell(unknown, "10");
        assert_eq!((status, &said["detail"]), (404, &json!("no prediction was made under this request_id")));
    }
    let (status, said) = site.tell(&id, "books");
    assert_eq!((status, &said["detail"]), (422, &json!("`books` is no class; there is 10, 2583")));
    assert_eq!(site.predict.metric("prediction_feedback_total{result=\"unknown_request\"}"), Some(4.0));
    assert_eq!(site.predict.metric("prediction_feedback_total{result=\"unknown_class\"}"), Some(1.0));
    assert_eq!(site.tell(&id, "10").0, 202);
}

#[test]
fn without_a_model_it_says_so_and_with_the_first_one_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let predict = Program::predict(folder.path(), &[]);
    let (status, said) = predict.get("/health");
    assert!(status == 503 && said.contains("no model in the registry yet"), "{said}");
    assert_eq!(predict.post("/predict", Some(&token(&["predict"])), &json!({"designation": "x"})).0, 503);
    promote(&folder.path().join("registry"), "v1", &model("v1", "roman"));
    wait("the model serves", || (predict.get("/health").0 == 200).then_some(()));
}

#[test]
fn a_promoted_model_takes_over_and_a_torn_one_does_not() {
    let site = Site::open(&[]);
    let registry = site.folder.path().join("registry");
    let version = || serde_json::from_str::<Value>(&site.predict.get("/model-info").1).unwrap()["version"].clone();
    assert_eq!(version(), "v1");
    promote(&registry, "v2", &model("v2", "nouvelle"));
    wait("v2 serves", || (version() == "v2").then_some(()));
    assert_eq!(site.predict.metric("prediction_model_info{version=\"v2\"}"), Some(1.0));
    assert_eq!(site.predict.metric("prediction_model_info{version=\"v1\"}"), None);

    // Half a file, as a copy that is still being made leaves it.
    let whole = model("v3", "suivante");
    promote(&registry, "v3", &whole[..whole.len() / 2]);
    wait("the torn model is counted", || {
        (site.predict.metric("prediction_model_load_failures_total") == Some(1.0)).then_some(())
    });
    assert_eq!(version(), "v2");
    assert_eq!(site.ask("nouvelle", Value::Null).1["model_version"], "v2");
    std::fs::write(registry.join("versions/v3/model.json"), &whole).unwrap();
    wait("the whole file serves", || (version() == "v3").then_some(()));
    assert_eq!(site.predict.metric("prediction_model_load_failures_total"), Some(1.0), "a file is counted once");
}

#[test]
fn a_full_file_and_an_old_one_are_closed() {
    let site = Site::open(&["--rotate-rows", "3", "--rotate-seconds", "1"]);
    for _ in 0..7 {
        site.ask("roman", Value::Null);
    }
    wait("all rows are in files", || {
        (site.log("requests").iter().map(RecordBatch::num_rows).sum::<usize>() == 7).then_some(())
    });
    let rows: Vec<usize> = files(&site.folder.path().join("logs/requests"))
        .iter()
        .map(|file| read(file).iter().map(RecordBatch::num_rows).sum())
        .collect();
    assert!(rows.iter().all(|rows| *rows <= 3) && rows.len() >= 3, "{rows:?}");
    assert_eq!(site.predict.metric("prediction_log_rows_total{log=\"requests\"}"), Some(7.0));
}
