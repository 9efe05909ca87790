//! The tests of Evidently 0.7, by Evidently's own formulas, for people who come from there.
//!
//! A test sees what Evidently's report hands to it: the rows that have a value, infinities left out with the missing ones. A
//! number is Evidently's to rounding: distances are the score, p-values the p-value, whose score is the effect that the method of
//! the same name has in [`super::METHODS`], since Evidently gives none.
//!
//! Not copied, since the number would be of no use:
//! - `mannw` tests one side only, so that a window that moved down has p near 1: `mann_whitney` is two-sided, as its text says.
//! - `g_test` compares rows with rows, and fails where the sides have not the same number: here the reference is scaled.
//! - `fisher_exact` fails unless both sides have the same number of rows, which Fisher's test does not ask for.
//! - `z` of more than two values tests the first one of the alphabet against the rest: here it is not defined.
//! - `TVD` and `empirical_mmd` have p-values from random permutations, which differ from run to run on the same data.
//! - Tests at the exact limit: `ks` and `cramer_von_mises` call p = limit drift, `ed` does not call its threshold drift.
//!
//! Copied, since they are the defaults: `chi_square` takes the reference's shares as exact, which alarms far too often where the
//! window is not much smaller than the reference, and gives p = 0 for one unseen category; and bins of equal width over
//! the range of both sides go blind for a far outlier.
//!
//! Source: evidently 0.7.23, `legacy/calculations/stattests`.

mod counts;
mod distances;
mod values;

use super::categories::{categories, zip};
use super::histogram::finite;
use super::{Limit, Method, Sides};

/// Every method of this definition, in the order in which help texts list them.
pub static METHODS: &[&Method] = &[
    &values::KS,
    &values::WASSERSTEIN,
    &distances::PSI,
    &distances::JENSEN_SHANNON,
    &distances::KL_DIVERGENCE,
    &distances::HELLINGER,
    &values::ENERGY,
    &values::CRAMER_VON_MISES,
    &values::ANDERSON_DARLING,
    &values::MANN_WHITNEY,
    &values::T_TEST,
    &values::EPPS_SINGLETON,
    &counts::CHI_SQUARE,
    &counts::G_TEST,
    &counts::Z_TEST,
    &counts::FISHER_EXACT,
];

/// Stands for the test that [`choose`] takes once it sees both sides; its alpha is that of those that have one.
pub static DEFAULT: Method = Method {
    name: "default",
    numerical: true,
    categorical: true,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Alpha(0.05),
    about: "by the reference's rows and the distinct values: ks, wasserstein, chi_square, z_test or jensen_shannon",
    test: |sides| (choose(sides).test)(sides),
    noise: None,
};

/// The test that Evidently takes where nobody asked for one: by the reference's rows and the distinct values of both sides.
pub fn choose(sides: &Sides) -> &'static Method {
    const ROWS_FEW: u64 = 1000;
    const VALUES_FEW: usize = 5;
    let pairs = pairs(sides);
    let rows: u64 = pairs.iter().map(|pair| pair.0).sum();
    let numbers = sides.cells.is_some() && pairs.len() > VALUES_FEW;
    match (rows > ROWS_FEW, numbers) {
        (true, true) => &values::WASSERSTEIN,
        (true, false) => &distances::JENSEN_SHANNON,
        (false, true) => &values::KS,
        (false, false) if pairs.len() > 2 => &counts::CHI_SQUARE,
        (false, false) => &counts::Z_TEST,
    }
}

/// Rows of both sides of each distinct value; missing and infinite values left out.
fn pairs(sides: &Sides) -> Vec<(u64, u64)> {
    match sides.cells.map(finite) {
        Some(cells) => zip(cells.reference.counts, cells.current.counts).filter(|pair| *pair != (0, 0)).collect(),
        None => categories(&sides.bins),
    }
}
