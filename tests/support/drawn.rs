//! Columns drawn by chance, with and without drift, and what a monitor says of windows of them.
//!
//! A shape is 65 536 values, each as likely: a row is one of them, taken by sixteen random bits. So rows are independent and the
//! shape is exact. The monitor is fed as the daemon feeds it: one window of a minute, row after row, minute after minute.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use drift_sidecar::batch::{Batch, Column, Field, Form, Log, Nature};
use drift_sidecar::monitor::Monitor;
use drift_sidecar::reference::Draft;
use drift_sidecar::report::{TestReport, WindowReport};
use drift_sidecar::settings::{Drift, ReferenceColumns, RequestColumns, Settings, Window};
use drift_sidecar::stats::{Limit, METHODS, Method};
use rand::Rng;
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ContinuousCDF, Normal};

const ENTRIES: usize = 1 << 16;
const MINUTE: i64 = 60_000_000;

/// What the rows of a column come from.
#[derive(Clone)]
pub struct Shape {
    pub name: &'static str,
    entries: Entries,
}

#[derive(Clone)]
enum Entries {
    /// NaN stands for a missing value.
    Numbers(Vec<f64>),
    Categories(Vec<Option<u16>>),
}

/// A shape of numbers, by its value at each share of the rows, 0 to 1.
pub fn numbers(name: &'static str, at: impl Fn(f64) -> f64) -> Shape {
    Shape { name, entries: Entries::Numbers(shares().map(at).collect()) }
}

/// Categories with these weights.
pub fn categories(name: &'static str, weights: impl IntoIterator<Item = f64>) -> Shape {
    let weights: Vec<f64> = weights.into_iter().collect();
    let all: f64 = weights.iter().sum();
    let (mut category, mut below) = (0, weights[0] / all);
    let entry = |share| {
        while share > below && category + 1 < weights.len() {
            category += 1;
            below += weights[category] / all;
        }
        Some(category as u16)
    };
    Shape { name, entries: Entries::Categories(shares().map(entry).collect()) }
}

/// So many categories, the k-th with weight 1/k.
pub fn zipf(name: &'static str, categories_: u16) -> Shape {
    categories(name, (1..=categories_).map(|rank| 1.0 / f64::from(rank)))
}

fn shares() -> impl Iterator<Item = f64> {
    (0..ENTRIES).map(|i| (i as f64 + 0.5) / ENTRIES as f64)
}

pub fn normal(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share)
}

/// To cents, as prices are.
pub fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl Shape {
    pub fn is_numerical(&self) -> bool {
        matches!(self.entries, Entries::Numbers(_))
    }

    /// The same with every value moved by so many standard deviations.
    pub fn shifted(&self, stds: f64) -> Shape {
        let Entries::Numbers(values) = &self.entries else { return self.clone() };
        let mean = values.iter().sum::<f64>() / ENTRIES as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / ENTRIES as f64;
        let moved = values.iter().map(|value| value + stds * variance.sqrt());
        Shape { name: self.name, entries: Entries::Numbers(moved.collect()) }
    }

    /// The same with a share of all rows missing.
    pub fn missing(&self, share: f64) -> Shape {
        let mut entries = self.entries.clone();
        // Every so many entries, so that the others keep their shape.
        let lost = |i: usize| ((i + 1) as f64 * share).floor() > (i as f64 * share).floor();
        match &mut entries {
            Entries::Numbers(values) => {
                values.iter_mut().enumerate().filter(|(i, _)| lost(*i)).for_each(|(_, value)| *value = f64::NAN);
            }
            Entries::Categories(codes) => {
                codes.iter_mut().enumerate().filter(|(i, _)| lost(*i)).for_each(|(_, code)| *code = None);
            }
        }
        Shape { name: self.name, entries }
    }

    /// The same with a share of all rows moved from one category to another.
    pub fn moved(&self, from: u16, to: u16, share: f64) -> Shape {
        let mut entries = self.entries.clone();
        if let Entries::Categories(codes) = &mut entries {
            let moved = codes.iter_mut().filter(|code| **code == Some(from)).take((share * ENTRIES as f64) as usize);
            moved.for_each(|code| *code = Some(to));
        }
        Shape { name: self.name, entries }
    }

    pub fn named(self, name: &'static str) -> Shape {
        Shape { name, ..self }
    }

    fn draw(&self, rows: usize, bits: &mut Pcg64Mcg) -> Column {
        match &self.entries {
            Entries::Numbers(values) => {
                let mut drawn = Vec::with_capacity(rows);
                draw(values, rows, bits, &mut drawn);
                if values.iter().any(|value| value.is_nan()) {
                    return Column::Numbers(drawn.iter().map(|v| Some(*v).filter(|v| !v.is_nan())).collect());
                }
                Column::Numbers(Float64Array::from(drawn))
            }
            Entries::Categories(codes) => {
                let mut drawn = Vec::with_capacity(rows);
                draw(codes, rows, bits, &mut drawn);
                let last = codes.iter().flatten().max().copied().unwrap_or(0);
                let names: StringArray = (0..=last).map(|code| Some(format!("c{code}"))).collect();
                let keys: Int32Array = drawn.iter().map(|code| code.map(i32::from)).collect();
                Column::Keys(DictionaryArray::<Int32Type>::new(keys, Arc::new(names)))
            }
        }
    }
}

