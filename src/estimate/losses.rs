//! Direct loss estimation: how large the error of a regression's row probably is, learnt from the reference by gradient boosting.
//!
//! One model learns the absolute error of a row from its features and its prediction, another the squared error; a window's estimated
//! MAE is the mean of the first, its RMSE the root of the mean of the second, where negative estimates are 0. As in LightGBM: a
//! hundred trees of at most 31 leaves with at least 20 rows, grown from the leaf that gains most, each worth a tenth. Categories are numbers: their own
//! value where all are numbers, else in the order of their text; a missing or unseen value takes a way of its own at each split. There is no randomness in it, nor in the number of threads.
//!
//! Source: NannyML's direct loss estimation (DLE). This file knows values row by row; the only one that names the boosting crate.

use std::collections::HashMap;

use arrow::array::AsArray;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::objective::ObjectiveType;
use forust_ml::{GradientBooster, Matrix};

use crate::batch::{Column, canonical};

const TREES: usize = 100;
const LEAVES_MAX: usize = 31;
const SHARE: f32 = 0.1;
const LEAF_ROWS_MIN: f32 = 20.0;

/// Rows below which nothing is learnt.
pub const ROWS_MIN: usize = 200;

/// How a column becomes a number; NaN where it is missing, infinite or unseen.
#[derive(Debug)]
pub enum Code {
    Number,
    /// By canonical text.
    Category(HashMap<String, f64>),
}

impl Code {
    /// `names`: canonical texts.
    pub fn categories(names: impl Iterator<Item = String>) -> Code {
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        let values: Option<Vec<f64>> =
            names.iter().map(|name| name.parse().ok().filter(|v: &f64| v.is_finite())).collect();
        let values = values.unwrap_or_else(|| (0..names.len()).map(|rank| rank as f64).collect());
        Code::Category(names.into_iter().zip(values).collect())
    }

    pub fn number(value: f64) -> f64 {
        if value.is_finite() { value } else { f64::NAN }
    }

    pub fn category(codes: &HashMap<String, f64>, text: &str) -> f64 {
        codes.get(canonical(text).as_ref()).copied().unwrap_or(f64::NAN)
    }

    /// Appends one number for each row of a batch.
    pub fn extend(&self, column: &Column, rows: usize, out: &mut Vec<f64>) {
        match (self, column) {
            (Code::Number, Column::Numbers(values)) => {
                out.extend(values.iter().map(|value| value.map_or(f64::NAN, Code::number)))
            }
            (Code::Category(codes), Column::Keys(keys)) => {
                let texts = keys.values().as_string::<i32>();
                let known: Vec<f64> =
                    texts.iter().map(|text| text.map_or(f64::NAN, |text| Code::category(codes, text))).collect();
                out.extend(keys.keys().iter().map(|key| key.map_or(f64::NAN, |key| known[key as usize])));
            }
            _ => out.resize(out.len() + rows, f64::NAN),
        }
        debug_assert_eq!(out.len() % rows.max(1), 0);
    }
}

/// What estimates the errors of rows.
#[derive(Debug)]
pub struct Losses {
    /// Of the given columns, those that vary: the others tell nothing.
    used: Vec<usize>,
    absolute: Trees,
    squared: Trees,
}

impl Losses {
    /// `columns`: of numbers, the features' and then the prediction's; `errors`: prediction - truth, finite, one for each row.
    pub fn learn(columns: &[Vec<f64>], errors: &[f64]) -> Result<Losses, String> {
        if errors.len() < ROWS_MIN {
            return Err(format!(
                "the reference has {} rows with prediction and label, at least {ROWS_MIN} are needed",
                errors.len()
            ));
        }
        let used: Vec<usize> = (0..columns.len()).filter(|at| varies(&columns[*at])).collect();
        let values: Vec<f64> = used.iter().flat_map(|at| &columns[*at]).copied().collect();
        let learn = |loss: fn(f64) -> f64| {
            let losses: Vec<f64> = errors.iter().map(|error| loss(*error)).collect();
            Trees::learn(&values, used.len(), &losses)
        };
        Ok(Losses { absolute: learn(f64::abs)?, squared: learn(|error| error * error)?, used })
    }

    /// The estimated absolute and squared error of each row. `values`: column by column, as they were learnt from.
    pub fn of(&self, values: &[f64], rows: usize) -> Vec<[f64; 2]> {
        let columns: Vec<&[f64]> = self.used.iter().map(|at| &values[at * rows..(at + 1) * rows]).collect();
        let (absolute, squared) = (self.absolute.of(&columns, rows), self.squared.of(&columns, rows));
        absolute.into_iter().zip(squared).map(|(a, b)| [a.max(0.0), b.max(0.0)]).collect()
    }
}

