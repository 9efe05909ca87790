//! Reconstruction error: whether the columns still depend on each other as they did.
//!
//! Columns are standardised by the reference (missing numbers become its mean, missing categories its most frequent one; a category
//! becomes its share of the reference's rows, an unseen one 0), then projected on the first principal components that hold 65 % of the variance
//! and back. A row's error is the Euclidean distance between it and what comes back: small while the
//! columns move together as in the reference. NannyML's `DataReconstructionDriftCalculator`: `CountEncoder(normalize=True)`,
//! `StandardScaler()`, `PCA(n_components=0.65)`.
//!
//! The score is the distance of the two mean errors in standard deviations that chance gives it:
//! |mean(e_C) - mean(e_R)| / (std(e_R) sqrt(1/n + 1/m)), 0 and up. NannyML's verdict, outside mean +- 3 std over chunks of the
//! reference, is a score of 3: the mean of a chunk of m rows has std(e_R) / sqrt(m), and 1/n is the reference's own.
//! The components come from one half of the reference's rows and e_R from the other (n rows), since rows that
//! made the components fit them better than any others do. A window that has some of those rows, or is the reference itself, errs less
//! by a part of what they do: so much less counts for nothing. p-value and noise level come from 199 deals of the labels
//! of the errors (`permutation`), exact however long their tail is.
//! Infinities count as missing. Not defined with fewer than two columns that vary or more than 300 columns, or fewer than 20 rows in the
//! reference.
//!
//! This file knows rows of plain values; no columns' names, windows or thresholds in force.

use std::collections::BTreeMap;

use super::draw::Draw;
use super::permutation::{Labels, mean_differences};
use super::rows::moments;
use super::{Limit, Method, NO_CURRENT, NO_SAMPLE, Outcome, Samples, Sides, Table, Undefined, Value, eigen};

pub const METHOD: Method = Method {
    name: "reconstruction",
    numerical: false,
    categorical: false,
    text: false,
    embedding: false,
    several: true,
    has_p_value: true,
    limit: Limit::Score(3.0),
    about: "how far the mean PCA reconstruction error moved, in standard deviations of chance, 0 and up",
    test,
    noise: None,
};

fn test(sides: &Sides) -> Result<Outcome, Undefined> {
    match sides.samples {
        Some(Samples::Rows([reference, current])) => drift(reference, current),
        _ => Err(NO_SAMPLE),
    }
}

/// Of the variance, that the components keep.
const KEPT: f64 = 0.65;
/// Time grows with the cube of it: about a second.
const COLUMNS_MAX: usize = 300;
/// Rows too few for a standard deviation worth the name.
const ROWS_MIN: usize = 20;
/// Standard deviations of the error below which rows are reconstructed exactly, but for rounding.
const STD_MIN: f64 = 1e-6;
const SEED: u128 = 0xA3EC_647B_D192_ED03_9E37_79B9_7F4A_7C15;

/// The score of the window beside the reference; both tables have the same columns.
pub fn drift(reference: Table, current: Table) -> Result<Outcome, Undefined> {
    if reference.rows() < ROWS_MIN {
        return Err("the reference has fewer than 20 rows");
    }
    if reference.columns > COLUMNS_MAX {
        return Err("there are more than 300 columns");
    }
    if current.rows() == 0 {
        return Err(NO_CURRENT);
    }
    let mut order: Vec<usize> = (0..reference.rows()).collect();
    Draw::new(SEED).shuffle(&mut order);
    let (fitted, held_out) = order.split_at(order.len() / 2);
    let [fitted, held_out] = [fitted, held_out].map(|rows| reference.pick(rows));
    let [fitted, held_out] = [&fitted, &held_out].map(|values| Table { values, columns: reference.columns });
    let components = Components::fit(fitted)?;
    let mut errors = components.errors(held_out);
    let (n, m) = (errors.len(), current.rows());
    let std = moments(errors.iter().copied()).std();
    errors.extend(components.errors(current));
    let chance = std.max(STD_MIN) * (1.0 / n as f64 + 1.0 / m as f64).sqrt();
    let mean = |errors: &[f64]| moments(errors.iter().copied()).mean;
    let better = (mean(&errors) - mean(&components.errors(fitted))).max(0.0);
    let mut scores = mean_differences(&Labels::new(n, m), &errors, n, m);
    for score in &mut scores.0 {
        *score = (-*score).max(*score - better).max(0.0) / chance;
    }
    Ok(Outcome { score: scores.0[0], p_value: Some(scores.p_value()), noise: Some(scores.noise()) })
}

