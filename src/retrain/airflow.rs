//! Airflow's REST API, of version 2 (`/api/v1`) and 3 (`/api/v2`): one question, "start this run". The only file that
//! names ureq; plain calls that block.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, http};

use super::run::Run;

/// One request to Airflow, from the connection to the last byte.
const REQUEST_TIME: Duration = Duration::from_secs(20);

/// What is read of an answer; Airflow's are a few kilobytes.
const ANSWER_MAX: u64 = 1 << 20;

/// What is told of an answer that is no JSON.
const TOLD_MAX: usize = 200;

/// How the webhook proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// Basic auth in Airflow 2; in Airflow 3 they buy a token.
    Password { user: String, password: String },
    /// A bearer token, as it is.
    Token(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Login::Password { user, .. } => write!(f, "Password {{ user: {user:?} }}"),
            Login::Token(_) => write!(f, "Token"),
        }
    }
}

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum AirflowError {
    #[error("Airflow does not answer at {url}; is its API server running, and is --airflow-url right?")]
    Away { url: String, source: Box<ureq::Error> },
    #[error("Airflow refuses the login ({status}): {said}; set --airflow-user with its password, or a token")]
    Login { status: u16, said: String },
    #[error("Airflow has no DAG `{dag}` (404): {said}; is its file in the DAGs folder, and can Airflow import it?")]
    UnknownDag { dag: String, said: String },
    #[error("the DAG `{dag}` is paused in Airflow, a run would only wait; unpause it there")]
    Paused { dag: String },
    #[error("Airflow refuses the run ({status}): {said}")]
    Refused { status: u16, said: String },
    #[error("Airflow fails ({status}): {said}")]
    Failed { status: u16, said: String },
    #[error("neither /api/v2 nor /api/v1 is at {url}: {said}")]
    NoApi { url: String, said: String },
}

/// What became of a run that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    Now,
    /// A run of this id is there already.
    Before,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    V1,
    V2,
}

impl Api {
    fn path(self) -> &'static str {
        match self {
            Api::V1 => "/api/v1",
            Api::V2 => "/api/v2",
        }
    }
}

/// An Airflow, and what is known of it.
#[derive(Debug)]
pub struct Airflow {
    agent: Agent,
    /// Without a `/` at its end.
    url: String,
    login: Option<Login>,
    /// Found out at the first request, and anew when it no longer answers.
    api: Option<Api>,
    /// Bought with a password from Airflow 3, until it is refused.
    token: Option<String>,
}

struct Answer {
    status: u16,
    body: Value,
}

impl Airflow {
    /// `url`: `http[s]://HOST[:PORT][/PREFIX]`. Nothing is asked yet.
    pub fn new(url: &str, login: Option<Login>) -> Airflow {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .timeout_global(Some(REQUEST_TIME))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .tls_config(tls)
            .user_agent(concat!("drift-sidecar/", env!("CARGO_PKG_VERSION")))
            .build();
        let url = url.trim_end_matches('/').to_string();
        Airflow { agent: config.into(), url, login, api: None, token: None }
    }

    /// Starts a run, unless one of its id is there. A paused DAG starts nothing: its run would wait for a person and
    /// then retrain on an incident that is long over.
    pub fn start(&mut self, dag: &str, run: &Run) -> Result<Started, AirflowError> {
        let api = self.api()?;
        let known = self.ask(api, &format!("/dags/{dag}"), None)?;
        let known = self.judged(known, dag)?;
        if known.body.get("is_paused") == Some(&Value::Bool(true)) {
            return Err(AirflowError::Paused { dag: dag.to_string() });
        }
        let mut wanted = json!({"dag_run_id": run.id, "conf": run.conf, "note": run.note});
        if api == Api::V2 {
            wanted["logical_date"] = Value::Null; // must be there: the run is for no date
        }
        let answer = self.ask(api, &format!("/dags/{dag}/dagRuns"), Some(&wanted))?;
        if answer.status == 409 {
            return Ok(Started::Before);
        }
        self.judged(answer, dag).map(|_| Started::Now)
    }

