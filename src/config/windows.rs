//! The windows of a model and the panes in which they slide.
//!
//! This file knows no YAML and asks no clock.

use std::time::Duration;

use super::quantity::{SECOND, YEAR};
use super::quantity::{duration, duration_text};
use super::read::{Reader, Table};
use crate::settings::{Settings, Window};

/// Each window has its own panes in memory and its own series on the page.
const WINDOWS_MAX: usize = 8;

/// Reads `windows` and `panes`.
pub fn resolve<'a>(reader: &mut Reader<'a>, table: &Table<'a>, settings: &mut Settings) {
    reader.count(table, "panes", &mut settings.panes, 1, 1440);
    let Some(field) = table.get("windows") else {
        check_panes(reader, table, settings);
        return;
    };
    let before = reader.problems.len();
    let items = reader.list(field, true);
    let allowed = format!("1 to {WINDOWS_MAX} durations, such as [1h, 24h]");
    if items.len() > WINDOWS_MAX || (items.is_empty() && reader.problems.len() == before) {
        reader.problem(field, format!("found {} windows", items.len()), allowed, "");
    }
    let mut windows: Vec<Window> = Vec::new();
    for item in items.iter().take(WINDOWS_MAX) {
        let allowed = format!("a duration from 1s to {}, such as 1h, 24h, 7d", duration_text(YEAR));
        let read = reader.value(item, allowed, |text| {
            let length = duration(text).filter(|length| (SECOND..=YEAR).contains(length))?;
            Some(Window { name: text.to_string(), length })
        });
        let Some(window) = read else { continue };
        if let Some(same) = windows.iter().find(|other| other.length == window.length) {
            let found = format!("`{}` is as long as `{}`", window.name, same.name);
            reader.problem(item, found, "windows of different lengths", "leave one of the two out");
        } else {
            windows.push(window);
        }
    }
    if reader.problems.len() == before {
        settings.windows = Some(windows);
        check_panes(reader, table, settings);
    }
}

/// A pane of the shortest window is a whole number of seconds, and every window is a whole number of such panes.
fn check_panes(reader: &mut Reader, table: &Table, settings: &Settings) {
    let windows = settings.windows.as_deref().unwrap_or_default();
    let Some(shortest) = windows.iter().min_by_key(|window| window.length) else {
        return;
    };
    let field = table.get("windows").or(table.get("panes")).cloned().unwrap_or(table.itself());
    let whole = |of: Duration, part: Duration| of.as_nanos().is_multiple_of(part.as_nanos());
    let pane = shortest.length / settings.panes;
    if pane < SECOND || !whole(pane, SECOND) || !whole(shortest.length, pane) {
        let found = format!("`{}` in {} panes", shortest.name, settings.panes);
        let allowed = "panes that last a whole number of seconds, at least 1s";
        let advice = "choose `panes` so that it divides the seconds of the shortest window";
        reader.problem(&field, found, allowed, advice);
        return;
    }
    for window in windows.iter().filter(|window| !whole(window.length, pane)) {
        let found = format!("`{}` is no whole number of panes of {}", window.name, duration_text(pane));
        let advice = format!("a pane is 1/{} of the shortest window, `{}`", settings.panes, shortest.name);
        reader.problem(&field, found, "whole multiples of a pane", advice);
    }
}
