//! Student's t: how far the means lie apart, in standard deviations.
//!
//! Score: |Cohen's d| = abs(mean(C) - mean(R)) / s, s^2 = (M2(R) + M2(C)) / (n + m - 2) with M2 the sum of squared distances from the side's
//! mean; 0 and up. A shift of the whole column by s standard deviations scores s, so that the default limit is wasserstein's
//! 0.1; a change of spread alone scores 0. Over the finite values, from their exact moments. One far row moves mean
//! and spread: of rank methods `mann_whitney` asks nearly the same. Fewer than two finite values on a side, and columns that are
//! constant on both sides: not defined.
//!
//! The p-value is Welch's, two-sided, which takes the spreads as unequal: that of Student's t at
//! (mean(C) - mean(R)) / sqrt(v), v = M2(R)/(n-1)/n + M2(C)/(m-1)/m, with the degrees of freedom of Welch and Satterthwaite.
//!
//! Source: Cohen (1988), Welch (1947); `scipy.stats.ttest_ind(R, C, equal_var=False)`. Beyond ten thousand degrees of freedom
//! the tail is Hill's (1970, algorithm 395), within 1e-10 of itself.
//! This file knows moments; no columns, windows or thresholds in force.

use std::f64::consts::SQRT_2;

use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

use super::noise::{NORMAL_995, Noise, Null};
use super::{BEYOND, Limit, Method, Moments, NOT_NUMERICAL, Outcome, Points, Sides, Undefined, both};

pub const METHOD: Method = Method {
    name: "t_test",
    numerical: true,
    categorical: false,
    text: false,
    embedding: false,
    several: false,
    has_p_value: true,
    limit: Limit::Score(0.1),
    about: "distance of the means in pooled standard deviations (Cohen's d)",
    test,
    noise: Some(Noise { closed: noise, is_distance: false, score: resampled }),
};

/// Less than this is nothing: errors of the mean, a row count's square below it, stay above zero.
const VARIANCE_MIN: f64 = 1e-260;

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    let [reference, current] = sides.moments.as_ref().ok_or(NOT_NUMERICAL)?;
    let score = cohen(reference, current)?;
    Ok(Outcome::tested(score, welch(reference, current)))
}

fn cohen(reference: &Moments, current: &Moments) -> Result<f64, Undefined> {
    let (n, m) = both(reference.count, current.count)?;
    if n.min(m) < 2 {
        return Err("a side has one value only");
    }
    let pooled = (reference.m2 + current.m2) / (n as f64 + m as f64 - 2.0);
    // Rounding may give a constant some spread; its range tells.
    if [reference, current].iter().all(|side| side.min == side.max) || pooled < VARIANCE_MIN {
        return Err("both sides are constant");
    }
    let score = (current.mean - reference.mean).abs() / pooled.sqrt();
    if score.is_finite() && pooled.is_finite() { Ok(score) } else { Err(BEYOND) }
}

/// The p-value of sides of two rows and more that are not both constant.
fn welch(reference: &Moments, current: &Moments) -> f64 {
    let error = |side: &Moments| side.m2 / (side.count as f64 - 1.0) / side.count as f64;
    let (r, c) = (error(reference), error(current));
    let share = r / (r + c);
    let freedom = 1.0
        / (share * share / (reference.count as f64 - 1.0)
            + (1.0 - share) * (1.0 - share) / (current.count as f64 - 1.0));
    two_sided((current.mean - reference.mean) / (r + c).sqrt(), freedom)
}

/// P(|T| >= |t|) of Student's distribution.
pub(super) fn two_sided(t: f64, freedom: f64) -> f64 {
    const HILL_MIN: f64 = 10_000.0;
    let square = t * t;
    if freedom < HILL_MIN {
        return beta_reg(freedom / 2.0, 0.5, freedom / (freedom + square));
    }
    let a = freedom - 0.5;
    let b = 48.0 * a * a;
    // Beyond it the tail is 0.
    const Y_MAX: f64 = 3000.0;
    let y = (a * (square / freedom).ln_1p()).min(Y_MAX);
    let stretch = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b) + y + 3.0;
    erfc((stretch / b + 1.0) * y.sqrt() / SQRT_2)
}

/// The score of drawn cells, with the moments of their points.
fn resampled(sides: &Sides) -> Option<f64> {
    let cells = sides.cells?;
    let [reference, current] = [cells.reference, cells.current].map(moments);
    cohen(&reference, &current).ok()
}

fn moments(points: Points) -> Moments {
    let mut moments = Moments::default();
    let finite = points.values.iter().zip(points.counts).filter(|(value, _)| value.is_finite());
    for (&value, &count) in finite {
        moments.merge(&Moments { count, mean: value, m2: 0.0, min: value, max: value });
    }
    moments
}

