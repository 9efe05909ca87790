//! The plan: which columns are compared, as what kind, by which method and threshold, and why.
//!
//! Pure decisions about a model's settings and the shape of its reference; this file reads no data.

use std::collections::BTreeMap;

use crate::batch::{Field, Form, Nature};
use crate::report::{Kind, Role};
use crate::sample;
use crate::settings::{Average, Definition, Feature, Settings, Task};
use crate::stats::{Limit, Method};

/// The least number of knots that still draws a distribution.
const RESOLUTION_MIN: usize = 16;

/// Bytes of one cell of a numeric profile.
const CELL_BYTES: usize = 16;

/// What a model's settings and its reference come to.
#[derive(Debug, Clone)]
pub struct Plan {
    pub model: String,
    pub task: Task,
    /// Why this task, in words.
    pub task_why: String,
    /// `None` for regression.
    pub average: Option<Average>,
    pub reference_rows: u64,
    /// Features in the reference's order, then the prediction.
    pub columns: Vec<PlannedColumn>,
    /// Columns of the reference that are not compared, with the reason in words.
    pub ignored: BTreeMap<String, String>,
    /// Knots of a numeric grid after `memory_max`, and what the panes of all windows may take in bytes.
    pub resolution: usize,
    pub memory_bytes: usize,
    /// What else there will be, in words: an estimate, versions, segments.
    pub extras: Vec<(&'static str, String)>,
    /// What is legal but will surprise, in words: a resolution cut to fit, a feature of the config that the reference lacks, ...
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct PlannedColumn {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    /// Why this kind, in words: `float64 in the reference`, `integer with 5 distinct values`, `kind: text in the config`.
    pub why: String,
    /// Methods with their thresholds; empty where no test exists for the kind.
    pub tests: Vec<(&'static Method, Limit)>,
    pub distinct: u64,
    pub missing_ratio: Option<f64>,
}

impl Plan {
    /// Settings under which other rows are judged as these were: the same task, the same columns, each of the same kind.
    pub fn settings(&self, settings: &Settings) -> Settings {
        let mut fixed = Settings { task: Some(self.task), ..settings.clone() };
        for column in self.columns.iter().filter(|column| column.role == Role::Feature) {
            fixed.features.entry(column.name.clone()).or_default().kind = Some(column.kind);
        }
        for name in self.ignored.keys() {
            fixed.features.entry(name.clone()).or_default().ignore = true;
        }
        fixed
    }
}

/// A task, and why it is this one.
#[derive(Debug, Clone)]
pub struct Choice {
    pub task: Task,
    pub why: String,
}

/// The task as far as the type of the predictions tells it.
pub fn task(settings: &Settings, prediction: Option<&Field>) -> Choice {
    let because = |task, why: String| Choice { task, why };
    let classes_asked = settings.positive_label.is_some() || settings.f1_average.is_some();
    match (settings.task, prediction) {
        (Some(task), _) => because(task, "task in the config".to_string()),
        (None, Some(field)) if field.nature == Nature::Float && !classes_asked => {
            because(Task::Regression, format!("the reference's predictions are {}", field.type_name))
        }
        (None, Some(field)) => {
            because(Task::Multiclass, format!("the reference's predictions are {}", field.type_name))
        }
        (None, None) => because(Task::Multiclass, "the reference has no predictions to tell it by".to_string()),
    }
}

/// Two classes and a positive label make a multiclass model a binary one.
pub fn refine(choice: Choice, settings: &Settings, classes: impl Fn() -> usize) -> Choice {
    if settings.task.is_none() && choice.task == Task::Multiclass && settings.positive_label.is_some() && classes() <= 2
    {
        let why = "a positive_label in the config and at most two classes in the reference".to_string();
        return Choice { task: Task::Binary, why };
    }
    choice
}

/// How the classes' F1 become one; `None` for regression.
pub fn average(settings: &Settings, task: Task) -> Option<Average> {
    let usual = match task {
        Task::Regression => return None,
        Task::Binary => Average::Binary,
        Task::Multiclass => Average::Weighted,
    };
    Some(settings.f1_average.unwrap_or(usual))
}

/// In which form to gather a column of the reference that has no role of its own; `Err`: why it is no feature.
pub fn gather(settings: &Settings, field: &Field, feature: Option<&Feature>) -> Result<Form, String> {
    let name = Some(field.name.as_str());
    let requests = &settings.requests;
    if name == Some(&requests.request_id) || name == Some(&requests.timestamp) {
        return Err("it is the request id or the timestamp".to_string());
    }
    if name == requests.score.as_deref() || name == settings.reference.score.as_deref() {
        return Err("it is the score of the prediction".to_string());
    }
    if name == requests.probabilities.as_deref() || name == settings.reference.probabilities.as_deref() {
        return Err("it is the probabilities of the classes".to_string());
    }
    if name == requests.version.as_deref() {
        return Err("it is the model version".to_string());
    }
    if feature.is_some_and(|feature| feature.ignore) {
        return Err("ignore: true in the config".to_string());
    }
    let asked = feature.and_then(|feature| feature.kind);
    match (field.nature, asked) {
        (Nature::Nested | Nature::Other, None) => Err(format!("no test for columns of type {}", field.type_name)),
        (Nature::Time, None) => {
            Err(format!("times are not compared ({}); `kind: categorical` compares them as text", field.type_name))
        }
        (Nature::List, None | Some(Kind::Embedding)) => Ok(Form::Vector),
        (Nature::List | Nature::Nested, Some(_))
        | (_, Some(Kind::Embedding))
        | (Nature::Other, Some(Kind::Numerical | Kind::Categorical)) => {
            Err(format!("the config asks for a kind that its type {} cannot be", field.type_name))
        }
        (Nature::Text | Nature::Time, Some(Kind::Numerical)) => {
            Err(format!("the config says `kind: numerical`, but its type is {}", field.type_name))
        }
        (Nature::Text | Nature::Other, Some(Kind::Text)) => Ok(Form::Text),
        (_, Some(Kind::Text)) => Err(format!("the config says `kind: text`, but its type is {}", field.type_name)),
        (Nature::Float | Nature::Integer, _) | (Nature::Boolean, Some(Kind::Numerical)) => Ok(Form::Number),
        (_, _) => Ok(Form::Key),
    }
}

/// The tests of a column with so many distinct values: what the config says of it, else the default of its kind.
pub fn tests(settings: &Settings, column: &str, kind: Kind, distinct: usize) -> Vec<(&'static Method, Limit)> {
    let feature = settings.features.get(column);
    let asked = feature.map(|feature| feature.methods.as_slice()).unwrap_or_default();
    let fits = |method: &&'static Method| match kind {
        Kind::Numerical => method.numerical,
        Kind::Categorical => method.categorical,
        Kind::Text => method.text,
        Kind::Embedding => method.embedding,
    };
    let methods = match kind {
        _ if asked.iter().any(&fits) => asked,
        Kind::Numerical => &settings.drift.numerical,
        Kind::Categorical => &settings.drift.categorical,
        Kind::Text => &settings.drift.text,
        Kind::Embedding => &settings.drift.embedding,
    };
    let asked = feature.and_then(|feature| feature.limit).or(settings.drift.limit);
    // What samples reach among themselves is not looked for.
    let asked = asked.filter(|limit| *limit != Limit::Auto || matches!(kind, Kind::Numerical | Kind::Categorical));
    let own = |method: &'static Method| match kind {
        Kind::Categorical => method.limit_among(distinct),
        _ => method.limit,
    };
    let limit = |method: &'static Method| match (asked, own(method)) {
        (Some(Limit::Alpha(alpha)), _) if method.has_p_value => Limit::Alpha(alpha),
        (Some(limit @ (Limit::Score(_) | Limit::Auto)), _) => limit,
        (_, Limit::Alpha(usual)) => Limit::Alpha(settings.drift.alpha.unwrap_or(usual)),
        (_, usual) => usual,
    };
    methods.iter().filter(|method| fits(method)).map(|&method| (method, limit(method))).collect()
}

