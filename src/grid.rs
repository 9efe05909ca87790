//! The grid of a numeric column: the knots that values are counted on, and the bins, both fixed by the reference.
//!
//! Finding a value's place is the hottest loop of the program: a lookup table gives a short stretch of knots,
//! and a fixed number of branch-free steps finds the place in it. This file knows numbers only.

use std::hint::select_unpredictable;

/// Numeric columns with at most this many distinct values have a bin for each.
const VALUE_BINS_MAX: usize = 20;

/// Where knots are quantiles, so many of the smallest and of the largest values are knots of their own: a tail is wide, and
/// what lies in one gap counts as one point.
const TAIL_KNOTS: usize = 128;

/// Lookup slots per knot.
const SLOTS_PER_KNOT: usize = 4;

/// More refining steps than this make a second kind of table worth trying.
const STEPS_MAX: u32 = 5;

/// Values searched in one pass: small enough for their slots to stay in the first-level cache.
const BLOCK: usize = 256;

/// What falls on one knot, and between the knot before and this one. The last cell has no knot.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cell {
    pub gap: u32,
    pub at: u32,
    /// Sum of the gap's values.
    pub sum: f64,
}

impl Cell {
    pub fn rows(&self) -> u64 {
        u64::from(self.gap) + u64::from(self.at)
    }
}

/// Knots and bins of one column.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Ascending and distinct; behind them as many infinities as the fixed steps may touch.
    padded: Vec<f64>,
    count: usize,
    exact: bool,
    bins: Bins,
    slots: Slots,
    /// The first knot of each slot.
    starts: Vec<u32>,
    steps: u32,
    /// The reference's smallest and largest value.
    range: (f64, f64),
}

#[derive(Debug, Clone)]
enum Bins {
    /// One bin a knot, and a last one for everything else.
    Values,
    /// Open outer bins; each bin ends with (and holds) the knot of this index.
    Quantiles(Vec<u32>),
}

/// A weakly monotone map from values to slots of the lookup table.
#[derive(Debug, Clone, Copy)]
enum Slots {
    /// Slots of equal width.
    Even { low: f64, scale: f64, last: u32 },
    /// Slots that widen away from the middle, like an inverse hyperbolic sine: for heavy tails.
    Widening { middle: f64, scale: f64, low: i64, shift: u32, last: u32 },
}

impl Slots {
    #[inline(always)]
    fn of(self, value: f64) -> u32 {
        match self {
            Slots::Even { low, scale, last } => {
                let (slot, last) = ((value - low) * scale, f64::from(last));
                let slot = if slot > 0.0 { slot } else { 0.0 };
                let slot = if slot < last { slot } else { last };
                // So large that its last bits count wholes: several at a time, where a conversion is one by one.
                (slot + WHOLES).to_bits() as u32
            }
            Slots::Widening { middle, scale, low, shift, last } => {
                let far = widen(value, middle, scale).max(low);
                ((far.wrapping_sub(low) as u64 >> shift).min(u64::from(last))) as u32
            }
        }
    }
}

/// 2^52: the distance of its neighbours is one.
const WHOLES: f64 = 4_503_599_627_370_496.0;

/// The bits of 1 + |x| grow like its logarithm; signed, they are monotone in x.
#[inline(always)]
fn widen(value: f64, middle: f64, scale: f64) -> i64 {
    let x = (value - middle) * scale;
    let bits = (1.0 + x.abs()).to_bits() as i64 - 1.0f64.to_bits() as i64;
    select_unpredictable(x < 0.0, -bits, bits)
}

