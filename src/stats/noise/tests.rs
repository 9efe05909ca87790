//! The promise of the noise level, kept or broken: the share of undrifted windows above it.

use super::*;
use crate::stats::draw::{Draw, Multinomial};
use crate::stats::{Bins, Cells, METHODS};

fn level(method: &Method, null: &Null) -> f64 {
    Levels::default().level(method, null).expect("it has noise")
}

/// Scores that grow with the rows, or depend on how they divide over the sides.
const GROWING: &[&str] = &["chi_square", "cramer_von_mises", "anderson_darling", "epps_singleton"];

/// References from which a level is computed, and undrifted pairs held against each.
const LEVELS: usize = 5;
const PAIRS: usize = 400;

/// What the data come from: values with their shares, or categories with theirs.
struct Truth {
    /// Empty for categories.
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Truth {
    /// A standard normal z on 400 values, mapped; a share of the rows is 0.
    fn numeric(map: fn(f64) -> f64, zeros: f64) -> Self {
        let grid = (0..400).map(|i| -5.0 + f64::from(i) * 0.025 + 0.0125);
        let (mut values, mut weights): (Vec<f64>, Vec<f64>) = grid.map(|z| (map(z), (-z * z / 2.0).exp())).unzip();
        if zeros > 0.0 {
            let rest: f64 = weights.iter().sum();
            values.insert(0, 0.0);
            weights.insert(0, rest * zeros / (1.0 - zeros));
        }
        Truth { values, weights }
    }

    fn zipf(categories: u32) -> Self {
        Truth { values: Vec::new(), weights: (1..=categories).map(|rank| 1.0 / f64::from(rank)).collect() }
    }

    fn pair(&self, draw: &mut Draw, n: u64, m: u64) -> Pair {
        let mut cells = [vec![0; self.weights.len()], vec![0; self.weights.len()]];
        let spread = Multinomial::new(&self.weights);
        spread.draw(draw, n, &mut cells[0]);
        spread.draw(draw, m, &mut cells[1]);
        let bins = if self.values.is_empty() { category_bins(&cells) } else { quantile_bins(&cells, n) };
        let points = || self.values.iter().zip(&cells[0]);
        let mean = points().map(|(value, &count)| value * count as f64).sum::<f64>() / n as f64;
        let squares: f64 = points().map(|(value, &count)| (value - mean).powi(2) * count as f64).sum();
        Pair { cells, bins, moments: Moments { count: n, mean, m2: squares, ..Moments::default() } }
    }
}

/// One bin for each category that the reference has, and one for all others.
fn category_bins(cells: &[Vec<u64>; 2]) -> [Vec<u64>; 2] {
    let mut bins = [Vec::new(), Vec::new()];
    let mut unseen = 0;
    for (&r, &c) in cells[0].iter().zip(&cells[1]) {
        if r > 0 {
            bins[0].push(r);
            bins[1].push(c);
        } else {
            unseen += c;
        }
    }
    bins[0].push(0);
    bins[1].push(unseen);
    bins
}

/// Ten bins that end at the reference's deciles, equal ends merged.
fn quantile_bins(cells: &[Vec<u64>; 2], n: u64) -> [Vec<u64>; 2] {
    let mut bins = [vec![0], vec![0]];
    let (mut below, mut full) = (0, false);
    for (&r, &c) in cells[0].iter().zip(&cells[1]) {
        if full {
            bins.iter_mut().for_each(|bins| bins.push(0));
        }
        *bins[0].last_mut().expect("it begins with one bin") += r;
        *bins[1].last_mut().expect("it begins with one bin") += c;
        let decile = below * 10 / n;
        below += r;
        full = below * 10 / n > decile && below < n;
    }
    bins
}

struct Pair {
    cells: [Vec<u64>; 2],
    bins: [Vec<u64>; 2],
    moments: Moments,
}

impl Pair {
    fn points<'a>(&'a self, truth: &'a Truth, side: usize) -> Option<Points<'a>> {
        (!truth.values.is_empty()).then_some(Points { values: &truth.values, counts: &self.cells[side] })
    }

