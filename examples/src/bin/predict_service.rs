//! The prediction service: a product's texts in, one of 27 types out. It logs what it predicted and what was true, as
//! Parquet, and takes over a newly promoted model without a restart.
//!
//! | route | answer |
//! |---|---|
//! | `POST /predict` | `{"designation", "description"}`: `{"request_id", "prediction", "score", "model_version"}` |
//! | `POST /feedback` | `{"request_id", "label"}`: 202 |
//! | `GET /model-info` | the model in force |
//! | `GET /health` `GET /metrics` | 200, or 503 until there is a model; Prometheus' text |

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Json, Response};
use axum::routing::{get, post};
use clap::{Parser, Subcommand};
use examples::model::{Model, word_count};
use examples::parquet_log::{self, Counts, Log};
use examples::registry;
use examples::rows::{Outcome, Request};
use examples::serve::{self, Problem};
use examples::token::Keys;
use jiff::Timestamp;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use serde::Deserialize;
use serde_json::{Value, json};

/// A service that classifies products.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where to listen
    #[arg(long, env = "PREDICT_LISTEN", default_value = "127.0.0.1:8002")]
    listen: SocketAddr,
    /// The models; `current` in it is the one to serve
    #[arg(long, env = "REGISTRY", default_value = "registry")]
    registry: PathBuf,
    /// Where to write the logs: requests/ and outcomes/ in it
    #[arg(long, env = "LOGS", default_value = "logs")]
    logs: PathBuf,
    /// A log file is written when it has so many rows
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    rotate_rows: u32,
    /// ...or when its first row is so old
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    rotate_seconds: u32,
    #[command(flatten)]
    secret: serve::Secret,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a running service whether it is well
    Healthcheck {
        #[arg(long, default_value = "http://127.0.0.1:8002")]
        url: String,
    },
}

struct Service {
    keys: Keys,
    registry: registry::Registry,
    requests: Log<Request>,
    outcomes: Log<Outcome>,
    metrics: Metrics,
}

struct Metrics {
    page: Registry,
    requests: IntCounterVec,
    latency: Histogram,
    feedback: IntCounterVec,
    info: GaugeVec,
    loaded_at: Gauge,
    load_failures: IntCounter,
    rows: IntCounterVec,
    dropped: IntCounterVec,
    queue: IntGaugeVec,
}

/// What a client sends.
#[derive(Debug, Deserialize)]
struct Product {
    designation: String,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Feedback {
    request_id: String,
    label: String,
}

fn main() -> ExitCode {
    serve::start_log();
    let options = Options::parse();
    let done = match &options.command {
        Some(Command::Healthcheck { url }) => serve::healthcheck(url),
        None => run(options),
    };
    serve::ended("predict_service", done)
}

fn run(options: Options) -> Result<(), String> {
    let secret = options.secret.read()?;
    let service = Arc::new(Service::new(&options, &secret).map_err(|error| error.to_string())?);
    service.look();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let stop = serve::signals()?;
        let listener = serve::listen(options.listen).await?;
        let watched = service.clone();
        tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            loop {
                second.tick().await;
                let watched = watched.clone();
                // A look that panicked is looked at again in a second.
                let _ = tokio::task::spawn_blocking(move || watched.look()).await;
            }
        });
        serve::serve(listener, router(service.clone()), stop).await
    });
    service.requests.close();
    service.outcomes.close();
    served.map_err(|error: std::io::Error| error.to_string())
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/predict", post(predict))
        .route("/feedback", post(feedback))
        .route("/model-info", get(model_info))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(service.clone(), observe))
        .with_state(service)
}

impl Service {
    fn new(options: &Options, secret: &str) -> std::io::Result<Service> {
        let log = |name: &str| parquet_log::Settings {
            folder: options.logs.join(name),
            rows: options.rotate_rows as usize,
            every: Duration::from_secs(options.rotate_seconds.into()),
            queue: 100_000,
        };
        Ok(Service {
            keys: Keys::new(secret),
            registry: registry::Registry::new(options.registry.clone()),
            requests: Log::open(log("requests"))?,
            outcomes: Log::open(log("outcomes"))?,
            metrics: Metrics::new(),
        })
    }

    /// Whether another model was promoted.
    fn look(&self) {
        let failed_before = self.registry.failures.load(Ordering::Relaxed);
        if self.registry.refresh() {
            self.metrics.info.reset();
            if let Some(model) = &*self.registry.model.load() {
                self.metrics.info.with_label_values(&[&model.version]).set(1.0);
            }
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.metrics.loaded_at.set(now.as_secs_f64());
        }
        self.metrics.load_failures.inc_by(self.registry.failures.load(Ordering::Relaxed) - failed_before);
    }

    fn model(&self) -> Result<Arc<Model>, Problem> {
        self.registry
            .model
            .load_full()
            .ok_or_else(|| Problem::busy("there is no model in the registry yet; the service looks once a second"))
    }
}

async fn predict(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Problem> {
    service.keys.allow(&headers, "predict")?;
    let product: Product = serve::parse(&body)?;
    let description = product.description.filter(|text| !text.trim().is_empty());
    if word_count(&product.designation) == 0 && description.is_none() {
        let said = "the product has no words: send a `designation`, and a `description` if there is one";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, said));
    }
    let model = service.model()?;
    let prediction = model.predict(&product.designation, description.as_deref().unwrap_or_default());
    let request = Request {
        request_id: service.keys.request_id(),
        timestamp: Timestamp::now(),
        designation_words: word_count(&product.designation) as i64,
        description_words: word_count(description.as_deref().unwrap_or_default()) as i64,
        known_words_ratio: prediction.known_words_ratio,
        designation: product.designation,
        description,
        prediction: prediction.class.to_string(),
        score: prediction.score,
        model_version: model.version.clone(),
    };
    let answer = json!({
        "request_id": request.request_id,
        "prediction": request.prediction,
        "score": request.score,
        "model_version": request.model_version,
    });
    service.requests.write(request);
    Ok(Json(answer))
}

