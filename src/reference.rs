//! The reference: what the current windows are compared with, and the plan that follows from it.
//!
//! A [`Draft`] says which columns it wants, takes batches of the reference, and ends as a [`Reference`].
//! This file knows no path, no clock and no config file.

mod chunks;
mod described;
mod division;
mod draft;
mod drawn;
mod gathered;
mod judged;
mod taught;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chunks::Auto;
pub use division::{Combination, Division, combinations};
pub use draft::Draft;

use crate::batch::{Form, Value, canonical};
use crate::estimate::Estimator;
use crate::label::Labels;
use crate::plan::Plan;
use crate::profile::{Categories, Presence, ReferenceNumbers, UNSEEN};
use crate::report::{Kind, Quality, Role};
use crate::sample::{Item, Row, Sample};
use crate::settings::{Settings, Task};
use crate::stats::{Limit, Method};

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
    /// Its rows, with the columns that have a slot; empty where there is none.
    pub sample: Sample<Row>,
    /// `None` where it cannot teach one; why, the plan's warnings say if somebody asked for it.
    pub estimator: Option<Arc<Estimator>>,
}

/// What all rows, those of each version and those of each segment are compared with; replaced as a whole.
#[derive(Debug, Clone)]
pub struct References {
    pub main: Arc<Reference>,
    /// By the version of the model, the main one among them; empty where there is one file for all.
    pub versions: BTreeMap<String, Arc<Reference>>,
    pub segmentations: Vec<Segmentation>,
}

impl From<Arc<Reference>> for References {
    fn from(main: Arc<Reference>) -> References {
        References { main, versions: BTreeMap::new(), segmentations: Vec::new() }
    }
}

impl References {
    /// The main one first.
    pub fn all(&self) -> impl Iterator<Item = &Reference> {
        let segments = self.segmentations.iter().flat_map(|of| &of.segments).map(|segment| &segment.reference);
        std::iter::once(&self.main).chain(self.versions.values()).chain(segments).map(Arc::as_ref)
    }

    /// Whether both are made of the same rows.
    pub fn equal(&self, other: &References) -> bool {
        let digests = |all: &References| all.all().map(|one| one.digest.clone()).collect::<Vec<_>>();
        let names = |all: &References| all.versions.keys().cloned().collect::<Vec<_>>();
        digests(self) == digests(other) && names(self) == names(other)
    }
}

/// Rows divided by the values of some columns: each row is of one segment.
#[derive(Debug, Clone)]
pub struct Segmentation {
    pub columns: Vec<String>,
    /// The last one takes all rows that no other one takes.
    pub segments: Vec<Segment>,
    /// Codes of each column's values, and the segments of their combinations.
    pub labels: Vec<Labels>,
    pub places: HashMap<Combination, usize>,
}

#[derive(Debug, Clone)]
pub struct Segment {
    /// `country=FR`, or `device=mobile,country=FR`.
    pub name: String,
    pub reference: Arc<Reference>,
}

/// One compared column.
#[derive(Debug)]
pub struct Compared {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    pub tests: Vec<Test>,
    pub side: Side,
    /// What its numbers are made of, where it is a descriptor.
    pub describes: Option<Describes>,
    /// Its place in a sampled row; `None` where no test needs it there.
    pub slot: Option<usize>,
}

/// A test of a column, and from where on it is drift.
#[derive(Debug)]
pub struct Test {
    pub method: &'static Method,
    pub limit: Limit,
    auto: Option<Auto>,
}

impl Test {
    /// The limit for a window of so many rows. A reference too small to be cut leaves the method's own; that it is [`Limit::Auto`], without
    /// a threshold, happens with NannyML's methods only.
    pub fn limit(&self, rows: u64) -> Limit {
        match (self.limit, &self.auto) {
            (Limit::Auto, Some(auto)) => Limit::Score(auto.at(rows)),
            (Limit::Auto, None) => self.method.limit,
            (limit, _) => limit,
        }
    }
}

/// The texts behind a descriptor's numbers.
#[derive(Debug)]
pub struct Describes {
    /// The column of texts.
    pub text: String,
    /// Among [`crate::stats::text::DESCRIPTORS`].
    pub which: usize,
    /// The words of the reference's texts.
    pub words: Arc<HashSet<u64>>,
}

