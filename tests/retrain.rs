//! Alertmanager's deliveries against an Airflow that is away, closed, paused, of version 2 or 3: the real program, a
//! socket on either side.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
const DAG: &str = "ml_pipeline_mixed_experiment_dvc";
/// A body that a real Alertmanager 0.25 sent.
const DELIVERY: &str = include_str!("data/alertmanager-webhook.json");
const RUN: &str = "am__6f07989d51cae137__20261123T054512972";

/// What Airflow was asked: method and path, `Authorization`, body.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    pass: String,
    body: Value,
}

/// Status and body.
type Reply = (u16, Value);

/// Method and path, and the replies to come.
type Route = (String, VecDeque<Reply>);

/// An Airflow made of answers: by method and path, the last one for ever.
#[derive(Clone, Default)]
struct Airflow {
    answers: Arc<Mutex<Vec<Route>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Airflow {
    fn answers(self, line: &str, answers: &[Reply]) -> Airflow {
        self.answers.lock().unwrap().push((line.to_string(), answers.iter().cloned().collect()));
        self
    }

    /// Airflow 2 with the DAG, and its answers to new runs.
    fn two(runs: &[Reply]) -> Airflow {
        Airflow::default()
            .answers("GET /api/v1/version", &[(200, json!({"version": "2.11.2"}))])
            .answers(&format!("GET /api/v1/dags/{DAG}"), &[(200, json!({"dag_id": DAG, "is_paused": false}))])
            .answers(&format!("POST /api/v1/dags/{DAG}/dagRuns"), runs)
    }

    /// Airflow 3 likewise, with its login.
    fn three(runs: &[Reply]) -> Airflow {
        Airflow::default()
            .answers("GET /api/v2/version", &[(200, json!({"version": "3.3.2"}))])
            .answers(
                "POST /auth/token",
                &[(201, json!({"access_token": "first"})), (201, json!({"access_token": "second"}))],
            )
            .answers(&format!("GET /api/v2/dags/{DAG}"), &[(200, json!({"dag_id": DAG, "is_paused": false}))])
            .answers(&format!("POST /api/v2/dags/{DAG}/dagRuns"), runs)
    }

    fn answer(&self, asked: Asked) -> Reply {
        let line = asked.line.clone();
        self.asked.lock().unwrap().push(asked);
        let mut answers = self.answers.lock().unwrap();
        match answers.iter_mut().find(|(known, _)| *known == line) {
            Some((_, answers)) if answers.len() > 1 => answers.pop_front().unwrap(),
            Some((_, answers)) => answers[0].clone(),
            None => (404, json!({"detail": "Not Found", "title": "Not Found"})),
        }
    }

    fn open(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let airflow = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, airflow) = (stream.unwrap(), airflow.clone());
                std::thread::spawn(move || airflow.serve(stream));
            }
        });
        address
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let (mut length, mut pass) = (0, String::new());
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let Some((name, value)) = header.trim().split_once(':') else { break };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap(),
                    "authorization" => pass = value.trim().to_string(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let line = line.trim().trim_end_matches(" HTTP/1.1").to_string();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let (status, answer) = self.answer(Asked { line, pass, body });
            let text = match answer {
                Value::String(text) => text,
                answer => answer.to_string(),
            };
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        }
    }

    fn asked(&self, line: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.line == line).cloned().collect()
    }

    fn runs(&self, version: u8) -> Vec<Asked> {
        self.asked(&format!("POST /api/v{version}/dags/{DAG}/dagRuns"))
    }
}

/// The real program.
struct Webhook {
    child: Child,
    address: SocketAddr,
}

impl Webhook {
    fn start(airflow: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Webhook {
        let mut child = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
            .args(["retrain-webhook", "--listen", "127.0.0.1:0", "--airflow-url", airflow, "--dag", DAG])
            .args(["--log-format", "json"])
            .args(arguments)
            .env_remove("AIRFLOW_USER")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("a line that tells the address").unwrap();
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            if let Some(address) = line["fields"]["address"].as_str() {
                break address.parse().unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Webhook { child, address }
    }

    fn beside(airflow: &Airflow) -> Webhook {
        let url = format!("http://{}", airflow.open());
        Webhook::start(&url, &["--airflow-user", "admin"], &[("AIRFLOW_PASSWORD", "admin123")])
    }

    fn say(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("{head}Host: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // A server that refuses a large body closes before it was all sent.
        let _ = stream.read_to_string(&mut answer);
        let (head, said) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), said.to_string())
    }

    fn deliver(&self, body: &str) -> (u16, String) {
        self.say("POST /alerts HTTP/1.1\r\n", body)
    }

    fn metric(&self, series: &str) -> Option<f64> {
        let page = self.say("GET /metrics HTTP/1.1\r\n", "").1;
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_string));
        line.map(|value| value.parse().unwrap())
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn ok() -> Reply {
    (200, json!({"state": "queued"}))
}

fn exists() -> Reply {
    (409, json!({"title": "Conflict", "detail": "DAGRun with this id exists", "status": 409}))
}

/// The delivery with its alerts as `change` leaves them.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(DELIVERY).unwrap();
    change(&mut body);
    body.to_string()
}

