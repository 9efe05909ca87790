//! A column of the reference whose kind is decided, with the reason in words.
//!
//! Pure; it knows the settings and the gathered values, no batch and no other column.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3;

use super::chunks::{Auto, Rows};
use super::described::Described;
use super::gathered::{Gathered, KeyOrder};
use super::{Compared, Describes, Side, Test};
use crate::batch::{Field, Nature, canonical};
use crate::grid::Grid;
use crate::plan::{self, PlannedColumn};
use crate::profile::{Categories, MISSING, Presence, ReferenceNumbers, UNSEEN};
use crate::report::{Kind, Role};
use crate::settings::{Definition, Settings};
use crate::stats::groups::groups;
use crate::stats::text::DESCRIPTORS;
use crate::stats::{Limit, Method, Points};

/// An integer column with at most this many distinct values is categorical.
const CATEGORICAL_INTEGERS_MAX: usize = 10;

/// Categories that a distribution shows by name.
const NAMES_MAX: usize = 20;

/// A column whose kind is decided.
#[derive(Debug)]
pub struct Judged {
    /// Where it stands in the batches.
    pub position: usize,
    pub name: String,
    role: Role,
    kind: Kind,
    why: String,
    missing: u64,
    data: Data,
    /// Where the reference's own chunks give the thresholds.
    order: Option<Order>,
    describes: Option<Describes>,
}

/// The rows in their order, as they were read.
#[derive(Debug)]
enum Order {
    Numbers(Vec<f64>),
    Keys(KeyOrder),
}

