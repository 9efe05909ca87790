//! Distances between distribution functions, as NannyML computes them: of the values themselves, or, from 10 000 reference rows on,
//! of as many bins of equal width over the reference.

use super::super::histogram::{count, linspace, range};
use super::super::wasserstein::apart;
use super::super::{Cells, Limit, Method, NOT_NUMERICAL, Outcome, Points, Sides, Undefined, both, ks};

/// So many reference rows are binned, into so many bins.
const BINNED_ROWS_MIN: u64 = 10_000;
const BINS: usize = 10_000;

const fn method(name: &'static str, about: &'static str, test: fn(&Sides) -> Result<Outcome, Undefined>) -> Method {
    let limit = Limit::Auto;
    Method {
        name,
        numerical: true,
        categorical: false,
        text: false,
        embedding: false,
        several: false,
        has_p_value: false,
        limit,
        about,
        test,
        noise: None,
    }
}

/// NannyML's `kolmogorov_smirnov`.
pub(super) const KS: Method = method("ks", "largest distance between the distribution functions, 0 to 1", |sides| {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    if cells.reference.rows() < BINNED_ROWS_MIN {
        return Ok(Outcome::score((ks::METHOD.test)(sides)?.score));
    }
    let (low, high) = finite_range(cells.reference)?;
    let steps = Steps::new(cells, linspace(low, high, BINS))?;
    let below = steps.below as f64 / steps.rows;
    Ok(Outcome::score(steps.apart(below).fold(0.0, f64::max)))
});

/// NannyML's `wasserstein`, in the column's unit.
pub(super) const WASSERSTEIN: Method =
    method("wasserstein", "mean distance that values moved, in the column's unit", |sides| {
        let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
        let (low, high) = finite_range(cells.reference)?;
        finite_range(cells.current)?;
        if cells.reference.rows() < BINNED_ROWS_MIN {
            return apart(cells.reference, cells.current, |apart| apart).map(Outcome::score);
        }
        // A constant is one value in the middle of a range of 1.
        let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
        let edges = linspace(low, high, BINS);
        let width = edges[1] - edges[0];
        let steps = Steps::new(cells, edges)?;
        let tail = |rows: u64| if rows > 0 { (rows + 1) as f64 / steps.rows } else { 0.0 };
        let within: f64 = steps.apart(tail(steps.below)).map(|apart| apart * width).sum();
        let (below, above) = outside(cells.current, low, high);
        Ok(Outcome::score(within + (below + above) / steps.rows))
    });

/// The smallest and the largest value, where none is infinite.
fn finite_range(points: Points) -> Result<(f64, f64), Undefined> {
    let (low, high) = range([points]).ok_or("a side has no value")?;
    if low.is_finite() && high.is_finite() { Ok((low, high)) } else { Err("infinite values") }
}

/// The way from the window's values outside of the range to its ends, summed over the rows.
fn outside(current: Points, low: f64, high: f64) -> (f64, f64) {
    let ways = |way: fn(f64, f64) -> f64, end: f64| {
        let rows = current.values.iter().zip(current.counts);
        rows.map(|(&value, &rows)| way(value, end).max(0.0) * rows as f64).sum()
    };
    (ways(|value, end| end - value, low), ways(|value, end| value - end, high))
}

/// Both sides' rows in bins of equal width, and those of the window that lie below them.
struct Steps {
    bins: Vec<(u64, u64)>,
    reference: f64,
    rows: f64,
    below: u64,
}

impl Steps {
    fn new(cells: Cells, edges: Vec<f64>) -> Result<Steps, Undefined> {
        let (n, m) = both(cells.reference.rows(), cells.current.rows())?;
        let bins = count(cells.reference, &edges).into_iter().zip(count(cells.current, &edges)).collect();
        let rows = cells.current.values.iter().zip(cells.current.counts);
        let below = rows.filter(|(value, _)| **value < edges[0]).map(|(_, rows)| rows).sum();
        Ok(Steps { bins, reference: n as f64, rows: m as f64, below })
    }

    /// The distance between the distribution functions at the end of each bin; `below`: the window's share under the first one.
    fn apart(&self, below: f64) -> impl Iterator<Item = f64> {
        let sums = self.bins.iter().scan((0, 0), |sum, bin| {
            *sum = (sum.0 + bin.0, sum.1 + bin.1);
            Some(*sum)
        });
        sums.map(move |(r, c)| (r as f64 / self.reference - (below + c as f64 / self.rows)).abs())
    }
}
