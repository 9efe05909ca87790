//! The shop's customers: they log in, ask for products' types, and say some time later what was true. How many of the
//! products are of another season, and how late the truth comes, can be set while it runs.
//!
//! | route | answer |
//! |---|---|
//! | `GET /settings` | `{"drift", "label_delay_seconds", "rate"}` |
//! | `POST /settings` | any of them: from now on so |
//! | `GET /health` `GET /metrics` | 200; Prometheus' text |

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Json, Response};
use axum::routing::get;
use clap::{Args, Parser, Subcommand};
use examples::catalogue::Catalogue;
use examples::parquet_log::Row;
use examples::serve::{self, Problem};
use jiff::SignedDuration;
use prometheus::{Gauge, IntCounterVec, Opts, Registry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Requests on their way at a time, and as many pieces of feedback.
const CUSTOMERS: u32 = 4;
/// Predictions that wait for their truth; more are never told.
const WAITING_MAX: usize = 200_000;
/// After a refusal or a failure, the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// A token is renewed when it has less than this left.
const RENEW: Duration = Duration::from_secs(30);

/// The shop's customers.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send requests and feedback until SIGTERM
    Run(Run),
    /// Write what the shop sold before, with its true types, as Parquet
    History(History),
    /// Ask a running traffic whether it is well
    Healthcheck {
        #[arg(long, default_value = "http://127.0.0.1:8003")]
        url: String,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Where to listen
    #[arg(long, env = "TRAFFIC_LISTEN", default_value = "127.0.0.1:8003")]
    listen: SocketAddr,
    /// The login service
    #[arg(long, default_value = "http://127.0.0.1:8001")]
    auth: String,
    /// The prediction service
    #[arg(long, default_value = "http://127.0.0.1:8002")]
    predict: String,
    /// Log in as this user, with the password in TRAFFIC_PASSWORD
    #[arg(long, env = "TRAFFIC_USER", default_value = "shop")]
    user: String,
    #[arg(long, env = "TRAFFIC_PASSWORD", hide = true, hide_env_values = true)]
    password: String,
    /// Products a second
    #[arg(long, default_value = "20")]
    rate: f64,
    /// Share of products of the new season, 0 to 1
    #[arg(long, default_value = "0")]
    drift: f64,
    /// How long after a prediction its truth is told: 2s, 1m
    #[arg(long, default_value = "5s")]
    label_delay: SignedDuration,
    #[arg(long, default_value = "27")]
    seed: u64,
}

#[derive(Debug, Args)]
struct History {
    #[arg(long, default_value = "6000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rows: u32,
    /// Share of products of the new season, 0 to 1
    #[arg(long, default_value = "0")]
    drift: f64,
    #[arg(long, default_value = "1")]
    seed: u64,
    /// The file to write
    #[arg(long)]
    output: PathBuf,
}

/// What can be set while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Settings {
    drift: f64,
    label_delay_seconds: f64,
    rate: f64,
}

/// What is to be set: the rest stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    drift: Option<f64>,
    label_delay_seconds: Option<f64>,
    rate: Option<f64>,
}

impl Settings {
    fn with(self, wanted: Wanted) -> Result<Settings, String> {
        let settings = Settings {
            drift: wanted.drift.unwrap_or(self.drift),
            label_delay_seconds: wanted.label_delay_seconds.unwrap_or(self.label_delay_seconds),
            rate: wanted.rate.unwrap_or(self.rate),
        };
        let Settings { drift, label_delay_seconds, rate } = settings;
        if !(0.0..=1.0).contains(&drift) {
            return Err(format!("drift is {drift}; it is a share, 0 to 1"));
        }
        if !(0.0..=7.0 * 86400.0).contains(&label_delay_seconds) {
            return Err(format!("label_delay_seconds is {label_delay_seconds}; it is 0 to 604800"));
        }
        if !(0.1..=1000.0).contains(&rate) {
            return Err(format!("rate is {rate}; it is 0.1 to 1000 products a second"));
        }
        Ok(settings)
    }
}

