//! The config as people meet it: the example files, and what is said of broken ones.
//!
//! `UPDATE_GOLDEN=1` writes the golden texts anew. Nothing here looks inside the reading of the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use drift_sidecar::config::raw::{self, Node, Value};
use drift_sidecar::config::{self, ALL_KEYS, Config, Loaded, Problems, Reference};
use drift_sidecar::settings::{Average, Drift, Task};
use drift_sidecar::stats::{Limit, METHODS};
use proptest::prelude::*;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn parse(text: &str) -> Result<Loaded, Problems> {
    config::parse(text, Path::new("/etc/sidecar.yaml"), &|name| {
        (name == "REFERENCE").then(|| "/data/reference.parquet".to_string())
    })
}

/// The example with its keys that are off turned on: `#key: value` becomes `key: value`.
fn all_on() -> String {
    let text = fs::read_to_string(example("sidecar.yaml")).unwrap();
    let on = |line: &str| match line.trim_start().strip_prefix('#') {
        // `# words` are prose, but within a block that is off a deeper line begins with more spaces.
        Some(rest) if !rest.starts_with(' ') || rest.starts_with("  ") => {
            let indent = line.len() - line.trim_start().len();
            format!("{}{rest}", " ".repeat(indent))
        }
        _ => line.to_string(),
    };
    let lines = text.lines().filter(|line| !["features: {}", "segments: []"].contains(&line.trim())).map(on);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_equal_to_the_defaults() {
    let example = config::load(&example("sidecar.yaml")).unwrap();
    assert_eq!(example.warnings.list, []);
    let text = "models: [{name: product-classifier, requests: {path: logs/requests}, \
                outcomes: {path: logs/outcomes}, reference: {path: reference.parquet}}]";
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let defaults = config::parse(text, &directory.join("any.yaml"), &|_| None).unwrap();
    assert_eq!(example.whole(), defaults.whole());
}

#[test]
fn the_minimal_example_is_whole() {
    let loaded = config::load(&example("minimal.yaml")).unwrap();
    let config = loaded.whole().unwrap();
    let model = &config.models[0];
    assert_eq!(config.listen, Config::default().listen);
    assert_eq!(model.requests.path, example("logs/requests"));
    assert_eq!(model.outcomes, None);
    assert_eq!(model.monitor.rows_min, 100);
}

#[test]
fn the_example_has_every_key() {
    let tree = raw::parse(&all_on()).unwrap();
    for (table, keys) in ALL_KEYS {
        let steps = table.split('.').filter(|step| !step.is_empty());
        let tables = steps.fold(vec![&tree], |nodes, step| step_into(&nodes, step));
        for key in *keys {
            assert!(!step_into(&tables, key).is_empty(), "sidecar.yaml lacks `{table}.{key}`");
        }
    }
}

fn step_into<'a>(nodes: &[&'a Node], step: &str) -> Vec<&'a Node> {
    let (key, items) = match step.strip_suffix("[]") {
        Some(key) => (key, true),
        None => (step, false),
    };
    let mut found = Vec::new();
    for node in nodes {
        let Value::Map(entries) = &node.value else {
            continue;
        };
        for (name, value) in entries {
            match &value.value {
                _ if key != "*" && name.name != key => {}
                Value::List(list) if items => found.extend(list),
                _ => found.push(value),
            }
        }
    }
    found
}

#[test]
fn the_example_with_everything_on_is_whole() {
    let loaded = parse(&all_on()).unwrap_or_else(|problems| panic!("{problems}"));
    let config = loaded.whole().unwrap();
    let monitor = &config.models[0].monitor;
    assert_eq!(config.state_dir.as_deref(), Some(Path::new("/var/lib/drift-sidecar")));
    assert_eq!(config.prometheus_url.as_deref(), Some("http://localhost:9090"));
    assert_eq!(monitor.task, Some(Task::Binary));
    assert_eq!(monitor.positive_label.as_deref(), Some("1"));
    assert_eq!(monitor.f1_average, Some(Average::Binary));
    assert_eq!(monitor.features["price"].limit, Some(Limit::Score(0.2)));
    assert_eq!(monitor.features["category"].methods.len(), 2);
    assert!(monitor.features["diagnosis"].private);
    assert!(monitor.features["internal_id"].ignore);
    assert_eq!(monitor.segments, [vec!["country".to_string()], vec!["device".to_string(), "country".to_string()]]);
}

#[test]
fn a_link_that_would_run_as_a_script_is_no_address_of_prometheus() {
    let with = |url: &str| {
        parse(&format!("prometheus_url: '{url}'\nmodels: [{{name: m, requests: {{path: r}}, reference: {{path: f}}}}]"))
    };
    let config = with("https://prometheus.example/shop/").unwrap().whole().unwrap();
    assert_eq!(config.prometheus_url.as_deref(), Some("https://prometheus.example/shop"));
    let problems = with("javascript:alert(1)").unwrap_err().to_string();
    assert!(problems.contains("such as http://localhost:9090"), "{problems}");
}

