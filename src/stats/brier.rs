//! Brier score: the squared distance of the scores from the truth. One row's share of it; the score is the mean over rows.
//!
//! Binary: (s - y)^2, y 1 for a positive row and 0 else; 0 (certain and right) to 1 (certain and wrong), 1/4 for s = 1/2. Several
//! classes: the sum of that over the classes, 0 to 2 (Brier's own definition; two classes give twice the binary score).
//!
//! Source: Brier (1950); `sklearn.metrics.brier_score_loss(truth, scores)`, for several classes with `scale_by_half=False`.
//! This file knows one row; which rows count is the caller's.

/// One row with the score of the positive class, 0 to 1.
pub fn binary(score: f64, positive: bool) -> f64 {
    (score - f64::from(u8::from(positive))).powi(2)
}

/// One row with a score for each class, and the position of the class that came true.
pub fn multiclass(scores: &[f64], truth: usize) -> f64 {
    scores.iter().enumerate().map(|(class, &score)| binary(score, class == truth)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_scikit_learn() {
        // sklearn.metrics.brier_score_loss([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        let rows = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        let mean = rows.map(|(score, positive)| binary(score, positive)).iter().sum::<f64>() / 4.0;
        assert!((mean - 0.15812500000000002).abs() < 1e-15, "{mean}");
        // sklearn.metrics.brier_score_loss([0, 1, 2], [[.8, .1, .1], [.3, .2, .5], [0, 0, 1]], scale_by_half=False)
        let rows = [([0.8, 0.1, 0.1], 0), ([0.3, 0.2, 0.5], 1), ([0.0, 0.0, 1.0], 2)];
        let mean = rows.iter().map(|(scores, truth)| multiclass(scores, *truth)).sum::<f64>() / 3.0;
        assert!((mean - 0.3466666666666667).abs() < 1e-15, "{mean}");
    }
}
