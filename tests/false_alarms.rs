//! The verdict, proved by chance: windows drawn without drift are told as drift as seldom as promised, those with drift are
//! found, and one outlier changes nothing.
//!
//! What is promised holds for pairs of a reference and a window: one reference may lie a little beside what it was drawn from,
//! and all windows beside it score a little higher. So each study draws several references. `benches/false_alarms.rs` draws more
//! of everything, for the tables of `docs/false_alarms.md`; windows of 100 000 rows are also drawn, as counts, in the tests of
//! `stats::noise`.

mod support;

use drift_sidecar::stats::METHODS;
use support::drawn::*;

fn undrifted(shapes: Vec<Shape>, rows: usize) -> Study {
    Study {
        settings: every_method(),
        current: shapes.clone(),
        reference: shapes,
        reference_rows: 10_000,
        rows,
        references: 10,
        windows: 200,
    }
}

/// Every method over its columns (normal, lognormal, zero-inflated, few integers; 2, 3, 30, 300 categories) 0.5 to 2 %. A single column
/// has 2000 windows, whose share strays by 0.22 % itself. And where p-values decide, no more are drift.
fn assert_once_in_a_hundred(study: &Study) {
    let tally = study.run();
    for (method, counts) in tally.methods() {
        let share = 100.0 * counts.share(|counts| counts.above_noise);
        assert!((0.5..=2.0).contains(&share), "{method}, {} rows: {share} % above the noise", study.rows);
        let drifted = 100.0 * counts.share(|counts| counts.drifted);
        assert!(drifted <= 2.0, "{method}, {} rows: {drifted} % told as drift", study.rows);
    }
    for ((method, column), counts) in &tally.tests {
        let share = 100.0 * counts.share(|counts| counts.above_noise);
        assert!((0.2..=2.4).contains(&share), "{method} of {column}, {} rows: {share} % above the noise", study.rows);
    }
}

#[test]
fn windows_of_a_hundred_rows_exceed_the_noise_once_in_a_hundred() {
    assert_once_in_a_hundred(&undrifted(shapes(), 100));
}

#[test]
fn windows_of_a_thousand_rows_exceed_the_noise_once_in_a_hundred() {
    assert_once_in_a_hundred(&undrifted(shapes(), 1000));
}

/// Sixteen columns, default methods: [`table`].
fn verdicts(rows: usize, reference_rows: usize, references: u32, windows: u32) -> Tally {
    let study = Study { settings: settings(), reference_rows, references, windows, ..undrifted(table(), rows) };
    study.run()
}

#[test]
fn the_dataset_never_drifts_by_chance() {
    for (rows, reference_rows, references, windows, columns_max) in
        [(100, 10_000, 10, 200, 0.015), (1000, 10_000, 10, 200, 0.005), (100_000, 100_000, 10, 10, 0.0)]
    {
        let tally = verdicts(rows, reference_rows, references, windows);
        assert_eq!(tally.windows, references * windows);
        assert_eq!(tally.datasets, 0, "{rows} rows");
        assert!(tally.column_share() <= columns_max, "{rows} rows: {} of the columns", tally.column_share());
    }
}

/// In each of 200 windows of 1000 rows by the default methods. A tenth moved between two halves scores 0.085, which samples of 1000 rows miss by 0.02.
#[test]
fn a_real_shift_is_found_within_one_window_of_a_thousand_rows() {
    let (reference, current) = drifts().into_iter().unzip();
    let tally = Study { settings: settings(), current, windows: 20, ..undrifted(reference, 1000) }.run();
    let found = |method, column: &str| tally.tests[&(method, column.to_string())].share(|counts| counts.drifted);
    assert_eq!(found("wasserstein", "0.3 standard deviations"), 1.0);
    assert_eq!(found("jensen_shannon", "10 % of rows to another of 7 days"), 1.0);
    assert_eq!(found("jensen_shannon", "10 % to the last of 30"), 1.0);
    assert_eq!(found("jensen_shannon", "10 % to the last of 3"), 1.0);
    assert!(found("jensen_shannon", "10 % of two halves") >= 0.98);
}

#[test]
fn forty_per_cent_of_missing_values_are_drift() {
    let (reference, current) = drifts().into_iter().filter(|(shape, _)| shape.name.contains("missing")).unzip();
    let tally = Study { settings: settings(), current, ..undrifted(reference, 1000) }.run();
    assert_eq!(tally.column_share(), 1.0);
}

#[test]
fn one_outlier_changes_no_score_of_ranks_or_bins() {
    let clean = outlier_scores([false, false]);
    assert_eq!(clean.len(), METHODS.iter().filter(|method| method.numerical).count());
    for (outlier, side) in [([true, false], "reference"), ([false, true], "window")] {
        for (before, after) in clean.iter().zip(outlier_scores(outlier)) {
            let changed = (after.score / before.score - 1.0).abs();
            match before.method {
                // Of values: one row in 50 000 may be the distance, or the unit.
                "wasserstein" | "t_test" => assert!(changed > 0.5, "{}", before.method),
                "energy" => assert!(changed > 0.01, "{}", before.method),
                method => {
                    assert!(changed < 0.01, "{method}, outlier in the {side}: {} {}", before.score, after.score);
                    assert!(before.drifted && after.drifted, "{method}, outlier in the {side}");
                }
            }
        }
    }
}
