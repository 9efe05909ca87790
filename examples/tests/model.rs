//! The model's numbers are numpy's (`golden/model.py`), and what is no model is said to be none.

use examples::model::Model;
use serde_json::{Value, json};

type Change<'a> = &'a dyn Fn(&mut Value);

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/model.json")).unwrap()
}

fn load(model: &Value) -> Result<Model, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.json");
    std::fs::write(&file, model.to_string()).unwrap();
    Model::load(&file).map_err(|error| error.to_string())
}

#[test]
fn classes_scores_and_known_words_are_numpys() {
    let golden = golden();
    let model = load(&golden["model"]).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let found = model.predict(text("designation"), text("description"));
        assert_eq!(found.class, case["class"], "{case}");
        assert!((found.score - case["score"].as_f64().unwrap()).abs() < 1e-12, "{case}: {found:?}");
        assert_eq!(Some(found.known_words_ratio), case["known_words_ratio"].as_f64(), "{case}");
    }
}

#[test]
fn what_is_no_model_is_told_by_its_fault() {
    let changed = |change: Change| {
        let mut model = golden()["model"].clone();
        change(&mut model);
        load(&model).unwrap_err()
    };
    let faults: [(Change, &str); 9] = [
        (&|model| model["format"] = json!(2), "its format is 2; this program reads 1"),
        (&|model| model["classes"] = json!(["10", "10", "50"]), "all different"),
        (&|model| model["classes"] = json!(["10"]), "it has 1 classes"),
        (&|model| model["vocabulary"][0] = json!("7"), "a word is there twice"),
        (&|model| model["bias"] = json!([0.0]), "but 1 biases"),
        (&|model| model["weights"][1] = json!([0.0]), "row 1 has 1 weights for 3 classes"),
        (&|model| model["weights"][1][0] = json!(null), "is no model"),
        (&|model| *model = json!([]), "is no model"),
        (&|model| model["weights"][0][0] = json!("1e999"), "is no model"),
    ];
    for (change, words) in faults {
        let said = changed(change);
        assert!(said.contains(words), "{said}");
    }
    assert!(Model::load(std::path::Path::new("nowhere")).is_err());
}
