//! Energy distance, in standard deviations of the reference.
//!
//! sqrt(2 * integral of (F_R(x) - F_C(x))^2 dx / s) over the finite values of both sides, s = max(std(R), 0.001); 0 and
//! up. Equally sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|) of the values over s, X of R and Y of C. Infinities are left out. The floor of the
//! divisor is that of `wasserstein`. Ties need no care. A side without finite values: not defined; nor is a distance
//! beyond the range of `f64`.
//!
//! Squares make it blunter than `wasserstein` in the tails: m rows of which one lies d standard deviations off score
//! sqrt(2 d) / m, where `wasserstein` gives d / m. A small shift of the whole column by s standard deviations scores 0.75 s for a
//! normal column and 0.76 s for a uniform one, so that the default limit, 0.075, is wasserstein's 0.1 there.
//!
//! Source: Szekely and Rizzo (2004); `scipy.stats.energy_distance(R / s, C / s)`.
//! This file knows cells; no columns, windows or thresholds in force.

use super::noise::Noise;
use super::wasserstein::{STD_MIN, apart};
use super::{Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "energy",
    numerical: true,
    categorical: false,
    has_p_value: false,
    limit: Limit::Score(0.075),
    about: "energy distance of the values in standard deviations of the reference",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: |_| None, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let std = sides.reference_std();
    let squares = apart(cells.reference, cells.current, |apart| apart * apart)?;
    let score = (2.0 * squares / std.max(STD_MIN)).sqrt();
    if score.is_finite() && std.is_finite() { Ok(score) } else { Err("the distance is beyond the range of numbers") }
}
