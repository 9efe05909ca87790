//! Area under the ROC curve: how well scores put the positive rows above the negative ones.
//!
//! AUC = share of the (positive, negative) pairs of rows in which the positive one has the higher score, a tie counted half;
//! 0 to 1, 1/2 for scores that know nothing. No positive or no negative row: not defined. Only the order of the scores
//! matters, so they need not be probabilities. Several classes: each against the rest, and their mean.
//!
//! Source: Mann and Whitney (1947); `sklearn.metrics.roc_auc_score(truth, scores)`, and with `multi_class="ovr"`.
//! This file knows counts in the order of their scores, no score and no row.

/// Negative and positive rows of each distinct score, from the lowest score to the highest. `None` where either has no rows.
pub fn binary(rows: impl IntoIterator<Item = [u64; 2]>) -> Option<f64> {
    // In halves of a pair; exact.
    let (mut below, mut positives, mut won) = (0u128, 0u128, 0u128);
    for [negative, positive] in rows {
        let (negative, positive) = (u128::from(negative), u128::from(positive));
        won += positive * (2 * below + negative);
        below += negative;
        positives += positive;
    }
    (below > 0 && positives > 0).then(|| won as f64 / (2 * below * positives) as f64)
}

/// The mean over classes, each against the rest: `classes` has for each class what `binary` takes, by the scores of that class. Plain
/// (`average="macro"`), or weighted by the rows that are of the class. `None` where that of a class is not defined, or there is none.
pub fn one_vs_rest(classes: &[Vec<[u64; 2]>], weighted: bool) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for class in classes {
        let positives = class.iter().map(|rows| rows[1]).sum::<u64>();
        let weight = if weighted { positives as f64 } else { 1.0 };
        sum += weight * binary(class.iter().copied())?;
        weights += weight;
    }
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_scikit_learn() {
        // sklearn.metrics.roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        assert_eq!(binary([[1, 0], [0, 1], [1, 0], [0, 1]]), Some(0.75));
        // sklearn.metrics.roc_auc_score([0, 1, 0, 1, 1], [0.2, 0.2, 0.2, 0.7, 0.7])
        assert_eq!(binary([[2, 1], [0, 2]]), Some(5.0 / 6.0));
    }

    #[test]
    fn one_class_only_is_not_defined_and_one_score_knows_nothing() {
        assert_eq!(binary([]), None);
        assert_eq!(binary([[3, 0], [2, 0]]), None);
        assert_eq!(binary([[0, 3]]), None);
        assert_eq!(binary([[4, 9]]), Some(0.5));
        assert_eq!(one_vs_rest(&[], true), None);
        assert_eq!(one_vs_rest(&[vec![[1, 1]], vec![[2, 0]]], false), None);
    }

    #[test]
    fn counts_of_any_size_are_exact() {
        let many = u64::MAX / 2;
        assert_eq!(binary([[many, 0], [0, many]]), Some(1.0));
        assert_eq!(binary([[0, many], [many, 0]]), Some(0.0));
    }
}
