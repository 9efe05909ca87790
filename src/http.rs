//! HTTP: the latest Report, rendered. The only room that names hyper.
//!
//! | route | answer |
//! |---|---|
//! | `GET /` | the page for people, which asks for the Report and the history itself |
//! | `GET /metrics` | the Report as Prometheus text |
//! | `GET /api/v1/report` | the Report as JSON |
//! | `GET /api/v1/history?model=M&window=W[&column=C]` | the latest evaluations of a window, and of one of its columns, as JSON |
//! | `GET /-/healthy` | 200 while the process lives |
//! | `GET /-/ready` | 200 from the first full Report on, 503 before |
//! | `POST /-/reload` | reads the config file anew; 200, or 400 with what is wrong with it |
//!
//! No answer waits for an evaluation: a request takes the Report that is there. A connection carries one request, so
//! that each has an end. This room knows nothing of models, files or the config.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

mod accept;
mod health;

pub use accept::{Limits, accept};
pub use health::{HealthError, healthcheck};

use crate::history::History;
use crate::metrics::{self, Process};
use crate::page;
use crate::report::{Moment, Report};

/// A reload asked for over HTTP, and where its outcome goes: what was done, or what is wrong.
pub type Reload = oneshot::Sender<Result<String, String>>;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    pub report: ArcSwap<Report>,
    /// Every model has been evaluated once.
    pub ready: AtomicBool,
    /// Where the page's links to Prometheus lead.
    pub prometheus: ArcSwapOption<String>,
    history: Mutex<History>,
    process: Mutex<Process>,
    reloads: mpsc::Sender<Reload>,
}

impl Shared {
    pub fn new(reloads: mpsc::Sender<Reload>) -> Shared {
        Shared {
            report: ArcSwap::default(),
            ready: AtomicBool::new(false),
            prometheus: ArcSwapOption::default(),
            history: Mutex::default(),
            process: Mutex::default(),
            reloads,
        }
    }

    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of the last look at the config file, at `now` (microseconds since 1970).
    pub fn config_reloaded(&self, successful: bool, now: i64) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.reload_successful = Some(successful);
        if successful {
            process.reloaded_at = Some(Moment(now));
        }
    }

    fn process(&self) -> Process {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers until `stop` is done and open answers are finished.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: impl Future<Output = ()>) {
    serve_within(Limits::default(), listener, shared, stop).await;
}

/// [`serve`] with other limits.
pub async fn serve_within(limits: Limits, listener: TcpListener, shared: Arc<Shared>, stop: impl Future<Output = ()>) {
    accept(limits, listener, move |request| answer(request, shared.clone()), stop).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let allowed = match request.uri().path() {
        "/" | "/metrics" | "/api/v1/report" | "/api/v1/history" | "/-/healthy" | "/-/ready" => "GET, HEAD",
        "/-/reload" => "POST",
        _ => {
            return Ok(plain(
                StatusCode::NOT_FOUND,
                "there is /, /metrics, /api/v1/report, /api/v1/history, /-/healthy, /-/ready and POST /-/reload\n",
            ));
        }
    };
    let fits = match *request.method() {
        Method::GET | Method::HEAD => allowed == "GET, HEAD",
        Method::POST => allowed == "POST",
        _ => false,
    };
    if !fits {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, &format!("allowed here: {allowed}\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        return Ok(response);
    }
    let report = || shared.report.load_full();
    Ok(match request.uri().path() {
        "/metrics" => text(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::render(report(), &shared.process()),
        ),
        "/api/v1/report" => json(&*report()),
        "/api/v1/history" => history(&shared, request.uri().query().unwrap_or_default()),
        "/-/healthy" => plain(StatusCode::OK, "healthy\n"),
        "/-/ready" if shared.ready.load(Ordering::Acquire) => plain(StatusCode::OK, "ready\n"),
        "/-/ready" => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: the logs are being read, the first evaluation is to come\n",
        ),
        "/-/reload" => reload(&shared).await,
        _ => live(&shared),
    })
}

/// The one answer that a browser may run.
fn live(shared: &Shared) -> Response<Full<Bytes>> {
    let prometheus = shared.prometheus.load();
    let mut response =
        text(StatusCode::OK, "text/html; charset=utf-8", page::live(prometheus.as_ref().map(|url| url.as_str())));
    let policy = format!("{}; frame-ancestors 'none'", *page::POLICY);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn history(shared: &Shared, query: &str) -> Response<Full<Bytes>> {
    let asked = |name: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let (Some(model), Some(window)) = (asked("model"), asked("window")) else {
        return plain(StatusCode::BAD_REQUEST, "name a model and a window: ?model=NAME&window=1h[&column=NAME]\n");
    };
    let past = shared.history().past(&model, &window, asked("column").as_deref());
    match past {
        Some(past) => json(&past),
        None => plain(StatusCode::NOT_FOUND, "no evaluation of such a model yet; /api/v1/report names the models\n"),
    }
}

fn json(value: &impl serde::Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_string(value) {
        Ok(written) => text(StatusCode::OK, "application/json", written + "\n"),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("this cannot be written as JSON: {error}\n")),
    }
}

async fn reload(shared: &Shared) -> Response<Full<Bytes>> {
    let (reply, outcome) = oneshot::channel();
    if shared.reloads.send(reply).await.is_err() {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "there is nobody to reload the config: the process is stopping\n",
        );
    }
    match outcome.await {
        Ok(Ok(said)) => plain(StatusCode::OK, &format!("{said}\n")),
        Ok(Err(said)) => plain(StatusCode::BAD_REQUEST, &format!("{said}\n")),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "not reloaded: the process is stopping\n"),
    }
}

/// An answer for people.
pub fn plain(status: StatusCode, said: &str) -> Response<Full<Bytes>> {
    text(status, "text/plain; charset=utf-8", said.to_string())
}

/// An answer that is not to be kept, framed or run.
pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    );
    response
}
