//! `/metrics` as text: golden, whatever names the data bring, and silent about what is undefined.
//! `UPDATE_GOLDEN=1` writes the golden text anew.

#[path = "support/promtool.rs"]
mod promtool;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use drift_sidecar::metrics::{CATALOGUE, Kind as FamilyKind, Part, Process, render};
use drift_sidecar::report::*;

fn test(method: &'static str, score: f64) -> TestReport {
    TestReport {
        method,
        score,
        threshold: Some(0.1),
        noise: Some(0.0123),
        p_value: Some(1.5e-300),

        drifted: score > 0.1,
        ..TestReport::default()
    }
}

fn column(name: &str) -> ColumnReport {
    ColumnReport {
        column: name.to_string(),
        reference_rows: 1000,
        current_rows: 900,
        missing_ratio: Some(0.25),
        missing_ratio_reference: Some(0.0),
        out_of_range_ratio: Some(1e-5),
        out_of_range_ratio_reference: Some(0.0),
        drifted: Some(true),
        reason: "not on the page".to_string(),
        tests: vec![test("ks", 0.1 + 0.2)],
        ..ColumnReport::default()
    }
}

fn slice(name: &str, quality: &Quality, window: &WindowReport) -> SliceReport {
    let reference = ReferenceReport { rows: 10, quality: Some(quality.clone()), ..ReferenceReport::default() };
    SliceReport { name: name.to_string(), reference, windows: vec![window.clone()] }
}

/// A Report with something in every field, and names that try to break out.
fn rich() -> Report {
    let hostile =
        ["plain", "quo\"te", "back\\slash", "new\nline", "\u{202e}right to left", "{}=,", &"long ".repeat(2000)];
    let quality = Quality {
        labelled_rows: 800,
        f1: Some(0.9),
        f1_standard_error: Some(0.01),
        precision: Some(0.91),
        recall: Some(0.89),
        accuracy: Some(0.9),
        specificity: Some(0.95),
        roc_auc: Some(0.97),
        log_loss: Some(0.25),
        brier: Some(0.07),
        classes: vec![ClassRows {
            class: "a \"b\"".to_string(),
            true_positive: 3,
            false_positive: 2,
            false_negative: 1,
        }],
        mean_error: Some(-0.5),
        mean_absolute_error: Some(1.0),
        root_mean_squared_error: Some(1.5),
        mean_absolute_percentage_error: Some(0.1),
        r2: Some(-2.0),
    };
    let window = WindowReport {
        window: "1h".to_string(),
        start: Some(Moment(1_750_000_000_000_000)),
        end: Some(Moment(1_750_003_600_000_000)),
        rows: 900,
        labelled_rows: Some(800),
        quality: Some(quality.clone()),
        estimate: Some(Estimate {
            rows: 900,
            f1: Some(0.88),
            f1_standard_error: Some(0.02),
            precision: Some(0.87),
            recall: Some(0.86),
            accuracy: Some(0.85),
            mean_absolute_error: Some(1.25),
            root_mean_squared_error: Some(1.75),
        }),
        estimate_error: Some(-0.02),
        data_drift_score: Some(0.5),
        data_drift_detected: Some(true),
        data_drift_reason: "1 of 2 features has drifted (50 %), at least drift.share 50 %".to_string(),
        prediction_drift_score: Some(0.05),
        prediction_drift_detected: Some(false),
        multivariate: vec![TestReport {
            method: "reconstruction",
            score: 3.5,
            threshold: Some(3.0),
            noise: Some(2.75),
            drifted: true,
            ..TestReport::default()
        }],
        multivariate_undefined: BTreeMap::new(),
        columns: hostile
            .iter()
            .map(|name| column(name))
            .chain([ColumnReport { unseen_ratio: Some(0.5), unseen_ratio_reference: Some(0.001), ..column("country") }])
            .chain([ColumnReport {
                infinite_ratio: Some(0.25),
                infinite_ratio_reference: Some(0.0),
                ..column("amount")
            }])
            .collect(),
    };
    let log = LogReport {
        log: "requests",
        rows_read: 12_345_678_901,
        rows_dropped: BTreeMap::from([("late", 3)]),
        files: BTreeMap::from([("read", 7), ("failed", 1)]),
        files_failed: BTreeMap::from([("corrupt", 1)]),
        column_problems: BTreeMap::from([("price".to_string(), BTreeMap::from([("missing", 2)]))]),
        last_event: Some(Moment(1_750_003_599_500_000)),
    };
    let model = ModelReport {
        model: "m".to_string(),
        reference: Some(ReferenceReport {
            mode: Mode::Trailing,
            start: Some(Moment(1_749_340_800_000_000)),
            end: Some(Moment(1_749_945_600_000_000)),
            rows: 1000,
            digest: "00ff".to_string(),
            quality: Some(quality.clone()),
            ignored_columns: BTreeMap::new(),
        }),
        windows: vec![window.clone(), WindowReport { window: "24h".to_string(), ..WindowReport::default() }],
        recent: Some(RecentReport {
            window: "5000_labelled".to_string(),
            labelled_rows: 800,
            oldest: Some(Moment(1_750_000_000_000_000)),
            quality: Some(Quality { f1: Some(0.875), f1_standard_error: Some(0.0125), ..Quality::default() }),
        }),
        versions: vec![slice("v1", &quality, &window), slice("{\"v2\"}", &quality, &window)],
        segments: vec![slice("country=FR", &quality, &window)],
        logs: vec![log, LogReport { log: "outcomes", ..LogReport::default() }],
        pairing: BTreeMap::from([("paired", 800)]),
        pending_predictions: 100,
        label_delay: Some(Histogram { bounds: vec![1.0, 60.0], cumulative: vec![1, 5, 8], sum: 1234.5 }),
        evaluated_at: Some(Moment(1_750_003_600_250_000)),
        evaluation_seconds: Some(0.00125),
        ..ModelReport::default()
    };
    let broken = ModelReport {
        model: "broken".to_string(),
        problems: vec!["no reference".to_string()],
        ..ModelReport::default()
    };
    Report { models: vec![Arc::new(model), Arc::new(broken)] }
}

