//! The reference's profile of a numeric column, and how a window's profile is laid beside it for the tests.

use super::{Bars, Categories, Cell, Form, Numbers};
use crate::grid::Grid;
use crate::stats::{Bins, Cells, Moments, Points};

/// A numeric column of the reference: its grid, its counts on it, and its values.
#[derive(Debug, Clone)]
pub struct ReferenceNumbers {
    grid: Grid,
    profile: Numbers,
    cells: Box<[Cell]>,
    distinct: Box<[f64]>,
    counts: Box<[u32]>,
    /// Where its mass lies on the grid: what noise is drawn from, whatever the window.
    mass: (Box<[f64]>, Box<[u64]>),
    bars: Bars,
}

/// Room for comparisons, used again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    sorted: Vec<f64>,
    reference_values: Vec<f64>,
    reference_counts: Vec<u64>,
    current_values: Vec<f64>,
    current_counts: Vec<u64>,
    reference_bins: Vec<u64>,
    current_bins: Vec<u64>,
    /// The last bin holds the missing values.
    missing: bool,
}

impl Scratch {
    fn clear(&mut self) {
        self.reference_values.clear();
        self.reference_counts.clear();
        self.current_values.clear();
        self.current_counts.clear();
    }

    fn push(&mut self, reference: (f64, u64), current: (f64, u64)) {
        self.reference_values.push(reference.0);
        self.reference_counts.push(reference.1);
        self.current_values.push(current.0);
        self.current_counts.push(current.1);
    }

    fn cells(&self) -> Cells<'_> {
        Cells {
            reference: Points { values: &self.reference_values, counts: &self.reference_counts },
            current: Points { values: &self.current_values, counts: &self.current_counts },
        }
    }

    fn bins(&self) -> Bins<'_> {
        Bins { reference: &self.reference_bins, current: &self.current_bins, missing: self.missing, unseen: &[] }
    }

    /// A bin for missing values where either side has any.
    fn push_missing(&mut self, reference: u64, current: u64) {
        self.missing = reference + current > 0;
        if self.missing {
            self.reference_bins.push(reference);
            self.current_bins.push(current);
        }
    }
}

impl ReferenceNumbers {
    /// `distinct` finite values, ascending, and how often each occurs; `below` and `above` count infinities.
    pub fn new(
        grid: Grid,
        distinct: Vec<f64>,
        counts: Vec<u64>,
        missing: u64,
        below: u64,
        above: u64,
    ) -> ReferenceNumbers {
        let mut cells = vec![Cell::default(); grid.knots().len() + 1].into_boxed_slice();
        let mut place = 0;
        for (&value, &count) in distinct.iter().zip(&counts) {
            place += grid.knots()[place..].iter().take_while(|knot| **knot < value).count();
            if grid.knots().get(place) == Some(&value) {
                cells[place].at += count as u32;
            } else {
                cells[place].gap += count as u32;
                cells[place].sum += value * count as f64;
            }
        }
        let moments = moments(&distinct, &counts);
        let rows = moments.count + missing + below + above;
        let profile = Numbers { rows, missing, below, above, out_of_range: 0, moments, form: Form::default() };
        let mass = mass(&grid, &cells);
        let bars = Bars::new(&grid, &distinct, &counts, below, above);
        let counts = counts.into_iter().map(|count| count as u32).collect();
        ReferenceNumbers { grid, profile, cells, distinct: distinct.into(), counts, mass, bars }
    }

