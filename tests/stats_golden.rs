//! The statistics agree with SciPy and scikit-learn on some hundred samples: `tests/golden/stats.py` wrote down what those
//! say, and the samples are made again here, by the same arithmetic.
//!
//! The cells and bins are built from raw values in the plainest way, with nothing from the program but `stats`.

#[path = "support/samples.rs"]
mod samples;

use std::collections::BTreeMap;

use drift_sidecar::stats::f1::{self, Average, Cell};
use drift_sidecar::stats::regression::Errors;
use drift_sidecar::stats::scored::Scored;
use drift_sidecar::stats::{self, Bins, Cells, Moments, Outcome, Points, Sides, brier, log_loss, roc_auc};
use samples::{Sample, Uniforms};
use serde::Deserialize;

const SCRIPT: &str = include_str!("golden/stats.py");
const GOLDEN: &str = include_str!("golden/stats.json");

#[derive(Deserialize)]
struct Golden {
    script: String,
    drift: Vec<DriftCase>,
    ks: Vec<(u64, u64, u64, u64, f64, f64)>,
    fisher: Vec<(u64, u64, u64, u64, f64)>,
    f1: Vec<F1Case>,
    scores: Vec<ScoresCase>,
    regression: Vec<RegressionCase>,
}

#[derive(Deserialize)]
struct DriftCase {
    name: String,
    categorical: bool,
    reference: Sample,
    current: Sample,
    /// Score and p-value by method.
    expected: BTreeMap<String, (f64, Option<f64>)>,
}

#[derive(Deserialize)]
struct F1Case {
    seed: u64,
    rows: u64,
    classes: f64,
    right: f64,
    used: f64,
    expected: F1Expected,
}

/// Precision, recall and F1 of each average.
#[derive(Debug, Deserialize)]
struct F1Expected {
    accuracy: f64,
    weighted: (f64, f64, f64),
    #[serde(rename = "macro")]
    macro_: (f64, f64, f64),
    micro: (f64, f64, f64),
    binary: (f64, f64, f64),
    specificity: Option<f64>,
}

#[derive(Deserialize)]
struct ScoresCase {
    seed: u64,
    rows: usize,
    classes: usize,
    kind: String,
    expected: ScoresExpected,
}

/// Over the rows whose scores are probabilities.
#[derive(Debug, Deserialize)]
struct ScoresExpected {
    rows: u64,
    /// ROC AUC, one class against the rest.
    #[serde(rename = "macro")]
    macro_: Option<f64>,
    weighted: Option<f64>,
    log_loss: f64,
    brier: f64,
}

#[derive(Deserialize)]
struct RegressionCase {
    truth: Sample,
    noise: Sample,
    expected: RegressionExpected,
}

#[derive(Deserialize)]
struct RegressionExpected {
    me: f64,
    mae: f64,
    rmse: f64,
    mape: f64,
    r2: Option<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("tests/golden/stats.json is what tests/golden/stats.py writes")
}

/// The numbers agree to `relative`, or differ by less than `absolute`.
fn agree(ours: f64, theirs: f64, relative: f64, absolute: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= (relative * theirs.abs()).max(absolute)
}

/// p-values agree to a millionth down to 1e-12, and below are small on both sides.
fn p_values_agree(ours: f64, theirs: f64) -> bool {
    agree(ours, theirs, 1e-6, 1e-18)
}

