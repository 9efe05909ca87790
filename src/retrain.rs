//! Alertmanager's webhook in, a DAG run of Airflow out: `drift-sidecar retrain-webhook`.
//!
//! | route | answer |
//! |---|---|
//! | `POST /alerts` | 200 when the run is there (started now, or by an earlier delivery) or nothing is firing |
//! | `GET /metrics` | what came in and what became of it |
//! | `GET /-/healthy` | 200 while the process lives |
//!
//! A delivery is a group of alerts. It starts one run, whose id is made of the earliest alert that fires: a repeated
//! delivery, or one that a second alert of the same incident joins, finds its run there. Airflow keeps the ids, so that
//! this program keeps nothing. Whatever keeps a run from being started - Airflow away, a wrong password, an unknown or
//! paused DAG - is answered with 503: Alertmanager tries such a delivery again at once, and again; one that was answered
//! with 4xx has to wait for the group's next turn.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

mod airflow;
mod alerts;
mod metrics;
mod run;

pub use airflow::{Airflow, AirflowError, Login, Started};
pub use alerts::{Alert, Delivery, DeliveryError};
pub use metrics::NAMES;
pub use run::Run;

use crate::http::{self, Limits};
use metrics::{Count, Metrics};

/// The largest delivery that is read: some thousand alerts.
pub const BODY_MAX: usize = 1 << 20;

/// A delivery must be here by then; Alertmanager sends it in one piece.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What the webhook needs to know.
#[derive(Debug)]
pub struct Settings {
    /// The DAG that is run.
    pub dag: String,
    /// Deliveries must bear this token; `None`: anybody may deliver.
    pub bearer: Option<String>,
}

/// What all requests share.
struct Webhook {
    settings: Settings,
    /// Behind a lock: an alert storm asks one question at a time of Airflow.
    airflow: Arc<Mutex<Airflow>>,
    metrics: Metrics,
}

/// Answers until `stop` is done and open answers are finished.
pub async fn serve(listener: TcpListener, settings: Settings, airflow: Airflow, stop: impl Future<Output = ()>) {
    let metrics = Metrics::new();
    let webhook = Arc::new(Webhook { settings, airflow: Arc::new(Mutex::new(airflow)), metrics });
    // A delivery may have to wait for Airflow, and for those before it.
    let limits = Limits { connections_max: 64, answer_max: Duration::from_secs(120), ..Limits::default() };
    http::accept(limits, listener, move |request| answer(request, webhook.clone()), stop).await;
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, webhook: Arc<Webhook>) -> Result<Answer, Infallible> {
    let allowed = match request.uri().path() {
        "/alerts" => Method::POST,
        "/metrics" | "/-/healthy" => Method::GET,
        _ => return Ok(http::plain(StatusCode::NOT_FOUND, "there is POST /alerts, /metrics and /-/healthy\n")),
    };
    if *request.method() != allowed {
        let mut response = http::plain(StatusCode::METHOD_NOT_ALLOWED, &format!("allowed here: {allowed}\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_str(allowed.as_str()).expect("a method is ASCII"));
        return Ok(response);
    }
    Ok(match request.uri().path() {
        "/metrics" => http::text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", webhook.metrics.render()),
        "/-/healthy" => http::plain(StatusCode::OK, "healthy\n"),
        _ => {
            let response = deliver(request, &webhook).await;
            webhook.metrics.delivery(response.status().as_u16());
            response
        }
    })
}

async fn deliver(request: Request<Incoming>, webhook: &Webhook) -> Answer {
    if !admitted(&request, webhook.settings.bearer.as_deref()) {
        let said = "deliveries need the header `Authorization: Bearer TOKEN` with this webhook's token\n";
        let mut response = http::plain(StatusCode::UNAUTHORIZED, said);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    let body = match read(request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let delivery = match Delivery::parse(&body) {
        Ok(delivery) => delivery,
        Err(error) => {
            let said = crate::chain(&error);
            tracing::warn!(problem = said, "delivery refused");
            return http::plain(StatusCode::BAD_REQUEST, &format!("{said}\n"));
        }
    };
    webhook.metrics.alerts(Count::Resolved, delivery.resolved);
    let Some(run) = Run::of(&delivery) else {
        return http::plain(StatusCode::OK, "nothing is firing: nothing to start\n");
    };
    start(run, delivery.firing.len(), webhook).await
}

/// Compares all of the token, so that the time taken tells nothing of it.
fn admitted(request: &Request<Incoming>, bearer: Option<&str>) -> bool {
    let Some(bearer) = bearer else { return true };
    let given = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    let differing = given.iter().zip(bearer.as_bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    given.len() == bearer.len() && differing == 0
}

async fn read(request: Request<Incoming>) -> Result<Bytes, Answer> {
    let body = Limited::new(request.into_body(), BODY_MAX).collect();
    match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let said = format!("a delivery of more than {BODY_MAX} bytes is not read\n");
            Err(http::plain(StatusCode::PAYLOAD_TOO_LARGE, &said))
        }
        Ok(Err(error)) => Err(http::plain(StatusCode::BAD_REQUEST, &format!("the delivery broke off: {error}\n"))),
        Err(_) => Err(http::plain(StatusCode::REQUEST_TIMEOUT, "the delivery did not come to its end\n")),
    }
}

async fn start(run: Run, alerts: usize, webhook: &Webhook) -> Answer {
    let mut airflow = webhook.airflow.clone().lock_owned().await;
    let dag = webhook.settings.dag.clone();
    let asked = Instant::now();
    let started = tokio::task::spawn_blocking(move || {
        let started = airflow.start(&dag, &run);
        (started, run)
    });
    let dag = webhook.settings.dag.as_str();
    let (started, run) = match started.await {
        Ok(started) => started,
        Err(error) => {
            webhook.metrics.asked(dag, alerts, Count::Failed, asked.elapsed());
            return http::plain(StatusCode::SERVICE_UNAVAILABLE, &format!("asking Airflow ended early: {error}\n"));
        }
    };
    match started {
        Ok(Started::Now) => {
            webhook.metrics.asked(dag, alerts, Count::Started, asked.elapsed());
            tracing::info!(dag, run = run.id, alert = run.alert, "DAG run started");
            http::plain(StatusCode::OK, &format!("started {}\n", run.id))
        }
        Ok(Started::Before) => {
            webhook.metrics.asked(dag, alerts, Count::AlreadyStarted, asked.elapsed());
            tracing::info!(dag, run = run.id, alert = run.alert, "DAG run was there already");
            http::plain(StatusCode::OK, &format!("{} was started before\n", run.id))
        }
        Err(error) => {
            webhook.metrics.asked(dag, alerts, Count::Failed, asked.elapsed());
            let said = crate::chain(&error);
            tracing::error!(dag, run = run.id, alert = run.alert, problem = said, "DAG run not started");
            http::plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{said}\n"))
        }
    }
}
