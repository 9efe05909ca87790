//! The verdict: has a column drifted, and why, in words.
//!
//! A score counts when it reaches its threshold **and** exceeds what a sample of this size reaches by chance.
//! Whatever the method, a jump in missing values is drift. This file knows `stats` and `report` only.

use crate::report::TestReport;
use crate::stats::noise::{Levels, Null};
use crate::stats::{self, Method, Sides};

/// One test of one column: `None` where the score is not defined.
pub fn test(
    method: &'static Method,
    threshold: f64,
    sides: &Sides,
    null: &Null,
    levels: &mut Levels,
) -> Option<TestReport> {
    let outcome = (method.test)(sides).filter(|outcome| outcome.score.is_finite())?;
    let noise = levels.level(method, null);
    let drifted = outcome.score >= threshold && outcome.score > noise;
    Some(TestReport { method: method.name, score: outcome.score, threshold, noise, p_value: outcome.p_value, drifted })
}

/// Rows of one side, and how many of them miss the value.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    pub rows: u64,
    pub missing: u64,
}

impl Missing {
    pub fn ratio(self) -> Option<f64> {
        (self.rows > 0).then(|| self.missing as f64 / self.rows as f64)
    }

    fn bins(self) -> [u64; 2] {
        [self.rows - self.missing, self.missing]
    }
}

/// Whether the share of missing values has moved: the Jensen-Shannon distance of (there, missing), by the same rule as every score.
pub fn missing(reference: Missing, current: Missing, levels: &mut Levels) -> Option<TestReport> {
    let method = stats::method("jensen_shannon").expect("a method of the catalogue");
    let (there, gone) = (reference.bins(), current.bins());
    let sides = Sides { bins: stats::Bins { reference: &there, current: &gone }, cells: None, reference_std: 0.0 };
    let null = Null { bins: &there, points: None, reference_std: 0.0, rows: current.rows, point_rows: current.rows };
    test(method, method.threshold, &sides, &null, levels)
}

/// The verdict of a column and its reason: drift by any test, or by missing values.
pub fn judge(
    tests: &[TestReport],
    missing: Option<&TestReport>,
    ratios: (Option<f64>, Option<f64>),
) -> (Option<bool>, String) {
    if let Some(test) = missing.filter(|test| test.drifted) {
        let percent = |ratio: Option<f64>| ratio.map_or("none".to_string(), |ratio| format!("{:.1} %", 100.0 * ratio));
        let reason = format!(
            "{} of the values are missing, {} in the reference (jensen_shannon {} >= threshold {} and > noise {})",
            percent(ratios.1),
            percent(ratios.0),
            short(test.score),
            short(test.threshold),
            short(test.noise)
        );
        return (Some(true), reason);
    }
    let Some(told) = tests.iter().find(|test| test.drifted).or(tests.first()) else {
        return match missing {
            Some(_) => (Some(false), "no test for this kind of column; its missing values have not moved".to_string()),
            None => (None, "no test could be made".to_string()),
        };
    };
    (Some(told.drifted), reason(told))
}

fn reason(test: &TestReport) -> String {
    let against = |sign: &str, what: &str, limit: f64| format!("{sign} {what} {}", short(limit));
    let threshold = against(if test.score >= test.threshold { ">=" } else { "<" }, "threshold", test.threshold);
    let noise = against(if test.score > test.noise { ">" } else { "<=" }, "noise", test.noise);
    let joint = match (test.score >= test.threshold, test.drifted) {
        (true, false) => "but",
        _ => "and",
    };
    format!("{} {} {threshold} {joint} {noise}", test.method, short(test.score))
}

/// A number for people: three significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (2 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(score: f64, threshold: f64, noise: f64) -> TestReport {
        TestReport {
            method: "psi",
            score,
            threshold,
            noise,
            p_value: None,
            drifted: score >= threshold && score > noise,
        }
    }

    #[test]
    fn a_reason_names_score_threshold_and_noise() {
        let (drifted, reason) = judge(&[found(0.31, 0.2, 0.04)], None, (None, None));
        assert_eq!((drifted, reason.as_str()), (Some(true), "psi 0.31 >= threshold 0.2 and > noise 0.04"));
        let (drifted, reason) = judge(&[found(0.31, 0.2, 0.4)], None, (None, None));
        assert_eq!((drifted, reason.as_str()), (Some(false), "psi 0.31 >= threshold 0.2 but <= noise 0.4"));
        let (drifted, reason) = judge(&[found(0.0123, 0.2, 0.04)], None, (None, None));
        assert_eq!((drifted, reason.as_str()), (Some(false), "psi 0.0123 < threshold 0.2 and <= noise 0.04"));
    }

    #[test]
    fn the_test_that_drifted_gives_the_reason() {
        let (drifted, reason) = judge(&[found(0.1, 0.2, 0.04), found(0.3, 0.2, 0.04)], None, (None, None));
        assert_eq!(drifted, Some(true));
        assert!(reason.starts_with("psi 0.3 "), "{reason}");
    }

    #[test]
    fn nothing_tested_is_no_verdict() {
        assert_eq!(judge(&[], None, (None, None)).0, None);
    }
}