impl Grid {
    /// `distinct`: the reference's finite values, ascending and distinct, `counts` how often each occurs. Knots are
    /// all of them where they are at most `resolution`, else so many quantiles; the bin edges are always among them.
    /// `infinities`: how many values lie below and above all others; they count in the quantiles.
    /// `bins`: how many quantile bins a column of many values gets.
    pub fn new(distinct: &[f64], counts: &[u64], infinities: (u64, u64), bins: usize, resolution: usize) -> Grid {
        let cumulative: Vec<u64> = counts
            .iter()
            .scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            })
            .collect();
        let at_rank = |rank: u64| distinct[cumulative.partition_point(|sum| *sum <= rank)];
        let rows = cumulative.last().copied().unwrap_or(0);
        let exact = distinct.len() <= resolution;
        let mut knots: Vec<f64> =
            if exact { distinct.to_vec() } else { quantile_knots(distinct, at_rank, rows, resolution) };
        let edges =
            if distinct.len() > VALUE_BINS_MAX { Some(quantile_edges(at_rank, rows, infinities, bins)) } else { None };
        knots.extend(edges.iter().flatten());
        knots.sort_unstable_by(f64::total_cmp);
        knots.dedup();
        let bins = match edges {
            None => Bins::Values,
            Some(edges) => {
                Bins::Quantiles(edges.iter().map(|edge| knots.partition_point(|knot| knot < edge) as u32).collect())
            }
        };
        let (slots, starts, steps) = table(&knots);
        let count = knots.len();
        let range = (distinct.first().copied().unwrap_or(0.0), distinct.last().copied().unwrap_or(0.0));
        knots.resize(count + (1 << steps), f64::INFINITY);
        Grid { padded: knots, count, exact, bins, slots, starts, steps, range }
    }

    /// Ascending and distinct; empty where the reference has no finite value.
    pub fn knots(&self) -> &[f64] {
        &self.padded[..self.count]
    }

    /// The knots hold every value of the reference.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    pub fn bin_count(&self) -> usize {
        match &self.bins {
            Bins::Values => self.count + 1,
            Bins::Quantiles(edges) => edges.len() + 1,
        }
    }

    /// The reference's smallest and largest finite value.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    /// The number of knots below `value`, which must be finite: the slow and obvious way.
    pub fn locate(&self, value: f64) -> usize {
        self.knots().partition_point(|knot| *knot < value)
    }

    /// Counts finite values in `cells` (one more than knots).
    pub fn count(&self, values: &[f64], cells: &mut [Cell]) {
        debug_assert_eq!(cells.len(), self.count + 1);
        let mut places = [0u32; BLOCK];
        for block in values.chunks(BLOCK) {
            let places = &mut places[..block.len()];
            match self.slots {
                slots @ Slots::Even { .. } => {
                    block.iter().zip(&mut *places).for_each(|(value, place)| *place = slots.of(*value))
                }
                slots @ Slots::Widening { .. } => {
                    block.iter().zip(&mut *places).for_each(|(value, place)| *place = slots.of(*value))
                }
            }
            places.iter_mut().for_each(|place| *place = self.starts[*place as usize]);
            for step in (0..self.steps).rev() {
                let half = 1u32 << step;
                for (value, place) in block.iter().zip(&mut *places) {
                    let below = self.padded[(*place + half - 1) as usize] < *value;
                    *place = select_unpredictable(below, *place + half, *place);
                }
            }
            for (value, place) in block.iter().zip(&*places) {
                let cell = &mut cells[*place as usize];
                let on = self.padded[*place as usize] == *value;
                cell.at += u32::from(on);
                cell.gap += u32::from(!on);
                cell.sum += select_unpredictable(on, 0.0, *value);
            }
        }
    }

    /// Counts in the bins, from cells. `below` and `above` are infinities.
    pub fn bin_cells(&self, cells: &[Cell], below: u64, above: u64, out: &mut Vec<u64>) {
        out.clear();
        match &self.bins {
            Bins::Values => {
                out.extend(cells[..self.count].iter().map(|cell| u64::from(cell.at)));
                out.push(cells.iter().map(|cell| u64::from(cell.gap)).sum::<u64>() + below + above);
            }
            Bins::Quantiles(edges) => {
                let mut from = 0;
                for end in edges.iter().map(|edge| *edge as usize + 1).chain([cells.len()]) {
                    out.push(cells[from..end].iter().map(Cell::rows).sum());
                    from = end;
                }
                self.add_infinities(below, above, out);
            }
        }
    }

    /// Counts in the bins, from ascending finite values.
    pub fn bin_values(&self, sorted: &[f64], below: u64, above: u64, out: &mut Vec<u64>) {
        out.clear();
        match &self.bins {
            Bins::Values => {
                let on = |knot: &f64| {
                    (sorted.partition_point(|value| value <= knot) - sorted.partition_point(|value| value < knot))
                        as u64
                };
                out.extend(self.knots().iter().map(on));
                let seen: u64 = out.iter().sum();
                out.push(sorted.len() as u64 - seen + below + above);
            }
            Bins::Quantiles(edges) => {
                let mut from = 0;
                let ends =
                    edges.iter().map(|&edge| sorted.partition_point(|value| *value <= self.padded[edge as usize]));
                for end in ends.chain([sorted.len()]) {
                    out.push((end - from) as u64);
                    from = end;
                }
                self.add_infinities(below, above, out);
            }
        }
    }

    fn add_infinities(&self, below: u64, above: u64, out: &mut [u64]) {
        if let Some(first) = out.first_mut() {
            *first += below;
        }
        if let Some(last) = out.last_mut() {
            *last += above;
        }
    }
}

