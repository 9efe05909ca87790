//! The command line: what people type, and what `--help` teaches.
//!
//! The only room that names clap. It parses and does nothing; it opens no file.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::stats::definition::Definition;

mod methods;
mod papers;

pub use methods::Methods;
pub use papers::{completions, manual};

/// Exit codes, after sysexits.h where it has one.
pub mod exit {
    pub const DONE: u8 = 0;
    pub const FAILED: u8 = 1;
    pub const DRIFT: u8 = 2;
    pub const USAGE: u8 = 64;
    pub const CONFIG: u8 = 78;
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   failed while running
  2   drift was found, with --fail-on-drift
  64  the command line is wrong
  78  the config is wrong";

/// Drift and F1 of ML services, from their Parquet prediction logs, as Prometheus gauges.
///
/// Runs beside a service, tails its request and outcome logs, compares a sliding window with a reference, and
/// serves the numbers on /metrics.
#[derive(Debug, Parser)]
#[command(name = "drift-sidecar", version, max_term_width = 100, after_long_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub log: LogOptions,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogOptions {
    /// What to log on stderr: error, warn, info, debug, trace, or a filter such as `info,drift_sidecar::source=debug`
    #[arg(id = "log_level", long = "log-level", global = true, value_name = "LEVEL", default_value = "info")]
    #[arg(env = "DRIFT_SIDECAR_LOG", hide_env_values = true)]
    pub level: String,
    /// How to write the log
    #[arg(id = "log_format", long = "log-format", global = true, value_name = "FORMAT", default_value = "text")]
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run beside a service: tail the logs, serve /metrics
    ///
    /// Follows the request and outcome logs of every model in the config and serves /metrics, a JSON API and a live
    /// page, until SIGTERM or SIGINT. SIGHUP, POST /-/reload and a changed file reload the config; a bad one keeps
    /// the old one running. A model whose entry is broken is left out and told; the others run.
    #[command(after_long_help = help(
        "drift-sidecar run --config /etc/drift-sidecar/sidecar.yaml",
        "0 stopped by a signal; 1 failed while running; 64 usage; 78 config"
    ))]
    Run(Config),

    /// Read all there is, evaluate once, print the numbers, exit
    ///
    /// Reads the logs of the config to their end, evaluates each model once and prints what /metrics would show, or
    /// a table, or JSON. Leaves no state behind; the same files give the same bytes.
    #[command(after_long_help = help(
        "drift-sidecar once --config sidecar.yaml --format table",
        "0 done; 1 failed while running; 64 usage; 78 config"
    ))]
    Once(Once),

    /// Compare Parquet files with a reference, without a config
    ///
    /// Takes every column that both sides have, infers its kind from the reference, and tests it for drift. No
    /// timestamps are needed: all rows are one window. With --fail-on-drift it is a gate for a CI job or a DAG.
    // The list of methods is added in `command()`.
    Compare(Compare),

    /// Tell every problem of a config, and what would be compared
    ///
    /// Reads the config and each model's reference, and tells all mistakes at once, each with its line, what was
    /// found and what is allowed. If there are none, shows which columns are compared as what, by which method
    /// and threshold, and why.
    #[command(after_long_help = help(
        "drift-sidecar check --config sidecar.yaml",
        "0 all is well; 1 a reference cannot be read; 64 usage; 78 config"
    ))]
    Check(Config),

    /// See it work: a synthetic service, the sidecar and the live page
    ///
    /// Writes the logs of a made-up service as it would write them, runs the daemon on them, and serves the page and
    /// /metrics. What happens to it and when is a scenario's; it is told at the start. Nothing to install, nothing left
    /// behind.
    #[command(after_long_help = help(
        "drift-sidecar demo      then open http://127.0.0.1:9877",
        "0 stopped by a signal; 1 failed while running; 64 usage"
    ))]
    Demo(Demo),

    /// Start a retraining when an alert fires: Alertmanager to Airflow
    ///
    /// Takes Alertmanager's webhook (POST /alerts) and starts a run of an Airflow DAG, of Airflow 2 or 3. A delivery that
    /// is repeated starts nothing twice, a resolved one starts nothing, and while Airflow is away Alertmanager is told to
    /// try again. Secrets come from files or from the environment, never from the command line.
    #[command(after_long_help = help(
        "drift-sidecar retrain-webhook --airflow-url http://airflow:8080 --dag retrain --airflow-user admin",
        "0 stopped by a signal; 1 failed while running; 64 usage"
    ))]
    RetrainWebhook(RetrainWebhook),

    /// Ask a running sidecar whether it is well
    ///
    /// Asks /-/healthy and exits 0 if the answer is good: for the health check of a container, which needs no curl.
    #[command(after_long_help = help(
        "HEALTHCHECK CMD [\"drift-sidecar\", \"healthcheck\"]",
        "0 healthy; 1 not healthy, or no answer; 64 usage"
    ))]
    Healthcheck(Healthcheck),

    /// Print what makes a shell complete this program's commands and options
    ///
    /// For bash, into a folder that it looks through; `drift-sidecar completions --help` shows one. Other shells have such folders too.
    #[command(after_long_help = help(
        "drift-sidecar completions bash > ~/.local/share/bash-completion/completions/drift-sidecar",
        "0 done; 64 usage"
    ))]
    Completions(Completions),

    /// Print the manual page, or write those of all commands into a directory
    #[command(after_long_help = help("drift-sidecar man | man -l -", "0 done; 1 a page cannot be written; 64 usage"))]
    Man(Man),
}

