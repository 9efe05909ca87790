//! A text classifier of one JSON file: multinomial logistic regression on the words of a product.
//!
//! A word counts once, however often it is there; words that the model has never seen count nothing. The score of a
//! class is softmax(bias + the sum of the known words' weights).

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

/// Why a file is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{file} cannot be read")]
    Read { file: String, source: std::io::Error },
    #[error("{file} is no model: {source}")]
    Json { file: String, source: serde_json::Error },
    #[error("{file} is no model: {problem}")]
    Shape { file: String, problem: String },
}

/// The file as it is written by the training.
#[derive(Debug, Deserialize)]
struct Raw {
    format: u32,
    version: String,
    trained_at: String,
    classes: Vec<String>,
    vocabulary: Vec<String>,
    /// A row a word, a column a class.
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
}

/// A model in memory.
#[derive(Debug)]
pub struct Model {
    pub version: String,
    pub trained_at: String,
    /// What it can predict.
    pub classes: Vec<String>,
    words: HashMap<String, usize>,
    /// The words' rows, one after the other.
    weights: Vec<f64>,
    bias: Vec<f64>,
}

/// What a model says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction<'m> {
    pub class: &'m str,
    /// The class's probability, 0 to 1.
    pub score: f64,
    /// Share of the text's words that the model knows, 0 to 1; 0 for a text without words.
    pub known_words_ratio: f64,
}

impl Model {
    /// Reads and checks a model file.
    pub fn load(path: &Path) -> Result<Model, ModelError> {
        let file = || path.display().to_string();
        let text = std::fs::read(path).map_err(|source| ModelError::Read { file: file(), source })?;
        Model::parse(&text).map_err(|error| match error {
            Fault::Json(source) => ModelError::Json { file: file(), source },
            Fault::Shape(problem) => ModelError::Shape { file: file(), problem },
        })
    }

    fn parse(text: &[u8]) -> Result<Model, Fault> {
        let raw: Raw = serde_json::from_slice(text).map_err(Fault::Json)?;
        raw.check().map_err(Fault::Shape)?;
        let words = raw.vocabulary.into_iter().enumerate().map(|(row, word)| (word, row)).collect();
        Ok(Model {
            version: raw.version,
            trained_at: raw.trained_at,
            classes: raw.classes,
            words,
            weights: raw.weights.concat(),
            bias: raw.bias,
        })
    }

    /// The class of a product's texts taken together.
    pub fn predict(&self, designation: &str, description: &str) -> Prediction<'_> {
        let text: Vec<String> = [designation, description].into_iter().flat_map(words).collect();
        let mut known: Vec<usize> = text.iter().filter_map(|word| self.words.get(word)).copied().collect();
        let known_words_ratio = known.len() as f64 / text.len().max(1) as f64;
        known.sort_unstable();
        known.dedup();
        let mut scores = self.bias.clone();
        for row in known {
            let weights = &self.weights[row * scores.len()..(row + 1) * scores.len()];
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight);
        }
        // The last of equals would depend on nothing that people see: the first class wins.
        let best = (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best });
        let total: f64 = scores.iter().map(|score| (score - scores[best]).exp()).sum();
        Prediction { class: &self.classes[best], score: 1.0 / total, known_words_ratio }
    }

    pub fn knows(&self, class: &str) -> bool {
        self.classes.iter().any(|known| known == class)
    }
}

enum Fault {
    Json(serde_json::Error),
    Shape(String),
}

impl Raw {
    fn check(&self) -> Result<(), String> {
        let (classes, words) = (self.classes.len(), self.vocabulary.len());
        let unique = |names: &[String]| names.iter().collect::<std::collections::HashSet<_>>().len() == names.len();
        if self.format != 1 {
            return Err(format!("its format is {}; this program reads 1", self.format));
        }
        if classes < 2 || !unique(&self.classes) {
            return Err(format!("it has {classes} classes; two or more, all different, are needed"));
        }
        if !unique(&self.vocabulary) {
            return Err("a word is there twice".to_string());
        }
        if self.bias.len() != classes || self.weights.len() != words {
            let (bias, rows) = (self.bias.len(), self.weights.len());
            return Err(format!("{classes} classes and {words} words, but {bias} biases and {rows} rows of weights"));
        }
        if let Some(row) = self.weights.iter().position(|row| row.len() != classes) {
            return Err(format!("row {row} has {} weights for {classes} classes", self.weights[row].len()));
        }
        if self.weights.iter().flatten().chain(&self.bias).any(|weight| !weight.is_finite()) {
            return Err("a weight is no finite number".to_string());
        }
        Ok(())
    }
}

/// How many words a text has.
pub fn word_count(text: &str) -> usize {
    words(text).len()
}

/// Runs of letters and digits, in lower case, in their order. The training splits texts in the same way.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_string).collect()
}
