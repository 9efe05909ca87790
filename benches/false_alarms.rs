//! How often windows without drift are told as drift, and windows with drift are not: the tables of `docs/false_alarms.md`.
//!
//! The same studies as tests/false_alarms.rs, with more references and with 2000 windows of 100 000 rows too, and the formulas of
//! Evidently and NannyML on the same columns. It measures no time.
//!
//!     cargo bench --bench false_alarms [-- outliers] [found] [datasets] [noise] [mmd]

#[path = "../tests/support/drawn.rs"]
mod drawn;

use std::io::{Result, Stdout, Write, stdout};

use drawn::*;
use drift_sidecar::report::TestReport;
use drift_sidecar::settings::{Definition, Settings};
use drift_sidecar::stats::{METHODS, Method};

/// Writes one table.
type Table = fn(&mut Stdout) -> Result<()>;

/// Rows of a window and of its reference, references, windows beside each.
const SIZES: [(usize, usize, u32, u32); 3] =
    [(100, 10_000, 20, 100), (1000, 10_000, 20, 100), (100_000, 100_000, 40, 50)];

fn study(
    settings: Settings,
    columns: Vec<Shape>,
    (rows, reference_rows, references, windows): (usize, usize, u32, u32),
) -> Study {
    Study { settings, current: columns.clone(), reference: columns, reference_rows, rows, references, windows }
}

fn main() -> Result<()> {
    // As a test it has nothing to say.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let out = &mut stdout();
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    let studies: [(&str, Table); 5] =
        [("outliers", outliers), ("found", found), ("datasets", datasets), ("noise", noise), ("mmd", mmd)];
    let all = !studies.iter().any(|(name, _)| asked(name));
    for (_, study) in studies.iter().filter(|(name, _)| all || asked(name)) {
        study(out)?;
    }
    Ok(())
}

/// The whole verdict over sixteen columns.
fn datasets(out: &mut Stdout) -> Result<()> {
    writeln!(
        out,
        "| verdict | rows | reference | windows | false column alarms | false dataset alarms in 1000 |\n|---|---|---|---|---|---|"
    )?;
    let mut p_values = settings();
    p_values.drift.numerical = vec![method("anderson_darling")];
    p_values.drift.categorical = vec![method("chi_square")];
    p_values.drift.limit = every_method().drift.limit;
    let foreign = |definition: Definition| {
        let mut settings = settings();
        let [numerical, categorical] = definition.defaults();
        settings.drift.definition = definition;
        (settings.drift.numerical, settings.drift.categorical) = (vec![numerical], vec![categorical]);
        settings.drift.alpha = None;
        settings
    };
    for (name, settings, sizes) in [
        ("defaults", settings(), &SIZES[..]),
        ("p-values: anderson_darling, chi_square", p_values, &SIZES[..2]),
        ("definition: evidently", foreign(Definition::Evidently), &SIZES[..2]),
        ("definition: nannyml", foreign(Definition::Nannyml), &SIZES[..2]),
    ] {
        for &size in sizes {
            let tally = study(settings.clone(), table(), size).run();
            let share = 100.0 * tally.column_share();
            let datasets = 1000.0 * f64::from(tally.datasets) / f64::from(tally.windows);
            writeln!(out, "| {name} | {} | {} | {} | {share:.2} % | {datasets:.0} |", size.0, size.1, tally.windows)?;
        }
    }
    writeln!(out)
}

/// Drift in windows of 1000 rows, 2000 of them.
fn found(out: &mut Stdout) -> Result<()> {
    let (reference, current): (Vec<Shape>, Vec<Shape>) = drifts().into_iter().unzip();
    let mut by_score = every_method();
    by_score.drift.limit = None;
    let columns: Vec<&str> = reference.iter().map(|shape| shape.name).collect();
    writeln!(out, "| found, of 1000 rows | {} |\n|---{}|", columns.join(" | "), "|---".repeat(columns.len()))?;
    for (name, settings) in [("", by_score), (", p-value", every_method())] {
        let tally = Study { current: current.clone(), ..study(settings, reference.clone(), SIZES[1]) }.run();
        for method in METHODS.iter().filter(|method| name.is_empty() || method.has_p_value) {
            let share = |column: &&str| {
                let counts = tally.tests.get(&(method.name, column.to_string()));
                counts
                    .map_or("".to_string(), |counts| format!("{:.1} %", 100.0 * counts.share(|counts| counts.drifted)))
            };
            let shares: Vec<String> = columns.iter().map(share).collect();
            writeln!(out, "| {}{name} | {} |", method.name, shares.join(" | "))?;
        }
    }
    writeln!(out)
}

/// Scores of normal columns of 50 000 rows a standard deviation apart, with one row of a million.
fn outliers(out: &mut Stdout) -> Result<()> {
    let clean = outlier_scores([false, false]);
    let [window, reference] = [[false, true], [true, false]].map(outlier_scores);
    writeln!(out, "| score | clean | one outlier in the window | one in the reference |\n|---|---|---|---|")?;
    let cell = |test: &TestReport| format!("{:.4}{}", test.score, if test.drifted { "" } else { ", no drift" });
    for ((clean, window), reference) in clean.iter().zip(&window).zip(&reference) {
        writeln!(out, "| {} | {} | {} | {} |", clean.method, cell(clean), cell(window), cell(reference))?;
    }
    writeln!(out)
}

/// Every method but mmd: the share of windows above the noise, and of those whose p-value is below 0.05.
fn noise(out: &mut Stdout) -> Result<()> {
    for size in SIZES {
        let mut columns = shapes();
        columns.push(zipf("900 categories", 900));
        let tally = study(every_method(), columns, size).run();
        writeln!(
            out,
            "| {} rows | above the noise | least column | most | p < 0.05 | the same, adjusted | told as drift |\n|---|---|---|---|---|---|---|",
            size.0
        )?;
        for (method, counts) in tally.methods() {
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            let of = tally.tests.iter().filter(|((name, _), _)| *name == method);
            let mut each: Vec<(f64, &str)> =
                of.map(|((_, column), counts)| (counts.share(|counts| counts.above_noise), column.as_str())).collect();
            each.sort_by(|a, b| a.0.total_cmp(&b.0));
            let edge = |(share, column): &(f64, &str)| format!("{}, {column}", percent(*share));
            let [mut p, mut adjusted] = [String::new(), String::new()];
            if drawn::method(method).has_p_value {
                p = percent(counts.share(|counts| counts.significant));
                adjusted = percent(counts.share(|counts| counts.adjusted));
            }
            let shares =
                [percent(counts.share(|counts| counts.above_noise)), edge(&each[0]), edge(&each[each.len() - 1])];
            let drifted = percent(counts.share(|counts| counts.drifted));
            writeln!(out, "| {method} | {} | {p} | {adjusted} | {drifted} |", shares.join(" | "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// It costs a thousand times as much: fewer windows, of one column.
fn mmd(out: &mut Stdout) -> Result<()> {
    let mmd: &'static Method = method("mmd");
    for (rows, references, windows) in [(100, 50, 20), (1000, 20, 10)] {
        let mut settings = settings();
        settings.drift.numerical = vec![mmd];
        let tally = study(settings, shapes()[..1].to_vec(), (rows, 10_000, references, windows)).run();
        let counts = tally.methods()[0].1;
        let share = 100.0 * counts.share(|counts| counts.above_noise);
        writeln!(out, "mmd, normal, {rows} rows: {share:.1} % of {} windows above the noise", tally.windows)?;
    }
    Ok(())
}
