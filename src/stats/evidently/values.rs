//! Tests of the values themselves, as Evidently makes them: mostly the formulas of the `robust` definition, of finite values only.

use super::super::histogram::finite;
use super::super::{Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined, both};
use super::super::{anderson_darling, cramer_von_mises, epps_singleton, ks, mann_whitney, t_test, wasserstein};

const fn method(
    name: &'static str,
    has_p_value: bool,
    limit: Limit,
    about: &'static str,
    test: fn(&Sides) -> Result<Outcome, Undefined>,
) -> Method {
    Method {
        name,
        numerical: true,
        categorical: false,
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

/// The same sides without their infinities.
fn of_finite<'a>(sides: &Sides<'a>) -> Sides<'a> {
    Sides { cells: sides.cells.map(finite), ..*sides }
}

/// Evidently's `ks`: the p-value decides.
pub(super) const KS: Method =
    method("ks", true, Limit::Alpha(0.05), ks::METHOD.about, |sides| (ks::METHOD.test)(&of_finite(sides)));

/// Evidently's `wasserstein`, which is ours.
pub(super) const WASSERSTEIN: Method =
    method("wasserstein", false, Limit::Score(0.1), wasserstein::METHOD.about, wasserstein::METHOD.test);

/// Evidently's `ed`, in the root of the column's own unit.
pub(super) const ENERGY: Method =
    method("energy", false, Limit::Score(0.1), "energy distance in the root of the column's unit", |sides| {
        let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
        let squares = wasserstein::apart(cells.reference, cells.current, |apart| apart * apart)?;
        Ok(Outcome::score((2.0 * squares).sqrt()))
    });

/// Evidently's `anderson`: p from 0.001 to 0.25.
pub(super) const ANDERSON_DARLING: Method =
    method("anderson_darling", true, Limit::Alpha(0.1), anderson_darling::METHOD.about, |sides| {
        (anderson_darling::METHOD.test)(&of_finite(sides))
    });

/// Evidently's `cramer_von_mises`.
pub(super) const CRAMER_VON_MISES: Method =
    method("cramer_von_mises", true, Limit::Alpha(0.1), cramer_von_mises::METHOD.about, |sides| {
        (cramer_von_mises::METHOD.test)(&of_finite(sides))
    });

/// Evidently's `es`.
pub(super) const EPPS_SINGLETON: Method =
    method("epps_singleton", true, Limit::Alpha(0.05), epps_singleton::METHOD.about, |sides| {
        (epps_singleton::METHOD.test)(&of_finite(sides))
    });

/// Evidently's `mannw`, but two-sided.
pub(super) const MANN_WHITNEY: Method =
    method("mann_whitney", true, Limit::Alpha(0.05), mann_whitney::METHOD.about, |sides| {
        (mann_whitney::METHOD.test)(&of_finite(sides))
    });

/// Evidently's `t_test`: Student's, which takes both variances as equal.
pub(super) const T_TEST: Method =
    method("t_test", true, Limit::Alpha(0.05), "Cohen's d, with the p-value of Student's t-test", |sides| {
        let [reference, current] = sides.moments.as_ref().ok_or(NOT_NUMERICAL)?;
        let (n, m) = both(reference.count, current.count)?;
        let (n, m) = (n as f64, m as f64);
        // Rounding may give a constant some spread; its range tells.
        if n + m < 3.0 || [reference, current].iter().all(|side| side.min == side.max) {
            return Err("both sides are constant");
        }
        let score = (current.mean - reference.mean).abs() / ((reference.m2 + current.m2) / (n + m - 2.0)).sqrt();
        Ok(Outcome::tested(score, t_test::two_sided(score / (1.0 / n + 1.0 / m).sqrt(), n + m - 2.0)))
    });
