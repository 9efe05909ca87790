//! The definitions `evidently` and `nannyml` give those tools' own numbers on some hundred columns: `tests/golden/definitions.py`
//! wrote down what the tools say, and the samples are made again here.
//!
//! Cells and bins are built from raw values in the plainest way, with nothing from the program but `stats`.

#[path = "support/samples.rs"]
mod samples;

use std::collections::BTreeMap;

use drift_sidecar::stats::{Bins, Cells, Limit, Method, Moments, Outcome, Points, Sides, evidently, nannyml};
use samples::Sample;
use serde::Deserialize;

const SCRIPT: &str = include_str!("golden/definitions.py");

#[derive(Deserialize)]
struct Golden<Expected> {
    script: String,
    columns: Vec<Case<Expected>>,
}

#[derive(Deserialize)]
struct Case<Expected> {
    name: String,
    categorical: bool,
    reference: Sample,
    current: Sample,
    /// Evidently's choice; none where a side is empty.
    default: Option<String>,
    /// By method; `None` where the tool gives no number.
    expected: BTreeMap<String, Option<Expected>>,
}

#[derive(Deserialize)]
struct Judged {
    score: Option<f64>,
    threshold: Option<f64>,
    p_value: Option<f64>,
    drifted: Option<bool>,
}

fn golden<Expected: serde::de::DeserializeOwned>(text: &str) -> Golden<Expected> {
    let golden: Golden<Expected> = serde_json::from_str(text).expect("what tests/golden/definitions.py writes");
    let digest = SCRIPT
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!(golden.script, format!("{digest:016x}"), "definitions.py has changed: run it again for both tools");
    golden
}

