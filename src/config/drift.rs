//! What a model's config says of drift: the methods of each kind of column, and of single columns.
//!
//! This file knows which methods there are and nothing of what they compute.

use std::collections::BTreeMap;

use super::read::{Field, Reader, Table, did_you_mean};
use crate::report::Kind;
use crate::settings::{Definition, Drift, Feature, Settings};
use crate::stats::{Limit, METHODS, Method, method};

pub const KEYS: &[&str] =
    &["definition", "numerical", "categorical", "text", "embedding", "multivariate", "threshold", "alpha", "share"];
pub const FEATURE_KEYS: &[&str] = &["kind", "method", "threshold", "alpha", "private", "ignore"];

const KINDS: &[(&str, Kind)] = &[
    ("numerical", Kind::Numerical),
    ("categorical", Kind::Categorical),
    ("text", Kind::Text),
    ("embedding", Kind::Embedding),
];

/// Columns that a list of methods is for.
#[derive(Clone, Copy)]
struct Columns {
    name: &'static str,
    fits: fn(&Method) -> bool,
    /// They may go without a test: the list is `none`.
    none: bool,
}

const NUMERICAL: Columns = Columns { name: "numerical columns", fits: |method| method.numerical, none: false };
const CATEGORICAL: Columns = Columns { name: "categorical columns", fits: |method| method.categorical, none: false };
const TEXT: Columns = Columns { name: "text columns", fits: |method| method.text, none: true };
const EMBEDDING: Columns = Columns { name: "embedding columns", fits: |method| method.embedding, none: true };
const SEVERAL: Columns = Columns { name: "several columns at once", fits: |method| method.several, none: true };
const SINGLE: Columns = Columns {
    name: "a single column",
    fits: |method| method.numerical || method.categorical || method.text || method.embedding,
    none: false,
};

impl Columns {
    fn methods(self, definition: Definition) -> impl Iterator<Item = &'static Method> {
        all_methods(definition).filter(move |method| (self.fits)(method))
    }
}

/// A definition's methods; those of texts, vectors and several columns are ours in each.
fn all_methods(definition: Definition) -> impl Iterator<Item = &'static Method> {
    let own = definition.methods().iter();
    let others = METHODS.iter().filter(|method| !method.numerical && !method.categorical);
    own.chain(others.filter(move |_| definition != Definition::Robust)).copied()
}

fn columns(kind: Option<Kind>) -> Columns {
    match kind {
        None => SINGLE,
        Some(Kind::Numerical) => NUMERICAL,
        Some(Kind::Categorical) => CATEGORICAL,
        Some(Kind::Text) => Columns { none: false, ..TEXT },
        Some(Kind::Embedding) => Columns { none: false, ..EMBEDDING },
    }
}

pub fn defaults(definition: Definition) -> Drift {
    let known = |name| method(name).expect("the default methods exist");
    let [numerical, categorical] = definition.defaults();
    Drift {
        definition,
        numerical: vec![numerical],
        categorical: vec![categorical],
        text: vec![known("domain_classifier")],
        // The one sees that the centre moved, in a glance; the other every way in which a line can part the two.
        embedding: vec![known("mean_distance"), known("domain_classifier")],
        multivariate: Vec::new(),
        limit: None,
        alpha: (definition == Definition::Robust).then_some(0.05),
        share: 0.5,
    }
}

/// Reads `drift` and `features` of a model.
pub fn resolve<'a>(reader: &mut Reader<'a>, model: &Table<'a>, settings: &mut Settings) {
    if let Some(field) = model.get("drift") {
        let table = reader.table(field, KEYS);
        if let Some(field) = table.get("definition") {
            let names = Definition::ALL.map(|definition| (definition.name(), definition));
            settings.drift = defaults(reader.choice(field, &names).unwrap_or_default());
        }
        let definition = settings.drift.definition;
        for (key, columns, target) in [
            ("numerical", NUMERICAL, &mut settings.drift.numerical),
            ("categorical", CATEGORICAL, &mut settings.drift.categorical),
            ("text", TEXT, &mut settings.drift.text),
            ("embedding", EMBEDDING, &mut settings.drift.embedding),
            ("multivariate", SEVERAL, &mut settings.drift.multivariate),
        ] {
            if let Some(field) = table.get(key) {
                *target = methods(reader, field, definition, columns);
                if key == "embedding" && target.iter().any(|method| method.name == "mmd") {
                    let advice = "`mean_distance` and `domain_classifier` cost a fraction of that";
                    reader.warning(field, "`mmd` compares each vector with 2000 others, at every evaluation", advice);
                }
            }
        }
        if let Some(field) = table.get("threshold") {
            settings.drift.limit = reader.choice(field, &[("method", None), ("auto", Some(Limit::Auto))]).flatten();
        }
        if let Some(field) = table.get("alpha") {
            settings.drift.alpha = reader.value(field, ALPHA, alpha);
        }
        if let Some(field) = table.get("share") {
            reader.set(&mut settings.drift.share, field, "a number above 0, at most 1", |text| {
                number(text).filter(|&share| share > 0.0 && share <= 1.0)
            });
        }
    }
    if let Some(field) = model.get("features") {
        settings.features = features(reader, field, &settings.drift);
        let prediction = &settings.requests.prediction;
        if settings.features.get(prediction).is_some_and(|feature| feature.private) {
            let advice = "let the service log codes for the classes, or leave `private` out";
            reader.problem(
                field,
                format!("`{prediction}` is private, and classes are labels of the metrics"),
                "",
                advice,
            );
        }
    }
}

