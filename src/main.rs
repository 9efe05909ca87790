//! The program: takes the command, starts the log, calls one function, maps its end to an exit code. No logic.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use drift_sidecar::cli::{self, Cli, Command, CompareFormat, LogFormat, LogOptions, OnceFormat, exit};
use drift_sidecar::config::{self, Problems};
use drift_sidecar::report::Report;
use drift_sidecar::{chain, daemon, demo, http, metrics, once, page, retrain, shutdown, table, worker};

/// How long a health check waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    drift_sidecar::keep_pages();
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Err(problem) = start_log(&cli.log) {
        eprintln!("drift-sidecar: {problem}");
        return ExitCode::from(exit::USAGE);
    }
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(End::Config(problems)) => {
            eprintln!("{problems}");
            ExitCode::from(exit::CONFIG)
        }
        Err(End::Failed(said)) => {
            eprintln!("drift-sidecar: {said}");
            ExitCode::from(exit::FAILED)
        }
    }
}

/// What ends the program before its work is done.
enum End {
    Config(Problems),
    Failed(String),
}

impl<E: std::error::Error> From<E> for End {
    fn from(error: E) -> End {
        End::Failed(chain(&error))
    }
}

fn run(cli: Cli) -> Result<u8, End> {
    match cli.command {
        Command::Run(options) => run_daemon(options.file, None),
        Command::Once(options) => once(&options),
        Command::Compare(options) => compare(&options),
        Command::Check(options) => check(&options.file),
        Command::Demo(options) => run_demo(&options),
        Command::RetrainWebhook(options) => retrain_webhook(&options),
        Command::Healthcheck(options) => {
            http::healthcheck(&options.url, HEALTH_TIMEOUT)?;
            Ok(exit::DONE)
        }
        Command::Completions(options) => {
            print(cli::completions(options.shell), None)?;
            Ok(exit::DONE)
        }
        Command::Man(options) => manual(options.output.as_deref()),
    }
}

/// The program's page on stdout, or all of them in a directory.
fn manual(directory: Option<&Path>) -> Result<u8, End> {
    let mut pages = cli::manual()?;
    match directory {
        Some(directory) => std::fs::create_dir_all(directory)?,
        None => pages.truncate(1),
    }
    for (name, text) in pages {
        print(text, directory.map(|directory| directory.join(name)).as_deref())?;
    }
    Ok(exit::DONE)
}

fn start_log(options: &LogOptions) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(&options.level)
        .map_err(|error| format!("--log-level `{}`: {error}", options.level))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour(&std::io::stderr()));
    match options.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn load(file: &Path) -> Result<config::Loaded, End> {
    let loaded = config::load(file).map_err(End::Config)?;
    if !loaded.warnings.is_empty() {
        tracing::warn!("{}", loaded.warnings);
    }
    Ok(loaded)
}

