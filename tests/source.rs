//! The stories of files: written in steps, grown, replaced, rotated, moved, taken away and brought back. Each row comes once.

#[path = "support/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use drift_sidecar::batch::{Column, Form};
use drift_sidecar::source::cursor::{self, State};
use drift_sidecar::source::{Scan, Source, Table};
use files::*;

#[test]
fn a_partial_file_is_left_alone_until_its_footer_appears() {
    let (_keep, log) = folder();
    let whole = bytes(&[&[1, 2], &[3]]);
    let path = log.join("a.parquet");
    let mut source = source(&log);
    for size in [0, 3, 4, 8, 11, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..size]).unwrap();
        assert_eq!(read(&mut source), NOTHING, "{size} bytes");
        assert_eq!(source.counts().files["unfinished"], 1, "{size} bytes");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(read(&mut source), [1, 2, 3]);
    assert_eq!(source.counts().files_failed, BTreeMap::new());
}

#[test]
fn a_grown_file_gives_its_new_rows_only() {
    let (_keep, log) = folder();
    let path = log.join("a.parquet");
    let mut source = source(&log);
    put(&path, &[&[1, 2]]);
    assert_eq!(read(&mut source), [1, 2]);
    put(&path, &[&[1, 2], &[3]]);
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(rest(&mut source), [3]);
    assert_eq!(source.scan(NOW), Scan::Unchanged);
}

#[test]
fn a_file_that_is_rewritten_in_place_is_unfinished_meanwhile_and_keeps_its_place() {
    let (_keep, log) = folder();
    let path = log.join("a.parquet");
    let mut source = source(&log);
    put(&path, &[&[1, 2]]);
    assert_eq!(read(&mut source), [1, 2]);
    let grown = bytes(&[&[1, 2], &[3]]);
    fs::write(&path, &grown[..grown.len() - 9]).unwrap();
    assert_eq!(read(&mut source), NOTHING);
    assert_eq!(source.counts().files["unfinished"], 1);
    fs::write(&path, &grown).unwrap();
    assert_eq!(read(&mut source), [3]);
}

#[test]
fn a_file_whose_rewriting_begins_before_its_turn_has_not_failed() {
    let (_keep, log) = folder();
    let path = log.join("a.parquet");
    let grown = bytes(&[&[1, 2], &[3]]);
    let mut source = source(&log);
    put(&path, &[&[1, 2]]);
    source.scan(NOW);
    fs::write(&path, &grown[..grown.len() - 9]).unwrap();
    assert_eq!(rest(&mut source), NOTHING);
    assert_eq!(source.counts().files_failed, BTreeMap::new());
    fs::write(&path, &grown).unwrap();
    assert_eq!(read(&mut source), [1, 2, 3]);
}

#[test]
fn replaced_content_that_is_still_needed_is_told() {
    let (_keep, log) = folder();
    let path = log.join("a.parquet");
    let mut source = source(&log);
    put(&path, &[&[10, 20]]);
    read(&mut source);
    source.acknowledge(20);
    put(&path, &[&[30]]);
    assert_eq!(source.scan(NOW), Scan::Replaced { path: path.clone() });
    source.rewind();
    assert_eq!(read(&mut source), [30]);
    // Needed until 30: from 31 on nobody misses it.
    source.acknowledge(31);
    put(&path, &[&[40, 41]]);
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(rest(&mut source), [40, 41]);
}

#[test]
fn replaced_content_that_nobody_has_read_is_just_new() {
    let (_keep, log) = folder();
    let path = log.join("a.parquet");
    let mut source = source(&log);
    put(&path, &[&[1]]);
    source.scan(NOW);
    put(&path, &[&[2, 3]]);
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(rest(&mut source), [2, 3]);
}

#[test]
fn a_moved_file_takes_its_cursor_along() {
    let (_keep, log) = folder();
    let mut source = source(&log);
    put(&log.join("a.parquet"), &[&[1], &[2]]);
    source.scan(NOW);
    assert_eq!(batch(&mut source), Some(vec![1]));
    fs::create_dir(log.join("dt=1")).unwrap();
    fs::rename(log.join("a.parquet"), log.join("dt=1/b.parquet")).unwrap();
    assert_eq!(read(&mut source), [2]);
}

/// A file that was read under the name that comes back, and then moved aside.
fn rotated() -> (tempfile::TempDir, PathBuf, Source) {
    let (keep, log) = folder();
    let (live, old) = (log.join("live.parquet"), log.join("2026-01-01.parquet"));
    let mut source = source(&log);
    put(&live, &[&[1, 2]]);
    assert_eq!(read(&mut source), [1, 2]);
    fs::rename(&live, &old).unwrap();
    (keep, live, source)
}

