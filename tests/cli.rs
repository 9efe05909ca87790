//! The program as people type it: what it prints, where, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use drift_sidecar::daemon::now;
use drift_sidecar::demo::{Scenario, Traffic};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drift-sidecar")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Logs of two minutes, half of them drifting, and a config.
fn logs() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let begun = now() - 600_000_000;
    let mut traffic = Traffic::new(folder.path(), Scenario::Drift, begun, 11).unwrap();
    traffic.write_reference().unwrap();
    traffic.turn(begun).unwrap();
    traffic.turn(begun + 120_000_000).unwrap();
    let config = folder.path().join("sidecar.yaml");
    fs::write(&config, traffic.config("127.0.0.1:0".parse().unwrap())).unwrap();
    (folder, config)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_goes_to_stdout_and_a_wrong_command_line_ends_with_64() {
    let help = run(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(out(&help).contains("compare") && err(&help).is_empty());
    for wrong in [
        &[][..],
        &["runn"],
        &["run"],
        &["once", "--config", "x", "--format", "xml"],
        &["run", "--config", "x", "--log-level", "=="],
        &["demo", "--scenario", "flood"],
    ] {
        let output = run(wrong);
        assert_eq!(code(&output), 64, "{wrong:?}: {}", err(&output));
        assert!(out(&output).is_empty());
    }
}

#[test]
fn a_config_with_mistakes_ends_with_78_and_tells_them_all() {
    let (folder, config) = logs();
    let mistaken =
        fs::read_to_string(&config).unwrap().replace("wasserstein", "waserstein").replace("panes: 30", "panes: none");
    fs::write(&config, mistaken).unwrap();
    for command in ["run", "once", "check"] {
        let output = run(&[command, "--config", text(&config)]);
        assert_eq!(code(&output), 78, "{command}");
        assert!(
            err(&output).contains("did you mean `wasserstein`?") && err(&output).contains("panes"),
            "{}",
            err(&output)
        );
    }
    let nowhere = folder.path().join("nowhere.yaml");
    let output = run(&["check", "--config", text(&nowhere)]);
    assert_eq!(code(&output), 78);
    assert!(err(&output).contains("nowhere.yaml"), "{}", err(&output));
}

#[test]
fn once_prints_the_page_a_table_or_the_report_and_nothing_else() {
    let (folder, config) = logs();
    let page = run(&["once", "--config", text(&config)]);
    assert_eq!(code(&page), 0, "{}", err(&page));
    assert!(out(&page).contains("\nprediction_f1_score{model=\"product-classifier\",window=\"1m\"} 0."));
    assert!(!out(&page).contains("evaluation_duration"), "what depends on the clock is not printed");
    let again = run(&["once", "--config", text(&config)]);
    assert_eq!(page.stdout, again.stdout, "the same files give the same bytes");
    let report: Value =
        serde_json::from_slice(&run(&["once", "--format", "json", "--config", text(&config)]).stdout).unwrap();
    assert_eq!(report["models"][0]["windows"][0]["data_drift_detected"], true);
    let table = run(&["once", "--format", "table", "--config", text(&config)]);
    assert!(out(&table).contains("DRIFT") && out(&table).contains("price"), "{}", out(&table));
    let file = folder.path().join("page.prom");
    let written = run(&["once", "--config", text(&config), "--output", text(&file)]);
    assert!(out(&written).is_empty());
    assert_eq!(fs::read(&file).unwrap(), page.stdout);
}

#[test]
fn once_without_a_reference_says_so_and_ends_with_1() {
    let (folder, config) = logs();
    fs::remove_file(folder.path().join("reference.parquet")).unwrap();
    let output = run(&["once", "--config", text(&config)]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("there is no Parquet file at"), "{}", err(&output));
    assert!(out(&output).contains("drift_sidecar_model_up{model=\"product-classifier\"} 0"));
}

#[test]
fn compare_needs_no_config_and_is_a_gate() {
    let (folder, _config) = logs();
    let reference = folder.path().join("reference.parquet");
    let requests = folder.path().join("requests");
    let same = run(&["compare", "--reference", text(&reference), "--current", text(&reference), "--fail-on-drift"]);
    assert_eq!(code(&same), 0, "{}", err(&same));
    assert!(out(&same).contains("NO DRIFT"), "{}", out(&same));
    let arguments = [
        "compare",
        "--reference",
        text(&reference),
        "--current",
        text(&requests),
        "--format",
        "json",
        "--methods",
        "all",
    ];
    let drifted = run(&arguments);
    assert_eq!(code(&drifted), 0);
    let report: Value = serde_json::from_slice(&drifted.stdout).unwrap();
    let model = &report["models"][0];
    assert_eq!((model["model"].as_str(), model["windows"][0]["window"].as_str()), (Some("compare"), Some("all")));
    let price =
        model["windows"][0]["columns"].as_array().unwrap().iter().find(|column| column["column"] == "price").unwrap();
    let methods: Vec<&str> =
        price["tests"].as_array().unwrap().iter().map(|test| test["method"].as_str().unwrap()).collect();
    let numerical = drift_sidecar::stats::METHODS.iter().filter(|method| method.numerical);
    assert_eq!(methods, numerical.map(|method| method.name).collect::<Vec<_>>());
    assert_eq!(price["drifted"], true);
    // The last file holds the drifting minute alone: most columns have moved.
    let last = fs::read_dir(&requests).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let gate = run(&[
        "compare",
        "--reference",
        text(&reference),
        "--current",
        text(&last),
        "--methods",
        "psi",
        "--fail-on-drift",
    ]);
    assert!([0, 2].contains(&code(&gate)));
    assert_eq!(code(&gate) == 2, out(&gate).contains("all  DRIFT"), "{}", out(&gate));
    let missing = run(&["compare", "--reference", "nothing.parquet", "--current", text(&last)]);
    assert_eq!(code(&missing), 1);
    assert!(err(&missing).contains("nothing.parquet"), "{}", err(&missing));
}

#[test]
fn compare_with_labels_on_both_sides_gives_the_f1_of_both() {
    let (folder, _config) = logs();
    let reference = folder.path().join("reference.parquet");
    let output = run(&["compare", "--reference", text(&reference), "--current", text(&reference), "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (model, window) = (&report["models"][0], &report["models"][0]["windows"][0]);
    assert_eq!(window["quality"], model["reference"]["quality"]);
    assert_eq!(window["labelled_rows"], window["rows"]);
}

#[test]
fn check_shows_the_plan_and_why() {
    let (_folder, config) = logs();
    let output = run(&["check", "--config", text(&config)]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let plan = out(&output);
    for words in [
        "price",
        "wasserstein",
        "prediction *",
        "not compared",
        "it is the score of the prediction",
        "text with more than",
    ] {
        assert!(plan.contains(words), "{words} is not in\n{plan}");
    }
}

#[test]
fn a_health_check_of_nobody_ends_with_1() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["healthcheck", "--url", &format!("http://{free}")]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("nobody answers"), "{}", err(&output));
    assert_eq!(code(&run(&["healthcheck", "--url", "ftp://x"])), 1);
}