    /// The finite values as points on the grid.
    pub fn points(&self) -> Points<'_> {
        Points { values: &self.mass.0, counts: &self.mass.1 }
    }

    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// What people see of it.
    pub fn bars(&self) -> &Bars {
        &self.bars
    }

    /// Its counts; the values are kept apart.
    pub fn profile(&self) -> &Numbers {
        &self.profile
    }

    /// Both sides on shared cells and in the bins. Exact where the current side still has its values.
    pub fn compare<'a>(&self, current: &Numbers, scratch: &'a mut Scratch) -> (Cells<'a>, Bins<'a>) {
        let reference = &self.profile;
        self.grid.bin_cells(&self.cells, reference.below, reference.above, &mut scratch.reference_bins);
        scratch.clear();
        if reference.below + current.below > 0 {
            scratch.push((f64::NEG_INFINITY, reference.below), (f64::NEG_INFINITY, current.below));
        }
        match &current.form {
            Form::Values(values) => {
                scratch.sorted.clear();
                scratch.sorted.extend_from_slice(values);
                scratch.sorted.sort_unstable_by(f64::total_cmp);
                self.grid.bin_values(&scratch.sorted, current.below, current.above, &mut scratch.current_bins);
                self.lay_values(scratch);
            }
            Form::Cells(cells) => {
                self.grid.bin_cells(cells, current.below, current.above, &mut scratch.current_bins);
                self.lay_cells(cells, scratch);
            }
        }
        if reference.above + current.above > 0 {
            scratch.push((f64::INFINITY, reference.above), (f64::INFINITY, current.above));
        }
        scratch.push_missing(reference.missing, current.missing);
        (scratch.cells(), scratch.bins())
    }

    /// One cell for each distinct value of either side.
    fn lay_values(&self, scratch: &mut Scratch) {
        let sorted = std::mem::take(&mut scratch.sorted);
        let mut theirs =
            self.distinct.iter().copied().zip(self.counts.iter().map(|count| u64::from(*count))).peekable();
        let mut ours = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).peekable();
        loop {
            let value = match (theirs.peek(), ours.peek()) {
                (Some(a), Some(b)) => a.0.min(b.0),
                (Some(one), None) | (None, Some(one)) => one.0,
                (None, None) => break,
            };
            let reference = theirs.next_if(|next| next.0 == value).map_or(0, |next| next.1);
            let current = ours.next_if(|next| next.0 == value).map_or(0, |next| next.1);
            scratch.push((value, reference), (value, current));
        }
        drop(ours);
        scratch.sorted = sorted;
    }

    /// The gaps and knots of the grid in turn; a gap's values are one point at their mean.
    fn lay_cells(&self, cells: &[Cell], scratch: &mut Scratch) {
        let knots = self.grid.knots();
        let gap = |cell: &Cell, knot: f64| {
            let mean = if cell.gap > 0 { cell.sum / f64::from(cell.gap) } else { knot };
            (mean, u64::from(cell.gap))
        };
        for (i, (theirs, ours)) in self.cells.iter().zip(cells).enumerate() {
            let knot = knots.get(i).or(knots.last()).copied().unwrap_or(0.0);
            if theirs.gap + ours.gap > 0 {
                scratch.push(gap(theirs, knot), gap(ours, knot));
            }
            if i < knots.len() {
                scratch.push((knot, u64::from(theirs.at)), (knot, u64::from(ours.at)));
            }
        }
    }
}

/// Of values that occur so often.
fn moments(distinct: &[f64], counts: &[u64]) -> Moments {
    if counts.iter().all(|&count| count == 1) {
        return Moments::of(distinct);
    }
    let mut moments = Moments::default();
    for (&value, &count) in distinct.iter().zip(counts) {
        moments.merge(&Moments { count, mean: value, m2: 0.0, min: value, max: value });
    }
    moments
}

/// The cells that hold anything, as points.
fn mass(grid: &Grid, cells: &[Cell]) -> (Box<[f64]>, Box<[u64]>) {
    let mut points = Vec::new();
    for (i, cell) in cells.iter().enumerate() {
        if cell.gap > 0 {
            points.push((cell.sum / f64::from(cell.gap), u64::from(cell.gap)));
        }
        if let Some(&knot) = grid.knots().get(i).filter(|_| cell.at > 0) {
            points.push((knot, u64::from(cell.at)));
        }
    }
    let (values, counts): (Vec<f64>, Vec<u64>) = points.into_iter().unzip();
    (values.into(), counts.into())
}

impl Categories {
    /// The reference's categories beside a window's: one bin a code, one for unseen values, one for missing ones.
    pub fn compare<'a>(&self, current: &'a Categories, scratch: &'a mut Scratch) -> Bins<'a> {
        scratch.reference_bins.clear();
        scratch.reference_bins.extend_from_slice(&self.counts);
        scratch.reference_bins.push(self.unseen);
        scratch.current_bins.clear();
        scratch.current_bins.extend_from_slice(&current.counts);
        scratch.current_bins.push(current.unseen);
        scratch.push_missing(self.missing, current.missing);
        Bins { unseen: &current.strange, ..scratch.bins() }
    }
}
