//! The daemon as an operator meets it: prompt, reloadable, and unharmed by one bad thing.

#[path = "support/daemon.rs"]
mod daemon_process;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use daemon_process::{Daemon, until};
use drift_sidecar::daemon::now;
use drift_sidecar::demo::{Scenario, Traffic};
use serde_json::Value;

/// A service whose logs are written, and a config beside them.
struct Service {
    folder: tempfile::TempDir,
    traffic: Traffic,
    begun: i64,
}

impl Service {
    fn new() -> Service {
        let folder = tempfile::tempdir().unwrap();
        let begun = now() - 600_000_000;
        let mut traffic = Traffic::new(folder.path(), Scenario::Drift, begun, 3).unwrap();
        traffic.write_reference().unwrap();
        traffic.turn(begun).unwrap();
        Service { folder, traffic, begun }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sidecar.yaml")
    }

    fn config(&self) -> String {
        let text = self.traffic.config("127.0.0.1:0".parse().unwrap());
        text.replace("evaluate_every: 2s", "evaluate_every: 1s")
    }

    fn start(&self, text: &str) -> Daemon {
        fs::write(self.path(), text).unwrap();
        let daemon = Daemon::start(&self.path());
        until("the daemon is ready", || daemon.ask("GET", "/-/ready").filter(|(status, _)| *status == 200));
        daemon
    }
}

fn rows(models: &Value) -> u64 {
    models[0]["logs"][0]["rows_read"].as_u64().unwrap_or(0)
}

fn a_renamed_file_is_in_the_metrics_within_two_evaluations(notify: bool) {
    let mut service = Service::new();
    let daemon = service.start(&format!("notify: {notify}\n{}", service.config()));
    let before = rows(&daemon.report()["models"]);
    assert!(before > 0);
    service.traffic.turn(service.begun + 5_000_000).unwrap();
    let mut evaluations = BTreeSet::from([daemon.report()["models"][0]["evaluated_at"].to_string()]);
    until("the new rows are counted", || {
        let models = daemon.report()["models"].clone();
        evaluations.insert(models[0]["evaluated_at"].to_string());
        (rows(&models) > before).then_some(())
    });
    assert!(evaluations.len() <= 3, "seen in the evaluation after {} others", evaluations.len() - 2);
}

#[test]
fn a_file_renamed_into_place_is_prompt_with_notifications() {
    a_renamed_file_is_in_the_metrics_within_two_evaluations(true);
}

#[test]
fn a_file_renamed_into_place_is_prompt_without_notifications() {
    a_renamed_file_is_in_the_metrics_within_two_evaluations(false);
}

const RELOADED: &str = "drift_sidecar_config_last_reload_successful";

fn threshold(daemon: &Daemon) -> Option<f64> {
    daemon.metric("drift_threshold{model=\"product-classifier\",window=\"1m\",column=\"price\",method=\"psi\"}")
}

#[test]
fn a_config_is_reloaded_by_post_by_sighup_and_when_its_file_changes() {
    let service = Service::new();
    let with = |threshold: f64| {
        service
            .config()
            .replace("{method: [wasserstein, psi, ks]}", &format!("{{method: psi, threshold: {threshold}}}"))
    };
    let daemon = service.start(&with(0.1));
    assert_eq!(threshold(&daemon), Some(0.1));
    fs::write(service.path(), with(0.2)).unwrap();
    let (status, said) = daemon.ask("POST", "/-/reload").unwrap();
    assert_eq!((status, said.trim()), (200, "config reloaded: 1 models"));
    until("the posted reload is in force", || threshold(&daemon).filter(|found| *found == 0.2));
    fs::write(service.path(), with(0.3)).unwrap();
    daemon.signal("HUP");
    until("the signalled reload is in force", || threshold(&daemon).filter(|found| *found == 0.3));
    fs::write(service.path(), with(0.4)).unwrap();
    until("the changed file is in force", || threshold(&daemon).filter(|found| *found == 0.4));
    assert_eq!(daemon.metric(RELOADED), Some(1.0));
}

#[test]
fn a_bad_config_keeps_the_old_one_running_and_says_what_is_wrong() {
    let service = Service::new();
    let daemon = service.start(&service.config());
    fs::write(service.path(), service.config().replace("wasserstein", "waserstein")).unwrap();
    let (status, said) = daemon.ask("POST", "/-/reload").unwrap();
    assert_eq!(status, 400);
    assert!(said.contains("did you mean `wasserstein`?"), "{said}");
    assert_eq!(daemon.metric(RELOADED), Some(0.0));
    assert!(daemon.metric("window_rows{model=\"product-classifier\",window=\"1m\"}").is_some());
    fs::write(service.path(), service.config()).unwrap();
    until("the mended file is in force", || daemon.metric(RELOADED).filter(|found| *found == 1.0));
}

