//! Mann-Whitney: does a value of one side tend to be larger than one of the other?
//!
//! Score: abs(2U/(nm) - 1), the size of the rank-biserial correlation, where U counts the pairs in which R's value is the larger,
//! ties as half. 0 to 1: 0 where either side is as often the larger, 1 where all values of one side lie above the other's. A
//! shift of a normal column by s standard deviations scores about 0.56 s. A change of spread alone scores 0.
//! All rows that have a value count, infinities included; a cell is one tie. Two equal constants: 0. A side without a value: not
//! defined.
//!
//! The p-value is two-sided, as `scipy.stats.mannwhitneyu` gives it in its automatic mode: exact where the smaller side has at
//! most 8 rows and no value occurs twice, else from the normal distribution, corrected for ties and continuity. Beyond 200 000
//! pairs of rows, where SciPy takes minutes, it is the latter too.
//!
//! Source: Mann and Whitney (1947), Wendt (1972) for the score, Andrews (1976) for the counts of U; SciPy 1.17.
//! This file knows cells; no columns, windows or thresholds in force.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc;

use super::noise::{NORMAL_995, Noise, Null, heaviest_share};
use super::{Cells, Limit, Method, NOT_NUMERICAL, Outcome, Points, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "mann_whitney",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Score(0.1),
    about: "how much more often one side's value is the larger, 0 to 1",
    test,
    noise: Some(Noise {
        closed: noise,
        is_distance: false,
        score: |sides| test(sides).map(|outcome| outcome.score).ok(),
    }),
};

/// At most so many rows on the smaller side, and so many pairs, take the exact p-value.
const EXACT_ROWS_MAX: u64 = 8;
const EXACT_PAIRS_MAX: u64 = 200_000;

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
    let apart = apart(cells, n, m);
    let pairs = n as f64 * m as f64;
    let few = n.min(m) <= EXACT_ROWS_MAX && n.saturating_mul(m) <= EXACT_PAIRS_MAX;
    let p_value = if few && !ties(cells) {
        2.0 * exact((n * m - apart as u64) / 2, n.min(m), n.max(m))
    } else {
        let variance = variance(n, m, pooled(cells));
        // Where all values are equal the variance is 0 and so is `apart`: minus infinity.
        erfc((apart as f64 - 1.0) / 2.0 / variance.sqrt() / SQRT_2)
    };
    Ok(Outcome::tested(apart as f64 / pairs, p_value.min(1.0)))
}

/// |2U - nm|.
fn apart(cells: Cells, n: u64, m: u64) -> u128 {
    let (mut below, mut twice) = (0u128, 0u128);
    for (&r, &c) in cells.reference.counts.iter().zip(cells.current.counts) {
        let (r, c) = (u128::from(r), u128::from(c));
        twice += r * (2 * below + c);
        below += c;
    }
    twice.abs_diff(u128::from(n) * u128::from(m))
}

fn pooled(cells: Cells<'_>) -> impl Iterator<Item = f64> + Clone {
    cells.reference.counts.iter().zip(cells.current.counts).map(|(&r, &c)| r as f64 + c as f64)
}

fn ties(cells: Cells) -> bool {
    cells.reference.counts.iter().zip(cells.current.counts).any(|(&r, &c)| r.saturating_add(c) > 1)
}

/// The variance of U where both sides come from one distribution with `ties` rows on its values, in any proportion.
fn variance(n: u64, m: u64, ties: impl Iterator<Item = f64> + Clone) -> f64 {
    let all: f64 = ties.clone().sum();
    // 1 - sum (t/N)^3 without the difference, which nothing would be left of where one value has nearly all rows.
    let untied: f64 = ties.map(|tied| tied / all * (1.0 - tied / all) * (1.0 + tied / all)).sum();
    let (n, m) = (n as f64, m as f64);
    n * m / 12.0 * (n + m) * untied * ((n + m) / (n + m - 1.0))
}

