//! The reference: what the current windows are compared with, and the plan that follows from it.
//!
//! A [`Draft`] says which columns it wants, takes batches of the reference, and ends as a [`Reference`].
//! This file knows no path, no clock and no config file.

use std::collections::{BTreeMap, HashMap};

use arrow::array::Array;
use xxhash_rust::xxh3::Xxh3;

use crate::batch::{Batch, Column, Field, Form, Nature, Wanted, canonical};
use crate::grid::Grid;
use crate::label::Labels;
use crate::monitor::{Average, Settings, Task};
use crate::plan::{self, Choice, Plan, PlannedColumn};
use crate::profile::{Categories, Presence, ReferenceNumbers};
use crate::report::{Kind, Quality, Role};
use crate::stats::Method;

/// A string column with more distinct values than this is text, whatever its rows: nobody draws a bar for each.
const DISTINCT_MAX: usize = 1_000_000;

/// A string column with more distinct values than this, and than half its rows, is text.
const TEXT_DISTINCT_MIN: usize = 100;

/// An integer column with at most this many distinct values is categorical.
const CATEGORICAL_INTEGERS_MAX: usize = 10;

/// What windows are compared with. Immutable; replaced as a whole.
#[derive(Debug)]
pub struct Reference {
    pub rows: u64,
    /// 16 hex digits over the data; equal data, equal digits, in whatever order the rows came.
    pub digest: String,
    pub quality: Option<Quality>,
    /// Features in the reference's order, then the prediction.
    pub columns: Vec<Compared>,
    pub plan: Plan,
    /// The classes of the reference's predictions and labels.
    pub labels: Labels,
}

/// One compared column.
#[derive(Debug)]
pub struct Compared {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    /// Methods with their thresholds.
    pub tests: Vec<(&'static Method, f64)>,
    pub side: Side,
}

/// The reference's side of a column.
#[derive(Debug)]
pub enum Side {
    Numbers(Box<ReferenceNumbers>),
    Categories {
        codes: HashMap<String, u32>,
        profile: Categories,
    },
    Presence(Presence),
}

impl Compared {
    /// The form in which the request log must give this column.
    pub fn form(&self) -> Form {
        match self.side {
            Side::Numbers(_) => Form::Number,
            Side::Categories { .. } => Form::Key,
            Side::Presence(_) => Form::Presence,
        }
    }
}

/// A reference being read.
#[derive(Debug)]
pub struct Draft {
    settings: Settings,
    rows_expected: u64,
    rows: u64,
    columns: Vec<DraftColumn>,
    /// Positions in `columns`.
    prediction: Option<usize>,
    label: Option<usize>,
    ignored: BTreeMap<String, String>,
    choice: Choice,
    cells: HashMap<(u16, u16), u64>,
    errors: crate::stats::regression::Errors,
    labels: Labels,
}

#[derive(Debug)]
struct DraftColumn {
    field: Field,
    gathered: Gathered,
}

#[derive(Debug)]
enum Gathered {
    Numbers {
        values: Vec<f64>,
        missing: u64,
        below: u64,
        above: u64,
    },
    Keys {
        counts: HashMap<String, u64>,
        missing: u64,
    },
    Presence {
        missing: u64,
        why: String,
    },
}

impl Draft {
    /// `fields` and `rows_expected` are the reference's own.
    pub fn new(settings: &Settings, fields: &[Field], rows_expected: u64) -> Draft {
        let find = |name: &str| fields.iter().find(|field| field.name == name);
        let choice = plan::task(settings, find(&settings.reference.prediction));
        let mut draft = Draft {
            settings: settings.clone(),
            rows_expected,
            rows: 0,
            columns: Vec::new(),
            prediction: None,
            label: None,
            ignored: BTreeMap::new(),
            choice,
            cells: HashMap::new(),
            errors: Default::default(),
            labels: Labels::default(),
        };
        for field in fields {
            draft.place(field);
        }
        draft
    }

    /// Decides what to gather of a column, by its role first and then by its nature.
    fn place(&mut self, field: &Field) {
        let position = self.columns.len();
        let roles = &self.settings.reference;
        let regression = self.choice.task == Task::Regression;
        let gathered = if field.name == roles.prediction {
            self.prediction = Some(position);
            Gathered::empty(if regression { Form::Number } else { Form::Key })
        } else if field.name == roles.label {
            self.label = Some(position);
            Gathered::empty(if regression { Form::Number } else { Form::Key })
        } else {
            let feature = self.settings.features.get(&field.name);
            match plan::gather(&self.settings, field, feature) {
                Ok(form) => Gathered::empty(form),
                Err(why) => {
                    self.ignored.insert(field.name.clone(), why);
                    return;
                }
            }
        };
        self.columns.push(DraftColumn {
            field: field.clone(),
            gathered,
        });
    }