    fn sides<'a>(&'a self, truth: &'a Truth) -> Sides<'a> {
        let cells = self.points(truth, 0).zip(self.points(truth, 1));
        Sides {
            bins: Bins { reference: &self.bins[0], current: &self.bins[1], ..Bins::default() },
            cells: cells.map(|(reference, current)| Cells { reference, current }),
            moments: Some([self.moments; 2]),
            ..Sides::default()
        }
    }

    fn null<'a>(&'a self, truth: &'a Truth, rows: u64) -> Null<'a> {
        let points = self.points(truth, 0);
        Null { bins: &self.bins[0], points, moments: self.moments, rows, point_rows: rows }
    }
}

/// Those that can test the columns and have a level.
fn methods(truth: &Truth) -> impl Iterator<Item = &'static Method> {
    let categories = truth.values.is_empty();
    let fits = move |method: &&Method| if categories { method.categorical } else { method.numerical };
    METHODS.iter().copied().filter(fits).filter(|method| method.noise.is_some())
}

/// The share of undrifted windows above the level, by method, in per cent.
fn shares_above(truth: &Truth, n: u64, m: u64) -> Vec<(&'static str, f64)> {
    let mut draw = Draw::new(u128::from(n * 7 + m));
    let mut above: Vec<(&Method, usize)> = methods(truth).map(|method| (method, 0)).collect();
    for _ in 0..LEVELS {
        let reference = truth.pair(&mut draw, n, m);
        let levels: Vec<f64> = above.iter().map(|(method, _)| level(method, &reference.null(truth, m))).collect();
        for _ in 0..PAIRS {
            let pair = truth.pair(&mut draw, n, m);
            for ((method, above), level) in above.iter_mut().zip(&levels) {
                let score =
                    (method.noise.as_ref().expect("noise").score)(&pair.sides(truth)).expect("both sides have rows");
                *above += usize::from(score > *level);
            }
        }
    }
    above.into_iter().map(|(method, above)| (method.name, above as f64 * 100.0 / (LEVELS * PAIRS) as f64)).collect()
}

/// The share is about 1 %: between 0.3 and 2 for all row counts.
fn assert_about_one_in_a_hundred(truth: &Truth) {
    assert_shares(truth, 0.3..=2.0);
}

fn assert_shares(truth: &Truth, allowed: std::ops::RangeInclusive<f64>) {
    for n in [10_000, 100_000] {
        for m in [100, 1000, 100_000] {
            for (method, share) in shares_above(truth, n, m) {
                assert!(allowed.contains(&share), "{method}, {m} rows against {n}: {share} % above the level");
            }
        }
    }
}

#[test]
fn normal_windows_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::numeric(|z| z, 0.0));
}

#[test]
fn lognormal_windows_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::numeric(f64::exp, 0.0));
}

#[test]
fn zero_inflated_windows_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::numeric(f64::exp, 0.4));
}

#[test]
fn windows_of_two_categories_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::zipf(2));
}

/// Methods that find their noise on their way: a tenth of the rows has the rarer value here.
#[test]
fn differences_of_two_proportions_exceed_it_once_in_a_hundred() {
    let truth = Truth { values: Vec::new(), weights: vec![9.0, 1.0] };
    let mut draw = Draw::new(8);
    for (n, m) in [(10_000, 100), (10_000, 1000), (100_000, 20_000), (500, 20_000)] {
        for name in ["z_test", "fisher_exact"] {
            let method = crate::stats::method(name).expect("it is a method");
            let windows = (0..4000).filter(|_| {
                let pair = truth.pair(&mut draw, n, m);
                let found = (method.test)(&pair.sides(&truth)).expect("two values");
                found.score > found.noise.expect("it has noise")
            });
            let share = windows.count() as f64 / 40.0;
            assert!((0.3..=2.0).contains(&share), "{name}, {m} rows against {n}: {share} % above the level");
        }
    }
}

#[test]
fn windows_of_three_categories_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::zipf(3));
}

#[test]
fn windows_of_thirty_categories_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::zipf(30));
}

#[test]
fn windows_of_three_hundred_categories_exceed_it_once_in_a_hundred() {
    assert_about_one_in_a_hundred(&Truth::zipf(300));
}

/// Most of them are rare, and some are in no reference: here the level may be a little too high.
#[test]
fn windows_of_nine_hundred_categories_exceed_it_once_in_a_hundred() {
    assert_shares(&Truth::zipf(900), 0.2..=2.0);
}