fn run_daemon(file: PathBuf, guide: Option<Box<dyn FnOnce(std::net::SocketAddr) + Send>>) -> Result<u8, End> {
    let loaded = load(&file)?;
    for broken in &loaded.broken {
        tracing::error!(
            model = broken.name,
            problem = broken.problem,
            "model left out; `drift-sidecar check` shows all that is wrong with it"
        );
    }
    let started = guide.unwrap_or_else(|| {
        Box::new(|address| tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening"))
    });
    daemon::run(file, loaded, started)?;
    Ok(exit::DONE)
}

fn once(options: &cli::Once) -> Result<u8, End> {
    let config = load(&options.config.file)?.whole().map_err(End::Config)?;
    let report = once::once(&config, daemon::now());
    let text = match options.format {
        OnceFormat::Prometheus => metrics::render(Arc::new(report.clone()), &metrics::Process::default()),
        OnceFormat::Json => json(&report)?,
        OnceFormat::Table => table(&report, options.output.is_none()),
        OnceFormat::Html => page::file(&report)?,
    };
    print(text, options.output.as_deref())?;
    let failed = report
        .models
        .iter()
        .flat_map(|model| model.problems.iter().map(|problem| format!("{}: {problem}", model.model)));
    match failed.collect::<Vec<_>>() {
        none if none.is_empty() => Ok(exit::DONE),
        problems => Err(End::Failed(problems.join("; "))),
    }
}

fn compare(options: &cli::Compare) -> Result<u8, End> {
    let (prediction, label) = (options.prediction.as_deref(), options.label.as_deref());
    let settings = config::compare(options.definition, options.methods.named(), prediction, label);
    let report = once::compare(settings, &options.reference, &options.current)?;
    let text = match options.format {
        CompareFormat::Json => json(&report)?,
        CompareFormat::Table => table(&report, options.output.is_none()),
        CompareFormat::Html => page::file(&report)?,
    };
    print(text, options.output.as_deref())?;
    let windows = report.models.iter().flat_map(|model| &model.windows);
    let drifted = windows
        .into_iter()
        .any(|window| window.data_drift_detected == Some(true) || window.prediction_drift_detected == Some(true));
    Ok(if options.fail_on_drift && drifted { exit::DRIFT } else { exit::DONE })
}

fn check(file: &Path) -> Result<u8, End> {
    let loaded = config::load(file).map_err(End::Config)?;
    let warnings = loaded.warnings.to_string();
    let config = loaded.whole().map_err(End::Config)?;
    let mut failed = Vec::new();
    for model in &config.models {
        let name = &model.monitor.name;
        match worker::reference(model, config.state_dir.as_deref(), daemon::now()) {
            Ok(reference) => print(table::plan(&reference.plan, colour(&std::io::stdout()), width()), None)?,
            // The log may have no rows yet, and the config is right all the same.
            Err(problem) if model.reference.is_of_logs() => eprintln!("{name}: {problem}"),
            Err(problem) => failed.push(format!("{name}: {problem}")),
        }
    }
    if !warnings.is_empty() {
        eprintln!("{warnings}");
    }
    if failed.is_empty() { Ok(exit::DONE) } else { Err(End::Failed(failed.join("; "))) }
}

fn run_demo(options: &cli::Demo) -> Result<u8, End> {
    let temporary = tempfile::Builder::new().prefix("drift-sidecar-demo-").tempdir()?;
    let folder = options.dir.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let scenario = match options.scenario {
        cli::Scenario::Drift => demo::Scenario::Drift,
        cli::Scenario::LabelsStop => demo::Scenario::LabelsStop,
    };
    let mut traffic = demo::Traffic::new(&folder, scenario, daemon::now(), 27)?;
    traffic.write_reference()?;
    traffic.turn(daemon::now())?;
    let config = folder.join("sidecar.yaml");
    std::fs::write(&config, traffic.config(options.listen))?;
    let (running, ended) = std::sync::mpsc::channel::<()>();
    let guide = Box::new(move |address| {
        // Nobody may be reading any more; the demo goes on.
        let _ = write!(std::io::stdout(), "{}", traffic.guide(address, daemon::clock));
        let _ = std::io::stdout().flush();
        let written = std::thread::Builder::new().name("service".to_string()).spawn(move || {
            while ended.recv_timeout(Duration::from_secs(1)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                if let Err(error) = traffic.turn(daemon::now()) {
                    tracing::error!(error = chain(&error), "demo service could not write its logs");
                }
            }
        });
        if let Err(error) = written {
            tracing::error!(error = chain(&error), "demo service did not start");
        }
    });
    let code = run_daemon(config, Some(guide));
    drop(running);
    code
}

fn retrain_webhook(options: &cli::RetrainWebhook) -> Result<u8, End> {
    let password = secret(options.airflow_password_file.as_deref(), "AIRFLOW_PASSWORD")?;
    let token = secret(options.airflow_token_file.as_deref(), "AIRFLOW_TOKEN")?;
    let login = match (&options.airflow_user, password, token) {
        (Some(user), Some(password), _) => Some(retrain::Login::Password { user: user.clone(), password }),
        (Some(user), None, _) => {
            let said = "has no password: give --airflow-password-file, or AIRFLOW_PASSWORD in the environment";
            return Err(End::Failed(format!("--airflow-user {user} {said}")));
        }
        (None, _, token) => token.map(retrain::Login::Token),
    };
    let bearer = secret(options.token_file.as_deref(), "WEBHOOK_TOKEN")?;
    let airflow = retrain::Airflow::new(&options.airflow_url, login);
    let settings = retrain::Settings { dag: options.dag.clone(), bearer };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut signals = shutdown::Signals::new()?;
        let listener = tokio::net::TcpListener::bind(options.listen).await.map_err(|error| {
            End::Failed(format!("cannot listen on {}: {error}; is another program there? See --listen", options.listen))
        })?;
        tracing::info!(address = %listener.local_addr()?, airflow = options.airflow_url, dag = options.dag, "listening");
        let stop = async { while signals.next().await == shutdown::Heard::Reload {} };
        retrain::serve(listener, settings, airflow, stop).await;
        Ok(exit::DONE)
    })
}

/// The first line of a file, else what the environment has; never empty.
fn secret(file: Option<&Path>, variable: &str) -> Result<Option<String>, End> {
    let Some(file) = file else {
        return Ok(std::env::var(variable).ok().filter(|value| !value.is_empty()));
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| End::Failed(format!("{} cannot be read: {error}", file.display())))?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(Some(line.to_string())),
        _ => Err(End::Failed(format!("{}: the first line is empty; it holds the secret", file.display()))),
    }
}

fn json(report: &Report) -> Result<String, End> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

fn table(report: &Report, to_stdout: bool) -> String {
    let stdout = std::io::stdout();
    table::report(report, to_stdout && colour(&stdout), if to_stdout { width() } else { None })
}

/// Characters in a line of the terminal; `None` where stdout is none.
fn width() -> Option<u16> {
    let stdout = std::io::stdout();
    stdout.is_terminal().then(terminal_size::terminal_size).flatten().map(|(width, _)| width.0)
}

/// A closed pipe is no failure: who reads has read enough.
fn print(text: impl AsRef<[u8]>, output: Option<&Path>) -> Result<(), End> {
    match output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| End::Failed(format!("{} cannot be written: {error}", path.display()))),
        None => match std::io::stdout().write_all(text.as_ref()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        },
    }
}