#[test]
fn numbers_are_those_of_evidently() {
    let golden = golden::<f64>(include_str!("golden/evidently.json"));
    let mut failures = Vec::new();
    for case in &golden.columns {
        let column = Column::of(
            case.categorical,
            &values(&case.reference, case.categorical),
            &values(&case.current, case.categorical),
        );
        let sides = column.sides();
        let empty = case.default.is_none();
        if let Some(default) = &case.default {
            let chosen = evidently::choose(&sides).name;
            if chosen != default {
                failures.push(format!("{}: {chosen} is chosen, not {default}", case.name));
            }
        }
        for method in evidently::METHODS
            .iter()
            .filter(|method| if case.categorical { method.categorical } else { method.numerical })
        {
            let ours = (method.test)(&sides).ok().filter(|outcome| outcome.score.is_finite());
            let theirs = case.expected.get(method.name).copied().flatten();
            if let Some(why) = evidently_exception(case, method.name, theirs) {
                assert!(!why.is_empty());
                continue;
            }
            if (empty && ours.is_some()) || !evidently_agrees(method, ours, theirs) {
                failures.push(format!("{}: {} is {ours:?}, not {theirs:?}", case.name, method.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} columns:\n{}", failures.len(), golden.columns.len(), failures.join("\n"));
}

fn evidently_agrees(method: &Method, ours: Option<Outcome>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => match ours.p_value {
            Some(p) => p_values_agree(method.name, p, theirs),
            None => scores_agree(method.name, ours.score, theirs),
        },
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    }
}

/// Where our number is not Evidently's, and why.
fn evidently_exception(case: &Case<f64>, method: &str, theirs: Option<f64>) -> Option<&'static str> {
    let sizes = [case.reference.rows, case.current.rows];
    let unequal = sizes[0] != sizes[1] || case.reference.kind == "gaps";
    let tied = !["bell", "uniform", "heavy"].contains(&case.reference.kind.as_str())
        || !["bell", "uniform", "heavy"].contains(&case.current.kind.as_str());
    let constant = |side: &Sample| side.kind == "constant" || side.rows == 1;
    match method {
        "mann_whitney" => Some("theirs is one-sided: there is a test of its own"),
        "g_test" | "fisher_exact" if unequal && theirs.is_none() => Some("theirs raises for sides of unequal size"),
        "chi_square" if case.reference.b == 1.0 && case.current.b == 1.0 => {
            Some("theirs compares rounding with zero degrees of freedom: p is 0 or not a number")
        }
        "z_test" if case.reference.b > 2.0 || case.current.b > 2.0 => Some("theirs tests one value of many"),
        "cramer_von_mises" if tied => Some("theirs grows with ties, drift or no drift"),
        "cramer_von_mises" if theirs.is_none() && sizes.iter().all(|rows| (2..=20).contains(rows)) => {
            Some("theirs fails by an overflow for few rows of unequal number")
        }
        "t_test" | "epps_singleton" if constant(&case.reference) && constant(&case.current) && theirs == Some(0.0) => {
            Some("two constants have no spread to measure by; theirs is p = 0")
        }
        _ => None,
    }
}

/// Two times theirs, or two times what is left, where no correction for continuity tells the sides apart.
#[test]
fn mann_whitney_is_twice_the_smaller_tail_of_evidently() {
    let golden = golden::<f64>(include_str!("golden/evidently.json"));
    let large =
        golden.columns.iter().filter(|case| !case.categorical && case.reference.rows.min(case.current.rows) >= 1000);
    let mut seen = 0;
    for case in large {
        let column = Column::of(false, &case.reference.values(), &case.current.values());
        let method = evidently::METHODS.iter().find(|method| method.name == "mann_whitney").expect("a method");
        let ours = (method.test)(&column.sides()).ok().and_then(|outcome| outcome.p_value);
        let theirs = case.expected.get("mann_whitney").copied().flatten();
        // A constant's tail is 1 on either side.
        if let (Some(ours), Some(theirs)) = (ours, theirs.filter(|theirs| *theirs < 1.0)) {
            let twice = 2.0 * theirs.min(1.0 - theirs);
            assert!((ours - twice).abs() <= (1e-3 * twice).max(1e-12), "{}: {ours}, not {twice}", case.name);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn numbers_and_thresholds_are_those_of_nannyml() {
    let golden = golden::<Judged>(include_str!("golden/nannyml.json"));
    let mut failures = Vec::new();
    for case in &golden.columns {
        let (reference, current) = (values(&case.reference, case.categorical), values(&case.current, case.categorical));
        let column = Column::of(case.categorical, &reference, &current);
        for method in nannyml::METHODS
            .iter()
            .filter(|method| if case.categorical { method.categorical } else { method.numerical })
        {
            let ours = (method.test)(&column.sides()).ok().filter(|outcome| outcome.score.is_finite());
            let theirs = case.expected.get(method.name).and_then(Option::as_ref);
            let mut fail = |what: &str| {
                let theirs = theirs.map(|theirs| (theirs.score, theirs.p_value, theirs.threshold, theirs.drifted));
                failures.push(format!("{}: {what} of {}: {ours:?}, not {theirs:?}", case.name, method.name));
            };
            if method.name == "ks" && case.reference.kind == "infinite" && case.reference.rows >= 10_000 {
                // Theirs is always 0: infinities make all bins of the reference undefined.
                assert!(ours.is_none() && theirs.is_some_and(|theirs| theirs.score == Some(0.0)), "{}", case.name);
                continue;
            }
            let (Some(ours), Some(theirs), Some(score)) = (ours, theirs, theirs.and_then(|theirs| theirs.score)) else {
                if ours.is_some() || theirs.is_some_and(|theirs| theirs.score.is_some()) {
                    fail("a number on one side only");
                }
                continue;
            };
            if !scores_agree(method.name, ours.score, score)
                || ours.p_value.zip(theirs.p_value).is_some_and(|(p, q)| !p_values_agree(method.name, p, q))
            {
                fail("score");
            }
            if case.reference.rows < nannyml::CHUNKS as u64 {
                continue;
            }
            let (threshold, drifted) = match method.limit {
                Limit::Alpha(alpha) => (None, ours.p_value.map(|p| p < alpha)),
                _ => {
                    let threshold = threshold(method, case.categorical, &reference);
                    (threshold, threshold.map(|threshold| ours.score >= threshold))
                }
            };
            if threshold.is_some() != theirs.threshold.is_some()
                || threshold.zip(theirs.threshold).is_some_and(|(t, u)| !scores_agree(method.name, t, u))
            {
                fail(&format!("threshold {threshold:?}"));
            }
            // Two numbers that are equal but for rounding have no order.
            let close = theirs.threshold.is_some_and(|threshold| (threshold - score).abs() < 1e-7);
            if drifted != theirs.drifted && !close {
                fail("verdict");
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} columns:\n{}", failures.len(), golden.columns.len(), failures.join("\n"));
}

/// From chunks of the reference in the order of its rows.
fn threshold(method: &Method, categorical: bool, reference: &[f64]) -> Option<f64> {
    let chunks = reference.chunks(reference.len() / nannyml::CHUNKS);
    let scores: Vec<f64> = chunks
        .map(|chunk| {
            let column = Column::of(categorical, reference, chunk);
            (method.test)(&column.sides()).map_or(f64::NAN, |outcome| outcome.score)
        })
        .collect();
    nannyml::threshold(method, &scores)
}

/// Scores agree to a billionth. The root of a small difference is as precise as its square.
fn scores_agree(method: &str, ours: f64, theirs: f64) -> bool {
    let root = ["jensen_shannon", "hellinger"].contains(&method);
    let apart = if root { (ours * ours - theirs * theirs).abs() } else { (ours - theirs).abs() };
    ours == theirs || (ours - theirs).abs() <= 1e-9 * theirs.abs() || apart <= 2e-14
}

/// p-values agree to a millionth, down to where theirs are differences of numbers near 1.
fn p_values_agree(method: &str, ours: f64, theirs: f64) -> bool {
    let absolute = match method {
        "z_test" => 1e-15,
        // Their series stops at terms of 1e-7.
        "cramer_von_mises" => 1e-6,
        _ => 1e-250,
    };
    ours == theirs || (ours - theirs).abs() <= (1e-6 * theirs).max(absolute)
}

/// Every tenth value of a categorical column with gaps is missing, as definitions.py has it.
fn values(sample: &Sample, categorical: bool) -> Vec<f64> {
    if !categorical {
        return sample.values();
    }
    let gaps = sample.kind == "gaps";
    let values = Sample { kind: "skewed".to_string(), ..sample.clone() }.values();
    values.into_iter().enumerate().map(|(i, value)| if gaps && i % 10 == 3 { f64::NAN } else { value }).collect()
}

/// One column on shared cells, or in bins of one category each.
struct Column {
    values: Vec<f64>,
    cells: [Vec<u64>; 2],
    bins: [Vec<u64>; 2],
    missing: bool,
    unseen: Vec<u64>,
    moments: Option<[Moments; 2]>,
}

impl Column {
    fn of(categorical: bool, reference: &[f64], current: &[f64]) -> Column {
        let sides = [reference, current].map(|side| {
            let mut side: Vec<f64> = side.iter().copied().filter(|value| !value.is_nan()).collect();
            side.sort_unstable_by(f64::total_cmp);
            side
        });
        let missing = [reference.len() - sides[0].len(), current.len() - sides[1].len()].map(|rows| rows as u64);
        if categorical { Column::categories(&sides, missing) } else { Column::numbers(&sides) }
    }

    fn numbers(sides: &[Vec<f64>; 2]) -> Column {
        let mut values = sides.concat();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let moments = sides
            .each_ref()
            .map(|side| Moments::of(&side.iter().copied().filter(|value| value.is_finite()).collect::<Vec<f64>>()));
        let cells = sides.each_ref().map(|side| counts(side, &values));
        Column { cells, values, bins: [vec![], vec![]], missing: false, unseen: vec![], moments: Some(moments) }
    }

    fn categories(sides: &[Vec<f64>; 2], missing: [u64; 2]) -> Column {
        let mut known = sides[0].clone();
        known.dedup();
        let strange: Vec<f64> = sides[1].iter().copied().filter(|value| !known.contains(value)).collect();
        let unseen: Vec<u64> = strange.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect();
        let mut bins = sides.each_ref().map(|side| counts(side, &known));
        bins[0].push(0);
        bins[1].push(strange.len() as u64);
        let gaps = missing != [0, 0];
        if gaps {
            bins.iter_mut().zip(missing).for_each(|(bins, missing)| bins.push(missing));
        }
        Column { bins, unseen, missing: gaps, values: vec![], cells: [vec![], vec![]], moments: None }
    }

    fn sides(&self) -> Sides<'_> {
        let [reference, current] = self.cells.each_ref().map(|counts| Points { values: &self.values, counts });
        let [bins_r, bins_c] = &self.bins;
        Sides {
            bins: Bins { reference: bins_r, current: bins_c, missing: self.missing, unseen: &self.unseen },
            cells: self.moments.map(|_| Cells { reference, current }),
            moments: self.moments,
            ..Sides::default()
        }
    }
}

/// How often each of the sorted values occurs in a sorted side; others are not counted.
fn counts(side: &[f64], values: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; values.len()];
    for value in side {
        if let Ok(at) = values.binary_search_by(|other| other.total_cmp(value)) {
            counts[at] += 1;
        }
    }
    counts
}
