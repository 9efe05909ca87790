//! Tests of counts, as Evidently makes them: of categories, and of numbers of at most five values.
//!
//! Their score is the effect, in the unit of the methods of the same name in the `robust` definition: Cramer's V of both sides'
//! table, or the difference of two proportions.

use statrs::function::erf::erfc;
use statrs::function::gamma::gamma_ur;

use super::super::categories::rows;
use super::super::{Limit, Method, Outcome, Sides, Undefined, fisher_exact};
use super::pairs;

const fn method(
    name: &'static str,
    alpha: f64,
    about: &'static str,
    test: fn(&Sides) -> Result<Outcome, Undefined>,
) -> Method {
    let limit = Limit::Alpha(alpha);
    Method {
        name,
        numerical: false,
        categorical: true,
        text: false,
        embedding: false,
        several: false,
        has_p_value: true,
        limit,
        about,
        test,
        noise: None,
    }
}

/// Evidently's `chisquare`: Pearson's goodness of fit of the window to the reference's shares, taken as exact.
pub(super) const CHI_SQUARE: Method =
    method("chi_square", 0.05, "Cramer's V, with the p-value of the window's fit to the reference", |sides| {
        fit(sides, |observed, expected| (observed - expected) * (observed - expected) / expected)
    });

/// Evidently's `g_test`: the same by the likelihood ratio; the reference is scaled to the window's rows.
pub(super) const G_TEST: Method =
    method("g_test", 0.1, "Cramer's V, with the p-value of the window's fit by the likelihood ratio", |sides| {
        fit(sides, |observed, expected| if observed > 0.0 { 2.0 * observed * (observed / expected).ln() } else { 0.0 })
    });

/// The window's counts against the reference's, scaled to as many rows; an unseen category, which is expected never, has p 0.
fn fit(sides: &Sides, term: fn(f64, f64) -> f64) -> Result<Outcome, Undefined> {
    let pairs = pairs(sides);
    let (n, m) = rows(&pairs)?;
    if pairs.len() < 2 {
        return Err("the column has one value only");
    }
    let statistic: f64 = pairs.iter().map(|&(r, c)| term(c as f64, r as f64 * (m / n))).sum();
    let p_value = match statistic {
        _ if statistic.is_infinite() => 0.0,
        _ if statistic > 0.0 => gamma_ur((pairs.len() - 1) as f64 / 2.0, statistic / 2.0),
        _ => 1.0,
    };
    Ok(Outcome::tested(cramers_v(&pairs, n, m), p_value))
}

/// Of the table of both sides: 0 for equal shares, 1 where no category has rows of both.
fn cramers_v(pairs: &[(u64, u64)], n: f64, m: f64) -> f64 {
    let apart = |&(r, c): &(u64, u64)| {
        let apart = r as f64 * m - c as f64 * n;
        apart * (apart / ((r + c) as f64 * n * m))
    };
    (pairs.iter().map(apart).sum::<f64>() / (n + m)).sqrt().min(1.0)
}

/// Evidently's `z`: the pooled test of two proportions, two-sided.
pub(super) const Z_TEST: Method =
    method("z_test", 0.05, "difference of the proportions of a binary column, 0 to 1, with its p-value", |sides| {
        let pairs = pairs(sides);
        let (n, m) = rows(&pairs)?;
        let [one, other] = match pairs[..] {
            [one, other] => [one, other],
            [_] => return Ok(Outcome::tested(0.0, 1.0)),
            _ => return Err(MORE_VALUES),
        };
        let apart = (one.0 as f64 * m - one.1 as f64 * n).abs() / (n * m);
        let pooled = |pair: (u64, u64)| (pair.0 + pair.1) as f64 / (n + m);
        let error = (pooled(one) * pooled(other) * (1.0 / n + 1.0 / m)).sqrt();
        Ok(Outcome::tested(apart, erfc(apart / error / std::f64::consts::SQRT_2)))
    });

/// Evidently's `fisher_exact`, of sides of any size.
pub(super) const FISHER_EXACT: Method = method("fisher_exact", 0.1, fisher_exact::METHOD.about, |sides| {
    if pairs(sides).len() > 2 {
        return Err(MORE_VALUES);
    }
    Ok(Outcome { noise: None, ..(fisher_exact::METHOD.test)(sides)? })
});

const MORE_VALUES: Undefined = "the column has more than two values";
