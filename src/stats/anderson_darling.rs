//! Anderson-Darling: the square between the two empirical distribution functions, weighted so that the tails count as much as the middle.
//!
//! Score: the two-sample statistic A2, less its mean 1, over its standard deviation without drift and ties: from -1.3 (-2.3 for few rows), about 0 without
//! drift and 1.96 once in twenty times, whatever the row counts, so that it grows with them. All rows that have a value count, infinities
//! included; a cell is one tie, at its midrank. Fewer than four rows in all, and columns of one value on both sides: not defined,
//! as in SciPy.
//!
//! p-value: interpolated in the seven points that Scholz and Stephens tabulate, and held at the ends of that table: it is 0.25 where it is
//! larger, and 0.001 where it is smaller. An alpha below 0.001 is therefore never met, and one drifted column among more
//! than alpha / 0.001 is not seen, once p is adjusted. It takes the columns as continuous and is too small where one value has many rows: of
//! undrifted columns with 40 % of the rows on one value 7 % have p < 0.05, of those with two values 11 %; the noise level knows.
//!
//! Source: Scholz and Stephens (1987), equation 7; `scipy.stats.anderson_ksamp([R, C], variant="midrank")`.
//! This file knows cells; no columns, windows or thresholds in force.

use super::cramer_von_mises::steps;
use super::noise::{Noise, Null, heaviest_share};
use super::{Cells, Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "anderson_darling",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Alpha(0.05),
    about: "square between the distribution functions with weight on the tails, in its standard deviations",
    test: |sides| score(sides).map(|score| Outcome::tested(score, p_value(score))),
    noise: Some(Noise { closed: noise, is_distance: false, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
    if n.saturating_add(m) < 4 {
        return Err("both sides together have fewer than four values");
    }
    if steps(cells, n, m).filter(|step| step.0 > 0).take(2).count() < 2 {
        return Err("all values of both sides are equal");
    }
    Ok((statistic(cells, n, m) - 1.0) / deviation(n as f64, m as f64))
}

/// (N-1) / (N nm) * sum of t (m A - n B)^2 / (D (N - D) - N t / 4) over the cells, with t rows of both sides in the cell, and A rows of the
/// reference, B of the window and D of both below its middle.
fn statistic(cells: Cells, n: u64, m: u64) -> f64 {
    let (rows, others) = (n as f64, m as f64);
    let all = rows + others;
    let (mut below, mut sum) = (0.0, 0.0);
    for (tied, before, after) in steps(cells, n, m).filter(|step| step.0 > 0) {
        let upto = below + tied as f64;
        // Four times both, the divisor as a sum of what is never negative: the difference loses its digits where t is nearly N.
        let apart = (before + after) as f64;
        let weight = below * (all - below) + upto * (all - upto) + 2.0 * below * (all - upto);
        sum += tied as f64 * (apart * (apart / weight));
        below = upto;
    }
    (all - 1.0) / all * (sum / rows / others)
}

/// Of A2 for rows without ties (equation 4, for two samples).
fn deviation(n: f64, m: f64) -> f64 {
    let all = n + m;
    let (harmonic, squares) = harmonics(all - 1.0);
    let inverse = 1.0 / n + 1.0 / m;
    // The double sum of the paper, sum 1/((N-i) j) over 1 <= i < j < N, in closed form.
    let g = squares - 2.0 * harmonic / all;
    let h = harmonic;
    let a = 4.0 * g - 6.0 + (10.0 - 6.0 * g) * inverse;
    let b = 4.0 * (2.0 * g - 4.0) + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * inverse - 8.0 * h + 4.0 * g - 6.0;
    let c = 4.0 * (6.0 * h + 2.0 * g - 2.0) + 2.0 * (4.0 * h - 4.0 * g + 6.0) + (2.0 * h - 6.0) * inverse + 4.0 * h;
    let d = 4.0 * (2.0 * h + 6.0) - 8.0 * h;
    let cubic = a + (b + (c + d / all) / all) / all;
    (cubic / ((1.0 - 1.0 / all) * (1.0 - 2.0 / all) * (1.0 - 3.0 / all))).sqrt()
}

/// The sums of 1/i and 1/i^2 for i up to `last`; beyond 1000 by the Euler-Maclaurin series.
fn harmonics(last: f64) -> (f64, f64) {
    const EULER: f64 = 0.577_215_664_901_532_9;
    const ZETA_2: f64 = std::f64::consts::PI * std::f64::consts::PI / 6.0;
    if last <= 1000.0 {
        return (1..=last as u32).fold((0.0, 0.0), |(sum, squares), i| {
            let inverse = 1.0 / f64::from(i);
            (sum + inverse, squares + inverse * inverse)
        });
    }
    let x = 1.0 / last;
    (last.ln() + EULER + x / 2.0 - x * x / 12.0, ZETA_2 - x + x * x / 2.0 - x * x * x / 6.0)
}

/// ln p is a parabola in the score, the least squares through ln(0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001) at the table's points.
fn p_value(score: f64) -> f64 {
    const FIRST: f64 = 0.325;
    const LAST: f64 = 6.546;
    if score < FIRST {
        0.25
    } else if score > LAST {
        0.001
    } else {
        ((0.018_198_094_574_111_343 * score - 1.008_226_564_465_251_5) * score - 1.077_770_279_820_486).exp()
    }
}

/// The table's point for 0.01. Not for few rows or a value of many.
fn noise(null: &Null) -> Option<f64> {
    const TABLE_99: f64 = 3.752;
    const ROWS_MIN: u64 = 20;
    const SHARE_MAX: f64 = 0.05;
    let points = null.points?;
    (points.rows().min(null.point_rows) >= ROWS_MIN && heaviest_share(points) <= SHARE_MAX).then_some(TABLE_99)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Result<(f64, f64), Undefined> {
        let column = cells(reference, current);
        (METHOD.test)(&sides(&column)).map(|found| (found.score, found.p_value.expect("it has one")))
    }

    fn assert_outcome(found: Result<(f64, f64), Undefined>, score: f64, p_value: f64) {
        let found = found.expect("defined");
        assert!((found.0 - score).abs() < 1e-12, "{found:?}");
        assert!((found.1 / p_value - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // scipy.stats.anderson_ksamp([[1, 2, 3, 4, 5], [1.5, 6, 7]], variant="midrank")
        let reference: Vec<_> = (1..6).map(|value| (f64::from(value), 1)).collect();
        let found = of(&reference, &[(1.5, 1), (6.0, 1), (7.0, 1)]);
        assert_outcome(found, 0.3669654857209508, 0.23567441861273306);
        // scipy.stats.anderson_ksamp([[1, 2, 2, 3], [2, 3, 3, 5]], variant="midrank")
        let found = of(&[(1.0, 1), (2.0, 2), (3.0, 1)], &[(2.0, 1), (3.0, 2), (5.0, 1)]);
        assert_outcome(found, 1.269634451736632, 0.09744037282303819);
        // scipy.stats.anderson_ksamp(
        //     [numpy.repeat([0, 1, 2], [500, 300, 200]), numpy.repeat([0, 1, 2], [520, 331, 150])], variant="midrank")
        let found = of(&[(0.0, 500), (1.0, 300), (2.0, 200)], &[(0.0, 520), (1.0, 331), (2.0, 150)]);
        assert_outcome(found, 2.9530706137893334, 0.02031418757392408);
    }

    #[test]
    fn p_values_stay_within_the_table() {
        assert_eq!(of(&[(0.0, 5), (1.0, 5)], &[(0.0, 3), (1.0, 8)]).expect("defined").1, 0.25);
        assert_eq!(of(&[(0.0, 500), (1.0, 500)], &[(0.0, 300), (1.0, 800)]).expect("defined").1, 0.001);
    }

    #[test]
    fn the_series_of_harmonic_numbers_go_on_where_the_sums_end() {
        let ((sum, squares), (one_more, squares_more)) = (harmonics(1000.0), harmonics(1001.0));
        assert!((one_more - sum - 1.0 / 1001.0).abs() < 1e-13, "{one_more} {sum}");
        assert!((squares_more - squares - 1.0 / 1001.0 / 1001.0).abs() < 1e-13, "{squares_more} {squares}");
    }

    #[test]
    fn equal_values_and_three_rows_are_not_defined_and_infinities_count() {
        assert_eq!(of(&[(3.0, 10)], &[(3.0, 20)]), Err("all values of both sides are equal"));
        assert_eq!(of(&[(3.0, 1)], &[(4.0, 2)]), Err("both sides together have fewer than four values"));
        assert_eq!(of(&[(3.0, 5)], &[]), Err("the window has no value"));
        let infinite = of(&[(0.0, 4)], &[(f64::NEG_INFINITY, 1), (0.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(infinite, of(&[(0.0, 4)], &[(-1.0, 1), (0.0, 2), (1.0, 1)]));
    }

    #[test]
    fn billions_of_rows_do_not_overflow() {
        let half = [(0.0, 1 << 40), (1.0, 1 << 40)];
        let (score, p_value) = of(&half, &[(0.0, 1 << 39), (1.0, 3 << 39)]).expect("rows");
        assert!(score.is_finite() && score > 1e10 && p_value == 0.001, "{score}");
        assert!(of(&half, &[(0.0, 1 << 30), (1.0, 1 << 30)]).expect("rows").0 < -1.3);
    }
}
