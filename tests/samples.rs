//! The sample of a window against all its rows: whatever the order in which they came, however old its panes are.

use std::sync::{Arc, Weak};
use std::time::Duration;

use drift_sidecar::pane::Truth;
use drift_sidecar::sample::{Item, ROWS_MAX, Row, priority};
use drift_sidecar::settings::Window;
use drift_sidecar::stats::regression::Errors;
use drift_sidecar::window::Windows;
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;

fn windows(lengths: &[u64], panes: u32) -> Windows {
    let window = |seconds: &u64| Window { name: format!("{seconds}s"), length: Duration::from_secs(*seconds) };
    let windows: Vec<Window> = lengths.iter().map(window).collect();
    Windows::new(Some(&windows), panes, 0, (Truth::Values(Errors::default()), None))
}

fn row(number: usize) -> Row {
    Arc::new([Item::Number(number as f64)])
}

/// Rows of these times, told by their numbers.
fn add(windows: &mut Windows, rows: &[(usize, i64)]) {
    let newest = rows.iter().map(|(_, time)| *time).max();
    newest.into_iter().for_each(|newest| windows.advance(newest, &[]));
    for &(number, time) in rows {
        if let Some(place) = windows.place(time) {
            windows.pane(place, &[]).sample.add(priority(&[number as u64]), row(number));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_sample_of_a_window_is_that_of_all_its_rows(
        times in prop::collection::vec(0..4000i64, 2000..5000),
        sorted in any::<bool>(),
        at_once in 50..700usize,
    ) {
        let mut rows: Vec<(usize, i64)> = times.into_iter().map(|second| second * SECOND).enumerate().collect();
        if sorted {
            rows.sort_by_key(|(_, time)| *time);
        }
        let mut windows = windows(&[600, 3600], 20);
        rows.chunks(at_once).for_each(|rows| add(&mut windows, rows));
        for summed in windows.sums(&[]) {
            let (start, end) = summed.span.expect("windows have event time");
            let mut lots: Vec<(u64, usize)> = rows
                .iter()
                .filter(|(_, time)| (start..end).contains(time))
                .map(|(number, _)| (priority(&[*number as u64]), *number))
                .collect();
            lots.sort_unstable();
            lots.truncate(ROWS_MAX);
            let expected: Vec<Row> = lots.into_iter().map(|(_, number)| row(number)).collect();
            let found: Vec<Row> = summed.pane.sample.rows().cloned().collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_hundred_and_twenty_panes_keep_some_thousand_rows() {
    let mut windows = windows(&[3600, 86_400], 60);
    let mut made: Vec<Weak<[Item]>> = Vec::new();
    // Three rows a second, for longer than a day.
    for (number, second) in (0..100_000i64).flat_map(|second| [second; 3]).enumerate() {
        let time = second * SECOND;
        windows.advance(time, &[]);
        let place = windows.place(time).expect("it is the newest");
        let sample = &mut windows.pane(place, &[]).sample;
        let priority = priority(&[number as u64]);
        if sample.takes(priority) {
            let row = row(number);
            made.push(Arc::downgrade(&row));
            sample.add(priority, row);
        }
    }
    let kept = made.iter().filter(|row| row.strong_count() > 0).count();
    // 1000 (1 + ln(rows of a day / rows of a minute)) = 8300, less than what `check` counts with.
    assert!((6000..10_000).contains(&kept), "{kept}");
}
