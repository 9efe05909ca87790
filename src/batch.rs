//! A batch: some thousand rows of one log, as arrow arrays in the few forms that the heart works on.
//!
//! The source makes batches, the monitor takes them. Neither knows the other: what the monitor wants of
//! a log is a list of [`Wanted`] columns, and a batch carries one [`Column`] for each, in that order.
//! This file knows no path, no Parquet and no config.

use std::borrow::Cow;

use arrow::array::{
    Array, AsArray, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray, UInt32Array, UInt64Array,
};
use arrow::compute::take;
use arrow::datatypes::{Float32Type, Int32Type};

/// The two logs of a model. Their order is the order in which a turn reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Log {
    Requests,
    Outcomes,
}

impl Log {
    pub const ALL: [Log; 2] = [Log::Requests, Log::Outcomes];

    /// The value of the `log` label.
    pub fn name(self) -> &'static str {
        match self {
            Log::Requests => "requests",
            Log::Outcomes => "outcomes",
        }
    }
}

/// The form in which the monitor wants a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Request ids, as 64-bit hashes of their canonical text.
    Id,
    /// Event times, as microseconds since 1970-01-01T00:00:00Z.
    Time,
    /// Numbers, as `f64`.
    Number,
    /// Categories and class labels, as a dictionary of their text.
    Key,
    /// Free text.
    Text,
    /// Embeddings, as lists of `f32`.
    Vector,
}

/// One column that the monitor wants of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    pub name: String,
    pub form: Form,
}

/// A column of a file, by what its type can stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub nature: Nature,
    /// The type in the file's own words, for people.
    pub type_name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// Floats and decimals.
    Float,
    Integer,
    Boolean,
    /// Strings of any kind, dictionaries of strings.
    Text,
    /// Lists of floats.
    List,
    /// Dates, times, timestamps, durations.
    Time,
    Nested,
    Other,
}

/// One column of a batch. A null says that the value is missing.
#[derive(Debug, Clone)]
pub enum Column {
    Ids(UInt64Array),
    Times(Int64Array),
    Numbers(Float64Array),
    Keys(DictionaryArray<Int32Type>),
    Texts(StringArray),
    Vectors(ListArray),
    /// The file does not have the column, or not in a type that can take the wanted form: every value is missing.
    Absent,
}

/// One value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Missing,
    Number(f64),
    /// Keys and texts, as they are written.
    Text(Cow<'a, str>),
    /// Finite numbers, as many as there are.
    Vector(Cow<'a, [f32]>),
}

impl Value<'_> {
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Missing => Value::Missing,
            Value::Number(number) => Value::Number(number),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Vector(vector) => Value::Vector(Cow::Owned(vector.into_owned())),
        }
    }
}

impl Column {
    fn pick(&self, rows: &UInt32Array) -> Column {
        // Positions within the column cannot fail.
        let picked = |array: &dyn Array| take(array, rows, None).expect("rows of this batch");
        match self {
            Column::Ids(ids) => Column::Ids(picked(ids).as_primitive().clone()),
            Column::Times(times) => Column::Times(picked(times).as_primitive().clone()),
            Column::Numbers(numbers) => Column::Numbers(picked(numbers).as_primitive().clone()),
            Column::Keys(keys) => Column::Keys(picked(keys).as_dictionary().clone()),
            Column::Texts(texts) => Column::Texts(picked(texts).as_string().clone()),
            Column::Vectors(lists) => Column::Vectors(picked(lists).as_list().clone()),
            Column::Absent => Column::Absent,
        }
    }

    /// The value of a row; ids and times have none.
    pub fn value(&self, row: usize) -> Value<'_> {
        let found = match self {
            Column::Numbers(numbers) if numbers.is_valid(row) => Some(Value::Number(numbers.value(row))),
            Column::Keys(keys) => keys.key(row).and_then(|key| {
                let texts = keys.values().as_string::<i32>();
                texts.is_valid(key).then(|| Value::Text(Cow::Borrowed(texts.value(key))))
            }),
            Column::Texts(texts) if texts.is_valid(row) => Some(Value::Text(Cow::Borrowed(texts.value(row)))),
            Column::Vectors(lists) => vector(lists, row).map(|vector| Value::Vector(Cow::Borrowed(vector))),
            _ => None,
        };
        found.unwrap_or(Value::Missing)
    }
}

/// The vector of a row; `None` where it is missing or empty, or not all of it is finite numbers.
pub fn vector(lists: &ListArray, row: usize) -> Option<&[f32]> {
    let numbers = lists.values().as_primitive_opt::<Float32Type>().filter(|_| lists.is_valid(row))?;
    let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
    let whole = numbers.null_count() == 0 || (start..end).all(|at| numbers.is_valid(at));
    let vector = &numbers.values()[start..end];
    (whole && !vector.is_empty() && vector.iter().all(|number| number.is_finite())).then_some(vector)
}

/// Rows of one log.
#[derive(Debug, Clone)]
pub struct Batch {
    pub log: Log,
    pub rows: usize,
    /// The wall clock (microseconds since 1970) when these rows were first read. A replay after a restart
    /// carries the time of the first reading, so that "too far in the future" is decided once.
    pub read_at: i64,
    /// What tells these rows from all others: their row group, by a digest, and the place of the first row in it.
    pub group: u64,
    pub first_row: u64,
    /// One for each wanted column, in that order; each with `rows` values.
    pub columns: Vec<Column>,
}

impl Batch {
    /// The columns from `first` on, with these of their rows, in this order.
    pub fn pick(&self, first: usize, rows: &UInt32Array) -> Batch {
        Batch {
            rows: rows.len(),
            columns: self.columns[first..].iter().map(|column| column.pick(rows)).collect(),
            ..*self
        }
    }
}

/// The text under which a label or category is compared, so that `7`, `7.0` and `"7"` are one class, and
/// `true` is `1`, as they are in Python. Text that only resembles a number (`007`, `1e3`, `+7`) stays as it is.
pub fn canonical(text: &str) -> Cow<'_, str> {
    match text {
        "true" | "True" => return Cow::Borrowed("1"),
        "false" | "False" => return Cow::Borrowed("0"),
        "-0" | "-0.0" => return Cow::Borrowed("0"),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let Some((whole, fraction)) = digits.split_once('.') else {
        return Cow::Borrowed(text);
    };
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return Cow::Borrowed(text);
    }
    let kept = fraction.trim_end_matches('0').len();
    if kept == fraction.len() {
        return Cow::Borrowed(text);
    }
    let dropped = fraction.len() - kept + usize::from(kept == 0);
    match &text[..text.len() - dropped] {
        "-0" => Cow::Borrowed("0"),
        short => Cow::Borrowed(short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_compare_by_value_whatever_their_type() {
        for same in ["7", "7.0", "7.000"] {
            assert_eq!(canonical(same), "7");
        }
        assert_eq!(canonical("true"), canonical("1.0"));
        assert_eq!(canonical("-0.0"), canonical("0"));
        assert_eq!(canonical("2.50"), "2.5");
        assert_eq!(canonical("-3.0"), "-3");
    }

    #[test]
    fn text_that_only_resembles_a_number_stays_as_it_is() {
        for text in ["007", "007.0", "1e3", "+7", "1.2.0", "v1.0", ".0", "7.", "", "-", "class_07"] {
            assert_eq!(canonical(text), text);
        }
    }
}