fn assert_none(failures: Vec<String>, cases: usize) {
    assert!(cases > 0);
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_numbers_are_from_the_script_in_the_tree() {
    let digest = SCRIPT
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!(golden().script, format!("{digest:016x}"), "stats.py has changed: run it again, it writes stats.json");
}

#[test]
fn drift_scores_and_p_values_are_those_of_scipy() {
    let cases = golden().drift;
    let failures = cases.iter().flat_map(drift_failures);
    assert_none(failures.collect(), cases.len());
}

fn drift_failures(case: &DriftCase) -> Vec<String> {
    let (reference, current) = (case.reference.values(), case.current.values());
    let column = Column::new(&reference, &current, case.categorical);
    let sides = column.sides();
    let kinds =
        stats::METHODS.iter().filter(|method| if case.categorical { method.categorical } else { method.numerical });
    // That of `mmd` is in learned_golden.rs, on rows few enough for all of them to count.
    kinds
        .filter(|method| method.name != "mmd")
        .filter_map(|method| {
            let ours = (method.test)(&sides);
            let theirs = case.expected.get(method.name);
            let agreed = match (ours, theirs) {
                (Ok(Outcome { score, p_value, .. }), Some(&(their_score, their_p_value))) => {
                    // The root of a divergence that is zero but for rounding.
                    let absolute = if method.name == "jensen_shannon" { 1e-9 } else { 1e-14 };
                    agree(score, their_score, 1e-9, absolute)
                        && p_value.is_some() == their_p_value.is_some()
                        && p_value.zip(their_p_value).is_none_or(|(ours, theirs)| p_values_agree(ours, theirs))
                }
                (ours, theirs) => ours.is_err() && theirs.is_none(),
            };
            (!agreed).then(|| format!("{}: {} is {ours:?}, not {theirs:?}", case.name, method.name))
        })
        .collect()
}

#[test]
fn ks_p_values_are_those_of_scipy_over_many_row_counts() {
    let cases = golden().ks;
    let failures = cases.iter().filter_map(|&(n, a, m, c, their_score, their_p_value)| {
        let (reference, current) = ([a, n - a], [c, m - c]);
        let values = [0.0, 1.0];
        let sides = Sides {
            bins: Bins { reference: &reference, current: &current, ..Bins::default() },
            cells: Some(Cells {
                reference: Points { values: &values, counts: &reference },
                current: Points { values: &values, counts: &current },
            }),
            moments: None,
            ..Sides::default()
        };
        let method = stats::method("ks").expect("ks is a method");
        let Outcome { score, p_value, .. } = (method.test)(&sides).expect("both sides have rows");
        let p_value = p_value.expect("ks has a p-value");
        let agreed = agree(score, their_score, 1e-9, 1e-14) && p_values_agree(p_value, their_p_value);
        (!agreed).then(|| format!("n {n}, m {m}, d {score} ({their_score}): p {p_value:e}, not {their_p_value:e}"))
    });
    assert_none(failures.collect(), cases.len());
}

#[test]
fn fisher_p_values_are_those_of_scipy_over_many_row_counts() {
    let cases = golden().fisher;
    let failures = cases.iter().filter_map(|&(a, b, c, d, theirs)| {
        let (reference, current) = ([a, b], [c, d]);
        let bins = Bins { reference: &reference, current: &current, ..Bins::default() };
        let method = stats::method("fisher_exact").expect("it is a method");
        let found = (method.test)(&Sides { bins, ..Sides::default() }).expect("both sides have rows");
        let ours = found.p_value.expect("it has a p-value");
        (!p_values_agree(ours, theirs)).then(|| format!("{reference:?} {current:?}: p {ours:e}, not {theirs:e}"))
    });
    assert_none(failures.collect(), cases.len());
}

#[test]
fn f1_is_that_of_scikit_learn() {
    let cases = golden().f1;
    let failures = cases.iter().flat_map(|case| {
        let cells = confusion(case);
        let averages = [
            (Average::Weighted, case.expected.weighted),
            (Average::Macro, case.expected.macro_),
            (Average::Micro, case.expected.micro),
            (Average::Binary, case.expected.binary),
        ];
        averages.into_iter().filter_map(move |(average, (precision, recall, f1))| {
            let ours = f1::scores(&cells, average, 1).expect("there are rows");
            let pairs = [
                (ours.precision, precision),
                (ours.recall, recall),
                (ours.f1, f1),
                (ours.accuracy, case.expected.accuracy),
            ];
            let agreed = ours.rows as u64 == case.rows
                && pairs.into_iter().all(|(ours, theirs)| agree(ours, theirs, 1e-12, 1e-14));
            (!agreed).then(|| format!("seed {} {average:?}: {ours:?}, not {:?}", case.seed, case.expected))
        })
    });
    assert_none(failures.collect(), cases.len());
}

#[test]
fn specificity_is_the_recall_of_the_other_class() {
    let cases = golden().f1;
    let failures = cases.iter().filter_map(|case| {
        let ours = f1::specificity(&confusion(case), 1);
        let agreed = match (ours, case.expected.specificity) {
            (Some(ours), Some(theirs)) => agree(ours, theirs, 1e-12, 1e-14),
            (ours, theirs) => ours == theirs,
        };
        (!agreed).then(|| format!("seed {}: {ours:?}, not {:?}", case.seed, case.expected.specificity))
    });
    assert_none(failures.collect(), cases.len());
}

#[test]
fn scores_of_two_classes_are_judged_as_scikit_learn_does() {
    let cases: Vec<ScoresCase> = golden().scores.into_iter().filter(|case| case.classes == 2).collect();
    let failures = cases.iter().filter_map(|case| {
        let mut scored = Scored::default();
        for (row, (scores, truth)) in rows_of_scores(case).into_iter().enumerate() {
            scored.add(
                match (case.kind.as_str(), row % 7) {
                    ("broken", 1) => f64::NAN,
                    ("broken", 2) => 1.5,
                    _ => scores[1],
                },
                truth == 1,
            );
        }
        let ours = scored.finish().expect("there are rows");
        let theirs = &case.expected;
        let agreed = ours.rows == theirs.rows
            && ours.roc_auc.is_some() == theirs.macro_.is_some()
            && ours.roc_auc.zip(theirs.macro_).is_none_or(|(ours, theirs)| agree(ours, theirs, 1e-12, 1e-14))
            && agree(ours.log_loss, theirs.log_loss, 1e-12, 1e-14)
            && agree(ours.brier, theirs.brier, 1e-12, 1e-14);
        (!agreed).then(|| format!("{} rows, {}: {ours:?}, not {theirs:?}", case.rows, case.kind))
    });
    assert_none(failures.collect(), cases.len());
}

#[test]
fn scores_of_several_classes_are_judged_as_scikit_learn_does() {
    let cases: Vec<ScoresCase> = golden().scores.into_iter().filter(|case| case.classes > 2).collect();
    let failures = cases.iter().filter_map(|case| {
        let rows = rows_of_scores(case);
        let one_against_the_rest = |class: usize| {
            let mut counts: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
            for (scores, truth) in &rows {
                counts.entry(scores[class].to_bits()).or_default()[usize::from(*truth == class)] += 1;
            }
            counts.into_values().collect::<Vec<_>>()
        };
        let classes: Vec<Vec<[u64; 2]>> = (0..case.classes).map(one_against_the_rest).collect();
        let mean = |of: fn(&[f64], usize) -> f64| {
            rows.iter().map(|(scores, truth)| of(scores, *truth)).sum::<f64>() / rows.len() as f64
        };
        let theirs = &case.expected;
        let areas = [(false, theirs.macro_), (true, theirs.weighted)];
        let agreed =
            areas.into_iter().all(|(weighted, theirs)| match (roc_auc::one_vs_rest(&classes, weighted), theirs) {
                (Some(ours), Some(theirs)) => agree(ours, theirs, 1e-12, 1e-14),
                (ours, theirs) => ours == theirs,
            }) && agree(mean(|scores, truth| log_loss::row(scores[truth])), theirs.log_loss, 1e-12, 1e-14)
                && agree(mean(brier::multiclass), theirs.brier, 1e-12, 1e-14);
        (!agreed).then(|| format!("{} rows of {} classes, {}: not {theirs:?}", case.rows, case.classes, case.kind))
    });
    assert_none(failures.collect(), cases.len());
}

/// A score for each class, and the class that came true.
fn rows_of_scores(case: &ScoresCase) -> Vec<(Vec<f64>, usize)> {
    let mut uniforms = Uniforms(case.seed);
    let classes = case.classes as f64;
    let row = |_| {
        let mut weights: Vec<f64> = (0..case.classes)
            .map(|_| {
                let uniform = uniforms.next();
                match uniform * uniform {
                    weight if case.kind == "ties" => (weight * 4.0).floor() + 1.0,
                    weight if case.kind == "edges" && weight < 0.25 => 0.0,
                    weight => weight,
                }
            })
            .collect();
        let mut total: f64 = weights.iter().fold(0.0, |total, weight| total + weight);
        if total == 0.0 {
            weights.fill(1.0);
            total = classes;
        }
        let scores: Vec<f64> = weights.into_iter().map(|weight| weight / total).collect();
        let below = uniforms.next();
        let highest = (0..case.classes).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b])).expect("classes");
        let truth = match (below * 1000.0).floor() % 2.0 {
            _ if case.kind == "one class" => 1,
            0.0 => highest,
            _ => (0..case.classes - 1).find(|class| below * classes < *class as f64 + 1.0).unwrap_or(case.classes - 1),
        };
        (scores, truth)
    };
    (0..case.rows).map(row).collect()
}

