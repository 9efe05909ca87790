//! The HTTP server over real sockets: every route, and clients that are slow, many or rude.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc as channel};
use std::time::{Duration, Instant};

use drift_sidecar::http::{HealthError, Limits, Reload, Shared, healthcheck, serve_within};
use drift_sidecar::report::*;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

/// Longer than any answer takes, shorter than a test may.
const PATIENCE: Duration = Duration::from_secs(30);

struct Site {
    runtime: Runtime,
    address: SocketAddr,
    shared: Arc<Shared>,
    reloads: Option<mpsc::Receiver<Reload>>,
    stop: oneshot::Sender<()>,
    /// Told when the server has ended.
    ended: channel::Receiver<()>,
}

impl Site {
    fn open(limits: Limits) -> Site {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (reloads, asked) = mpsc::channel(4);
        let shared = Arc::new(Shared::new(reloads));
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = channel::channel();
        let served = shared.clone();
        runtime.spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            serve_within(limits, listener, served, stop).await;
            end.send(()).unwrap();
        });
        Site { runtime, address, shared, reloads: Some(asked), stop, ended }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(&self, method: &str, path: &str) -> Answer {
        self.say(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    /// What comes back for `request`, until the server closes.
    fn say(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    /// Answers the next reload with `outcome`.
    fn reloading(&mut self, outcome: Result<String, String>) {
        let mut asked = self.reloads.take().unwrap();
        self.runtime.spawn(async move {
            let reply = asked.recv().await.unwrap();
            reply.send(outcome).unwrap();
        });
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(stream: &mut TcpStream) -> Answer {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_string(),
            body: body.to_string(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

fn default() -> Site {
    Site::open(Limits::default())
}

/// A Report of `columns` columns in which every number is `value`.
fn report(columns: usize, value: f64) -> Arc<Report> {
    let column = |i| ColumnReport {
        column: format!("column_{i}"),
        missing_ratio: Some(value),
        tests: vec![TestReport {
            method: "psi",
            score: value,
            threshold: Some(value),
            noise: Some(value),
            p_value: Some(value),
            drifted: false,
            ..TestReport::default()
        }],
        ..ColumnReport::default()
    };
    let window = WindowReport {
        window: "1h".to_string(),
        columns: (0..columns).map(column).collect(),
        ..WindowReport::default()
    };
    let model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
    Arc::new(Report { models: vec![Arc::new(model)] })
}

#[test]
fn every_route_answers_in_its_own_form() {
    let site = default();
    site.shared.report.store(report(2, 0.25));
    for (path, content_type, part) in [
        (
            "/metrics",
            "text/plain; version=0.0.4; charset=utf-8",
            "\ndrift_score{model=\"m\",window=\"1h\",column=\"column_1\",method=\"psi\"} 0.25\n",
        ),
        ("/api/v1/report", "application/json", "\"score\":0.25"),
        ("/", "text/html; charset=utf-8", "id=\"settings\""),
        ("/-/healthy", "text/plain; charset=utf-8", "healthy\n"),
    ] {
        let answer = site.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert!(answer.body.contains(part) || format!("\n{}", answer.body).contains(part), "{path}: {}", answer.body);
    }
    let json: serde_json::Value = serde_json::from_str(&site.ask("GET", "/api/v1/report").body).unwrap();
    assert_eq!(json["models"][0]["windows"][0]["columns"][1]["tests"][0]["p_value"], 0.25);
    assert_eq!(site.ask("GET", "/metrics?collect[]=x").status, 200);
}

#[test]
fn the_page_alone_may_run_a_script_and_only_its_own() {
    let site = default();
    let policy = |path| site.ask("GET", path).header("content-security-policy").unwrap().to_string();
    assert!(policy("/").contains("script-src 'sha256-") && policy("/").contains("frame-ancestors 'none'"));
    assert!(!policy("/api/v1/report").contains("script-src"));
}

#[test]
fn the_history_is_asked_for_by_model_window_and_column() {
    let site = default();
    let named = |name: &str| ModelReport {
        model: name.to_string(),
        windows: vec![WindowReport {
            window: "1h".to_string(),
            data_drift_score: Some(0.25),
            ..WindowReport::default()
        }],
        evaluated_at: Some(Moment(7_000_000)),
        ..ModelReport::default()
    };
    site.shared.history().add(&named("a model & more"));
    let answer = site.ask("GET", "/api/v1/history?window=1h&model=a+model%20%26%20more&column=price");
    let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&told["at"][0], &told["drift"][0]), (&serde_json::json!(7.0), &serde_json::json!(0.25)));
    assert_eq!(told["score"], serde_json::json!([null]));
    assert_eq!(site.ask("GET", "/api/v1/history?window=1h&model=other").status, 404);
    let unasked = site.ask("GET", "/api/v1/history?model=other");
    assert_eq!(unasked.status, 400);
    assert!(unasked.body.contains("?model=NAME&window=1h"), "{}", unasked.body);
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let site = default();
    site.shared.report.store(report(3, 0.5));
    for path in ["/", "/metrics", "/api/v1/report", "/-/healthy"] {
        let whole = site.ask("GET", path);
        let head = site.ask("HEAD", path);
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()), "{path}");
    }
}

#[test]
fn a_wrong_method_is_told_which_one_is_right() {
    let site = default();
    for (method, path, allowed) in [
        ("POST", "/metrics", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
        ("OPTIONS", "/api/v1/report", "GET, HEAD"),
        ("GET", "/-/reload", "POST"),
        ("HEAD", "/-/reload", "POST"),
    ] {
        let answer = site.ask(method, path);
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn an_unknown_path_is_told_what_there_is() {
    let site = default();
    for path in ["/metric", "/metrics/", "/../etc/passwd", "//", "/%2e%2e/"] {
        let answer = site.ask("GET", path);
        assert_eq!(answer.status, 404, "{path}");
        for route in ["/metrics", "/api/v1/report", "/-/healthy", "/-/ready", "/-/reload"] {
            assert!(answer.body.contains(route), "{path}: {}", answer.body);
        }
    }
}

#[test]
fn readiness_comes_with_the_first_full_report() {
    let site = default();
    let before = site.ask("GET", "/-/ready");
    assert_eq!(before.status, 503);
    assert!(before.body.starts_with("not ready: "), "{}", before.body);
    site.shared.ready.store(true, Ordering::Release);
    assert_eq!(site.ask("GET", "/-/ready").status, 200);
}

#[test]
fn a_reload_answers_what_came_of_it() {
    for (outcome, status, said) in [
        (Ok("config reloaded: 2 models".to_string()), 200, "config reloaded: 2 models\n"),
        (Err("line 3: no such key".to_string()), 400, "line 3: no such key\n"),
    ] {
        let mut site = default();
        site.reloading(outcome);
        let answer = site.ask("POST", "/-/reload");
        assert_eq!((answer.status, answer.body.as_str()), (status, said));
    }
    // Nobody is there to reload: the process is stopping.
    let mut site = default();
    site.reloads = None;
    assert_eq!(site.ask("POST", "/-/reload").status, 503);
}

#[test]
fn the_metrics_say_what_became_of_the_config() {
    let site = default();
    let lines = |site: &Site| -> Vec<String> {
        let text = site.ask("GET", "/metrics").body;
        let told = text.lines().filter(|line| line.starts_with("drift_sidecar_config"));
        told.map(str::to_string).collect()
    };
    assert!(lines(&site).is_empty());
    site.shared.config_reloaded(true, 1_750_000_000_500_000);
    site.shared.config_reloaded(false, 1_760_000_000_000_000);
    assert_eq!(
        lines(&site),
        [
            "drift_sidecar_config_last_reload_success_timestamp_seconds 1750000000.5",
            "drift_sidecar_config_last_reload_successful 0"
        ]
    );
}

#[test]
fn every_answer_forbids_scripts_frames_and_guesses() {
    let site = default();
    for (method, path) in [("GET", "/"), ("GET", "/metrics"), ("GET", "/no"), ("PUT", "/")] {
        let answer = site.ask(method, path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn what_is_no_http_gets_400_and_an_end() {
    let site = default();
    for request in ["hello\r\n\r\n", "GET /metrics\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n"] {
        let answer = site.say(request);
        assert_eq!(answer.status, 400, "{request:?}");
    }
    let endless = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = site.connect();
    // The server may close before it has all of it.
    let _ = stream.write_all(endless.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.contains(" 200 "), "{answer}");
    assert_eq!(site.ask("GET", "/-/healthy").status, 200);
}

#[test]
fn a_body_that_nobody_asked_for_is_not_read() {
    let site = default();
    let mut stream = site.connect();
    let length = 1_u64 << 40;
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nabc").unwrap();
    assert_eq!(Answer::read(&mut stream).status, 200);
}

#[test]
fn a_client_that_never_ends_its_head_is_cut_off_and_holds_up_nobody() {
    let site = Site::open(Limits { head_max: Duration::from_millis(300), ..Limits::default() });
    let mut slow: Vec<TcpStream> = (0..50)
        .map(|i| {
            let mut stream = site.connect();
            // Half of them have not said a word.
            if i % 2 == 0 {
                stream.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
            }
            stream
        })
        .collect();
    assert_eq!(site.ask("GET", "/-/healthy").status, 200);
    for stream in &mut slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server closes");
        assert!(!answer.contains(" 200 "), "{answer}");
    }
}

#[test]
fn clients_beyond_the_limit_wait_their_turn_and_silent_ones_lose_their_place() {
    let site = Site::open(Limits { connections_max: 4, head_max: Duration::from_millis(300), ..Limits::default() });
    let silent: Vec<TcpStream> = (0..4).map(|_| site.connect()).collect();
    let begun = Instant::now();
    assert_eq!(site.ask("GET", "/-/healthy").status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(100), "answered beside four connections that hold all places");
    drop(silent);
}

#[test]
fn a_client_that_does_not_read_its_answer_loses_its_place() {
    let site = Site::open(Limits { connections_max: 1, answer_max: Duration::from_millis(500), ..Limits::default() });
    // More than the sockets' buffers hold.
    site.shared.report.store(report(40_000, 1.0 / 3.0));
    let mut deaf = site.connect();
    deaf.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(site.ask("GET", "/-/healthy").status, 200);
    let mut received = Vec::new();
    let _ = deaf.read_to_end(&mut received);
    let text = String::from_utf8_lossy(&received);
    let length: usize = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert!(received.len() < length, "the answer was not cut off");
}

#[test]
fn a_stop_lets_open_answers_end_and_takes_no_new_ones() {
    let mut site = default();
    let mut asked = site.reloads.take().unwrap();
    let mut stream = site.connect();
    stream.write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let reply = site.runtime.block_on(asked.recv()).unwrap();
    site.stop.send(()).unwrap();
    until("new connections are refused", || TcpStream::connect(site.address).is_err());
    assert!(site.ended.try_recv().is_err(), "ended before its last answer");
    reply.send(Ok("done".to_string())).unwrap();
    assert_eq!(Answer::read(&mut stream).body, "done\n");
    site.ended.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_stop_does_not_wait_for_ever_for_a_client() {
    let site = Site::open(Limits { grace: Duration::from_millis(200), ..Limits::default() });
    let mut half = site.connect();
    half.write_all(b"GET /metrics HT").unwrap();
    // Answered later than the half request was accepted.
    assert_eq!(site.ask("GET", "/-/healthy").status, 200);
    site.stop.send(()).unwrap();
    site.ended.recv_timeout(Duration::from_secs(5)).unwrap();
}

/// The number that all series of columns have, if they have one.
fn only_value(page: &str) -> Option<&str> {
    let series = page.lines().filter(|line| line.contains("column=\""));
    let values: BTreeSet<&str> = series.map(|line| line.rsplit(' ').next().unwrap()).collect();
    values.first().copied().filter(|_| values.len() == 1)
}

#[test]
fn each_of_many_scrapes_of_10_000_series_is_one_report_while_reports_are_published() {
    let site = default();
    let reports: Vec<Arc<Report>> = (1..=20).map(|i| report(2_500, f64::from(i) / 32.0)).collect();
    site.shared.report.store(reports[0].clone());
    let done = AtomicBool::new(false);
    let mut seen = BTreeSet::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for report in reports.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                site.shared.report.store(report.clone());
                std::thread::yield_now();
            }
        });
        for _ in 0..20 {
            let page = site.ask("GET", "/metrics").body;
            assert!(page.lines().filter(|line| !line.starts_with('#')).count() >= 10_000);
            seen.insert(only_value(&page).expect("one Report in one scrape").to_string());
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(seen.len() > 1, "the scrapes saw a single Report");
}

#[test]
fn the_health_check_asks_a_daemon_by_any_of_its_names() {
    let site = default();
    let port = site.address.port();
    for url in [
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}/"),
        // Two addresses where the system has IPv6; the daemon listens on one of them.
        format!("http://localhost:{port}"),
    ] {
        healthcheck(&url, PATIENCE).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}

#[test]
fn the_health_check_says_what_is_wrong() {
    let check = |url: &str| healthcheck(url, Duration::from_millis(500)).unwrap_err();
    for url in
        ["", "localhost:9877", "https://localhost:9877", "http://", "http://localhost", "http://:1", "http://x:99999"]
    {
        assert!(matches!(check(url), HealthError::Address { .. }), "{url}");
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    // Takes connections in its backlog and never answers.
    let said = check(&format!("http://{address}"));
    assert!(matches!(said, HealthError::Answer { .. }), "{said}");
    drop(free);
    let said = check(&format!("http://{address}"));
    assert!(matches!(said, HealthError::Connect { .. }), "{said}");
    assert!(said.to_string().contains(&address.to_string()), "{said}");
}

#[test]
fn the_health_check_passes_on_what_another_program_answers() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let said = healthcheck(&url, PATIENCE).unwrap_err();
    answers.join().unwrap();
    assert!(said.to_string().ends_with("says: HTTP/1.1 503 Service Unavailable"), "{said}");
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}
