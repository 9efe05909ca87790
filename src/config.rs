//! The config, resolved: every value is legal by its type or was checked. What the file says is in `raw`.
//!
//! Reading goes on after a mistake: all problems of a file are told at once, and a model with a broken entry
//! does not take the others with it. This file knows the parts' settings and nothing of YAML or clap.

mod drift;
mod environment;
mod logs;
mod model;
mod problem;
pub mod quantity;
pub mod raw;
mod read;
mod slices;
mod value;
mod windows;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::model::compare;
pub use self::problem::{Problem, Problems, nearest};
use self::raw::Place;
use self::read::{Field, Reader, Table};
use crate::settings;
use crate::source;

/// A config file is some kilobytes; more than this is another file.
const BYTES_MAX: u64 = 4 << 20;

/// Each model has a thread and its panes.
const MODELS_MAX: usize = 1000;

const KEYS: &[&str] = &["listen", "evaluate_every", "state_dir", "notify", "prometheus_url", "models"];

/// Every key that a config file may have, by the table that it stands in.
pub const ALL_KEYS: &[(&str, &[&str])] = &[
    ("", KEYS),
    ("models[]", model::KEYS),
    ("models[].f1_window", model::F1_WINDOW_KEYS),
    ("models[].requests", logs::REQUESTS_KEYS),
    ("models[].outcomes", logs::OUTCOMES_KEYS),
    ("models[].reference", logs::REFERENCE_KEYS),
    ("models[].drift", drift::KEYS),
    ("models[].features.*", drift::FEATURE_KEYS),
];

/// Everything that one config file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    /// How often each model is evaluated and how often, at least, its folders are listed.
    pub evaluate_every: Duration,
    /// Where cursors and the first rows of logs are kept; `None`: nowhere, every start reads the logs anew.
    pub state_dir: Option<PathBuf>,
    /// Whether the file system's notifications shorten the sleep between two listings.
    pub notify: bool,
    /// Where people reach Prometheus, for the page's links to its queries.
    pub prometheus_url: Option<String>,
    pub models: Vec<Model>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([0, 0, 0, 0], 9877)),
            evaluate_every: Duration::from_secs(15),
            state_dir: None,
            notify: true,
            prometheus_url: None,
            models: Vec::new(),
        }
    }
}

/// One model: what to read, and what to make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub requests: source::Settings,
    pub outcomes: Option<source::Settings>,
    pub reference: Reference,
    pub monitor: settings::Settings,
}

/// Where the rows come from that windows are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A file, a directory or a glob.
    File(PathBuf),
    /// A file for each version of the model; its name stands in the place of `{version}`.
    Versions(PathBuf),
    /// So many of the first rows of the request log.
    FirstRows(u64),
    /// The past of the request log, of this length and before the main window.
    Trailing { length: Duration, same_hour_of_week: bool },
}

impl Reference {
    /// Whether its rows are those of the logs: then there may be too few of them yet.
    pub fn is_of_logs(&self) -> bool {
        matches!(self, Reference::FirstRows(_) | Reference::Trailing { .. })
    }
}

/// A config file that can be run: at least one model is whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The whole models only, in the order of the file.
    pub config: Config,
    /// The others, in the order of the file.
    pub broken: Vec<Broken>,
    /// What is wrong with them, in full.
    pub problems: Problems,
    /// What is legal and will surprise.
    pub warnings: Problems,
}

/// A model that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// As the file names it; without a name of its own, `models[2]`.
    pub name: String,
    /// Its problems in one line.
    pub problem: String,
}

impl Loaded {
    /// The config if all its models are whole, for who must not go on with a part of it.
    pub fn whole(self) -> Result<Config, Problems> {
        if self.problems.is_empty() { Ok(self.config) } else { Err(self.problems) }
    }
}

/// Reads a config file, with the variables of the process's environment.
///
/// `Err` where the file cannot be read, a key outside of the models is wrong, or no model is whole.
pub fn load(file: &Path) -> Result<Loaded, Problems> {
    let text = read_text(file).map_err(|found| {
        let advice = "give the config file with --config FILE".to_string();
        whole_file(file, Place::default(), found, advice)
    })?;
    parse(&text, file, &|name| std::env::var(name).ok())
}

