//! Values of the few types that a config is made of: each with its range, which a refused value is told.
//!
//! This file knows no key by name and no YAML.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::quantity;
use super::read::{Field, Reader, Table, did_you_mean, quoted};

impl Reader<'_> {
    /// Puts a value in its place, or leaves what was there.
    pub fn set<T>(
        &mut self,
        target: &mut T,
        field: &Field,
        allowed: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) {
        if let Some(value) = self.value(field, allowed, read) {
            *target = value;
        }
    }

    pub fn duration(&mut self, table: &Table, key: &str, target: &mut Duration, least: Duration, most: Duration) {
        let Some(field) = table.get(key) else { return };
        let text = quantity::duration_text;
        let allowed = format!("a duration from {} to {}, such as 15s, 1h30m, 7d", text(least), text(most));
        let legal = |value: &Duration| (least..=most).contains(value);
        self.set(target, field, allowed, |text| quantity::duration(text).filter(legal));
    }

    pub fn count<T: TryFrom<u64>>(&mut self, table: &Table, key: &str, target: &mut T, least: u64, most: u64) {
        let Some(field) = table.get(key) else { return };
        let legal = |value: &u64| (least..=most).contains(value);
        self.set(target, field, format!("a whole number from {least} to {most}"), |text| {
            T::try_from(quantity::count(text).filter(legal)?).ok()
        });
    }

    pub fn size(&mut self, table: &Table, key: &str, target: &mut usize, least: usize, most: usize) {
        let Some(field) = table.get(key) else { return };
        let text = quantity::size_text;
        let allowed = format!("a size from {} to {}, such as 256MiB", text(least), text(most));
        let legal = |value: &usize| (least..=most).contains(value);
        self.set(target, field, allowed, |text| quantity::size(text).filter(legal));
    }

    pub fn flag(&mut self, field: &Field, target: &mut bool) {
        self.set(target, field, "true or false", |text| text.parse().ok());
    }

    /// A path; a relative one is relative to `directory`.
    pub fn path(&mut self, field: &Field, directory: &Path) -> Option<PathBuf> {
        let legal = |text: &str| !text.is_empty() && !text.starts_with('~') && !text.contains('\0');
        let allowed = "a path, absolute or relative to the config file (`~` is not understood; `${HOME}` is)";
        self.value(field, allowed, |text| legal(text).then(|| directory.join(text)))
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, field: &Field, names: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let text = self.value(field, words.join(", "), |text| Some(text.to_string()))?;
        let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let advice = did_you_mean(&text, words.iter().copied());
            self.problem(field, format!("found {}", quoted(&text)), words.join(", "), advice);
        }
        found
    }
}
