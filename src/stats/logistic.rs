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

    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_are_those_of_scikit_learn() {
        let table =
            [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [1.0, 1.0, 0.0], [0.5, 0.0, -1.0], [0.0, -1.0, 1.0], [2.0, 0.0, 0.0]];
        let mut rows = SparseRows::default();
        for row in table {
            rows.push((0..).zip(row).filter(|(_, x)| *x != 0.0));
        }
        let labelled: Vec<(usize, f64)> = (0..).zip([1.0, -1.0, 1.0, -1.0, -1.0, 1.0]).collect();
        // LogisticRegression(solver="liblinear", C=C, tol=1e-12).fit(X, y).decision_function(X)
        let of_1 = [0.509757110148, -0.135995741890, 0.700394380987, -0.046202692951, -0.556631638329, 1.346147233025];
        let of_10 = [1.349014870713, -1.112569574882, 1.559914591823, -1.245980537759, -1.894012824278, 4.021499037418];
        for (cost, expected) in [(1.0, of_1), (10.0, of_10)] {
            let model = train(&rows, &labelled, cost, 10_000);
            for (row, expected) in expected.into_iter().enumerate() {
                let found = model.log_odds(&rows, row);
                assert!((found - expected).abs() < 1e-5, "C {cost}, row {row}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn rows_without_features_or_labels_teach_nothing() {
        let mut rows = SparseRows::default();
        rows.push([]);
        rows.push([]);
        let model = train(&rows, &[(0, 1.0), (1, -1.0)], 1.0, 100);
        assert!(model.log_odds(&rows, 0).abs() < 1e-6);
        assert_eq!(train(&rows, &[], 1.0, 100).log_odds(&rows, 1), 0.0);
    }

    #[test]
    fn the_best_share_solves_its_equation_however_large_the_numbers() {
        for a in [1e-3, 1.0, 20.0, 1e4] {
            for margin in [-1e3, -3.0, 0.0, 0.5, 1e3] {
                for now in [0.0, 0.3, 1.0] {
                    let share = best_share(a, margin, now);
                    let excess = a * (share - now) + margin;
                    let found = 1.0 / (1.0 + excess.exp());
                    assert!((found - share).abs() < 1e-6 * (1.0 + a), "{a} {margin} {now}: {share} {found}");
                }
            }
        }
    }
}
