//! One model of the config: its name, its task and its limits, with their defaults and ranges.
//!
//! This file opens no file and knows no YAML.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::quantity::{SECOND, YEAR};
use super::read::{Field, Reader, Table};
use super::{Model, drift, logs, slices, windows};
use crate::batch::canonical;
use crate::settings::{Average, Definition, Drift, ReferenceColumns, RequestColumns, Settings, Task, Window};
use crate::source;
use crate::stats::{METHODS, Method};

pub const KEYS: &[&str] = &[
    "name",
    "task",
    "positive_label",
    "classes",
    "requests",
    "outcomes",
    "reference",
    "windows",
    "panes",
    "label_delay_max",
    "clock_skew_max",
    "f1_average",
    "f1_window",
    "rows_min",
    "drift",
    "features",
    "exact_rows",
    "resolution",
    "bins",
    "categories_max",
    "pairs_max",
    "memory_max",
    "versions_max",
    "segments",
    "segments_max",
    "unfinished_max",
];
pub const F1_WINDOW_KEYS: &[&str] = &["labelled_rows"];
const DAY: Duration = Duration::from_secs(86_400);

/// A label value that people read in alerts.
const NAME_CHARACTERS_MAX: usize = 100;

const TASKS: &[(&str, Task)] =
    &[("binary", Task::Binary), ("multiclass", Task::Multiclass), ("regression", Task::Regression)];

const AVERAGES: &[(&str, Average)] = &[
    ("weighted", Average::Weighted),
    ("macro", Average::Macro),
    ("micro", Average::Micro),
    ("binary", Average::Binary),
];

/// What holds where the config says nothing.
fn defaults() -> Settings {
    Settings {
        name: String::new(),
        task: None,
        positive_label: None,
        classes: Vec::new(),
        requests: RequestColumns {
            request_id: "request_id".to_string(),
            timestamp: "timestamp".to_string(),
            prediction: "prediction".to_string(),
            score: None,
            probabilities: None,
            version: None,
        },
        outcomes: None,
        reference: ReferenceColumns {
            prediction: "prediction".to_string(),
            score: None,
            probabilities: None,
            label: "label".to_string(),
        },
        windows: Some(vec![
            Window { name: "1h".to_string(), length: Duration::from_secs(3600) },
            Window { name: "24h".to_string(), length: DAY },
        ]),
        panes: 60,
        label_delay_max: 7 * DAY,
        clock_skew_max: Duration::from_secs(300),
        f1_average: None,
        f1_window: None,
        rows_min: 100,
        drift: drift::defaults(Definition::Robust),
        features: BTreeMap::new(),
        resolution: 4096,
        exact_rows: 20_000,
        bins: 10,
        categories_max: 1000,
        pairs_max: 10_000_000,
        memory_max: 256 << 20,
        versions_max: 3,
        segments: Vec::new(),
        segments_max: 20,
    }
}

/// The settings of a comparison without a config: one model `compare`, one window over all rows.
///
/// `methods`: `None` for the defaults, else those to use on every column that they fit; a kind of column that
/// none of them fits is not tested. Other tools than ours look at every value and every category.
pub fn compare(
    definition: Definition,
    methods: Option<&[&'static Method]>,
    prediction: Option<&str>,
    label: Option<&str>,
) -> Settings {
    let mut settings = Settings { name: "compare".to_string(), windows: None, rows_min: 1, ..defaults() };
    let those = |methods: &[&'static Method], fit: fn(&Method) -> bool| {
        methods.iter().copied().filter(|method| fit(method)).collect::<Vec<_>>()
    };
    settings.drift.multivariate = those(METHODS, |method| method.several);
    if definition != Definition::Robust {
        settings.drift = drift::defaults(definition);
        settings.exact_rows = usize::MAX;
        settings.categories_max = 1_000_000;
    }
    if let Some(methods) = methods {
        settings.drift = Drift {
            numerical: those(methods, |method| method.numerical),
            categorical: those(methods, |method| method.categorical),
            text: those(methods, |method| method.text),
            embedding: those(methods, |method| method.embedding),
            multivariate: those(methods, |method| method.several),
            ..settings.drift
        };
    }
    if let Some(prediction) = prediction {
        settings.requests.prediction = prediction.to_string();
        settings.reference.prediction = prediction.to_string();
    }
    if let Some(label) = label {
        settings.reference.label = label.to_string();
    }
    settings
}

/// A model of the list; where there are problems, a stand-in that nobody may run.
pub fn resolve<'a>(reader: &mut Reader<'a>, item: &Field<'a>, directory: &Path, taken: &[String]) -> Model {
    let mut settings = defaults();
    let table = reader.table(item, KEYS);
    settings.name = name(reader, &table, taken);
    let requests = logs::requests(reader, &table, directory, &mut settings);
    let outcomes = logs::outcomes(reader, &table, directory, &mut settings);
    let reference = logs::reference(reader, &table, directory, &mut settings);
    windows::resolve(reader, &table, &mut settings);
    quality(reader, &table, &mut settings);
    limits(reader, &table, &mut settings);
    f1_window(reader, &table, &mut settings);
    drift::resolve(reader, &table, &mut settings);
    slices::resolve(reader, &table, &mut settings);

    let mut unfinished_max = Duration::from_secs(600);
    reader.duration(&table, "unfinished_max", &mut unfinished_max, SECOND, YEAR);
    let source = |path| source::Settings { path, unfinished_max };
    Model { requests: source(requests), outcomes: outcomes.map(source), reference, monitor: settings }
}

