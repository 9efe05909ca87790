//! `kill -9` at any moment and a restart: the numbers are what an uninterrupted run gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use drift_sidecar::demo::Traffic;
use drift_sidecar::{config, daemon, once};
use rand::{RngExt, SeedableRng};

/// How often the process is killed before it may live.
const KILLS: usize = 12;

const DEADLINE: Duration = Duration::from_secs(60);

struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    fn start(config: &Path) -> Daemon {
        let mut child = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
            .args(["run", "--log-format", "json", "--config"])
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| {
                let event: serde_json::Value = serde_json::from_str(&line).ok()?;
                event["fields"]["address"].as_str().map(str::to_string)
            })
            .expect("the daemon says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Daemon { child, address }
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_string()))
    }

    /// The windows of the Report once it satisfies a condition.
    fn windows_when(&self, fits: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some((200, body)) = self.get("/api/v1/report")
                && let Ok(report) = serde_json::from_str::<serde_json::Value>(&body)
                && fits(&report["models"][0]["windows"])
            {
                return report["models"][0]["windows"].clone();
            }
            assert!(
                Instant::now() < deadline,
                "the report did not become what it should within {DEADLINE:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn killed_at_random_moments_it_ends_with_the_numbers_of_an_uninterrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    let now = daemon::now();
    let minute = 60_000_000;
    let mut traffic = Traffic::new(folder.path(), now - 20 * minute, 5).unwrap();
    traffic.write_reference().unwrap();
    let file = folder.path().join("sidecar.yaml");
    let text = traffic
        .config("127.0.0.1:0".parse().unwrap())
        .replace("evaluate_every: 2s", "evaluate_every: 1s\nstate_dir: state");
    std::fs::write(&file, text).unwrap();

    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(now as u64);
    for kill in 0..KILLS {
        // The service goes on writing while the sidecar lives, dies and is gone.
        traffic
            .turn(now - 20 * minute + (kill as i64 + 1) * 40_000_000)
            .unwrap();
        let daemon = Daemon::start(&file);
        let alive = Duration::from_millis(random.random_range(0..1800));
        let deadline = Instant::now() + alive;
        while Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(daemon);
    }
    traffic
        .turn(now - 20 * minute + KILLS as i64 * 40_000_000 + 7_000_000)
        .unwrap();

    let whole = config::load(&file).unwrap().whole().unwrap();
    let report = once::once(&whole, now);
    let expected = serde_json::to_value(&report.models[0].windows).unwrap();
    let daemon = Daemon::start(&file);
    let found = daemon.windows_when(|windows| {
        windows[0]["rows"] == expected[0]["rows"]
            && windows[0]["labelled_rows"] == expected[0]["labelled_rows"]
    });
    same(&found, &expected, "windows");
    let rows = report.models[0].logs[0].rows_read;
    let (_, metrics) = daemon.get("/metrics").unwrap();
    let read: u64 = metrics
        .lines()
        .find_map(|line| {
            line.strip_prefix(
                "drift_sidecar_rows_read_total{model=\"product-classifier\",log=\"requests\"} ",
            )
        })
        .and_then(|value| value.parse().ok())
        .unwrap();
    assert!(
        read < rows,
        "after a restart only what windows still need is read: {read} of {rows} rows"
    );
}

/// Equal but for the last bits of sums that were added in another order.
fn same(found: &serde_json::Value, expected: &serde_json::Value, at: &str) {
    match (found, expected) {
        (serde_json::Value::Number(a), serde_json::Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!(
                (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                "{at}: {a} and {b}"
            );
        }
        (serde_json::Value::Array(a), serde_json::Value::Array(b)) if a.len() == b.len() => {
            a.iter()
                .zip(b)
                .enumerate()
                .for_each(|(i, (a, b))| same(a, b, &format!("{at}[{i}]")));
        }
        (serde_json::Value::Object(a), serde_json::Value::Object(b)) if a.len() == b.len() => {
            b.iter()
                .for_each(|(key, b)| same(&a[key], b, &format!("{at}.{key}")));
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}