#[test]
fn a_rotated_file_is_neither_read_again_nor_called_replaced() {
    let (_keep, live, mut source) = rotated();
    put(&live, &[&[3]]);
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(rest(&mut source), [3]);
}

#[test]
fn a_rotated_file_is_known_again_while_the_new_one_is_still_being_written() {
    let (_keep, live, mut source) = rotated();
    let begun = bytes(&[&[3]]);
    fs::write(&live, &begun[..begun.len() - 9]).unwrap();
    assert_eq!(read(&mut source), NOTHING);
    assert_eq!(source.counts().files["unfinished"], 1);
    fs::write(&live, &begun).unwrap();
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(rest(&mut source), [3]);
}

#[test]
fn a_file_that_goes_away_and_comes_back_is_not_read_twice() {
    let (keep, log) = folder();
    let (here, away) = (log.join("a.parquet"), keep.path().join("away"));
    let mut source = source(&log);
    put(&here, &[&[1], &[2]]);
    source.scan(NOW);
    assert_eq!(batch(&mut source), Some(vec![1]));
    fs::rename(&here, &away).unwrap();
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(source.counts().files.values().sum::<u64>(), 0, "a file that is gone is in no state");
    fs::rename(&away, log.join("b.parquet")).unwrap();
    assert_eq!(read(&mut source), [2]);
}

#[test]
fn a_file_that_could_not_be_had_for_a_moment_is_read_later() {
    let (keep, log) = folder();
    let (here, away) = (log.join("a.parquet"), keep.path().join("away"));
    let mut source = source(&log);
    put(&here, &[&[1], &[2]]);
    source.scan(NOW);
    fs::rename(&here, &away).unwrap();
    assert_eq!(rest(&mut source), NOTHING);
    fs::rename(&away, &here).unwrap();
    assert_eq!(read(&mut source), [1, 2]);
    assert_eq!(source.counts().files_failed, BTreeMap::new());
}

#[test]
fn a_folder_that_is_away_for_a_while_is_not_read_twice() {
    let (keep, log) = folder();
    let mut source = source(&log);
    put(&log.join("a.parquet"), &[&[1]]);
    assert_eq!(read(&mut source), [1]);
    fs::rename(&log, keep.path().join("away")).unwrap();
    assert_eq!(read(&mut source), NOTHING);
    fs::rename(keep.path().join("away"), &log).unwrap();
    assert_eq!(read(&mut source), NOTHING);
}

#[test]
fn a_file_that_is_gone_is_forgotten_when_its_rows_are_needed_no_more() {
    let (_keep, log) = folder();
    let mut source = source(&log);
    put(&log.join("a.parquet"), &[&[10]]);
    read(&mut source);
    fs::remove_file(log.join("a.parquet")).unwrap();
    source.scan(NOW);
    source.acknowledge(10);
    assert_eq!(source.cursors().files.len(), 1, "needed until 10, and 10 has not passed");
    source.acknowledge(11);
    assert!(source.cursors().files.is_empty());
}

#[test]
fn a_file_that_vanishes_between_two_row_groups_is_counted_and_the_others_go_on() {
    let (_keep, log) = folder();
    let mut source = source(&log);
    put(&log.join("a.parquet"), &[&[1], &[2]]);
    put(&log.join("b.parquet"), &[&[3]]);
    modified(&log.join("a.parquet"), 1000);
    modified(&log.join("b.parquet"), 2000);
    source.scan(NOW);
    assert_eq!(batch(&mut source), Some(vec![1]));
    fs::remove_file(log.join("a.parquet")).unwrap();
    assert_eq!(rest(&mut source), [3]);
    assert_eq!(source.scan(NOW), Scan::Changed);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("vanished", 1)]));
    assert_eq!(source.scan(NOW), Scan::Unchanged);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("vanished", 1)]), "counted once");
    assert_eq!(source.counts().files["failed"], 0, "what is gone is no failed file any more");
}

#[test]
fn files_come_in_order_of_first_sight_and_those_seen_together_by_age() {
    let (_keep, log) = folder();
    let mut source = source(&log);
    for (name, row, age) in [("c", 1, 1000), ("a", 2, 2000), ("b", 3, 2000)] {
        let path = log.join(name).with_extension("parquet");
        put(&path, &[&[row]]);
        modified(&path, age);
    }
    source.scan(NOW);
    let late = log.join("0.parquet");
    put(&late, &[&[4]]);
    modified(&late, 500);
    assert_eq!(read(&mut source), [1, 2, 3, 4]);
}

