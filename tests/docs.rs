//! docs/statistics.md says what the code does: its methods, their limits, and what they make of a drift that is known.
//! `UPDATE_GOLDEN=1` writes its tables anew.

use std::collections::BTreeSet;
use std::fmt::Write;

use drift_sidecar::stats::noise::{Levels, Null};
use drift_sidecar::stats::{Bins, Cells, Limit, METHODS, Method, Moments, Points, Sides};
use statrs::distribution::{ContinuousCDF, Normal};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/statistics.md");

fn page() -> String {
    std::fs::read_to_string(PATH).unwrap()
}

/// As people write it: `0.1`, or `p < 0.05` where the p-value decides.
fn limit(limit: Limit) -> String {
    match limit {
        Limit::Score(score) => score.to_string(),
        Limit::Alpha(alpha) => format!("p < {alpha}"),
        Limit::Auto => "auto".to_string(),
    }
}

/// Three significant digits, at most four decimals.
fn short(value: f64) -> String {
    if value.abs() < 5e-5 {
        return "0".to_string();
    }
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 4.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// `None` where the score is not defined.
fn noise(method: &Method, sides: &Sides, null: &Null, levels: &mut Levels) -> Option<f64> {
    match method.noise {
        Some(_) => levels.level(method, null),
        None => (method.test)(sides).ok()?.noise,
    }
}

/// The score, in bold where it is drift; `-` where it is not defined.
fn told(method: &Method, limit: Limit, sides: &Sides, null: &Null, levels: &mut Levels) -> String {
    let Ok(outcome) = (method.test)(sides) else {
        return "-".to_string();
    };
    let drifted = match limit {
        Limit::Alpha(alpha) => outcome.p_value.is_some_and(|p| p < alpha),
        Limit::Score(limit) => {
            outcome.score >= limit && noise(method, sides, null, levels).is_none_or(|noise| outcome.score > noise)
        }
        Limit::Auto => false,
    };
    let score = short(outcome.score);
    if drifted { format!("**{score}**") } else { score }
}

fn row(method: &Method, own: Limit, cells: impl Iterator<Item = String>) -> String {
    format!("| `{}` | {} | {} |\n", method.name, limit(own), cells.collect::<Vec<_>>().join(" | "))
}

fn overview() -> String {
    let mut table = String::from("| method | default limit | p-value | the score |\n|---|---|---|---|\n");
    for method in METHODS {
        let p_value = if method.has_p_value { "yes" } else { "" };
        let _ = writeln!(
            table,
            "| [`{0}`](#{0}) | {1} | {p_value} | {2} |",
            method.name,
            limit(method.limit),
            method.about
        );
    }
    table
}

/// So many values that lie as evenly as a normal distribution's can: no luck in them.
fn normal(rows: usize, shift: f64, spread: f64) -> Vec<f64> {
    let normal = Normal::standard();
    (0..rows).map(|i| shift + spread * normal.inverse_cdf((i as f64 + 0.5) / rows as f64)).collect()
}

struct Numbers {
    values: Vec<f64>,
    bins: Vec<u64>,
    moments: Moments,
}

impl Numbers {
    fn new(values: Vec<f64>, edges: &[f64]) -> Numbers {
        let mut bins = vec![0; edges.len() + 1];
        values.iter().for_each(|value| bins[edges.partition_point(|edge| edge < value)] += 1);
        let moments = Moments::of(&values);
        Numbers { values, bins, moments }
    }

    /// Shared cells: the values of both sides, and how often each has them.
    fn beside(&self, current: &Numbers) -> (Vec<f64>, [Vec<u64>; 2]) {
        let ours = self.values.iter().map(|value| (*value, [1, 0]));
        let mut all: Vec<(f64, [u64; 2])> = ours.chain(current.values.iter().map(|value| (*value, [0, 1]))).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let counts = [0, 1].map(|side| all.iter().map(|cell| cell.1[side]).collect());
        (all.into_iter().map(|cell| cell.0).collect(), counts)
    }
}

fn of_bins<'a>(reference: &'a [u64], current: &'a [u64]) -> Sides<'a> {
    Sides { bins: Bins { reference, current, ..Bins::default() }, ..Sides::default() }
}

/// A normal column of 10 000 rows in ten bins, and its windows.
struct Normals {
    edges: Vec<f64>,
    reference: Numbers,
    ones: Vec<u64>,
}

impl Normals {
    fn new() -> Normals {
        let values = normal(10_000, 0.0, 1.0);
        let edges: Vec<f64> = (1..10).map(|i| values[i * 1000 - 1]).collect();
        let ones = vec![1; values.len()];
        Normals { reference: Numbers::new(values, &edges), edges, ones }
    }

    fn beside<T>(&self, window: Vec<f64>, each: impl FnOnce(&Sides, &Null) -> T) -> T {
        let rows = window.len() as u64;
        let window = Numbers::new(window, &self.edges);
        let (values, [ours, theirs]) = self.reference.beside(&window);
        let (reference, current) =
            (Points { values: &values, counts: &ours }, Points { values: &values, counts: &theirs });
        let sides = Sides {
            cells: Some(Cells { reference, current }),
            moments: Some([self.reference.moments, window.moments]),
            ..of_bins(&self.reference.bins, &window.bins)
        };
        let null = Null {
            bins: &self.reference.bins,
            points: Some(Points { values: &self.reference.values, counts: &self.ones }),
            moments: self.reference.moments,
            rows,
            point_rows: rows,
        };
        each(&sides, &null)
    }
}

fn numbers() -> String {
    let normals = Normals::new();
    let mut far = normal(1000, 0.0, 1.0);
    far[..10].fill(50.0);
    let windows = [normal(1000, 0.1, 1.0), normal(1000, 0.3, 1.0), normal(1000, 1.0, 1.0), normal(1000, 0.0, 1.5), far];
    let mut levels = Levels::default();
    let mut table = String::from(
        "| method | limit | mean + 0.1 s | mean + 0.3 s | mean + 1 s | spread x 1.5 | 1 % of the rows at 50 s |\n|---|---|---|---|---|---|---|\n",
    );
    for method in METHODS.iter().filter(|method| method.numerical) {
        let scores = windows.iter().map(|window| {
            normals.beside(window.clone(), |sides, null| told(method, method.limit, sides, null, &mut levels))
        });
        table += &row(method, method.limit, scores);
    }
    table
}

/// Categories, the last of them unseen, and a column of two values.
const THREE: [u64; 4] = [5000, 3000, 2000, 0];
const TWO: [u64; 2] = [5000, 5000];

fn of_counts<'a>(bins: &'a [u64], window: &'a [u64]) -> (Sides<'a>, Null<'a>) {
    let rows = window.iter().sum();
    (of_bins(bins, window), Null { bins, points: None, moments: Moments::default(), rows, point_rows: rows })
}

