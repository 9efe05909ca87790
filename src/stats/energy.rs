//! Energy distance, in standard deviations of the reference.
//!
//! sqrt(2 * integral of (F_R(x) - F_C(x))^2 dx / s) over the finite values of both sides, s = max(std(R), 0.001); 0 and
//! up. Equally sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|) of the values over s, X of R and Y of C. Infinities are left out. The floor of the
//! divisor is that of `wasserstein`. Ties need no care. A side without finite values: not defined; nor is a distance
//! beyond the range of `f64`.
//!
//! Squares make it blunter than `wasserstein` in the tails: m rows of which one lies d standard deviations off score
//! sqrt(2 d) / m, where `wasserstein` gives d / m. A small shift of the whole column by s standard deviations scores 0.75 s for a
//! normal column, 0.76 s for a uniform and 1.2 s for a lognormal one, so that the default limit, 0.075, is about wasserstein's 0.1.
//!
//! Source: Szekely and Rizzo (2004); `scipy.stats.energy_distance(R / s, C / s)`.
//! This file knows cells; no columns, windows or thresholds in force.

use super::noise::Noise;
use super::wasserstein::{STD_MIN, apart};
use super::{BEYOND, Limit, Method, NOT_NUMERICAL, Outcome, Sides, Undefined};

pub const METHOD: Method = Method {
    name: "energy",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: false,
    limit: Limit::Score(0.075),
    about: "energy distance of the values in standard deviations of the reference",
    test: |sides| score(sides).map(Outcome::score),
    noise: Some(Noise { closed: |_| None, is_distance: true, score: |sides| score(sides).ok() }),
};

fn score(sides: &Sides) -> Result<f64, Undefined> {
    let cells = sides.cells.ok_or(NOT_NUMERICAL)?;
    let std = sides.reference_std();
    let squares = apart(cells.reference, cells.current, |apart| apart * apart)?;
    let score = (2.0 * squares / std.max(STD_MIN)).sqrt();
    if score.is_finite() && std.is_finite() { Ok(score) } else { Err(BEYOND) }
}

#[cfg(test)]
mod tests {
    use super::super::Moments;
    use super::super::tests::{cells, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)], std: f64) -> Result<f64, Undefined> {
        let column = cells(reference, current);
        let moments = Some([Moments { count: 1, m2: std * std, ..Moments::default() }; 2]);
        score(&Sides { moments, ..sides(&column) })
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // s = numpy.std([0, 1, 3]); scipy.stats.energy_distance(R / s, C / s) for R = [0, 1, 3], C = [5, 6, 8]
        let found =
            of(&[(0.0, 1), (1.0, 1), (3.0, 1)], &[(5.0, 1), (6.0, 1), (8.0, 1)], 1.247219128924647).expect("defined");
        assert!((found - 2.424819028726337).abs() < 1e-14, "{found}");
        // scipy.stats.energy_distance([0, 1], [0, 1], [3, 1], [2, 2])
        let found = of(&[(0.0, 3), (1.0, 1)], &[(0.0, 2), (1.0, 2)], 1.0).expect("defined");
        assert!((found - 0.3535533905932738).abs() < 1e-15, "{found}");
    }

    #[test]
    fn a_shift_by_a_tenth_is_at_the_limit() {
        let shifted = |quantile: fn(f64) -> f64| {
            let values: Vec<f64> = (0..1000).map(|i| quantile((f64::from(i) + 0.5) / 1000.0)).collect();
            let mean = values.iter().sum::<f64>() / 1000.0;
            let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1000.0).sqrt();
            let reference: Vec<_> = values.iter().map(|&value| (value, 1)).collect();
            let current: Vec<_> = values.iter().map(|&value| (value + 0.1 * std, 1)).collect();
            of(&reference, &current, std).expect("defined")
        };
        let uniform = shifted(|share| share);
        assert!((uniform - 0.0756).abs() < 0.0002, "{uniform}");
        // Logistic, nearly normal.
        let bell = shifted(|share| (share / (1.0 - share)).ln());
        assert!((0.075..0.08).contains(&bell), "{bell}");
    }

    #[test]
    fn infinities_are_left_out_and_no_finite_row_is_not_defined() {
        let found = of(&[(0.0, 2), (f64::INFINITY, 7)], &[(f64::NEG_INFINITY, 1), (2.0, 1)], 1.0);
        assert_eq!(found, Ok(2.0));
        assert_eq!(of(&[(0.0, 2)], &[(f64::INFINITY, 1)], 1.0), Err("the window has no value"));
        assert_eq!(of(&[], &[(1.0, 1)], 1.0), Err("the reference has no value"));
    }

    #[test]
    fn constants_are_equal_or_apart_in_thousandths_and_far_ones_not_defined() {
        assert_eq!(of(&[(2.0, 5)], &[(2.0, 9)], 0.0), Ok(0.0));
        assert_eq!(of(&[(2.0, 5)], &[(2.5, 5)], 0.0), Ok(1000f64.sqrt()));
        assert!(of(&[(-1.7e308, 1)], &[(1.7e308, 1)], 1.0).is_err());
    }
}
