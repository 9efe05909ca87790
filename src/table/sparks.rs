//! Sparklines: both distributions of a column as blocks of an eighth, to one scale, so that they compare by eye.

use crate::report::Distribution;

/// An empty bar keeps its place on the ground.
const BLOCKS: [char; 9] = ['_', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Reference and current side, a character for each bar, at most `bars_max` of them: neighbours are put together where
/// there are more. The highest bar of both sides is full; a bar that holds anything is never empty.
pub fn sparks(distribution: &Distribution, bars_max: usize) -> [String; 2] {
    let Distribution { categories: names, reference, current, .. } = distribution;
    let fold = |rows: &[u64]| match names.last() {
        None => numbers(rows, bars_max),
        Some(last) => categories(rows, bars_max, last == "unseen"),
    };
    let sides = [fold(reference), fold(current)].map(|rows| {
        let all = rows.iter().sum::<u64>().max(1) as f64;
        rows.into_iter().map(|rows| rows as f64 / all).collect::<Vec<f64>>()
    });
    // Many rare categories in one bar would leave the others flat: that bar may be cut off at the top.
    let rare = rare(names, sides[0].len());
    let scaled = sides.iter().flat_map(|side| side.iter().enumerate()).filter(|(bar, _)| Some(*bar) != rare);
    let highest = scaled.map(|(_, share)| *share).fold(0.0, f64::max);
    let block = |share: &f64| match *share {
        0.0 => BLOCKS[0],
        share => BLOCKS[((share / highest * 8.0).round() as usize).clamp(1, 8)],
    };
    sides.map(|shares| shares.iter().map(block).collect())
}

fn numbers(rows: &[u64], bars_max: usize) -> Vec<u64> {
    rows.chunks(rows.len().div_ceil(bars_max).max(1)).map(|some| some.iter().sum()).collect()
}

/// The bar that holds all rare categories, where there is one.
fn rare(names: &[String], bars: usize) -> Option<usize> {
    let unseen = usize::from(names.last().is_some_and(|last| last == "unseen"));
    let known = names.len().checked_sub(1 + unseen)?;
    (names.len() > bars || names[known] == "other").then(|| bars - 1 - unseen)
}

/// The rarest share a bar; what is new to the reference keeps its own.
fn categories(rows: &[u64], bars_max: usize, unseen: bool) -> Vec<u64> {
    if rows.len() <= bars_max {
        return rows.to_vec();
    }
    let (known, unseen) = rows.split_at(rows.len() - usize::from(unseen));
    let (kept, rare) = known.split_at(bars_max - 1 - unseen.len());
    [kept, &[rare.iter().sum()], unseen].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_of_both_sides_is_full() {
        let distribution = Distribution {
            edges: vec![1.0, 2.0, 3.0],
            reference: vec![0, 400, 400, 200],
            current: vec![0, 1, 19, 80],
            ..Distribution::default()
        };
        assert_eq!(sparks(&distribution, 12), ["_▄▄▂", "_▁▂█"]);
        assert_eq!(sparks(&distribution, 2), ["▃▅", "▁█"]);
    }

    #[test]
    fn a_side_without_values_lies_flat() {
        let distribution =
            Distribution { edges: vec![1.0], reference: vec![1, 3], current: vec![0, 0], ..Distribution::default() };
        assert_eq!(sparks(&distribution, 12), ["▃█", "__"]);
    }

    #[test]
    fn rare_categories_share_a_bar_and_new_ones_keep_theirs() {
        let distribution = Distribution {
            categories: ["a", "b", "c", "other", "unseen"].map(String::from).to_vec(),
            reference: vec![8, 4, 2, 2, 0],
            current: vec![8, 0, 0, 0, 8],
            ..Distribution::default()
        };
        assert_eq!(sparks(&distribution, 5), ["█▄▂▂_", "█___█"]);
        assert_eq!(sparks(&distribution, 3), ["██_", "█_█"]);
    }

    #[test]
    fn what_shares_a_bar_does_not_flatten_the_others() {
        let distribution = Distribution {
            categories: (0..30).map(|i| format!("class {i}")).collect(),
            reference: vec![10; 30],
            current: [vec![20, 5], vec![10; 28]].concat(),
            ..Distribution::default()
        };
        assert_eq!(sparks(&distribution, 5), ["▄▄▄▄█", "█▂▄▄█"]);
    }
}