/// So many quantiles that are values of the reference, and the values of both tails.
fn quantile_knots(distinct: &[f64], at_rank: impl Fn(u64) -> f64, rows: u64, resolution: usize) -> Vec<f64> {
    let last = resolution as u128 - 1;
    let quantile = |i: u128| at_rank((i * u128::from(rows - 1) / last) as u64);
    let tail = TAIL_KNOTS.min(resolution / 8);
    let mut knots: Vec<f64> = (0..=last).map(quantile).collect();
    knots.extend_from_slice(&distinct[..tail]);
    knots.extend_from_slice(&distinct[distinct.len() - tail..]);
    knots
}

/// The inner edges `numpy.quantile(values, i / bins)` (linear) of finite values and infinities, ascending; equal ones are
/// merged, infinite ones are no edges.
fn quantile_edges(at_rank: impl Fn(u64) -> f64, finite: u64, (below, above): (u64, u64), bins: usize) -> Vec<f64> {
    let rows = below + finite + above;
    let value = |rank: u64| match rank.checked_sub(below) {
        None => f64::NEG_INFINITY,
        Some(rank) if rank < finite => at_rank(rank),
        Some(_) => f64::INFINITY,
    };
    let edge = |i: usize| {
        let rank = (i as f64 / bins as f64) * (rows - 1) as f64;
        let (low, part) = (rank.floor(), rank - rank.floor());
        let (a, b) = (value(low as u64), value((low as u64 + 1).min(rows - 1)));
        // The two forms of numpy's interpolation, so that edges agree to the last bit.
        if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
    };
    let mut edges: Vec<f64> = (1..bins).map(edge).filter(|edge| edge.is_finite()).map(|edge| edge + 0.0).collect();
    edges.dedup();
    edges
}

/// The lookup table with the fewest refining steps: slots, the first knot of each, and the steps.
fn table(knots: &[f64]) -> (Slots, Vec<u32>, u32) {
    let last = (knots.len() * SLOTS_PER_KNOT).max(1) as u32 - 1;
    let low = knots.first().copied().unwrap_or(0.0);
    let width = knots.last().copied().unwrap_or(0.0) - low;
    let scale = f64::from(last) / width;
    let even = if width.is_finite() && scale.is_finite() && width > 0.0 {
        Slots::Even { low, scale, last }
    } else {
        Slots::Even { low: 0.0, scale: 0.0, last: 0 }
    };
    let first = filled(even, knots);
    if first.2 <= STEPS_MAX {
        return first;
    }
    match widening(knots, last).map(|slots| filled(slots, knots)) {
        Some(second) if second.2 < first.2 => second,
        _ => first,
    }
}

fn widening(knots: &[f64], last: u32) -> Option<Slots> {
    let at = |share: usize| knots[(knots.len() - 1) * share / 8];
    let middle = at(4);
    let scale = 1.0 / (at(5) - at(3));
    if !(scale.is_finite() && scale > 0.0) {
        return None;
    }
    let low = widen(knots[0], middle, scale);
    let span = widen(knots[knots.len() - 1], middle, scale).wrapping_sub(low) as u64;
    let mut shift = 0;
    while span >> shift > u64::from(last) {
        shift += 1;
    }
    Some(Slots::Widening { middle, scale, low, shift, last: (span >> shift) as u32 })
}

fn filled(slots: Slots, knots: &[f64]) -> (Slots, Vec<u32>, u32) {
    let (Slots::Even { last, .. } | Slots::Widening { last, .. }) = slots;
    let mut starts = vec![0u32; last as usize + 2];
    knots.iter().for_each(|knot| starts[slots.of(*knot) as usize + 1] += 1);
    let most = starts.iter().copied().max().unwrap_or(0);
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    (slots, starts, u32::BITS - most.leading_zeros())
}
