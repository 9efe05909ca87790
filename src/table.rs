//! Tables for people: a Report after `once` and `compare`, a Plan after `check`, as text for a terminal.
//!
//! The only room that names comfy_table. Pure functions; nothing here asks for the terminal's width or writes to it.

mod columns;
mod notes;
mod parts;
mod plan;
mod report;
#[cfg(test)]
mod sample;
mod sparks;

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};

pub use self::plan::plan;
pub use self::report::report;
use crate::report::Role;

/// Below these widths a table leaves out what is least needed.
const NARROW: u16 = 100;
const SLIM: u16 = 64;

/// Below this width a table cannot be read in any way, and lines break where the terminal breaks them.
const WIDTH_MIN: u16 = 48;

/// Longer names of columns break into lines, or push what follows them.
const NAME_MAX: usize = 24;

const PREDICTION_NOTE: &str = "* the model's prediction";

/// How to write for one terminal.
#[derive(Debug, Clone, Copy)]
struct Paper {
    colour: bool,
    /// Characters in a line; `None`: as many as it takes.
    width: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warning,
}

impl Paper {
    fn below(self, limit: u16) -> bool {
        self.width.is_some_and(|width| width < limit)
    }

    fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            _ if !self.colour => return text.to_string(),
            Ink::Plain => return text.to_string(),
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Warning => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Facts under a heading, one a line.
    fn facts(self, facts: &[(&str, String)]) -> String {
        let line = |(fact, words): &(&str, String)| {
            format!("  {}  {}\n", self.ink(Ink::Dim, &format!("{fact:10}")), self.wrapped(words, 14))
        };
        facts.iter().map(line).collect()
    }

    /// A heading below a table, and a sentence about each of some columns; nothing where there is none.
    fn sentences(self, heading: &str, sentences: &[(String, String)]) -> String {
        if sentences.is_empty() {
            return String::new();
        }
        let widest = sentences.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(NAME_MAX);
        let line = |(name, words): &(String, String)| {
            let words = self.wrapped(words, widest + 3);
            format!(" {name:widest$}  {}\n", self.ink(Ink::Dim, &words))
        };
        format!("\n {}\n", self.ink(Ink::Bold, heading)) + &sentences.iter().map(line).collect::<String>()
    }

    /// Words in as many lines as they take, those after the first moved in.
    fn wrapped(self, words: &str, indent: usize) -> String {
        let room = self.width.map_or(usize::MAX, |width| usize::from(width.max(WIDTH_MIN)).saturating_sub(indent));
        let mut text = String::new();
        let mut used = 0;
        for word in words.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > room {
                text += &format!("\n{:indent$}", "");
                used = 0;
            } else if used > 0 {
                text.push(' ');
                used += 1;
            }
            text += word;
            used += length;
        }
        text
    }

    /// An empty table. A heading that begins with `>` stands above numbers, at the right; one that begins with
    /// `<` above words; neither is ever broken into lines.
    fn table(self, headings: &[&str]) -> Table {
        let mut table = Table::new();
        let line = LineStyle::none().fill('─').junction(' ');
        table.load_style(TableStyle::new().header_separator(line));
        table.force_no_tty();
        if self.colour {
            table.enforce_styling();
        }
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width.max(WIDTH_MIN));
        }
        table.set_header(headings.iter().map(|heading| {
            let cell = Cell::new(heading.trim_start_matches(['>', '<']));
            if self.colour { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
        for (column, heading) in table.column_iter_mut().zip(headings) {
            column.set_padding((1, 0));
            if heading.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if heading.starts_with(['>', '<']) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }
}

fn cell(ink: Ink, text: impl ToString) -> Cell {
    let cell = Cell::new(text);
    match ink {
        Ink::Plain => cell,
        Ink::Bold => cell.add_attribute(Attribute::Bold),
        Ink::Dim => cell.add_attribute(Attribute::Dim),
        Ink::Good => cell.fg(Color::Green),
        Ink::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Ink::Warning => cell.fg(Color::Yellow),
    }
}

/// The table as lines without blanks at their ends.
fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Names come from foreign files: what would steer the terminal is shown as `?`.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The name of a column, with a mark on the prediction.
fn name(column: &str, role: Role) -> String {
    match role {
        Role::Feature | Role::Descriptor => clean(column),
        Role::Prediction => format!("{} *", clean(column)),
    }
}

/// Four significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        size if size < 0.0001 => format!("{value:.1e}"),
        size if size < 1.0 => format!("{value:.4}"),
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 100.0 => format!("{value:.2}"),
        size if size < 1000.0 => format!("{value:.1}"),
        size if size < 1e7 => format!("{value:.0}"),
        _ => format!("{value:.3e}"),
    }
}

fn p_value(value: Option<f64>) -> String {
    match value {
        None => "-".to_string(),
        Some(value) if value < 0.0001 => "<0.0001".to_string(),
        Some(value) => format!("{value:.4}"),
    }
}

fn percent(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_string(),
        Some(0.0) => "0 %".to_string(),
        Some(ratio) if ratio < 0.001 => "<0.1 %".to_string(),
        Some(ratio) => format!("{:.1} %", 100.0 * ratio),
    }
}

/// `1234567` as `1,234,567`.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `1,234 rows`.
fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.31234, "0.3123"),
            (0.00012, "0.0001"),
            (0.000_012, "1.2e-5"),
            (1.0, "1.000"),
            (-12.345, "-12.35"),
            (123.45, "123.5"),
            (12_345.6, "12346"),
            (1.5e9, "1.500e9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        let text: Vec<String> = [0, 12, 999, 1000, 1_234_567].into_iter().map(count).collect();
        assert_eq!(text, ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "row"), "1 row");
    }

    #[test]
    fn ratios_and_p_values_do_not_round_to_nothing() {
        assert_eq!(percent(Some(0.0004)), "<0.1 %");
        assert_eq!(percent(Some(0.123)), "12.3 %");
        assert_eq!(p_value(Some(1e-9)), "<0.0001");
        assert_eq!(p_value(Some(0.05)), "0.0500");
        assert_eq!((percent(None), p_value(None)), ("-".to_string(), "-".to_string()));
    }
}
