//! Reading a tree of values: each value is asked for by key, and whatever is wrong with it becomes a problem
//! with its place, while the reading goes on with a stand-in.
//!
//! This file knows no key by name, no YAML and no disk; the environment is an argument.

use std::fmt::Display;

use super::environment::expand;
use super::problem::{Problem, nearest};
use super::raw::{Node, Place, Value};

/// What a reading gathers.
pub struct Reader<'a> {
    lines: Vec<&'a str>,
    environment: &'a dyn Fn(&str) -> Option<String>,
    /// To whom the next problems belong; see [`Problem::model`].
    pub model: Option<String>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// A value and the way to it.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    pub place: Place,
    pub path: String,
    /// Where its key stands; an item of a list has none and stands for itself.
    key: Place,
    value: &'a Value,
}

/// A mapping whose keys have been checked.
#[derive(Debug)]
pub struct Table<'a> {
    known: &'static [&'static str],
    field: Field<'a>,
    fields: Vec<(&'a str, Field<'a>)>,
}

impl<'a> Table<'a> {
    /// The table as a field, marked under its key.
    pub fn itself(&self) -> Field<'a> {
        self.field.at_key()
    }

    pub fn get(&self, key: &str) -> Option<&Field<'a>> {
        debug_assert!(self.known.contains(&key), "`{key}` is not among the known keys");
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, field)| field)
    }

    pub fn fields(&self) -> &[(&'a str, Field<'a>)] {
        &self.fields
    }
}

impl<'a> Field<'a> {
    pub fn new(node: &'a Node, path: String) -> Field<'a> {
        Field { place: node.place, path, key: node.place, value: &node.value }
    }

    /// The same field, for a problem that is marked under its key.
    pub fn at_key(&self) -> Field<'a> {
        Field { place: self.key, ..self.clone() }
    }

    pub fn is_nothing(&self) -> bool {
        *self.value == Value::Nothing
    }

    /// The value as people are shown it.
    fn shown(&self) -> String {
        match self.value {
            Value::Nothing => "nothing".to_string(),
            Value::Scalar(text) => quoted(text),
            Value::List(_) => "a list".to_string(),
            Value::Map(_) => "a mapping of keys to values".to_string(),
        }
    }
}

pub fn quoted(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let line: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let dots = if text.chars().count() > SHOWN_MAX { "..." } else { "" };
    format!("`{line}{dots}`")
}

/// `base.key`, or `base["odd key"]`.
fn joined(base: &str, key: &str) -> String {
    let word = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (base.is_empty(), word) {
        (true, _) => key.to_string(),
        (false, true) => format!("{base}.{key}"),
        (false, false) => format!("{base}[{key:?}]"),
    }
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, environment: &'a dyn Fn(&str) -> Option<String>) -> Reader<'a> {
        Reader { lines: text.lines().collect(), environment, model: None, problems: Vec::new(), warnings: Vec::new() }
    }

    fn told(&self, place: Place, key: &str, found: String, allowed: String, advice: String) -> Problem {
        let line = self.lines.get(place.line.wrapping_sub(1)).unwrap_or(&"").to_string();
        Problem { model: self.model.clone(), place, key: key.to_string(), found, allowed, advice, line }
    }

    /// Tells the problems of a model by its name, once that is known.
    pub fn rename(&mut self, model: &str, name: &str) {
        for problem in self.problems.iter_mut().chain(&mut self.warnings) {
            if problem.model.as_deref() == Some(model) {
                problem.model = Some(name.to_string());
            }
        }
    }

    /// A mistake in a value, in words of the caller.
    pub fn problem(&mut self, field: &Field, found: impl Display, allowed: impl Display, advice: impl Display) {
        let problem = self.told(field.place, &field.path, found.to_string(), allowed.to_string(), advice.to_string());
        self.problems.push(problem);
    }

    /// A value that is legal and will surprise.
    pub fn warning(&mut self, field: &Field, found: impl Display, advice: impl Display) {
        let warning = self.told(field.place, &field.path, found.to_string(), String::new(), advice.to_string());
        self.warnings.push(warning);
    }

    /// A key that must be there and is not.
    pub fn missing(&mut self, table: &Table, key: &str, advice: impl Display) {
        if !matches!(table.field.value, Value::Map(_) | Value::Nothing) {
            // That it is no mapping has been told.
            return;
        }
        self.problem(&table.itself(), format!("`{key}` is missing"), "", advice);
    }

    /// A value that is not what it should be.
    pub fn refused(&mut self, field: &Field, allowed: impl Display, advice: impl Display) {
        self.problem(field, format!("found {}", field.shown()), allowed, advice);
    }

    /// A mapping of known keys. Nothing at all is an empty mapping.
    pub fn table(&mut self, field: &Field<'a>, known: &'static [&'static str]) -> Table<'a> {
        let fields = self.named(field);
        for (name, value) in &fields {
            if !known.contains(name) {
                self.unknown_key(name, value, known);
            }
        }
        Table { known, field: field.clone(), fields }
    }

    fn unknown_key(&mut self, name: &str, value: &Field, known: &[&str]) {
        let advice = did_you_mean(name, known.iter().copied());
        self.problem(&value.at_key(), "unknown key", known.join(", "), advice);
    }

    /// A mapping of any keys; each key once.
    pub fn named(&mut self, field: &Field<'a>) -> Vec<(&'a str, Field<'a>)> {
        let entries = match field.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Nothing => &[],
            _ => {
                self.refused(field, "a mapping of keys to values", "");
                &[]
            }
        };
        let mut fields: Vec<(&str, Field)> = Vec::new();
        for (key, node) in entries {
            let path = joined(&field.path, &key.name);
            let value = Field { key: key.place, ..Field::new(node, path) };
            if fields.iter().any(|(name, _)| *name == key.name) {
                self.problem(&value.at_key(), "this key is there twice", "", "keep one of them");
            } else {
                fields.push((&key.name, value));
            }
        }
        fields
    }

    /// The items of a list. `one`: a value that is no list counts as a list of one.
    pub fn list(&mut self, field: &Field<'a>, one: bool) -> Vec<Field<'a>> {
        match field.value {
            Value::List(items) => {
                let item = |(position, node)| Field::new(node, format!("{}[{position}]", field.path));
                items.iter().enumerate().map(item).collect()
            }
            Value::Scalar(_) if one => vec![field.clone()],
            _ => {
                self.refused(field, if one { "one value, or a list" } else { "a list" }, "");
                Vec::new()
            }
        }
    }

    /// A value that `read` can make sense of; `allowed` tells people what that is.
    pub fn value<T>(
        &mut self,
        field: &Field,
        allowed: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Value::Scalar(written) = field.value else {
            let advice = if field.is_nothing() { "leave the key out for its default" } else { "" };
            self.refused(field, allowed, advice);
            return None;
        };
        match expand(written, self.environment) {
            Err(advice) => {
                self.refused(field, "", advice);
                None
            }
            Ok(text) => {
                let value = read(&text);
                if value.is_none() {
                    let whence = if text == *written { String::new() } else { format!(", which is {}", quoted(&text)) };
                    let found = format!("found {}{whence}", quoted(written));
                    self.problem(field, found, allowed, "");
                }
                value
            }
        }
    }
}

pub fn did_you_mean<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    nearest(word, names).map(|near| format!("did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_are_quoted_in_the_path() {
        assert_eq!(joined("", "listen"), "listen");
        assert_eq!(joined("features", "price_eur"), "features.price_eur");
        assert_eq!(joined("features", "a.b"), "features[\"a.b\"]");
        assert_eq!(joined("features", "größe"), "features.größe");
    }
}