/// Four rows from one random number.
fn draw<T: Copy>(entries: &[T], rows: usize, bits: &mut Pcg64Mcg, drawn: &mut Vec<T>) {
    while drawn.len() < rows {
        let four = bits.next_u64();
        let rest = (rows - drawn.len()).min(4);
        drawn.extend((0..rest).map(|i| entries[(four >> (16 * i)) as usize & (ENTRIES - 1)]));
    }
}

/// Windows of `rows` rows, so many of them beside each of several references of `reference_rows` rows.
#[derive(Clone)]
pub struct Study {
    pub settings: Settings,
    pub reference: Vec<Shape>,
    /// The windows come from these: the same shapes where nothing drifts.
    pub current: Vec<Shape>,
    pub reference_rows: usize,
    pub rows: usize,
    pub references: u32,
    pub windows: u32,
}

impl Study {
    pub fn run(&self) -> Tally {
        let mut tally = Tally::default();
        for reference in 0..self.references {
            let mut bits = Pcg64Mcg::new((u128::from(reference) << 64) | (self.rows as u128 * 2 + 1));
            let columns = self.reference.iter().map(|shape| shape.draw(self.reference_rows, &mut bits)).collect();
            let mut monitor = monitor(&self.settings, &self.reference, columns, self.reference_rows);
            for minute in 0..self.windows {
                let columns = self.current.iter().map(|shape| shape.draw(self.rows, &mut bits)).collect();
                tally.add(&window(&mut monitor, i64::from(minute), columns, self.rows));
            }
        }
        tally
    }
}

/// A monitor with this reference.
pub fn monitor(settings: &Settings, shapes: &[Shape], columns: Vec<Column>, rows: usize) -> Monitor {
    let field = |shape: &Shape| {
        let (nature, type_name) =
            if shape.is_numerical() { (Nature::Float, "double") } else { (Nature::Text, "string") };
        Field { name: shape.name.to_string(), nature, type_name: type_name.to_string() }
    };
    let fields: Vec<Field> = shapes.iter().map(field).collect();
    let mut draft = Draft::new(settings, &fields, rows as u64);
    draft.ingest(&Batch { log: Log::Requests, rows, read_at: 0, group: 0, first_row: 0, columns });
    Monitor::new(settings.clone(), Arc::new(draft.finish().expect("the reference has rows")))
}

/// The window of this minute: the rows before it have left.
pub fn window(monitor: &mut Monitor, minute: i64, columns: Vec<Column>, rows: usize) -> WindowReport {
    let time = minute * MINUTE;
    let times = monitor.wanted(Log::Requests).iter().take_while(|wanted| wanted.form == Form::Time).count();
    let times = std::iter::repeat_n(Column::Times(Int64Array::from_value(time, rows)), times);
    let columns = times.chain(columns).collect();
    monitor.ingest(&Batch { log: Log::Requests, rows, read_at: time, group: 0, first_row: 0, columns });
    let window = monitor.report().windows.remove(0);
    assert_eq!(window.rows, rows as u64);
    window
}