/// What the columns of a reference have in common.
#[derive(Debug)]
pub struct Components {
    columns: Vec<Column>,
    /// Unit vectors, the one of most variance first.
    axes: Vec<Vec<f64>>,
}

impl Components {
    pub fn fit(reference: Table) -> Result<Self, Undefined> {
        let mut columns: Vec<Column> = (0..reference.columns).map(|at| Column::fit(reference.column(at))).collect();
        for (at, column) in columns.iter_mut().enumerate() {
            let moments = moments(reference.column(at).map(|value| column.number(value)));
            (column.mean, column.std) = (moments.mean, moments.std());
            // Equal values but for rounding, as scikit-learn draws the line.
            if column.std <= 10.0 * f64::EPSILON * column.mean.abs() {
                column.std = 0.0;
            }
        }
        if columns.iter().filter(|column| column.std > 0.0).count() < 2 {
            return Err("fewer than two columns vary in the reference");
        }
        let mut found = Components { columns, axes: Vec::new() };
        let variances = eigen::symmetric(&found.covariance(reference), reference.columns);
        let all: f64 = variances.iter().map(|(variance, _)| variance).sum();
        let mut kept = 0.0;
        for (variance, axis) in variances {
            found.axes.push(axis);
            kept += variance / all;
            if kept > KEPT {
                break;
            }
        }
        Ok(found)
    }

    /// Of the standardised columns, whose means are 0; row by row.
    fn covariance(&self, reference: Table) -> Vec<f64> {
        let columns = reference.columns;
        let mut sums = vec![0.0; columns * columns];
        for row in self.standardised(reference) {
            for (x, sums) in row.iter().zip(sums.chunks_exact_mut(columns)) {
                sums.iter_mut().zip(&row).for_each(|(sum, y)| *sum += x * y);
            }
        }
        let rows = reference.rows() as f64;
        sums.iter_mut().for_each(|sum| *sum /= rows);
        sums
    }

    fn standardised(&self, table: Table) -> impl Iterator<Item = Vec<f64>> {
        table
            .values
            .chunks_exact(table.columns)
            .map(|row| row.iter().zip(&self.columns).map(|(value, column)| column.standardised(*value)).collect())
    }

    /// The error of each row.
    pub fn errors(&self, table: Table) -> Vec<f64> {
        let error = |mut row: Vec<f64>| {
            for axis in &self.axes {
                let along: f64 = row.iter().zip(axis).map(|(x, axis)| x * axis).sum();
                row.iter_mut().zip(axis).for_each(|(x, axis)| *x -= along * axis);
            }
            row.iter().map(|x| x * x).sum::<f64>().sqrt()
        };
        self.standardised(table).map(error).collect()
    }
}

/// How a column's values become numbers, and their mean and standard deviation.
#[derive(Debug)]
struct Column {
    /// In place of a missing value.
    missing: f64,
    /// The share of rows of each category.
    shares: BTreeMap<u32, f64>,
    mean: f64,
    std: f64,
}

impl Column {
    fn fit(values: impl Iterator<Item = Value>) -> Self {
        let (mut numbers, mut rows, mut counts) = (Vec::new(), 0.0, BTreeMap::new());
        for value in values {
            rows += 1.0;
            match value {
                Value::Number(x) if x.is_finite() => numbers.push(x),
                Value::Category(code) => *counts.entry(code).or_insert(0.0) += 1.0,
                _ => {}
            }
        }
        let mut missing = moments(numbers.into_iter()).mean;
        let present: f64 = counts.values().sum();
        let most = counts.iter().fold(None, |most, (code, count)| match most {
            Some((_, highest)) if highest >= *count => most,
            _ => Some((*code, *count)),
        });
        if let Some((code, _)) = most {
            *counts.entry(code).or_default() += rows - present;
            missing = counts[&code] / rows;
        }
        counts.values_mut().for_each(|count| *count /= rows);
        Column { missing, shares: counts, mean: 0.0, std: 0.0 }
    }

