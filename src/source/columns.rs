//! Columns: arrow arrays of any type in the few forms that the heart works on.
//!
//! Values are compared by what they say, not by how they are stored: `7`, `7.0` and `"7"` are one id and one label.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int64Array, UInt64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date64Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::{Column, Form, Nature};

/// What a type can stand for.
pub fn nature(data_type: &DataType) -> Nature {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Nature::Float,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Nature::Float
        }
        integer if integer.is_integer() => Nature::Integer,
        DataType::Boolean => Nature::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Nature::Text,
        DataType::Dictionary(_, values) => nature(values),
        DataType::FixedSizeList(item, _) if item.data_type().is_floating() => Nature::List,
        DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_) => Nature::Time,
        nested if nested.is_nested() => Nature::Nested,
        _ => Nature::Other,
    }
}

/// The type in words that people use.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_string(),
        DataType::Boolean => "bool".to_string(),
        DataType::Timestamp(..) => "timestamp".to_string(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::List(_) | DataType::LargeList(_) | DataType::ListView(_) | DataType::FixedSizeList(..) => {
            "list".to_string()
        }
        DataType::Struct(_) => "struct".to_string(),
        DataType::Map(..) => "map".to_string(),
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale) => {
            format!("decimal({digits}, {scale})")
        }
        other => other.to_string().to_lowercase(),
    }
}

/// Why a column cannot take a form: a word for the `reason` label. `None`: it can.
pub fn problem(data_type: &DataType, form: Form) -> Option<&'static str> {
    let fits = match (form, nature(data_type)) {
        (Form::Presence, _) => true,
        (_, Nature::Nested | Nature::List) => return Some("nested"),
        (Form::Number, nature) => {
            matches!(nature, Nature::Float | Nature::Integer | Nature::Boolean)
        }
        (Form::Time, nature) => matches!(nature, Nature::Time | Nature::Integer | Nature::Float | Nature::Text),
        (Form::Key, Nature::Other) => matches!(
            data_type,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        ),
        (Form::Id | Form::Key, _) => true,
    };
    (!fits).then_some("type")
}

/// An array in the form wanted; `Absent` where its type cannot take it.
pub fn column(array: &ArrayRef, form: Form) -> Column {
    if problem(array.data_type(), form).is_some() {
        return Column::Absent;
    }
    match form {
        Form::Presence => Some(Column::Presence(array.logical_nulls().filter(|nulls| nulls.null_count() > 0))),
        Form::Number => {
            to(array, &DataType::Float64).map(|array| Column::Numbers(array.as_primitive::<Float64Type>().clone()))
        }
        Form::Key => keys(array).map(Column::Keys),
        Form::Time => times(array).map(Column::Times),
        Form::Id => ids(array).map(Column::Ids),
    }
    .unwrap_or(Column::Absent)
}

fn to(array: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    if array.data_type() == data_type { Some(array.clone()) } else { cast(array, data_type).ok() }
}

fn text(array: &ArrayRef) -> Option<ArrayRef> {
    match array.data_type() {
        // A missing label is often a NaN.
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let numbers = to(array, &DataType::Float64)?;
            let there: Float64Array = numbers
                .as_primitive::<Float64Type>()
                .iter()
                .map(|value| value.filter(|value| !value.is_nan()))
                .collect();
            to(&(Arc::new(there) as ArrayRef), &DataType::Utf8)
        }
        DataType::FixedSizeBinary(_) => to(&to(array, &DataType::Binary)?, &DataType::Utf8),
        _ => to(array, &DataType::Utf8),
    }
}

fn keys(array: &ArrayRef) -> Option<DictionaryArray<Int32Type>> {
    let wanted = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let keys = if *array.data_type() == wanted { array.clone() } else { to(&text(array)?, &wanted)? };
    keys.as_dictionary_opt::<Int32Type>().cloned()
}

/// Microseconds since 1970. Naive times are UTC; numbers are seconds, milli-, micro- or nanoseconds by their size.
fn times(array: &ArrayRef) -> Option<Int64Array> {
    match array.data_type() {
        DataType::Timestamp(_, zone) => {
            let micros = to(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            Some(micros.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>())
        }
        DataType::Date32 | DataType::Date64 => {
            let millis = to(array, &DataType::Date64)?;
            Some(millis.as_primitive::<Date64Type>().iter().map(|value| value?.checked_mul(1000)).collect())
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let micros = to(&text(array)?, &DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())))?;
            Some(micros.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>())
        }
        number if number.is_integer() => {
            let integers = to(array, &DataType::Int64)?;
            Some(integers.as_primitive::<Int64Type>().iter().map(|value| from_size(value?)).collect())
        }
        number if number.is_floating() => {
            let numbers = to(array, &DataType::Float64)?;
            Some(numbers.as_primitive::<Float64Type>().iter().map(|value| from_float(value?)).collect())
        }
        _ => None,
    }
}

/// Below 10^11: seconds (until the year 5138), below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
fn from_size(value: i64) -> Option<i64> {
    const SECONDS: u64 = 100_000_000_000;
    match value.unsigned_abs() {
        size if size < SECONDS => value.checked_mul(1_000_000),
        size if size < SECONDS * 1_000 => value.checked_mul(1_000),
        size if size < SECONDS * 1_000_000 => Some(value),
        _ => Some(value.div_euclid(1_000)),
    }
}

fn from_float(value: f64) -> Option<i64> {
    let whole = value.abs() < 1e11;
    let micros = if whole {
        value * 1e6
    } else {
        return (value.abs() < 9e18).then(|| from_size(value as i64)).flatten();
    };
    micros.is_finite().then(|| micros.round() as i64)
}

/// Hashes of the ids' text.
fn ids(array: &ArrayRef) -> Option<UInt64Array> {
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(|id| id.map(|id| xxh3_64(id.as_bytes()))).collect(),
        DataType::FixedSizeBinary(16) => {
            array.as_fixed_size_binary().iter().map(|id| id.map(|id| xxh3_64(uuid(id).as_bytes()))).collect()
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            to(array, &DataType::Binary)?.as_binary::<i32>().iter().map(|id| id.map(xxh3_64)).collect()
        }
        _ => {
            let texts = text(array)?;
            texts
                .as_string::<i32>()
                .iter()
                .map(|id| id.map(|id| xxh3_64(crate::batch::canonical(id).as_bytes())))
                .collect()
        }
    })
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The same text in every row: the value of a partition folder.
pub fn constant(value: &str, rows: usize) -> ArrayRef {
    // Hive writes this for a missing value.
    if value == "__HIVE_DEFAULT_PARTITION__" {
        return new_null_array(&DataType::Utf8, rows);
    }
    Arc::new(arrow::array::StringArray::from_iter_values(std::iter::repeat_n(value, rows)))
}
