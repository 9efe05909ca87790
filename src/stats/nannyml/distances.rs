//! Distances between shares of rows, as NannyML bins them, and its test of counts.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

use statrs::function::gamma::gamma_ur;

use super::super::categories::{categories, rows};
use super::super::histogram::{count, doane, edges, range};
use super::super::jensen_shannon::divergence;
use super::super::{Bins, Limit, Method, NO_REFERENCE, Outcome, Sides, Undefined, both};

const fn method(
    name: &'static str,
    numerical: bool,
    limit: Limit,
    about: &'static str,
    test: fn(&Sides) -> Result<Outcome, Undefined>,
) -> Method {
    let has_p_value = matches!(limit, Limit::Alpha(_));
    Method {
        name,
        numerical,
        categorical: true,
        text: false,
        embedding: false,
        several: false,
        has_p_value,
        limit,
        about,
        test,
        noise: None,
    }
}

pub(super) const JENSEN_SHANNON: Method =
    method("jensen_shannon", true, Limit::Auto, "Jensen-Shannon distance in bits, 0 to 1", |sides| {
        let nats: f64 = shares(sides)?.into_iter().map(|(p, q)| divergence(p, q)).sum();
        Ok(Outcome::score((nats / LN_2).sqrt()))
    });

pub(super) const HELLINGER: Method = method("hellinger", true, Limit::Auto, "Hellinger distance, 0 to 1", |sides| {
    let apart = |(p, q): (f64, f64)| (p.sqrt() - q.sqrt()) * (p.sqrt() - q.sqrt());
    Ok(Outcome::score(shares(sides)?.into_iter().map(apart).sum::<f64>().sqrt() * FRAC_1_SQRT_2))
});

pub(super) const L_INFINITY: Method =
    method("l_infinity", false, Limit::Auto, "largest difference of a category's shares, 0 to 1", |sides| {
        let pairs = categories(&sides.bins);
        let (n, m) = rows(&pairs)?;
        Ok(Outcome::score(pairs.iter().map(|&(r, c)| (r as f64 / n - c as f64 / m).abs()).fold(0.0, f64::max)))
    });

/// NannyML's `chi2`: the statistic of the contingency table, with Yates' correction where there are two categories.
pub(super) const CHI_SQUARE: Method =
    method("chi_square", false, Limit::Alpha(0.05), "chi-square of the counts of both sides, 0 and up", |sides| {
        let pairs = categories(&sides.bins);
        let (n, m) = rows(&pairs)?;
        let correction = if pairs.len() == 2 { 0.5 } else { 0.0 };
        let term = |&(r, c): &(u64, u64)| {
            let pooled = (r + c) as f64 / (n + m);
            // A category is as far from what is expected on one side as on the other.
            let apart = (r as f64 - pooled * n).abs();
            let apart = apart - apart.min(correction);
            apart * apart / (pooled * n) + apart * apart / (pooled * m)
        };
        let statistic: f64 = pairs.iter().map(term).sum();
        let p_value = if pairs.len() > 1 && statistic > 0.0 {
            gamma_ur((pairs.len() - 1) as f64 / 2.0, statistic / 2.0)
        } else {
            1.0
        };
        Ok(Outcome::tested(if pairs.len() > 1 { statistic } else { 0.0 }, p_value))
    });

/// Shares of both sides in each bin; the last one is for what the reference never had.
fn shares(sides: &Sides) -> Result<Vec<(f64, f64)>, Undefined> {
    let (bins, n, m) = match sides.cells {
        None => {
            let pairs = categories(&Bins { unseen: &[], ..sides.bins });
            let (n, m) = rows(&pairs)?;
            (pairs, n, m)
        }
        Some(cells) => {
            let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
            let (low, high) = range([cells.reference]).ok_or(NO_REFERENCE)?;
            if !(low.is_finite() && high.is_finite()) {
                return Err("the reference has infinite values");
            }
            let edges = edges(low, high, doane(cells.reference)).ok_or("no bins of equal width fit the reference")?;
            let mut pairs: Vec<_> =
                count(cells.reference, &edges).into_iter().zip(count(cells.current, &edges)).collect();
            pairs.push((0, m - pairs.iter().map(|pair| pair.1).sum::<u64>()));
            (pairs, n as f64, m as f64)
        }
    };
    Ok(bins.into_iter().map(|(r, c)| (r as f64 / n, c as f64 / m)).collect())
}
