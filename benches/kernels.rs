//! The hot loops: rows into profiles, profiles into windows, windows beside the reference, ids into pairs.
//!
//! `cargo bench --bench kernels`; judge ratios within one run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use drift_sidecar::batch::{Batch, Column, Field, Log, Nature};
use drift_sidecar::grid::Grid;
use drift_sidecar::monitor::Monitor;
use drift_sidecar::pair::Pairs;
use drift_sidecar::profile::{Cell, Numbers, ReferenceNumbers, Scratch};
use drift_sidecar::reference::{Draft, Reference};
use drift_sidecar::settings::{OutcomeColumns, Settings};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn normal(random: &mut Pcg64Mcg) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

fn values(rows: usize, seed: u64) -> Vec<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    (0..rows).map(|_| normal(&mut random)).collect()
}

fn grid_of(values: &[f64], knots: usize) -> (Grid, Vec<f64>, Vec<u64>) {
    let mut distinct = values.to_vec();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    let counts = vec![1; distinct.len()];
    (Grid::new(&distinct, &counts, (0, 0), 10, knots), distinct, counts)
}

fn profile(c: &mut Criterion) {
    let mut group = c.benchmark_group("profile");
    let reference = values(100_000, 1);
    let current = values(81_920, 2);
    group.throughput(Throughput::Elements(current.len() as u64));
    for knots in [1024, 4096, 16_384] {
        let (grid, ..) = grid_of(&reference, knots);
        let mut cells = vec![Cell::default(); grid.knots().len() + 1];
        group.bench_function(format!("locate and count, {knots} knots"), |b| {
            b.iter(|| current.chunks(8192).for_each(|chunk| grid.count(black_box(chunk), &mut cells)));
        });
        let mut numbers = Numbers::default();
        numbers.fold(&grid);
        group.bench_function(format!("update, {knots} knots"), |b| {
            b.iter(|| current.chunks(8192).for_each(|chunk| numbers.add(&grid, black_box(chunk), None)));
        });
    }
    group.finish();
}

fn merge(c: &mut Criterion) {
    let (grid, ..) = grid_of(&values(100_000, 1), 4096);
    let panes: Vec<Numbers> = (0..60)
        .map(|i| {
            let mut numbers = Numbers::default();
            numbers.add(&grid, &values(10_000, i), None);
            numbers.fold(&grid);
            numbers
        })
        .collect();
    c.bench_function("merge 60 panes of one column, 4096 knots", |b| {
        b.iter(|| {
            let mut sum = Numbers::default();
            panes.iter().for_each(|pane| sum.merge(&grid, pane));
            sum
        });
    });
}

fn compare(c: &mut Criterion) {
    let (grid, distinct, counts) = grid_of(&values(100_000, 1), 4096);
    let reference = ReferenceNumbers::new(grid, distinct, counts, 0, 0, 0);
    let mut current = Numbers::default();
    current.add(reference.grid(), &values(1_000_000, 3), None);
    current.fold(reference.grid());
    let mut scratch = Scratch::default();
    c.bench_function("lay a window beside the reference", |b| {
        b.iter(|| reference.compare(black_box(&current), &mut scratch).1.current.len())
    });
    c.bench_function("bars of a window on 4096 knots", |b| {
        b.iter(|| reference.bars().count(reference.grid(), black_box(&current)))
    });
    let mut exact = Numbers::default();
    exact.add(reference.grid(), &values(20_000, 3), None);
    c.bench_function("bars of a window of 20 000 values", |b| {
        b.iter(|| reference.bars().count(reference.grid(), black_box(&exact)))
    });
}

fn pairs(c: &mut Criterion) {
    let mut random = Pcg64Mcg::seed_from_u64(9);
    let ids: Vec<u64> = (0..1_000_000).map(|_| random.random()).collect();
    let seconds = vec![7; ids.len()];
    let classes = vec![3u16; ids.len()];
    let filled = || {
        let (mut pairs, mut out) = (Pairs::new(10_000_000, false, false), Vec::new());
        for block in ids.chunks(8192) {
            out.clear();
            pairs.requests(block, &seconds[..block.len()], &classes[..block.len()], &[], &[], &mut out);
        }
        pairs
    };
    let mut group = c.benchmark_group("pairs");
    group.sample_size(10).throughput(Throughput::Elements(ids.len() as u64));
    group.bench_function("a million requests into a growing table", |b| b.iter(filled));
    group.bench_function("a million outcomes", |b| {
        b.iter_batched(
            filled,
            |mut pairs| {
                let mut out = Vec::new();
                for block in ids.chunks(8192) {
                    out.clear();
                    pairs.outcomes(block, &seconds[..block.len()], &classes[..block.len()], &mut out);
                }
                pairs
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// A model of 16 numeric columns with one window `all`.
fn model() -> (Settings, Arc<Reference>) {
    let mut settings = drift_sidecar::config::compare(Default::default(), None, None, None);
    settings.outcomes = None::<OutcomeColumns>;
    // As in the daemon, where nobody asks for them.
    settings.drift.multivariate.clear();
    let fields: Vec<Field> = (0..16)
        .map(|i| Field { name: format!("x{i}"), nature: Nature::Float, type_name: "double".to_string() })
        .collect();
    let mut draft = Draft::new(&settings, &fields, 100_000);
    draft.ingest(&batch(100_000, 0));
    (settings, Arc::new(draft.finish().unwrap()))
}

fn batch(rows: usize, seed: u64) -> Batch {
    let columns = (0..16).map(|i| Column::Numbers(values(rows, seed * 16 + i).into())).collect();
    Batch { log: Log::Requests, rows, read_at: 0, group: 0, first_row: 0, columns }
}

fn evaluation(c: &mut Criterion) {
    let (settings, reference) = model();
    let more = batch(8192, 5);
    for rows in [100_000, 1_000_000, 10_000_000] {
        let mut monitor = Monitor::new(settings.clone(), reference.clone());
        for _ in 0..rows / 8192 {
            monitor.ingest(&more);
        }
        monitor.report();
        c.bench_function(&format!("evaluate 16 columns, {rows} rows in the window"), |b| b.iter(|| monitor.report()));
    }
}

criterion_group! {
    name = kernels;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    targets = profile, merge, compare, pairs, evaluation
}
criterion_main!(kernels);
