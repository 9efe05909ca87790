//! What is learnt from rows agrees with NumPy, SciPy and scikit-learn: `tests/golden/learned.py` wrote down what those say, and
//! the rows are made again here, by the same arithmetic.

use drift_sidecar::stats::reconstruction::Components;
use drift_sidecar::stats::{self, Cells, Outcome, Points, Sides, Table, Value, Vectors, embedding, mmd};
use serde::Deserialize;

const SCRIPT: &str = include_str!("golden/learned.py");
const GOLDEN: &str = include_str!("golden/learned.json");

#[derive(Deserialize)]
struct Golden {
    script: String,
    columns: Vec<ColumnCase>,
    vectors: Vec<VectorCase>,
    reconstruction: Vec<ReconstructionCase>,
}

#[derive(Debug, Deserialize)]
struct ColumnCase {
    n: usize,
    m: usize,
    shift: f64,
    scale: f64,
    step: f64,
    mmd: f64,
}

#[derive(Debug, Deserialize)]
struct VectorCase {
    n: usize,
    m: usize,
    dims: usize,
    moved: usize,
    shift: f64,
    mmd: f64,
    mean_distance: f64,
    /// Wasserstein distance of each component, in standard deviations of the reference.
    distances: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct ReconstructionCase {
    n: usize,
    m: usize,
    dependence: f64,
    /// The mean error.
    reference: f64,
    current: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("tests/golden/learned.json is what tests/golden/learned.py writes")
}

/// Splitmix64.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    (x >> 11) as f64 / 9_007_199_254_740_992.0
}

fn bells(seed: usize, count: usize) -> Vec<f64> {
    let mut state = seed as u64;
    (0..count).map(|_| (0..12).fold(0.0, |total, _| total + uniform(&mut state)) - 6.0).collect()
}

#[test]
fn the_numbers_are_from_the_script_in_the_tree() {
    let digest = SCRIPT
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!(
        golden().script,
        format!("{digest:016x}"),
        "learned.py has changed: run it again, it writes learned.json"
    );
}

/// A column on the cells of its distinct values.
fn mmd_of_column(reference: &[f64], current: &[f64]) -> Outcome {
    let mut values = [reference, current].concat();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let count = |side: &[f64]| {
        let mut counts = vec![0; values.len()];
        side.iter().for_each(|x| counts[values.partition_point(|value| value < x)] += 1);
        counts
    };
    let (reference, current): (Vec<u64>, Vec<u64>) = (count(reference), count(current));
    let points = |counts| Points { values: &values, counts };
    let cells = Cells { reference: points(&reference), current: points(&current) };
    let method = stats::method("mmd").expect("it is a method");
    (method.test)(&Sides { cells: Some(cells), ..Sides::default() }).expect("both sides have rows")
}

#[test]
fn mmd_of_columns_is_that_of_numpy() {
    let cases = golden().columns;
    assert!(cases.len() > 30);
    for case in cases {
        let rounded = |x: f64| if case.step > 0.0 { (x / case.step).floor() * case.step } else { x };
        let reference: Vec<f64> = bells(case.n, case.n).into_iter().map(rounded).collect();
        let moved = bells(case.m + 7, case.m).into_iter().map(|x| rounded(case.shift + case.scale * x));
        let current: Vec<f64> = moved.collect();
        let found = mmd_of_column(&reference, &current).score;
        assert!((found - case.mmd).abs() <= 1e-9 * case.mmd.abs().max(1e-5), "{found}: {case:?}");
    }
}

#[test]
fn distances_of_vectors_are_those_of_numpy_and_scipy() {
    for case in golden().vectors {
        let single = |x: f64| x as f32;
        let reference: Vec<f32> = bells(case.n, case.n * case.dims).into_iter().map(single).collect();
        let current = bells(case.m + 7, case.m * case.dims).into_iter().enumerate();
        let current: Vec<f32> =
            current.map(|(i, x)| single(if i % case.dims < case.moved { x + case.shift } else { x })).collect();
        let reference = Vectors { values: &reference, dims: case.dims };
        let current = Vectors { values: &current, dims: case.dims };
        let found = mmd::of_vectors(reference, current).expect("both sides have rows").score;
        assert!((found - case.mmd).abs() < 2e-7, "{found}: {case:?}");
        let found = embedding::mean_distance(reference, current).expect("both sides have rows").score;
        assert!((found / case.mean_distance - 1.0).abs() < 1e-9, "{found}: {case:?}");
        // Shifts this large are beyond the noise of a component, and all others below it or below 0.1.
        let far = case.distances.iter().filter(|&&distance| distance >= if case.n < 1000 { 0.28 } else { 0.1 }).count();
        let found = embedding::drifted_components(reference, current).expect("both sides have rows").score;
        assert_eq!(found, far as f64 / case.dims as f64, "{case:?}");
    }
}

/// As `mixed` of the script.
fn mixed(seed: usize, rows: usize, dependence: f64) -> Vec<Value> {
    let other = 1.0 - dependence;
    let of_row = |b: &[f64]| {
        let number = |x, missing| if missing { Value::Missing } else { Value::Number(x) };
        let category = if b[5] < -1.2 { Value::Missing } else { Value::Category((b[4] * b[4] * 2.0).floor() as u32) };
        [
            number(b[0], false),
            number(dependence * b[0] + other * b[1], false),
            number(b[2], b[5] > 1.0),
            number(dependence * b[2] + other * b[3], false),
            number(4.0, false),
            category,
        ]
    };
    bells(seed, rows * 6).chunks_exact(6).flat_map(of_row).collect()
}

#[test]
fn reconstruction_errors_are_those_of_scikit_learn() {
    for case in golden().reconstruction {
        let (reference, current) = (mixed(case.n, case.n, 0.8), mixed(case.m + 7, case.m, case.dependence));
        let reference = Table { values: &reference, columns: 6 };
        let components = Components::fit(reference).expect("the columns vary");
        let errors = components.errors(reference);
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!((mean / case.reference - 1.0).abs() < 1e-8, "{mean}: {case:?}");
        let found = components.errors(Table { values: &current, columns: 6 });
        for (found, expected) in found.iter().zip(&case.current) {
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}: {}", case.n);
        }
    }
}
