//! Foreign bytes: whatever happened to a file, reading it ends, harms nothing beside it, and is counted.

#[path = "support/logs.rs"]
mod logs;

use std::fs;

use logs::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_bytes_exchanged_or_cut_costs_its_own_rows_only(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_the_end in any::<bool>(),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let logs = Logs::new();
        let path = logs.path("requests/damaged.parquet");
        write(&path, &[requests(100, 150), requests(150, 200)]);
        let mut bytes = fs::read(&path).unwrap();
        // The footer is the smaller part and the one where a flipped byte means something else.
        let from = if near_the_end { bytes.len() - 1500.min(bytes.len()) } else { 0 };
        for (index, byte) in &flips {
            let at = from + index.index(bytes.len() - from);
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, &bytes).unwrap();
        write(&logs.path("requests/good.parquet"), &[requests(0, 100)]);
        let mut worker = logs.worker();
        while worker.turn(NOW) == drift_sidecar::worker::Turn::Busy {}
        worker.give_up();
        let report = worker.report();
        let requests = log(&report, "requests");
        prop_assert_eq!(requests.files.values().sum::<u64>(), 2);
        prop_assert!(requests.files["read"] >= 1, "the good file was read");
        prop_assert!(requests.rows_read >= 100);
        prop_assert!(requests.files_failed.values().sum::<u64>() <= 1);
    }
}
