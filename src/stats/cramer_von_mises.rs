//! Cramer-von Mises: the mean square between the two empirical distribution functions.
//!
//! T = nm / (n+m)^2 * sum over the rows of both sides of the mean of (F_R - F_C)^2 just below and at the row's value; 0 and up, about
//! 1/6 without drift and 0.46 once in twenty times, whatever the row counts, so that T grows with them. All rows that have a value
//! count, infinities included; a cell is one tie. Two equal constants: 0. Fewer than two rows with a value on a side: not defined.
//!
//! Without ties T is that of `scipy.stats.cramervonmises_2samp`. With ties it is not: SciPy takes midranks less i, which for
//! unequal row counts adds (about) n^2 / (12 m) times the sum of the cubed shares of R's values, drift or no drift: 1000 rows
//! beside 100 000 of the same 123 whole numbers give its T 340. The mean of both sides of a step keeps T near or below what it is without
//! ties, and the same when the values are turned about.
//!
//! The p-value is as SciPy's: exact where neither side has more than 20 rows, else of T brought to the mean and variance of its
//! limiting distribution (Anderson 1962). It takes the columns as continuous; with many ties it is too large. The limiting tail is
//! Smirnov's integral, right to 1e-10 of itself down to 1e-100, where SciPy's series ends at about 1e-8.
//!
//! Source: Anderson (1962), "On the distribution of the two-sample Cramer-von Mises criterion"; Smirnov (1936); Xiao, Gordon and
//! Yakovlev (2006) for the exact counts; SciPy 1.17.
//! This file knows cells; no columns, windows or thresholds in force.

use std::f64::consts::PI;

use super::kolmogorov::gcd;
use super::noise::{Noise, Null, heaviest_share};
use super::{Cells, Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "cramer_von_mises",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Alpha(0.05),
    about: "mean square between the distribution functions, times nm/(n+m)",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| sizes(sides).map(|(cells, n, m)| statistic(cells, n, m)).ok(),
    }),
};

/// At most so many rows a side take the exact p-value, as in SciPy.
const EXACT_ROWS_MAX: u64 = 20;

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let (cells, n, m) = sizes(sides)?;
    let score = statistic(cells, n, m);
    let p_value = if n.max(m) <= EXACT_ROWS_MAX {
        exact(n, m, lattice_squares(cells, n, m))
    } else {
        limiting_tail(Spread::new(n, m).limit_of(score))
    };
    Ok(Outcome::tested(score, p_value))
}

fn sizes<'a>(sides: &Sides<'a>) -> Result<(Cells<'a>, u64, u64), Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
    if n.min(m) < 2 { Err("a side has one value only") } else { Ok((cells, n, m)) }
}

fn statistic(cells: Cells, n: u64, m: u64) -> f64 {
    let (rows, others) = (n as f64, m as f64);
    let (mut before, mut sum) = (0.0, 0.0);
    for (tied, _, after) in steps(cells, n, m) {
        let apart = after as f64 / rows / others;
        sum += tied as f64 * (before * before + apart * apart);
        before = apart;
    }
    rows * others / (rows + others) * (sum / 2.0 / (rows + others))
}

/// For each cell the rows of both sides, and nm(F_R - F_C) before and after it.
pub(super) fn steps(cells: Cells<'_>, n: u64, m: u64) -> impl Iterator<Item = (u64, i128, i128)> {
    let counts = cells.reference.counts.iter().zip(cells.current.counts);
    counts.scan(0i128, move |apart, (&r, &c)| {
        let before = *apart;
        *apart += i128::from(r) * i128::from(m) - i128::from(c) * i128::from(n);
        Some((r + c, before, *apart))
    })
}

/// The sum of the squares in T for few rows, in units of 1/lcm(n, m)^2; rounded up where a tie leaves a half.
fn lattice_squares(cells: Cells, n: u64, m: u64) -> u64 {
    let unit = i128::from(gcd(n, m));
    let twice = steps(cells, n, m).map(|(tied, before, after)| {
        let squares = (before / unit).pow(2) + (after / unit).pow(2);
        tied * squares as u64
    });
    twice.sum::<u64>().div_ceil(2)
}

/// Paths that reach one point of the lattice, by the sum of squares that they have gathered: ascending, with how many have it.
type Gathered = Vec<(u64, f64)>;

