//! Anderson-Darling: the square between the two empirical distribution functions, weighted so that the tails count as much as the middle.
//!
//! Score: the two-sample statistic A2, less its mean 1, over its standard deviation without drift and ties: from -1.3, about 0 without
//! drift and 1.96 once in twenty times, whatever the row counts, so that it grows with them. All rows that have a value count, infinities
//! included; a cell is one tie, at its midrank. Fewer than four rows in all, and columns of one value on both sides: not defined,
//! as in SciPy.
//!
//! p-value: interpolated in the seven points that Scholz and Stephens tabulate, and held at the ends of that table: it is 0.25 where it is
//! larger, and 0.001 where it is smaller. An alpha below 0.001 is therefore never met, and after adjustment over more than alpha /
//! 0.001 columns one drifted column is not seen alone. With many ties it is a little too large.
//!
//! Source: Scholz and Stephens (1987), equation 7; `scipy.stats.anderson_ksamp([R, C], variant="midrank")`.
//! This file knows cells; no columns, windows or thresholds in force.

use super::noise::{Noise, Null, heaviest_share};
use super::{Cells, Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "anderson_darling",
    numerical: true,
    categorical: false,
    has_p_value: true,
    limit: Limit::Alpha(0.05),
    about: "square between the distribution functions with weight on the tails, in its standard deviations",
    test: |sides| score(sides).map(|score| Outcome::tested(score, p_value(score))),
    noise: Some(Noise { closed: noise, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
    if n.saturating_add(m) < 4 {
        return Err("both sides together have fewer than four values");
    }
    if pooled(cells).filter(|tied| *tied > 0).take(2).count() < 2 {
        return Err("all values of both sides are equal");
    }
    Ok((statistic(cells, n, m) - 1.0) / deviation(n as f64, m as f64))
}

fn pooled(cells: Cells<'_>) -> impl Iterator<Item = i128> {
    cells.reference.counts.iter().zip(cells.current.counts).map(|(&r, &c)| i128::from(r) + i128::from(c))
}

/// (N-1) / (N nm) * sum of t (m A - n B)^2 / (D (N - D) - N t / 4) over the cells, with t rows of both sides in the cell, and A rows of the
/// reference, B of the window and D of both below its middle.
fn statistic(cells: Cells, n: u64, m: u64) -> f64 {
    let (n, m) = (i128::from(n), i128::from(m));
    let all = n + m;
    let (mut below_r, mut below_c, mut sum) = (0i128, 0i128, 0.0);
    for (&r, &c) in cells.reference.counts.iter().zip(cells.current.counts) {
        let (r, c) = (i128::from(r), i128::from(c));
        let tied = r + c;
        if tied > 0 {
            // Twice A, B and D, so that all are whole.
            let (twice_r, twice_c) = (2 * below_r + r, 2 * below_c + c);
            let twice = twice_r + twice_c;
            let apart = (m * twice_r - n * twice_c) as f64;
            let weight = (twice * (2 * all - twice) - all * tied) as f64;
            sum += tied as f64 * (apart * (apart / weight));
            below_r += r;
            below_c += c;
        }
    }
    let (n, m, all) = (n as f64, m as f64, all as f64);
    (all - 1.0) / all * (sum / n / m)
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