fn text(report: Report) -> String {
    render(
        Arc::new(report),
        &Process { reload_successful: Some(true), reloaded_at: Some(Moment(1_750_000_000_000_000)) },
    )
}

#[test]
fn the_page_is_the_golden_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rich.prom");
    let found = text(rich());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert!(found == expected, "the page differs from {path}; look at it with UPDATE_GOLDEN=1 and git diff");
}

#[test]
fn every_family_of_the_catalogue_can_be_shown() {
    let found = text(rich());
    let mut names = BTreeSet::new();
    for family in CATALOGUE {
        assert!(names.insert(family.name), "{} is there twice", family.name);
        assert!(
            family.help.len() > 20 && family.help.ends_with('.'),
            "{}: a stranger learns nothing from its help",
            family.name
        );
        assert_eq!(family.kind == FamilyKind::Counter, family.name.ends_with("_total"), "{}", family.name);
        let parts = [Part::All, Part::Version, Part::Segment];
        for part in parts.into_iter().filter(|part| *part == Part::All || family.is_divided()) {
            let name = family.name_of(part);
            assert!(found.contains(&format!("# HELP {name} ")), "{name} is never shown");
        }
    }
}

#[test]
fn what_is_undefined_is_absent() {
    let window = WindowReport { window: "1h".to_string(), ..WindowReport::default() };
    let model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
    let found = text(Report { models: vec![Arc::new(model)] });
    let series: Vec<&str> =
        found.lines().filter(|line| !line.starts_with('#') && !line.starts_with("drift_sidecar_")).collect();
    assert_eq!(series, ["window_main{model=\"m\",window=\"1h\"} 1", "window_rows{model=\"m\",window=\"1h\"} 0"]);
    assert!(!found.contains("NaN"));
}

#[test]
fn the_clock_shows_only_in_a_daemon() {
    let found = render(Arc::new(Report::default()), &Process::default());
    let series: Vec<&str> = found.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(series.len(), 1);
    assert!(series[0].starts_with("drift_sidecar_build_info{version="));
}