#[test]
fn names_of_columns_are_taken_over_by_the_reference() {
    let text = "
listen: '[::1]:${PORT:-9000}'
evaluate_every: 1m30s
models:
  - name: m
    positive_label: true
    requests: {path: /logs/r, prediction: yhat, score: p}
    outcomes: {path: 'o/*.parquet', label: y, timestamp: null}
    reference: {path: '${REFERENCE}'}
    windows: [30m, 1d, 1w]
    drift: {numerical: [psi, ks]}
    pairs_max: 1_000
";
    let config = parse(text).unwrap().whole().unwrap();
    assert_eq!(config.listen, "[::1]:9000".parse().unwrap());
    assert_eq!(config.evaluate_every, Duration::from_secs(90));
    let model = &config.models[0];
    assert_eq!(model.requests.path, Path::new("/logs/r"));
    assert_eq!(model.reference, Reference::File("/data/reference.parquet".into()));
    assert_eq!(model.outcomes.as_ref().unwrap().path, Path::new("/etc/o/*.parquet"));
    let monitor = &model.monitor;
    assert_eq!(monitor.positive_label.as_deref(), Some("1"));
    assert_eq!(monitor.reference.prediction, "yhat");
    assert_eq!(monitor.reference.score.as_deref(), Some("p"));
    assert_eq!(monitor.reference.label, "y");
    assert_eq!(monitor.outcomes.as_ref().unwrap().timestamp, None);
    let windows = monitor.windows.as_ref().unwrap();
    assert_eq!(windows.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["30m", "1d", "1w"]);
    assert_eq!(monitor.drift.numerical.iter().map(|m| m.name).collect::<Vec<_>>(), ["psi", "ks"]);
    assert_eq!(monitor.pairs_max, 1000);
}

#[test]
fn one_key_says_where_the_reference_comes_from() {
    let of = |reference: &str| {
        let text = format!("models: [{{name: m, requests: {{path: r}}, reference: {{{reference}}}}}]");
        parse(&text).unwrap().whole().unwrap().models.remove(0).reference
    };
    let past = |days: u64, same_hour_of_week| Reference::Trailing {
        length: Duration::from_secs(days * 86_400),
        same_hour_of_week,
    };
    assert_eq!(of("path: ref.parquet"), Reference::File("/etc/ref.parquet".into()));
    assert_eq!(of("path: 'ref/{version}.parquet'"), Reference::Versions("/etc/ref/{version}.parquet".into()));
    assert_eq!(of("first_rows: 10_000"), Reference::FirstRows(10_000));
    assert_eq!(of("trailing: 7d, label: y"), past(7, false));
    assert_eq!(of("trailing: 4w, same_hour_of_week: true"), past(28, true));
    assert_eq!(
        of("trailing: 1h, same_hour_of_week: false"),
        Reference::Trailing { length: Duration::from_secs(3600), same_hour_of_week: false }
    );
}

#[test]
fn anchors_and_merge_keys_share_what_models_have_in_common() {
    let text = "
models:
  - &base
    name: a
    requests: {path: r}
    reference: {path: ref.parquet}
    rows_min: 5
  - {<<: *base, name: b}
";
    let config = parse(text).unwrap().whole().unwrap();
    let told = |m: &config::Model| (m.monitor.name.clone(), m.monitor.rows_min);
    assert_eq!(config.models.iter().map(told).collect::<Vec<_>>(), [("a".into(), 5), ("b".into(), 5)]);
}

#[test]
fn a_broken_model_leaves_the_others_whole() {
    let model =
        |name: &str, more: &str| format!("  - {{name: {name}, requests: {{path: r}}, reference: {{path: f}}{more}}}\n");
    let text = format!(
        "models:\n{}{}{}{}",
        model("good", ""),
        model("bad", ", panes: 0"),
        model("good", ", rows_min: 7"),
        model("fine", "")
    );
    let loaded = parse(&text).unwrap();
    let names: Vec<_> = loaded.config.models.iter().map(|m| m.monitor.name.as_str()).collect();
    assert_eq!(names, ["good", "fine"]);
    assert_eq!(loaded.config.models[0].monitor.rows_min, 100);
    let broken: Vec<_> = loaded.broken.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(broken, ["bad", "models[2]"]);
    let problem = &loaded.broken[0].problem;
    assert_eq!(problem, "line 3: models[1].panes: found `0` (allowed: a whole number from 1 to 1440)");
    assert!(loaded.whole().is_err());
}

#[test]
fn a_problem_outside_of_the_models_refuses_all() {
    let text = "listen: here\nmodels: [{name: m, requests: {path: r}, reference: {path: f}}]";
    let problems = parse(text).unwrap_err();
    assert_eq!(problems.list.len(), 1);
    assert_eq!(problems.list[0].model, None);
}

