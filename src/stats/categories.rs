//! Rows of both sides by category, for the definitions that look at categories one by one and not at missing values.
//!
//! This file knows bins; no method.

use super::{Bins, Undefined, both};

/// Rows of both sides of each category; unseen categories stand apart as far as they were kept, behind the rest of them.
pub(super) fn categories(bins: &Bins) -> Vec<(u64, u64)> {
    let seen = bins.reference.len().saturating_sub(usize::from(bins.missing));
    let mut pairs: Vec<(u64, u64)> = zip(&bins.reference[..seen], &bins.current[..seen]).collect();
    if let Some(rest) = pairs.last_mut().filter(|_| !bins.unseen.is_empty()) {
        rest.1 -= bins.unseen.iter().sum::<u64>().min(rest.1);
        pairs.extend(bins.unseen.iter().map(|&rows| (0, rows)));
    }
    pairs.retain(|pair| *pair != (0, 0));
    pairs
}

pub(super) fn zip<'a>(reference: &'a [u64], current: &'a [u64]) -> impl Iterator<Item = (u64, u64)> {
    reference.iter().copied().zip(current.iter().copied())
}

/// Rows of both sides, where both have any.
pub(super) fn rows(pairs: &[(u64, u64)]) -> Result<(f64, f64), Undefined> {
    let (n, m) = pairs.iter().fold((0, 0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    both(n, m).map(|(n, m)| (n as f64, m as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_categories_stand_apart_and_missing_values_are_left_out() {
        let bins = Bins { reference: &[5, 4, 0, 2], current: &[3, 0, 7, 1], missing: true, unseen: &[4, 1] };
        assert_eq!(categories(&bins), [(5, 3), (4, 0), (0, 2), (0, 4), (0, 1)]);
        let together = Bins { unseen: &[], ..bins };
        assert_eq!(categories(&together), [(5, 3), (4, 0), (0, 7)]);
        assert_eq!(categories(&Bins::default()), []);
    }
}
