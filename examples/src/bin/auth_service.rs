//! The login service: a name and a password in, a token that expires out.
//!
//! | route | answer |
//! |---|---|
//! | `POST /token` | OAuth2's password login, a form: `{"access_token", "token_type", "expires_in"}` |
//! | `GET /me` | who the bearer of a token is |
//! | `GET /health` `GET /metrics` | 200; Prometheus' text |

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Json, Response};
use axum::routing::{get, post};
use clap::{Parser, Subcommand};
use examples::serve::{self, Problem};
use examples::token::{Claims, Keys};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// Passwords that are checked at a time: each takes memory and a core, on purpose.
const CHECKS_MAX: usize = 2;
/// Logins that may wait for that.
const WAITING_MAX: usize = 32;

/// A login service with users from a file.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where to listen
    #[arg(long, env = "AUTH_LISTEN", default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// The users, a JSON file: [{"username", "roles", "password_hash"}]
    #[arg(long, env = "AUTH_USERS", default_value = "examples/config/users.json")]
    users: PathBuf,
    /// How long a token is good
    #[arg(long, default_value = "900", value_parser = clap::value_parser!(u64).range(1..=86400))]
    token_seconds: u64,
    #[command(flatten)]
    secret: serve::Secret,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a password from stdin, print its hash for the users' file
    HashPassword,
    /// Ask a running service whether it is well
    Healthcheck {
        #[arg(long, default_value = "http://127.0.0.1:8001")]
        url: String,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    username: String,
    roles: Vec<String>,
    password_hash: String,
}

struct Service {
    users: HashMap<String, User>,
    /// Checked for users that are not there, so that the time of an answer tells nothing.
    nobody: String,
    keys: Keys,
    token_seconds: u64,
    checks: Semaphore,
    waiting: Semaphore,
    registry: Registry,
    requests: IntCounterVec,
    latency: HistogramVec,
}

#[derive(Debug, Deserialize)]
struct Login {
    username: String,
    password: String,
    grant_type: Option<String>,
}

#[derive(Debug, Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

fn main() -> ExitCode {
    serve::start_log();
    let options = Options::parse();
    let done = match &options.command {
        Some(Command::Healthcheck { url }) => serve::healthcheck(url),
        Some(Command::HashPassword) => hash_stdin(),
        None => run(options),
    };
    serve::ended("auth_service", done)
}

fn run(options: Options) -> Result<(), String> {
    let secret = options.secret.read()?;
    let service = Arc::new(Service::new(users(&options.users)?, &secret, options.token_seconds)?);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime
        .block_on(async {
            let stop = serve::signals()?;
            serve::serve(serve::listen(options.listen).await?, router(service), stop).await
        })
        .map_err(|error: std::io::Error| error.to_string())
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/token", post(token))
        .route("/me", get(me))
        .route("/health", get(|| async { "well\n" }))
        .route("/metrics", get(|State(service): State<Arc<Service>>| async move { serve::metrics(&service.registry) }))
        .layer(middleware::from_fn_with_state(service.clone(), observe))
        .with_state(service)
}

impl Service {
    fn new(users: Vec<User>, secret: &str, token_seconds: u64) -> Result<Service, String> {
        let registry = Registry::new();
        let labels = ["method", "endpoint", "status_code"];
        let help = "Requests, by what was asked and the status of the answer.";
        let requests = IntCounterVec::new(Opts::new("auth_service_requests_total", help), &labels);
        let help = "Time to answer a request.";
        let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        let options = HistogramOpts::new("auth_service_request_latency_seconds", help).buckets(buckets);
        let latency = HistogramVec::new(options, &["method", "endpoint"]);
        let (requests, latency) = (requests.expect("a legal name"), latency.expect("a legal name"));
        registry.register(Box::new(requests.clone())).expect("a name of its own");
        registry.register(Box::new(latency.clone())).expect("a name of its own");
        // The refusals are there from the first scrape on, as zeros: rates need a beginning.
        for status in ["200", "401", "503"] {
            requests.with_label_values(&["POST", "/token", status]);
        }
        Ok(Service {
            nobody: hash("nobody has this password")?,
            users: users.into_iter().map(|user| (user.username.clone(), user)).collect(),
            keys: Keys::new(secret),
            token_seconds,
            checks: Semaphore::new(CHECKS_MAX),
            waiting: Semaphore::new(WAITING_MAX),
            registry,
            requests,
            latency,
        })
    }
}

