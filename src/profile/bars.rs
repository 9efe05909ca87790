//! Bars: a distribution drawn for people, between edges that the reference alone fixes, so that windows compare over time.
//!
//! No test reads them. This file knows `grid` and the profiles; no category's name.

use super::{Categories, Cell, Form, Numbers};
use crate::grid::Grid;

/// So many bars of equal width at most; one more where both ends round outwards, and the two open ones.
const BARS_MAX: f64 = 20.0;

/// A numeric column with at most this many distinct values has a bar for each.
const VALUES_MAX: usize = 20;

/// The bars of a numeric column. A value on an edge is in the bar below it; both outer bars are open.
#[derive(Debug, Clone)]
pub struct Bars {
    edges: Box<[f64]>,
    /// For each edge the number of knots below it.
    places: Box<[u32]>,
    reference: Box<[u64]>,
}

impl Bars {
    /// `distinct` finite values of the reference, ascending, and how often each occurs; `below` and `above` count infinities.
    pub fn new(grid: &Grid, distinct: &[f64], counts: &[u64], below: u64, above: u64) -> Bars {
        let edges = if distinct.len() <= VALUES_MAX { around(distinct) } else { even(distinct, counts) };
        let places = edges.iter().map(|edge| grid.locate(*edge) as u32).collect();
        let up_to = |edge: &f64| counts[..distinct.partition_point(|value| value <= edge)].iter().sum::<u64>();
        let rows = below + counts.iter().sum::<u64>() + above;
        let reference = differences(edges.iter().map(|edge| below + up_to(edge)), rows).into();
        Bars { edges: edges.into(), places, reference }
    }

    /// Inner edges, ascending; empty where the reference has no finite value.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The reference's rows in each bar.
    pub fn reference(&self) -> &[u64] {
        &self.reference
    }

    /// A window's rows in each bar: exact where it still has its values; else a gap's rows lie at their mean.
    pub fn count(&self, grid: &Grid, current: &Numbers) -> Vec<u64> {
        let rows = current.rows - current.missing;
        match &current.form {
            Form::Values(values) => {
                let up_to = |edge: &f64| values.iter().map(|value| u64::from(value <= edge)).sum::<u64>();
                differences(self.edges.iter().map(|edge| current.below + up_to(edge)), rows)
            }
            Form::Cells(cells) => {
                let mut whole = current.below;
                let mut from = 0;
                let up_to = self.edges.iter().zip(&self.places).map(|(edge, &place)| {
                    let place = place as usize;
                    whole += cells[from..place].iter().map(Cell::rows).sum::<u64>();
                    from = place;
                    let Cell { gap, at, sum } = cells[place];
                    let gap_is_below = gap > 0 && sum / f64::from(gap) <= *edge;
                    let knot_is_below = grid.knots().get(place) == Some(edge);
                    whole + u64::from(gap) * u64::from(gap_is_below) + u64::from(at) * u64::from(knot_is_below)
                });
                differences(up_to, rows)
            }
        }
    }
}

/// What each of ascending sums adds to the one before; the last bar is the rest of `rows`.
fn differences(sums: impl Iterator<Item = u64>, rows: u64) -> Vec<u64> {
    let mut before = 0;
    sums.chain([rows]).map(|sum| sum - std::mem::replace(&mut before, sum)).collect()
}

/// A bar for each value: edges halfway to the next one, and as far from the outer ones.
fn around(distinct: &[f64]) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (distinct.first(), distinct.last()) else {
        return Vec::new();
    };
    let between = |pair: &[f64]| {
        let middle = pair[0] / 2.0 + pair[1] / 2.0;
        if middle < pair[1] { middle.max(pair[0]) } else { pair[0] }
    };
    let mut edges: Vec<f64> = distinct.windows(2).map(between).collect();
    // A constant has no neighbour: half of its leading digit's unit.
    let alone = if first == 0.0 { 0.5 } else { 0.5 * 10f64.powf(first.abs().log10().floor()) };
    let (low, high) = match (edges.first(), edges.last()) {
        (Some(low), Some(high)) => (low - first, last - high),
        _ => (alone, alone),
    };
    edges.insert(0, first - low);
    edges.push(last + high);
    tidied(edges)
}