#[test]
fn names_of_any_length_stay_apart_and_short() {
    let (a, b) = ("x".repeat(10_000), format!("{}y", "x".repeat(9_999)));
    let window =
        WindowReport { window: "1h".to_string(), columns: vec![column(&a), column(&b)], ..WindowReport::default() };
    let model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
    let found = text(Report { models: vec![Arc::new(model)] });
    let lines: BTreeSet<&str> = found.lines().filter(|line| line.starts_with("drift_detected{")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.len() < 300));
}

/// Name, labels and value of a line, by the letter of the text format.
fn parsed(line: &str) -> (&str, BTreeMap<&str, String>, f64) {
    let name = &line[..line.find(['{', ' ']).unwrap()];
    let mut rest = &line[name.len()..];
    let mut labels = BTreeMap::new();
    while let Some(pair) = rest.strip_prefix(['{', ',']) {
        let (label, quoted) = pair.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => value.push(match chars.next().unwrap() {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c} is no escape: {line}"),
                }),
                c => value.push(c),
            }
        }
        assert!(labels.insert(label, value).is_none(), "`{label}` twice: {line}");
        rest = chars.as_str();
    }
    let value = rest.trim_start_matches('}').strip_prefix(' ').unwrap();
    (name, labels, value.replace("Inf", "inf").parse().unwrap())
}

#[test]
fn every_line_reads_back_as_what_the_report_holds() {
    let report = rich();
    let page = text(report.clone());
    let mut series = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, value) = parsed(line);
        assert!(series.insert((name, labels), value).is_none(), "twice on the page: {line}");
    }
    let mut scores = 0;
    for column in &report.models[0].windows[0].columns {
        let labels = |extra: &[(&'static str, &str)]| {
            let own = [("model", "m"), ("window", "1h"), ("column", column.column.as_str())];
            own.iter().chain(extra).map(|(name, value)| (*name, value.to_string())).collect::<BTreeMap<_, _>>()
        };
        // Long names are cut, see below.
        if column.column.len() > 128 {
            continue;
        }
        assert_eq!(series[&("column_out_of_range_ratio", labels(&[]))], column.out_of_range_ratio.unwrap());
        for test in &column.tests {
            let labels = labels(&[("method", test.method)]);
            assert_eq!(series[&("drift_score", labels.clone())].to_bits(), test.score.to_bits());
            assert_eq!(series[&("drift_p_value", labels)].to_bits(), test.p_value.unwrap().to_bits());
            scores += 1;
        }
    }
    assert_eq!(scores, 8);
}

#[test]
fn promtool_has_no_complaint_about_hostile_names() {
    promtool::no_complaint(&text(rich()));
}

#[test]
fn promtool_has_no_complaint_about_an_empty_report() {
    let found = text(Report::default());
    promtool::no_complaint(&found);
    assert!(found.len() < 1000, "{found}");
}

#[test]
#[should_panic(expected = "no help text")]
fn promtool_complains_about_a_page_without_help() {
    promtool::no_complaint("# TYPE x gauge\nx 1\n");
}

#[test]
fn classes_beyond_a_thousand_share_one_series() {
    let class =
        |i: u64| ClassRows { class: format!("c{i:04}"), true_positive: i, false_positive: 1, false_negative: 0 };
    let quality = Quality { classes: (0..1200).map(class).collect(), ..Quality::default() };
    let window = WindowReport { window: "1h".to_string(), quality: Some(quality), ..WindowReport::default() };
    let model = ModelReport { model: "m".to_string(), windows: vec![window], ..ModelReport::default() };
    let found = text(Report { models: vec![Arc::new(model)] });
    let rows = |class: &str, result: &str| {
        let series =
            format!("prediction_class_rows{{model=\"m\",window=\"1h\",class=\"{class}\",result=\"{result}\"}} ");
        found.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_string)
    };
    assert_eq!(rows("c1199", "true_positive").as_deref(), Some("1199"));
    assert_eq!(rows("c0199", "true_positive"), None);
    // The two hundred smallest: 0 + 1 + ... + 199.
    assert_eq!(rows("other", "true_positive").as_deref(), Some("19900"));
    assert_eq!(rows("other", "false_positive").as_deref(), Some("200"));
}