#[derive(Debug)]
enum Data {
    Numbers {
        distinct: Vec<f64>,
        counts: Vec<u64>,
        below: u64,
        above: u64,
        /// What all values were, where these are fewer.
        whole: Option<Whole>,
    },
    /// By falling frequency, then by name.
    Categories(Vec<(String, u64)>),
    Texts {
        sum: u64,
        described: Box<Described>,
    },
    Vectors {
        length: usize,
        sum: u64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Whole {
    distinct: usize,
    hash: u64,
}

impl Data {
    /// Numbers with more values than `points_max` as groups of them, about one and a half times so many.
    fn condensed(self, points_max: usize) -> Data {
        match self {
            Data::Numbers { distinct, counts, below, above, .. } if distinct.len() > points_max => {
                let mut digest = Xxh3::new();
                hash_numbers(&mut digest, &distinct, counts.iter().chain([&below, &above]));
                let whole = Some(Whole { distinct: distinct.len(), hash: digest.digest() });
                let points = Points { values: &distinct, counts: &counts };
                let (distinct, counts) = groups(points, 16.0 / points_max as f64);
                Data::Numbers { distinct, counts, below, above, whole }
            }
            other => other,
        }
    }
}

impl Judged {
    /// `points_max`: of about so many points a numeric column is made, if it has more values.
    pub fn new(
        position: usize,
        field: Field,
        gathered: Gathered,
        role: Role,
        settings: &Settings,
        points_max: usize,
    ) -> Judged {
        let asked = settings.features.get(&field.name).and_then(|feature| feature.kind);
        let free = asked.is_none() && role == Role::Feature;
        let mut order = None;
        let (kind, mut why, missing, data) = match gathered {
            Gathered::Numbers { values } => {
                if plan::auto(settings, &field.name) {
                    order = Some(Order::Numbers(values.clone()));
                }
                let (missing, data) = numerical(values);
                let Data::Numbers { distinct, counts, below, above, .. } = &data else {
                    unreachable!("numbers are numerical");
                };
                let few = distinct.len() <= CATEGORICAL_INTEGERS_MAX && below + above == 0;
                let few = match settings.drift.definition {
                    Definition::Robust => few,
                    // To Evidently integers with gaps are floats, and to NannyML every number is one.
                    Definition::Evidently => few && missing == 0,
                    Definition::Nannyml => false,
                };
                if asked == Some(Kind::Categorical) || (free && field.nature == Nature::Integer && few) {
                    let why = format!("{} with {} distinct values", field.type_name, distinct.len());
                    let named = distinct
                        .iter()
                        .zip(counts)
                        .map(|(value, count)| (canonical(&value.to_string()).into_owned(), *count));
                    (Kind::Categorical, why, missing, Data::Categories(by_frequency(named.collect())))
                } else {
                    let why = format!("{} in the reference", field.type_name);
                    (Kind::Numerical, why, missing, data.condensed(points_max))
                }
            }
            Gathered::Keys { counts, missing, .. }
                if free && field.nature == Nature::Text && is_text(settings, &counts) =>
            {
                let why = format!("text with {} distinct values, more than half its rows", counts.len());
                let described = super::gathered::described(&counts, missing);
                (Kind::Text, why, missing, Data::Texts { sum: super::gathered::sum(&counts), described })
            }
            Gathered::Keys { counts, missing, order: keys } => {
                order = keys.map(Order::Keys);
                let why = format!("{} with {} distinct values", field.type_name, counts.len());
                (Kind::Categorical, why, missing, Data::Categories(by_frequency(counts.into_iter().collect())))
            }
            Gathered::Texts { missing, why, sum, described } => {
                (Kind::Text, why, missing, Data::Texts { sum, described })
            }
            Gathered::Vectors { missing, lengths, sum } => {
                let length = lengths.map_or(0, |(_, longest)| longest);
                let why = format!("lists of {length} floats in the reference");
                (Kind::Embedding, why, missing, Data::Vectors { length, sum })
            }
        };
        if asked == Some(kind) {
            why = format!("kind: {} in the config", kind.name());
        }
        Judged { position, name: field.name, role, kind, why, missing, data, order, describes: None }
    }

    /// The columns that describe this one, if it is one of texts.
    pub fn descriptors(&mut self) -> Vec<Judged> {
        let Data::Texts { described, .. } = &mut self.data else {
            return Vec::new();
        };
        let (numbers, words) = std::mem::take(described.as_mut()).finish();
        let text = &self.name;
        let column = |(which, values): (usize, Vec<f64>)| {
            let (missing, data) = numerical(values);
            Judged {
                position: usize::MAX,
                name: format!("{text}.{}", DESCRIPTORS[which]),
                role: Role::Descriptor,
                kind: Kind::Numerical,
                why: format!("it describes the text `{text}`"),
                missing,
                data,
                order: None,
                describes: Some(Describes { text: text.clone(), which, words: words.clone() }),
            }
        };
        numbers.into_iter().enumerate().map(column).collect()
    }

    /// Of descriptors there is no order, and so no threshold of chunks.
    fn tests(&self, settings: &Settings) -> Vec<(&'static Method, Limit)> {
        let mut tests = plan::tests(settings, &self.name, self.kind, self.distinct());
        if self.role == Role::Descriptor {
            tests.iter_mut().filter(|test| test.1 == Limit::Auto).for_each(|(method, limit)| *limit = method.limit);
        }
        tests
    }

    fn distinct(&self) -> usize {
        match &self.data {
            Data::Numbers { distinct, whole, .. } => whole.map_or(distinct.len(), |whole| whole.distinct),
            Data::Categories(counts) => counts.len(),
            Data::Texts { .. } | Data::Vectors { .. } => 0,
        }
    }

    /// Whether it has fewer points than it had values.
    pub fn is_condensed(&self) -> bool {
        matches!(self.data, Data::Numbers { whole: Some(_), .. })
    }

    pub fn shape(&self) -> plan::Shape {
        match &self.data {
            Data::Numbers { distinct, .. } => plan::Shape::Numbers { distinct: distinct.len() },
            Data::Categories(counts) => plan::Shape::Categories { distinct: counts.len() },
            Data::Texts { .. } | Data::Vectors { .. } => plan::Shape::Presence,
        }
    }

    /// Whether a test reads it in samples of rows.
    pub fn is_sampled(&self, settings: &Settings) -> bool {
        match self.kind {
            Kind::Text | Kind::Embedding => !plan::tests(settings, &self.name, self.kind, self.distinct()).is_empty(),
            Kind::Numerical | Kind::Categorical => {
                self.role == Role::Feature && !settings.drift.multivariate.is_empty()
            }
        }
    }

    pub fn hash(&self, digest: &mut Xxh3) {
        digest.update(self.name.as_bytes());
        digest.update(&self.missing.to_le_bytes());
        match &self.data {
            Data::Numbers { whole: Some(whole), .. } => digest.update(&whole.hash.to_le_bytes()),
            Data::Numbers { distinct, counts, below, above, .. } => {
                hash_numbers(digest, distinct, counts.iter().chain([below, above]));
            }
            Data::Categories(counts) => counts.iter().for_each(|(name, count)| {
                digest.update(name.as_bytes());
                digest.update(&count.to_le_bytes());
            }),
            Data::Texts { sum, .. } | Data::Vectors { sum, .. } => digest.update(&sum.to_le_bytes()),
        }
    }

    /// `rows`: of the whole reference.
    pub fn plan(&self, settings: &Settings, rows: u64) -> PlannedColumn {
        PlannedColumn {
            name: self.name.clone(),
            role: self.role,
            kind: self.kind,
            why: self.why.clone(),
            tests: self.tests(settings),
            distinct: self.distinct() as u64,
            missing_ratio: Some(self.missing as f64 / rows as f64),
        }
    }

    pub fn compare(self, settings: &Settings, rows: u64, resolution: usize) -> Compared {
        let planned = self.tests(settings);
        let side = match self.data {
            Data::Numbers { distinct, counts, below, above, .. } => {
                let grid = Grid::new(&distinct, &counts, (below, above), settings.bins, resolution);
                Side::Numbers(Box::new(ReferenceNumbers::new(grid, distinct, counts, self.missing, below, above)))
            }
            Data::Categories(counts) => {
                let private = settings.features.get(&self.name).is_some_and(|feature| feature.private);
                categories(counts, self.missing, settings.categories_max, private)
            }
            Data::Texts { .. } => Side::Texts(Presence { rows, missing: self.missing }),
            Data::Vectors { length, .. } => {
                Side::Vectors { length, presence: Presence { rows, missing: self.missing } }
            }
        };
        let rows = self.order.and_then(|order| order.rows(&side));
        let auto = if settings.drift.definition == Definition::Nannyml { Auto::nannyml } else { Auto::new };
        let test = |(method, limit): (&'static Method, Limit)| match (limit, &rows) {
            (Limit::Auto, Some(rows)) => Test { method, limit, auto: auto(method, &side, rows) },
            _ => Test { method, limit, auto: None },
        };
        let tests = planned.into_iter().map(test).collect();
        Compared {
            name: self.name,
            role: self.role,
            kind: self.kind,
            tests,
            side,
            slot: None,
            describes: self.describes,
        }
    }
}

impl Order {
    /// Under the codes of the reference's side.
    fn rows(self, side: &Side) -> Option<Rows> {
        match (self, side) {
            (Order::Numbers(values), Side::Numbers(_)) => Some(Rows::Numbers(values)),
            (Order::Numbers(values), Side::Categories { codes, .. }) => {
                let code = |value: f64| match canonical(&value.to_string()).as_ref() {
                    _ if value.is_nan() => MISSING,
                    text => codes.get(text).copied().unwrap_or(UNSEEN),
                };
                Some(Rows::Codes(values.into_iter().map(code).collect()))
            }
            (Order::Keys(keys), Side::Categories { codes, .. }) => Some(Rows::Codes(keys.under(codes))),
            _ => None,
        }
    }
}

/// What Evidently takes as text, where it was not told by the number of values while it was read.
fn is_text(settings: &Settings, counts: &HashMap<String, u64>) -> bool {
    settings.drift.definition == Definition::Evidently && counts.len() as u64 * 2 > counts.values().sum()
}

/// How many values are missing, and the others.
fn numerical(values: Vec<f64>) -> (u64, Data) {
    let count = |of: fn(f64) -> bool| values.iter().filter(|value| of(**value)).count() as u64;
    let missing = count(f64::is_nan);
    let (below, above) = (count(|value| value == f64::NEG_INFINITY), count(|value| value == f64::INFINITY));
    let (distinct, counts) = tally(values);
    (missing, Data::Numbers { distinct, counts, below, above, whole: None })
}

fn hash_numbers<'a>(digest: &mut Xxh3, values: &[f64], counts: impl Iterator<Item = &'a u64>) {
    // Many words at once: the digest takes as long for one.
    let mut bytes = [0; 1024];
    let mut used = 0;
    for word in values.iter().map(|value| value.to_bits()).chain(counts.copied()) {
        bytes[used..used + 8].copy_from_slice(&word.to_le_bytes());
        used += 8;
        if used == bytes.len() {
            digest.update(&bytes);
            used = 0;
        }
    }
    digest.update(&bytes[..used]);
}

/// Sorted distinct finite values and how often each occurs. Whole numbers are sorted faster.
fn tally(mut values: Vec<f64>) -> (Vec<f64>, Vec<u64>) {
    values.retain(|value| value.is_finite());
    let mut bits: Vec<i64> = values.into_iter().map(|value| in_order(value.to_bits() as i64)).collect();
    bits.sort_unstable();
    let runs = bits.chunk_by(|a, b| a == b);
    let mut distinct = Vec::new();
    let mut counts: Vec<u64> = Vec::new();
    for run in runs {
        distinct.push(f64::from_bits(in_order(run[0]) as u64));
        counts.push(run.len() as u64);
    }
    distinct.shrink_to_fit();
    counts.shrink_to_fit();
    (distinct, counts)
}

/// The bits of floats as whole numbers of the same order, and back (IEEE 754, `totalOrder`).
fn in_order(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn by_frequency(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

/// The rarest categories beyond `categories_max` share one last code, `other`. Private ones are told by their rank.
fn categories(counts: Vec<(String, u64)>, missing: u64, categories_max: usize, private: bool) -> Side {
    let apart = counts.len().min(categories_max);
    let mut profile = Categories::new(apart + usize::from(counts.len() > apart));
    let name = |(rank, name): (usize, &String)| if private { format!("#{}", rank + 1) } else { name.clone() };
    let names = counts.iter().map(|(name, _)| name).enumerate().take(apart.min(NAMES_MAX)).map(name).collect();
    let mut codes = HashMap::with_capacity(counts.len());
    for (rank, (name, count)) in counts.into_iter().enumerate() {
        let code = rank.min(apart);
        profile.count(code as u32, count);
        codes.insert(name, code as u32);
    }
    profile.count(MISSING, missing);
    Side::Categories { codes, names, profile }
}
