//! Distances between shares of rows, as Evidently bins them.
//!
//! Numbers with more than 20 distinct reference values are cut by Sturges' rule over the range of both sides together, else
//! every value is a bin, and so is every category. Where a logarithm needs it, an empty bin of a side has a share of 1e-4, or a
//! millionth of the side's smallest share where that is at most 1e-4; shares are not scaled again to a sum of 1.

use super::super::categories::rows;
use super::super::histogram::{count, edges, finite, range, sturges};
use super::super::jensen_shannon::divergence;
use super::super::{Cells, Limit, Method, NO_REFERENCE, Outcome, Sides, Undefined};
use super::pairs;

/// All four have one threshold there.
const LIMIT: Limit = Limit::Score(0.1);

/// The methods differ in name and formula only.
const fn method(name: &'static str, about: &'static str, test: fn(&Sides) -> Result<Outcome, Undefined>) -> Method {
    Method {
        name,
        numerical: true,
        categorical: true,
        text: false,
        embedding: false,
        several: false,
        has_p_value: false,
        limit: LIMIT,
        about,
        test,
        noise: None,
    }
}

/// Evidently's `psi`: sum (p - q) ln(p/q), empty bins filled.
pub(super) const PSI: Method =
    method("psi", "population stability index over bins of equal width of both sides, 0 and up", |sides| {
        let (p, q) = filled(sides)?;
        Ok(Outcome::score(p.iter().zip(&q).map(|(p, q)| (p - q) * (p / q).ln()).sum()))
    });

/// Evidently's `kl_div`: sum p ln(p/q) of the filled shares, each side scaled to a sum of 1.
pub(super) const KL_DIVERGENCE: Method =
    method("kl_divergence", "KL divergence of the reference from the window, in nats, 0 and up", |sides| {
        let (p, q) = filled(sides)?;
        let (of_p, of_q) = (p.iter().sum::<f64>(), q.iter().sum::<f64>());
        Ok(Outcome::score(p.iter().zip(&q).map(|(p, q)| p / of_p * (p / of_p / (q / of_q)).ln()).sum()))
    });

/// Evidently's `jensenshannon`: base e, so 0 to 0.8326.
pub(super) const JENSEN_SHANNON: Method =
    method("jensen_shannon", "square root of the Jensen-Shannon divergence in nats, 0 to 0.833", |sides| {
        let nats: f64 = shares(sides)?.into_iter().map(|(p, q)| divergence(p, q)).sum();
        Ok(Outcome::score(nats.sqrt()))
    });

/// Evidently's `hellinger`: sqrt(1 - sum sqrt(pq)); numbers are cut by Sturges' rule over the distinct values of both sides.
pub(super) const HELLINGER: Method = method("hellinger", "Hellinger distance, 0 to 1", |sides| {
    let same: f64 = match sides.cells.map(finite) {
        Some(cells) => common_area(cells)?,
        None => shares(sides)?.into_iter().map(|(p, q)| (p * q).sqrt()).sum(),
    };
    Ok(Outcome::score((1.0 - same.clamp(0.0, 1.0)).sqrt()))
});

/// The integral of the root of both densities' product. The bins' widths are rounded, which shows for narrow bins far from zero.
fn common_area(cells: Cells) -> Result<f64, Undefined> {
    let distinct = cells.reference.counts.iter().zip(cells.current.counts).filter(|(r, c)| **r + **c > 0).count();
    let edges = edges_of(cells, distinct as u64)?;
    let bins = cut(cells, &edges);
    let (n, m) = rows(&bins)?;
    let width = (edges[bins.len()] - edges[0]) / bins.len() as f64;
    let area = |((r, c), edges): (&(u64, u64), &[f64])| {
        let own = edges[1] - edges[0];
        (*r as f64 / own / n * (*c as f64 / own / m)).sqrt() * width
    };
    Ok(bins.iter().zip(edges.windows(2)).map(area).sum())
}

/// The edges of bins of equal width over the range of both sides, as wide as Sturges' rule says for so many values.
fn edges_of(cells: Cells, values: u64) -> Result<Vec<f64>, Undefined> {
    let (low, high) = range([cells.reference, cells.current]).ok_or(NO_REFERENCE)?;
    edges(low, high, sturges(values, low, high)).ok_or("no bins of equal width fit the range")
}

/// Rows of both sides in each bin.
fn cut(cells: Cells, edges: &[f64]) -> Vec<(u64, u64)> {
    count(cells.reference, edges).into_iter().zip(count(cells.current, edges)).collect()
}

/// Shares of both sides in each bin.
fn shares(sides: &Sides) -> Result<Vec<(f64, f64)>, Undefined> {
    const VALUES_FEW: usize = 20;
    let distinct = |cells: &Cells| cells.reference.counts.iter().filter(|rows| **rows > 0).count();
    let pairs = match sides.cells.map(finite).filter(|cells| distinct(cells) > VALUES_FEW) {
        Some(cells) => cut(cells, &edges_of(cells, cells.reference.rows() + cells.current.rows())?),
        None => pairs(sides),
    };
    let (n, m) = rows(&pairs)?;
    Ok(pairs.into_iter().map(|(r, c)| (r as f64 / n, c as f64 / m)).collect())
}

/// The shares of each side, none of them zero.
fn filled(sides: &Sides) -> Result<(Vec<f64>, Vec<f64>), Undefined> {
    let (mut p, mut q): (Vec<f64>, Vec<f64>) = shares(sides)?.into_iter().unzip();
    fill(&mut p);
    fill(&mut q);
    Ok((p, q))
}

fn fill(shares: &mut [f64]) {
    const USUAL: f64 = 1e-4;
    let least = shares.iter().copied().filter(|share| *share > 0.0).fold(1.0, f64::min);
    let little = if least <= USUAL { least / 1e6 } else { USUAL };
    shares.iter_mut().filter(|share| **share == 0.0).for_each(|share| *share = little);
}
