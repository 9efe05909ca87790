//! Epps-Singleton: the distance between the two empirical characteristic functions at two points.
//!
//! W = (n+m) d' S^-1 d; d: the difference of the means of cos(u x), sin(u x), cos(2u x), sin(2u x) between the sides, u = 0.4 / (half
//! the interquartile range of all values); S = (n+m) (V_R/n + V_C/m) with V the covariances (ddof 0) of these four on each side. Where neither
//! side has 25 rows, W is made smaller by 1 / (1 + (n+m)^-0.45 + 10.1 (n^-1.7 + m^-1.7)). 0 and up, about 4 without drift and 9.5 once
//! in twenty times, whatever the row counts, so that it grows with them. It sees shifts, spreads and shapes alike, in columns of few values
//! too; a row far off counts as one row. Infinities are left out.
//!
//! p-value: the upper tail of chi-square with as many degrees of freedom as S has independent columns, four unless the
//! column has fewer than five values.
//! It is SciPy's, and too small for few rows: of undrifted windows of a normal column p < 0.05 holds for 7 % of those of 1000 rows beside
//! 10 000, for 22 % of those of 100; the noise level knows.
//!
//! Not defined: fewer than five finite values on a side; an interquartile range of 0, where half of all rows have one value;
//! constants on both sides.
//!
//! Source: Epps and Singleton (1986); `scipy.stats.epps_singleton_2samp`.
//! This file knows cells; no columns, windows or thresholds in force.

use statrs::function::gamma::gamma_ur;

use super::noise::{Noise, Null, heaviest_share};
use super::{BEYOND, Cells, Limit, Method, NOT_NUMERICAL, Outcome, Points, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "epps_singleton",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Alpha(0.05),
    about: "distance of the characteristic functions at two points, in their covariance",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| test(sides).map(|outcome| outcome.score).ok(),
    }),
};

/// cos and sin at both points.
type Waves = [f64; 4];
type Matrix = [[f64; 4]; 4];

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    const ROWS_MIN: u64 = 5;
    let [reference, current] = finite(sides.cells.ok_or(NOT_NUMERICAL)?);
    let (n, m) = both(rows(&reference), rows(&current))?;
    if n.min(m) < ROWS_MIN {
        return Err("a side has fewer than five finite values");
    }
    let mut pooled = [reference.as_slice(), current.as_slice()].concat();
    pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
    let range = quantile(&pooled, n + m, 0.75) - quantile(&pooled, n + m, 0.25);
    if range <= 0.0 {
        return Err("half of the values of both sides are equal");
    }
    if !range.is_finite() {
        return Err("the spread is beyond the range of numbers");
    }
    let half = range / 2.0;
    let (r, c) = (Side::new(&reference, half, n), Side::new(&current, half, m));
    let (square, freedom) = distance(&r, &c);
    // Rounding may give a constant some spread; its values tell.
    let varies = |points: &[(f64, u64)]| points.first().map(|point| point.0) != points.last().map(|point| point.0);
    if freedom == 0 || !(varies(&reference) || varies(&current)) {
        return Err("neither side varies");
    }
    let score = square * correction(n, m);
    if !score.is_finite() {
        return Err(BEYOND);
    }
    let p_value = if score > 0.0 { gamma_ur(f64::from(freedom) / 2.0, score / 2.0) } else { 1.0 };
    Ok(Outcome::tested(score, p_value))
}

fn finite(cells: Cells) -> [Vec<(f64, u64)>; 2] {
    [cells.reference, cells.current].map(|points: Points| {
        let points = points.values.iter().copied().zip(points.counts.iter().copied());
        points.filter(|&(value, count)| value.is_finite() && count > 0).collect()
    })
}

fn rows(points: &[(f64, u64)]) -> u64 {
    points.iter().map(|point| point.1).sum()
}

