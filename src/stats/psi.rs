//! Population stability index: sum of (p - q) ln(p / q) over the bins, in nats, 0 upwards.
//!
//! p = (count + 1/2) / (rows + k/2) over k bins, so that an empty bin is rare and not impossible. Symmetric. 0 for equal
//! shares of equally many rows. `None` where a side has no rows. Source: Siddiqi, *Credit Risk Scorecards* (2006).

use super::noise::{Noise, chi_square_quantile};
use super::{Bins, Method, Outcome, Sides};

pub const METHOD: Method = Method {
    name: "psi",
    numerical: true,
    categorical: true,
    threshold: 0.2,
    about: "sum of (p - q) ln(p / q) over the reference's bins",
    test: |sides: &Sides| psi(sides.bins).map(Outcome::score),
    // Twice the symmetrised divergence: chi-square with (1/n + 1/m); bins that are empty on both sides differ by their half rows.
    noise: Noise::Bins {
        score: psi,
        closed: |degrees, n, m, empty, bins| {
            let share = |rows: f64| 0.5 / (rows + 0.5 * bins);
            let half_rows = (share(n) - share(m)) * (share(n) / share(m)).ln();
            chi_square_quantile(degrees) * (1.0 / n + 1.0 / m) + empty * half_rows
        },
        order: 1.0,
    },
};

pub(super) fn psi(bins: Bins) -> Option<f64> {
    let (n, m) = bins.rows()?;
    let half = bins.reference.len() as f64 / 2.0;
    let share = |count: u64, rows: f64| (count as f64 + 0.5) / (rows + half);
    let terms = bins.reference.iter().zip(bins.current).map(|(&r, &c)| {
        let (p, q) = (share(r, n), share(c, m));
        (p - q) * (p / q).ln()
    });
    Some(terms.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_row_is_added_to_each_bin() {
        let found = psi(Bins { reference: &[10, 20, 0], current: &[5, 5, 10] }).unwrap();
        // p = (np.array([10, 20, 0]) + .5) / 31.5; q = (np.array([5, 5, 10]) + .5) / 21.5
        // ((p - q) * np.log(p / q)).sum()
        assert!((found - 2.008325800811958).abs() < 1e-12, "{found}");
    }

    #[test]
    fn no_rows_no_number() {
        assert_eq!(psi(Bins { reference: &[0, 0], current: &[1, 2] }), None);
    }
}
