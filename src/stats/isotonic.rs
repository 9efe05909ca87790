//! Isotonic regression: of all functions that never fall, the one nearest to weighted points in mean squares.
//!
//! Pool adjacent violators: points ascend by x (those of one x are their weighted mean); neighbours whose values fall are pooled to
//! their weighted mean until none do. Between the kept points it is linear, outside them constant: a pool keeps its first and its
//! last point. So it is in the range of the values, and the order of the points makes no difference but in rounding. Points without
//! weight are left out; without points it is not defined.
//!
//! Source: `sklearn.isotonic.IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w).predict(...)`.
//! This file knows points; no scores and no labels.

/// A function that never falls.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    /// Ascending and distinct; at least one.
    x: Vec<f64>,
    /// Ascending, one for each x.
    y: Vec<f64>,
}

/// Points with one value.
struct Pool {
    first: f64,
    last: f64,
    weight: f64,
    sum: f64,
}

impl Pool {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }

    fn take(&mut self, next: &Pool) {
        self.last = next.last;
        self.weight += next.weight;
        self.sum += next.sum;
    }
}

impl Isotonic {
    /// Finite points (x, y, weight), ascending by x.
    pub fn fit(ascending: impl IntoIterator<Item = (f64, f64, f64)>) -> Option<Isotonic> {
        let mut pools: Vec<Pool> = Vec::new();
        let mut open: Option<Pool> = None;
        for (x, y, weight) in ascending.into_iter().filter(|(_, _, weight)| *weight > 0.0) {
            let point = Pool { first: x, last: x, weight, sum: weight * y };
            match &mut open {
                Some(pool) if pool.last == x => pool.take(&point),
                _ => {
                    open.replace(point).into_iter().for_each(|pool| close(&mut pools, pool));
                }
            }
        }
        open.into_iter().for_each(|pool| close(&mut pools, pool));
        let mut fitted = Isotonic { x: Vec::new(), y: Vec::new() };
        for pool in &pools {
            let ends = [pool.first, pool.last];
            for &end in &ends[..if pool.first == pool.last { 1 } else { 2 }] {
                fitted.x.push(end);
                fitted.y.push(pool.mean());
            }
        }
        (!fitted.x.is_empty()).then_some(fitted)
    }

    /// `x` is a number.
    pub fn at(&self, x: f64) -> f64 {
        let above = self.x.partition_point(|knot| *knot <= x);
        let (Some(below), true) = (above.checked_sub(1), above < self.x.len()) else {
            return self.y[above.min(self.y.len() - 1)];
        };
        let slope = (self.y[above] - self.y[below]) / (self.x[above] - self.x[below]);
        self.y[below] + slope * (x - self.x[below])
    }
}

/// Puts a pool behind the others, which ascend.
fn close(pools: &mut Vec<Pool>, mut pool: Pool) {
    while let Some(mut before) = pools.pop_if(|before| before.mean() >= pool.mean()) {
        before.take(&pool);
        pool = before;
    }
    pools.push(pool);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_fit(points: &[(f64, f64, f64)], knots: &[(f64, f64)], at: &[(f64, f64)]) {
        let fitted = Isotonic::fit(points.iter().copied()).expect("there are points");
        let near = |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 1e-15, "{ours}, not {theirs}: {fitted:?}");
        assert_eq!(fitted.x, knots.iter().map(|knot| knot.0).collect::<Vec<_>>());
        fitted.y.iter().zip(knots).for_each(|(ours, theirs)| near(*ours, theirs.1));
        at.iter().for_each(|&(x, expected)| near(fitted.at(x), expected));
    }

    #[test]
    fn fits_are_those_of_scikit_learn() {
        // m = IsotonicRegression(out_of_bounds="clip").fit(x, y); m.X_thresholds_, m.y_thresholds_, m.predict(at)
        let labels = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
        let scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
        let points: Vec<_> = scores.into_iter().zip(labels).map(|(x, y)| (x, y, 1.0)).collect();
        let third = 0.3333333333333333;
        assert_fit(
            &points,
            &[(0.1, 0.0), (0.2, third), (0.4, third), (0.5, 0.5), (0.6, 0.5), (0.7, 1.0), (0.8, 1.0)],
            &[(0.0, 0.0), (0.15, 0.1666666666666666), (0.25, third), (0.45, 0.41666666666666663), (0.55, 0.5)],
        );
        assert_fit(&points, &fitted(&points), &[(0.65, 0.7500000000000002), (0.9, 1.0)]);
        // ... of x = [3, 1, 2, 2, 5, 4, 1], y = [2, .5, 3, 1, 4, 3.5, 1.5], sample_weight = [1, 2, .5, 3, 1, 1, 1]
        assert_fit(
            &[(1.0, 0.5, 2.0), (1.0, 1.5, 1.0), (2.0, 3.0, 0.5), (2.0, 1.0, 3.0), (3.0, 2.0, 1.0), (4.0, 3.5, 1.0)],
            &[(1.0, 0.8333333333333334), (2.0, 1.2857142857142858), (3.0, 2.0), (4.0, 3.5)],
            &[
                (0.0, 0.8333333333333334),
                (1.5, 1.0595238095238095),
                (2.5, 1.6428571428571428),
                (3.25, 2.375),
                (9.0, 3.5),
            ],
        );
    }

    fn fitted(points: &[(f64, f64, f64)]) -> Vec<(f64, f64)> {
        let Isotonic { x, y } = Isotonic::fit(points.iter().copied()).expect("there are points");
        x.into_iter().zip(y).collect()
    }

    #[test]
    fn points_of_one_place_and_points_that_only_fall_are_one_value() {
        // IsotonicRegression(out_of_bounds="clip").fit([0.5, 0.5], [0, 1]).predict([0.1, 0.5, 0.9])
        assert_fit(&[(0.5, 0.0, 1.0), (0.5, 1.0, 1.0)], &[(0.5, 0.5)], &[(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)]);
        // ... fit([1, 2, 3, 4], [4, 3, 2, 1])
        let falling = [(1.0, 4.0, 1.0), (2.0, 3.0, 1.0), (3.0, 2.0, 1.0), (4.0, 1.0, 1.0)];
        assert_fit(&falling, &[(1.0, 2.5), (4.0, 2.5)], &[(0.0, 2.5), (1.5, 2.5), (9.0, 2.5)]);
    }

    #[test]
    fn points_without_weight_are_none() {
        assert_eq!(Isotonic::fit([]), None);
        assert_eq!(Isotonic::fit([(1.0, 2.0, 0.0)]), None);
    }
}
