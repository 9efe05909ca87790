//! First Wasserstein distance of the finite values, in standard deviations of the reference; 0 upwards.
//!
//! The area between both distribution functions over max(std, 0.001). Exact for points; where a cell is a gap, exact up
//! to the spread inside it. Infinities are left out. `None` where a side has no finite value.
//! Source: Vallender (1974); equals `scipy.stats.wasserstein_distance(R, C) / max(np.std(R), 0.001)`.

use super::noise::Noise;
use super::{Cells, Method, Outcome, Sides};

/// Below this a standard deviation is taken for this, so that a constant reference can be compared.
const STD_MIN: f64 = 0.001;

pub const METHOD: Method = Method {
    name: "wasserstein",
    numerical: true,
    categorical: false,
    threshold: 0.1,
    about: "area between the distribution functions, in standard deviations of the reference",
    test: |sides: &Sides| {
        let area = area(sides.cells?)?;
        Some(Outcome::score(area / sides.reference_std.max(STD_MIN)))
    },
    noise: Noise::Draws { score: |cells, std| area(cells).map(|area| area / std.max(STD_MIN)) },
};

fn area(cells: Cells) -> Option<f64> {
    let finite = |values: &[f64], counts: &[u64]| values.iter().zip(counts).filter(|(value, _)| value.is_finite()).map(|(_, count)| *count).sum::<u64>();
    let n = finite(cells.reference.values, cells.reference.counts);
    let m = finite(cells.current.values, cells.current.counts);
    if n == 0 || m == 0 {
        return None;
    }
    let (n, m) = (n as f64, m as f64);
    let (mut area, mut before, mut theirs, mut ours) = (0.0, f64::NAN, 0u64, 0u64);
    let mut step = |at: f64, r: u64, c: u64| {
        if before.is_finite() {
            area += (theirs as f64 / n - ours as f64 / m).abs() * (at - before).max(0.0);
        }
        before = at;
        theirs += r;
        ours += c;
    };
    let sides = cells.reference.values.iter().zip(cells.reference.counts).zip(cells.current.values.iter().zip(cells.current.counts));
    for ((&a, &r), (&b, &c)) in sides {
        if !a.is_finite() || !b.is_finite() {
            continue;
        }
        match (r, c) {
            (0, 0) => {}
            (r, 0) => step(a, r, 0),
            (0, c) => step(b, 0, c),
            (r, c) if a == b => step(a, r, c),
            (r, c) if a < b => {
                step(a, r, 0);
                step(b, 0, c);
            }
            (r, c) => {
                step(b, 0, c);
                step(a, r, 0);
            }
        }
    }
    Some(area)
}

#[cfg(test)]
mod tests {
    use super::super::Points;
    use super::*;

    #[test]
    fn the_area_between_the_steps() {
        let reference = Points { values: &[f64::NEG_INFINITY, 0.0, 1.0, 3.0], counts: &[1, 1, 1, 1] };
        let current = Points { values: &[f64::NEG_INFINITY, 0.0, 1.0, 3.0], counts: &[0, 0, 2, 1] };
        // scipy.stats.wasserstein_distance([0, 1, 3], [1, 1, 3])
        let found = area(Cells { reference, current }).unwrap();
        assert!((found - 1.0 / 3.0).abs() < 1e-15, "{found}");
    }
}
