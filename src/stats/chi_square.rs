//! Chi-square test of homogeneity of the 2 x k table of both sides; the score is Cramer's V, 0 to 1.
//!
//! No correction; bins that are empty on both sides are left out. One bin only: V 0, p 1. `None` where a side has no rows.
//! Source: Cramer (1946); p equals `scipy.stats.chi2_contingency(table, correction=False)`.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::noise::{Noise, chi_square_quantile};
use super::{Bins, Method, Outcome, Sides};

pub const METHOD: Method = Method {
    name: "chi_square",
    numerical: false,
    categorical: true,
    threshold: 0.1,
    about: "Cramer's V of the table of both sides",
    test: |sides: &Sides| chi_square(sides.bins),
    noise: Noise::Bins {
        score: |bins| chi_square(bins).map(|outcome| outcome.score),
        closed: |degrees, n, m, _, _| (chi_square_quantile(degrees) / (n + m)).sqrt(),
        order: 0.5,
    },
};

fn chi_square(bins: Bins) -> Option<Outcome> {
    let (n, m) = bins.rows()?;
    let all = n + m;
    let (mut statistic, mut columns) = (0.0, 0u32);
    for (&r, &c) in bins.reference.iter().zip(bins.current).filter(|(r, c)| **r + **c > 0) {
        let (r, c) = (r as f64, c as f64);
        let (expect_r, expect_c) = ((r + c) * n / all, (r + c) * m / all);
        statistic += (r - expect_r).powi(2) / expect_r + (c - expect_c).powi(2) / expect_c;
        columns += 1;
    }
    if columns < 2 {
        return Some(Outcome { score: 0.0, p_value: Some(1.0) });
    }
    let p_value = ChiSquared::new(f64::from(columns - 1)).ok().map(|distribution| distribution.sf(statistic));
    Some(Outcome { score: (statistic / all).sqrt(), p_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_the_error_of_both_sides() {
        let found = chi_square(Bins { reference: &[10, 20, 0, 0], current: &[5, 5, 0, 10] }).unwrap();
        // scipy.stats.chi2_contingency([[10, 20, 0], [5, 5, 10]], correction=False) -> 19.444444444444443, 5.993665986784811e-05; V = sqrt(19.444/50)
        assert!((found.score - 0.6236095644623235).abs() < 1e-12, "{found:?}");
        assert!((found.p_value.unwrap() / 5.993665986784811e-05 - 1.0).abs() < 1e-9, "{found:?}");
    }
}