/// As `numpy.quantile`, linear between rows; `points` ascending.
fn quantile(points: &[(f64, u64)], rows: u64, q: f64) -> f64 {
    let place = (rows - 1) as f64 * q;
    let (floor, part) = (place.floor() as u64, place - place.floor());
    let (mut below, mut low) = (0, None);
    for &(value, count) in points {
        below += count;
        if low.is_none() && below > floor {
            low = Some(value);
        }
        if let Some(low) = low
            && below > (floor + 1).min(rows - 1)
        {
            let step = value - low;
            return if part >= 0.5 { value - step * (1.0 - part) } else { low + step * part };
        }
    }
    f64::NAN
}

/// Mean and covariance (ddof 0) of the waves over one side's rows.
struct Side {
    rows: f64,
    mean: Waves,
    covariance: Matrix,
}

impl Side {
    fn new(points: &[(f64, u64)], half_range: f64, rows: u64) -> Self {
        let rows = rows as f64;
        let waves: Vec<Waves> = points
            .iter()
            .map(|&(value, _)| {
                let (sin, cos) = (0.4 / half_range * value).sin_cos();
                [cos, sin, 1.0 - 2.0 * sin * sin, 2.0 * sin * cos]
            })
            .collect();
        let weighted = || waves.iter().zip(points).map(|(waves, point)| (waves, point.1 as f64 / rows));
        let mut mean = [0.0; 4];
        for (waves, share) in weighted() {
            mean.iter_mut().zip(waves).for_each(|(mean, wave)| *mean += wave * share);
        }
        let mut covariance = [[0.0; 4]; 4];
        for (waves, share) in weighted() {
            for i in 0..4 {
                for j in 0..4 {
                    covariance[i][j] += (waves[i] - mean[i]) * (waves[j] - mean[j]) * share;
                }
            }
        }
        Side { rows, mean, covariance }
    }
}

/// d' S^+ d over both sides, and the rank of S: directions in which no side varies are left out, as SciPy's pseudo-inverse does.
fn distance(r: &Side, c: &Side) -> (f64, u32) {
    const SMALLEST: f64 = 1e-12;
    let error =
        std::array::from_fn(|i| std::array::from_fn(|j| r.covariance[i][j] / r.rows + c.covariance[i][j] / c.rows));
    let (values, vectors) = eigen(error);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let mut found = (0.0, 0);
    for (at, value) in values.into_iter().enumerate() {
        if value > largest * SMALLEST {
            let along: f64 = (0..4).map(|i| vectors[i][at] * (r.mean[i] - c.mean[i])).sum();
            found = (found.0 + along * along / value, found.1 + 1);
        }
    }
    found
}

/// Eigenvalues of a symmetric matrix, and their vectors as columns: Jacobi's rotations.
fn eigen(mut a: Matrix) -> (Waves, Matrix) {
    const SWEEPS_MAX: usize = 32;
    let mut vectors: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS_MAX {
        let mut done = true;
        for p in 0..4 {
            for q in p + 1..4 {
                if a[p][q].abs() <= f64::EPSILON * 1e-3 * (a[p][p] * a[q][q]).abs().sqrt() {
                    continue;
                }
                done = false;
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let tan = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cos = 1.0 / tan.hypot(1.0);
                rotate(&mut a, &mut vectors, (p, q), (cos, tan * cos));
            }
        }
        if done {
            break;
        }
    }
    (std::array::from_fn(|i| a[i][i]), vectors)
}

fn rotate(a: &mut Matrix, vectors: &mut Matrix, (p, q): (usize, usize), (cos, sin): (f64, f64)) {
    let turned = |x: f64, y: f64| (cos * x - sin * y, sin * x + cos * y);
    for row in a.iter_mut() {
        (row[p], row[q]) = turned(row[p], row[q]);
    }
    let (above, below) = a.split_at_mut(q);
    for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
        (*x, *y) = turned(*x, *y);
    }
    (a[p][q], a[q][p]) = (0.0, 0.0);
    for row in vectors.iter_mut() {
        (row[p], row[q]) = turned(row[p], row[q]);
    }
}