/// The reference's side of a column.
#[derive(Debug)]
pub enum Side {
    Numbers(Box<ReferenceNumbers>),
    Categories {
        codes: HashMap<String, u32>,
        /// The most frequent ones, in the order of their codes: what people see.
        names: Vec<String>,
        profile: Categories,
    },
    Texts(Presence),
    Vectors {
        length: usize,
        presence: Presence,
    },
}

impl Reference {
    /// Whether another version's reference may have a column: those that are compared here, and those with a role.
    pub fn has(&self, name: &str, settings: &Settings) -> bool {
        let roles = &settings.reference;
        let optional = roles.score.iter().chain(&roles.probabilities);
        [&roles.prediction, &roles.label].into_iter().chain(optional).any(|role| role == name)
            || self.columns.iter().any(|column| column.role == Role::Feature && column.name == name)
    }

    /// The form of predictions and labels.
    pub fn answer_form(&self) -> Form {
        if self.plan.task == Task::Regression { Form::Number } else { Form::Key }
    }

    /// That of rows which this one has none of: nothing to compare with, no quality.
    fn empty(&self) -> Reference {
        Reference {
            rows: 0,
            digest: String::new(),
            quality: None,
            columns: Vec::new(),
            plan: self.plan.clone(),
            labels: self.labels.clone(),
            sample: Sample::default(),
            estimator: self.estimator.clone(),
        }
    }

    /// The columns of the requests that an estimate reads: the prediction, then what the estimator asks for; none without one.
    pub fn estimated(&self, settings: &Settings) -> impl Iterator<Item = (String, Form)> {
        let estimator = self.estimator.iter();
        let prediction = (settings.requests.prediction.clone(), self.answer_form());
        estimator.flat_map(move |estimator| {
            let inputs = estimator.inputs().iter().map(|wanted| (wanted.name.clone(), wanted.form));
            std::iter::once(prediction.clone()).chain(inputs)
        })
    }
}

impl Compared {
    /// Says that the reference is too small to give this column its thresholds.
    fn without_auto(&self) -> Option<String> {
        let lacks = |test: &&Test| test.limit == Limit::Auto && test.auto.is_none();
        let methods: Vec<&str> = self.tests.iter().filter(lacks).map(|test| test.method.name).collect();
        (!methods.is_empty()).then(|| {
            let (name, methods) = (&self.name, methods.join(" and "));
            format!(
                "`{name}`: the reference is too small for `threshold: auto`; {methods} keeps its own threshold, if any"
            )
        })
    }

    /// Its name in the request log: the prediction may bear another one there than in the reference.
    pub fn log_name<'a>(&'a self, settings: &'a Settings) -> &'a str {
        match self.role {
            Role::Prediction => &settings.requests.prediction,
            Role::Feature => &self.name,
            Role::Descriptor => self.describes.as_ref().map_or(&self.name, |text| &text.text),
        }
    }

    /// The form in which the request log must give this column.
    pub fn form(&self) -> Form {
        match self.side {
            Side::Numbers(_) if self.describes.is_some() => Form::Text,
            Side::Numbers(_) => Form::Number,
            Side::Categories { .. } => Form::Key,
            Side::Texts(_) => Form::Text,
            Side::Vectors { .. } => Form::Vector,
        }
    }
}

impl Side {
    /// A value as samples keep it.
    pub fn item(&self, value: &Value) -> Item {
        let code = |codes: &HashMap<String, u32>, name: &str| codes.get(canonical(name).as_ref()).copied();
        match (self, value) {
            (Side::Numbers(_), Value::Number(number)) if !number.is_nan() => Item::Number(*number),
            (Side::Categories { codes, .. }, Value::Text(name)) => Item::Category(code(codes, name).unwrap_or(UNSEEN)),
            // A reference's integers that turned out to be few.
            (Side::Categories { codes, .. }, Value::Number(number)) => {
                code(codes, &number.to_string()).map_or(Item::Missing, Item::Category)
            }
            (Side::Texts(_), Value::Text(text)) => Item::text(text),
            (Side::Vectors { length, .. }, Value::Vector(vector)) if vector.len() == *length => {
                Item::Vector(vector[..].into())
            }
            _ => Item::Missing,
        }
    }
}