/// Edges of equal width on round numbers, from the 1 % to the 99 % quantile: a tail must not squeeze the rest into one bar.
fn even(distinct: &[f64], counts: &[u64]) -> Vec<f64> {
    let last = counts.iter().sum::<u64>() - 1;
    let value = |rank: u64| {
        let mut passed = 0;
        let at = counts.iter().position(|count| {
            passed += count;
            passed > rank
        });
        at.map_or(0.0, |at| distinct[at])
    };
    let (mut low, mut high) = (value(last / 100), value(last - last / 100));
    if low == high {
        (low, high) = (distinct[0], distinct[distinct.len() - 1]);
    }
    let whole = distinct.iter().all(|value| value.fract() == 0.0);
    let width = ((high - low) / BARS_MAX).clamp(if whole { 1.0 } else { f64::MIN_POSITIVE }, f64::MAX);
    let exponent = width.log10().floor() as i32;
    // Tenths of 10^exponent. Bars of 2.5 would hold two or three whole numbers by turns.
    let widths: &[i64] = if whole { &[10, 20, 50, 100] } else { &[10, 20, 25, 50, 100] };
    let tenths = widths.iter().copied().find(|tenths| decimal(*tenths, exponent - 1) >= width).unwrap_or(100);
    let width = decimal(tenths, exponent - 1);
    let (from, to) = ((low / width).floor() as i64, (high / width).ceil() as i64);
    tidied((from..=to).map(|step| decimal(step.saturating_mul(tenths), exponent - 1)).collect())
}

