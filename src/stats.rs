//! Pure arithmetic on slices: what each number is. No config, no time, no I/O, no logging.
//!
//! A test compares two [`Sides`] of one column: the reference and the current window. Whatever the traffic,
//! a side is a short list of weighted points on [`Cells`] that both sides share, and counts in the
//! reference's [`Bins`]. Missing values are in the bins only; infinities are points at the ends.
//!
//! A further method is one file with a `pub const METHOD: Method`, and one word in `methods!` below.

mod draw;
pub mod f1;
mod kolmogorov;
pub mod noise;
pub mod regression;
mod resample;

macro_rules! methods {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every method, in the order in which help texts list them.
        pub static METHODS: &[&Method] = &[$(&$name::METHOD),*];
    };
}

methods!(ks, wasserstein, psi, jensen_shannon, chi_square);

/// A drift test.
#[derive(Debug)]
pub struct Method {
    /// As configs and the `method` label write it.
    pub name: &'static str,
    pub numerical: bool,
    /// The test reads bins; one that is not for categories reads cells.
    pub categorical: bool,
    /// In the unit of the score; a score at or above it may be drift.
    pub threshold: f64,
    /// The formula in one line, for people.
    pub about: &'static str,
    /// `None` where the score is not defined: a side without rows, or the wrong kind of column.
    pub test: fn(&Sides) -> Option<Outcome>,
    pub noise: noise::Noise,
}

/// What a test found. High scores mean far apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    pub score: f64,
    pub p_value: Option<f64>,
}

/// Looks a method up by the name that configs use.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name == name)
}

/// One column, seen in the reference and in the current window.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub bins: Bins<'a>,
    /// Numerical columns only.
    pub cells: Option<Cells<'a>>,
    /// Population standard deviation (ddof 0) of the reference's finite values; 0 for categorical columns.
    pub reference_std: f64,
}

/// Counts of both sides in the reference's bins (`shared` definition: quantile bins with open ends, or one bin a
/// value; an `unseen` bin where bins are values; a `missing` bin where either side has any). Equal lengths.
#[derive(Debug, Clone, Copy)]
pub struct Bins<'a> {
    pub reference: &'a [u64],
    pub current: &'a [u64],
}

impl Bins<'_> {
    /// Rows of the reference and of the current window; `None` where a side has none.
    fn rows(&self) -> Option<(f64, f64)> {
        let (reference, current) = (self.reference.iter().sum::<u64>(), self.current.iter().sum::<u64>());
        (reference > 0 && current > 0).then_some((reference as f64, current as f64))
    }
}

/// Both sides of a numerical column on shared cells, in ascending order. A cell is one value, or an open
/// stretch between two values; the values of one stretch are taken as one point at their mean, which
/// may differ between the sides. Equal lengths; a cell that is empty on one side has any value there.
/// A first cell at -inf and a last one at +inf hold the infinities. Missing values are not here.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    pub reference: Points<'a>,
    pub current: Points<'a>,
}

/// One side of [`Cells`]: where the mass of each cell lies, and how many rows it is.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    pub values: &'a [f64],
    pub counts: &'a [u64],
}

impl Points<'_> {
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests;