#[test]
fn names_that_are_no_logs_yet_are_left_alone() {
    let (_keep, log) = folder();
    let names = ["_x.parquet", ".x.parquet", "_temporary/0/x.parquet", ".hidden/x.parquet", "x.parquet.tmp", "x.txt"];
    for name in names.into_iter().chain(["x.parquet.inprogress", ".x.parquet.crc", "x.parquet.crc"]) {
        put(&log.join("aside"), &[&[1]]);
        fs::create_dir_all(log.join(name).parent().unwrap()).unwrap();
        fs::rename(log.join("aside"), log.join(name)).unwrap();
    }
    for name in ["a.parquet", "b.parq", "deep/er/c.PQ"] {
        put(&log.join(name), &[&[7]]);
    }
    assert_eq!(read(&mut source(&log)), [7, 7, 7]);
    // Asked for by a glob any name will do, but not one that says of itself that it is none yet.
    assert_eq!(read(&mut source(&log.join("x.*"))), [1], "x.txt");
    fs::rename(log.join("a.parquet"), log.join("a.log")).unwrap();
    assert_eq!(read(&mut source(&log.join("a.*"))), [7]);
    assert_eq!(read(&mut source(&log.join("a.log"))), [7]);
    assert_eq!(read(&mut source(&log.join("**/c.*"))), [7]);
}

#[test]
fn a_glob_may_be_written_with_dots_and_double_slashes() {
    let (_keep, log) = folder();
    put(&log.join("2026/a.parquet"), &[&[1]]);
    let base = log.to_str().unwrap();
    for glob in ["/./2026//*.parquet", "//2026/./*.parquet", "/202?/a.{parquet,pq}", "/*/[ab].parquet"] {
        assert_eq!(read(&mut source(Path::new(&format!("{base}{glob}")))), [1], "{glob}");
    }
}

#[test]
fn a_glob_relative_to_the_working_directory_finds_its_files() {
    // Tests run in the project's folder.
    let folder = tempfile::Builder::new().prefix("relative-").tempdir_in(".").unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    put(&folder.path().join("a.parquet"), &[&[1]]);
    for glob in
        [format!("{name}/*.parquet"), format!("./{name}/*.parquet"), format!("{}?/*.parquet", &name[..name.len() - 1])]
    {
        assert_eq!(read(&mut source(Path::new(&glob))), [1], "{glob}");
    }
}

#[test]
fn folders_name_columns_with_their_escapes_undone() {
    let (_keep, log) = folder();
    let values = [
        "country=de/at=2026-01-01 10%3A30%3A00",
        "country=fr%2Fgf/at=__HIVE_DEFAULT_PARTITION__",
        "country=50%/at=2026-01-02",
    ];
    for (i, value) in values.iter().enumerate() {
        put(&log.join(value).join("a.parquet"), &[&[i as i64, 9]]);
        modified(&log.join(value).join("a.parquet"), 1000 + i as u64);
    }
    let mut source = of(&log, vec![wanted("n", Form::Number), wanted("country", Form::Key), wanted("at", Form::Time)]);
    source.scan(NOW);
    let mut found = Vec::new();
    while let Some(batch) = source.next(NOW) {
        let (Column::Keys(keys), Column::Times(times)) = (&batch.columns[1], &batch.columns[2]) else {
            panic!("{:?}", batch.columns);
        };
        let keys = keys.downcast_dict::<arrow::array::StringArray>().unwrap();
        found.push((
            keys.into_iter().flatten().map(str::to_string).collect::<Vec<_>>(),
            times.iter().collect::<Vec<_>>(),
        ));
    }
    let time = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let row = |country: &str, time| (vec![country.to_string(); 2], vec![time; 2]);
    let expected =
        [row("de", time("2026-01-01T10:30:00Z")), row("fr/gf", None), row("50%", time("2026-01-02T00:00:00Z"))];
    assert_eq!(found, expected);
    assert_eq!(source.counts().column_problems, BTreeMap::new());
}

#[test]
fn a_run_that_goes_on_begins_in_the_middle_of_a_row_group() {
    let (_keep, log) = folder();
    let rows: Vec<i64> = (0..20_000).collect();
    put(&log.join("a.parquet"), &[&[-5], &rows]);
    let mut first = source(&log);
    first.scan(NOW);
    let mut seen = [batch(&mut first).unwrap(), batch(&mut first).unwrap()].concat();
    let mut second = source(&log);
    second.go_on(first.cursors(), i64::MIN);
    second.scan(NOW + SECOND);
    let next = second.next(NOW + SECOND).unwrap();
    assert_eq!((next.first_row as usize, next.read_at), (seen.len() - 1, NOW), "behind what the first run read");
    let Column::Numbers(numbers) = &next.columns[0] else { panic!("{:?}", next.columns) };
    seen.extend(numbers.iter().flatten().map(|number| number as i64));
    seen.extend(rest(&mut second));
    assert_eq!(seen, [&[-5], &rows[..]].concat(), "each row once");
}