/// A prediction whose truth is told when it is due.
type Waiting = Reverse<(Instant, String, &'static str)>;

struct Shop {
    options: Run,
    agent: ureq::Agent,
    settings: Mutex<Settings>,
    catalogue: Mutex<Catalogue>,
    waiting: Mutex<BinaryHeap<Waiting>>,
    /// The token, and until when it is used.
    token: Mutex<Option<(String, Instant)>>,
    stopping: AtomicBool,
    page: Registry,
    requests: IntCounterVec,
}

fn main() -> ExitCode {
    serve::start_log();
    let done = match Cli::parse().command {
        Command::Healthcheck { url } => serve::healthcheck(&url),
        Command::History(history) => write_history(&history),
        Command::Run(options) => run(options),
    };
    done.map_or_else(
        |said| {
            eprintln!("traffic: {said}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn write_history(history: &History) -> Result<(), String> {
    if !(0.0..=1.0).contains(&history.drift) {
        return Err(format!("--drift {}: it is a share, 0 to 1", history.drift));
    }
    let mut catalogue = Catalogue::new(history.seed);
    let products: Vec<_> = (0..history.rows).map(|_| catalogue.product(history.drift)).collect();
    let batch = Row::batch(&products).map_err(|error: arrow::error::ArrowError| error.to_string())?;
    let told = |error: String| format!("{}: {error}", history.output.display());
    let file = std::fs::File::create(&history.output).map_err(|error| told(error.to_string()))?;
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).map_err(|error| told(error.to_string()))?;
    writer.write(&batch).and_then(|()| writer.close().map(drop)).map_err(|error| told(error.to_string()))
}

fn run(options: Run) -> Result<(), String> {
    let listen = options.listen;
    let shop = Arc::new(Shop::new(options)?);
    let customers = shop.open().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let stop = serve::signals()?;
        serve::serve(serve::listen(listen).await?, router(shop.clone()), stop).await
    });
    shop.stopping.store(true, Ordering::Release);
    for customer in customers {
        // One that panicked has told why.
        let _ = customer.join();
    }
    served.map_err(|error: std::io::Error| error.to_string())
}

fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/settings", get(settings).post(set))
        .route("/health", get(|| async { "well\n" }))
        .route("/metrics", get(metrics))
        .with_state(shop)
}

async fn settings(State(shop): State<Arc<Shop>>) -> Json<Settings> {
    Json(*lock(&shop.settings))
}

async fn set(State(shop): State<Arc<Shop>>, body: Bytes) -> Result<Json<Settings>, Problem> {
    let wanted: Wanted = serve::parse(&body)?;
    let mut settings = lock(&shop.settings);
    *settings = settings.with(wanted).map_err(|said| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, said))?;
    tracing::info!(settings.drift, settings.label_delay_seconds, settings.rate, "settings changed");
    Ok(Json(*settings))
}

async fn metrics(State(shop): State<Arc<Shop>>) -> Response {
    serve::metrics(&shop.page)
}