fn help(example: &str, codes: &str) -> String {
    format!("Example:\n  {example}\n\nExit codes:\n  {codes}")
}

#[derive(Debug, Args)]
pub struct Config {
    /// The config, a YAML file
    #[arg(id = "config", long, short, value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Once {
    #[command(flatten)]
    pub config: Config,
    /// How to print the numbers
    #[arg(long, value_enum, default_value = "prometheus")]
    pub format: OnceFormat,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnceFormat {
    /// The exposition text of /metrics
    Prometheus,
    Json,
    Table,
    /// One file to look at in a browser, to send or to keep
    Html,
}

#[derive(Debug, Args)]
pub struct Compare {
    /// What to compare with, a Parquet file
    #[arg(long, short, value_name = "FILE")]
    pub reference: PathBuf,
    /// What to compare, one or more Parquet files: their rows are taken together
    #[arg(long, short, value_name = "FILE", num_args = 1.., required = true)]
    pub current: Vec<PathBuf>,
    /// Drift tests: a list such as `ks,psi`, `default`, or `all`
    ///
    /// Columns of a kind that none of the listed ones can test are not tested.
    #[arg(id = "methods", long = "methods", value_name = "LIST", default_value = "default")]
    listed: String,
    /// `listed`, looked up in the definition once both are known
    #[arg(skip)]
    pub methods: Methods,
    /// Whose formulas: robust, or evidently or nannyml to see those tools' own numbers
    #[arg(long, value_name = "TOOL", default_value = "robust", value_parser = methods::definition)]
    pub definition: Definition,
    /// How to print the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: CompareFormat,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 2 if the dataset or the prediction has drifted
    #[arg(long)]
    pub fail_on_drift: bool,
    /// The column of predictions, which is no feature [default: prediction]
    #[arg(long, value_name = "COLUMN")]
    pub prediction: Option<String>,
    /// The column of true labels, which is no feature [default: label]
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    Table,
    Json,
    /// One file to look at in a browser, to send or to keep
    Html,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command into this directory
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// What happens
    #[arg(long, value_enum, value_name = "SCENARIO", default_value = "drift")]
    pub scenario: Scenario,
    /// Where to serve the live page and /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9877")]
    pub listen: SocketAddr,
    /// Where to write the logs, kept afterwards [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// After a minute the data drift and the model gets worse; a minute and a half later both recover
    Drift,
    /// Labels stop and F1 is unknown; the data drift, and the estimate of F1 falls; the labels come, and it was right
    LabelsStop,
}

#[derive(Debug, Args)]
pub struct RetrainWebhook {
    /// Where Alertmanager delivers
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9878")]
    pub listen: SocketAddr,
    /// Airflow's web server or API server
    #[arg(long, value_name = "URL", value_parser = airflow_url)]
    pub airflow_url: String,
    /// The DAG to run
    #[arg(long, value_name = "DAG_ID", value_parser = dag)]
    pub dag: String,
    /// Log in as this user; needs a password
    #[arg(long, value_name = "NAME", env = "AIRFLOW_USER", conflicts_with = "airflow_token_file")]
    pub airflow_user: Option<String>,
    /// The user's password, the first line of a file [or in the environment: AIRFLOW_PASSWORD]
    #[arg(long, value_name = "FILE", requires = "airflow_user")]
    pub airflow_password_file: Option<PathBuf>,
    /// A bearer token, the first line of a file [or in the environment: AIRFLOW_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub airflow_token_file: Option<PathBuf>,
    /// Deliveries must bear this token, the first line of a file [or in the environment: WEBHOOK_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// An address to ask, as it will be used.
fn airflow_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if rest.contains('@') => Err("no user or password in the address; use --airflow-user".to_string()),
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', ' ']) => Ok(text.to_string()),
        _ => Err(format!("`{text}` is no address; write http://HOST:PORT or https://HOST")),
    }
}

/// Airflow's own rule for DAG ids, which also makes them safe in an address.
fn dag(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.-~".contains(c);
    if !text.is_empty() && text.chars().all(legal) {
        Ok(text.to_string())
    } else {
        Err(format!("`{text}` is no DAG id: letters, digits, `_`, `-`, `.` and `~`"))
    }
}

