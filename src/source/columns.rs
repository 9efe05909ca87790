//! Columns: arrow arrays of any type in the few forms that the heart works on.
//!
//! Values are compared by what they say, not by how they are stored: `7`, `7.0` and `"7"` are one id and one label.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int64Array, ListArray, StringArray, UInt64Array, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date64Type, Field as ArrowField, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::{Column, Field, Form, Nature};

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
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if item.data_type().is_floating() =>
        {
            Nature::List
        }
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

/// A column by what its type can stand for.
pub fn field(field: &ArrowField) -> Field {
    Field { name: field.name().clone(), nature: nature(field.data_type()), type_name: type_name(field.data_type()) }
}

/// Why a column cannot take a form: a word for the `reason` label. `None`: it can.
pub fn problem(data_type: &DataType, form: Form) -> Option<&'static str> {
    let fits = match (form, nature(data_type)) {
        // Always null, in any form.
        (_, Nature::Other) if *data_type == DataType::Null => true,
        (Form::Vector, Nature::List) => true,
        (_, Nature::Nested | Nature::List) => return Some("nested"),
        (Form::Vector, _) => false,
        (Form::Number, nature) => {
            matches!(nature, Nature::Float | Nature::Integer | Nature::Boolean)
        }
        (Form::Time, Nature::Time) => {
            matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
        }
        (Form::Time, nature) => matches!(nature, Nature::Integer | Nature::Float | Nature::Text),
        (Form::Key | Form::Text, Nature::Other) => matches!(
            data_type,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        ),
        (Form::Text, nature) => nature == Nature::Text,
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
        Form::Number => {
            to(array, &DataType::Float64).map(|array| Column::Numbers(array.as_primitive::<Float64Type>().clone()))
        }
        Form::Key => keys(array).map(Column::Keys),
        Form::Time => times(array).map(Column::Times),
        Form::Id => ids(array).map(Column::Ids),
        Form::Text => text(array).map(|texts| Column::Texts(texts.as_string::<i32>().clone())),
        Form::Vector => vectors(array).map(Column::Vectors),
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
            let texts = to(array, &DataType::Utf8)?;
            let there = texts.as_string::<i32>().iter().map(|text| text.filter(|text| *text != "NaN"));
            Some(Arc::new(there.collect::<StringArray>()))
        }
        DataType::FixedSizeBinary(_) => to(&to(array, &DataType::Binary)?, &DataType::Utf8),
        // Zones by name are not known here, and a moment is one in any of them.
        DataType::Timestamp(unit, Some(_)) => {
            to(&to(array, &DataType::Timestamp(*unit, Some("+00:00".into())))?, &DataType::Utf8)
        }
        _ => to(array, &DataType::Utf8),
    }
}

fn vectors(array: &ArrayRef) -> Option<ListArray> {
    let item = ArrowField::new_list_field(DataType::Float32, true);
    to(array, &DataType::List(Arc::new(item)))?.as_list_opt::<i32>().cloned()
}

fn keys(array: &ArrayRef) -> Option<DictionaryArray<Int32Type>> {
    let of = |values: &DataType| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values.clone()));
    let data_type = array.data_type();
    // Few integers are many rows: only the few become text.
    if data_type.is_integer() {
        let integers = to(array, &of(data_type))?;
        let integers = integers.as_dictionary_opt::<Int32Type>()?;
        return Some(integers.with_values(to(integers.values(), &DataType::Utf8)?));
    }
    let wanted = of(&DataType::Utf8);
    let keys = if *data_type == wanted { array.clone() } else { to(&text(array)?, &wanted)? };
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
        number if nature(number) == Nature::Float => {
            let numbers = to(array, &DataType::Float64)?;
            Some(numbers.as_primitive::<Float64Type>().iter().map(|value| from_float(value?)).collect())
        }
        DataType::Null => to(array, &DataType::Int64)?.as_primitive_opt::<Int64Type>().cloned(),
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
    match value.abs() {
        size if size < 1e11 => Some((value * 1e6).round() as i64),
        size if size < 9e18 => from_size(value as i64),
        _ => None,
    }
}