/// The distance of two means is nearly normal, with variance s^2 (1/n + 1/m). Not for few rows beside a heavy tail: the fourth
/// moment of their mean is to be that of the normal distribution, but for a tenth.
fn noise(null: &Null) -> Option<f64> {
    const KURTOSIS_A_ROW_MAX: f64 = 0.1;
    let (n, m) = (null.moments.count as f64, null.point_rows as f64);
    let (mean, variance) = (null.moments.mean, null.moments.std().powi(2));
    let points = null.points?;
    let fourth = |(value, &count): (&f64, &u64)| {
        if value.is_finite() { (value - mean).powi(4) * count as f64 } else { 0.0 }
    };
    let kurtosis = points.values.iter().zip(points.counts).map(fourth).sum::<f64>() / n / (variance * variance);
    (kurtosis <= KURTOSIS_A_ROW_MAX * n.min(m)).then(|| NORMAL_995 * (1.0 / n + 1.0 / m).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cells, moments, sides};
    use super::*;

    fn of(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Result<(f64, f64), Undefined> {
        let column = cells(reference, current);
        let sides = Sides { moments: Some(moments(&column)), ..sides(&column) };
        assert_eq!(resampled(&sides), test(&sides).ok().map(|found| found.score), "from cells that hold all");
        test(&sides).map(|found| (found.score, found.p_value.expect("it has one")))
    }

    fn assert_outcome(found: Result<(f64, f64), Undefined>, score: f64, p_value: f64) {
        let found = found.expect("defined");
        assert!((found.0 - score).abs() < 1e-13, "{found:?}");
        assert!((found.1 / p_value - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn scores_are_those_of_scipy() {
        // s = numpy.sqrt(((n - 1) * r.var(ddof=1) + (m - 1) * c.var(ddof=1)) / (n + m - 2)); abs(r.mean() - c.mean()) / s
        // scipy.stats.ttest_ind(r, c, equal_var=False).pvalue, of [1, 2, 3, 4, 5], [1.5, 6, 7]
        let reference: Vec<_> = (1..6).map(|value| (f64::from(value), 1)).collect();
        let found = of(&reference, &[(1.5, 1), (6.0, 1), (7.0, 1)]);
        assert_outcome(found, 0.8615864949867529, 0.39782886691920105);
        // The same of [1, 2, 2, 3], [2, 3, 3, 5]
        let found = of(&[(1.0, 1), (2.0, 2), (3.0, 1)], &[(2.0, 1), (3.0, 2), (5.0, 1)]);
        assert_outcome(found, 1.1785113019775793, 0.15479678043295797);
        // The same of numpy.repeat([0, 1, 2], [500, 300, 200]), numpy.repeat([0, 1, 2], [520, 331, 150])
        let found = of(&[(0.0, 500), (1.0, 300), (2.0, 200)], &[(0.0, 520), (1.0, 331), (2.0, 150)]);
        assert_outcome(found, 0.09207399916959993, 0.03959710449458958);
    }

    #[test]
    fn tails_are_those_of_scipy_at_any_degrees_of_freedom() {
        // 2 * scipy.stats.t.sf([3, 7], freedom)
        let tails = [
            (1.0, 0.20483276469913345, 0.0903344706017331),
            (20.0, 0.0070758987912110894, 8.597850809891331e-7),
            (9999.0, 0.0027064488557123467, 2.724048465459103e-12),
            (10_001.0, 0.0027064475244162017, 2.724014659375143e-12),
            (1e6, 0.0026998625414218, 2.561224111374084e-12),
            (1e9, 0.002699796129737913, 2.559626686348193e-12),
        ];
        for (freedom, at_3, at_7) in tails {
            for (t, expected) in [(3.0, at_3), (7.0, at_7)] {
                let found = two_sided(t, freedom);
                assert!((found / expected - 1.0).abs() < 1e-9, "{t} at {freedom}: {found:e}, not {expected:e}");
            }
        }
        assert_eq!((two_sided(0.0, 5.0), two_sided(0.0, 1e6)), (1.0, 1.0));
        assert_eq!((two_sided(1e300, 5.0), two_sided(1e300, 1e6)), (0.0, 0.0));
    }

    #[test]
    fn one_row_and_two_constants_are_not_defined() {
        assert_eq!(of(&[(0.0, 1)], &[(1.0, 5), (2.0, 3)]), Err("a side has one value only"));
        assert_eq!(of(&[(0.1, 1000)], &[(0.1, 77)]), Err("both sides are constant"));
        assert_eq!(of(&[(0.0, 9)], &[(1.0, 9)]), Err("both sides are constant"));
        assert_eq!(of(&[(0.0, 2)], &[(f64::INFINITY, 9)]), Err("the window has no value"));
        assert!(of(&[(0.0, 9)], &[(1.0, 9), (2.0, 1)]).is_ok());
        assert!(of(&[(-1e300, 9), (1e300, 9)], &[(1.0, 9), (2.0, 1)]).is_err());
    }
}
