//! What the statistics cost per column and evaluation: tests over full-size profiles, exact p-values, noise levels.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use drift_sidecar::stats::f1::{self, Average, Cell};
use drift_sidecar::stats::noise::{Levels, Null};
use drift_sidecar::stats::{
    Bins, Cells, METHODS, Method, Moments, Outcome, Points, Sides, Table, Undefined, Value, Vectors, domain_classifier,
    embedding, mmd, reconstruction, text,
};

type VectorScore = fn(Vectors, Vectors) -> Result<Outcome, Undefined>;

/// A profile at the default resolution: 4096 knots and the gaps between them.
const CELLS: usize = 8193;

fn method(name: &str) -> &'static Method {
    drift_sidecar::stats::method(name).expect("the benchmark names a method")
}

fn spread(std: f64) -> Moments {
    Moments { count: 1, m2: std * std, ..Moments::default() }
}

fn tests(c: &mut Criterion) {
    let values: Vec<f64> = (0..CELLS).map(|i| i as f64 / 1000.0).collect();
    let reference: Vec<u64> = (0..CELLS as u64).map(|i| 20 + i % 7).collect();
    let current: Vec<u64> = (0..CELLS as u64).map(|i| 19 + i % 5).collect();
    let (bins_r, bins_c) = ([100_000; 10], [99_000, 101_000, 100_000, 98_000, 100_000, 1, 2, 3, 4, 5]);
    let sides = Sides {
        bins: Bins { reference: &bins_r, current: &bins_c, ..Bins::default() },
        cells: Some(Cells {
            reference: Points { values: &values, counts: &reference },
            current: Points { values: &values, counts: &current },
        }),
        moments: Some([spread(2.0); 2]),
        ..Sides::default()
    };
    for method in METHODS {
        c.bench_function(&format!("test/{}", method.name), |b| b.iter(|| (method.test)(black_box(&sides))));
    }
}

/// The band of paths is widest where D is large but the p-value not yet nothing.
fn exact_p_values(c: &mut Criterion) {
    for (rows, apart) in [(1001, 100), (9999, 100), (9999, 500), (9999, 2500)] {
        let (reference, current) = ([5000, 5000], [rows / 2 - apart, rows - rows / 2 + apart]);
        let values = [0.0, 1.0];
        let sides = Sides {
            bins: Bins { reference: &reference, current: &current, ..Bins::default() },
            cells: Some(Cells {
                reference: Points { values: &values, counts: &reference },
                current: Points { values: &values, counts: &current },
            }),
            moments: Some([spread(1.0); 2]),
            ..Sides::default()
        };
        let name = format!("ks exact/10000 and {rows}, {apart} rows apart");
        c.bench_function(&name, |b| b.iter(|| (method("ks").test)(black_box(&sides))));
    }
}

fn noise(c: &mut Criterion) {
    let values: Vec<f64> = (0..CELLS).map(|i| (i as f64 / 2000.0).exp()).collect();
    let counts = vec![12; CELLS];
    let rows = counts.iter().sum();
    let numeric = Null {
        bins: &[rows],
        points: Some(Points { values: &values, counts: &counts }),
        moments: spread(5.0),
        rows: 5000,
        point_rows: 5000,
    };
    let zipf: Vec<u64> = (1..=1000).map(|rank| 10_000 / rank).chain([0]).collect();
    let categories = Null { bins: &zipf, points: None, moments: Moments::default(), rows: 5000, point_rows: 0 };
    let methods = [
        ("wasserstein", numeric),
        ("energy", numeric),
        ("epps_singleton", Null { point_rows: 1000, ..numeric }),
        ("jensen_shannon", categories),
        ("psi", categories),
    ];
    for (name, null) in methods {
        c.bench_function(&format!("noise/{name}, first"), |b| {
            b.iter(|| Levels::default().level(method(name), black_box(&null)))
        });
        let mut levels = Levels::default();
        c.bench_function(&format!("noise/{name}, known"), |b| b.iter(|| levels.level(method(name), black_box(&null))));
    }
}

fn f1(c: &mut Criterion) {
    let classes = 27;
    let cells: Vec<Cell> = (0..classes * classes)
        .map(|i| Cell { predicted: i / classes, actual: i % classes, rows: f64::from(1 + i % 13) })
        .collect();
    c.bench_function("f1/27 classes", |b| b.iter(|| f1::scores(black_box(&cells), Average::Weighted, 0)));
}

/// Numbers without order, -1 to 1.
fn scattered(count: usize, seed: u64) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |i| {
        let mixed = (i + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

/// Scores of rows, at the 1000 a side that they are made for.
fn rows(c: &mut Criterion) {
    const ROWS: usize = 1000;
    let text = |seed| {
        let words = scattered(80, seed).map(|x| format!("word{}", 3000f64.powf(x.abs()) as u32));
        words.collect::<Vec<_>>().join(" ")
    };
    let texts: Vec<String> = (0..2 * ROWS as u64).map(|i| text(i * 80)).collect();
    c.bench_function("rows/bags of 2000 texts of 80 words", |b| {
        b.iter(|| texts.iter().map(|one| text::bag(one)).collect::<Vec<_>>())
    });
    let bags: Vec<Vec<u32>> = texts.iter().map(|one| text::bag(one)).collect();
    let (reference, current) = bags.split_at(ROWS);
    c.bench_function("rows/domain_classifier, texts", |b| b.iter(|| domain_classifier::of_texts(reference, current)));
    for columns in [10, 200] {
        let side = |seed| scattered(ROWS * columns, seed).map(Value::Number).collect::<Vec<_>>();
        let (reference, current) = (side(1), side(1 << 32));
        let [reference, current] = [&reference, &current].map(|values| Table { values, columns });
        c.bench_function(&format!("rows/domain_classifier, {columns} columns"), |b| {
            b.iter(|| domain_classifier::of_tables(reference, current))
        });
        c.bench_function(&format!("rows/reconstruction, {columns} columns"), |b| {
            b.iter(|| reconstruction::drift(reference, current))
        });
    }
    for dims in [8, 768] {
        let side = |seed| scattered(ROWS * dims, seed).map(|x| x as f32).collect::<Vec<_>>();
        let (reference, current) = (side(1), side(1 << 32));
        let [reference, current] = [&reference, &current].map(|values| Vectors { values, dims });
        let scores: [(&str, VectorScore); 4] = [
            ("mmd", mmd::of_vectors),
            ("mean_distance", embedding::mean_distance),
            ("drifted_components", embedding::drifted_components),
            ("domain_classifier", domain_classifier::of_vectors),
        ];
        for (name, score) in scores {
            c.bench_function(&format!("rows/{name}, {dims} numbers"), |b| b.iter(|| score(reference, current)));
        }
    }
}

criterion_group! {
    name = slow;
    config = Criterion::default().sample_size(10);
    targets = rows
}
criterion_group!(benches, tests, exact_p_values, noise, f1);
criterion_main!(benches, slow);