/// The number nearest to a decimal: 3 and -1 give 0.3, which 3 times 0.1 is not.
fn decimal(digits: i64, exponent: i32) -> f64 {
    format!("{digits}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// At the ends of the range of numbers edges may be infinite, or fall together.
fn tidied(mut edges: Vec<f64>) -> Vec<f64> {
    edges.retain(|edge| edge.is_finite());
    edges.dedup();
    edges
}

impl Categories {
    /// Rows of the first `shown` codes, and of all further codes together.
    pub fn bars(&self, shown: usize) -> (&[u64], u64) {
        let (shown, further) = self.counts.split_at(shown.min(self.counts.len()));
        (shown, further.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::ReferenceNumbers;

    fn reference(values: &[f64], resolution: usize) -> ReferenceNumbers {
        let mut sorted: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let runs = || sorted.chunk_by(|a, b| a == b);
        let (distinct, counts): (Vec<f64>, Vec<u64>) = runs().map(|run| (run[0], run.len() as u64)).unzip();
        let grid = Grid::new(&distinct, &counts, (0, 0), 10, resolution);
        ReferenceNumbers::new(grid, distinct, counts, 0, 0, 0)
    }

    fn window(reference: &ReferenceNumbers, values: &[f64], fold: bool) -> Vec<u64> {
        let mut numbers = Numbers::default();
        numbers.add(reference.grid(), values, None);
        if fold {
            numbers.fold(reference.grid());
        }
        reference.bars().count(reference.grid(), &numbers)
    }

    #[test]
    fn edges_are_round_and_no_value_is_lost() {
        // i = numpy.arange(1000); edges = numpy.arange(22) / 2; r = (i * i % 1009) / 100
        // numpy.bincount(numpy.searchsorted(edges, r, side="left"), minlength=23)
        let r: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 1009) / 100.0).collect();
        let reference = reference(&r, 4096);
        assert_eq!(reference.bars().edges(), (0..22).map(|i| f64::from(i) / 2.0).collect::<Vec<_>>());
        let expected = [1, 61, 40, 56, 42, 50, 50, 52, 40, 56, 40, 50, 52, 46, 52, 44, 50, 48, 52, 44, 58, 16, 0];
        assert_eq!(reference.bars().reference(), expected);
        // c = numpy.append((i * i * i % 503) / 50, [numpy.inf, -numpy.inf, -numpy.inf]); r as c above
        let c: Vec<f64> = (0..1000i64).map(|i| (i * i * i % 503) as f64 / 50.0).collect();
        let c = [&c[..], &[f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NAN]].concat();
        let expected = [4, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 49, 50, 50, 50, 49, 50, 49, 50, 48, 3, 1];
        assert_eq!(window(&reference, &c, false), expected);
        assert_eq!(window(&reference, &r, true), reference.bars().reference(), "each value of the reference is a knot");
    }

    #[test]
    fn few_values_have_a_bar_each_and_whole_numbers_whole_edges() {
        let stars = reference(&[1.0, 2.0, 2.0, 4.0, 5.0], 4096);
        assert_eq!(stars.bars().edges(), [0.5, 1.5, 3.0, 4.5, 5.5]);
        assert_eq!(stars.bars().reference(), [0, 1, 2, 1, 1, 0]);
        assert_eq!(window(&stars, &[-1.0, 5.0, 7.0, 7.0], false), [1, 0, 0, 0, 1, 2], "new values show");
        assert_eq!(reference(&[250.0; 9], 4096).bars().edges(), [200.0, 300.0]);
        assert_eq!(reference(&[0.0; 9], 4096).bars().edges(), [-0.5, 0.5]);
        assert!(reference(&[], 4096).bars().edges().is_empty());
        let ages: Vec<f64> = (18..57).map(f64::from).collect();
        assert_eq!(reference(&ages, 4096).bars().edges()[..3], [18.0, 20.0, 22.0]);
        let ages: Vec<f64> = (18..39).map(f64::from).collect();
        assert_eq!(reference(&ages, 4096).bars().edges()[..3], [18.0, 19.0, 20.0]);
    }

    #[test]
    fn a_column_of_mostly_one_value_shows_the_rest_of_its_range() {
        let values: Vec<f64> = (0..10_000).map(|i| f64::from((i - 9970).max(0))).collect();
        let reference = reference(&values, 4096);
        assert_eq!(reference.bars().edges()[..3], [0.0, 2.0, 4.0]);
        assert_eq!(reference.bars().reference()[..3], [9971, 2, 2]);
    }

    #[test]
    fn the_ends_of_the_range_of_numbers_are_survived() {
        let far = |scale: f64| (0..40).map(|i| (f64::from(i) - 20.0) / 20.0 * scale).collect::<Vec<f64>>();
        let near: Vec<f64> = (0..40).map(|i| f64::from_bits(1e300f64.to_bits() + i)).collect();
        let tiny: Vec<f64> = (0..40).map(f64::from_bits).collect();
        for values in [far(f64::MAX), near, tiny, far(1e-300), vec![f64::MAX], vec![-f64::MAX, f64::MAX], vec![5e-324]]
        {
            let reference = reference(&values, 16);
            let edges = reference.bars().edges();
            assert!(!edges.is_empty() && edges.len() < 25, "{edges:?}");
            assert!(edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted_by(|a, b| a < b), "{edges:?}");
            assert_eq!(window(&reference, &values, true).iter().sum::<u64>(), values.len() as u64);
        }
    }

    proptest! {
        #[test]
        fn on_the_grid_only_what_shares_a_gap_with_an_edge_can_change_its_bar(
            theirs in prop::collection::vec(-1e3..1e3, 1..300),
            ours in prop::collection::vec(-2e3..2e3, 0..300),
        ) {
            let reference = reference(&theirs, 32);
            let (exact, folded) = (window(&reference, &ours, false), window(&reference, &ours, true));
            prop_assert_eq!(exact.iter().sum::<u64>(), ours.len() as u64);
            prop_assert_eq!(folded.iter().sum::<u64>(), ours.len() as u64);
            let (mut exact_below, mut folded_below) = (0, 0);
            for (bar, edge) in reference.bars().edges().iter().enumerate() {
                exact_below += exact[bar];
                folded_below += folded[bar];
                let knots = reference.grid().knots();
                let place = reference.grid().locate(*edge);
                let after = |value: &f64| place == 0 || *value > knots[place - 1];
                let before = |value: &f64| knots.get(place).is_none_or(|knot| value < knot);
                let shared = ours.iter().filter(|value| after(value) && before(value)).count() as u64;
                prop_assert!(exact_below.abs_diff(folded_below) <= shared);
            }
        }
    }
}
