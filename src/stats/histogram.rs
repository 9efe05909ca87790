//! NumPy's automatic histograms of weighted points, to the bit where its own arithmetic allows.
//!
//! Bins are of equal width over a closed range. A value on an inner edge belongs to the bin above it, the last bin has both
//! its edges, and what lies outside or is infinite is in none. A range of one value becomes one bin of width 1 around it.
//!
//! Source: `numpy.histogram_bin_edges` and `numpy.histogram` of NumPy 2.4 on float64.
//! This file knows points; no columns and no reference.

use super::{Cells, Points};

/// The width by Sturges' rule for so many values.
pub(super) fn sturges(rows: u64, low: f64, high: f64) -> f64 {
    (high - low) / ((rows as f64).log2() + 1.0)
}

/// The width by Doane's rule, which has more bins where the points are skewed; 0 where there is no spread to cut.
pub(super) fn doane(points: Points) -> f64 {
    let rows = points.rows() as f64;
    let weighted = || points.values.iter().zip(points.counts).filter(|(_, count)| **count > 0);
    let mean_of = |term: &dyn Fn(f64) -> f64| weighted().map(|(&x, &count)| term(x) * count as f64).sum::<f64>() / rows;
    if rows <= 2.0 {
        return 0.0;
    }
    let mean = mean_of(&|x| x);
    let sigma = mean_of(&|x| (x - mean) * (x - mean)).sqrt();
    let ends = || weighted().map(|(&x, _)| x);
    let (Some(low), Some(high), true) = (ends().next(), ends().next_back(), sigma > 0.0) else {
        return 0.0;
    };
    let skewness = mean_of(&|x| ((x - mean) / sigma).powi(3));
    let deviation = (6.0 * (rows - 2.0) / ((rows + 1.0) * (rows + 3.0))).sqrt();
    (high - low) / (1.0 + rows.log2() + (1.0 + skewness.abs() / deviation).log2())
}

/// The edges of bins of about this width over a range; `None` where no finite bins fit.
pub(super) fn edges(low: f64, high: f64, width: f64) -> Option<Vec<f64>> {
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let bins = if width == 0.0 { 1.0 } else { ((high - low) / width).ceil() };
    let edges = (1.0..BINS_MAX).contains(&bins).then(|| linspace(low, high, bins as usize))?;
    edges.is_sorted_by(|a, b| a < b).then_some(edges)
}

/// Both rules give some dozens.
const BINS_MAX: f64 = 1e6;

/// As `numpy.linspace(low, high, bins + 1)`.
pub(super) fn linspace(low: f64, high: f64, bins: usize) -> Vec<f64> {
    let step = (high - low) / bins as f64;
    let place = |i: usize| if step == 0.0 { i as f64 / bins as f64 * (high - low) } else { i as f64 * step };
    let mut edges: Vec<f64> = (0..bins).map(|i| place(i) + low).collect();
    edges.push(high);
    edges
}

/// Rows in each bin.
pub(super) fn count(points: Points, edges: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() - 1];
    for (&value, &rows) in points.values.iter().zip(points.counts).filter(|(_, rows)| **rows > 0) {
        let above = edges.partition_point(|edge| *edge <= value);
        if above == edges.len() && value > edges[above - 1] {
            break;
        }
        if above > 0 {
            counts[(above - 1).min(edges.len() - 2)] += rows;
        }
    }
    counts
}

/// The cells of finite values.
pub(super) fn finite(cells: Cells<'_>) -> Cells<'_> {
    let infinite = |at: Option<&f64>| usize::from(at.is_some_and(|value| value.is_infinite()));
    let all = cells.reference.values.len();
    let first = infinite(cells.reference.values.first());
    let range = first..(all - infinite(cells.reference.values.last())).max(first);
    Cells {
        reference: Points {
            values: &cells.reference.values[range.clone()],
            counts: &cells.reference.counts[range.clone()],
        },
        current: Points { values: &cells.current.values[range.clone()], counts: &cells.current.counts[range] },
    }
}

/// The smallest and the largest value that any row has.
pub(super) fn range<'a>(sides: impl IntoIterator<Item = Points<'a>>) -> Option<(f64, f64)> {
    let values = sides.into_iter().flat_map(|side| side.values.iter().zip(side.counts));
    values.filter(|(_, rows)| **rows > 0).fold(None, |range, (&value, _)| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points<'a>(values: &'a [f64], counts: &'a [u64]) -> Points<'a> {
        Points { values, counts }
    }

    #[test]
    fn edges_are_those_of_numpy() {
        // numpy.histogram_bin_edges([0, 1, 2, 3, 4, 5, 6, 7.], "sturges")
        assert_eq!(edges(0.0, 7.0, sturges(8, 0.0, 7.0)).expect("finite"), [0.0, 1.75, 3.5, 5.25, 7.0]);
        // numpy.histogram_bin_edges([0.5, 1, 1, 2, 3, 10], "doane")
        let skewed = points(&[0.5, 1.0, 2.0, 3.0, 10.0], &[1, 2, 1, 1, 1]);
        let found = edges(0.5, 10.0, doane(skewed)).expect("finite");
        assert_eq!(
            found,
            [0.5, 2.083333333333333, 3.6666666666666665, 5.25, 6.833333333333333, 8.416666666666666, 10.0]
        );
        // numpy.histogram_bin_edges([3, 3, 3.], "sturges"): one bin around the value
        assert_eq!(edges(3.0, 3.0, 0.0).expect("finite"), [2.5, 3.5]);
        // numpy.histogram_bin_edges([1e16, 1e16 + 2], "sturges") raises: too many bins for the range
        assert_eq!(edges(1e16, 1e16 + 2.0, sturges(2, 1e16, 1e16 + 2.0)), None);
        assert_eq!(edges(f64::MIN, f64::MAX, f64::INFINITY), None);
    }

    #[test]
    fn counts_are_those_of_numpy() {
        // numpy.histogram([-1, 0, 1, 1.5, 2, 3, numpy.inf], [0, 1, 2])[0]
        let all = points(&[-1.0, 0.0, 1.0, 1.5, 2.0, 3.0, f64::INFINITY], &[1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(count(all, &[0.0, 1.0, 2.0]), [1, 3]);
        // numpy.histogram([7, 7], [7, 7, 7])[0]
        assert_eq!(count(points(&[7.0], &[2]), &[7.0, 7.0, 7.0]), [0, 2]);
    }
}
