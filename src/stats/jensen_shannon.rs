//! Jensen-Shannon distance: the square root of the divergence in bits, 0 (equal) to 1 (nothing shared).
//!
//! Symmetric; no smoothing, an empty bin adds nothing of its own. `None` where a side has no rows.
//! Source: Lin (1991); equals `scipy.spatial.distance.jensenshannon(p, q, base=2)`.

use super::noise::{Noise, chi_square_quantile};
use super::{Bins, Method, Outcome, Sides};

pub const METHOD: Method = Method {
    name: "jensen_shannon",
    numerical: true,
    categorical: true,
    threshold: 0.1,
    about: "square root of the Jensen-Shannon divergence of the bins, base 2",
    test: |sides: &Sides| jensen_shannon(sides.bins).map(Outcome::score),
    // Near equality the divergence is chi-square / 8 in nats.
    noise: Noise::Bins {
        score: jensen_shannon,
        closed: |degrees, n, m, _, _| (chi_square_quantile(degrees) * (1.0 / n + 1.0 / m) / (8.0 * std::f64::consts::LN_2)).sqrt(),
        order: 0.5,
    },
};

pub(super) fn jensen_shannon(bins: Bins) -> Option<f64> {
    let (n, m) = bins.rows()?;
    let part = |p: f64, middle: f64| if p > 0.0 { p * (p / middle).log2() } else { 0.0 };
    let terms = bins.reference.iter().zip(bins.current).map(|(&r, &c)| {
        let (p, q) = (r as f64 / n, c as f64 / m);
        let middle = (p + q) / 2.0;
        part(p, middle) + part(q, middle)
    });
    Some((terms.sum::<f64>() / 2.0).clamp(0.0, 1.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_two() {
        let found = jensen_shannon(Bins { reference: &[10, 20, 0], current: &[5, 5, 10] }).unwrap();
        // scipy.spatial.distance.jensenshannon([10, 20, 0], [5, 5, 10], base=2)
        assert!((found - 0.5702536988376841).abs() < 1e-12, "{found}");
        assert_eq!(jensen_shannon(Bins { reference: &[3, 0], current: &[0, 5] }), Some(1.0));
        assert_eq!(jensen_shannon(Bins { reference: &[3, 6], current: &[1, 2] }), Some(0.0));
    }
}