/// The share of all orders in which n and m rows can interleave whose sum of squares reaches `least`. A path steps right or up for each
/// row; one that reaches `least` early is counted with all its ends.
fn exact(n: u64, m: u64, least: u64) -> f64 {
    let (across, up) = (m / gcd(n, m), n / gcd(n, m));
    let mut reached = 0.0;
    let mut row: Vec<Gathered> = vec![Vec::new(); m as usize + 1];
    for i in 0..=n {
        for j in 0..=m {
            let square = (i * across).abs_diff(j * up).pow(2);
            let at = j as usize;
            let from_left = if j > 0 { row[at - 1].as_slice() } else { &[] };
            let mut paths = if (i, j) == (0, 0) { vec![(0, 1.0)] } else { merged(&row[at], from_left) };
            paths.iter_mut().for_each(|(sum, _)| *sum += square);
            let short = paths.partition_point(|(sum, _)| *sum < least);
            let ends = choose(n + m - i - j, n - i);
            reached += paths.drain(short..).map(|(_, ways)| ways * ends).sum::<f64>();
            row[at] = paths;
        }
    }
    (reached / choose(n + m, n)).min(1.0)
}

fn merged(a: &[(u64, f64)], b: &[(u64, f64)]) -> Gathered {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut both = Vec::new();
    loop {
        let sum = match (a.peek(), b.peek()) {
            (Some(one), Some(other)) => one.0.min(other.0),
            (Some(one), None) | (None, Some(one)) => one.0,
            (None, None) => return both,
        };
        let ways = [a.next_if(|path| path.0 == sum), b.next_if(|path| path.0 == sum)];
        both.push((sum, ways.into_iter().flatten().map(|path| path.1).sum()));
    }
}

fn choose(n: u64, k: u64) -> f64 {
    (1..=k).fold(1.0, |ways, i| ways * (n - k + i) as f64 / i as f64).round()
}

/// Mean and standard deviation of T without drift and ties, and those of its limit: 1/6 and the root of 1/45.
struct Spread {
    mean: f64,
    stretch: f64,
}

impl Spread {
    fn new(n: u64, m: u64) -> Self {
        let (n, m) = (n as f64, m as f64);
        let all = n + m;
        let variance =
            (all + 1.0) / all * (4.0 * n * m - 3.0 * (n / all * n + m / all * m) - 2.0 * n / all * m) / (180.0 * n * m);
        Spread { mean: (1.0 + 1.0 / all) / 6.0, stretch: (45.0 * variance).sqrt() }
    }

    fn limit_of(&self, statistic: f64) -> f64 {
        1.0 / 6.0 + (statistic - self.mean) / self.stretch
    }

    fn of_limit(&self, limit: f64) -> f64 {
        self.mean + (limit - 1.0 / 6.0) * self.stretch
    }
}

/// P(T > x) in the limit of many rows: 1/pi times the alternating sum over k of the integral of sqrt(z / |sin z|) exp(-x z^2 / 2) 2/z dz
/// from (2k-1) pi to 2k pi (Smirnov 1936). The roots at both ends are those of Gauss-Chebyshev quadrature.
fn limiting_tail(x: f64) -> f64 {
    const NODES: u32 = 64;
    /// The distribution function is below 1.3e-18 there.
    const X_MIN: f64 = 0.003;
    if x < X_MIN {
        return 1.0;
    }
    let mut tail = 0.0;
    for k in 1..32 {
        let middle = (2.0 * f64::from(k) - 0.5) * PI;
        let heights = (0..NODES).map(|node| {
            let (sin, cos) = (PI * (f64::from(node) + 0.5) / f64::from(NODES)).sin_cos();
            let z = middle + PI / 2.0 * cos;
            (z / z.sin().abs()).sqrt() * (-x * z * z / 2.0).exp() * 2.0 / z * sin
        });
        let term = heights.sum::<f64>() * PI / 2.0 / f64::from(NODES);
        tail += if k % 2 == 1 { term } else { -term };
        if term <= 1e-17 * tail {
            break;
        }
    }
    tail.clamp(0.0, 1.0)
}