fn name(reader: &mut Reader, table: &Table, taken: &[String]) -> String {
    let Some(field) = table.get("name") else {
        reader.missing(table, "name", "give the model a name: it is the `model` label of its metrics");
        return String::new();
    };
    let allowed = format!("text of 1 to {NAME_CHARACTERS_MAX} characters");
    let fits = |text: &str| {
        let characters = text.chars().count();
        (1..=NAME_CHARACTERS_MAX).contains(&characters) && !text.chars().any(char::is_control)
    };
    let name = reader.value(field, allowed, |text| fits(text).then(|| text.to_string()));
    let name = name.unwrap_or_default();
    if taken.contains(&name) && !name.is_empty() {
        let found = format!("a second model named `{name}`");
        reader.problem(field, found, "", "give each model a name of its own");
    }
    name
}

/// Task, positive label and average: each alone, then whether they fit together.
fn quality<'a>(reader: &mut Reader<'a>, table: &Table<'a>, settings: &mut Settings) {
    let before = reader.problems.len();
    let task = table.get("task");
    settings.task = task.and_then(|field| reader.choice(field, TASKS));
    let average = table.get("f1_average");
    settings.f1_average = average.and_then(|field| reader.choice(field, AVERAGES));
    let label = table.get("positive_label");
    settings.positive_label = label.and_then(|field| {
        reader.value(field, "the label of the positive class, such as \"1\"", |text| {
            (!text.is_empty()).then(|| canonical(text).into_owned())
        })
    });
    for class in table.get("classes").map(|field| reader.list(field, false)).unwrap_or_default() {
        let allowed = "a class that is not in the list yet";
        let known = &settings.classes;
        let class = reader.value(&class, allowed, |text| {
            let class = canonical(text).into_owned();
            (!class.is_empty() && !known.contains(&class)).then_some(class)
        });
        settings.classes.extend(class);
    }
    if reader.problems.len() > before {
        return;
    }
    let binary_f1 = match settings.f1_average {
        Some(average) => average == Average::Binary,
        None => settings.task == Some(Task::Binary),
    };
    match (settings.task, label, average) {
        (Some(Task::Multiclass | Task::Regression), Some(label), _) => {
            let advice = "leave it out, or set `task: binary`";
            reader.problem(label, "only a binary task has a positive label", "", advice);
        }
        (Some(Task::Regression), _, Some(average)) => {
            reader.problem(average, "a regression has no F1", "", "leave it out");
        }
        (Some(Task::Multiclass), _, Some(average)) if binary_f1 => {
            let advice = "or set `task: binary` with a `positive_label`";
            reader.problem(average, "`binary` for a multiclass task", "weighted, macro, micro", advice);
        }
        (_, None, _) if binary_f1 => {
            let field = average.or(task).cloned().unwrap_or(table.itself());
            let advice = "add `positive_label`, or set `f1_average` to weighted, macro or micro";
            reader.problem(&field, "the F1 of one class needs to know which class", "", advice);
        }
        _ => {}
    }
}

/// How many labelled predictions, and whether any number can come of them.
fn f1_window<'a>(reader: &mut Reader<'a>, model: &Table<'a>, settings: &mut Settings) {
    let Some(field) = model.get("f1_window").filter(|field| !field.is_nothing()) else {
        return;
    };
    let before = reader.problems.len();
    let table = reader.table(field, F1_WINDOW_KEYS);
    let mut rows = 0;
    reader.count(&table, "labelled_rows", &mut rows, 100, 100_000);
    let Some(field) = table.get("labelled_rows") else {
        return reader.missing(&table, "labelled_rows", "say over how many: `f1_window: {labelled_rows: 5000}`");
    };
    if reader.problems.len() > before {
        return;
    }
    if (rows as u64) < settings.rows_min {
        let found = format!("`{rows}` rows never reach `rows_min`, {}", settings.rows_min);
        reader.problem(field, found, "", "raise one or lower the other");
    }
    if model.get("outcomes").is_none() {
        let found = "without `outcomes` no prediction gets a label";
        reader.problem(&table.itself(), found, "", "add `outcomes`, or leave this out");
    }
    settings.f1_window = Some(rows);
}

fn limits<'a>(reader: &mut Reader<'a>, table: &Table<'a>, settings: &mut Settings) {
    reader.duration(table, "label_delay_max", &mut settings.label_delay_max, SECOND, YEAR);
    reader.duration(table, "clock_skew_max", &mut settings.clock_skew_max, Duration::ZERO, YEAR);
    reader.count(table, "rows_min", &mut settings.rows_min, 1, 1_000_000_000);
    reader.count(table, "exact_rows", &mut settings.exact_rows, 0, 10_000_000);
    reader.count(table, "resolution", &mut settings.resolution, 16, 65_536);
    reader.count(table, "bins", &mut settings.bins, 2, 100);
    reader.count(table, "categories_max", &mut settings.categories_max, 1, 1_000_000);
    reader.count(table, "pairs_max", &mut settings.pairs_max, 1, 1_000_000_000);
    reader.size(table, "memory_max", &mut settings.memory_max, 1 << 20, 1 << 40);
}
