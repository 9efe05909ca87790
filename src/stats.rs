//! Pure arithmetic on slices: what each number is. No config, no time, no I/O, no logging.
//!
//! A test compares two [`Sides`] of one column: the reference and the current window. Whatever the traffic,
//! a side is a short list of weighted points on [`Cells`] that both sides share, and counts in the
//! reference's [`Bins`]. Missing values are in the bins only; infinities are points at the ends.
//!
//! A further method is one file with a `pub const METHOD: Method`, its `mod` line, and its place in [`METHODS`].

mod anderson_darling;
pub mod brier;
pub mod calibration;
mod categories;
mod chi_square;
mod cramer_von_mises;
pub mod definition;
pub mod domain_classifier;
mod draw;
mod eigen;
pub mod embedding;
mod energy;
mod epps_singleton;
pub mod evidently;
pub mod expected;
pub mod f1;
mod features;
mod fisher_exact;
mod g_test;
pub mod groups;
mod hellinger;
mod histogram;
pub mod isotonic;
mod jensen_shannon;
mod kl_divergence;
mod kolmogorov;
mod ks;
mod l_infinity;
pub mod log_loss;
mod logistic;
mod mann_whitney;
pub mod mmd;
pub mod moments;
pub mod nannyml;
pub mod noise;
mod permutation;
mod proportions;
mod psi;
pub mod reconstruction;
pub mod regression;
mod resample;
pub mod roc_auc;
mod rows;
pub mod scored;
mod t_test;
pub mod text;
mod total_variation;
mod wasserstein;
mod z_test;

pub use moments::Moments;
pub use rows::{Table, Value, Vectors};

/// Every method, in the order in which help texts list them.
pub static METHODS: &[&Method] = &[
    &ks::METHOD,
    &wasserstein::METHOD,
    &energy::METHOD,
    &cramer_von_mises::METHOD,
    &anderson_darling::METHOD,
    &mann_whitney::METHOD,
    &t_test::METHOD,
    &epps_singleton::METHOD,
    &psi::METHOD,
    &jensen_shannon::METHOD,
    &kl_divergence::METHOD,
    &hellinger::METHOD,
    &total_variation::METHOD,
    &l_infinity::METHOD,
    &chi_square::METHOD,
    &g_test::METHOD,
    &z_test::METHOD,
    &fisher_exact::METHOD,
    &mmd::METHOD,
    &domain_classifier::METHOD,
    &embedding::MEAN_DISTANCE,
    &embedding::DRIFTED_COMPONENTS,
    &reconstruction::METHOD,
];

/// A drift test.
pub struct Method {
    /// As configs and the `method` label write it.
    pub name: &'static str,
    pub numerical: bool,
    /// The test reads bins; one that is not for categories reads cells.
    pub categorical: bool,
    /// Of columns of texts, of columns of vectors, and of several numerical and categorical columns at once: these tests
    /// read samples of rows.
    pub text: bool,
    pub embedding: bool,
    pub several: bool,
    /// Its test gives a p-value.
    pub has_p_value: bool,
    /// What makes it drift where nobody asked for anything else; of few categories see [`Method::limit_among`].
    pub limit: Limit,
    /// The formula in one line, for people.
    pub about: &'static str,
    pub test: fn(&Sides) -> Result<Outcome, Undefined>,
    /// `None`: the verdict asks for no noise level.
    pub noise: Option<noise::Noise>,
}

impl Method {
    /// Its limit in a column of so many categories.
    pub fn limit_among(&'static self, categories: usize) -> Limit {
        if std::ptr::eq(self, &jensen_shannon::METHOD) && categories <= jensen_shannon::FEW {
            return jensen_shannon::LIMIT_AMONG_FEW;
        }
        self.limit
    }
}

/// Its name alone: the address of a test is another one in each process, and digests of settings are made of this.
impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// From where on a test is drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A score at or above this, in the unit of the score.
    Score(f64),
    /// A p-value below this, 0 to 1.
    Alpha(f64),
    /// A score at or above what chunks of the reference reach among themselves.
    Auto,
}

/// Why a score is not defined, in words that follow the method's name: "the window has no value".
pub type Undefined = &'static str;

/// A side without a row that a method can use.
pub(crate) const NO_REFERENCE: Undefined = "the reference has no value";
pub(crate) const NO_CURRENT: Undefined = "the window has no value";
pub(crate) const BEYOND: Undefined = "the distance is beyond the range of numbers";
pub(crate) const NOT_NUMERICAL: Undefined = "the column is not numerical";
pub(crate) const NO_SAMPLE: Undefined = "there is no sample of such rows";

/// What a test found. High scores mean far apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    pub score: f64,
    pub p_value: Option<f64>,
    /// The noise level, where the test finds it on its way; it stands before that of [`Method::noise`].
    pub noise: Option<f64>,
}

impl Outcome {
    pub fn score(score: f64) -> Outcome {
        Outcome { score, p_value: None, noise: None }
    }

    pub fn tested(score: f64, p_value: f64) -> Outcome {
        Outcome { score, p_value: Some(p_value), noise: None }
    }
}

/// Looks a method up by the name that configs use.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().copied().find(|method| method.name == name)
}

/// One column, seen in the reference and in the current window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sides<'a> {
    pub bins: Bins<'a>,
    /// Numerical columns only.
    pub cells: Option<Cells<'a>>,
    /// Of the finite values of the reference and of the window, exact whatever the cells; numerical columns only.
    pub moments: Option<[Moments; 2]>,
    /// Texts, vectors and rows of several columns, none of them missing; nothing else is there beside them.
    pub samples: Option<Samples<'a>>,
}

impl Sides<'_> {
    /// Population standard deviation (ddof 0) of the reference's finite values; 0 for categorical columns.
    pub fn reference_std(&self) -> f64 {
        self.moments.map_or(0.0, |[reference, _]| reference.std())
    }
}

/// Counts of both sides in the reference's bins (`shared` definition: quantile bins with open ends, or one bin a
/// value; an `unseen` bin where bins are values; a `missing` bin where either side has any). Equal lengths.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bins<'a> {
    pub reference: &'a [u64],
    pub current: &'a [u64],
    /// The last bin holds the missing values.
    pub missing: bool,
    /// The window's rows of each category that the reference never had; all are in the `unseen` bin. Kept only where
    /// a definition looks at them one by one.
    pub unseen: &'a [u64],
}

impl Bins<'_> {
    /// Rows of the reference and of the current window.
    fn rows(&self) -> Result<(f64, f64), Undefined> {
        let (reference, current) = (self.reference.iter().sum::<u64>(), self.current.iter().sum::<u64>());
        both(reference, current).map(|(reference, current)| (reference as f64, current as f64))
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

/// Rows of the reference and of the window, each as likely to be here as any other.
#[derive(Debug, Clone, Copy)]
pub enum Samples<'a> {
    /// By their features, as [`text::bag`] gives them.
    Texts([&'a [&'a [u32]]; 2]),
    Vectors([Vectors<'a>; 2]),
    Rows([Table<'a>; 2]),
}

/// Rows of both sides, where both have any.
pub(crate) fn both(reference: u64, current: u64) -> Result<(u64, u64), Undefined> {
    match (reference, current) {
        (0, _) => Err(NO_REFERENCE),
        (_, 0) => Err(NO_CURRENT),
        rows => Ok(rows),
    }
}

#[cfg(test)]
mod tests;