fn varies(values: &[f64]) -> bool {
    let mut numbers = values.iter().filter(|value| !value.is_nan());
    let first = numbers.next();
    numbers.any(|value| Some(value) != first)
}

/// Trees whose leaves add up.
#[derive(Debug)]
struct Trees {
    base: f64,
    nodes: Vec<Node>,
    /// The first node of each tree.
    roots: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Of a leaf, what it adds.
    split: f64,
    feature: u32,
    below: u32,
    above: u32,
    /// Where a row without a value goes; a leaf's own number.
    missing: u32,
}

impl Trees {
    fn learn(values: &[f64], columns: usize, losses: &[f64]) -> Result<Trees, String> {
        let base = losses.iter().sum::<f64>() / losses.len() as f64;
        let mut trees = Trees { base, nodes: Vec::new(), roots: Vec::new() };
        if columns == 0 {
            return Ok(trees);
        }
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(TREES)
            .set_learning_rate(SHARE)
            .set_max_leaves(LEAVES_MAX)
            .set_max_depth(LEAVES_MAX)
            .set_min_leaf_weight(LEAF_ROWS_MIN)
            .set_l2(0.0)
            .set_base_score(base)
            .set_initialize_base_score(false)
            .set_parallel(false);
        booster.grow_policy = GrowPolicy::LossGuide;
        let fitted = booster.fit_unweighted(&Matrix::new(values, losses.len(), columns), losses, None);
        fitted.map_err(|error| error.to_string())?;
        for tree in &booster.trees {
            let start = trees.nodes.len() as u32;
            let at = |child: usize| start + child as u32;
            trees.roots.push(start);
            trees.nodes.extend(tree.nodes.iter().enumerate().map(|(own, node)| match node.is_leaf {
                true => Node { split: f64::from(node.weight_value), feature: 0, below: 0, above: 0, missing: at(own) },
                false => Node {
                    split: node.split_value,
                    feature: node.split_feature as u32,
                    below: at(node.left_child),
                    above: at(node.right_child),
                    missing: at(node.missing_node),
                },
            }));
        }
        Ok(trees)
    }

    fn of(&self, columns: &[&[f64]], rows: usize) -> Vec<f64> {
        let mut sums = vec![self.base; rows];
        for &root in &self.roots {
            for (row, sum) in sums.iter_mut().enumerate() {
                let mut at = root;
                *sum += loop {
                    let node = &self.nodes[at as usize];
                    if node.missing == at {
                        break node.split;
                    }
                    let value = columns[node.feature as usize][row];
                    at = match value.is_nan() {
                        true => node.missing,
                        false if value < node.split => node.below,
                        false => node.above,
                    };
                };
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors that hang on the first column alone: 1 below 50, 3 from there on; and 2 where it is missing.
    fn columns() -> (Vec<Vec<f64>>, Vec<f64>) {
        let first: Vec<f64> = (0..1000).map(|i| if i % 10 == 9 { f64::NAN } else { f64::from(i * 37 % 100) }).collect();
        let errors = first.iter().enumerate().map(|(i, value)| {
            let size = if value.is_nan() {
                2.0
            } else if *value < 50.0 {
                1.0
            } else {
                3.0
            };
            if i % 2 == 0 { size } else { -size }
        });
        let errors = errors.collect();
        (vec![first, vec![7.0; 1000], (0..1000).map(|i| f64::from(i * 7 % 13)).collect()], errors)
    }

    #[test]
    fn errors_are_learnt_where_they_hang_on_features() {
        let (columns, errors) = columns();
        let losses = Losses::learn(&columns, &errors).expect("there are rows");
        assert_eq!(losses.used, [0, 2], "a constant tells nothing");
        let rows = [10.0, 90.0, f64::NAN];
        let values: Vec<f64> = rows.into_iter().chain([7.0; 3]).chain([3.0; 3]).collect();
        for (found, size) in losses.of(&values, 3).iter().zip([1.0, 3.0, 2.0]) {
            assert!((found[0] - size).abs() < 0.01 && (found[1] - size * size).abs() < 0.03, "{found:?}, not {size}");
        }
    }

    #[test]
    fn the_same_rows_teach_the_same() {
        let (columns, errors) = columns();
        let values: Vec<f64> = columns.concat();
        let learnt = || Losses::learn(&columns, &errors).expect("there are rows").of(&values, 1000);
        assert_eq!(learnt(), learnt());
    }

    #[test]
    fn without_features_the_estimate_is_the_mean() {
        let errors: Vec<f64> = (0..300).map(|i| f64::from(i % 3) - 1.0).collect();
        let losses = Losses::learn(&[vec![f64::NAN; 300]], &errors).expect("there are rows");
        assert_eq!(losses.of(&[5.0], 1), [[200.0 / 300.0; 2]]);
        assert!(Losses::learn(&[], &errors[..199]).unwrap_err().contains("199 rows"));
    }
}
