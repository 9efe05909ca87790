//! The customers: who they are is decided by a seed, what they do by settings.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use examples::catalogue::{Catalogue, Product, classes};
use serde_json::{Value, json};
use support::{Program, files, model, promote, wait};

fn products(seed: u64, drift: f64, count: usize) -> Vec<Product> {
    let mut catalogue = Catalogue::new(seed);
    (0..count).map(|_| catalogue.product(drift)).collect()
}

#[test]
fn the_same_seed_gives_the_same_products_of_all_27_types() {
    let shop = products(1, 0.3, 5000);
    assert_eq!(shop, products(1, 0.3, 5000));
    assert_ne!(shop, products(2, 0.3, 5000));
    let mut counts = BTreeMap::new();
    shop.iter().for_each(|product| *counts.entry(product.class).or_insert(0) += 1);
    assert_eq!(counts.len(), 27);
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), classes().collect());
    let undescribed = shop.iter().filter(|product| product.description.is_none()).count();
    assert!((1350..1650).contains(&undescribed), "30 % have no description: {undescribed}");
}

#[test]
fn the_seasons_share_fillers_and_few_words() {
    let words = |drift: f64| -> BTreeSet<String> {
        let all = products(1, drift, 5000);
        all.iter().flat_map(|product| product.designation.split(' ').map(str::to_string).collect::<Vec<_>>()).collect()
    };
    let (old, new) = (words(0.0), words(1.0));
    let shared = old.intersection(&new).count();
    assert!(old.len() > 250 && new.len() > 200 && shared * 2 < old.len(), "{} {} {shared}", old.len(), new.len());
}

#[test]
fn customers_ask_and_tell_and_change_with_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    promote(&folder.path().join("registry"), "v1", &all_classes());
    let (auth, predict) = (Program::auth(), Program::predict(folder.path(), &["--rotate-seconds", "1"]));
    let services = ["run", "--auth", &auth.url, "--predict", &predict.url, "--rate", "200", "--label-delay", "1h"];
    let traffic = Program::start(env!("CARGO_BIN_EXE_traffic"), &services);
    let count = |result: &str| traffic.metric(&format!("traffic_requests_total{{result=\"{result}\"}}")).unwrap();
    wait("products are asked for", || (count("predicted") > 20.0).then_some(()));
    assert_eq!(count("told"), 0.0, "the truth is an hour away");
    assert_eq!(traffic.post("/settings", None, &json!({"label_delay_seconds": 0, "drift": 0.5})).0, 200);
    wait("the truth is told", || (count("told") > 20.0).then_some(()));
    wait("the drift shows", || (traffic.metric("traffic_drift") == Some(0.5)).then_some(()));
    let settings: Value = serde_json::from_str(&traffic.get("/settings").1).unwrap();
    assert_eq!(settings, json!({"drift": 0.5, "label_delay_seconds": 0.0, "rate": 200.0}));
    for wrong in [json!({"drift": 1.5}), json!({"rate": 0}), json!({"label_delay_seconds": -1}), json!({"speed": 1})] {
        assert_eq!(traffic.post("/settings", None, &wrong).0, 422, "{wrong}");
    }
    assert_eq!((count("refused"), count("failed")), (0.0, 0.0));
    assert_eq!(support::promtool(&traffic.get("/metrics").1), "");
    assert!(traffic.terminate().success());
    wait("rows are logged", || (!files(&folder.path().join("logs/outcomes")).is_empty()).then_some(()));
}

#[test]
fn while_a_service_is_away_customers_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (auth, predict) = (Program::auth(), Program::predict(folder.path(), &[]));
    let services = ["run", "--auth", &auth.url, "--predict", &predict.url];
    let traffic = Program::start(env!("CARGO_BIN_EXE_traffic"), &services);
    let count = |result: &str| traffic.metric(&format!("traffic_requests_total{{result=\"{result}\"}}")).unwrap();
    wait("without a model they are refused", || (count("refused") > 0.0).then_some(()));
    promote(&folder.path().join("registry"), "v1", &model("v1", "roman"));
    wait("with one they are served", || (count("predicted") > 0.0).then_some(()));
}

/// A model that knows every class and no word.
fn all_classes() -> String {
    let classes: Vec<&str> = classes().collect();
    let bias = vec![0.0; classes.len()];
    let model = json!({
        "format": 1, "version": "v1", "trained_at": "2026-01-01T00:00:00Z", "classes": classes,
        "vocabulary": [], "weights": [], "bias": bias,
    });
    model.to_string()
}
