//! What the config file says: YAML as a tree in which every value knows its place.
//!
//! The only file that names the YAML crate. It knows nothing of keys and what they mean.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Spanned};

/// Levels of nesting; the config has five.
const DEPTH_MAX: usize = 32;

/// A place in the file: line and column count from 1, in characters; 0 where the place is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    /// Characters, all lines together.
    pub width: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nothing,
    /// As the file spells it, so that `1.0`, `007` and `yes` stay what they are.
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the file; a key may be there twice.
    Map(Vec<(Key, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub place: Place,
    pub name: String,
}

/// Text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    pub place: Place,
    pub message: String,
}

/// Parses one YAML document. An empty one is `Nothing`.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let shape: Spanned<Shape> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| syntax_error(&error))?;
    node(text, shape)
}

fn syntax_error(error: &serde_saphyr::Error) -> SyntaxError {
    let place = error.location().map(place).unwrap_or_default();
    if let serde_saphyr::Error::MultipleDocuments { .. } = error {
        let message = "a second document (`---`); a config file is one document".to_string();
        return SyntaxError { place, message };
    }
    let message = error.to_string();
    // The place is told once, by whoever prints the problem.
    let suffix = format!(" at line {}, column {}", place.line, place.column);
    let message = message.replace(&suffix, "");
    SyntaxError { place, message }
}

fn place(location: Location) -> Place {
    Place { line: location.line() as usize, column: location.column() as usize, width: location.span().len() as usize }
}

/// A value as the YAML crate hands it over; its numbers and booleans are read again from the file's own text.
enum Shape {
    Nothing,
    Plain(String),
    Text(String),
    List(Vec<Spanned<Shape>>),
    Map(Vec<(Spanned<Shape>, Spanned<Shape>)>),
}

fn node(source: &str, shape: Spanned<Shape>) -> Result<Node, SyntaxError> {
    let location = shape.defined;
    let place = place(location);
    let value = match shape.value {
        Shape::Nothing => Value::Nothing,
        Shape::Text(text) => Value::Scalar(text),
        Shape::Plain(parsed) => Value::Scalar(spelling(source, location).unwrap_or(parsed)),
        Shape::List(items) => Value::List(items.into_iter().map(|item| node(source, item)).collect::<Result<_, _>>()?),
        Shape::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(name, value)| Ok((key(source, name)?, node(source, value)?)))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Node { place, value })
}

fn key(source: &str, shape: Spanned<Shape>) -> Result<Key, SyntaxError> {
    let node = node(source, shape)?;
    match node.value {
        Value::Scalar(name) => Ok(Key { place: node.place, name }),
        _ => Err(SyntaxError { place: node.place, message: "a key must be one word or text".to_string() }),
    }
}

fn spelling(source: &str, location: Location) -> Option<String> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    let text = source.get(start..start.checked_add(length)?)?.trim();
    (!text.is_empty()).then(|| text.to_string())
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape)
    }
}

struct AnyShape;

impl<'de> Visitor<'de> for AnyShape {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Shape, E> {
        Ok(Shape::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Shape::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line, without places.
    fn spelled(node: &Node) -> String {
        match &node.value {
            Value::Nothing => "~".to_string(),
            Value::Scalar(text) => text.clone(),
            Value::List(items) => {
                format!("[{}]", items.iter().map(spelled).collect::<Vec<_>>().join(" "))
            }
            Value::Map(entries) => {
                let entry = |(key, value): &(Key, Node)| format!("{}:{}", key.name, spelled(value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        }
    }

    fn read(text: &str) -> String {
        spelled(&parse(text).unwrap())
    }

    fn refused(text: &str) -> (usize, usize, String) {
        let error = parse(text).unwrap_err();
        (error.place.line, error.place.column, error.message)
    }

    #[test]
    fn scalars_keep_the_spelling_of_the_file() {
        let text = "{a: 1.50, b: 007, c: yes, d: True, e: 1_000, f: .inf, g: 0x1F, 7: 'q', h: \"w\", i: 1e400}";
        assert_eq!(read(text), "{a:1.50 b:007 c:yes d:True e:1_000 f:.inf g:0x1F 7:q h:w i:1e400}");
        assert_eq!(read("a: !!int 5\nb: 99999999999999999999999"), "{a:5 b:99999999999999999999999}");
        assert_eq!(read("a: |\n  two\n  lines\nb: ~\nc:"), "{a:two\nlines\n b:~ c:~}");
        assert_eq!(read(""), "~");
    }

    #[test]
    fn a_key_that_is_there_twice_is_handed_on_twice() {
        assert_eq!(read("a: 1\nb: 2\na: 3"), "{a:1 b:2 a:3}");
    }

    #[test]
    fn aliases_and_merge_keys_are_resolved() {
        assert_eq!(read("a: &x {k: 1.0}\nb: *x"), "{a:{k:1.0} b:{k:1.0}}");
        assert_eq!(read("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}"), "{a:{k:1 l:2} b:{k:3 l:2}}");
    }

    #[test]
    fn places_count_characters_from_one() {
        let root = parse("größe: [ä, \"é\"]").unwrap();
        let Value::Map(entries) = &root.value else { panic!("no map") };
        assert_eq!(entries[0].0.place, Place { line: 1, column: 1, width: 5 });
        let Value::List(items) = &entries[0].1.value else { panic!("no list") };
        assert_eq!(items[1].place, Place { line: 1, column: 12, width: 3 });
    }

    #[test]
    fn text_that_is_no_yaml_is_refused_with_its_place() {
        assert_eq!(refused("a: b: c").0, 1);
        assert_eq!(refused("a: 1\n\tb: 2").0, 1);
        assert_eq!(refused("a: *nope"), (1, 4, "alias references unknown anchor".to_string()));
        assert_eq!(refused("\"open").2, "unclosed quote");
        assert!(refused("a: 1\n---\nb: 2").2.contains("second document"));
        assert!(refused("? [1]\n: 3").2.contains("key"));
    }

    #[test]
    fn neither_depth_nor_aliases_grow_without_bound() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(parse(&deep).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_string();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb += &format!("a{level}: &a{level} [{items}]\n");
        }
        assert!(parse(&bomb).is_err());
    }
}