fn features<'a>(reader: &mut Reader<'a>, field: &Field<'a>, drift: &Drift) -> BTreeMap<String, Feature> {
    let columns = reader.named(field);
    columns.iter().map(|(column, field)| (column.to_string(), feature(reader, field, drift))).collect()
}

fn feature<'a>(reader: &mut Reader<'a>, field: &Field<'a>, drift: &Drift) -> Feature {
    let mut feature = Feature::default();
    let table = reader.table(field, FEATURE_KEYS);
    if let Some(field) = table.get("ignore") {
        reader.flag(field, &mut feature.ignore);
        if feature.ignore && table.fields().len() > 1 {
            let advice = "leave the other keys out, or `ignore`";
            reader.problem(field, "an ignored column has no other setting", "", advice);
        }
    }
    if let Some(field) = table.get("private") {
        reader.flag(field, &mut feature.private);
    }
    let kind = table.get("kind");
    feature.kind = kind.and_then(|field| reader.choice(field, KINDS));
    if let Some(field) = table.get("method") {
        feature.methods = methods(reader, field, drift.definition, columns(feature.kind));
    }
    if let Some(field) = table.get("threshold") {
        feature.limit = threshold(reader, field, &feature, drift);
    }
    if let Some(field) = table.get("alpha") {
        feature.limit = decide_by_p_value(reader, field, drift.definition, &feature);
        if table.get("threshold").is_some() {
            let advice = "a `threshold` lets the score decide, an `alpha` the p-value";
            reader.problem(field, "both a threshold and an alpha", "one of them", advice);
        }
    }
    feature
}

fn threshold(reader: &mut Reader, field: &Field, feature: &Feature, drift: &Drift) -> Option<Limit> {
    let allowed = "`auto`, or a finite number, 0 or more, in the unit of the method's score";
    let limit = reader.value(field, allowed, |text| match text {
        "auto" => Some(Limit::Auto),
        _ => number(text).filter(|&threshold| threshold >= 0.0).map(Limit::Score),
    })?;
    let several = match (feature.methods.as_slice(), feature.kind) {
        ([], Some(Kind::Numerical)) => drift.numerical.len() > 1,
        ([], Some(Kind::Categorical)) => drift.categorical.len() > 1,
        ([], Some(Kind::Text)) => drift.text.len() > 1,
        ([], Some(Kind::Embedding)) => drift.embedding.len() > 1,
        ([], None) => drift.numerical.len() > 1 || drift.categorical.len() > 1,
        (methods, _) => methods.len() > 1,
    };
    if several && limit != Limit::Auto {
        let advice = "name one `method` for this column, or leave `threshold` out: each method has its own";
        reader.problem(field, "one threshold for several methods", "", advice);
    }
    if limit == Limit::Auto && matches!(feature.kind, Some(Kind::Text | Kind::Embedding)) {
        let allowed = "a number, 0 or more, in the unit of the method's score";
        reader.problem(
            field,
            format!("`auto` for {}", columns(feature.kind).name),
            allowed,
            "`auto` is for numerical and categorical columns",
        );
    }
    Some(limit)
}

fn decide_by_p_value(reader: &mut Reader, field: &Field, definition: Definition, feature: &Feature) -> Option<Limit> {
    let limit = reader.value(field, ALPHA, alpha).map(Limit::Alpha);
    if let Some(method) = feature.methods.iter().find(|method| !method.has_p_value) {
        let all = columns(feature.kind).methods(definition);
        let tests = all.filter(|method| method.has_p_value);
        let tests: Vec<&str> = tests.map(|method| method.name).collect();
        let found = format!("an alpha for `{}`, which has no p-value", method.name);
        reader.problem(field, found, tests.join(", "), "or give a `threshold`");
    }
    limit
}

const ALPHA: &str = "a number above 0, below 1";

fn alpha(text: &str) -> Option<f64> {
    number(text).filter(|&alpha| alpha > 0.0 && alpha < 1.0)
}

/// Digits with at most one point and an exponent; no infinity, no NaN.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// One method or several, each of which fits the columns.
fn methods<'a>(
    reader: &mut Reader<'a>,
    field: &Field<'a>,
    definition: Definition,
    columns: Columns,
) -> Vec<&'static Method> {
    let fitting = || {
        let methods = columns.methods(definition).map(|method| method.name);
        methods.chain(columns.none.then_some("none")).collect::<Vec<&str>>().join(", ")
    };
    let before = reader.problems.len();
    let items = reader.list(field, true);
    if items.is_empty() && reader.problems.len() == before {
        reader.refused(field, fitting(), "leave the key out for the default");
    }
    let mut chosen: Vec<&'static Method> = Vec::new();
    for item in &items {
        let Some(name) = reader.value(item, fitting(), |text| Some(text.to_string())) else {
            continue;
        };
        if columns.none && name == "none" && items.len() == 1 {
            return Vec::new();
        }
        match columns.methods(definition).find(|method| method.name == name) {
            None if all_methods(definition).any(|method| method.name == name) => {
                let found = format!("`{name}` cannot test {}", columns.name);
                reader.problem(item, found, fitting(), "");
            }
            None => {
                let advice = did_you_mean(&name, all_methods(definition).map(|method| method.name));
                reader.problem(item, format!("`{name}` is no method"), fitting(), advice);
            }
            Some(method) if chosen.contains(&method) => {
                reader.problem(item, format!("`{name}` is there twice"), "", "keep one of them");
            }
            Some(method) => chosen.push(method),
        }
    }
    chosen
}
