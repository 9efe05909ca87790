//! Kolmogorov-Smirnov: D, the largest distance of the two distribution functions, 0 to 1.
//!
//! The functions are compared behind each cell: exact for points, and where the values of a gap are not known apart, short
//! by at most the reference's share of that gap. Infinities count. `None` where a side has no value.
//! The p-value is that of `scipy.stats.ks_2samp`: exact up to 10 000 rows, else asymptotic.

use super::kolmogorov;
use super::noise::Noise;
use super::{Cells, Method, Outcome, Sides};

/// Samples of at most this many rows get the exact p-value, as in SciPy.
const EXACT_ROWS_MAX: u64 = 10_000;

/// The 99th percentile of Kolmogorov's distribution, `scipy.special.kolmogi(0.01)`.
const KOLMOGOROV_99: f64 = 1.627_623_611_518_950_4;

pub const METHOD: Method = Method {
    name: "ks",
    numerical: true,
    categorical: false,
    threshold: 0.1,
    about: "largest distance of the distribution functions",
    test: |sides: &Sides| ks(sides.cells?),
    // Exact for continuous columns; for columns with many ties it is more than chance reaches.
    noise: Noise::Rows(|n, m| KOLMOGOROV_99 * (1.0 / n + 1.0 / m).sqrt()),
};

fn ks(cells: Cells) -> Option<Outcome> {
    let (n, m) = (cells.reference.rows(), cells.current.rows());
    if n == 0 || m == 0 {
        return None;
    }
    let (mut theirs, mut ours, mut widest) = (0u64, 0u64, 0i128);
    for (r, c) in cells.reference.counts.iter().zip(cells.current.counts) {
        theirs += r;
        ours += c;
        let apart = i128::from(theirs) * i128::from(m) - i128::from(ours) * i128::from(n);
        widest = widest.max(apart.abs());
    }
    let score = widest as f64 / (n as f64 * m as f64);
    let p_value = if n.max(m) <= EXACT_ROWS_MAX {
        kolmogorov::two_sample_exact(n, m, widest as u64)
    } else {
        let effective = (n as f64 * m as f64 / (n as f64 + m as f64)).round_ties_even();
        kolmogorov::two_sided(effective.max(1.0), score)
    };
    Some(Outcome { score, p_value: Some(p_value.clamp(0.0, 1.0)) })
}

#[cfg(test)]
mod tests {
    use super::super::Points;
    use super::*;

    #[test]
    fn ties_are_one_step() {
        let reference = Points { values: &[1.0, 2.0, 3.0], counts: &[2, 1, 1] };
        let current = Points { values: &[1.0, 2.0, 3.0], counts: &[0, 2, 3] };
        let found = ks(Cells { reference, current }).unwrap();
        // scipy.stats.ks_2samp([1, 1, 2, 3], [2, 2, 3, 3, 3]) -> 0.5, 0.5634920634920635
        assert!((found.score - 0.5).abs() < 1e-15, "{found:?}");
        assert!((found.p_value.unwrap() - 0.563_492_063_492_063_5).abs() < 1e-12, "{found:?}");
    }
}