/// For few rows, 1 for more.
fn correction(n: u64, m: u64) -> f64 {
    const FEW: u64 = 25;
    if n.max(m) >= FEW {
        return 1.0;
    }
    let (n, m) = (n as f64, m as f64);
    1.0 / (1.0 + (n + m).powf(-0.45) + 10.1 * (n.powf(-1.7) + m.powf(-1.7)))
}

/// The 99th percentile of chi-square with four degrees of freedom. Not for few rows, whose covariance is too uncertain for that, or
/// a value of many.
fn noise(null: &Null) -> Option<f64> {
    const CHI_SQUARE_99: f64 = 13.276_704_135_987_622;
    const ROWS_MIN: u64 = 5000;
    const SHARE_MAX: f64 = 0.05;
    let points = null.points?;
    (points.rows().min(null.point_rows) >= ROWS_MIN && heaviest_share(points) <= SHARE_MAX).then_some(CHI_SQUARE_99)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Result<(f64, f64), Undefined> {
        let column = cells(reference, current);
        test(&sides(&column)).map(|found| (found.score, found.p_value.expect("it has one")))
    }

    fn roots(rows: u32, add: f64, shift: f64) -> Vec<(f64, u64)> {
        (0..rows).map(|i| ((f64::from(i) + add).sqrt() + shift, 1)).collect()
    }

    fn assert_outcome(found: Result<(f64, f64), Undefined>, score: f64, p_value: f64) {
        let found = found.expect("defined");
        assert!((found.0 / score - 1.0).abs() < 1e-11, "{found:?}");
        assert!((found.1 / p_value - 1.0).abs() < 1e-10, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.stats.epps_singleton_2samp(numpy.sqrt(numpy.arange(10)), numpy.sqrt(numpy.arange(12) + 0.5) + 0.25)
        let found = of(&roots(10, 0.0, 0.0), &roots(12, 0.5, 0.25));
        assert_outcome(found, 3.516418259264587, 0.47538630747578514);
        // The same with 40 and 30: no correction for few rows.
        let found = of(&roots(40, 0.0, 0.0), &roots(30, 0.5, 0.25));
        assert_outcome(found, 6.979339826299949, 0.13698405728603438);
        // Three values, of rank two: scipy.stats.epps_singleton_2samp(
        //     numpy.repeat([0, 1, 2], [30, 40, 30]), numpy.repeat([0, 1, 2], [20, 40, 40]))
        let found = of(&[(0.0, 30), (1.0, 40), (2.0, 30)], &[(0.0, 20), (1.0, 40), (2.0, 40)]);
        assert_outcome(found, 3.488372093023256, 0.1747871997334304);
    }

    #[test]
    fn few_rows_and_no_spread_are_not_defined_and_say_why() {
        let many = roots(40, 0.0, 0.0);
        assert_eq!(of(&many, &roots(4, 0.0, 0.0)), Err("a side has fewer than five finite values"));
        assert_eq!(of(&many, &[(f64::INFINITY, 40)]), Err("the window has no value"));
        assert_eq!(of(&[(0.0, 900), (1.0, 50)], &many), Err("half of the values of both sides are equal"));
        assert_eq!(of(&[(3.0, 100)], &[(4.0, 100)]), Err("neither side varies"));
        assert_eq!(of(&[(-1.7e308, 100)], &[(1.7e308, 100)]), Err("the spread is beyond the range of numbers"));
    }

    #[test]
    fn infinities_are_left_out() {
        let (reference, current) = (roots(40, 0.0, 0.0), roots(30, 0.5, 0.25));
        let with: Vec<_> = current.iter().copied().chain([(f64::INFINITY, 9)]).collect();
        assert_eq!(of(&reference, &with), of(&reference, &current));
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile(numpy.repeat([1, 2, 4, 9], [2, 1, 3, 1]), [0, 0.25, 0.4, 0.75, 1])
        let points = [(1.0, 2), (2.0, 1), (4.0, 3), (9.0, 1)];
        let found = [0.0, 0.25, 0.4, 0.75, 1.0].map(|q| quantile(&points, 7, q));
        assert_eq!(found, [1.0, 1.5, 2.8000000000000007, 4.0, 9.0]);
    }
}
