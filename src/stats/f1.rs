//! F1, precision, recall and accuracy from a confusion table, as scikit-learn with `zero_division=0`.
//!
//! Per class F1 = 2 TP / (2 TP + FP + FN), 0 where the denominator is. All numbers 0 to 1. The standard error of F1 is the
//! delta method over multinomial counts of the table's cells; it is 0 where F1 does not depend on any cell.

/// How the classes' F1 become one: weighted by their true rows, as a plain mean, from summed counts, or of the positive class alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    Weighted,
    Macro,
    Micro,
    Binary,
}

/// One cell of a confusion table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub predicted: u32,
    pub actual: u32,
    pub rows: u64,
}

/// One class against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCounts {
    pub class: u32,
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
}

impl ClassCounts {
    fn predicted(&self) -> f64 {
        (self.true_positive + self.false_positive) as f64
    }

    fn actual(&self) -> f64 {
        (self.true_positive + self.false_negative) as f64
    }

    fn f1(&self) -> f64 {
        share(
            2.0 * self.true_positive as f64,
            self.predicted() + self.actual(),
        )
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub rows: u64,
    pub f1: f64,
    pub f1_standard_error: f64,
    pub precision: f64,
    pub recall: f64,
    pub accuracy: f64,
    /// Every class that was predicted or true, ascending.
    pub classes: Vec<ClassCounts>,
}

/// `None` without rows. `cells` in any order, each pair at most once. `positive` is used by `Average::Binary` alone.
pub fn scores(cells: &[Cell], average: Average, positive: u32) -> Option<Scores> {
    let rows: u64 = cells.iter().map(|cell| cell.rows).sum();
    if rows == 0 {
        return None;
    }
    let classes = count_classes(cells);
    let all = rows as f64;
    let accuracy = classes.iter().map(|class| class.true_positive).sum::<u64>() as f64 / all;
    let mean = |of: &dyn Fn(&ClassCounts) -> f64| match average {
        Average::Micro => accuracy,
        Average::Macro => classes.iter().map(of).sum::<f64>() / classes.len() as f64,
        Average::Weighted => classes
            .iter()
            .map(|class| class.actual() / all * of(class))
            .sum(),
        Average::Binary => classes
            .iter()
            .find(|class| class.class == positive)
            .map_or(0.0, of),
    };
    let f1 = mean(&ClassCounts::f1);
    Some(Scores {
        rows,
        f1,
        f1_standard_error: standard_error(cells, &classes, average, positive, all),
        precision: mean(&|class| share(class.true_positive as f64, class.predicted())),
        recall: mean(&|class| share(class.true_positive as f64, class.actual())),
        accuracy,
        classes,
    })
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn count_classes(cells: &[Cell]) -> Vec<ClassCounts> {
    let mut names: Vec<u32> = cells
        .iter()
        .filter(|cell| cell.rows > 0)
        .flat_map(|cell| [cell.predicted, cell.actual])
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut classes: Vec<ClassCounts> = names
        .iter()
        .map(|&class| ClassCounts {
            class,
            true_positive: 0,
            false_positive: 0,
            false_negative: 0,
        })
        .collect();
    for cell in cells.iter().filter(|cell| cell.rows > 0) {
        let (predicted, actual) = (
            position(&names, cell.predicted),
            position(&names, cell.actual),
        );
        if predicted == actual {
            classes[predicted].true_positive += cell.rows;
        } else {
            classes[predicted].false_positive += cell.rows;
            classes[actual].false_negative += cell.rows;
        }
    }
    classes
}

fn position(names: &[u32], class: u32) -> usize {
    names
        .binary_search(&class)
        .expect("every class of a cell was listed")
}

/// F1 is a function of the cells' shares; each class adds a weight w(class) times f = 2 t / (predicted + actual), where a
/// cell moves t, predicted or actual of its two classes. The variance is that of the gradient over the cells, by rows.
fn standard_error(
    cells: &[Cell],
    classes: &[ClassCounts],
    average: Average,
    positive: u32,
    rows: f64,
) -> f64 {
    let names: Vec<u32> = classes.iter().map(|class| class.class).collect();
    let count = classes.len() as f64;
    // Per class: what one more true row, one more predicted row and one more hit add to the average, times rows.
    let gradients: Vec<(f64, f64, f64)> = classes
        .iter()
        .map(|class| {
            let sum = (class.predicted() + class.actual()) / rows;
            let f1 = class.f1();
            let (weight, by_weight) = match average {
                Average::Micro => return (0.0, 0.0, 1.0),
                Average::Macro => (1.0 / count, 0.0),
                Average::Weighted => (class.actual() / rows, f1),
                Average::Binary => (f64::from(u8::from(class.class == positive)), 0.0),
            };
            let by_size = -weight * f1 / sum;
            (by_size + by_weight, by_size, weight * 2.0 / sum)
        })
        .collect();
    let (mut mean, mut square) = (0.0, 0.0);
    for cell in cells.iter().filter(|cell| cell.rows > 0) {
        let (predicted, actual) = (
            position(&names, cell.predicted),
            position(&names, cell.actual),
        );
        let hit = if predicted == actual {
            gradients[actual].2
        } else {
            0.0
        };
        let gradient = gradients[actual].0 + gradients[predicted].1 + hit;
        let share = cell.rows as f64 / rows;
        mean += share * gradient;
        square += share * gradient * gradient;
    }
    ((square - mean * mean).max(0.0) / rows).sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Two classes, 60 and 40 rows: 50 and 25 hits.
    const TABLE: [Cell; 4] = [
        Cell {
            predicted: 0,
            actual: 0,
            rows: 50,
        },
        Cell {
            predicted: 1,
            actual: 0,
            rows: 10,
        },
        Cell {
            predicted: 0,
            actual: 1,
            rows: 15,
        },
        Cell {
            predicted: 1,
            actual: 1,
            rows: 25,
        },
    ];

    #[test]
    fn averages_are_scikit_learns() {
        // y = [0]*60 + [1]*40; p = [0]*50 + [1]*10 + [0]*15 + [1]*25; sklearn.metrics.f1_score(y, p, average=...)
        for (average, expected) in [
            (Average::Weighted, 0.7466666666666667),
            (Average::Macro, 0.7333333333333334),
            (Average::Micro, 0.75),
            (Average::Binary, 0.6666666666666666),
        ] {
            let found = scores(&TABLE, average, 1).unwrap();
            assert!(
                (found.f1 - expected).abs() < 1e-12,
                "{average:?} {}",
                found.f1
            );
            assert_eq!(found.accuracy, 0.75);
        }
    }

    #[test]
    fn a_class_that_is_only_predicted_counts_as_scikit_learn_counts_it() {
        let table = [
            Cell {
                predicted: 0,
                actual: 0,
                rows: 3,
            },
            Cell {
                predicted: 2,
                actual: 0,
                rows: 1,
            },
        ];
        // f1_score([0, 0, 0, 0], [0, 0, 0, 2], average="macro", zero_division=0)
        assert!(
            (scores(&table, Average::Macro, 0).unwrap().f1 - 0.42857142857142855).abs() < 1e-12
        );
    }

    #[test]
    fn no_rows_no_number() {
        assert_eq!(scores(&[], Average::Macro, 0), None);
    }

    #[test]
    fn the_standard_error_covers_the_truth_as_often_as_it_says() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(7);
        let shares = [[0.30, 0.04, 0.03], [0.06, 0.22, 0.02], [0.03, 0.05, 0.25]];
        let table = |counts: &[[u64; 3]; 3]| -> Vec<Cell> {
            let cell = |i: usize| Cell {
                predicted: (i % 3) as u32,
                actual: (i / 3) as u32,
                rows: counts[i / 3][i % 3],
            };
            (0..9).map(cell).collect()
        };
        for average in [
            Average::Weighted,
            Average::Macro,
            Average::Micro,
            Average::Binary,
        ] {
            let truth = scores(
                &table(&shares.map(|row| row.map(|share| (share * 1e6) as u64))),
                average,
                1,
            )
            .unwrap()
            .f1;
            let windows = 2000;
            let covered = (0..windows)
                .filter(|_| {
                    let mut counts = [[0; 3]; 3];
                    for _ in 0..500 {
                        let mut left: f64 = random.random();
                        let cell = (0..9)
                            .find(|i| {
                                left -= shares[i / 3][i % 3];
                                left < 0.0
                            })
                            .unwrap_or(8);
                        counts[cell / 3][cell % 3] += 1;
                    }
                    let found = scores(&table(&counts), average, 1).unwrap();
                    (found.f1 - truth).abs() <= 1.96 * found.f1_standard_error
                })
                .count();
            let share = covered as f64 / f64::from(windows);
            assert!((0.93..=0.97).contains(&share), "{average:?} covers {share}");
        }
    }
}
