//! The HTTP edge: routes, manners, and answers that never wait.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drift_sidecar::http::{HealthError, Reload, Shared, healthcheck, serve};
use drift_sidecar::report::{ColumnReport, Kind, ModelReport, Report, Role, TestReport, WindowReport};
use tokio::sync::{mpsc, oneshot};

/// A server on a port of its own; stopped when dropped.
struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    reloads: Option<mpsc::Receiver<Reload>>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<std::thread::JoinHandle<()>>,
}

impl Site {
    fn start() -> Site {
        let (sender, reloads) = mpsc::channel(4);
        let shared = Arc::new(Shared::new(sender));
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, address) = std::sync::mpsc::channel();
        let served = shared.clone();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, served, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
        let address = address.recv().unwrap();
        Site { address, shared, reloads: Some(reloads), stop: Some(stop), server: Some(server) }
    }

    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Status, head and body.
    fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let answer = self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split_whitespace().nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_string())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.server.take().unwrap().join().unwrap();
    }
}

/// A Report whose every number is the same.
fn report(number: f64, columns: usize) -> Report {
    let test = TestReport {
        method: "ks",
        score: number,
        threshold: number,
        noise: number,
        p_value: Some(number),
        drifted: true,
    };
    let column = |i: usize| ColumnReport {
        column: format!("column_{i}"),
        kind: Kind::Numerical,
        role: Role::Feature,
        reference_rows: 1,
        current_rows: 1,
        missing_ratio: None,
        missing_ratio_reference: None,
        unseen_ratio: None,
        out_of_range_ratio: None,
        out_of_range_ratio_reference: None,
        drifted: None,
        reason: String::new(),
        tests: vec![test.clone()],
    };
    let window = WindowReport {
        window: "1h".to_string(),
        rows: 1,
        columns: (0..columns).map(column).collect(),
        ..WindowReport::default()
    };
    Report {
        models: vec![Arc::new(ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() })],
    }
}

