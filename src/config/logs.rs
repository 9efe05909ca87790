//! Where a model's logs and its reference are, and which of their columns has which role.
//!
//! This file opens no file and knows no YAML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Reference;
use super::quantity::{YEAR, duration, duration_text};
use super::read::{Field, Reader, Table};
use crate::settings::{OutcomeColumns, Settings};

pub const REQUESTS_KEYS: &[&str] =
    &["path", "request_id", "timestamp", "prediction", "score", "probabilities", "version"];
pub const OUTCOMES_KEYS: &[&str] = &["path", "request_id", "timestamp", "label"];
pub const REFERENCE_KEYS: &[&str] =
    &["path", "first_rows", "trailing", "same_hour_of_week", "prediction", "score", "probabilities", "label"];

/// Rows that a reference may take of the beginning of a log: those of a file, and not of a year.
const FIRST_ROWS_MAX: u64 = 1_000_000;

const MINUTE: Duration = Duration::from_secs(60);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The path of a log or of the reference, which has no default.
fn path<'a>(reader: &mut Reader<'a>, table: &Table<'a>, directory: &Path) -> PathBuf {
    match table.get("path") {
        Some(field) => reader.path(field, directory).unwrap_or_default(),
        None => {
            reader.missing(table, "path", "give `path`: a file, a directory or a glob of Parquet files");
            PathBuf::new()
        }
    }
}

fn required<'a>(reader: &mut Reader<'a>, table: &Table<'a>, key: &str, advice: &str) -> Option<Field<'a>> {
    let field = table.get(key).cloned();
    if field.is_none() {
        reader.missing(table, key, advice);
    }
    field
}

fn column(reader: &mut Reader, table: &Table, key: &str, target: &mut String) {
    if let Some(field) = table.get(key) {
        reader.set(target, field, "the name of a column", |text| (!text.is_empty()).then(|| text.to_string()));
    }
}

/// As [`column`], for a column that a log may do without: `null` says so.
fn optional_column(reader: &mut Reader, table: &Table, key: &str, target: &mut Option<String>) {
    match table.get(key) {
        Some(field) if field.is_nothing() => *target = None,
        Some(field) => {
            reader.set(target, field, "the name of a column, or null for none", |text| {
                (!text.is_empty()).then(|| Some(text.to_string()))
            });
        }
        None => {}
    }
}

pub fn requests<'a>(reader: &mut Reader<'a>, model: &Table<'a>, directory: &Path, settings: &mut Settings) -> PathBuf {
    let advice = "say where the request log is: `requests: {path: logs/requests}`";
    let Some(field) = required(reader, model, "requests", advice) else {
        return PathBuf::new();
    };
    let table = reader.table(&field, REQUESTS_KEYS);
    let columns = &mut settings.requests;
    column(reader, &table, "request_id", &mut columns.request_id);
    column(reader, &table, "timestamp", &mut columns.timestamp);
    column(reader, &table, "prediction", &mut columns.prediction);
    optional_column(reader, &table, "score", &mut columns.score);
    optional_column(reader, &table, "probabilities", &mut columns.probabilities);
    optional_column(reader, &table, "version", &mut columns.version);
    let roles = [
        ("timestamp", Some(&columns.timestamp)),
        ("request_id", Some(&columns.request_id)),
        ("prediction", Some(&columns.prediction)),
        ("score", columns.score.as_ref()),
        ("probabilities", columns.probabilities.as_ref()),
        ("version", columns.version.as_ref()),
    ];
    one_role_each(reader, &table, &roles);
    path(reader, &table, directory)
}

pub fn outcomes<'a>(
    reader: &mut Reader<'a>,
    model: &Table<'a>,
    directory: &Path,
    settings: &mut Settings,
) -> Option<PathBuf> {
    let table = reader.table(model.get("outcomes")?, OUTCOMES_KEYS);
    let mut columns = OutcomeColumns {
        request_id: "request_id".to_string(),
        timestamp: Some("timestamp".to_string()),
        label: "label".to_string(),
    };
    column(reader, &table, "request_id", &mut columns.request_id);
    optional_column(reader, &table, "timestamp", &mut columns.timestamp);
    column(reader, &table, "label", &mut columns.label);
    let roles = [
        ("timestamp", columns.timestamp.as_ref()),
        ("request_id", Some(&columns.request_id)),
        ("label", Some(&columns.label)),
    ];
    one_role_each(reader, &table, &roles);
    settings.outcomes = Some(columns);
    Some(path(reader, &table, directory))
}

