//! Chi-square test of homogeneity of the 2 x k table of both sides' counts, with Cramer's V as its score.
//!
//! chi2 = sum (observed - expected)^2 / expected over both rows of the table, expected from the pooled shares; V = sqrt(chi2 / N)
//! over all N rows of both sides, 0 for equal shares to 1 where no category has rows of both. Columns without
//! rows are dropped. p-value: the upper tail at k - 1 degrees of freedom, without Yates' correction. One category
//! only: V 0, p 1. A side without rows: not defined. V depends on how the rows divide over the sides: for a small window
//! beside a large reference it stays small; use `jensen_shannon` where that matters.
//!
//! Source: Pearson (1900), Cramer (1946); `scipy.stats.chi2_contingency(table, correction=False)`.

use statrs::function::gamma::gamma_ur;

use super::noise::{Noise, Null, chi_square_level};
use super::{Method, Outcome, Sides};

pub const METHOD: Method = Method {
    name: "chi_square",
    numerical: false,
    categorical: true,
    threshold: 0.1,
    about: "Cramer's V of the counts of both sides, 0 to 1",
    test,
    noise: Noise { closed: noise, score: |sides| test(sides).map(|outcome| outcome.score) },
};

fn test(sides: &Sides) -> Option<Outcome> {
    let (n, m) = sides.bins.rows()?;
    let (mut chi_square, mut categories) = (0.0, 0u64);
    for (&r, &c) in sides.bins.reference.iter().zip(sides.bins.current) {
        let pooled = r as f64 + c as f64;
        if pooled > 0.0 {
            // Both rows of a column are as far from what is expected; 1/expected of both adds up to this.
            let apart = r as f64 * (m / (n + m)) - c as f64 * (n / (n + m));
            chi_square += apart * apart * (n + m) * (n + m) / (pooled * n * m);
            categories += 1;
        }
    }
    let p_value = if categories > 1 && chi_square > 0.0 { gamma_ur((categories - 1) as f64 / 2.0, chi_square / 2.0) } else { 1.0 };
    Some(Outcome { score: (chi_square / (n + m)).sqrt().min(1.0), p_value: Some(p_value) })
}

fn noise(null: &Null) -> Option<f64> {
    let (n, m) = (null.bins.iter().sum::<u64>() as f64, null.rows as f64);
    chi_square_level(null).map(|level| (level * n * m / (n + m) / (n + m)).sqrt())
}
