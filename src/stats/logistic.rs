//! Logistic regression of two classes on sparse rows, by coordinate descent in the dual.
//!
//! Minimises |w|^2 / 2 + C sum ln(1 + exp(-y (w x))) over the rows with labels y of 1 or -1; every x has a further feature of
//! 1, whose weight is the intercept: `sklearn.linear_model.LogisticRegression(solver="liblinear", C=C)`. The dual has one number a
//! row, its share of C, and takes them one after the other to their optimum, so that there is no step size, and every epoch ends nearer to the
//! one optimum. It starts from nothing and takes the rows of each epoch in a seeded order.
//!
//! Source: Yu, Huang and Lin (2011), "Dual coordinate descent methods for logistic regression and maximum entropy models".
//! This file knows rows and labels; no sides and no scores.

use super::draw::Draw;

/// Rows of few features each: where they end, and number and value of each feature.
#[derive(Debug, Default)]
pub(super) struct SparseRows {
    ends: Vec<usize>,
    features: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (feature, value) in row {
            self.features.push(feature);
            self.values.push(value);
        }
        self.ends.push(self.features.len());
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        let range = start..self.ends[row];
        self.features[range.clone()].iter().zip(&self.values[range]).map(|(&f, &v)| (f as usize, f64::from(v)))
    }

    fn width(&self) -> usize {
        self.features.iter().max().map_or(0, |most| *most as usize + 1)
    }
}

/// What was learnt.
pub(super) struct Model {
    weights: Vec<f64>,
    intercept: f64,
}

impl Model {
    /// The logarithm of the odds that a row is of the class of 1.
    pub(super) fn log_odds(&self, rows: &SparseRows, row: usize) -> f64 {
        rows.row(row).map(|(feature, value)| self.weights[feature] * value).sum::<f64>() + self.intercept
    }

    fn add(&mut self, rows: &SparseRows, row: usize, amount: f64) {
        self.intercept += amount;
        rows.row(row).for_each(|(feature, value)| self.weights[feature] += amount * value);
    }
}

/// Learns from rows with their labels, 1 or -1; `cost` is C, above 0.
pub(super) fn train(rows: &SparseRows, labelled: &[(usize, f64)], cost: f64, epochs: usize) -> Model {
    /// Changes of the log odds that no order of rows notices.
    const SMALL: f64 = 1e-6;
    let mut model = Model { weights: vec![0.0; rows.width()], intercept: 0.0 };
    let mut steps: Vec<Dual> = labelled
        .iter()
        .map(|&(row, label)| Dual {
            row,
            label,
            square: rows.row(row).map(|(_, v)| v * v).sum::<f64>() + 1.0,
            share: 0.0,
        })
        .collect();
    let mut draw = Draw::new(labelled.len() as u128);
    for _ in 0..epochs {
        draw.shuffle(&mut steps);
        let mut most: f64 = 0.0;
        for Dual { row, label, square, share } in &mut steps {
            let margin = *label * model.log_odds(rows, *row);
            let better = best_share(*square * cost, margin, *share);
            let change = better - *share;
            *share = better;
            model.add(rows, *row, *label * cost * change);
            most = most.max((*square * cost * change).abs());
        }
        if most < SMALL {
            break;
        }
    }
    model
}

/// One row's number in the dual.
struct Dual {
    row: usize,
    label: f64,
    /// |x|^2
    square: f64,
    /// Of C: 0 to 1.
    share: f64,
}

/// The share at which the row's own optimum lies: the logistic function of u, where u + a (share(u) - now) + margin = 0.
/// By Newton's method, kept between the ends that the equation allows.
fn best_share(a: f64, margin: f64, now: f64) -> f64 {
    const STEPS_MAX: usize = 30;
    let target = a * now - margin;
    let (mut low, mut high) = (target - a, target);
    let mut u = (low + high) / 2.0;
    let logistic = |u: f64| 1.0 / (1.0 + (-u).exp());
    for _ in 0..STEPS_MAX {
        let share = logistic(u);
        let excess = u + a * share - target;
        if excess > 0.0 {
            high = u
        } else {
            low = u
        }
        let next = u - excess / (1.0 + a * share * (1.0 - share));
        let next = if (low..=high).contains(&next) { next } else { (low + high) / 2.0 };
        let small = (next - u).abs() < 1e-9;
        u = next;
        if small {
            break;
        }
    }
    logistic(u)
}
