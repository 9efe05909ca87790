//! A problem: one mistake in a config file, as a person wants to be told of it.
//!
//! This file knows no YAML and no key; it opens no file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Broken;
use super::raw::Place;

/// Problems that are told of one file; who mends these sees the rest.
const SHOWN_MAX: usize = 100;

/// Characters of a line that are shown.
const LINE_MAX: usize = 120;

/// A word with more characters resembles no name.
const WORD_MAX: usize = 64;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The model it belongs to, by its name or, lacking one, as `models[2]`; `None`: the whole file.
    pub model: Option<String>,
    pub place: Place,
    /// `models[0].features.price.threshold`; empty where the file as a whole is meant.
    pub key: String,
    /// What was found there, as the end of a sentence.
    pub found: String,
    /// Empty where there is nothing to choose from.
    pub allowed: String,
    /// What to do; empty where `allowed` says it.
    pub advice: String,
    /// The line of the file.
    pub line: String,
}

impl Problem {
    /// In a few words, for where the file is not at hand.
    fn brief(&self) -> String {
        let words = format!("line {}: {}: {}", self.place.line, self.key, self.found);
        match self.allowed.as_str() {
            "" => words,
            allowed => format!("{words} (allowed: {allowed})"),
        }
    }
}

/// The mistakes of one file, in the order of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    pub file: PathBuf,
    pub list: Vec<Problem>,
}

impl Problems {
    pub fn new(file: &Path, mut list: Vec<Problem>) -> Problems {
        list.sort_by_key(|problem| problem.place);
        Problems { file: file.to_path_buf(), list }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The models that have problems, each once.
    pub fn broken(&self) -> Vec<Broken> {
        let mut models: Vec<Broken> = Vec::new();
        for problem in &self.list {
            let Some(name) = &problem.model else { continue };
            match models.iter_mut().find(|model| model.name == *name) {
                Some(model) => model.problem += &format!("; {}", problem.brief()),
                None => models.push(Broken { name: name.clone(), problem: problem.brief() }),
            }
        }
        models
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.list.iter().take(SHOWN_MAX).enumerate() {
            if position > 0 {
                f.write_str("\n\n")?;
            }
            write_problem(f, &self.file, problem)?;
        }
        if self.list.len() > SHOWN_MAX {
            write!(f, "\n\nand {} problems more", self.list.len() - SHOWN_MAX)?;
        }
        Ok(())
    }
}

fn write_problem(f: &mut fmt::Formatter<'_>, file: &Path, problem: &Problem) -> fmt::Result {
    write!(f, "{}:", file.display())?;
    let Place { line, column, width } = problem.place;
    if line > 0 {
        write!(f, "{line}:{column}:")?;
    }
    if !problem.key.is_empty() {
        write!(f, " {}:", problem.key)?;
    }
    write!(f, " {}", problem.found)?;
    if !problem.line.trim().is_empty() {
        // Of a long line, the part around the mark.
        let before = column.saturating_sub(1);
        let from = if before < LINE_MAX { 0 } else { before - LINE_MAX / 2 };
        let part: String = problem.line.chars().skip(from).take(LINE_MAX).collect();
        let indent = part.chars().take(before - from);
        let indent: String = indent.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let room = part.chars().count().saturating_sub(before - from);
        let marks = "^".repeat(width.clamp(1, room.max(1)));
        write!(f, "\n  {line:>4} | {part}\n       | {indent}{marks}")?;
    }
    if !problem.allowed.is_empty() {
        write!(f, "\n       allowed: {}", problem.allowed)?;
    }
    if !problem.advice.is_empty() {
        write!(f, "\n       {}", problem.advice)?;
    }
    Ok(())
}

/// The name of the list that was probably meant: the nearest by single-letter edits, if it is near at all.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > WORD_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (edits(&word, &name.to_lowercase()), name))
        .filter(|&(edits, _)| edits <= limit)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, name)| name)
}

/// Letters to insert, drop, replace or swap with their neighbour, to make one word the other (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swapped = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                replaced.min(swapped).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = ["ks", "wasserstein", "psi", "jensen_shannon", "chi_square"];
        assert_eq!(nearest("waserstein", names), Some("wasserstein"));
        assert_eq!(nearest("Wasserstien", names), Some("wasserstein"));
        assert_eq!(nearest("jensen-shannon", names), Some("jensen_shannon"));
        assert_eq!(nearest("spi", names), Some("psi"));
        assert_eq!(nearest("mahalanobis", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let line = format!("{}VALUE{}", "a".repeat(500), "b".repeat(500));
        let problem = Problem { place: Place { line: 1, column: 501, width: 5 }, line, ..problem() };
        let text = Problems::new(Path::new("c.yaml"), vec![problem]).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].chars().count(), "     1 | ".len() + LINE_MAX);
        let start = lines[2].find('^').unwrap();
        assert_eq!(&lines[1][start..start + 5], "VALUE");
        assert!(lines[2].ends_with(" ^^^^^"));
    }

    #[test]
    fn more_problems_than_anybody_reads_are_counted() {
        let text = Problems::new(Path::new("c.yaml"), vec![problem(); 103]).to_string();
        assert!(text.ends_with("and 3 problems more"), "{text}");
    }

    fn problem() -> Problem {
        Problem {
            model: None,
            place: Place { line: 7, column: 4, width: 99 },
            key: "listen".into(),
            found: "found `x`".into(),
            allowed: "an address".into(),
            advice: String::new(),
            line: "a: xyz".into(),
        }
    }

    #[test]
    fn edits_count_a_swap_of_neighbours_once() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("psi", "spi"), 1);
    }

    #[test]
    fn the_mark_stands_under_the_value_and_stays_within_the_line() {
        let problem = problem();
        let text = Problems::new(Path::new("c.yaml"), vec![problem]).to_string();
        assert_eq!(text, "c.yaml:7:4: listen: found `x`\n     7 | a: xyz\n       |    ^^^\n       allowed: an address");
    }
}