/// Hashes of the ids' text.
fn ids(array: &ArrayRef) -> Option<UInt64Array> {
    Some(match array.data_type() {
        DataType::Utf8 => hashes(array, array.as_string::<i32>().iter(), |id| xxh3_64(id.as_bytes())),
        DataType::Utf8View => hashes(array, array.as_string_view().iter(), |id| xxh3_64(id.as_bytes())),
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

/// One a row; nulls stay what they are.
fn hashes<T>(array: &ArrayRef, ids: impl Iterator<Item = Option<T>>, hash: impl Fn(T) -> u64) -> UInt64Array {
    let values: Vec<u64> = ids.map(|id| id.map_or(0, &hash)).collect();
    UInt64Array::new(values.into(), array.nulls().cloned())
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
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float32Array, Float64Array, Int32Array, NullArray, new_empty_array};
    use arrow::datatypes::{Field, IntervalUnit};

    use super::*;

    /// Every type that a Parquet file can come out as.
    fn types() -> Vec<DataType> {
        use DataType::*;
        let item = || Arc::new(Field::new("item", Float32, true));
        let mut types = vec![
            Null,
            Boolean,
            Int8,
            Int16,
            Int32,
            Int64,
            UInt8,
            UInt16,
            UInt32,
            UInt64,
            Float16,
            Float32,
            Float64,
            Utf8,
            LargeUtf8,
            Utf8View,
            Binary,
            LargeBinary,
            BinaryView,
            FixedSizeBinary(3),
            FixedSizeBinary(16),
            Date32,
            Date64,
            Decimal32(9, 2),
            Decimal64(18, 2),
            Decimal128(38, 2),
            Decimal256(76, 2),
            List(item()),
            List(Arc::new(Field::new("element", Float64, false))),
            List(Arc::new(Field::new("element", Int32, true))),
            LargeList(item()),
            FixedSizeList(item(), 4),
            Struct(vec![Field::new("a", Utf8, true)].into()),
            Interval(IntervalUnit::MonthDayNano),
            Time32(TimeUnit::Second),
            Time32(TimeUnit::Millisecond),
            Time64(TimeUnit::Microsecond),
            Time64(TimeUnit::Nanosecond),
            Dictionary(Box::new(Int32), Box::new(Utf8)),
            Dictionary(Box::new(Int32), Box::new(Int64)),
        ];
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            types.extend([Timestamp(unit, None), Timestamp(unit, Some("Europe/Berlin".into())), Duration(unit)]);
        }
        types
    }

    #[test]
    fn a_type_either_takes_a_form_or_is_a_problem_that_is_counted() {
        for data_type in types() {
            for form in [Form::Id, Form::Time, Form::Number, Form::Key, Form::Text, Form::Vector] {
                for array in [new_null_array(&data_type, 3), new_empty_array(&data_type)] {
                    let absent = matches!(column(&array, form), Column::Absent);
                    assert_eq!(absent, problem(&data_type, form).is_some(), "{data_type} as {form:?}");
                }
            }
        }
    }

    fn labels(array: impl Array + 'static) -> Vec<Option<String>> {
        let keys = keys(&(Arc::new(array) as ArrayRef)).unwrap();
        let texts = keys.values().as_string::<i32>();
        keys.keys().iter().map(|key| key.map(|key| texts.value(key as usize).to_string())).collect()
    }

    #[test]
    fn labels_read_as_people_write_them() {
        let text = |text: &str| Some(text.to_string());
        let floats = Float32Array::from(vec![Some(0.1), Some(f32::NAN), None, Some(7.0)]);
        assert_eq!(labels(floats), [text("0.1"), None, None, text("7.0")]);
        let integers = Int32Array::from(vec![Some(7), None, Some(-1), Some(7)]);
        assert_eq!(labels(integers), [text("7"), None, text("-1"), text("7")]);
        assert_eq!(labels(NullArray::new(2)), [None, None]);
    }

    #[test]
    fn a_vector_is_as_many_finite_numbers_as_there_are() {
        let rows = [
            vec![Some(1.0), Some(-2.5)],
            vec![Some(1.0), None],
            vec![],
            vec![Some(f64::NAN), Some(0.0)],
            vec![Some(1e300)],
        ];
        let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(rows.into_iter().map(Some).chain([None]));
        let lists: ArrayRef = Arc::new(lists);
        let Column::Vectors(lists) = column(&lists, Form::Vector) else { panic!("lists of floats are vectors") };
        let found: Vec<_> = (0..6).map(|row| crate::batch::vector(&lists, row)).collect();
        assert_eq!(found, [Some(&[1.0, -2.5][..]), None, None, None, None, None]);
    }

    #[test]
    fn the_labels_of_a_dictionary_are_not_copied() {
        let keys_of = |array: &ArrayRef| keys(array).unwrap();
        let texts: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        let array: ArrayRef = Arc::new(texts.clone());
        assert!(Arc::ptr_eq(texts.values(), keys_of(&array).values()));
    }

    #[test]
    fn a_moment_beyond_all_microseconds_is_missing() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.5, f64::INFINITY, f64::NAN, 1e300, -1e19]));
        assert_eq!(times(&numbers).unwrap().iter().collect::<Vec<_>>(), [Some(1_500_000), None, None, None, None]);
        let seconds: ArrayRef = Arc::new(arrow::array::TimestampSecondArray::from(vec![1, i64::MAX]));
        assert_eq!(times(&seconds).unwrap().iter().collect::<Vec<_>>(), [Some(1_000_000), None]);
        let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
        assert_eq!(times(&unsigned).unwrap().iter().collect::<Vec<_>>(), [Some(1_000_000), None]);
    }
}
