//! The verdict: has a column drifted, and why, in words.
//!
//! A score counts when it reaches its threshold **and** exceeds what a sample of this size reaches by chance. Where a p-value
//! decides instead of the threshold, it counts when it is below alpha after Benjamini and Hochberg (1995) over the model's
//! columns, which keeps the expected share of false ones among the columns told as drifted below alpha, however many there
//! are, **and** the score exceeds chance likewise.
//!
//! Why p-values ask for the noise as well: those of the textbooks hold for many rows without ties. Without drift, p < 0.05 holds
//! for 21 % of windows of 100 rows with `epps_singleton`, 14 % with `chi_square` of many categories, 10 % with `t_test` of a
//! skewed column; above the noise level are 0.5 to 2 % whatever the method (`docs/false_alarms.md`). The price: an alpha above
//! 0.01 acts as 0.01 where all columns drift or there is only one. With 16 columns of which one drifts Benjamini and Hochberg ask
//! for p < 0.003 anyway.
//!
//! Whatever the method, a jump in missing values is drift. This file knows `stats` and `report` only.

use crate::report::TestReport;
use crate::stats::noise::{Levels, Null};
use crate::stats::{self, Limit, Method, Moments, Sides, Undefined};

/// One test of one column. A p-value's verdict is open until [`adjust`] has seen those of the other columns.
pub fn test(
    method: &'static Method,
    limit: Limit,
    sides: &Sides,
    null: &Null,
    levels: &mut Levels,
) -> Result<TestReport, Undefined> {
    let outcome = (method.test)(sides)?;
    if !outcome.score.is_finite() {
        return Err("the score is beyond the range of numbers");
    }
    let noise = outcome.noise.or_else(|| levels.level(method, null));
    let (threshold, alpha) = match limit {
        Limit::Score(threshold) => (Some(threshold), None),
        Limit::Auto => (None, None),
        Limit::Alpha(alpha) => (None, Some(alpha)),
    };
    let reached = threshold.is_some_and(|threshold| outcome.score >= threshold);
    Ok(TestReport {
        method: method.name,
        score: outcome.score,
        threshold,
        noise,
        p_value: outcome.p_value,
        alpha,
        p_value_adjusted: None,
        drifted: reached && beyond_chance(outcome.score, noise),
    })
}

fn beyond_chance(score: f64, noise: Option<f64>) -> bool {
    noise.is_none_or(|noise| score > noise)
}

/// Decides the tests whose p-value decides: adjusted after Benjamini and Hochberg, each method over all columns.
pub fn adjust<'a>(tests: impl Iterator<Item = &'a mut TestReport>) {
    let mut open: Vec<(&mut TestReport, f64)> =
        tests.filter_map(|test| test.alpha.and(test.p_value).map(|p| (test, p))).collect();
    open.sort_by(|(a, p), (b, q)| a.method.cmp(b.method).then(p.total_cmp(q)));
    for family in open.chunk_by_mut(|(a, _), (b, _)| a.method == b.method) {
        let all = family.len() as f64;
        let mut least: f64 = 1.0;
        for (rank, (test, p)) in family.iter_mut().enumerate().rev() {
            least = least.min(*p * all / (rank + 1) as f64);
            test.p_value_adjusted = Some(least);
            test.drifted = test.alpha.is_some_and(|alpha| least < alpha) && beyond_chance(test.score, test.noise);
        }
    }
}

/// Decides the tests whose p-value decides, each by itself.
pub fn decide<'a>(tests: impl Iterator<Item = &'a mut TestReport>) {
    for test in tests {
        test.drifted |= test.alpha.zip(test.p_value).is_some_and(|(alpha, p)| p < alpha);
    }
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
    let bins = stats::Bins { reference: &there, current: &gone, ..Default::default() };
    let sides = Sides { bins, ..Sides::default() };
    let moments = Moments::default();
    let null = Null { bins: &there, points: None, moments, rows: current.rows, point_rows: current.rows };
    test(method, method.limit, &sides, &null, levels).ok()
}