/// The reference's columns bear the names that the logs give them, unless it says otherwise.
pub fn reference<'a>(
    reader: &mut Reader<'a>,
    model: &Table<'a>,
    directory: &Path,
    settings: &mut Settings,
) -> Reference {
    let columns = &mut settings.reference;
    columns.prediction.clone_from(&settings.requests.prediction);
    columns.score.clone_from(&settings.requests.score);
    columns.probabilities.clone_from(&settings.requests.probabilities);
    if let Some(outcomes) = &settings.outcomes {
        columns.label.clone_from(&outcomes.label);
    }
    let stand_in = Reference::File(PathBuf::new());
    let advice = "say what to compare with: `reference: {path: reference.parquet}`";
    let Some(field) = required(reader, model, "reference", advice) else {
        return stand_in;
    };
    let table = reader.table(&field, REFERENCE_KEYS);
    column(reader, &table, "prediction", &mut columns.prediction);
    optional_column(reader, &table, "score", &mut columns.score);
    optional_column(reader, &table, "probabilities", &mut columns.probabilities);
    column(reader, &table, "label", &mut columns.label);
    let roles = [
        ("label", Some(&columns.label)),
        ("prediction", Some(&columns.prediction)),
        ("score", columns.score.as_ref()),
        ("probabilities", columns.probabilities.as_ref()),
    ];
    one_role_each(reader, &table, &roles);
    let found = whence(reader, &table, directory);
    if found.as_ref().is_some_and(Reference::is_of_logs) {
        for role in ["prediction", "score", "probabilities"] {
            if let Some(field) = table.get(role) {
                let advice = format!("leave it out: `requests.{role}` names the column");
                reader.problem(&field.at_key(), "this reference is made of rows of the request log", "", advice);
            }
        }
    }
    found.unwrap_or(stand_in)
}

/// Where the reference's rows come from: one key says it.
fn whence<'a>(reader: &mut Reader<'a>, table: &Table<'a>, directory: &Path) -> Option<Reference> {
    let given: Vec<(&str, &Field)> =
        ["path", "first_rows", "trailing"].iter().filter_map(|&key| Some((key, table.get(key)?))).collect();
    let same_hour = table.get("same_hour_of_week");
    if let Some(field) = same_hour.filter(|_| table.get("trailing").is_none()) {
        let advice = "add `trailing`, such as `trailing: 28d`, or leave it out";
        reader.problem(&field.at_key(), "there is no `trailing` past to take the hours from", "", advice);
    }
    let [(key, field)] = given[..] else {
        match given[..] {
            [(first, _), (second, field), ..] => {
                let advice = "keep the one that says where the rows come from";
                reader.problem(&field.at_key(), format!("both `{first}` and `{second}`"), "", advice);
            }
            _ => {
                let advice =
                    "give `path`, a file, a directory or a glob of Parquet files; or `first_rows`, or `trailing`";
                reader.missing(table, "path", advice);
            }
        }
        return None;
    };
    match key {
        "path" => reference_path(reader, field, directory),
        "first_rows" => {
            let mut rows = 0;
            reader.count(table, key, &mut rows, 1, FIRST_ROWS_MAX);
            (rows > 0).then_some(Reference::FirstRows(rows))
        }
        _ => trailing(reader, field, same_hour),
    }
}

/// A path with `{version}` in it is that of a file for each version.
fn reference_path(reader: &mut Reader, field: &Field, directory: &Path) -> Option<Reference> {
    let path = reader.path(field, directory)?;
    match path.to_string_lossy().matches(crate::source::VERSION).count() {
        0 => Some(Reference::File(path)),
        1 => Some(Reference::Versions(path)),
        _ => {
            reader.problem(field, "`{version}` is there twice", "", "let it stand for one part of the path");
            None
        }
    }
}

fn trailing(reader: &mut Reader, field: &Field, same_hour: Option<&Field>) -> Option<Reference> {
    let allowed = format!("a duration from {} to {}, such as 7d or 28d", duration_text(MINUTE), duration_text(YEAR));
    let legal = |length: &Duration| (MINUTE..=YEAR).contains(length);
    let length = reader.value(field, allowed, |text| duration(text).filter(legal));
    let mut same_hour_of_week = false;
    if let Some(field) = same_hour {
        reader.flag(field, &mut same_hour_of_week);
    }
    let length = length?;
    if same_hour_of_week && length < WEEK {
        let found = format!("`same_hour_of_week` within {}", duration_text(length));
        reader.problem(field, found, "at least 1w", "an hour of the week comes once a week: take 28d, for four of it");
        return None;
    }
    Some(Reference::Trailing { length, same_hour_of_week })
}

fn one_role_each(reader: &mut Reader, table: &Table, roles: &[(&str, Option<&String>)]) {
    for (position, (role, name)) in roles.iter().enumerate() {
        let same = |(_, other): &&(&str, Option<&String>)| other.is_some() && other == name;
        if let Some((first, _)) = roles[..position].iter().find(same) {
            let field = table.get(role).or(table.get(first)).cloned().unwrap_or(table.itself());
            let found = format!("`{role}` and `{first}` name the same column");
            reader.problem(&field, found, "", "give each role a column of its own");
        }
    }
}