fn read_text(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
    if bytes > BYTES_MAX {
        return Err(format!("has {bytes} bytes; a config file has at most {BYTES_MAX}"));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is not UTF-8 text: the byte at position {at} belongs to no character")
    })
}

fn whole_file(file: &Path, place: Place, found: String, advice: String) -> Problems {
    let problem =
        Problem { model: None, place, key: String::new(), found, allowed: String::new(), advice, line: String::new() };
    Problems::new(file, vec![problem])
}

/// As [`load`], of a text that stands in `file`; relative paths are relative to the file's directory.
pub fn parse(text: &str, file: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    let root = raw::parse(text).map_err(|error| {
        let line = error.place.line.checked_sub(1).and_then(|above| text.lines().nth(above));
        let advice = "nothing below this line could be read".to_string();
        let mut problems = whole_file(file, error.place, error.to_string(), advice);
        problems.list[0].line = line.unwrap_or_default().to_string();
        problems
    })?;
    let directory = file.parent().unwrap_or(Path::new(""));
    let mut reader = Reader::new(text, environment);
    let config = resolve(&mut reader, &Field::new(&root, String::new()), directory);

    let fatal = reader.problems.iter().any(|problem| problem.model.is_none());
    let problems = Problems::new(file, reader.problems);
    if fatal || config.models.is_empty() {
        return Err(problems);
    }
    let broken = problems.broken();
    let mut warnings = reader.warnings;
    warnings.retain(|warning| !broken.iter().any(|model| warning.model.as_ref() == Some(&model.name)));
    let warnings = Problems::new(file, warnings);
    Ok(Loaded { config, broken, problems, warnings })
}

fn resolve<'a>(reader: &mut Reader<'a>, root: &Field<'a>, directory: &Path) -> Config {
    let mut config = Config::default();
    let table = reader.table(root, KEYS);
    if let Some(field) = table.get("listen") {
        let allowed = "an address and a port, such as 0.0.0.0:9877 or [::1]:9877";
        reader.set(&mut config.listen, field, allowed, |text| text.parse().ok());
    }
    let day = Duration::from_secs(86_400);
    reader.duration(&table, "evaluate_every", &mut config.evaluate_every, Duration::from_secs(1), day);
    config.state_dir = table.get("state_dir").and_then(|field| reader.path(field, directory));
    if let Some(field) = table.get("notify") {
        reader.flag(field, &mut config.notify);
    }
    if let Some(field) = table.get("prometheus_url") {
        let is_url = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
        let allowed = "an address that a browser opens, such as http://localhost:9090";
        config.prometheus_url = reader
            .value(field, allowed, |text| Some(text).filter(is_url).map(|text| text.trim_end_matches('/').to_string()));
    }
    config.models = models(reader, &table, directory);
    config
}

/// The models without a problem of their own. The first of two with the same name stays.
fn models<'a>(reader: &mut Reader<'a>, table: &Table<'a>, directory: &Path) -> Vec<Model> {
    let Some(field) = table.get("models") else {
        let advice = "list at least one model with `name`, `requests` and `reference`";
        reader.missing(table, "models", advice);
        return Vec::new();
    };
    let before = reader.problems.len();
    let items = reader.list(field, false);
    if items.len() > MODELS_MAX || (items.is_empty() && reader.problems.len() == before) {
        let allowed = format!("1 to {MODELS_MAX} models");
        reader.problem(field, format!("found {} models", items.len()), allowed, "");
    }
    let mut names: Vec<String> = Vec::new();
    let mut whole = Vec::new();
    for item in items.iter().take(MODELS_MAX) {
        let before = reader.problems.len();
        reader.model = Some(item.path.clone());
        let model = model::resolve(reader, item, directory, &names);
        let name = model.monitor.name.clone();
        if reader.problems.len() == before {
            whole.push(model);
        }
        if !name.is_empty() && !names.contains(&name) {
            reader.rename(&item.path, &name);
            names.push(name);
        }
    }
    reader.model = None;
    whole
}