/// Whether the column's thresholds come from the reference's own chunks.
pub fn auto(settings: &Settings, column: &str) -> bool {
    let asked = settings.features.get(column).and_then(|feature| feature.limit);
    let usual = if settings.drift.definition == Definition::Nannyml { Some(Limit::Auto) } else { None };
    asked.or(settings.drift.limit).or(usual) == Some(Limit::Auto)
}

/// What decides the memory of a column.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Numbers { distinct: usize },
    Categories { distinct: usize },
    Presence,
}

impl Shape {
    fn pane_bytes(self, settings: &Settings, resolution: usize) -> usize {
        match self {
            Shape::Numbers { distinct } => CELL_BYTES * (distinct.min(resolution + resolution / 16) + settings.bins),
            Shape::Categories { distinct } => 4 * distinct.min(settings.categories_max + 1),
            Shape::Presence => 16,
        }
    }
}

/// Rows that the panes of a window keep of samples, of [`sample::ROWS_MAX`]: 1 + 1/2 + ... + 1/60 with even traffic.
const SAMPLES: usize = 5;

/// The resolution that keeps the panes of all windows within `memory_max`, the bytes they may take, and a
/// warning where that is less than was asked. `row_bytes`: of a sampled row.
///
/// All rows and each version take as much; segments share the other half.
pub fn fit(settings: &Settings, shapes: &[Shape], row_bytes: usize) -> (usize, usize, Vec<String>) {
    let halves = if settings.segments.is_empty() { 1 } else { 2 };
    let versions = settings.requests.version.as_ref().map_or(0, |_| settings.versions_max);
    let memory_max = settings.memory_max / halves;
    let windows = settings.windows.as_ref().map_or(1, Vec::len);
    let panes = settings.windows.as_ref().map_or(1, |_| settings.panes as usize) * windows + 1;
    // The reference has a sample too.
    let samples = settings.windows.as_ref().map_or(1, |windows| SAMPLES * windows.len()) + 1;
    let samples = samples * sample::ROWS_MAX * row_bytes;
    let bytes = |resolution| {
        let pane: usize = shapes.iter().map(|shape| shape.pane_bytes(settings, resolution)).sum();
        (1 + versions) * (samples + panes * pane)
    };
    let mut resolution = settings.resolution;
    while bytes(resolution) > memory_max && resolution > RESOLUTION_MIN {
        resolution = (resolution * 7 / 8).max(RESOLUTION_MIN);
    }
    let mut warnings = Vec::new();
    let shared = match (versions, halves) {
        (0, 1) => String::new(),
        (0, _) => " (half of it: segments take the other)".to_string(),
        (versions, 1) => format!(" (for all rows and {versions} versions)"),
        (versions, _) => format!(" (half of it, for all rows and {versions} versions: segments take the other)"),
    };
    if resolution < settings.resolution {
        warnings.push(format!(
            "resolution {} instead of {}: {} columns in {panes} panes would take more than memory_max ({} MiB){shared}",
            resolution,
            settings.resolution,
            shapes.len(),
            settings.memory_max >> 20
        ));
    }
    if bytes(resolution) > memory_max {
        warnings.push(format!(
            "{} MiB of panes are more than memory_max ({} MiB) even so; ignore columns, or have fewer panes or windows",
            bytes(resolution) >> 20,
            settings.memory_max >> 20
        ));
    }
    (resolution, bytes(resolution), warnings)
}