fn confusion(case: &F1Case) -> Vec<Cell> {
    let mut uniforms = Uniforms(case.seed);
    let mut rows: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for _ in 0..case.rows {
        let (first, second, third) = (uniforms.next(), uniforms.next(), uniforms.next());
        let truth = (first * first * case.classes).floor();
        let predicted = if second < case.right { truth } else { (third * case.used).floor() };
        *rows.entry((predicted as u32, truth as u32)).or_default() += 1;
    }
    rows.into_iter().map(|((predicted, actual), rows)| Cell { predicted, actual, rows: rows as f64 }).collect()
}

#[test]
fn regression_errors_are_those_of_scikit_learn() {
    let cases = golden().regression;
    let failures = cases.iter().filter_map(|case| {
        let mut errors = Errors::default();
        for (truth, noise) in case.truth.values().into_iter().zip(case.noise.values()) {
            errors.add(truth + noise, truth);
        }
        let ours = errors.finish().expect("there are rows");
        let expected = &case.expected;
        let pairs = [
            (ours.mean_error, expected.me),
            (ours.mean_absolute_error, expected.mae),
            (ours.root_mean_squared_error, expected.rmse),
            (ours.mean_absolute_percentage_error, expected.mape),
        ];
        // A mean of errors of both signs is as precise as their size.
        let agreed = pairs.into_iter().all(|(ours, theirs)| agree(ours, theirs, 1e-12, 1e-12))
            && ours.r2.is_some() == expected.r2.is_some()
            && ours.r2.zip(expected.r2).is_none_or(|(ours, theirs)| agree(ours, theirs, 1e-12, 1e-12));
        (!agreed).then(|| format!("{} rows of {}: {ours:?}", case.truth.rows, case.truth.kind))
    });
    assert_none(failures.collect(), cases.len());
}

