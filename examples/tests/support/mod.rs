//! The real programs on ports that the system chooses, and plain requests to them.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes, shorter than a test may.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const SECRET: &str = "a secret of the tests, of more than 32 bytes";

/// A running program.
pub struct Program {
    child: Child,
    pub url: String,
}

impl Program {
    /// Starts a program with `--listen 127.0.0.1:0` behind `arguments`, and waits until it says where it listens.
    pub fn start(binary: &str, arguments: &[&str]) -> Program {
        let mut child = Command::new(binary)
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .envs([("JWT_SECRET", SECRET), ("TRAFFIC_PASSWORD", "shop123")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("a line that tells the address").unwrap();
            if let Some((_, address)) = line.split_once("listening address=") {
                break format!("http://{address}");
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Program { child, url }
    }

    pub fn auth() -> Program {
        let users = concat!(env!("CARGO_MANIFEST_DIR"), "/config/users.json");
        Program::start(env!("CARGO_BIN_EXE_auth_service"), &["--users", users])
    }

    /// The prediction service on `folder`/registry and `folder`/logs.
    pub fn predict(folder: &Path, arguments: &[&str]) -> Program {
        let (registry, logs) = (folder.join("registry"), folder.join("logs"));
        let mut all = vec!["--registry", registry.to_str().unwrap(), "--logs", logs.to_str().unwrap()];
        all.extend(arguments);
        Program::start(env!("CARGO_BIN_EXE_predict_service"), &all)
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, None, "", "")
    }

    pub fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let (status, text) = self.send("POST", path, token, "application/json", &body.to_string());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub fn send(&self, method: &str, path: &str, token: Option<&str>, kind: &str, body: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .allow_non_standard_methods(true)
            .build();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if !kind.is_empty() {
            request = request.header("Content-Type", kind);
        }
        let request = request.body(body.to_string()).unwrap();
        let mut answer = ureq::Agent::new_with_config(config).run(request).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    pub fn login(&self, user: &str, password: &str) -> (u16, Value) {
        let form = format!("grant_type=password&username={user}&password={password}");
        let (status, text) = self.send("POST", "/token", None, "application/x-www-form-urlencoded", &form);
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The value of a series on `/metrics`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics").1;
        page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Polls until `found` gives something.
pub fn wait<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A model of two classes that knows four words.
pub fn model(version: &str, roman: &str) -> String {
    let model = json!({
        "format": 1, "version": version, "trained_at": "2026-01-01T00:00:00Z", "classes": ["10", "2583"],
        "vocabulary": ["piscine", "pompe", "poche", roman],
        "weights": [[-1.0, 1.0], [-0.5, 0.5], [1.0, -1.0], [2.0, -2.0]], "bias": [0.1, -0.1],
    });
    model.to_string()
}

/// Promotes a version as the pipeline does: a folder, then a link that is renamed.
pub fn promote(registry: &Path, version: &str, model: &str) {
    let folder = registry.join("versions").join(version);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("model.json"), model).unwrap();
    let link = registry.join(".current");
    std::os::unix::fs::symlink(format!("versions/{version}"), &link).unwrap();
    std::fs::rename(link, registry.join("current")).unwrap();
}

/// Files of a log that a reader sees.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    files.sort();
    files
}

/// What promtool says of a service's page; nothing if all is well.
pub fn promtool(page: &str) -> String {
    use std::io::Write;
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// A connection that says nothing.
pub fn silent(program: &Program) -> TcpStream {
    TcpStream::connect(program.url.trim_start_matches("http://")).unwrap()
}