/// Bytes of a value of the reference and of how often it occurs; half more, since there are about half more groups than were asked for.
const VALUE_BYTES: usize = 18;

/// How many values of the reference one of so many columns may keep: all together as much as `memory_max`.
pub fn points_max(settings: &Settings, columns: usize) -> usize {
    (settings.memory_max / VALUE_BYTES / columns.max(1)).max(2 * settings.resolution)
}

/// That so many columns keep fewer points than they had values.
pub fn condensed(settings: &Settings, columns: usize) -> Option<String> {
    (columns > 0).then(|| {
        format!(
            "{columns} columns keep neighbouring values of the reference as one: all its values would take more than memory_max ({} MiB); \
             scores move in the fourth digit",
            settings.memory_max >> 20
        )
    })
}

/// Columns whose `threshold: auto` has no meaning: told where the config could not know their kind.
pub fn not_auto(settings: &Settings, columns: &[PlannedColumn]) -> Vec<String> {
    let asked = |column: &&PlannedColumn| {
        let auto = settings.features.get(&column.name).is_some_and(|feature| feature.limit == Some(Limit::Auto));
        auto && matches!(column.kind, Kind::Text | Kind::Embedding)
    };
    let said = |column: &PlannedColumn| {
        let PlannedColumn { name, kind, .. } = column;
        format!(
            "`threshold: auto` of `{name}` is not used: it is for numerical and categorical columns, not for {}",
            kind.name()
        )
    };
    columns.iter().filter(asked).map(said).collect()
}

/// The parts of the rows that have numbers of their own, in words.
pub fn parts(settings: &Settings) -> Vec<(&'static str, String)> {
    let versions = settings.requests.version.as_ref().map(|column| {
        let most = settings.versions_max;
        ("versions", format!("by `{column}`, up to {most} with numbers of their own"))
    });
    let ways: Vec<String> = settings.segments.iter().map(|columns| format!("by `{}`", columns.join(", "))).collect();
    let segments = (!ways.is_empty()).then(|| {
        ("segments", format!("{}, up to {} each, `other` among them", ways.join(" and "), settings.segments_max))
    });
    versions.into_iter().chain(segments).collect()
}

/// Columns that the rows are to be divided by, and that the reference does not have.
pub fn unknown_segments(settings: &Settings, fields: &[Field]) -> Vec<String> {
    let unknown = |name: &&String| !fields.iter().any(|field| field.name == **name);
    let said = |columns: &Vec<String>| {
        let name = columns.iter().find(unknown)?;
        let segments = columns.join(", ");
        Some(format!("segments by `{segments}`: the reference has no column `{name}`, so there are none"))
    };
    settings.segments.iter().filter_map(said).collect()
}

/// Features that the config names and the reference does not have, or methods that do not fit.
pub fn unknown_features<'a>(
    settings: &Settings,
    compared: impl Iterator<Item = &'a str>,
    ignored: &'a BTreeMap<String, String>,
) -> Vec<String> {
    let known: Vec<&str> = compared.chain(ignored.keys().map(String::as_str)).collect();
    let unknown = settings.features.keys().filter(|name| !known.contains(&name.as_str()));
    unknown
        .map(|name| {
            format!("feature `{name}` of the config is no column of the reference: nothing is compared under that name")
        })
        .collect()
}
