//! `kill -9` at any moment and a restart: the numbers are what an uninterrupted run gives.

#[path = "support/daemon.rs"]
mod daemon_process;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use daemon_process::Daemon;

use drift_sidecar::demo::{Scenario, Traffic};
use drift_sidecar::{config, daemon, once};
use rand::{RngExt, SeedableRng};

/// How often the process is killed before it may live.
const KILLS: usize = 12;

const ROWS_READ: &str = "drift_sidecar_rows_read_total{model=\"product-classifier\",log=\"requests\"}";

#[test]
fn killed_at_random_moments_it_ends_with_the_numbers_of_an_uninterrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    let now = daemon::now();
    let minute = 60_000_000;
    let (mut traffic, file) = shop(folder.path(), now - 20 * minute);

    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(now as u64);
    for kill in 0..KILLS {
        // The service goes on writing while the sidecar lives, dies and is gone.
        traffic.turn(now - 20 * minute + (kill as i64 + 1) * 40_000_000).unwrap();
        let daemon = Daemon::start(&file);
        let alive = Duration::from_millis(random.random_range(0..1800));
        if kill == KILLS - 1 {
            // The last one lives until it has read everything: that not all is read again is shown below.
            daemon_process::until("it has read all and kept its place", || {
                let ready = daemon.ask("GET", "/-/ready").is_some_and(|(status, _)| status == 200);
                let kept = std::fs::read_dir(folder.path().join("state")).is_ok_and(|mut files| files.next().is_some());
                (ready && kept).then_some(())
            });
        }
        let deadline = Instant::now() + alive;
        while Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(daemon);
    }
    traffic.turn(now - 20 * minute + KILLS as i64 * 40_000_000 + 7_000_000).unwrap();

    let whole = config::load(&file).unwrap().whole().unwrap();
    let report = once::once(&whole, now);
    let expected = serde_json::to_value(&report.models[0].windows).unwrap();
    let daemon = Daemon::start(&file);
    let model = when_all_is_read(&daemon, &expected);
    same(&model["windows"], &expected, "windows");
    let recent = serde_json::to_value(&report.models[0].recent).unwrap();
    assert_eq!(recent["labelled_rows"], 500);
    same(&model["recent"], &recent, "recent");
    let rows = report.models[0].logs[0].rows_read;
    let read = daemon.metric(ROWS_READ).unwrap() as u64;
    assert!(read < rows, "after a restart only what windows still need is read: {read} of {rows} rows");
}

#[test]
fn after_an_orderly_end_only_what_came_since_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let now = daemon::now();
    let minute = 60_000_000;
    let (mut traffic, file) = shop(folder.path(), now - 20 * minute);
    let mut kept = 0;
    for run in 0..5 {
        traffic.turn(now - 20 * minute + (run + 1) * 2 * minute).unwrap();
        let report = once::once(&config::load(&file).unwrap().whole().unwrap(), now);
        let expected = serde_json::to_value(&report.models[0].windows).unwrap();
        let daemon = Daemon::start(&file);
        same(&when_all_is_read(&daemon, &expected)["windows"], &expected, &format!("run {run}"));
        let read = report.models[0].logs[0].rows_read;
        assert_eq!(daemon.metric(ROWS_READ), Some((read - kept) as f64), "run {run}: what was kept is not read again");
        // Each second run dies instead: the next one goes on where the last orderly end was.
        if run % 2 == 0 {
            daemon.signal("TERM");
            assert!(daemon.exit().success());
            kept = read;
        }
    }
}

/// The demo's shop from `start` on, and the config of a sidecar that keeps its state.
fn shop(folder: &Path, start: i64) -> (Traffic, PathBuf) {
    let mut traffic = Traffic::new(folder, Scenario::Drift, start, 5).unwrap();
    traffic.write_reference().unwrap();
    let file = folder.join("sidecar.yaml");
    let text = traffic
        .config("127.0.0.1:0".parse().unwrap())
        .replace("evaluate_every: 2s", "evaluate_every: 1s\nstate_dir: state")
        .replace("rows_min: 100", "rows_min: 100\n    f1_window: {labelled_rows: 500}");
    std::fs::write(&file, text).unwrap();
    (traffic, file)
}

/// The model once its main window holds the rows and outcomes of the expected one.
fn when_all_is_read(daemon: &Daemon, expected: &serde_json::Value) -> serde_json::Value {
    let models = daemon.models_when("all rows are in the windows", |models| {
        let windows = &models[0]["windows"];
        windows[0]["rows"] == expected[0]["rows"] && windows[0]["labelled_rows"] == expected[0]["labelled_rows"]
    });
    models[0].clone()
}

/// Equal but for the last bits of sums that were added in another order.
fn same(found: &serde_json::Value, expected: &serde_json::Value, at: &str) {
    match (found, expected) {
        (serde_json::Value::Number(a), serde_json::Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{at}: {a} and {b}");
        }
        (serde_json::Value::Array(a), serde_json::Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| same(a, b, &format!("{at}[{i}]")));
        }
        (serde_json::Value::Object(a), serde_json::Value::Object(b)) if a.len() == b.len() => {
            b.iter().for_each(|(key, b)| same(&a[key], b, &format!("{at}.{key}")));
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}
