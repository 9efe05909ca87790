//! Rows of the demo's logs, as arrow tables. The schema is that of the README.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

/// Product classes, the common ones first.
pub const CLASSES: [&str; 27] = [
    "books",
    "toys",
    "garden",
    "kitchen",
    "phones",
    "games",
    "shoes",
    "lamps",
    "pets",
    "music",
    "sports",
    "tools",
    "beauty",
    "office",
    "baby",
    "bikes",
    "cameras",
    "decor",
    "food",
    "furniture",
    "health",
    "jewelry",
    "outdoor",
    "party",
    "pool",
    "travel",
    "watches",
];

/// Words of product titles in four languages.
pub const WORDS: [&str; 40] = [
    "small", "large", "set", "of", "wooden", "steel", "garden", "chair", "lamp", "blue", "kleine", "große", "Holz",
    "Stuhl", "Lampe", "blau", "für", "Kinder", "Küche", "mit", "petit", "grand", "bois", "chaise", "lampe", "bleu",
    "pour", "enfants", "cuisine", "avec", "piccolo", "grande", "legno", "sedia", "lampada", "blu", "per", "bambini",
    "cucina", "con",
];

/// A request and what the model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub id: u64,
    pub nonce: u64,
    /// Microseconds since 1970.
    pub time: i64,
    pub price: f64,
    pub rating: Option<f64>,
    pub description_length: i64,
    pub shipping_days: i64,
    pub country: &'static str,
    pub device: &'static str,
    pub seller: &'static str,
    pub designation: String,
    pub description: String,
    pub truth: &'static str,
    pub prediction: &'static str,
    pub score: f64,
}

/// The truth about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub id: u64,
    pub nonce: u64,
    pub time: i64,
    pub label: &'static str,
}

fn request_id(id: u64, nonce: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        id as u32,
        id >> 32 & 0xffff,
        nonce & 0xfff,
        nonce >> 12 & 0xfff,
        nonce >> 16
    )
}

fn texts(values: impl Iterator<Item = impl AsRef<str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("columns of equal length")
}

fn features(rows: &[Request]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("price", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.price)))),
        ("rating", Arc::new(rows.iter().map(|row| row.rating).collect::<Float64Array>())),
        ("description_length", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.description_length)))),
        ("shipping_days", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.shipping_days)))),
        ("country", texts(rows.iter().map(|row| row.country))),
        ("device", texts(rows.iter().map(|row| row.device))),
        ("seller", texts(rows.iter().map(|row| row.seller))),
        ("designation", texts(rows.iter().map(|row| &row.designation))),
        ("description", texts(rows.iter().map(|row| &row.description))),
        ("prediction", texts(rows.iter().map(|row| row.prediction))),
        ("score", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.score)))),
    ]
}

/// The request log.
pub fn requests(rows: &[Request]) -> RecordBatch {
    let mut columns = vec![
        ("request_id", texts(rows.iter().map(|row| request_id(row.id, row.nonce)))),
        ("timestamp", times(rows.iter().map(|row| row.time))),
        ("model_version", texts(rows.iter().map(|_| "v1"))),
    ];
    columns.extend(features(rows));
    table(columns)
}

/// The outcome log.
pub fn outcomes(rows: &[Outcome]) -> RecordBatch {
    table(vec![
        ("request_id", texts(rows.iter().map(|row| request_id(row.id, row.nonce)))),
        ("timestamp", times(rows.iter().map(|row| row.time))),
        ("label", texts(rows.iter().map(|row| row.label))),
    ])
}

/// The reference: features, predictions and labels in one table.
pub fn reference(rows: &[Request]) -> RecordBatch {
    let mut columns = features(rows);
    columns.push(("label", texts(rows.iter().map(|row| row.truth))));
    table(columns)
}
