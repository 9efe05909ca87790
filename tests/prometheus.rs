//! A real Prometheus scrapes the real daemon: what it stores is what the Report says.

#[path = "support/daemon.rs"]
mod daemon_process;
#[path = "support/promtool.rs"]
mod promtool;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use daemon_process::{Daemon, until};
use drift_sidecar::daemon::now;
use drift_sidecar::demo::{Scenario, Traffic};
use drift_sidecar::http::{Shared, serve};
use drift_sidecar::metrics::{Process, render};
use drift_sidecar::report::{ColumnReport, Kind, ModelReport, Report, TestReport, WindowReport};
use serde_json::Value;

struct Prometheus {
    child: Child,
    address: String,
}

impl Prometheus {
    fn start(folder: &Path, target: &str) -> Prometheus {
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: drift_sidecar, static_configs: [{{targets: ['{target}']}}]}}\n"
        );
        fs::write(&config, text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's package `prometheus` is installed: `tests/run` does it");
        Prometheus { child, address }
    }

    /// The newest sample of every series of the job, by name and labels.
    fn samples(&self) -> Option<BTreeMap<String, f64>> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let query = "%7Bjob%3D%22drift_sidecar%22%7D";
        write!(stream, "GET /api/v1/query?query={query} HTTP/1.0\r\nHost: x\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        let series = body["data"]["result"].as_array()?.iter().map(|series| {
            let labels: BTreeMap<&str, &str> = series["metric"]
                .as_object()?
                .iter()
                .map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .collect::<Option<_>>()?;
            let own = labels.iter().filter(|(name, _)| !["__name__", "instance", "job"].contains(name));
            let own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
            Some((format!("{} {}", labels["__name__"], own.join(",")), series["value"][1].as_str()?.parse().ok()?))
        });
        series.collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The page of the daemon, parsed by the letter of the text format.
fn page(daemon: &Daemon) -> BTreeMap<String, f64> {
    let (_, text) = daemon.ask("GET", "/metrics").unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let mut labels: Vec<String> = labels
                .trim_end_matches('}')
                .split(',')
                .filter(|label| !label.is_empty())
                .map(|label| label.replace('"', ""))
                .collect();
            labels.sort();
            (format!("{name} {}", labels.join(",")), value.replace("+Inf", "inf").parse().unwrap())
        })
        .collect()
}

/// The daemon over two minutes of logs, after its first evaluation. It makes no further one: the page stays as it is.
fn evaluated(folder: &Path) -> Daemon {
    let begun = now() - 600_000_000;
    let mut traffic = Traffic::new(folder, Scenario::Drift, begun, 3).unwrap();
    traffic.write_reference().unwrap();
    traffic.turn(begun).unwrap();
    let config = folder.join("sidecar.yaml");
    let text = traffic.config("127.0.0.1:0".parse().unwrap());
    fs::write(&config, text.replace("evaluate_every: 2s", "evaluate_every: 1h")).unwrap();
    let daemon = Daemon::start(&config);
    daemon.models_when("the first evaluation is made", |models| models[0]["windows"][0]["quality"]["f1"].is_number());
    daemon
}

#[test]
fn what_prometheus_stores_is_what_the_report_says() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = evaluated(folder.path());
    let expected = page(&daemon);
    let prometheus = Prometheus::start(folder.path(), &daemon.address);
    let stored = until("Prometheus has scraped the page", || {
        prometheus.samples().filter(|samples| samples.len() > expected.len())
    });
    for (series, value) in &expected {
        assert_eq!(stored.get(series), Some(value), "{series}");
    }
    let report = daemon.report();
    let window = &report["models"][0]["windows"][0];
    let labels = "model=product-classifier,window=1m";
    assert_eq!(stored[&format!("prediction_f1_score {labels}")], window["quality"]["f1"].as_f64().unwrap());
    assert_eq!(stored[&format!("window_rows {labels}")], window["rows"].as_f64().unwrap());
    for column in window["columns"].as_array().unwrap() {
        for test in column["tests"].as_array().unwrap() {
            let series = format!(
                "drift_score column={},method={},{labels}",
                column["column"].as_str().unwrap(),
                test["method"].as_str().unwrap()
            );
            assert_eq!(stored[&series], test["score"].as_f64().unwrap(), "{series}");
        }
    }
    assert_eq!(stored["up "], 1.0);
}

#[test]
fn promtool_has_no_complaint_about_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = evaluated(folder.path());
    let (_, text) = daemon.ask("GET", "/metrics").unwrap();
    promtool::no_complaint(&text);
}

/// A column of this name, whose score is `score`.
fn column(name: &str, score: f64) -> ColumnReport {
    ColumnReport {
        column: name.to_string(),
        kind: Kind::Categorical,
        missing_ratio: None,
        tests: vec![TestReport {
            method: "psi",
            score,
            threshold: Some(0.1),
            noise: Some(0.0),
            p_value: None,

            drifted: false,
            ..TestReport::default()
        }],
        ..ColumnReport::default()
    }
}

#[test]
fn whatever_a_column_is_called_and_scores_prometheus_stores_it_unchanged() {
    let hostile = [
        ("quo\"te", 0.1 + 0.2),
        ("back\\slash\\", 1e-300),
        ("new\nline", f64::MAX),
        ("\r\t\u{b}\u{1b}[31m\u{7f}", f64::from_bits(1)),
        ("nul\0byte", -1.0 / 3.0),
        ("{a=\"b\"} 1 # HELP,", f64::INFINITY),
        ("\u{202e}right to left\u{2028}", 1e21),
        ("größe 🦀 名前", 123_456_789.123_456_78),
        (" spaces ", 0.000_01),
        ("__name__", 0.000_1),
    ];
    let columns = hostile.iter().map(|(name, score)| column(name, *score)).collect();
    let window = WindowReport { window: "1h".to_string(), columns, ..WindowReport::default() };
    let model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
    let report = Arc::new(Report { models: vec![Arc::new(model)] });
    promtool::no_complaint(&render(report.clone(), &Process::default()));

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let shared = Arc::new(Shared::new(tokio::sync::mpsc::channel(1).0));
    shared.report.store(report);
    runtime.spawn(serve(listener, shared, std::future::pending()));

    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start(folder.path(), &address);
    let stored = until("Prometheus has scraped the page", || {
        prometheus.samples().filter(|samples| samples.contains_key("up ") && samples.len() > hostile.len())
    });
    assert_eq!(stored["up "], 1.0);
    for (name, score) in hostile {
        let series = format!("drift_score column={name},method=psi,model=m,window=1h");
        assert_eq!(stored.get(&series), Some(&score), "{series:?}");
    }
}