/// One column on shared cells and bins, from raw values.
struct Column {
    values: Vec<f64>,
    cells: [Vec<u64>; 2],
    bins: [Vec<u64>; 2],
    missing: bool,
    moments: [Moments; 2],
    categorical: bool,
}

impl Column {
    fn new(reference: &[f64], current: &[f64], categorical: bool) -> Self {
        let present = [reference, current].map(|side| {
            let mut side: Vec<f64> = side.iter().copied().filter(|value| !value.is_nan()).collect();
            side.sort_unstable_by(f64::total_cmp);
            side
        });
        let mut values = present.concat();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let at_value =
            |side: &Vec<f64>| count(side, values.len(), |value| values.partition_point(|other| *other < value));
        let mut bins = present.each_ref().map(binner(&present[0], categorical));
        let missing = [reference.len() - present[0].len(), current.len() - present[1].len()];
        if missing != [0, 0] {
            bins.iter_mut().zip(missing).for_each(|(bins, missing)| bins.push(missing as u64));
        }
        let cells = present.each_ref().map(at_value);
        let moments = present.each_ref().map(|side| moments(side));
        Column { cells, bins, missing: missing != [0, 0], moments, values, categorical }
    }

    fn sides(&self) -> Sides<'_> {
        let [reference, current] = self.cells.each_ref().map(|counts| Points { values: &self.values, counts });
        let [bins_r, bins_c] = &self.bins;
        Sides {
            bins: Bins { reference: bins_r, current: bins_c, missing: self.missing, unseen: &[] },
            cells: (!self.categorical).then_some(Cells { reference, current }),
            moments: (!self.categorical).then_some(self.moments),
            ..Sides::default()
        }
    }
}

fn count(side: &[f64], bins: usize, bin: impl Fn(f64) -> usize) -> Vec<u64> {
    let mut counts = vec![0; bins];
    side.iter().for_each(|&value| counts[bin(value)] += 1);
    counts
}

/// Quantile bins of a sorted reference; one bin a value, and one for unseen values, where it has few values or they are
/// categories.
fn binner(reference: &[f64], categorical: bool) -> impl Fn(&Vec<f64>) -> Vec<u64> {
    let mut known = reference.to_vec();
    known.dedup();
    let few = categorical || known.len() <= 20;
    let mut edges: Vec<f64> =
        if few { Vec::new() } else { (1..10).map(|i| quantile(reference, f64::from(i) / 10.0)).collect() };
    edges.dedup();
    move |side| {
        if few {
            let unseen = known.len();
            count(side, unseen + 1, |value| known.iter().position(|other| *other == value).unwrap_or(unseen))
        } else {
            count(side, edges.len() + 1, |value| edges.partition_point(|edge| *edge < value))
        }
    }
}

/// As `numpy.quantile(sorted, q)`, to the bit.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * q;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let t = position - position.floor();
    if t >= 0.5 { high - (high - low) * (1.0 - t) } else { low + (high - low) * t }
}

/// Of the finite values.
fn moments(values: &[f64]) -> Moments {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;
    Moments {
        count: finite.len() as u64,
        mean,
        m2: finite.iter().map(|value| (value - mean).powi(2)).sum(),
        min: finite.iter().copied().fold(f64::INFINITY, f64::min),
        max: finite.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}