    /// The columns of each batch, in order.
    pub fn wanted(&self) -> Vec<Wanted> {
        let wanted = |column: &DraftColumn| Wanted {
            name: column.field.name.clone(),
            form: column.gathered.form(),
        };
        self.columns.iter().map(wanted).collect()
    }

    pub fn ingest(&mut self, batch: &Batch) {
        self.rows += batch.rows as u64;
        let text_above = (self.rows_expected / 2).max(TEXT_DISTINCT_MIN as u64) as usize;
        for (position, (column, data)) in self.columns.iter_mut().zip(&batch.columns).enumerate() {
            let role = self.prediction == Some(position) || self.label == Some(position);
            let keep_keys = role
                || self
                    .settings
                    .features
                    .get(&column.field.name)
                    .is_some_and(|f| f.kind == Some(Kind::Categorical));
            column.gathered.add(
                data,
                batch.rows,
                if keep_keys {
                    DISTINCT_MAX
                } else {
                    text_above.min(DISTINCT_MAX)
                },
            );
        }
        self.pair(batch);
    }

    /// Predictions and labels stand in one row of the reference.
    fn pair(&mut self, batch: &Batch) {
        let (Some(prediction), Some(label)) = (self.prediction, self.label) else {
            return;
        };
        match (&batch.columns[prediction], &batch.columns[label]) {
            (Column::Keys(predicted), Column::Keys(actual)) => {
                let predicted = self.labels.codes(predicted);
                let actual = self.labels.codes(actual);
                for (&p, &a) in predicted.iter().zip(&actual) {
                    if let (Some(p), Some(a)) = (p, a) {
                        *self.cells.entry((p, a)).or_default() += 1;
                    }
                }
            }
            (Column::Numbers(predicted), Column::Numbers(actual)) => {
                for (p, a) in predicted.iter().zip(actual.iter()) {
                    if let (Some(p), Some(a)) = (p, a)
                        && p.is_finite()
                        && a.is_finite()
                    {
                        self.errors.add(p, a);
                    }
                }
            }
            _ => {}
        }
    }

    /// `Err`: why nothing can be compared with this reference.
    pub fn finish(self) -> Result<Reference, String> {
        if self.rows == 0 {
            return Err("the reference has no rows; give it a file with rows of a time when the model was well".to_string());
        }
        let prediction = self.prediction;
        let label = self.label;
        let settings = &self.settings;
        let task = plan::refine(self.choice, settings, || {
            distinct_classes(prediction.map(|p| &self.columns[p].gathered))
        });
        let mut sorted: Vec<(usize, DraftColumn)> = self
            .columns
            .into_iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != label)
            .collect();
        sorted.sort_by_key(|(i, _)| Some(*i) == prediction);
        let mut judged: Vec<Judged> = Vec::new();
        for (i, column) in sorted {
            let role = if Some(i) == prediction {
                Role::Prediction
            } else {
                Role::Feature
            };
            judged.push(Judged::new(column, role, settings));
        }
        let shapes: Vec<plan::Shape> = judged.iter().map(Judged::shape).collect();
        let (resolution, memory_bytes, mut warnings) = plan::fit(settings, &shapes);
        warnings.extend(plan::unknown_features(
            settings,
            judged.iter().map(|j| j.name.as_str()),
            &self.ignored,
        ));
        let mut digest = Xxh3::new();
        digest.update(&self.rows.to_le_bytes());
        let mut columns = Vec::new();
        let mut planned = Vec::new();
        for column in judged {
            column.hash(&mut digest);
            let tests = plan::tests(settings, &column.name, column.kind);
            planned.push(PlannedColumn {
                name: column.name.clone(),
                role: column.role,
                kind: column.kind,
                why: column.why.clone(),
                tests: tests.clone(),
                distinct: column.distinct(),
                missing_ratio: Some(column.missing as f64 / self.rows as f64),
            });
            columns.push(column.compare(settings, self.rows, resolution, tests));
        }
        let average = (task.task != Task::Regression).then(|| {
            settings.f1_average.unwrap_or(match task.task {
                Task::Binary => Average::Binary,
                _ => Average::Weighted,
            })
        });
        let quality = match average {
            Some(average) => {
                self.labels
                    .quality(&self.cells, average, settings.positive_label.as_deref())
            }
            None => crate::label::regression_quality(&self.errors),
        };
        let plan = Plan {
            model: settings.name.clone(),
            task: task.task,
            task_why: task.why.clone(),
            average,
            reference_rows: self.rows,
            columns: planned,
            ignored: self.ignored,
            resolution,
            memory_bytes,
            warnings,
        };
        let digest = format!("{:016x}", digest.digest());
        Ok(Reference {
            rows: self.rows,
            digest,
            quality,
            columns,
            plan,
            labels: self.labels,
        })
    }
}

