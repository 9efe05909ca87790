//! The real daemon as a child process, and questions to it. Stopped by its own pid.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(60);

pub struct Daemon {
    pub child: Child,
    pub address: String,
}

impl Daemon {
    /// `config` must say `listen: 127.0.0.1:0`.
    pub fn start(config: &Path) -> Daemon {
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
                let event: Value = serde_json::from_str(&line).ok()?;
                event["fields"]["address"].as_str().map(str::to_string)
            })
            .expect("the daemon says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Daemon { child, address }
    }

    pub fn ask(&self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_string()))
    }

    pub fn report(&self) -> Value {
        let (_, body) = self.ask("GET", "/api/v1/report").expect("the daemon answers");
        serde_json::from_str(&body).unwrap()
    }

    /// The models of the Report once they satisfy a condition.
    pub fn models_when(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(what, || Some(self.report()["models"].clone()).filter(&fits))
    }

    /// The value of a metric's line, which begins with name and labels as given.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let (_, text) = self.ask("GET", "/metrics")?;
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    pub fn exit(mut self) -> ExitStatus {
        until("the daemon ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer, or the deadline has passed.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