/// The 99th percentile of the limit, at the row counts' mean and variance. Not for few rows or a value of many.
fn noise(null: &Null) -> Option<f64> {
    // limiting_tail(0.743_459_313_755_774_6) is 0.01.
    const LIMIT_99: f64 = 0.743_459_313_755_774_6;
    const ROWS_MIN: u64 = 20;
    const SHARE_MAX: f64 = 0.05;
    let points = null.points?;
    let (n, m) = (points.rows(), null.point_rows);
    (n.min(m) >= ROWS_MIN && heaviest_share(points) <= SHARE_MAX).then(|| Spread::new(n, m).of_limit(LIMIT_99))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Result<(f64, f64), Undefined> {
        let column = cells(reference, current);
        test(&sides(&column)).map(|found| (found.score, found.p_value.expect("it has one")))
    }

    fn rows(first: f64, rows: u32) -> Vec<(f64, u64)> {
        (0..rows).map(|i| (first + f64::from(i), 1)).collect()
    }

    fn assert_outcome(found: Result<(f64, f64), Undefined>, score: f64, p_value: f64) {
        let found = found.expect("defined");
        assert!((found.0 - score).abs() < 1e-13, "{found:?}");
        assert!((found.1 / p_value - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy_without_ties() {
        // scipy.stats.cramervonmises_2samp([1, 2, 3, 4, 5], [1.5, 6, 7])
        let found = of(&rows(1.0, 5), &[(1.5, 1), (6.0, 1), (7.0, 1)]);
        assert_outcome(found, 0.2124999999999999, 0.35714285714285715);
        // scipy.stats.cramervonmises_2samp(numpy.arange(20), numpy.arange(19) + 4.5)
        assert_outcome(of(&rows(0.0, 20), &rows(4.5, 19)), 0.3614484930274404, 0.09462765615979332);
        // scipy.stats.cramervonmises_2samp(numpy.arange(40), numpy.arange(30) + 8.5)
        assert_outcome(of(&rows(0.0, 40), &rows(8.5, 30)), 0.2244047619047631, 0.22787471325064512);
    }

    #[test]
    fn ties_without_drift_score_nothing_whatever_the_row_counts() {
        // SciPy's midranks give 74.2 and a p-value of 0 for the first.
        assert_eq!(of(&[(3.0, 100)], &[(3.0, 10)]), Ok((0.0, 1.0)));
        assert_eq!(of(&[(0.0, 40_000), (1.0, 60_000)], &[(0.0, 400), (1.0, 600)]), Ok((0.0, 1.0)));
        assert_eq!(of(&[(0.0, 4), (1.0, 6)], &[(0.0, 8), (1.0, 12)]), Ok((0.0, 1.0)));
    }

    #[test]
    fn two_values_score_half_the_square_of_their_difference() {
        // 1000 * 1000 / 2000 * 0.05^2 / 2, the same from either end.
        let half = [(0.0, 500), (1.0, 500)];
        let (there, back) = (of(&half, &[(0.0, 550), (1.0, 450)]), of(&half, &[(0.0, 450), (1.0, 550)]));
        assert_eq!(there, back);
        assert!((there.expect("defined").0 - 0.625).abs() < 1e-12, "{there:?}");
    }

    #[test]
    fn a_constant_gone_to_another_is_as_far_as_can_be() {
        // nm/(n+m) * 1/2
        assert_eq!(of(&[(3.0, 10)], &[(4.0, 10)]).map(|found| found.0), Ok(2.5));
        let (score, p_value) = of(&[(3.0, 1 << 40)], &[(4.0, 1 << 40)]).expect("billions of rows");
        assert!((score / (1u64 << 38) as f64 - 1.0).abs() < 1e-12 && p_value == 0.0);
    }

    #[test]
    fn the_limiting_tail_is_that_of_the_tables_and_precise_far_out() {
        // 1 - scipy.stats._hypotests._cdf_cvm_inf(x)
        let bulk = [
            (0.05, 0.876280931041351),
            (0.1, 0.5848734384067971),
            (0.46136, 0.05000038313265287),
            (0.74346, 0.009999961915457156),
        ];
        // Smirnov's integral by Gauss-Chebyshev quadrature in numpy with 2048 nodes; its last digits lie farther from SciPy's.
        let far = [
            (3.0, 7.567743459313524e-8),
            (5.0, 3.0539290331020963e-12),
            (10.0, 4.178941092882804e-23),
            (50.0, 3.5269996323070334e-109),
        ];
        for (x, expected) in bulk.into_iter().chain(far) {
            let found = limiting_tail(x);
            assert!((found / expected - 1.0).abs() < 1e-10, "{x}: {found:e}, not {expected:e}");
        }
        assert!((limiting_tail(0.003) - 1.0).abs() < 1e-12 && limiting_tail(0.002) == 1.0);
        assert_eq!(limiting_tail(5000.0), 0.0);
    }

    #[test]
    fn infinities_count_and_fewer_than_two_rows_are_not_defined() {
        let infinite = of(&[(0.0, 4)], &[(f64::NEG_INFINITY, 1), (0.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(infinite, of(&[(0.0, 4)], &[(-1.0, 1), (0.0, 2), (1.0, 1)]));
        assert_eq!(of(&[(0.0, 4)], &[(0.0, 1)]), Err("a side has one value only"));
        assert_eq!(of(&[], &[(0.0, 4)]), Err("the reference has no value"));
    }
}