fn distinct_classes(gathered: Option<&Gathered>) -> usize {
    match gathered {
        Some(Gathered::Keys { counts, .. }) => counts.len(),
        _ => 0,
    }
}

impl Gathered {
    fn empty(form: Form) -> Gathered {
        match form {
            Form::Number => Gathered::Numbers {
                values: Vec::new(),
                missing: 0,
                below: 0,
                above: 0,
            },
            Form::Key => Gathered::Keys {
                counts: HashMap::new(),
                missing: 0,
            },
            _ => Gathered::Presence {
                missing: 0,
                why: "kind: text in the config".to_string(),
            },
        }
    }

    fn form(&self) -> Form {
        match self {
            Gathered::Numbers { .. } => Form::Number,
            Gathered::Keys { .. } => Form::Key,
            Gathered::Presence { .. } => Form::Presence,
        }
    }

    /// Keys become presence (text) once there are more than `distinct_max` of them.
    fn add(&mut self, column: &Column, rows: usize, distinct_max: usize) {
        match (&mut *self, column) {
            (
                Gathered::Numbers {
                    values,
                    missing,
                    below,
                    above,
                },
                Column::Numbers(array),
            ) => {
                for value in array.iter() {
                    match value {
                        Some(v) if v.is_finite() => values.push(v + 0.0),
                        Some(f64::INFINITY) => *above += 1,
                        Some(f64::NEG_INFINITY) => *below += 1,
                        _ => *missing += 1,
                    }
                }
            }
            (Gathered::Keys { counts, missing }, Column::Keys(array)) => {
                *missing += crate::label::count_keys(array, |text, n| {
                    let text = canonical(text);
                    match counts.get_mut(text.as_ref()) {
                        Some(count) => *count += n,
                        None => drop(counts.insert(text.into_owned(), n)),
                    }
                });
                if counts.len() > distinct_max {
                    let why = format!("text with more than {distinct_max} distinct values");
                    *self = Gathered::Presence {
                        missing: *missing,
                        why,
                    };
                }
            }
            (Gathered::Presence { missing, .. }, Column::Presence(nulls)) => {
                *missing += nulls.as_ref().map_or(0, |nulls| nulls.null_count() as u64);
            }
            (Gathered::Presence { missing, .. }, Column::Keys(array)) => {
                *missing += array.logical_null_count() as u64
            }
            (
                Gathered::Numbers { missing, .. }
                | Gathered::Keys { missing, .. }
                | Gathered::Presence { missing, .. },
                _,
            ) => *missing += rows as u64,
        }
    }
}

/// A column whose kind is decided.
struct Judged {
    name: String,
    role: Role,
    kind: Kind,
    why: String,
    missing: u64,
    data: Data,
}

enum Data {
    Numbers {
        distinct: Vec<f64>,
        counts: Vec<u64>,
        below: u64,
        above: u64,
    },
    /// By falling frequency, then by name.
    Categories(Vec<(String, u64)>),
    Presence,
}

