//! A Report as tables: for each model and window a heading with the verdict, then the columns, the worst first.
//!
//! This file knows the Report and nothing of how it came to be.

use super::columns::columns;
use super::parts::parts;
use super::{Ink, Paper, clean, count, counted, number};
use crate::report::{Estimate, ModelReport, Quality, ReferenceReport, Report, Role, WindowReport};

/// The Report as text, each line ended. `colour`: with terminal colours; `width`: characters in a line, `None` for
/// as many as it takes. A Report without a model is a line that says so.
pub fn report(report: &Report, colour: bool, width: Option<u16>) -> String {
    let paper = Paper { colour, width };
    if report.models.is_empty() {
        return "no model was evaluated\n".to_string();
    }
    let sections = report.models.iter().map(|model| section(model, paper));
    sections.collect::<Vec<_>>().join("\n")
}

fn section(model: &ModelReport, paper: Paper) -> String {
    let mut text = String::new();
    if model.windows.is_empty() {
        let name = paper.ink(Ink::Bold, &clean(&model.model));
        text += &format!("{name}  {}\n", paper.ink(Ink::Warning, "NOT EVALUATED"));
    }
    for problem in &model.problems {
        text += &format!("  {} {}\n", paper.ink(Ink::Bad, "problem:"), clean(problem));
    }
    let windows: Vec<String> = model.windows.iter().map(|window| one_window(model, window, paper)).collect();
    text += &windows.join("\n");
    if let Some(main) = model.windows.first() {
        let heading = |what: &str| format!("{what} in the window {}", clean(&main.window));
        text += &parts(&heading("Versions"), "version", &model.versions, &main.window, paper);
        text += &parts(&heading("Segments"), "segment", &model.segments, &main.window, paper);
    }
    text
}

fn one_window(model: &ModelReport, window: &WindowReport, paper: Paper) -> String {
    let mut text = heading(model, window, paper);
    if !window.columns.is_empty() {
        text.push('\n');
        text += &columns(&window.columns, paper);
    }
    text
}

fn heading(model: &ModelReport, window: &WindowReport, paper: Paper) -> String {
    let name = paper.ink(Ink::Bold, &clean(&format!("{}  {}", model.model, window.window)));
    let (ink, word) = verdict(window);
    let text = format!("{name}  {}\n", paper.ink(ink, &word));
    let mut facts = vec![("features", window.data_drift_reason.clone())];
    facts.extend(prediction(window).map(|words| ("prediction", words)));
    facts.extend(together(window).map(|words| ("together", words)));
    facts.extend(window.start.zip(window.end).map(|(start, end)| ("time", format!("{start} to {end}"))));
    facts.push(("rows", rows(window)));
    facts.extend(quality(window).map(|words| ("quality", words)));
    facts.extend(estimate(window).map(|words| ("estimate", words)));
    facts.extend(model.reference.as_ref().map(|found| ("reference", reference(found))));
    text + &paper.facts(&facts)
}

fn verdict(window: &WindowReport) -> (Ink, String) {
    let drifted = window.columns.iter().filter(|column| column.drifted == Some(true)).count();
    let (ink, word) = match (window.data_drift_detected, window.prediction_drift_detected) {
        (Some(true), Some(true)) => (Ink::Bad, "DATA AND PREDICTION DRIFT"),
        (Some(true), _) => (Ink::Bad, "DATA DRIFT"),
        (_, Some(true)) => (Ink::Bad, "PREDICTION DRIFT"),
        (Some(false), _) if drifted > 0 => {
            return (Ink::Warning, format!("{} DRIFTED", counted(drifted as u64, "COLUMN").to_uppercase()));
        }
        (None, None) => (Ink::Warning, "NO VERDICT"),
        _ => (Ink::Good, "NO DRIFT"),
    };
    (ink, word.to_string())
}

fn prediction(window: &WindowReport) -> Option<String> {
    let column = window.columns.iter().find(|column| column.role == Role::Prediction)?;
    Some(match window.prediction_drift_detected? {
        true => format!("has drifted: {}", clean(&column.reason)),
        false => "has not drifted".to_string(),
    })
}

