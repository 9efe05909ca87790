//! Points put together with their neighbours where the distribution function hardly moves.
//!
//! Each group is one point at the mean of its own, and holds at most `share` of F(1-F): the middle has few groups, both tails keep
//! their single values, and so range, mean and all but a trace of the spread stay. Infinities stay alone.

use super::Points;

/// Values and rows of the groups, ascending.
pub fn groups(points: Points, share: f64) -> (Vec<f64>, Vec<u64>) {
    let all = points.rows() as f64;
    let (mut values, mut rows): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
    let (mut below, mut room) = (0.0, 0.0);
    for (&value, &count) in points.values.iter().zip(points.counts) {
        let few = count as f64;
        match (values.last_mut(), rows.last_mut()) {
            _ if count == 0 => continue,
            (Some(mean), Some(rows)) if few <= room && mean.is_finite() && value.is_finite() => {
                *rows += count;
                *mean += (value - *mean) * (few / *rows as f64);
                room -= few;
            }
            _ => {
                values.push(value);
                rows.push(count);
                room = below * (1.0 - below / all) * share - few;
            }
        }
        below += few;
    }
    (values, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_every_row_the_mean_and_the_infinities() {
        let values: Vec<f64> =
            [f64::NEG_INFINITY].into_iter().chain((0..5000).map(f64::from)).chain([f64::INFINITY]).collect();
        let counts = vec![2; values.len()];
        let (values, rows) = groups(Points { values: &values, counts: &counts }, 0.125);
        assert!(values.len() < 400, "{} groups", values.len());
        assert_eq!(rows.iter().sum::<u64>(), 2 * 5002);
        assert_eq!((values[0], rows[0]), (f64::NEG_INFINITY, 2));
        assert_eq!((values.last(), rows.last()), (Some(&f64::INFINITY), Some(&2)));
        let finite = values.iter().zip(&rows).filter(|(value, _)| value.is_finite());
        let sum: f64 = finite.map(|(value, rows)| value * *rows as f64).sum();
        assert!((sum / 10_000.0 - 2499.5).abs() < 1e-9);
    }
}
