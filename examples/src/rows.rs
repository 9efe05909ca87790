//! The rows that the prediction service logs, and the products that the shop sold before.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use jiff::Timestamp;

use crate::catalogue::Product;
use crate::parquet_log::Row;

/// A prediction, with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub request_id: String,
    pub timestamp: Timestamp,
    pub designation: String,
    pub description: Option<String>,
    pub designation_words: i64,
    /// 0 where there is no description.
    pub description_words: i64,
    pub known_words_ratio: f64,
    pub prediction: String,
    pub score: f64,
    pub model_version: String,
}

/// A true class, known later.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub request_id: String,
    pub timestamp: Timestamp,
    pub label: String,
}

impl Row for Request {
    fn batch(rows: &[Request]) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_from_iter_with_nullable([
            ("request_id", texts(rows, |row| Some(&row.request_id)), false),
            ("timestamp", times(rows, |row| row.timestamp), false),
            ("designation", texts(rows, |row| Some(&row.designation)), false),
            ("description", texts(rows, |row| row.description.as_deref()), true),
            (
                "designation_words",
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.designation_words))),
                false,
            ),
            (
                "description_words",
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.description_words))),
                false,
            ),
            (
                "known_words_ratio",
                Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.known_words_ratio))),
                false,
            ),
            ("prediction", texts(rows, |row| Some(&row.prediction)), false),
            ("score", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.score))), false),
            ("model_version", texts(rows, |row| Some(&row.model_version)), false),
        ])
    }
}

impl Row for Outcome {
    fn batch(rows: &[Outcome]) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_from_iter_with_nullable([
            ("request_id", texts(rows, |row| Some(&row.request_id)), false),
            ("timestamp", times(rows, |row| row.timestamp), false),
            ("label", texts(rows, |row| Some(&row.label)), false),
        ])
    }
}

impl Row for Product {
    fn batch(rows: &[Product]) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_from_iter_with_nullable([
            ("designation", texts(rows, |row| Some(&row.designation)), false),
            ("description", texts(rows, |row| row.description.as_deref()), true),
            ("label", texts(rows, |row| Some(row.class)), false),
        ])
    }
}

fn texts<R>(rows: &[R], text: impl Fn(&R) -> Option<&str>) -> ArrayRef {
    Arc::new(rows.iter().map(text).collect::<StringArray>())
}

fn times<R>(rows: &[R], time: impl Fn(&R) -> Timestamp) -> ArrayRef {
    let microseconds = rows.iter().map(|row| time(row).as_microsecond());
    Arc::new(TimestampMicrosecondArray::from_iter_values(microseconds).with_timezone("UTC"))
}