async fn feedback(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    service.keys.allow(&headers, "feedback")?;
    let counted = |result: &str| service.metrics.feedback.with_label_values(&[result]).inc();
    let Feedback { request_id, label } = serve::parse(&body)?;
    if !service.keys.is_request_id(&request_id) {
        counted("unknown_request");
        let said = "no prediction was made under this request_id";
        return Err(Problem::new(StatusCode::NOT_FOUND, said));
    }
    let model = service.model()?;
    if !model.knows(&label) {
        counted("unknown_class");
        let said = format!("`{}` is no class; there is {}", label.escape_debug(), model.classes.join(", "));
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, said));
    }
    counted("accepted");
    service.outcomes.write(Outcome { request_id, timestamp: Timestamp::now(), label });
    Ok((StatusCode::ACCEPTED, Json(json!({"detail": "thank you"}))))
}

async fn model_info(State(service): State<Arc<Service>>) -> Result<Json<Value>, Problem> {
    let model = service.model()?;
    Ok(Json(json!({"version": model.version, "trained_at": model.trained_at, "classes": model.classes})))
}

async fn health(State(service): State<Arc<Service>>) -> Result<String, Problem> {
    service.model().map(|model| format!("well, with model {}\n", model.version))
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let metrics = &service.metrics;
    metrics.log("requests", &service.requests.counts);
    metrics.log("outcomes", &service.outcomes.counts);
    serve::metrics(&metrics.page)
}

async fn observe(State(service): State<Arc<Service>>, request: HttpRequest<Body>, next: Next) -> Response {
    let begun = Instant::now();
    // Paths that are not ours share one label: they are as many as a stranger likes.
    let known = ["/predict", "/feedback", "/model-info", "/health", "/metrics"];
    let endpoint = known.into_iter().find(|path| *path == request.uri().path()).unwrap_or("other");
    let response = next.run(request).await;
    service.metrics.requests.with_label_values(&[endpoint, response.status().as_str()]).inc();
    if endpoint == "/predict" {
        service.metrics.latency.observe(begun.elapsed().as_secs_f64());
    }
    response
}

impl Metrics {
    fn new() -> Metrics {
        let page = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).expect("a legal name");
            page.register(Box::new(counter.clone())).expect("a name of its own");
            counter
        };
        let requests = counter(
            "prediction_requests_total",
            "Requests, by what was asked and the status of the answer.",
            &["endpoint", "status_code"],
        );
        let feedback = counter("prediction_feedback_total", "Feedback, by what became of it.", &["result"]);
        let rows = counter("prediction_log_rows_total", "Rows written to log files.", &["log"]);
        let dropped = counter(
            "prediction_log_rows_dropped_total",
            "Rows that are in no log file: queue_full, write_failed.",
            &["log", "reason"],
        );
        let buckets = vec![0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
        let options =
            HistogramOpts::new("prediction_latency_seconds", "Time to answer a prediction request.").buckets(buckets);
        let latency = Histogram::with_opts(options).expect("legal buckets");
        let info = GaugeVec::new(
            Opts::new("prediction_model_info", "1, with the version of the model in force."),
            &["version"],
        )
        .expect("a legal name");
        let loaded_at = Gauge::new("prediction_model_loaded_timestamp_seconds", "When the model in force was loaded.")
            .expect("a legal name");
        let load_failures =
            IntCounter::new("prediction_model_load_failures_total", "Model files that could not be loaded.")
                .expect("a legal name");
        let queue =
            IntGaugeVec::new(Opts::new("prediction_log_queue_rows", "Rows that wait for their log file."), &["log"])
                .expect("a legal name");
        page.register(Box::new(latency.clone())).expect("a name of its own");
        page.register(Box::new(info.clone())).expect("a name of its own");
        page.register(Box::new(loaded_at.clone())).expect("a name of its own");
        page.register(Box::new(load_failures.clone())).expect("a name of its own");
        page.register(Box::new(queue.clone())).expect("a name of its own");
        for result in ["accepted", "unknown_class", "unknown_request"] {
            feedback.with_label_values(&[result]);
        }
        // The troubles are there from the first scrape on, as zeros: rates need a beginning.
        for status in ["200", "401", "503"] {
            requests.with_label_values(&["/predict", status]);
        }
        Metrics { page, requests, latency, feedback, info, loaded_at, load_failures, rows, dropped, queue }
    }

    /// A writer counts for itself; the page follows.
    fn log(&self, log: &str, counts: &Counts) {
        let follow = |counter: &IntCounter, count: u64| counter.inc_by(count.saturating_sub(counter.get()));
        follow(&self.rows.with_label_values(&[log]), counts.written.load(Ordering::Relaxed));
        let dropped = |reason| self.dropped.with_label_values(&[log, reason]);
        follow(&dropped("queue_full"), counts.dropped_full.load(Ordering::Relaxed));
        follow(&dropped("write_failed"), counts.dropped_failed.load(Ordering::Relaxed));
        self.queue.with_label_values(&[log]).set(counts.waiting.load(Ordering::Relaxed) as i64);
    }
}