/// P(U <= u) for `few` and `many` rows without ties: the coefficients of the Gaussian binomial, the product over i <= few of
/// (1 - q^(many + i)) / (1 - q^i), over their sum.
fn exact(u: u64, few: u64, many: u64) -> f64 {
    let u = u as usize;
    let mut ways = vec![0.0; u + 1];
    ways[0] = 1.0;
    let mut all = 1.0;
    for i in 1..=few as usize {
        let over = many as usize + i;
        for at in (over..=u).rev() {
            ways[at] -= ways[at - over];
        }
        for at in i..=u {
            ways[at] += ways[at - i];
        }
        all *= over as f64 / i as f64;
    }
    ways.iter().sum::<f64>() / all
}

/// The normal approximation with the reference's ties. Not for few rows beside the most frequent value, where U takes few values.
fn noise(null: &Null) -> Option<f64> {
    const ROWS_MIN: f64 = 20.0;
    let points = null.points?;
    let (n, m) = (points.rows(), null.point_rows);
    if n.min(m) as f64 * (1.0 - heaviest_share(points)) < ROWS_MIN {
        return None;
    }
    let variance = variance(n, m, shares(points));
    Some(NORMAL_995 * 2.0 * variance.sqrt() / (n as f64 * m as f64))
}

fn shares(points: Points<'_>) -> impl Iterator<Item = f64> + Clone {
    points.counts.iter().map(|&count| count as f64)
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
    fn scores_are_those_of_scipy() {
        // found = scipy.stats.mannwhitneyu([1, 2, 3, 4, 5], [1.5, 6, 7])
        // abs(2 * found.statistic / 15 - 1), found.pvalue
        let found = of(&rows(1.0, 5), &[(1.5, 1), (6.0, 1), (7.0, 1)]);
        assert_outcome(found, 0.4666666666666667, 0.39285714285714285);
        // The same of numpy.arange(30), numpy.arange(8) + 20.5: exact.
        assert_outcome(of(&rows(0.0, 30), &rows(20.5, 8)), 0.6333333333333333, 0.005117589557817262);
        // The same of [1, 2, 2, 3], [2, 3, 3, 5]: ties.
        let found = of(&[(1.0, 1), (2.0, 2), (3.0, 1)], &[(2.0, 1), (3.0, 2), (5.0, 1)]);
        assert_outcome(found, 0.625, 0.1720337089218229);
        // The same of numpy.repeat([0, 1, 2], [500, 300, 200]), numpy.repeat([0, 1, 2], [520, 331, 150])
        let found = of(&[(0.0, 500), (1.0, 300), (2.0, 200)], &[(0.0, 520), (1.0, 331), (2.0, 150)]);
        assert_outcome(found, 0.04065934065934074, 0.08406444291164404);
        // The same of numpy.arange(2000), numpy.arange(2000) + 300.5
        assert_outcome(of(&rows(0.0, 2000), &rows(300.5, 2000)), 0.277925, 2.5790400476701887e-52);
    }

    #[test]
    fn constants_are_equal_or_wholly_apart() {
        assert_eq!(of(&[(3.0, 10)], &[(3.0, 20)]), Ok((0.0, 1.0)));
        let (score, p_value) = of(&[(3.0, 100)], &[(4.0, 200)]).expect("both sides have rows");
        assert!(score == 1.0 && p_value < 1e-20, "{p_value}");
    }

    #[test]
    fn infinities_count_and_no_rows_are_not_defined() {
        let found = of(&[(0.0, 4)], &[(0.0, 2), (f64::INFINITY, 2)]);
        assert_eq!(found.map(|found| found.0), Ok(0.5));
        assert_eq!(of(&[], &[(1.0, 3)]), Err("the reference has no value"));
        assert_eq!(of(&[(1.0, 3)], &[]), Err("the window has no value"));
    }

    #[test]
    fn one_row_beside_a_hundred_has_a_hundred_and_one_places() {
        let (score, p_value) = of(&rows(0.0, 100), &[(1e6, 1)]).expect("rows");
        assert!(score == 1.0 && (p_value - 2.0 / 101.0).abs() < 1e-15, "{p_value}");
    }

    #[test]
    fn billions_of_rows_do_not_overflow() {
        let found = of(&[(0.0, 1 << 40), (1.0, 1 << 40)], &[(0.0, 1 << 39), (1.0, 3 << 39)]);
        assert_eq!(found, Ok((0.25, 0.0)));
    }
}
