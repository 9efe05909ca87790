//! The distribution of a column in a window, beside that of the reference: for people, and no part of the verdict.

use crate::profile::Profile;
use crate::reference::Side;
use crate::report::Distribution;

/// `None` without rows on either side, without a finite value in the reference, and for text.
pub fn distribution(side: &Side, profile: &Profile) -> Option<Distribution> {
    match (side, profile) {
        (Side::Numbers(side), Profile::Numbers(current)) => {
            let bars = side.bars();
            (current.rows > 0 && !bars.edges().is_empty()).then(|| Distribution {
                edges: bars.edges().to_vec(),
                categories: Vec::new(),
                reference: bars.reference().to_vec(),
                current: bars.count(side.grid(), current),
            })
        }
        (Side::Categories { names, profile: reference, .. }, Profile::Categories(current)) => {
            if current.rows == 0 || reference.rows == 0 {
                return None;
            }
            let ((named, other), (current_named, current_other)) =
                (reference.bars(names.len()), current.bars(names.len()));
            let mut found = Distribution {
                edges: Vec::new(),
                categories: names.clone(),
                reference: named.to_vec(),
                current: current_named.to_vec(),
            };
            let mut push = |name: &str, reference: u64, current: u64| {
                found.categories.push(name.to_string());
                found.reference.push(reference);
                found.current.push(current);
            };
            if reference.codes() > names.len() {
                push("other", other, current_other);
            }
            if current.unseen > 0 {
                push("unseen", 0, current.unseen);
            }
            Some(found)
        }
        _ => None,
    }
}