/// Each file in `tests/golden/config` beside the text that it is answered with. `{methods}` and its kin stand
/// for the lists of methods, which grow.
#[test]
fn broken_files_are_answered_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the golden files are gone");
    for file in files {
        let name = Path::new(file.file_name().unwrap());
        let text = fs::read_to_string(&file).unwrap();
        let found = match config::parse(&text, name, &|_| None) {
            Ok(loaded) => format!(
                "# whole: {}\n{}\n# warnings\n{}\n",
                loaded.config.models.iter().map(|m| m.monitor.name.as_str()).collect::<Vec<_>>().join(", "),
                loaded.problems,
                loaded.warnings
            ),
            Err(problems) => format!("{problems}\n"),
        };
        let found = without_methods(&found);
        let golden = file.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, expected, "{}", name.display());
    }
}

fn without_methods(text: &str) -> String {
    let names = |fits: fn(&&&drift_sidecar::stats::Method) -> bool| {
        METHODS.iter().filter(fits).map(|method| method.name).collect::<Vec<_>>().join(", ")
    };
    let lists = [
        ("{methods}", names(|method| method.name != "reconstruction")),
        ("{numerical methods}", names(|method| method.numerical)),
        ("{categorical methods}", names(|method| method.categorical)),
        ("{text methods}", names(|method| method.text)),
        ("{embedding methods}", names(|method| method.embedding)),
        ("{text methods}, none", names(|method| method.text) + ", none"),
        ("{methods of several columns}, none", names(|method| method.several) + ", none"),
    ];
    let lines = text.lines().map(|line| {
        let list = line.trim_start().strip_prefix("allowed: ")?;
        let (word, _) = lists.iter().find(|(_, names)| names == list)?;
        Some(line.replace(list, word))
    });
    let lines: Vec<String> = lines.zip(text.lines()).map(|(new, old)| new.unwrap_or_else(|| old.to_string())).collect();
    lines.join("\n") + "\n"
}

/// A definition brings its own defaults, and names of methods are looked up in its own list.
#[test]
fn a_definition_has_its_own_methods_and_defaults() {
    let text = |drift: &str| {
        format!("models: [{{name: m, requests: {{path: r}}, reference: {{path: r.parquet}}, drift: {{{drift}}}}}]")
    };
    let drift = |said: &str| parse(&text(said)).unwrap().config.models[0].monitor.drift.clone();
    assert_eq!(drift("share: 0.5"), drift("definition: robust"));
    let evidently = drift("numerical: [ks, psi], definition: evidently");
    let limits = |drift: &Drift| drift.numerical.iter().map(|method| method.limit).collect::<Vec<_>>();
    assert_eq!(limits(&evidently), [Limit::Alpha(0.05), Limit::Score(0.1)]);
    assert_eq!(evidently.categorical[0].name, "default");
    assert_eq!(limits(&drift("definition: nannyml")), [Limit::Auto]);

    let told = parse(&text("definition: nannyml, numerical: psi")).unwrap_err().to_string();
    assert!(told.contains("`psi` is no method"), "{told}");
    assert!(told.trim_end().ends_with("allowed: jensen_shannon, hellinger, ks, wasserstein"), "{told}");
    let told = parse(&text("definition: evidentl")).unwrap_err().to_string();
    assert!(told.contains("robust, evidently, nannyml"), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let problems = config::load(Path::new("/nonexistent/sidecar.yaml")).unwrap_err();
    let text = problems.to_string();
    assert!(text.starts_with("/nonexistent/sidecar.yaml: cannot be read: "), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let latin = folder.path().join("latin1.yaml");
    fs::write(&latin, b"listen: caf\xe9").unwrap();
    let text = config::load(&latin).unwrap_err().to_string();
    assert!(text.contains("is not UTF-8 text: the byte at position 11"), "{text}");
    let huge = folder.path().join("huge.yaml");
    fs::write(&huge, " ".repeat(5 << 20)).unwrap();
    assert!(config::load(&huge).unwrap_err().to_string().contains("has 5242880 bytes"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Whatever the bytes, there is an answer, and each problem lies within the file.
    #[test]
    fn no_text_breaks_the_reading(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..12)
    ) {
        let mut bytes = all_on().into_bytes();
        for (place, byte, act) in edits {
            let at = place.index(bytes.len());
            match act {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"{}[]:,'\"&*!|>-#\n\t $"[usize::from(byte) % 19]),
                _ => { bytes.drain(at..bytes.len().min(at + usize::from(byte))); }
            }
            if bytes.is_empty() { bytes.push(b' '); }
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().count();
        match parse(&text) {
            Ok(loaded) => prop_assert!(!loaded.config.models.is_empty()),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(!problems.to_string().is_empty());
                for problem in &problems.list {
                    prop_assert!(problem.place.line <= lines + 1, "{problem:?}");
                }
            }
        }
    }
}