    /// Airflow 2 has no `/api/v2`, and Airflow 3 no `/api/v1`.
    fn api(&mut self) -> Result<Api, AirflowError> {
        if let Some(api) = self.api {
            return Ok(api);
        }
        let mut said = Vec::new();
        for api in [Api::V2, Api::V1] {
            let answer = self.send(&format!("{}/version", api.path()), None, None)?;
            match answer.status {
                // Some set-ups tell even the version only after a login.
                200 | 401 | 403 => {
                    self.api = Some(api);
                    return Ok(api);
                }
                500.. => return Err(AirflowError::Failed { status: answer.status, said: told(&answer.body) }),
                status => said.push(format!("{}/version is answered with {status}", api.path())),
            }
        }
        Err(AirflowError::NoApi { url: self.url.clone(), said: said.join(", ") })
    }

    /// Asks with the login; a bought token that is refused is bought anew, once.
    fn ask(&mut self, api: Api, path: &str, body: Option<&Value>) -> Result<Answer, AirflowError> {
        let path = format!("{}{path}", api.path());
        let had_token = self.token.is_some();
        let pass = self.pass(api)?;
        let answer = self.send(&path, pass.as_deref(), body)?;
        if answer.status != 401 || !had_token {
            return Ok(answer);
        }
        self.token = None;
        let pass = self.pass(api)?;
        self.send(&path, pass.as_deref(), body)
    }

    /// The value of `Authorization`.
    fn pass(&mut self, api: Api) -> Result<Option<String>, AirflowError> {
        Ok(match (&self.login, api) {
            (None, _) => None,
            (Some(Login::Token(token)), _) => Some(format!("Bearer {token}")),
            (Some(Login::Password { user, password }), Api::V1) => {
                Some(format!("Basic {}", BASE64.encode(format!("{user}:{password}"))))
            }
            (Some(Login::Password { user, password }), Api::V2) => {
                if self.token.is_none() {
                    let answer =
                        self.send("/auth/token", None, Some(&json!({"username": user, "password": password})))?;
                    let token = answer.body.get("access_token").and_then(Value::as_str);
                    let Some(token) = token.filter(|_| answer.status < 300) else {
                        return Err(AirflowError::Login { status: answer.status, said: told(&answer.body) });
                    };
                    self.token = Some(token.to_string());
                }
                self.token.as_ref().map(|token| format!("Bearer {token}"))
            }
        })
    }

    /// GET, or POST where there is a body.
    fn send(&self, path: &str, pass: Option<&str>, body: Option<&Value>) -> Result<Answer, AirflowError> {
        let url = format!("{}{path}", self.url);
        let mut request = http::Request::builder().uri(&url).header("Accept", "application/json");
        if let Some(pass) = pass {
            request = request.header("Authorization", pass);
        }
        let response = match body {
            None => {
                request.method("GET").body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
            }
            Some(body) => request
                .method("POST")
                .header("Content-Type", "application/json")
                .body(body.to_string())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        let away = |source| AirflowError::Away { url: self.url.clone(), source: Box::new(source) };
        let mut response: http::Response<Body> = response.map_err(away)?;
        let text =
            response.body_mut().with_config().limit(ANSWER_MAX).lossy_utf8(true).read_to_string().map_err(away)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status: response.status().as_u16(), body })
    }

    fn judged(&mut self, answer: Answer, dag: &str) -> Result<Answer, AirflowError> {
        let (status, said) = (answer.status, told(&answer.body));
        match status {
            200..300 => Ok(answer),
            401 | 403 => Err(AirflowError::Login { status, said }),
            404 => {
                // The DAG is unknown, or Airflow is another version than it was.
                self.api = None;
                Err(AirflowError::UnknownDag { dag: dag.to_string(), said })
            }
            405 => {
                self.api = None;
                Err(AirflowError::Refused { status, said })
            }
            500.. => Err(AirflowError::Failed { status, said }),
            _ => Err(AirflowError::Refused { status, said }),
        }
    }
}

/// Airflow's own words: `detail` of both APIs, else the answer's beginning.
fn told(body: &Value) -> String {
    let text = match body.get("detail").unwrap_or(body) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "no reason given".to_string() } else { text.chars().take(TOLD_MAX).collect() }
}