/// The verdict of a column and its reason: drift by any test, or by missing values. `undefined`: tests that could not be made.
pub fn judge<'a>(
    tests: &[TestReport],
    missing: Option<&TestReport>,
    ratios: (Option<f64>, Option<f64>),
    undefined: impl IntoIterator<Item = (&'a &'static str, &'a Undefined)>,
) -> (Option<bool>, String) {
    if let Some(test) = missing.filter(|test| test.drifted) {
        let percent = |ratio: Option<f64>| ratio.map_or("none".to_string(), |ratio| format!("{:.1} %", 100.0 * ratio));
        let reason = format!(
            "{} of the values are missing, {} in the reference ({})",
            percent(ratios.1),
            percent(ratios.0),
            reason(test)
        );
        return (Some(true), reason);
    }
    if let Some(told) = tests.iter().find(|test| test.drifted).or(tests.first()) {
        return (Some(told.drifted), reason(told));
    }
    let whys: Vec<String> = undefined.into_iter().map(|(method, why)| format!("{method}: {why}")).collect();
    match missing {
        _ if !whys.is_empty() => (None, whys.join("; ")),
        Some(_) => (Some(false), "no test for this kind of column; its missing values have not moved".to_string()),
        None => (None, "no test could be made".to_string()),
    }
}

/// The share of tested columns that drifted, whether the dataset has drifted, and why; `noun`: what is counted.
pub fn dataset(drifted: usize, tested: usize, noun: &str, share: f64) -> (Option<f64>, Option<bool>, String) {
    if tested == 0 {
        return (None, None, format!("no {noun} could be tested"));
    }
    let score = drifted as f64 / tested as f64;
    let found = score >= share;
    let number = if drifted == 0 { "none".to_string() } else { drifted.to_string() };
    let (plural, verb) = (if tested == 1 { "" } else { "s" }, if drifted == 1 { "has" } else { "have" });
    let limit = if found { "at least" } else { "fewer than" };
    let (percent, share) = (short(100.0 * score), short(100.0 * share));
    let reason =
        format!("{number} of {tested} {noun}{plural} {verb} drifted ({percent} %), {limit} drift.share {share} %");
    (Some(score), Some(found), reason)
}

fn reason(test: &TestReport) -> String {
    let (method, score) = (test.method, short(test.score));
    if let (Some(alpha), Some(p)) = (test.alpha, test.p_value) {
        let adjusted = test.p_value_adjusted.unwrap_or(p);
        let below = adjusted < alpha;
        let over = if adjusted == p { String::new() } else { format!(", {} over all columns,", short(adjusted)) };
        let sign = if below { "<" } else { ">=" };
        let but =
            test.noise.filter(|_| below && !test.drifted).map(|noise| format!(", but score <= noise {}", short(noise)));
        return format!(
            "{method} {score}: p-value {}{over} {sign} alpha {}{}",
            short(p),
            short(alpha),
            but.unwrap_or_default()
        );
    }
    let reached = test.threshold.is_some_and(|threshold| test.score >= threshold);
    let mut said = format!("{method} {score}");
    if let Some(threshold) = test.threshold {
        said += &format!(" {} threshold {}", if reached { ">=" } else { "<" }, short(threshold));
    }
    if let Some(noise) = test.noise {
        let joint = if reached && !test.drifted { "but" } else { "and" };
        said += &format!(" {joint} {} noise {}", if test.score > noise { ">" } else { "<=" }, short(noise));
    }
    said
}

