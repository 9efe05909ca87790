//! What a model's config says of drift: the methods of each kind of column, and of single columns.
//!
//! This file knows which methods there are and nothing of what they compute.

use std::collections::BTreeMap;

use super::read::{Field, Reader, Table, did_you_mean};
use crate::report::Kind;
use crate::settings::{Definition, Drift, Feature, Settings};
use crate::stats::{Limit, Method};

pub const KEYS: &[&str] = &["definition", "numerical", "categorical", "text", "threshold", "alpha", "share"];
pub const FEATURE_KEYS: &[&str] = &["kind", "method", "threshold", "alpha", "ignore"];

/// What may be said of text, which has no test yet.
const TEXT_METHODS: [&str; 2] = ["domain_classifier", "none"];

const KINDS: &[(&str, Kind)] =
    &[("numerical", Kind::Numerical), ("categorical", Kind::Categorical), ("text", Kind::Text)];

const NO_TEXT_TEST: &str = "text columns get no drift test yet";
const MISSING_ONLY: &str = "only their missing values are compared";

pub fn defaults(definition: Definition) -> Drift {
    let [numerical, categorical] = definition.defaults();
    Drift {
        definition,
        numerical: vec![numerical],
        categorical: vec![categorical],
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
        for (key, kind, target) in [
            ("numerical", Kind::Numerical, &mut settings.drift.numerical),
            ("categorical", Kind::Categorical, &mut settings.drift.categorical),
        ] {
            if let Some(field) = table.get(key) {
                *target = methods(reader, field, definition, Some(kind));
            }
        }
        text(reader, &table);
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
    }
}

fn text<'a>(reader: &mut Reader<'a>, drift: &Table<'a>) {
    let Some(field) = drift.get("text") else {
        return;
    };
    let names = TEXT_METHODS.map(|name| (name, name));
    if reader.choice(field, &names) == Some("domain_classifier") {
        reader.warning(field, NO_TEXT_TEST, MISSING_ONLY);
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
    let kind = table.get("kind");
    feature.kind = kind.and_then(|field| reader.choice(field, KINDS));
    if let Some(field) = table.get("method") {
        feature.methods = methods(reader, field, drift.definition, feature.kind);
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
    if let (Some(field), Some(Kind::Text)) = (kind, feature.kind) {
        reader.warning(field, NO_TEXT_TEST, MISSING_ONLY);
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
        ([], Some(Kind::Text)) => false,
        ([], None) => drift.numerical.len() > 1 || drift.categorical.len() > 1,
        (methods, _) => methods.len() > 1,
    };
    if several && limit != Limit::Auto {
        let advice = "name one `method` for this column, or leave `threshold` out: each method has its own";
        reader.problem(field, "one threshold for several methods", "", advice);
    }
    Some(limit)
}

fn decide_by_p_value(reader: &mut Reader, field: &Field, definition: Definition, feature: &Feature) -> Option<Limit> {
    let limit = reader.value(field, ALPHA, alpha).map(Limit::Alpha);
    if let Some(method) = feature.methods.iter().find(|method| !method.has_p_value) {
        let all = definition.methods().iter();
        let tests = all.filter(|method| method.has_p_value && fits(method, feature.kind));
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

/// One method or several, each of which fits the kind of column, where that is known.
fn methods<'a>(
    reader: &mut Reader<'a>,
    field: &Field<'a>,
    definition: Definition,
    kind: Option<Kind>,
) -> Vec<&'static Method> {
    let fitting = || fitting(definition, kind);
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
        match definition.method(&name) {
            None => {
                let advice = did_you_mean(&name, definition.methods().iter().map(|method| method.name));
                reader.problem(item, format!("`{name}` is no method"), fitting(), advice);
            }
            Some(method) if !fits(method, kind) => {
                let found = format!("`{name}` cannot test {} columns", kind.map_or("such", Kind::name));
                reader.problem(item, found, fitting(), "");
            }
            Some(method) if chosen.contains(&method) => {
                reader.problem(item, format!("`{name}` is there twice"), "", "keep one of them");
            }
            Some(method) => chosen.push(method),
        }
    }
    chosen
}

fn fits(method: &Method, kind: Option<Kind>) -> bool {
    match kind {
        None => true,
        Some(Kind::Numerical) => method.numerical,
        Some(Kind::Categorical) => method.categorical,
        Some(Kind::Text) => false,
    }
}

fn fitting(definition: Definition, kind: Option<Kind>) -> String {
    let names: Vec<&str> =
        definition.methods().iter().filter(|method| fits(method, kind)).map(|method| method.name).collect();
    if names.is_empty() { "no method".to_string() } else { names.join(", ") }
}