#[test]
fn a_kubernetes_config_map_is_followed_when_its_folder_is_swapped() {
    let service = Service::new();
    let folder = service.folder.path();
    // As the kubelet does it: ..data is a link to a dated folder, sidecar.yaml a link into ..data.
    let version = |name: &str, text: &str| {
        fs::create_dir(folder.join(name)).unwrap();
        let absolute = text
            .replace("path: re", &format!("path: {}/re", folder.display()))
            .replace("path: out", &format!("path: {}/out", folder.display()));
        fs::write(folder.join(name).join("sidecar.yaml"), absolute).unwrap();
    };
    version("..v1", &service.config());
    version("..v2", &service.config().replace("windows: [1m, 5m]", "windows: [1m]"));
    symlink("..v1", folder.join("..data")).unwrap();
    symlink("..data/sidecar.yaml", service.path()).unwrap();
    let daemon = Daemon::start(&service.path());
    daemon.models_when("both windows are there", |models| {
        models[0]["windows"].as_array().is_some_and(|windows| windows.len() == 2)
    });
    symlink("..v2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    daemon.models_when("one window is left", |models| {
        models[0]["windows"].as_array().is_some_and(|windows| windows.len() == 1)
    });
    let (_, metrics) = daemon.ask("GET", "/metrics").unwrap();
    assert!(!metrics.contains("window=\"5m\""), "series of a window that is gone stay on the page");
}

#[test]
fn one_bad_model_stays_one_bad_model() {
    let service = Service::new();
    let good = service.config();
    let entry = |name: &str, reference: &str| {
        format!(
            "  - {{name: {name}, requests: {{path: requests}}, reference: {{path: {reference}}}, windows: [1m], panes: 30}}\n"
        )
    };
    let text = format!(
        "{good}{}{}{}",
        entry("no-reference", "nothing-there.parquet"),
        entry("twice", "reference.parquet"),
        entry("twice", "reference.parquet")
    );
    let broken = text
        + "  - {name: broken, requests: {path: requests}, reference: {path: reference.parquet}, windows: [soon]}\n";
    let daemon = service.start(&broken);
    let up = |model: &str| daemon.metric(&format!("drift_sidecar_model_up{{model=\"{model}\"}}"));
    until("the good model is up", || up("product-classifier").filter(|up| *up == 1.0));
    until("the first of two equal names is up", || up("twice").filter(|up| *up == 1.0));
    assert_eq!(up("no-reference"), Some(0.0));
    assert_eq!(up("broken"), Some(0.0));
    let models = daemon.report()["models"].clone();
    let problem = |name: &str| {
        models.as_array().unwrap().iter().find(|model| model["model"] == name).unwrap()["problems"][0]
            .as_str()
            .unwrap()
            .to_string()
    };
    assert!(problem("no-reference").contains("nothing-there.parquet"), "{}", problem("no-reference"));
    assert!(problem("broken").contains("windows"), "{}", problem("broken"));
    // The reference comes later: the model begins by itself.
    fs::copy(service.folder.path().join("reference.parquet"), service.folder.path().join("nothing-there.parquet"))
        .unwrap();
    until("the late reference is taken", || up("no-reference").filter(|up| *up == 1.0));
}

#[test]
fn a_stop_signal_ends_it_in_order_and_leaves_its_state() {
    let service = Service::new();
    let daemon = service.start(&format!("state_dir: state\n{}", service.config()));
    daemon.signal("TERM");
    assert_eq!(daemon.exit().code(), Some(0));
    assert!(service.folder.path().join("state/product-classifier.json").exists());
}

fn run(config: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
        .arg("run")
        .arg("--config")
        .arg(config)
        .stdout(Stdio::null())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_port_that_is_taken_is_said_and_ends_with_1() {
    let service = Service::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs::write(service.path(), service.config().replace("127.0.0.1:0", &address)).unwrap();
    let (code, said) = run(&service.path());
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[test]
fn a_full_disk_for_the_state_file_stops_nothing() {
    let mut service = Service::new();
    // A file stands where the folder of the state files should be made.
    fs::write(service.folder.path().join("state"), "").unwrap();
    let daemon = service.start(&format!("state_dir: state\n{}", service.config()));
    let before = rows(&daemon.report()["models"]);
    service.traffic.turn(service.begun + 5_000_000).unwrap();
    daemon.models_when("rows go on being read", |models| rows(models) > before);
}
