//! A Report and a Plan with one of everything, for the tests of the tables.
//!
//! Made up; no statistic is computed here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::{Plan, PlannedColumn};
use crate::report::{
    ColumnReport, Distribution, Kind, ModelReport, Moment, Quality, ReferenceReport, Report, Role, TestReport,
    WindowReport,
};
use crate::settings::{Average, Task};
use crate::stats::{Limit, method};

fn test(method: &'static str, score: f64, threshold: f64, noise: f64, p_value: Option<f64>) -> TestReport {
    TestReport {
        method,
        score,
        threshold: Some(threshold),
        noise: Some(noise),
        p_value,

        drifted: score >= threshold && score > noise,
        ..TestReport::default()
    }
}

fn column(name: &str, kind: Kind, missing: f64, tests: Vec<TestReport>) -> ColumnReport {
    let drifted = if tests.is_empty() { None } else { Some(tests.iter().any(|test| test.drifted)) };
    ColumnReport {
        column: name.to_string(),
        kind,
        role: Role::Feature,
        reference_rows: 20_000,
        current_rows: 1234,
        missing_ratio: Some(missing),
        missing_ratio_reference: Some(0.0),
        unseen_ratio: None,
        unseen_ratio_reference: None,
        infinite_ratio: None,
        infinite_ratio_reference: None,
        out_of_range_ratio: None,
        out_of_range_ratio_reference: None,
        drifted,
        reason: "no test could be made".to_string(),
        tests,
        undefined: BTreeMap::new(),
        ..ColumnReport::default()
    }
}

fn columns() -> Vec<ColumnReport> {
    let mut prediction =
        column("prediction", Kind::Categorical, 0.0, vec![test("jensen_shannon", 0.213, 0.1, 0.031, None)]);
    prediction.role = Role::Prediction;
    prediction.reason = "jensen_shannon 0.213 >= threshold 0.1 and > noise 0.031".to_string();
    let mut gone = column("postcode", Kind::Categorical, 0.42, vec![test("jensen_shannon", 0.02, 0.1, 0.04, None)]);
    gone.drifted = Some(true);
    gone.reason = "42.0 % of the values are missing, 0.0 % in the reference".to_string();
    gone.unseen_ratio = Some(0.034);
    prediction.distribution = Some(Distribution {
        categories: ["a", "b", "c", "unseen"].map(String::from).to_vec(),
        reference: vec![12_000, 6_000, 2_000, 0],
        current: vec![600, 400, 100, 134],
        ..Distribution::default()
    });
    let mut price = column(
        "price",
        Kind::Numerical,
        0.0003,
        vec![test("wasserstein", 12.34, 0.1, 0.0412, None), test("ks", 0.061, 0.1, 0.05, Some(1e-9))],
    );
    price.reason = "wasserstein 12.3 >= threshold 0.1 and > noise 0.0412".to_string();
    price.distribution = Some(Distribution {
        edges: (0..19).map(f64::from).collect(),
        reference: [&[0, 500, 1500, 3000, 5000, 4000, 3000, 1500, 1000, 500][..], &[0; 10]].concat(),
        current: (0..19).map(|i| i * 7).chain([37]).collect(),
        ..Distribution::default()
    });
    price.undefined = BTreeMap::from([("psi", "the window has no value")]);
    let mut adjusted = test("chi_square", 0.00004, 0.0, 0.02, Some(0.01));
    (adjusted.threshold, adjusted.alpha, adjusted.p_value_adjusted) = (None, Some(0.05), Some(0.06));
    adjusted.drifted = false;
    vec![
        column("age", Kind::Numerical, 0.0, vec![test("wasserstein", 0.0312, 0.1, 0.041, None)]),
        price,
        gone,
        column("designation", Kind::Text, 0.012, Vec::new()),
        column("a\u{1b}[31mred", Kind::Categorical, 0.0, vec![adjusted]),
        prediction,
    ]
}

pub fn report() -> Report {
    let quality = Quality {
        labelled_rows: 1000,
        f1: Some(0.9123),
        f1_standard_error: Some(0.00871),
        precision: Some(0.91),
        recall: Some(0.92),
        accuracy: Some(0.9234),
        ..Quality::default()
    };
    let full = WindowReport {
        window: "1h".to_string(),
        start: Some(Moment(1_700_000_000_000_000)),
        end: Some(Moment(1_700_003_600_000_000)),
        rows: 1234,
        labelled_rows: Some(1000),
        quality: Some(quality.clone()),
        data_drift_score: Some(0.5),
        data_drift_detected: Some(true),
        data_drift_reason: "2 of 4 features have drifted (50 %), at least drift.share 50 %".to_string(),
        prediction_drift_score: Some(0.213),
        prediction_drift_detected: Some(true),
        columns: columns(),
        ..WindowReport::default()
    };
    let empty = WindowReport {
        window: "24h".to_string(),
        labelled_rows: Some(3),
        data_drift_reason: "no feature could be tested".to_string(),
        ..WindowReport::default()
    };
    let reference = ReferenceReport { rows: 20_000, quality: Some(quality), ..ReferenceReport::default() };
    let model = ModelReport {
        model: "product-classifier".to_string(),
        reference: Some(reference),
        windows: vec![full, empty],
        ..ModelReport::default()
    };
    let broken = ModelReport {
        model: "auth".to_string(),
        problems: vec!["the reference cannot be read: no such file".to_string()],
        ..ModelReport::default()
    };
    Report { models: vec![Arc::new(model), Arc::new(broken)] }
}

pub fn plan() -> Plan {
    let planned = |name: &str, role, kind, why: &str, methods: &[(&str, f64)], distinct, missing| PlannedColumn {
        name: name.to_string(),
        role,
        kind,
        why: why.to_string(),
        tests: methods.iter().map(|&(name, threshold)| (method(name).unwrap(), Limit::Score(threshold))).collect(),
        distinct,
        missing_ratio: missing,
    };
    Plan {
        model: "product-classifier".to_string(),
        task: Task::Multiclass,
        task_why: "the reference's predictions are int64".to_string(),
        average: Some(Average::Weighted),
        reference_rows: 20_000,
        columns: vec![
            planned(
                "price",
                Role::Feature,
                Kind::Numerical,
                "float64 in the reference",
                &[("psi", 0.2), ("ks", 0.1)],
                18_412,
                Some(0.0),
            ),
            planned(
                "stars",
                Role::Feature,
                Kind::Categorical,
                "int64 with 5 distinct values",
                &[("psi", 0.2)],
                5,
                Some(0.013),
            ),
            planned("designation", Role::Feature, Kind::Text, "kind: text in the config", &[], 20_000, None),
            planned(
                "prediction",
                Role::Prediction,
                Kind::Categorical,
                "the prediction of a classifier",
                &[("psi", 0.2)],
                27,
                Some(0.0),
            ),
        ],
        ignored: BTreeMap::from([
            ("created_at".to_string(), "times are not compared (timestamp[us])".to_string()),
            ("internal_id".to_string(), "ignore: true in the config".to_string()),
        ]),
        resolution: 2744,
        memory_bytes: 250 << 20,
        extras: vec![("estimate", "F1 before the labels are there, from `score`".to_string())],
        warnings: vec!["resolution 2744 instead of 4096: 120 columns in 121 panes".to_string()],
    }
}
