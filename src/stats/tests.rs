//! Laws that hold for every method, over generated columns; and what the tests of the single methods share.

use proptest::prelude::*;

use super::*;

/// A column of points on shared cells, with bins that are the cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    values: Vec<f64>,
    reference: Vec<u64>,
    current: Vec<u64>,
}

/// Both lists in ascending order of their values.
pub(super) fn cells(reference: &[(f64, u64)], current: &[(f64, u64)]) -> Column {
    let mut values: Vec<f64> = reference.iter().chain(current).map(|point| point.0).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let counts = |side: &[(f64, u64)]| {
        let count = |value| side.iter().find(|point| point.0 == value).map_or(0, |point| point.1);
        values.iter().map(|&value| count(value)).collect()
    };
    Column { reference: counts(reference), current: counts(current), values }
}

pub(super) fn sides(column: &Column) -> Sides<'_> {
    let Column { values, reference, current } = column;
    Sides {
        bins: Bins { reference, current, ..Bins::default() },
        cells: Some(Cells {
            reference: Points { values, counts: reference },
            current: Points { values, counts: current },
        }),
        moments: Some([spread(1.0); 2]),
        ..Sides::default()
    }
}

pub(super) fn binned<'a>(reference: &'a [u64], current: &'a [u64]) -> Sides<'a> {
    Sides { bins: Bins { reference, current, ..Bins::default() }, ..Sides::default() }
}

/// Of this standard deviation.
pub(super) fn spread(std: f64) -> Moments {
    Moments { count: 1, m2: std * std, ..Moments::default() }
}

/// The moments of the points themselves.
pub(super) fn moments(column: &Column) -> [Moments; 2] {
    [&column.reference, &column.current].map(|counts| {
        let mut moments = Moments::default();
        for (&value, &count) in column.values.iter().zip(counts).filter(|(value, _)| value.is_finite()) {
            moments.merge(&Moments { count, mean: value, m2: 0.0, min: value, max: value });
        }
        moments
    })
}

/// With distances in the column's own unit, so that they do not depend on which side is the reference.
fn found(method: &Method, column: &Column) -> Result<Outcome, Undefined> {
    let sides = sides(column);
    let moments = if method.name == "t_test" { Some(moments(column)) } else { sides.moments };
    (method.test)(&Sides { moments, ..sides })
}

fn score(method: &str, column: &Column) -> Option<f64> {
    let method = super::method(method).expect("the test names a method");
    found(method, column).ok().map(|outcome| outcome.score)
}

/// Not defined for few rows or constants either, as the tests of each show.
const ASKING_MORE: &[&str] = &["cramer_von_mises", "anderson_darling", "t_test", "epps_singleton"];

fn close(method: &str, a: Option<f64>, b: Option<f64>) -> bool {
    // It divides by covariances, and those of columns of few values may be nearly singular.
    let tolerance = if method == "epps_singleton" { 1e-3 } else { 1e-9 };
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * a.abs().max(1e-6),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn columns() -> impl Strategy<Value = Column> {
    let counts = prop_oneof![3 => 0..5u64, 2 => 0..200u64, 1 => 0..100_000u64];
    prop::collection::vec((-1e3..1e3f64, counts.clone(), counts), 1..40).prop_map(|mut points| {
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut column = Column::default();
        for (value, reference, current) in points {
            column.values.push(value);
            column.reference.push(reference);
            column.current.push(current);
        }
        column
    })
}

fn has_rows(column: &Column) -> bool {
    [&column.reference, &column.current].into_iter().all(|side| side.iter().any(|&count| count > 0))
}

/// Whether a method can test the column: some are for two values only.
fn fits(method: &Method, column: &Column) -> bool {
    let used = column.reference.iter().zip(&column.current).filter(|(r, c)| **r + **c > 0).count();
    has_rows(column) && (used <= 2 || !matches!(method.name, "z_test" | "fisher_exact"))
}

/// Those that count every row. `mmd` draws some: its laws stand beside it.
fn counting() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().copied().filter(|method| (method.numerical || method.categorical) && method.name != "mmd")
}

/// Half a row in each bin weighs more beside fewer rows, and an empty bin has it too.
fn smooths(method: &Method) -> bool {
    matches!(method.name, "psi" | "kl_divergence")
}

#[test]
fn methods_have_distinct_names_and_can_be_looked_up() {
    for known in METHODS {
        assert!(std::ptr::eq(method(known.name).expect("it is there"), *known), "{}", known.name);
        let fits = [known.numerical, known.categorical, known.text, known.embedding, known.several];
        assert!(fits.contains(&true) && !known.about.is_empty());
    }
    assert!(method("nonsense").is_none());
}

