//! Log loss: how surprised the scores were by the truth. One row's share of it; the loss is the mean over rows.
//!
//! -ln(p) in nats, p the probability that was given to the class that came true, kept within [2^-52, 1 - 2^-52]: 0 (all but) for
//! certainty that was right, 36.04 for certainty that was wrong. For a binary score s, p is s where the row is positive and
//! 1 - s where it is not; for several classes it is the score of the true class as it is, without normalising.
//!
//! Source: `sklearn.metrics.log_loss(truth, scores)`.
//! This file knows one probability; which rows count is the caller's.

/// `probability`: 0 to 1, given to the class that came true.
pub fn row(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_of_scikit_learn() {
        // sklearn.metrics.log_loss([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        let mean = [0.9, 0.6, 0.35, 0.8].map(row).iter().sum::<f64>() / 4.0;
        assert!((mean - 0.47228795380917615).abs() < 1e-15, "{mean}");
        // sklearn.metrics.log_loss([0, 1], [1.0, 0.0], labels=[0, 1]), and of [0.0, 1.0]
        assert!((row(0.0) - 36.04365338911715).abs() < 1e-12);
        assert!((row(1.0) / 2.2204460492503136e-16 - 1.0).abs() < 1e-12);
    }
}