#[test]
fn a_restart_reads_again_what_is_needed_and_nothing_else() {
    let (_keep, log) = folder();
    put(&log.join("a.parquet"), &[&[10], &[20], &[30]]);
    let mut first = source(&log);
    first.scan(NOW);
    assert_eq!((batch(&mut first), batch(&mut first)), (Some(vec![10]), Some(vec![20])));
    let mut second = source(&log);
    second.resume(first.cursors(), 20);
    second.scan(NOW + SECOND);
    let batch = second.next(NOW + SECOND).unwrap();
    assert_eq!((batch.rows, batch.read_at), (1, NOW), "the second row group, first read by the first run");
    assert_eq!(rest(&mut second), [30]);
    put(&log.join("a.parquet"), &[&[10], &[20], &[30], &[40]]);
    assert_eq!(read(&mut second), [40]);
}

#[test]
fn a_restart_finds_files_replaced_and_moved_meanwhile() {
    let (_keep, log) = folder();
    put(&log.join("a.parquet"), &[&[10]]);
    put(&log.join("b.parquet"), &[&[20]]);
    let mut first = source(&log);
    read(&mut first);
    fs::rename(log.join("a.parquet"), log.join("c.parquet")).unwrap();
    put(&log.join("b.parquet"), &[&[21]]);
    let mut second = source(&log);
    second.resume(first.cursors(), 15);
    assert_eq!(second.scan(NOW), Scan::Changed, "a new run has handed out nothing yet");
    assert_eq!(rest(&mut second), [21], "10 was read and is needed no more, under whatever name");
}

#[test]
fn a_name_that_is_no_text_keeps_nobody_from_saving_the_state() {
    let (keep, log) = folder();
    put(&log.join("a.parquet"), &[&[1]]);
    put(&log.join(std::ffi::OsStr::from_bytes(b"caf\xe9.parquet")), &[&[2]]);
    let mut source = source(&log);
    let mut rows = read(&mut source);
    rows.sort();
    assert_eq!(rows, [1, 2]);
    let state = State::new(1, 0, BTreeMap::from([("requests".to_string(), source.cursors())]));
    let path = keep.path().join("state.json");
    cursor::save(&path, &state).unwrap();
    assert_eq!(cursor::load(&path).unwrap(), Some(state));
}

#[test]
fn what_is_no_file_is_named_and_never_opened() {
    let (_keep, log) = folder();
    put(&log.join("good.parquet"), &[&[1]]);
    // Opening a pipe would wait for a writer.
    let made = std::process::Command::new("mkfifo").arg(log.join("pipe.parquet")).status().unwrap();
    assert!(made.success());
    let mut source = source(&log);
    assert_eq!(read(&mut source), [1]);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("unreadable", 1)]));
    assert_eq!(read(&mut source), NOTHING);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("unreadable", 1)]), "counted once");
    assert!(Table::open(&log).unwrap_err().to_string().contains("pipe.parquet"));
}

#[test]
fn reading_anew_does_not_count_unfinished_and_failed_files_again() {
    let (_keep, log) = folder();
    put(&log.join("good.parquet"), &[&[1]]);
    fs::write(log.join("bad.parquet"), b"id,price\n").unwrap();
    let mut source = source(&log);
    read(&mut source);
    source.rewind();
    source.scan(NOW + 601 * SECOND);
    assert_eq!(rest(&mut source), [1]);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("not_parquet", 1)]), "it was bad before the rewinding");
    source.rewind();
    source.scan(NOW + 602 * SECOND);
    assert_eq!(source.counts().files_failed, BTreeMap::from([("not_parquet", 1)]));
}

#[test]
fn a_table_of_more_files_than_a_process_may_hold_open_is_read() {
    let (_keep, log) = folder();
    let whole = bytes(&[&[1]]);
    let most = 1100;
    for i in 0..most {
        fs::write(log.join(format!("{i}.parquet")), &whole).unwrap();
    }
    let table = Table::open(&log).unwrap();
    assert_eq!(table.rows(), most);
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 500, "{open} files are open");
    let rows: usize = table.batches(&[wanted("n", Form::Number)]).map(|batch| batch.unwrap().rows).sum();
    assert_eq!(rows as u64, most);
}

#[test]
fn a_table_that_changes_while_it_is_read_says_so() {
    let (_keep, log) = folder();
    put(&log.join("a.parquet"), &[&[1]]);
    put(&log.join("b.parquet"), &[&[2]]);
    let mut batches = Table::open(&log).unwrap().batches(&[wanted("n", Form::Number)]);
    assert!(batches.next().unwrap().is_ok());
    put(&log.join("b.parquet"), &[&[3], &[4]]);
    let error = batches.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("b.parquet"), "{error}");
}