impl Judged {
    fn new(column: DraftColumn, role: Role, settings: &Settings) -> Judged {
        let DraftColumn { field, gathered } = column;
        let asked = settings
            .features
            .get(&field.name)
            .and_then(|feature| feature.kind);
        let (kind, mut why, missing, data) = match gathered {
            Gathered::Numbers {
                values,
                missing,
                below,
                above,
            } => {
                let (distinct, counts) = tally(values);
                let few = distinct.len() <= CATEGORICAL_INTEGERS_MAX && below + above == 0;
                if asked == Some(Kind::Categorical)
                    || (asked.is_none()
                        && role == Role::Feature
                        && field.nature == Nature::Integer
                        && few)
                {
                    let why = format!(
                        "{} with {} distinct values",
                        field.type_name,
                        distinct.len()
                    );
                    let named = distinct
                        .iter()
                        .zip(&counts)
                        .map(|(value, count)| (canonical(&value.to_string()).into_owned(), *count));
                    (
                        Kind::Categorical,
                        why,
                        missing,
                        Data::Categories(by_frequency(named.collect())),
                    )
                } else {
                    let data = Data::Numbers {
                        distinct,
                        counts,
                        below,
                        above,
                    };
                    (
                        Kind::Numerical,
                        format!("{} in the reference", field.type_name),
                        missing,
                        data,
                    )
                }
            }
            Gathered::Keys { counts, missing } => {
                let why = format!("{} with {} distinct values", field.type_name, counts.len());
                (
                    Kind::Categorical,
                    why,
                    missing,
                    Data::Categories(by_frequency(counts.into_iter().collect())),
                )
            }
            Gathered::Presence { missing, why } => (Kind::Text, why, missing, Data::Presence),
        };
        if let Some(kind) = asked {
            why = format!("kind: {} in the config", kind.name());
        }
        Judged {
            name: field.name,
            role,
            kind,
            why,
            missing,
            data,
        }
    }

    fn distinct(&self) -> u64 {
        match &self.data {
            Data::Numbers { distinct, .. } => distinct.len() as u64,
            Data::Categories(counts) => counts.len() as u64,
            Data::Presence => 0,
        }
    }

    fn shape(&self) -> plan::Shape {
        match &self.data {
            Data::Numbers { distinct, .. } => plan::Shape::Numbers {
                distinct: distinct.len(),
            },
            Data::Categories(counts) => plan::Shape::Categories {
                distinct: counts.len(),
            },
            Data::Presence => plan::Shape::Presence,
        }
    }

    fn hash(&self, digest: &mut Xxh3) {
        digest.update(self.name.as_bytes());
        digest.update(&self.missing.to_le_bytes());
        match &self.data {
            Data::Numbers {
                distinct,
                counts,
                below,
                above,
            } => {
                distinct
                    .iter()
                    .for_each(|value| digest.update(&value.to_le_bytes()));
                counts
                    .iter()
                    .chain([below, above])
                    .for_each(|count| digest.update(&count.to_le_bytes()));
            }
            Data::Categories(counts) => counts.iter().for_each(|(name, count)| {
                digest.update(name.as_bytes());
                digest.update(&count.to_le_bytes());
            }),
            Data::Presence => {}
        }
    }

    fn compare(
        self,
        settings: &Settings,
        rows: u64,
        resolution: usize,
        tests: Vec<(&'static Method, f64)>,
    ) -> Compared {
        let side = match self.data {
            Data::Numbers {
                distinct,
                counts,
                below,
                above,
            } => {
                let grid = Grid::new(&distinct, &counts, settings.bins, resolution);
                Side::Numbers(Box::new(ReferenceNumbers::new(
                    grid,
                    distinct,
                    counts,
                    self.missing,
                    below,
                    above,
                )))
            }
            Data::Categories(counts) => categories(counts, self.missing, settings.categories_max),
            Data::Presence => Side::Presence(Presence {
                rows,
                missing: self.missing,
            }),
        };
        Compared {
            name: self.name,
            role: self.role,
            kind: self.kind,
            tests,
            side,
        }
    }
}

/// Sorted distinct values and how often each occurs.
fn tally(mut values: Vec<f64>) -> (Vec<f64>, Vec<u64>) {
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct = Vec::new();
    let mut counts: Vec<u64> = Vec::new();
    for value in values {
        if distinct.last() == Some(&value) {
            *counts.last_mut().expect("a count for each distinct value") += 1;
        } else {
            distinct.push(value);
            counts.push(1);
        }
    }
    distinct.shrink_to_fit();
    counts.shrink_to_fit();
    (distinct, counts)
}

fn by_frequency(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// The rarest categories beyond `categories_max` share one last code, `other`.
fn categories(counts: Vec<(String, u64)>, missing: u64, categories_max: usize) -> Side {
    let apart = counts.len().min(categories_max);
    let mut profile = Categories::new(apart + usize::from(counts.len() > apart));
    let mut codes = HashMap::with_capacity(counts.len());
    for (rank, (name, count)) in counts.into_iter().enumerate() {
        let code = rank.min(apart);
        profile.count(code as u32, count);
        codes.insert(name, code as u32);
    }
    profile.count(crate::profile::MISSING, missing);
    Side::Categories { codes, profile }
}