#[derive(Debug, Args)]
pub struct Healthcheck {
    /// The sidecar to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9877")]
    pub url: String,
}

/// Parses the process's command line. `Err`: the exit code, after help, version or what is wrong was printed.
pub fn parse() -> Result<Cli, ExitCode> {
    parse_from(std::env::args_os()).map_err(|error| {
        // Nowhere is left to tell that stdout or stderr is closed.
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE })
    })
}

fn parse_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Command::Compare(compare) = &mut cli.command {
        compare.methods = Methods::read(compare.definition, &compare.listed).map_err(|why| {
            let found = format!("invalid value '{}' for '--methods <LIST>': {why}", compare.listed);
            command().error(ErrorKind::ValueValidation, found)
        })?;
    }
    Ok(cli)
}

fn command() -> clap::Command {
    let example = "drift-sidecar compare --reference train.parquet --current monday.parquet --fail-on-drift";
    let codes = "0 done; 1 failed while running; 2 drift, with --fail-on-drift; 64 usage";
    let text = format!("{}\n\n{}", methods::listed(), help(example, codes));
    Cli::command().mut_subcommand("compare", |compare| compare.after_long_help(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::METHODS;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse_from(line.split_whitespace().map(OsString::from))
    }

    fn refused(line: &str) -> String {
        let error = parsed(line).unwrap_err();
        assert!(error.use_stderr(), "{line}");
        error.to_string()
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn compare_takes_many_files_and_methods() {
        let cli = parsed(
            "drift-sidecar compare --reference r.parquet --current a.parquet b.parquet --methods ks,psi --fail-on-drift",
        );
        let Command::Compare(compare) = cli.unwrap().command else { panic!("another command") };
        assert_eq!(compare.current.len(), 2);
        assert!(compare.fail_on_drift);
        let names: Vec<_> = compare.methods.named().unwrap().iter().map(|m| m.name).collect();
        assert_eq!(names, ["ks", "psi"]);
    }

    #[test]
    fn the_default_methods_are_no_list_and_all_is_the_whole_list() {
        assert_eq!(Methods::read(Definition::Robust, "default").unwrap().named(), None);
        assert_eq!(Methods::read(Definition::Robust, "all").unwrap().named().unwrap().len(), METHODS.len());
    }

    #[test]
    fn an_unknown_method_is_told_the_nearest() {
        let told = refused("drift-sidecar compare --reference r --current c --methods ks,waserstein");
        assert!(told.contains("did you mean `wasserstein`?"), "{told}");
        assert!(Methods::read(Definition::Robust, "ks,ks").is_err());
        assert!(Methods::read(Definition::Robust, "").is_err());
        assert!(Methods::read(Definition::Robust, "ks,").is_err());
    }

    #[test]
    fn methods_are_those_of_the_definition() {
        let cli = parsed("drift-sidecar compare --reference r --current c --methods all --definition nannyml").unwrap();
        let Command::Compare(compare) = cli.command else { panic!("another command") };
        assert_eq!(compare.methods.named().unwrap().len(), Definition::Nannyml.methods().len());
        let told = refused("drift-sidecar compare --reference r --current c --methods psi --definition nannyml");
        assert!(told.contains("`psi` is none of jensen_shannon, hellinger"), "{told}");
        let told = refused("drift-sidecar compare --reference r --current c --definition evidentl");
        assert!(told.contains("did you mean `evidently`?"), "{told}");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(refused("drift-sidecar run").contains("--config <FILE>"));
        assert!(refused("drift-sidecar compare --reference r").contains("--current <FILE>"));
        assert!(refused("drift-sidecar once --config c --format pdf").contains("prometheus, json, table, html"));
        refused("drift-sidecar");
        refused("drift-sidecar demo --listen nowhere");
        assert!(refused("drift-sidecar demo --scenario flood").contains("drift, labels-stop"));
    }

    #[test]
    fn help_is_no_mistake_and_teaches() {
        for command in
            ["run", "once", "compare", "check", "demo", "retrain-webhook", "healthcheck", "completions", "man"]
        {
            let help = parsed(&format!("drift-sidecar {command} --help")).unwrap_err();
            assert!(!help.use_stderr());
            let text = help.to_string();
            assert!(text.contains("Example:\n") && text.contains("Exit codes:\n"), "{text}");
        }
        let text = parsed("drift-sidecar compare --help").unwrap_err().to_string();
        for method in METHODS {
            assert!(text.contains(method.name), "{text}");
        }
    }

    #[test]
    fn logging_may_be_set_behind_the_command() {
        let cli = parsed("drift-sidecar run --config c.yaml --log-level debug --log-format json").unwrap();
        assert_eq!((cli.log.level.as_str(), cli.log.format), ("debug", LogFormat::Json));
    }
}