/// All features at once, test by test; `None` where no such test is asked for.
fn together(window: &WindowReport) -> Option<String> {
    let tested = window.multivariate.iter().map(|test| {
        let words = if test.drifted { "has drifted" } else { "has not drifted" };
        let limits = [(" of ", test.threshold), (", noise ", test.noise)];
        let limits: String =
            limits.iter().filter_map(|(word, limit)| Some(format!("{word}{}", number((*limit)?)))).collect();
        format!("{} {words} ({}{limits})", test.method, number(test.score))
    });
    let undefined = window.multivariate_undefined.iter().map(|(method, why)| format!("{method}: {why}"));
    Some(tested.chain(undefined).collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
}

fn rows(window: &WindowReport) -> String {
    match window.labelled_rows {
        Some(labelled) => format!("{}, {} with their outcome", count(window.rows), count(labelled)),
        None => count(window.rows),
    }
}

/// `None` for a model without outcomes.
fn quality(window: &WindowReport) -> Option<String> {
    match &window.quality {
        Some(quality) => Some(measures(quality).join(", ")),
        None => window.labelled_rows.map(|_| "too few outcomes".to_string()),
    }
}

/// Quality without labels, and how wrong it was where they are there.
fn estimate(window: &WindowReport) -> Option<String> {
    let Estimate { f1, f1_standard_error, precision, recall, accuracy, mean_absolute_error, .. } =
        window.estimate.as_ref()?.clone();
    let root_mean_squared_error = window.estimate.as_ref()?.root_mean_squared_error;
    let expected = Quality {
        f1,
        f1_standard_error,
        precision,
        recall,
        accuracy,
        mean_absolute_error,
        root_mean_squared_error,
        ..Quality::default()
    };
    let error = window.estimate_error.map(|error| format!("; off by {error:+.3} where the outcomes are there"));
    Some(format!("{}{}", measures(&expected).join(", "), error.unwrap_or_default()))
}

fn reference(reference: &ReferenceReport) -> String {
    let quality = reference.quality.as_ref().and_then(|quality| measures(quality).into_iter().next());
    let quality = quality.map(|first| format!(", {first}")).unwrap_or_default();
    let span = reference.start.zip(reference.end).map(|(start, end)| format!(" of the log, {start} to {end}"));
    format!("{}{}{quality}", counted(reference.rows, "row"), span.unwrap_or_default())
}

fn measures(quality: &Quality) -> Vec<String> {
    let f1 = quality.f1.map(|f1| match quality.f1_standard_error {
        Some(error) => format!("F1 {} ± {}", number(f1), number(error)),
        None => format!("F1 {}", number(f1)),
    });
    let named = [
        ("precision", quality.precision),
        ("recall", quality.recall),
        ("accuracy", quality.accuracy),
        ("specificity", quality.specificity),
        ("ROC AUC", quality.roc_auc),
        ("log loss", quality.log_loss),
        ("Brier score", quality.brier),
        ("mean absolute error", quality.mean_absolute_error),
        ("root mean squared error", quality.root_mean_squared_error),
        ("mean error", quality.mean_error),
        ("R2", quality.r2),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", number(value?))));
    f1.into_iter().chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_wide_terminal_shows_everything() {
        let expected = r"
product-classifier  1h  DATA AND PREDICTION DRIFT
  features    2 of 4 features have drifted (50 %), at least drift.share 50 %
  prediction  has drifted: jensen_shannon 0.213 >= threshold 0.1 and > noise 0.031
  time        2023-11-14T22:13:20Z to 2023-11-14T23:13:20Z
  rows        1,234, 1,000 with their outcome
  quality     F1 0.9123 ± 0.0087, precision 0.9100, recall 0.9200, accuracy 0.9234
  reference   20,000 rows, F1 0.9123 ± 0.0087

 column        kind         method           score  threshold   noise  p-value  missing  verdict  reference             current
───────────── ──────────── ─────────────── ─────── ────────── ─────── ──────── ──────── ──────── ───────────────────── ─────────────────────
 postcode      categorical  jensen_shannon  0.0200     0.1000  0.0400        -   42.0 %  drift
 price         numerical    wasserstein      12.34     0.1000  0.0412        -   <0.1 %  drift    _▁▂▅█▆▅▂▂▁__________  _▁▁▁▁▁▁▁▁▂▂▂▂▂▃▃▃▃▃▁
                            ks              0.0610     0.1000  0.0500  <0.0001           ok
 prediction *  categorical  jensen_shannon  0.2130     0.1000  0.0310        -      0 %  drift    █▄▁_                  ▆▄▁▁
 a?[31mred     categorical  chi_square      4.0e-5   p < 0.05  0.0200   0.0600      0 %  ok
 age           numerical    wasserstein     0.0312     0.1000  0.0410        -      0 %  ok
 designation   text         -                    -          -       -        -    1.2 %  none
 * the model's prediction

 drifted most
 postcode  42.0 % of the values are missing, 0.0 % in the reference; 3.4 % of the values are new to the reference
 price     wasserstein 12.3 >= threshold 0.1 and > noise 0.0412

 not tested
 price        psi: the window has no value
 designation  no test could be made

product-classifier  24h  NO VERDICT
  features    no feature could be tested
  rows        0, 3 with their outcome
  quality     too few outcomes
  reference   20,000 rows, F1 0.9123 ± 0.0087

auth  NOT EVALUATED
  problem: the reference cannot be read: no such file
";
        assert_eq!(report(&sample::report(), false, Some(140)), expected.trim_start_matches('\n'));
        assert_eq!(report(&sample::report(), false, None), expected.trim_start_matches('\n'));
    }

    #[test]
    fn sparklines_shrink_before_they_go() {
        let expected = r"
 column        kind         method           score  threshold   noise  p-value  missing  verdict  reference   current
───────────── ──────────── ─────────────── ─────── ────────── ─────── ──────── ──────── ──────── ─────────── ───────────
 postcode      categorical  jensen_shannon  0.0200     0.1000  0.0400        -   42.0 %  drift
 price         numerical    wasserstein      12.34     0.1000  0.0412        -   <0.1 %  drift    ▁▄█▄▁_____  ▁▁▁▁▂▂▃▃▃▂
                            ks              0.0610     0.1000  0.0500  <0.0001           ok
 prediction *  categorical  jensen_shannon  0.2130     0.1000  0.0310        -      0 %  drift    █▄▁_        ▆▄▁▁
";
        let text = report(&sample::report(), false, Some(120));
        assert!(text.contains(expected.trim_start_matches('\n')), "{text}");
    }

    #[test]
    fn eighty_columns_are_enough() {
        let expected = r"
 column        method           score   thresh.  p-value   miss.  verdict
───────────── ─────────────── ─────── ───────── ──────── ─────── ────────
 postcode      jensen_shannon  0.0200    0.1000        -  42.0 %  drift
 price         wasserstein      12.34    0.1000        -  <0.1 %  drift
               ks              0.0610    0.1000  <0.0001          ok
 prediction *  jensen_shannon  0.2130    0.1000        -     0 %  drift
 a?[31mred     chi_square      4.0e-5  p < 0.05   0.0600     0 %  ok
 age           wasserstein     0.0312    0.1000        -     0 %  ok
 designation   -                    -         -        -   1.2 %  none
 * the model's prediction

 drifted most
 postcode  42.0 % of the values are missing, 0.0 % in the reference; 3.4 % of
           the values are new to the reference
 price     wasserstein 12.3 >= threshold 0.1 and > noise 0.0412
";
        let text = report(&sample::report(), false, Some(80));
        assert!(text.contains(expected.trim_start_matches('\n')), "{text}");
    }

    #[test]
    fn no_line_of_a_table_is_wider_than_the_terminal() {
        for width in [48, 60, 80, 100, 120, 140] {
            let text = report(&sample::report(), false, Some(width));
            let rows = text.lines().skip_while(|line| !line.starts_with(" column"));
            for line in rows.take_while(|line| !line.starts_with(" *")) {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        let mut plain = report(&sample::report(), true, Some(100));
        assert!(plain.contains("\u{1b}[1;31mDATA AND PREDICTION DRIFT\u{1b}[0m"));
        while let Some((before, after)) = plain.split_once("\u{1b}[") {
            let (_, after) = after.split_once('m').unwrap();
            plain = format!("{before}{after}");
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&plain), trimmed(&report(&sample::report(), false, Some(100))));
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert!(!report(&sample::report(), false, None).contains('\u{1b}'));
    }

    #[test]
    fn a_heading_says_what_drifted() {
        let mut window = sample::report().models[0].windows[0].clone();
        window.data_drift_detected = Some(false);
        assert_eq!(verdict(&window), (Ink::Bad, "PREDICTION DRIFT".to_string()));
        window.prediction_drift_detected = Some(false);
        assert_eq!(verdict(&window), (Ink::Warning, "3 COLUMNS DRIFTED".to_string()));
        window.columns.clear();
        assert_eq!(verdict(&window), (Ink::Good, "NO DRIFT".to_string()));
        window.data_drift_detected = None;
        window.prediction_drift_detected = None;
        assert_eq!(verdict(&window), (Ink::Warning, "NO VERDICT".to_string()));
    }

    #[test]
    fn nothing_to_tell_is_told() {
        assert_eq!(report(&Report::default(), false, None), "no model was evaluated\n");
    }
}