#[test]
fn a_level_does_not_depend_on_what_was_asked_before() {
    let truth = Truth::numeric(f64::exp, 0.0);
    let pair = truth.pair(&mut Draw::new(5), 10_000, 1);
    let wasserstein = crate::stats::method("wasserstein").expect("it is a method");
    let mut levels = Levels::default();
    let first = levels.level(wasserstein, &pair.null(&truth, 1000));
    for rows in [1, 10, 500, 1001] {
        levels.level(wasserstein, &pair.null(&truth, rows));
    }
    assert_eq!(levels.level(wasserstein, &pair.null(&truth, 1000)), first);
    assert_eq!(Some(level(wasserstein, &pair.null(&truth, 1000))), first);
}

#[test]
fn more_rows_make_less_noise_until_the_reference_is_the_smaller() {
    let numeric = Truth::numeric(|z| z, 0.0);
    let categories = Truth::zipf(30);
    for truth in [&numeric, &categories] {
        let pair = truth.pair(&mut Draw::new(6), 10_000, 1);
        for method in methods(truth) {
            let levels = [100, 300, 1000, 3000, 10_000].map(|m| level(method, &pair.null(truth, m)));
            if !GROWING.contains(&method.name) && !matches!(method.name, "chi_square" | "g_test") {
                assert!(levels.is_sorted_by(|few, many| few > many), "{}: {levels:?}", method.name);
            }
            assert!(levels.iter().all(|level| level.is_finite() && *level > 0.0), "{}: {levels:?}", method.name);
        }
    }
}

#[test]
fn without_rows_chance_can_do_anything_and_a_constant_column_has_no_noise() {
    for method in METHODS.iter().filter(|method| method.noise.is_some()) {
        let null = |bins, counts, rows| Null {
            bins,
            points: Some(Points { values: &[4.0], counts }),
            moments: Moments::default(),
            rows,
            point_rows: rows,
        };
        assert_eq!(level(method, &null(&[100], &[100], 0)), f64::INFINITY, "{}", method.name);
        assert_eq!(level(method, &null(&[0], &[0], 10)), f64::INFINITY, "{}", method.name);
        assert_eq!(level(method, &null(&[100], &[100], 50)), 0.0, "{}", method.name);
    }
}

#[test]
fn steps_enclose_the_row_count() {
    assert_eq!(steps(0), (0, 0));
    assert_eq!(steps(31), (31, 31));
    assert_eq!(steps(32), (32, 32));
    assert_eq!(steps(33), (32, 40));
    assert_eq!(steps(1000), (896, 1024));
    assert_eq!(steps(1024), (1024, 1024));
    assert_eq!(steps(u64::MAX).1, u64::MAX);
}

#[test]
fn what_is_kept_is_bounded() {
    let psi = crate::stats::method("psi").expect("it is a method");
    let mut levels = Levels::default();
    for rows in 1..400 {
        levels.level(psi, &Null { bins: &[9, 1], points: None, moments: Moments::default(), rows, point_rows: 0 });
        assert!(levels.resampled.len() <= STEPS_MAX);
    }
    let huge =
        Null { bins: &[u64::MAX / 4, 1], points: None, moments: Moments::default(), rows: u64::MAX, point_rows: 0 };
    assert!(levels.level(psi, &huge).is_some_and(|level| level >= 0.0));
}

#[test]
fn the_chi_square_percentile_is_close() {
    // scipy.stats.chi2.ppf(0.99, [1, 2, 9, 299])
    for (freedom, expected) in [(1.0, 6.6349), (2.0, 9.2103), (9.0, 21.6660), (299.0, 358.8124)] {
        assert!((chi_square_99(freedom) / expected - 1.0).abs() < 0.01, "{freedom}: {}", chi_square_99(freedom));
    }
    assert_eq!(chi_square_99(0.0), 0.0);
}

#[test]
fn a_window_of_missing_values_only_has_no_level_for_its_points() {
    let truth = Truth::numeric(|z| z, 0.0);
    let pair = truth.pair(&mut Draw::new(7), 10_000, 1);
    for method in METHODS.iter().filter(|method| method.noise.is_some() && !method.categorical) {
        let null = Null { point_rows: 0, ..pair.null(&truth, 500) };
        assert_eq!(level(method, &null), f64::INFINITY, "{}", method.name);
    }
}
