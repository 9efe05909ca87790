//! What a scrape costs: a Report of 10 000 series as text.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drift_sidecar::metrics::{Process, render};
use drift_sidecar::report::{ColumnReport, ModelReport, Report, TestReport, WindowReport};

/// Ten series each.
const COLUMNS: usize = 1000;

fn column(i: usize) -> ColumnReport {
    let test = |method, i: usize| TestReport {
        method,
        score: 1.0 / (i + 3) as f64,
        threshold: Some(0.1),
        noise: Some(0.0123),
        p_value: None,
        drifted: false,
        ..TestReport::default()
    };
    ColumnReport {
        column: format!("feature_{i:04}"),
        reference_rows: 100_000,
        current_rows: 10_000,
        missing_ratio: Some(0.01),
        missing_ratio_reference: Some(0.0),
        out_of_range_ratio: Some(1e-5),
        drifted: Some(false),
        tests: vec![test("wasserstein", i), test("psi", 2 * i)],
        ..ColumnReport::default()
    }
}

fn scrape(c: &mut Criterion) {
    let window = WindowReport {
        window: "1h".to_string(),
        rows: 10_000,
        columns: (0..COLUMNS).map(column).collect(),
        ..WindowReport::default()
    };
    let model =
        ModelReport { model: "product-classifier".to_string(), windows: vec![window], ..ModelReport::default() };
    let report = Arc::new(Report { models: vec![Arc::new(model)] });
    let text = render(report.clone(), &Process::default());
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(series, 10 * COLUMNS + 4);
    let mut group = c.benchmark_group("metrics");
    group.throughput(Throughput::Elements(series as u64)).sample_size(20);
    group.bench_function("render 10 000 series", |b| {
        b.iter(|| render(black_box(report.clone()), &Process::default()));
    });
    group.finish();
}

criterion_group!(benches, scrape);
criterion_main!(benches);