/// Users that are told apart and have hashes that can be checked.
fn users(path: &std::path::Path) -> Result<Vec<User>, String> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let users: Vec<User> = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
    let mut names = std::collections::HashSet::new();
    for user in &users {
        if !names.insert(&user.username) {
            return Err(told(format!("the user `{}` is there twice", user.username)));
        }
        if let Err(error) = PasswordHash::new(&user.password_hash) {
            let hint = "make one with `auth_service hash-password`";
            return Err(told(format!("the password hash of `{}` cannot be used ({error}); {hint}", user.username)));
        }
    }
    Ok(users)
}

/// Argon2id at the least cost that OWASP names: 19 MiB, two passes.
fn argon2() -> Result<Argon2<'static>, String> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| error.to_string())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, String> {
    let salt = SaltString::generate(&mut OsRng);
    argon2()?.hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

fn hash_stdin() -> Result<(), String> {
    use std::io::Write;
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).map_err(|error| error.to_string())?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("there is no password on stdin".to_string());
    }
    writeln!(std::io::stdout(), "{}", hash(password)?).map_err(|error| error.to_string())
}

async fn token(
    State(service): State<Arc<Service>>,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Json<Token>, Problem> {
    let Form(login) = form.map_err(|refused| {
        let hint = "send a form with username and password, as OAuth2's password login has it";
        Problem::new(refused.status(), format!("{}; {hint}", refused.body_text()))
    })?;
    if login.grant_type.as_deref().is_some_and(|grant| grant != "password") {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the grant_type here is `password`"));
    }
    let user = service.users.get(&login.username);
    let expected = user.map_or(&service.nobody, |user| &user.password_hash).clone();
    let right = check(&service, login.password, expected).await?;
    match user {
        Some(user) if right => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let access_token = service.keys.issue(&user.username, &user.roles, now, service.token_seconds);
            Ok(Json(Token { access_token, token_type: "bearer", expires_in: service.token_seconds }))
        }
        _ => Err(Problem::unauthorized("the name or the password is wrong")),
    }
}

/// Whether the password is the one of a hash. Only so many at a time; 503 when too many wait.
async fn check(service: &Service, password: String, expected: String) -> Result<bool, Problem> {
    let busy = || Problem::busy("too many logins at once; try again in a moment");
    let _waiting = service.waiting.try_acquire().map_err(|_| busy())?;
    let _check = service.checks.acquire().await.map_err(|_| busy())?;
    let checked = tokio::task::spawn_blocking(move || {
        let hash = PasswordHash::new(&expected).ok()?;
        // The hash says itself what it cost.
        Argon2::default().verify_password(password.as_bytes(), &hash).ok()
    });
    Ok(matches!(checked.await, Ok(Some(()))))
}

async fn me(State(service): State<Arc<Service>>, headers: HeaderMap) -> Result<Json<Claims>, Problem> {
    service.keys.verify(&headers).map(Json)
}

async fn observe(State(service): State<Arc<Service>>, request: Request<Body>, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().to_string();
    // Paths that are not ours share one label: they are as many as a stranger likes.
    let known = ["/token", "/me", "/health", "/metrics"];
    let endpoint = known.into_iter().find(|path| *path == request.uri().path()).unwrap_or("other");
    let method = if ["GET", "POST", "HEAD"].contains(&method.as_str()) { method } else { "other".to_string() };
    let response = next.run(request).await;
    service.requests.with_label_values(&[method.as_str(), endpoint, response.status().as_str()]).inc();
    service.latency.with_label_values(&[method.as_str(), endpoint]).observe(begun.elapsed().as_secs_f64());
    response
}
