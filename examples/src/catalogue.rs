//! A made-up shop: products of 27 types in French, English and German, whose seasons change.
//!
//! Each type has words of its own for the old season and others for the new one. `drift` is the share of products of the
//! new season: a model that learned the old words meets ever fewer words that it knows. Some products are described with
//! a neighbouring type's words, so that no model is right about all of them.

use std::sync::LazyLock;

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

const WORDS: &str = include_str!("catalogue.txt");

/// Share of products in each language; the words' order.
const LANGUAGES: [f64; 3] = [0.5, 0.3, 0.2];

/// Words that say nothing of the type, by language.
const FILLERS: [&[&str]; 3] = [
    &["avec", "pour", "neuf", "livraison", "qualité", "grand", "petit", "noir", "blanc", "idéal", "cadeau", "facile"],
    &["with", "for", "new", "delivery", "quality", "large", "small", "black", "white", "ideal", "gift", "easy"],
    &["mit", "für", "neu", "lieferung", "qualität", "groß", "klein", "schwarz", "weiß", "ideal", "geschenk", "einfach"],
];

const BRANDS: &[&str] = &["Norvik", "Lumea", "Castor", "Tessel", "Okapi", "Branta", "Solène", "Zweig"];

/// Share of products that have a neighbouring type's words.
const AMBIGUOUS: f64 = 0.07;
/// Share of products without a description.
const UNDESCRIBED: f64 = 0.3;

/// A product and its true type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The type's code, as text.
    pub class: &'static str,
    /// The short text: a few words, a brand, sometimes a size.
    pub designation: String,
    /// The long text; many products have none.
    pub description: Option<String>,
}

/// A type: its code, and its words by season and language.
#[derive(Debug)]
struct Type {
    code: &'static str,
    words: [[Vec<&'static str>; 3]; 2],
}

static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    let lines = WORDS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| Type::parse(line).expect("a line of catalogue.txt is `code | fr / en / de | fr / en / de`"))
        .collect()
});

impl Type {
    fn parse(line: &'static str) -> Option<Type> {
        let mut parts = line.split('|').map(str::trim);
        let code = parts.next()?;
        let mut season = || {
            let mut languages = parts.next()?.split('/').map(|words| words.split_whitespace().collect());
            Some([languages.next()?, languages.next()?, languages.next()?])
        };
        Some(Type { code, words: [season()?, season()?] })
    }
}

/// The codes of all types.
pub fn classes() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|each| each.code)
}

/// Products without end; the same seed gives the same ones.
#[derive(Debug)]
pub struct Catalogue {
    random: Pcg64,
}

impl Catalogue {
    pub fn new(seed: u64) -> Catalogue {
        Catalogue { random: Pcg64::seed_from_u64(seed) }
    }

    /// The next product; with probability `drift` (0 to 1) it is of the new season.
    pub fn product(&mut self, drift: f64) -> Product {
        let random = &mut self.random;
        let season = usize::from(random.random_bool(drift));
        let language = one_of(random, &LANGUAGES);
        // Some types sell better than others.
        let kind = random.random_range(0..TYPES.len()).max(random.random_range(0..TYPES.len()));
        let shown = if random.random_bool(AMBIGUOUS) { (kind + 1) % TYPES.len() } else { kind };
        let words = &TYPES[shown].words[season][language];
        let designation = text(random, words, FILLERS[language], 2, 1, true);
        let described = !random.random_bool(UNDESCRIBED);
        let description = described.then(|| {
            let (own, other) = (random.random_range(2..=4), random.random_range(3..=9));
            text(random, words, FILLERS[language], own, other, false)
        });
        Product { class: TYPES[kind].code, designation, description }
    }
}

/// The index of a weight, drawn in proportion to it; the weights' sum is 1.
fn one_of(random: &mut impl Rng, weights: &[f64]) -> usize {
    let mut left: f64 = random.random();
    weights
        .iter()
        .position(|weight| {
            left -= weight;
            left < 0.0
        })
        .unwrap_or(weights.len() - 1)
}

fn text(random: &mut impl Rng, words: &[&str], fillers: &[&str], own: usize, other: usize, brand: bool) -> String {
    let mut text: Vec<&str> = (0..own).map(|_| words[random.random_range(0..words.len())]).collect();
    text.extend((0..other).map(|_| fillers[random.random_range(0..fillers.len())]));
    if brand {
        text.push(BRANDS[random.random_range(0..BRANDS.len())]);
    }
    let mut text = text.join(" ");
    if brand && random.random_bool(0.3) {
        text.push_str(&format!(" {} cm", 5 * random.random_range(1..40)));
    }
    text
}