/// What was found in many windows.
#[derive(Default)]
pub struct Tally {
    pub windows: u32,
    /// Windows in which the dataset has drifted, and columns that have, in all windows.
    pub datasets: u32,
    pub columns: u32,
    pub columns_drifted: u32,
    /// By method and column.
    pub tests: BTreeMap<(&'static str, String), Counts>,
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub tests: u32,
    pub above_noise: u32,
    /// p < 0.05, and the same after Benjamini and Hochberg where the p-value decides.
    pub significant: u32,
    pub adjusted: u32,
    pub drifted: u32,
}

impl Tally {
    fn add(&mut self, window: &WindowReport) {
        const ALPHA: f64 = 0.05;
        self.windows += 1;
        self.datasets += u32::from(window.data_drift_detected == Some(true));
        for column in &window.columns {
            self.columns += 1;
            self.columns_drifted += u32::from(column.drifted == Some(true));
            for test in &column.tests {
                let counts = self.tests.entry((test.method, column.column.clone())).or_default();
                counts.tests += 1;
                counts.above_noise += u32::from(test.noise.is_some_and(|noise| test.score > noise));
                counts.significant += u32::from(test.p_value.is_some_and(|p| p < ALPHA));
                counts.adjusted += u32::from(test.p_value_adjusted.is_some_and(|p| p < ALPHA));
                counts.drifted += u32::from(test.drifted);
            }
        }
    }

    /// Of one method, over all its columns, in the order of the catalogue.
    pub fn methods(&self) -> Vec<(&'static str, Counts)> {
        let sum = |name| {
            let of = self.tests.iter().filter(|((method, _), _)| *method == name).map(|(_, counts)| counts);
            of.fold(Counts::default(), |sum, more| Counts {
                tests: sum.tests + more.tests,
                above_noise: sum.above_noise + more.above_noise,
                significant: sum.significant + more.significant,
                adjusted: sum.adjusted + more.adjusted,
                drifted: sum.drifted + more.drifted,
            })
        };
        METHODS.iter().map(|method| (method.name, sum(method.name))).filter(|(_, counts)| counts.tests > 0).collect()
    }

    pub fn column_share(&self) -> f64 {
        f64::from(self.columns_drifted) / f64::from(self.columns)
    }
}

impl Counts {
    pub fn share(&self, of: fn(&Counts) -> u32) -> f64 {
        f64::from(of(self)) / f64::from(self.tests)
    }
}

/// Every score of normal columns of 50 000 rows a standard deviation apart, where the first row of the reference or of the window may
/// be an outlier of a million.
pub fn outlier_scores(outlier: [bool; 2]) -> Vec<TestReport> {
    const ROWS: usize = 50_000;
    let mut settings = every_method();
    settings.drift.limit = None;
    settings.drift.numerical = METHODS.iter().copied().filter(|method| method.numerical).collect();
    let column = |mean: f64, outlier: bool| {
        let bell = (0..ROWS).map(|i| mean + normal((i as f64 + 0.5) / ROWS as f64));
        let first = outlier.then_some(1e6);
        vec![Column::Numbers(first.into_iter().chain(bell).take(ROWS).collect::<Vec<f64>>().into())]
    };
    let mut monitor = monitor(&settings, &[numbers("x", normal)], column(0.0, outlier[0]), ROWS);
    window(&mut monitor, 0, column(1.0, outlier[1]), ROWS).columns.remove(0).tests
}

/// The settings that a model has whose config says nothing but its name, beside a window of one minute.
pub fn settings() -> Settings {
    let of = |name: &str| name.to_string();
    Settings {
        name: of("m"),
        task: None,
        positive_label: None,
        classes: Vec::new(),
        requests: RequestColumns {
            request_id: of("request_id"),
            timestamp: of("timestamp"),
            prediction: of("prediction"),
            score: None,
            probabilities: None,
            version: None,
        },
        outcomes: None,
        reference: ReferenceColumns {
            prediction: of("prediction"),
            score: None,
            probabilities: None,
            label: of("label"),
        },
        windows: Some(vec![Window { name: of("1m"), length: Duration::from_secs(60) }]),
        panes: 1,
        label_delay_max: Duration::from_secs(300),
        clock_skew_max: Duration::from_secs(60),
        f1_average: None,
        f1_window: None,
        rows_min: 1,
        drift: Drift {
            text: Vec::new(),
            embedding: Vec::new(),
            multivariate: Vec::new(),
            definition: Default::default(),
            numerical: vec![method("wasserstein")],
            categorical: vec![method("jensen_shannon")],
            limit: None,
            alpha: Some(0.05),
            share: 0.5,
        },
        features: Default::default(),
        resolution: 4096,
        exact_rows: 20_000,
        bins: 10,
        categories_max: 1000,
        pairs_max: 1_000_000,
        memory_max: 256 << 20,
        versions_max: 3,
        segments: Vec::new(),
        segments_max: 20,
    }
}

pub fn method(name: &str) -> &'static Method {
    drift_sidecar::stats::method(name).expect("it is a method")
}

