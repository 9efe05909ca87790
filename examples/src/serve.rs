//! One way to listen, to answer, to refuse, to stop, and to be asked for health.

use std::future::Future;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Request, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The largest body that is read.
pub const BODY_MAX: usize = 64 * 1024;

/// A request that has not been answered by then is given up: its client is too slow.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// Open requests get this long to end at a stop.
const GRACE: Duration = Duration::from_secs(3);

/// What a client is told when it does not get what it asked for.
#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    /// What was found, and what to do.
    pub detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), header: None }
    }

    /// 401, which names the way to log in.
    pub fn unauthorized(detail: impl Into<String>) -> Problem {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Problem { header: Some(header), ..Problem::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// 503, and when to try again.
    pub fn busy(detail: impl Into<String>) -> Problem {
        let header = (RETRY_AFTER, HeaderValue::from_static("1"));
        Problem { header: Some(header), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(serde_json::json!({"detail": self.detail}))).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A JSON body, read without a look at `Content-Type`; what is wrong with it is told by place.
pub fn parse<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    // serde takes a list for an object's fields in their order; nobody means that.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the body is a JSON list; an object is wanted here",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
        Problem::new(status, format!("the body is not the JSON that is wanted here: {error}"))
    })
}

/// The page of `/metrics`.
pub fn metrics(registry: &Registry) -> Response {
    let mut page = Vec::new();
    // Only a metric family without a name cannot be written, and none can be registered.
    let _ = TextEncoder::new().encode(&registry.gather(), &mut page);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}

/// Answers until `stop` is done and open requests are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let limited = router.layer(DefaultBodyLimit::max(BODY_MAX)).layer(middleware::from_fn(in_time));
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move {
        stop.await;
        let _ = tell.send(());
    };
    let serving = axum::serve(listener, limited).with_graceful_shutdown(stopped);
    tokio::select! {
        served = async { serving.await } => served,
        () = async {
            let _ = told.await;
            tokio::time::sleep(GRACE).await;
        } => Ok(()), // a client that keeps its connection busy does not keep the program
    }
}

async fn in_time(request: Request<axum::body::Body>, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request did not come to its end").into_response(),
    }
}

/// Listens, and says where: with port 0 the system chooses.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| std::io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    Ok(listener)
}

/// Until SIGTERM or SIGINT. Call it once: the handlers are in place when it returns.
pub fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {},
            _ = interrupt.recv() => {},
        }
    })
}

/// Logs to stderr; what is logged follows `RUST_LOG`, else `info`.
pub fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
}

/// The end of a program: what kept it from its work goes to stderr.
pub fn ended(program: &str, done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            eprintln!("{program}: {said}");
            ExitCode::FAILURE
        }
    }
}

/// Asks a service for its health, for container engines that know commands only.
pub fn healthcheck(url: &str) -> Result<(), String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(3))).proxy(None).build();
    match ureq::Agent::new_with_config(config).get(format!("{url}/health")).call() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{url}/health: {error}")),
    }
}

/// Where the secret comes from that tokens are signed with.
#[derive(Debug, clap::Args)]
pub struct Secret {
    #[arg(id = "secret", env = "JWT_SECRET", long = "secret", hide = true, hide_env_values = true)]
    value: Option<String>,
    /// A file with the secret that tokens are signed with [or in the environment: JWT_SECRET]
    #[arg(id = "secret_file", long = "secret-file", env = "JWT_SECRET_FILE")]
    file: Option<PathBuf>,
}

impl Secret {
    /// The file's first line, else what the environment gave; 32 bytes or more.
    pub fn read(&self) -> Result<String, String> {
        let found = match (&self.file, &self.value) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
                text.lines().next().unwrap_or_default().trim().to_string()
            }
            (None, Some(value)) => value.clone(),
            (None, None) => return Err("there is no secret: set JWT_SECRET or JWT_SECRET_FILE".to_string()),
        };
        if found.len() < 32 {
            return Err(format!("the secret has {} bytes; 32 or more are needed: openssl rand -hex 32", found.len()));
        }
        Ok(found)
    }
}