/// A number for people: three significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if value.abs() < 1e-6 {
        return format!("{value:.2e}");
    }
    let decimals = (2 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_tells_how_many_of_its_features_it_takes() {
        let (score, drifted, reason) = dataset(3, 16, "feature", 0.5);
        assert_eq!((score, drifted), (Some(0.1875), Some(false)));
        assert_eq!(reason, "3 of 16 features have drifted (18.8 %), fewer than drift.share 50 %");
        assert_eq!(dataset(1, 1, "column", 0.5).2, "1 of 1 column has drifted (100 %), at least drift.share 50 %");
        assert_eq!(dataset(0, 2, "feature", 0.0).1, Some(true), "a share of 0 is reached by none");
        assert_eq!(
            dataset(0, 2, "feature", 0.5).2,
            "none of 2 features have drifted (0 %), fewer than drift.share 50 %"
        );
        assert_eq!(dataset(0, 0, "feature", 0.5), (None, None, "no feature could be tested".to_string()));
    }

    fn found(score: f64, threshold: f64, noise: f64) -> TestReport {
        TestReport {
            method: "psi",
            score,
            threshold: Some(threshold),
            noise: Some(noise),
            p_value: None,
            alpha: None,
            p_value_adjusted: None,
            drifted: score >= threshold && score > noise,
        }
    }

    #[test]
    fn a_reason_names_score_threshold_and_noise() {
        let (drifted, reason) = judge(&[found(0.31, 0.2, 0.04)], None, (None, None), []);
        assert_eq!((drifted, reason.as_str()), (Some(true), "psi 0.31 >= threshold 0.2 and > noise 0.04"));
        let (drifted, reason) = judge(&[found(0.31, 0.2, 0.4)], None, (None, None), []);
        assert_eq!((drifted, reason.as_str()), (Some(false), "psi 0.31 >= threshold 0.2 but <= noise 0.4"));
        let (drifted, reason) = judge(&[found(0.0123, 0.2, 0.04)], None, (None, None), []);
        assert_eq!((drifted, reason.as_str()), (Some(false), "psi 0.0123 < threshold 0.2 and <= noise 0.04"));
    }

    #[test]
    fn the_test_that_drifted_gives_the_reason() {
        let (drifted, reason) = judge(&[found(0.1, 0.2, 0.04), found(0.3, 0.2, 0.04)], None, (None, None), []);
        assert_eq!(drifted, Some(true));
        assert!(reason.starts_with("psi 0.3 "), "{reason}");
    }

    #[test]
    fn nothing_tested_is_no_verdict() {
        assert_eq!(judge(&[], None, (None, None), []).0, None);
    }

    fn tested(method: &'static str, p: f64) -> TestReport {
        TestReport { method, threshold: None, p_value: Some(p), alpha: Some(0.05), ..found(1.5, 0.0, 1.0) }
    }

    #[test]
    fn p_values_are_adjusted_over_the_columns_of_one_method() {
        // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.2])
        let mut tests: Vec<TestReport> = [0.01, 0.04, 0.03, 0.2].map(|p| tested("epps_singleton", p)).into();
        tests.push(tested("anderson_darling", 0.04));
        tests.push(found(0.3, 0.2, 0.1));
        adjust(tests.iter_mut());
        let adjusted: Vec<Option<f64>> = tests.iter().map(|test| test.p_value_adjusted).collect();
        let expected = [Some(0.04), Some(0.05333333333333334), Some(0.05333333333333334), Some(0.2), Some(0.04), None];
        assert_eq!(adjusted, expected);
        assert_eq!(tests.iter().map(|test| test.drifted).collect::<Vec<_>>(), [true, false, false, false, true, true]);
    }

    #[test]
    fn a_p_value_gives_its_own_reason() {
        let mut tests = [tested("ks", 0.004), tested("ks", 0.6), tested("ks", 1e-9)];
        adjust(tests.iter_mut());
        let said = tests.each_ref().map(|test| judge(std::slice::from_ref(test), None, (None, None), []).1);
        assert_eq!(said[0], "ks 1.5: p-value 0.004, 0.006 over all columns, < alpha 0.05");
        assert_eq!(said[1], "ks 1.5: p-value 0.6 >= alpha 0.05");
        assert_eq!(said[2], "ks 1.5: p-value 1.00e-9, 3.00e-9 over all columns, < alpha 0.05");
    }

    #[test]
    fn a_small_p_value_of_a_score_that_chance_reaches_is_no_drift() {
        let mut tests = [TestReport { noise: Some(2.0), ..tested("epps_singleton", 0.004) }];
        adjust(tests.iter_mut());
        let (drifted, reason) = judge(&tests, None, (None, None), []);
        assert_eq!(drifted, Some(false));
        assert_eq!(reason, "epps_singleton 1.5: p-value 0.004 < alpha 0.05, but score <= noise 2");
    }

    #[test]
    fn what_could_not_be_tested_says_why() {
        let (drifted, reason) = judge(&[], None, (None, None), [(&"ks", &"the window has no value")]);
        assert_eq!((drifted, reason.as_str()), (None, "ks: the window has no value"));
    }
}