#[test]
fn a_delivery_starts_a_run_of_airflow_2_and_its_repetition_starts_nothing() {
    let airflow = Airflow::two(&[ok(), exists()]);
    let webhook = Webhook::beside(&airflow);
    assert_eq!(webhook.metric("retrain_webhook_airflow_up"), None);
    assert_eq!(webhook.deliver(DELIVERY), (200, format!("started {RUN}\n")));
    assert_eq!(webhook.deliver(DELIVERY), (200, format!("{RUN} was started before\n")));
    let runs = airflow.runs(1);
    assert_eq!(runs.len(), 2);
    // printf admin:admin123 | base64
    assert_eq!(runs[0].pass, "Basic YWRtaW46YWRtaW4xMjM=");
    assert_eq!(runs[0].body["dag_run_id"], RUN);
    assert_eq!(runs[0].body["note"], "ModelF1Drop: F1 of accident fell to 0.750");
    let conf = &runs[0].body["conf"];
    assert_eq!(conf["alert"]["labels"]["model_name"], "accident");
    assert_eq!(conf["alert"]["annotations"]["description"], "more than 10 % below one hour ago");
    assert_eq!(conf["alert"]["startsAt"], "2026-11-23T05:45:12.972Z");
    assert_eq!(conf["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(conf["externalURL"], "http://vm:9093");
    assert!(runs[0].body.get("logical_date").is_none(), "Airflow 2 takes none that is null");
    assert_eq!(airflow.asked("GET /api/v1/version").len(), 1, "the version is asked for once");
    for (series, value) in [
        ("retrain_webhook_deliveries_total{status=\"200\"}", 2.0),
        ("retrain_webhook_alerts_total{result=\"started\"}", 1.0),
        ("retrain_webhook_alerts_total{result=\"already_started\"}", 1.0),
        ("retrain_webhook_airflow_up", 1.0),
        (&format!("retrain_webhook_dag_runs_total{{dag=\"{DAG}\",result=\"started\"}}"), 1.0),
        (&format!("retrain_webhook_dag_runs_total{{dag=\"{DAG}\",result=\"exists\"}}"), 1.0),
    ] {
        assert_eq!(webhook.metric(series), Some(value), "{series}");
    }
}

#[test]
fn airflow_3_gets_a_token_and_a_date_that_is_null() {
    let airflow = Airflow::three(&[ok(), (401, json!({"detail": "expired"})), ok()]);
    let webhook = Webhook::beside(&airflow);
    assert_eq!(webhook.deliver(DELIVERY).0, 200);
    // The token has expired: a new one is bought, and the run is asked for again.
    assert_eq!(webhook.deliver(DELIVERY).0, 200);
    let runs = airflow.runs(2);
    let passes: Vec<&str> = runs.iter().map(|run| run.pass.as_str()).collect();
    assert_eq!(passes, ["Bearer first", "Bearer first", "Bearer second"]);
    assert_eq!(runs[0].body.get("logical_date"), Some(&Value::Null));
    let login = &airflow.asked("POST /auth/token")[0];
    assert_eq!(login.body, json!({"username": "admin", "password": "admin123"}));
}

#[test]
fn a_token_from_a_file_is_used_as_it_is() {
    let airflow = Airflow::three(&[ok()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "given\n").unwrap();
    let url = format!("http://{}/", airflow.open());
    let webhook = Webhook::start(&url, &["--airflow-token-file", file.to_str().unwrap()], &[]);
    assert_eq!(webhook.deliver(DELIVERY).0, 200);
    assert_eq!(airflow.runs(2)[0].pass, "Bearer given");
    assert!(airflow.asked("POST /auth/token").is_empty());
}

#[test]
fn one_incident_is_one_run_whoever_joins_it() {
    let airflow = Airflow::two(&[ok(), exists()]);
    let webhook = Webhook::beside(&airflow);
    assert_eq!(webhook.deliver(DELIVERY).0, 200);
    // A later alert joins the group, and stands before the first in the list.
    let joined = changed(|body| {
        let mut second = body["alerts"][0].clone();
        second["labels"]["alertname"] = json!("ModelF1TooLow");
        second["fingerprint"] = json!("00000000000000aa");
        second["startsAt"] = json!("2026-11-23T06:50:12.972+01:00");
        body["alerts"].as_array_mut().unwrap().insert(0, second);
    });
    assert_eq!(webhook.deliver(&joined).0, 200);
    let ids: Vec<Value> = airflow.runs(1).iter().map(|run| run.body["dag_run_id"].clone()).collect();
    assert_eq!(ids, [RUN, RUN]);
    assert_eq!(airflow.runs(1)[1].body["conf"]["alerts"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_moment_in_another_zone_is_the_same_run() {
    let airflow = Airflow::two(&[ok()]);
    let webhook = Webhook::beside(&airflow);
    let moved = changed(|body| body["alerts"][0]["startsAt"] = json!("2026-11-23T06:45:12.972+01:00"));
    assert_eq!(webhook.deliver(&moved).1, format!("started {RUN}\n"));
}

#[test]
fn what_is_resolved_starts_nothing() {
    let airflow = Airflow::two(&[ok()]);
    let webhook = Webhook::beside(&airflow);
    let resolved = changed(|body| {
        body["status"] = json!("resolved");
        body["alerts"][0]["status"] = json!("resolved");
    });
    assert_eq!(webhook.deliver(&resolved), (200, "nothing is firing: nothing to start\n".to_string()));
    assert!(airflow.runs(1).is_empty());
    assert_eq!(webhook.metric("retrain_webhook_alerts_total{result=\"resolved\"}"), Some(1.0));
}

#[test]
fn while_airflow_cannot_start_it_alertmanager_is_told_to_try_again() {
    let away = Webhook::start("http://127.0.0.1:9", &[], &[]);
    let (status, said) = away.deliver(DELIVERY);
    assert_eq!(status, 503);
    assert!(said.contains("Airflow does not answer at http://127.0.0.1:9"), "{said}");
    assert_eq!(away.metric("retrain_webhook_airflow_up"), Some(0.0));
    assert_eq!(away.metric("retrain_webhook_alerts_total{result=\"failed\"}"), Some(1.0));

    let detail = |text: &str| json!({"title": "x", "detail": text});
    let dag = format!("GET /api/v1/dags/{DAG}");
    let version = || Airflow::default().answers("GET /api/v1/version", &[(200, json!({"version": "2.11.2"}))]);
    let troubles = [
        (
            version().answers(&dag, &[(403, detail("Forbidden"))]),
            "refuses the login (403): Forbidden; set --airflow-user",
        ),
        (version(), "has no DAG `ml_pipeline_mixed_experiment_dvc` (404): Not Found"),
        (version().answers(&dag, &[(200, json!({"is_paused": true}))]), "is paused in Airflow, a run would only wait"),
        (
            Airflow::two(&[(500, json!("<html>Something bad\n has happened</html>"))]),
            "Airflow fails (500): <html>Something bad has happened",
        ),
        (Airflow::two(&[(400, detail("conf: not an object"))]), "Airflow refuses the run (400): conf: not an object"),
        (Airflow::default(), "neither /api/v2 nor /api/v1 is at http://127.0.0.1"),
    ];
    for (airflow, words) in troubles {
        let webhook = Webhook::beside(&airflow);
        let (status, said) = webhook.deliver(DELIVERY);
        assert!(status == 503 && said.contains(words), "{status} {said}");
        assert_eq!(webhook.metric("retrain_webhook_airflow_up"), Some(0.0));
    }
}

#[test]
fn an_airflow_that_comes_back_as_another_version_is_recognised() {
    let airflow = Airflow::two(&[(405, json!({"detail": "Method Not Allowed"}))]);
    let webhook = Webhook::beside(&airflow);
    assert_eq!(webhook.deliver(DELIVERY).0, 503);
    let three = Airflow::three(&[ok()]);
    airflow.answers.lock().unwrap().append(&mut three.answers.lock().unwrap());
    assert_eq!(webhook.deliver(DELIVERY).0, 200);
    assert_eq!(airflow.runs(2).len(), 1);
}

#[test]
fn a_body_that_is_not_alertmanagers_is_refused_and_starts_nothing() {
    let airflow = Airflow::two(&[ok()]);
    let webhook = Webhook::beside(&airflow);
    let wrong = [
        ("{\"version\": ".to_string(), "not JSON"),
        ("[]".to_string(), "found a list"),
        ("{}".to_string(), "found an empty object"),
        ("{\"dag_run_id\": \"x\"}".to_string(), "found an object of `dag_run_id`"),
        (changed(|body| body["version"] = json!("3")), "version \"3\""),
        (changed(|body| body["alerts"] = json!(null)), "a list of \"alerts\""),
        (changed(|body| body["alerts"][0]["startsAt"] = json!("yesterday")), "alert 0 of the delivery cannot be read"),
        (changed(|body| body["alerts"][0]["status"] = json!("pending")), "the status `pending`"),
        (changed(|body| body["alerts"][0]["fingerprint"] = json!("../x")), "the fingerprint `../x`"),
    ];
    for (body, words) in wrong {
        let (status, said) = webhook.deliver(&body);
        assert!(status == 400 && said.contains(words), "{status} {said}");
    }
    let large = format!("\"{}\"", "x".repeat(drift_sidecar::retrain::BODY_MAX));
    assert_eq!(webhook.deliver(&large).0, 413);
    assert_eq!(webhook.say("GET /alerts HTTP/1.1\r\n", "").0, 405);
    assert_eq!(webhook.say("GET /nowhere HTTP/1.1\r\n", "").0, 404);
    assert_eq!(webhook.say("GET /-/healthy HTTP/1.1\r\n", "").0, 200);
    assert!(airflow.runs(1).is_empty());
    assert_eq!(webhook.metric("retrain_webhook_deliveries_total{status=\"400\"}"), Some(9.0));
    assert_eq!(webhook.metric("retrain_webhook_deliveries_total{status=\"413\"}"), Some(1.0));
}

#[test]
fn with_a_token_of_its_own_it_takes_deliveries_that_bear_it() {
    let airflow = Airflow::two(&[ok()]);
    let url = format!("http://{}", airflow.open());
    let webhook = Webhook::start(&url, &[], &[("WEBHOOK_TOKEN", "open sesame")]);
    for (pass, status) in
        [("", 401), ("Authorization: Bearer open\r\n", 401), ("Authorization: Bearer open sesame\r\n", 200)]
    {
        assert_eq!(webhook.say(&format!("POST /alerts HTTP/1.1\r\n{pass}"), DELIVERY).0, status, "{pass}");
    }
    assert_eq!(airflow.runs(1).len(), 1);
    assert_eq!(airflow.runs(1)[0].pass, "", "no login was given, none is sent");
}

#[test]
fn an_alert_storm_starts_one_run_an_incident() {
    let airflow = Airflow::two(&[ok()]);
    let webhook = Webhook::beside(&airflow);
    let storm = changed(|body| {
        let alert = body["alerts"][0].clone();
        let alerts = (0..500).map(|i| {
            let mut alert = alert.clone();
            alert["fingerprint"] = json!(format!("{i:016x}"));
            alert
        });
        body["alerts"] = alerts.collect();
    });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(webhook.deliver(&storm).0, 200));
        }
    });
    let runs = airflow.runs(1);
    assert_eq!(runs.len(), 8);
    assert!(runs.iter().all(|run| run.body["dag_run_id"] == "am__0000000000000000__20261123T054512972"));
}

#[test]
fn secrets_that_are_missing_are_told_before_it_listens() {
    let refused = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_drift-sidecar"))
            .args(["retrain-webhook", "--listen", "127.0.0.1:0", "--airflow-url", "http://x", "--dag", DAG])
            .args(arguments)
            .env_remove("AIRFLOW_PASSWORD")
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = refused(&["--airflow-user", "admin"]);
    assert!(code == 1 && said.contains("--airflow-user admin has no password"), "{said}");
    let (code, said) = refused(&["--token-file", "nowhere"]);
    assert!(code == 1 && said.contains("nowhere cannot be read"), "{said}");
    let (code, said) = refused(&["--dag", "../x"]);
    assert!(code == 64, "{said}");
}