    fn number(&self, value: Value) -> f64 {
        match value {
            Value::Number(x) if x.is_finite() => x,
            Value::Category(code) => self.shares.get(&code).copied().unwrap_or(0.0),
            _ => self.missing,
        }
    }

    /// 0 for a column that does not vary in the reference... but for the way that it has gone since.
    fn standardised(&self, value: Value) -> f64 {
        let apart = self.number(value) - self.mean;
        if self.std > 0.0 { apart / self.std } else { apart }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[Value]) -> Table<'_> {
        Table { values, columns: 2 }
    }

    #[test]
    fn two_equal_columns_are_told_from_two_that_are_not() {
        let equal: Vec<Value> = (0..60).flat_map(|i| [Value::Number(f64::from(i)); 2]).collect();
        let turned: Vec<Value> = (0..60).flat_map(|i| [i, 59 - i].map(|x| Value::Number(f64::from(x)))).collect();
        let found = drift(table(&equal), table(&turned)).expect("there are rows");
        assert!(found.score > 1e3 && found.score.is_finite() && found.p_value == Some(0.005), "{found:?}");
        let found = drift(table(&equal), table(&equal)).expect("there are rows");
        assert!(found.score < 1e-6, "rounding is no drift: {found:?}");
    }

    #[test]
    fn the_reference_itself_is_no_drift_however_many_its_columns() {
        let mut draw = Draw::new(8);
        for columns in [10, 60] {
            let values: Vec<Value> = (0..200 * columns).map(|_| Value::Number(draw.normal())).collect();
            let itself = Table { values: &values, columns };
            let found = drift(itself, itself).expect("there are rows");
            assert!(found.score < 1e-6 && found.p_value == Some(1.0), "{columns} columns: {found:?}");
        }
    }

    #[test]
    fn few_rows_or_columns_that_do_not_vary_are_not_defined() {
        let wide: Vec<Value> = (0..30 * 301).map(|i| Value::Number(f64::from(i % 97))).collect();
        let wide = Table { values: &wide, columns: 301 };
        assert!(drift(wide, wide).is_err(), "301 columns");
        let mut values: Vec<Value> = (0..40).flat_map(|i| [Value::Number(f64::from(i)), Value::Number(0.1)]).collect();
        assert!(drift(table(&values), table(&values)).is_err(), "one column");
        values.iter_mut().skip(1).step_by(4).for_each(|value| *value = Value::Category(3));
        assert!(drift(table(&values), table(&values)).is_ok());
        assert!(drift(table(&values[..38]), table(&values)).is_err(), "19 rows");
        assert!(drift(table(&values), table(&[])).is_err());
        let missing = vec![Value::Missing; 80];
        assert!(drift(table(&missing), table(&values)).is_err());
        assert!(drift(table(&values), table(&missing)).is_ok_and(|found| found.score.is_finite()));
    }

    #[test]
    fn a_missing_category_is_the_most_frequent_one_and_an_unseen_one_has_no_share() {
        let values = [Value::Category(4), Value::Category(4), Value::Category(2), Value::Missing];
        let column = Column::fit(values.into_iter());
        assert_eq!(values.map(|value| column.number(value)), [0.75, 0.75, 0.25, 0.75]);
        assert_eq!(column.number(Value::Category(9)), 0.0);
        let column = Column::fit([Value::Number(1.0), Value::Number(f64::NAN), Value::Number(3.0)].into_iter());
        assert_eq!(column.number(Value::Missing), 2.0);
        assert_eq!(column.number(Value::Number(f64::INFINITY)), 2.0);
    }
}