#[test]
fn every_route_answers_and_others_say_what_there_is() {
    let site = Site::start();
    site.shared.report.store(Arc::new(report(0.25, 2)));
    let (status, head, body) = site.ask("GET", "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(body.contains("drift_score{model=\"m\",window=\"1h\",column=\"column_0\",method=\"ks\"} 0.25"));
    let (status, head, body) = site.ask("GET", "/api/v1/report");
    assert_eq!(status, 200);
    assert!(head.contains("application/json"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["models"][0]["model"], "m");
    let (status, head, body) = site.ask("GET", "/");
    assert!(status == 200 && head.contains("text/html") && body.starts_with("<!doctype html>"));
    assert!(head.contains("content-security-policy: default-src 'none'") && head.contains("nosniff"), "{head}");
    assert_eq!(site.ask("GET", "/-/healthy").0, 200);
    let (status, _, body) = site.ask("GET", "/metric");
    assert!(status == 404 && body.contains("/metrics"), "{body}");
}

#[test]
fn head_has_no_body_and_a_wrong_method_is_told_the_right_one() {
    let site = Site::start();
    let (status, head, body) = site.ask("HEAD", "/metrics");
    assert!(status == 200 && body.is_empty() && head.contains("content-length"), "{head}");
    for (method, path, allowed) in
        [("POST", "/metrics", "get, head"), ("GET", "/-/reload", "post"), ("DELETE", "/", "get, head")]
    {
        let (status, head, _) = site.ask(method, path);
        assert_eq!(status, 405, "{method} {path}");
        assert!(head.contains(&format!("allow: {allowed}")), "{head}");
    }
}

#[test]
fn ready_is_said_after_the_first_full_report_only() {
    let site = Site::start();
    assert_eq!(site.ask("GET", "/-/ready").0, 503);
    assert_eq!(site.ask("GET", "/-/healthy").0, 200);
    site.shared.ready.store(true, Ordering::Release);
    assert_eq!(site.ask("GET", "/-/ready").0, 200);
}

#[test]
fn a_reload_answers_with_its_outcome() {
    let mut site = Site::start();
    let mut reloads = site.reloads.take().unwrap();
    let answers = std::thread::spawn(move || {
        reloads.blocking_recv().unwrap().send(Ok("config reloaded: 2 models".to_string())).unwrap();
        reloads.blocking_recv().unwrap().send(Err("line 3: no".to_string())).unwrap();
    });
    let (status, _, body) = site.ask("POST", "/-/reload");
    assert_eq!((status, body.as_str()), (200, "config reloaded: 2 models\n"));
    let (status, _, body) = site.ask("POST", "/-/reload");
    assert_eq!((status, body.as_str()), (400, "line 3: no\n"));
    answers.join().unwrap();
    assert_eq!(site.ask("POST", "/-/reload").0, 503, "nobody is there to reload");
}

#[test]
fn clients_that_say_nothing_or_nonsense_hold_nobody_up() {
    let site = Site::start();
    let idle: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(site.address).unwrap()).collect();
    let mut half = TcpStream::connect(site.address).unwrap();
    half.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
    assert_eq!(site.ask("GET", "/-/healthy").0, 200);
    assert!(site.raw("nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    // The half request is cut off by the server's own timeout, not by ours.
    half.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    half.read_to_end(&mut rest).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(19), "the head timeout of 10 s did not come");
    drop(idle);
}

#[test]
fn each_scrape_of_ten_thousand_series_is_one_report_and_none_waits() {
    let site = Site::start();
    let reports = [1.0, 2.0, 3.0].map(|number| Arc::new(report(number, 2500)));
    site.shared.report.store(reports[0].clone());
    let ended = Arc::new(AtomicBool::new(false));
    let publisher = {
        let (shared, ended) = (site.shared.clone(), ended.clone());
        std::thread::spawn(move || {
            let mut published = 0u64;
            while !ended.load(Ordering::Relaxed) {
                shared.report.store(reports[published as usize % 3].clone());
                published += 1;
                std::thread::yield_now();
            }
            published
        })
    };
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let (_, _, body) = site.ask("GET", "/metrics");
        let scores = |line: &&str| line.starts_with("drift_") && !line.starts_with("drift_sidecar");
        let series: Vec<&str> = body.lines().filter(scores).collect();
        let numbers: BTreeSet<&str> = series.iter().filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(series.len(), 10_000);
        assert_eq!(numbers.len(), 1, "a page of more than one report: {numbers:?}");
        seen.extend(numbers.into_iter().map(str::to_string));
    }
    ended.store(true, Ordering::Relaxed);
    assert!(publisher.join().unwrap() > 100);
    assert!(seen.len() > 1, "the reports did change: {seen:?}");
}

#[test]
fn a_health_check_tells_good_from_bad() {
    let site = Site::start();
    let wait = Duration::from_secs(5);
    healthcheck(&format!("http://{}", site.address), wait).unwrap();
    healthcheck(&format!("http://{}/", site.address), wait).unwrap();
    assert!(matches!(healthcheck("localhost:1", wait), Err(HealthError::Address { .. })));
    let address = site.address;
    drop(site);
    assert!(matches!(healthcheck(&format!("http://{address}"), wait), Err(HealthError::Connect { .. })));
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let rude =
        std::thread::spawn(move || other.accept().unwrap().0.write_all(b"HTTP/1.1 503 Not Now\r\n\r\n").unwrap());
    assert!(healthcheck(&url, wait).unwrap_err().to_string().contains("503 Not Now"));
    rude.join().unwrap();
}

#[test]
fn a_stop_lets_open_answers_end() {
    let site = Site::start();
    site.shared.report.store(Arc::new(report(1.0, 2500)));
    let mut stream = TcpStream::connect(site.address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).unwrap();
    drop(site);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(String::from_utf8(rest).unwrap().contains("column_2499"));
}