proptest! {
    #[test]
    fn scores_and_p_values_stay_in_their_ranges(column in columns()) {
        for method in counting() {
            let found = found(method, &column);
            let more = fits(method, &column) && ASKING_MORE.contains(&method.name);
            prop_assert!(more || found.is_ok() == fits(method, &column), "{}", method.name);
            if let Ok(Outcome { score, p_value, .. }) = found {
                let most = match method.name {
                    "psi" | "kl_divergence" | "wasserstein" | "energy" => f64::MAX,
                    "g_test" => (2.0 * std::f64::consts::LN_2).sqrt() + 1e-15,
                    name if ASKING_MORE.contains(&name) => f64::MAX,
                    _ => 1.0,
                };
                let least = if method.name == "anderson_darling" { -2.3 } else { 0.0 };
                prop_assert!((least..=most).contains(&score), "{} {score}", method.name);
                prop_assert_eq!(p_value.is_some(), method.has_p_value, "{}", method.name);
                prop_assert!(p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{} {p_value:?}", method.name);
            }
        }
    }

    #[test]
    fn equal_shares_score_zero(column in columns(), times in 1..50u64) {
        let current = column.reference.iter().map(|count| count * times).collect();
        let column = Column { current, ..column };
        prop_assume!(has_rows(&column));
        for method in counting().filter(|method| fits(method, &column)) {
            let found = found(method, &column);
            if ASKING_MORE.contains(&method.name) && found.is_err() {
                continue;
            }
            let Outcome { score, p_value, .. } = found.expect("both sides have rows");
            let most = match method.name {
                _ if smooths(method) && times > 1 => 5.0,
                // Differences of rounding, in units of rounding where the sides hardly vary.
                "t_test" | "epps_singleton" => 1e-6,
                _ => 1e-12,
            };
            prop_assert!(score <= most, "{} {score}", method.name);
            let largest = if method.name == "anderson_darling" { 0.25 } else { 1.0 };
            prop_assert!(p_value.is_none_or(|p| p > largest - 1e-6), "{} {p_value:?}", method.name);
        }
    }

    #[test]
    fn the_sides_can_change_places(column in columns()) {
        let turned = Column { reference: column.current.clone(), current: column.reference.clone(), ..column.clone() };
        for method in counting().filter(|method| method.name != "kl_divergence") {
            prop_assert!(close(method.name, score(method.name, &column), score(method.name, &turned)), "{}", method.name);
        }
    }

    #[test]
    fn small_and_large_can_change_places(column in columns()) {
        let mut turned = column.clone();
        turned.values.iter_mut().for_each(|value| *value = -*value);
        turned.values.reverse();
        turned.reference.reverse();
        turned.current.reverse();
        for method in counting() {
            prop_assert!(close(method.name, score(method.name, &column), score(method.name, &turned)), "{}", method.name);
        }
    }

    #[test]
    fn ranks_see_the_order_of_values_alone(column in columns()) {
        let bent = Column { values: column.values.iter().map(|value| (value / 100.0).exp()).collect(), ..column.clone() };
        for method in ["ks", "cramer_von_mises", "anderson_darling", "mann_whitney"] {
            prop_assert_eq!(score(method, &column), score(method, &bent), "{}", method);
        }
    }

    #[test]
    fn an_empty_cell_changes_no_score_without_smoothing(column in columns(), at in 0..40usize) {
        let mut wider = column.clone();
        let at = at % column.values.len();
        wider.values.insert(at, column.values[at]);
        wider.reference.insert(at, 0);
        wider.current.insert(at, 0);
        for method in counting().filter(|method| !smooths(method)) {
            prop_assert!(close(method.name, score(method.name, &column), score(method.name, &wider)), "{}", method.name);
        }
    }

    #[test]
    fn a_cell_split_in_two_leaves_what_values_say(column in columns(), at in 0..40usize, r in 0..=1000u64, c in 0..=1000u64) {
        let mut split = column.clone();
        let at = at % column.values.len();
        let (r, c) = (r.min(column.reference[at]), c.min(column.current[at]));
        split.values.insert(at, column.values[at]);
        split.reference.insert(at, r);
        split.reference[at + 1] -= r;
        split.current.insert(at, c);
        split.current[at + 1] -= c;
        for method in ["wasserstein", "energy", "epps_singleton"] {
            prop_assert!(close(method, score(method, &column), score(method, &split)), "{}", method);
        }
    }

    #[test]
    fn one_far_row_moves_counts_by_one_only(column in columns()) {
        prop_assume!(column.current.iter().sum::<u64>() >= 100 && has_rows(&column));
        let mut outlier = column.clone();
        *outlier.values.last_mut().expect("a column has values") = 1e12;
        const MOVED: [&str; 4] = ["wasserstein", "energy", "t_test", "epps_singleton"];
        for method in counting().map(|method| method.name).filter(|name| !MOVED.contains(name)) {
            prop_assert_eq!(score(method, &column), score(method, &outlier), "{}", method);
        }
    }

    #[test]
    fn one_far_row_more_moves_ranks_by_next_to_nothing(column in columns()) {
        let rows = column.current.iter().sum::<u64>();
        prop_assume!(rows >= 100 && has_rows(&column));
        let mut outlier = column.clone();
        outlier.values.push(1e12);
        outlier.reference.push(0);
        outlier.current.push(1);
        for method in ["ks", "mann_whitney"] {
            let moved = score(method, &column).zip(score(method, &outlier)).map(|(before, after)| (after - before).abs());
            prop_assert!(moved.is_some_and(|moved| moved <= 2.0 / rows as f64), "{} {moved:?}", method);
        }
    }
}