/// The same with every method at once but `mmd`, which costs a thousand times as much as the others.
/// Where a method has a p-value, that decides.
pub fn every_method() -> Settings {
    let mut settings = settings();
    settings.drift.limit = Some(Limit::Alpha(0.05));
    let others = || METHODS.iter().copied().filter(|method| method.name != "mmd");
    settings.drift.numerical = others().filter(|method| method.numerical).collect();
    settings.drift.categorical = others().filter(|method| method.categorical).collect();
    settings
}

/// Drift of several kinds, a column each: as it was, and as it is.
pub fn drifts() -> Vec<(Shape, Shape)> {
    let bell = |name| numbers(name, normal);
    let days = || categories("10 % of rows to another of 7 days", DAYS);
    vec![
        (bell("0.3 standard deviations"), bell("0.3 standard deviations").shifted(0.3)),
        (days(), days().moved(4, 6, 0.1)),
        (zipf("10 % to the last of 30", 30), zipf("10 % to the last of 30", 30).moved(0, 29, 0.1)),
        (zipf("10 % to the last of 3", 3), zipf("10 % to the last of 3", 3).moved(0, 2, 0.1)),
        (categories("10 % of two halves", [1.0, 1.0]), categories("10 % of two halves", [1.0, 1.0]).moved(0, 1, 0.1)),
        (bell("none to 40 % missing"), bell("none to 40 % missing").missing(0.4)),
    ]
}

const DAYS: [f64; 7] = [1.0, 1.0, 1.0, 1.0, 1.2, 0.7, 0.5];

/// Columns of all the shapes that a test may meet.
pub fn shapes() -> Vec<Shape> {
    vec![
        numbers("normal", normal),
        numbers("lognormal, in cents", |share| cents(10.0 * normal(share).exp())),
        numbers("40 % zeros, else lognormal, in cents", |share| {
            if share < 0.4 { 0.0 } else { cents(10.0 * normal((share - 0.4) / 0.6).exp()) }
        }),
        numbers("13 integers", |share| (6.5 + 2.0 * normal(share)).floor().clamp(0.0, 12.0)),
        categories("2 categories, 9 to 1", [9.0, 1.0]),
        zipf("3 categories", 3),
        zipf("30 categories", 30),
        zipf("300 categories", 300),
    ]
}

/// Sixteen features, ten of them numbers, as a table of customers and orders has them.
pub fn table() -> Vec<Shape> {
    let exponential = |share: f64| -(1.0 - share).ln();
    vec![
        numbers("normal", normal),
        numbers("uniform", |share| share),
        numbers("lognormal, in cents", |share| cents(10.0 * normal(share).exp())),
        numbers("exponential, in whole minutes", move |share| (20.0 * exponential(share)).floor()),
        numbers("40 % zeros, else lognormal, in cents", |share| {
            if share < 0.4 { 0.0 } else { cents(10.0 * normal((share - 0.4) / 0.6).exp()) }
        }),
        numbers("13 integers", |share| (6.5 + 2.0 * normal(share)).floor().clamp(0.0, 12.0)),
        numbers("two humps", |share| if share < 0.3 { normal(share / 0.3) } else { 6.0 + normal((share - 0.3) / 0.7) }),
        numbers("heavy tail", |share| (1.5 * normal(share)).exp()),
        numbers("age, in years", |share| (45.0 + 15.0 * normal(share)).floor().clamp(18.0, 99.0)),
        numbers("normal, 5 % missing", normal).missing(0.05),
        categories("2 categories, 9 to 1", [9.0, 1.0]),
        categories("2 categories, even", [1.0, 1.0]),
        zipf("3 categories", 3),
        categories("7 days", DAYS),
        zipf("30 categories", 30),
        zipf("300 categories", 300),
    ]
}