fn categories() -> String {
    let windows: [[u64; 4]; 4] = [[450, 350, 200, 0], [400, 400, 200, 0], [300, 500, 200, 0], [450, 270, 180, 100]];
    // A column of two bins is not taken for one of four.
    let mut levels = Levels::default();
    let mut table = String::from(
        "| method | limit | 5 % from a to b | 10 % from a to b | 20 % from a to b | 10 % unseen | of two values, 10 % |\n|---|---|---|---|---|---|---|\n",
    );
    for method in METHODS.iter().filter(|method| method.categorical) {
        let own = method.limit_among(3);
        let of_three = windows.iter().map(|window| of_counts(&THREE, window));
        let all = of_three.chain([of_counts(&TWO, &[400, 600])]);
        table += &row(method, own, all.map(|(sides, null)| told(method, own, &sides, &null, &mut levels)));
    }
    table
}

/// Of windows of 100, 1000 and 10 000 rows beside 10 000; of the normal column, or of categories, three where they may be.
fn noises() -> String {
    let normals = Normals::new();
    let mut levels = Levels::default();
    let mut table = String::from("| method | limit | 100 rows | 1000 rows | 10 000 rows |\n|---|---|---|---|---|\n");
    for method in METHODS.iter().filter(|method| method.numerical || method.categorical) {
        let found = [1, 10, 100].map(|times| {
            let three: Vec<u64> = THREE.iter().map(|count| count / 100 * times).collect();
            let two: Vec<u64> = TWO.iter().map(|count| count / 100 * times).collect();
            let level = if method.numerical {
                normals.beside(normal(100 * times as usize, 0.0, 1.0), |sides, null| {
                    noise(method, sides, null, &mut levels)
                })
            } else {
                [of_counts(&THREE, &three), of_counts(&TWO, &two)]
                    .iter()
                    .find_map(|(sides, null)| noise(method, sides, null, &mut levels))
            };
            level.map_or("-".to_string(), short)
        });
        table += &row(method, method.limit, found.into_iter());
    }
    table
}

#[test]
fn the_tables_are_what_the_code_gives() {
    let before = page();
    let mut page = before.clone();
    for (name, table) in
        [("methods", overview()), ("numbers", numbers()), ("categories", categories()), ("noise", noises())]
    {
        let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
        let from = page.find(&begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len();
        let to = from + page[from..].find(&end).unwrap_or_else(|| panic!("no {end}"));
        page.replace_range(from..to, &table);
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PATH, page).unwrap();
        return;
    }
    assert!(page == before, "docs/statistics.md is behind the code: run `UPDATE_GOLDEN=1 cargo test --test docs`");
}

#[test]
fn every_method_has_its_section_with_its_limit_and_no_other_has() {
    let page = page();
    let mut sections: Vec<(&str, &str)> = Vec::new();
    for section in page.split("\n### `").skip(1) {
        let (name, text) = section.split_once("`\n").expect("a heading is one name");
        sections.push((name, text.split("\n## ").next().unwrap_or(text)));
    }
    let told: BTreeSet<&str> = sections.iter().map(|section| section.0).collect();
    assert_eq!(told.len(), sections.len(), "a method has one section");
    let known: BTreeSet<&str> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(told, known);
    for method in METHODS {
        let text = sections.iter().find(|section| section.0 == method.name).map_or("", |section| section.1);
        let said = format!("**Limit {}**", limit(method.limit));
        assert!(text.contains(&said), "the section of `{}` has no {said}", method.name);
    }
}

/// What stands in single backticks, outside code blocks.
fn quoted(page: &str) -> BTreeSet<&str> {
    let prose = page.split("\n```").step_by(2);
    prose.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_config_keys_that_it_names_exist() {
    const CONFIG: &str = include_str!("../config/sidecar.yaml");
    let is_key =
        |key: &str| CONFIG.lines().any(|line| line.trim_start_matches([' ', '#', '-']).starts_with(&format!("{key}:")));
    let page = page();
    for name in quoted(&page) {
        let of_drift = name.strip_prefix("drift.").or(name.strip_prefix("features.NAME."));
        let with_value = name.split_once(": ").map(|(key, _)| key).filter(|key| !key.contains(' '));
        if let Some(key) = of_drift.or(with_value) {
            assert!(is_key(key), "`{name}`: the config has no such key");
        }
    }
}