impl Shop {
    fn new(options: Run) -> Result<Shop, String> {
        let given = Wanted {
            drift: Some(options.drift),
            label_delay_seconds: Some(options.label_delay.as_secs_f64()),
            rate: Some(options.rate),
        };
        let settings = Settings { drift: 0.0, label_delay_seconds: 0.0, rate: 1.0 }.with(given)?;
        let page = Registry::new();
        let help = "Requests of the shop's customers, by what became of them.";
        let requests =
            IntCounterVec::new(Opts::new("traffic_requests_total", help), &["result"]).expect("a legal name");
        page.register(Box::new(requests.clone())).expect("a name of its own");
        for result in ["predicted", "told", "refused", "failed", "forgotten"] {
            requests.with_label_values(&[result]);
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(3)))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Ok(Shop {
            agent: config.into(),
            settings: Mutex::new(settings),
            catalogue: Mutex::new(Catalogue::new(options.seed)),
            options,
            waiting: Mutex::default(),
            token: Mutex::default(),
            stopping: AtomicBool::new(false),
            page,
            requests,
        })
    }

    /// The customers come: some ask, some tell.
    fn open(self: &Arc<Shop>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let gauges = [
            ("traffic_drift", "Share of products of the new season."),
            ("traffic_label_delay_seconds", "How long after a prediction its truth is told."),
            ("traffic_rate", "Products a second, as wanted."),
        ];
        let gauges: Vec<Gauge> =
            gauges.iter().map(|(name, help)| Gauge::new(*name, *help).expect("a legal name")).collect();
        for gauge in &gauges {
            self.page.register(Box::new(gauge.clone())).expect("a name of its own");
        }
        let mut customers = Vec::new();
        for number in 0..CUSTOMERS {
            let (asking, telling, gauges) = (self.clone(), self.clone(), gauges.clone());
            let named = |what: &str| std::thread::Builder::new().name(format!("{what}-{number}"));
            customers.push(named("ask").spawn(move || asking.ask_on(&gauges))?);
            customers.push(named("tell").spawn(move || telling.tell_on())?);
        }
        Ok(customers)
    }

    /// Asks at this customer's part of the rate. Who is late does not make up for it with a rush.
    fn ask_on(&self, gauges: &[Gauge]) {
        let mut next = Instant::now();
        while !self.stopping.load(Ordering::Acquire) {
            let settings = *lock(&self.settings);
            for (gauge, value) in gauges.iter().zip([settings.drift, settings.label_delay_seconds, settings.rate]) {
                gauge.set(value);
            }
            next = (next + Duration::from_secs_f64(f64::from(CUSTOMERS) / settings.rate)).max(Instant::now() - PAUSE);
            self.sleep_until(next);
            let product = lock(&self.catalogue).product(settings.drift);
            let body = json!({"designation": product.designation, "description": product.description});
            if let Some(answer) = self.post("predict", &body, "predicted") {
                let Some(id) = answer["request_id"].as_str() else { continue };
                let due = Instant::now() + Duration::from_secs_f64(settings.label_delay_seconds);
                let mut waiting = lock(&self.waiting);
                if waiting.len() < WAITING_MAX {
                    waiting.push(Reverse((due, id.to_string(), product.class)));
                } else {
                    self.count("forgotten");
                }
            }
        }
    }

    fn tell_on(&self) {
        while !self.stopping.load(Ordering::Acquire) {
            let due = {
                let mut waiting = lock(&self.waiting);
                let due = waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now());
                due.then(|| waiting.pop()).flatten()
            };
            let Some(Reverse((_, id, class))) = due else {
                self.sleep_until(Instant::now() + Duration::from_millis(50));
                continue;
            };
            self.post("feedback", &json!({"request_id": id, "label": class}), "told");
        }
    }

    /// The answer of the prediction service, if it is a success. Everything is counted; troubles make a pause.
    fn post(&self, path: &str, body: &Value, success: &str) -> Option<Value> {
        let answer = self.token().and_then(|token| {
            let request = self.agent.post(format!("{}/{path}", self.options.predict));
            let mut response = request.header("Authorization", format!("Bearer {token}")).send_json(body).ok()?;
            let status = response.status().as_u16();
            if status == 401 {
                *lock(&self.token) = None;
            }
            Some((status, response.body_mut().read_json::<Value>().ok()?))
        });
        match answer {
            Some((200..300, answer)) => {
                self.count(success);
                Some(answer)
            }
            Some((status, answer)) => {
                self.count("refused");
                tracing::debug!(path, status, %answer, "refused");
                self.sleep_until(Instant::now() + PAUSE);
                None
            }
            None => {
                self.count("failed");
                self.sleep_until(Instant::now() + PAUSE);
                None
            }
        }
    }

    /// The token in use, or a new one. One customer logs in for all.
    fn token(&self) -> Option<String> {
        let mut token = lock(&self.token);
        if let Some((token, until)) = &*token
            && Instant::now() < *until
        {
            return Some(token.clone());
        }
        let form = [("grant_type", "password"), ("username", &self.options.user), ("password", &self.options.password)];
        let mut response = self.agent.post(format!("{}/token", self.options.auth)).send_form(form).ok()?;
        let answer: Value = response.body_mut().read_json().ok()?;
        let Some(new) = answer["access_token"].as_str() else {
            tracing::warn!(status = response.status().as_u16(), %answer, "login refused");
            return None;
        };
        let lasts = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or(0));
        // A token that is short-lived is used for half its time.
        let until = Instant::now() + lasts.saturating_sub(RENEW).max(lasts / 2);
        *token = Some((new.to_string(), until));
        Some(new.to_string())
    }

    fn count(&self, result: &str) {
        self.requests.with_label_values(&[result]).inc();
    }

    /// In pieces, so that a stop is heard.
    fn sleep_until(&self, moment: Instant) {
        while let Some(left) = moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            && !self.stopping.load(Ordering::Acquire)
        {
            std::thread::sleep(left.min(Duration::from_millis(200)));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
