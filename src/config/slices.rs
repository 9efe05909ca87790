//! Versions and segments: the parts of a model's rows that have numbers of their own.
//!
//! This file knows no YAML and no reference.

use super::read::{Field, Reader, Table};
use crate::settings::{SEGMENT_COLUMNS_MAX, Settings};

/// Ways to divide the rows: each has panes in memory and series on the page.
const SEGMENTS_MAX: usize = 8;

/// Reads `versions_max`, `segments` and `segments_max`.
pub fn resolve<'a>(reader: &mut Reader<'a>, table: &Table<'a>, settings: &mut Settings) {
    reader.count(table, "versions_max", &mut settings.versions_max, 1, 20);
    reader.count(table, "segments_max", &mut settings.segments_max, 2, 200);
    let Some(field) = table.get("segments") else {
        return;
    };
    let items = reader.list(field, false);
    if items.len() > SEGMENTS_MAX {
        let allowed = format!("up to {SEGMENTS_MAX} columns or lists of columns, such as [country, [device, country]]");
        reader.problem(field, format!("found {}", items.len()), allowed, "");
    }
    for item in items.iter().take(SEGMENTS_MAX) {
        let columns = columns(reader, item);
        if columns.is_empty() {
            continue;
        }
        let is_private = |name: &&String| settings.features.get(*name).is_some_and(|feature| feature.private);
        if let Some(name) = columns.iter().find(is_private) {
            let advice = "segment by another column, or leave its `private` out";
            reader.problem(item, format!("`{name}` is private, and segments are labels of the metrics"), "", advice);
            continue;
        }
        if settings.segments.contains(&columns) {
            reader.problem(item, format!("`{}` is there twice", columns.join(", ")), "", "leave one of the two out");
            continue;
        }
        settings.segments.push(columns);
    }
}

/// One column, or a list of them.
fn columns<'a>(reader: &mut Reader<'a>, item: &Field<'a>) -> Vec<String> {
    let items = reader.list(item, true);
    if items.len() > SEGMENT_COLUMNS_MAX {
        let allowed = format!("up to {SEGMENT_COLUMNS_MAX} columns together");
        reader.problem(item, format!("found {}", items.len()), allowed, "");
    }
    let mut columns: Vec<String> = Vec::new();
    for item in items.iter().take(SEGMENT_COLUMNS_MAX) {
        let name = reader.value(item, "the name of a column", |text| (!text.is_empty()).then(|| text.to_string()));
        if let Some(name) = name.filter(|name| !columns.contains(name)) {
            columns.push(name);
        }
    }
    columns
}
