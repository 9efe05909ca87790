//! Where a reference comes from: the first rows of a log, its trailing past, a file for each version. Each story runs on real
//! Parquet files, and ends with the reference that a plain file with the same rows would have been.

#[path = "support/logs.rs"]
mod logs;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use drift_sidecar::report::{Mode, ModelReport, Moment, ReferenceReport};
use drift_sidecar::worker::Worker;
use logs::*;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A midnight.
const MIDNIGHT: i64 = NOW / DAY * DAY;

fn reference(report: &ModelReport) -> &ReferenceReport {
    assert_eq!(report.problems, Vec::<String>::new());
    report.reference.as_ref().unwrap()
}

fn digest(report: &ModelReport) -> &str {
    &reference(report).digest
}

/// The Report of a worker that begins now.
fn fresh(logs: &Logs, more: &str, now: i64) -> ModelReport {
    read(&mut Worker::new(logs.config_with(more), None), now)
}

/// What the reference would be if these rows were a file.
fn as_file(logs: &Logs, rows: &RecordBatch) -> String {
    write(&logs.path("as_file.parquet"), &[without(&without(rows, "request_id"), "timestamp")]);
    digest(&fresh(logs, "reference: {path: as_file.parquet}", NOW)).to_string()
}

/// Rows `from..to` at other times.
fn requests_at(from: usize, to: usize, at: impl Fn(usize) -> i64) -> RecordBatch {
    with(&requests(from, to), "timestamp", times((from..to).map(|i| Some(at(i)))))
}

/// A row each ten minutes from ten days before midnight.
fn slow(i: usize) -> i64 {
    MIDNIGHT - 10 * DAY + i as i64 * HOUR / 6
}

const A_DAY: usize = 144;

#[test]
fn the_first_rows_are_kept_over_restarts_and_over_the_logs_own_end() {
    let logs = Logs::new();
    write(&logs.path("requests/2.parquet"), &[requests(500, 800), requests(800, 1500)]);
    let more = "reference: {first_rows: 1000}";
    let state = logs.path("state");
    let worker = || Worker::new(logs.config_with(more), Some(&state));
    assert_eq!(reference(&read(&mut worker(), NOW)).rows, 1000);
    let kept = state.join("m.reference.parquet");
    assert!(kept.exists());

    // Losing the file makes the sidecar take the first ones anew: now there are earlier ones.
    fs::remove_file(&kept).unwrap();
    write(&logs.path("requests/1.parquet"), &[requests(0, 500)]);
    write(&logs.path("outcomes/1.parquet"), &[outcomes(0, 400)]);
    let mut first = worker();
    let report = read(&mut first, NOW);
    let found = reference(&report);
    assert_eq!(found.digest, as_file(&logs, &requests(0, 1000)));
    assert_eq!((found.mode, found.start, found.end), (Mode::FirstRows, Some(Moment(time(0))), Some(Moment(time(999)))));
    // The labels that have come for them are theirs.
    assert_eq!(found.quality.as_ref().unwrap().labelled_rows, 400);
    assert_eq!(found.quality.as_ref().unwrap().f1, Some(1.0));
    assert_eq!(window(&report).rows, 1500);

    // Rows that come later, even earlier ones, change nothing; nor does a restart, nor that their files are gone.
    write(&logs.path("requests/3.parquet"), &[requests(1500, 1600)]);
    assert_eq!(digest(&read(&mut first, NOW)), digest(&report));
    fs::remove_file(logs.path("requests/1.parquet")).unwrap();
    let again = read(&mut worker(), NOW);
    assert_eq!(serde_json::to_value(reference(&again)).unwrap(), serde_json::to_value(reference(&report)).unwrap());

    // Deleted under the running sidecar: what is there now comes first.
    fs::remove_file(&kept).unwrap();
    assert_eq!(digest(&read(&mut first, NOW)), as_file(&logs, &requests(500, 1500)));
    assert!(kept.exists());
    assert_eq!(digest(&fresh(&logs, more, NOW)), digest(&read(&mut worker(), NOW)), "in memory they are the same");

    fs::write(&kept, b"PAR1 and no more").unwrap();
    let problem = &read(&mut worker(), NOW).problems[0];
    assert!(problem.contains("delete the file, and the first rows are taken anew"), "{problem}");
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_first_rows_in_memory() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 1200)]);
    let state = logs.path("state");
    fs::create_dir_all(&state).unwrap();
    std::os::unix::fs::symlink("/dev/full", state.join("m.reference.parquet.tmp")).unwrap();
    let mut worker = Worker::new(logs.config_with("reference: {first_rows: 1000}"), Some(&state));
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 1000)));
    assert!(!state.join("m.reference.parquet").exists());
    write(&logs.path("requests/0.parquet"), &[requests_at(2000, 2100, |i| time(i) - HOUR)]);
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 1000)));
}

#[test]
fn until_there_are_so_many_rows_the_model_says_how_many_there_are() {
    let logs = Logs::new();
    let mut worker = Worker::new(logs.config_with("reference: {first_rows: 1000}"), None);
    let words = |there: u64| vec![format!("the reference takes the first 1000 rows; {there} are there")];
    assert_eq!(read(&mut worker, NOW).problems, words(0));
    write(&logs.path("requests/1.parquet"), &[requests(0, 312)]);
    assert_eq!(read(&mut worker, NOW).problems, words(312));
    // Rows without a time, or of the future, are none.
    let lost = |i: usize| i.is_multiple_of(2).then_some(NOW + DAY);
    let lost = with(&requests(2000, 3000), "timestamp", times((2000..3000).map(lost)));
    write(&logs.path("requests/2.parquet"), &[lost]);
    assert_eq!(read(&mut worker, NOW).problems, words(312));
    write(&logs.path("requests/3.parquet"), &[requests(312, 1400)]);
    let report = read(&mut worker, NOW);
    assert_eq!(digest(&report), as_file(&logs, &requests(0, 1000)));
    assert_eq!(window(&report).rows, 1400);
}

#[test]
fn a_trailing_past_follows_the_newest_row_in_steps() {
    let logs = Logs::new();
    let more = "reference: {trailing: 7d}";
    for day in 0..10 {
        let rows = requests_at(day * A_DAY, (day + 1) * A_DAY, slow);
        write(&logs.path(&format!("requests/{day}.parquet")), &[rows]);
    }
    write(&logs.path("outcomes/1.parquet"), &[outcomes(0, 0)]);
    let mut worker = Worker::new(logs.config_with(more), None);
    // The newest row is of 23:50: its window begins in the tenth day, and the step is a day.
    let before = read(&mut worker, NOW);
    assert_eq!(digest(&before), as_file(&logs, &requests(2 * A_DAY, 9 * A_DAY)));
    let found = reference(&before);
    let ends = (Some(Moment(MIDNIGHT - 8 * DAY)), Some(Moment(MIDNIGHT - DAY)));
    assert_eq!((found.mode, found.start, found.end), (Mode::Trailing, ends.0, ends.1));
    assert_eq!(found.rows, 7 * A_DAY as u64);

    // Half an hour past midnight the window is still one of yesterday; a future row moves nothing.
    write(&logs.path("requests/a.parquet"), &[requests_at(10 * A_DAY, 10 * A_DAY + 4, slow)]);
    write(&logs.path("requests/b.parquet"), &[requests_at(2900, 2901, |_| NOW + 3 * DAY)]);
    assert_eq!(digest(&read(&mut worker, NOW)), digest(&before));
    write(&logs.path("requests/c.parquet"), &[requests_at(10 * A_DAY + 4, 10 * A_DAY + 10, slow)]);
    let after = read(&mut worker, NOW);
    assert_eq!(digest(&after), as_file(&logs, &requests(3 * A_DAY, 10 * A_DAY)));
    assert_eq!(reference(&after).end, Some(Moment(MIDNIGHT)));

    // What windows hold is what it would be had this reference been there from the beginning.
    let windows = |report: &ModelReport| serde_json::to_value(&report.windows).unwrap();
    assert_eq!(windows(&after), windows(&fresh(&logs, more, NOW)));
    assert!(window(&after).rows > 0);
}

#[test]
fn a_trailing_past_without_rows_is_said_and_the_old_one_stays() {
    let logs = Logs::new();
    let more = "reference: {trailing: 7d}";
    let mut worker = Worker::new(logs.config_with(more), None);
    let empty = read(&mut worker, NOW);
    assert_eq!(empty.problems, ["the reference is the past of the request log, and the log has no rows yet"]);
    write(&logs.path("requests/1.parquet"), &[requests_at(A_DAY / 2, A_DAY, slow)]);
    let young = read(&mut worker, NOW);
    assert_eq!(
        young.problems,
        [format!(
            "the reference takes the rows from {} to {}; none is there",
            Moment(MIDNIGHT - 17 * DAY),
            Moment(MIDNIGHT - 10 * DAY)
        )]
    );
    write(&logs.path("requests/2.parquet"), &[requests_at(A_DAY, 2 * A_DAY, slow)]);
    let first = read(&mut worker, NOW);
    assert_eq!(digest(&first), as_file(&logs, &requests(A_DAY / 2, A_DAY)));
    // Nobody asked anything for nine days.
    write(&logs.path("requests/3.parquet"), &[requests_at(2000, 2100, |_| NOW)]);
    assert_eq!(digest(&read(&mut worker, NOW)), digest(&first));
}

#[test]
fn of_more_rows_than_a_reference_takes_each_is_as_likely_as_any_other() {
    let logs = Logs::new();
    let rows = 150_000usize;
    let at = |i: usize| MIDNIGHT - 7 * DAY + i as i64 * SECOND;
    let batch = |from: usize, to: usize| {
        let part = |i: usize| Some(["first", "second", "third"][i * 3 / rows]);
        table(vec![
            ("timestamp", times((from..to).map(|i| Some(at(i))))),
            ("part", texts((from..to).map(part))),
            ("prediction", texts((from..to).map(|i| Some(class(i))))),
        ])
    };
    write(&logs.path("requests/1.parquet"), &[batch(0, 70_000), batch(70_000, 150_000)]);
    write(&logs.path("requests/2.parquet"), &[requests_at(0, 1, |_| MIDNIGHT + HOUR)]);
    let report = fresh(&logs, "reference: {trailing: 14d}", NOW);
    assert_eq!(reference(&report).rows, 100_000);
    assert_eq!(digest(&report), digest(&fresh(&logs, "reference: {trailing: 14d}", NOW)));
    let parts = &column(&report, "part").distribution.as_ref().unwrap().reference;
    // A third each; a standard deviation is 86: sqrt(100000 * 1/3 * 2/3 * (1 - 2/3))
    let thirds = |count: &u64| (*count as f64 - 100_000.0 / 3.0).abs() < 350.0;
    assert!(parts.iter().filter(|count| **count > 0).all(thirds), "{parts:?}");
}

#[test]
fn the_same_hour_of_the_week_is_compared_with_its_like() {
    let logs = Logs::new();
    // Five weeks of a row each half an hour, whose price is the hour of the week.
    let hour = |i: usize| (i / 2) % 168;
    let at = |i: usize| MIDNIGHT - 35 * DAY + i as i64 * HOUR / 2;
    let rows = 35 * 48;
    let prices = floats((0..rows).map(|i| Some(hour(i) as f64)));
    let all = with(&requests_at(0, rows, at), "price", prices);
    write(&logs.path("requests/1.parquet"), &[all.slice(0, 700), all.slice(700, rows - 700)]);
    let report = fresh(&logs, "reference: {trailing: 28d, same_hour_of_week: true}", NOW);
    // The newest row is of 23:30, its window begins at 22:30: it touches the last two hours of the week.
    let found = reference(&report);
    assert_eq!(found.end, Some(Moment(MIDNIGHT - 2 * HOUR)));
    let alike = |i: &usize| hour(*i) >= 166 && at(*i) < MIDNIGHT - 2 * HOUR && at(*i) >= MIDNIGHT - 28 * DAY - 2 * HOUR;
    let alike: Vec<RecordBatch> = (0..rows).filter(alike).map(|i| all.slice(i, 1)).collect();
    assert_eq!(alike.len(), 16);
    assert_eq!(found.digest, as_file(&logs, &concat_batches(&all.schema(), &alike).unwrap()));
}

fn write_without_statistics(path: &Path, batch: &RecordBatch) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn footers_only_save_time() {
    let logs = Logs::new();
    let millis = |from: usize, to: usize| -> ArrayRef {
        Arc::new((from..to).map(|i| Some(slow(i) / 1000)).collect::<Int64Array>())
    };
    write_without_statistics(&logs.path("requests/1.parquet"), &requests_at(0, 5 * A_DAY, slow));
    let numbers = with(&requests(5 * A_DAY, 10 * A_DAY), "timestamp", millis(5 * A_DAY, 10 * A_DAY));
    write(&logs.path("requests/2.parquet"), &[numbers]);
    let report = fresh(&logs, "reference: {trailing: 7d}", NOW);
    assert_eq!(digest(&report), as_file(&logs, &requests(2 * A_DAY, 9 * A_DAY)));
    let first = fresh(&logs, "reference: {first_rows: 1000}", NOW);
    assert_eq!(digest(&first), as_file(&logs, &requests(0, 1000)));
}

#[test]
fn torn_files_are_left_out() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests_at(0, 10 * A_DAY, slow)]);
    write(&logs.path("requests/2.parquet"), &[requests_at(1500, 2500, |_| MIDNIGHT - 2 * DAY)]);
    write(&logs.path("outcomes/1.parquet"), &[outcomes(0, 1440)]);
    let torn = logs.path("requests/2.parquet");
    let whole = fs::read(&torn).unwrap();
    for (number, bytes) in [
        ("half", whole[..whole.len() / 2].to_vec()),
        ("nonsense", b"PAR1 nonsense PAR1".to_vec()),
        // The footer is whole, and nothing that it speaks of is.
        (
            "hollow",
            whole.iter().enumerate().map(|(i, b)| if (4..whole.len() * 4 / 5).contains(&i) { 7 } else { *b }).collect(),
        ),
    ] {
        fs::write(&torn, bytes).unwrap();
        fs::write(logs.path("outcomes/2.parquet"), b"PAR1").unwrap();
        let report = fresh(&logs, "reference: {trailing: 7d}", NOW);
        assert_eq!(digest(&report), as_file(&logs, &requests(2 * A_DAY, 9 * A_DAY)), "{number}");
        assert_eq!(reference(&report).quality.as_ref().unwrap().labelled_rows, 7 * A_DAY as u64);
        let state = logs.path(number);
        let mut worker = Worker::new(logs.config_with("reference: {first_rows: 1000}"), Some(&state));
        assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 1000)), "{number}");
    }
}

#[test]
fn the_later_of_two_outcomes_is_the_label_of_the_reference() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 1000)]);
    let wrong = |from: usize, to: usize, delay: i64| {
        let wrong = with(&outcomes(from, to), "label", texts((from..to).map(|i| Some(class(i + 1)))));
        with(&wrong, "timestamp", times((from..to).map(|i| Some(time(i) + delay))))
    };
    // 200 that were wrong at first and corrected, 100 that were right and were taken back, 50 that came after label_delay_max.
    let late = wrong(300, 350, 8 * DAY);
    write(&logs.path("outcomes/1.parquet"), &[wrong(200, 300, 60 * SECOND), late, outcomes(0, 300), wrong(0, 200, 0)]);
    let report = fresh(&logs, "reference: {first_rows: 1000}", NOW);
    let quality = reference(&report).quality.as_ref().unwrap();
    assert_eq!(quality.labelled_rows, 300);
    assert_eq!(quality.accuracy, Some(200.0 / 300.0));
}

#[test]
fn labels_that_stand_in_the_request_log_are_those_of_the_reference() {
    let logs = Logs::new();
    let rows = requests(0, 1000);
    let mut columns: Vec<(String, ArrayRef)> =
        rows.schema().fields().iter().map(|f| f.name().clone()).zip(rows.columns().iter().cloned()).collect();
    columns.push(("label".to_string(), texts((0..1000).map(|i| Some(if i < 250 { "b" } else { class(i) })))));
    let batch = table(columns.iter().map(|(name, array)| (name.as_str(), array.clone())).collect());
    write(&logs.path("requests/1.parquet"), &[batch]);
    write(&logs.path("outcomes/1.parquet"), &[outcomes(0, 100)]);
    let quality = reference(&fresh(&logs, "reference: {first_rows: 1000}", NOW)).quality.clone().unwrap();
    assert_eq!((quality.labelled_rows, quality.accuracy), (1000, Some(0.875)));
}

#[test]
fn files_of_other_columns_and_types_are_kept_as_one() {
    let logs = Logs::new();
    let whole: ArrayRef = Arc::new((0..500).map(|i| Some(i as i64 * 3)).collect::<Int64Array>());
    write(&logs.path("requests/dt=1/1.parquet"), &[without(&with(&requests(0, 500), "price", whole), "color")]);
    let halves = floats((500..1000).map(|i| Some(i as f64 + 0.5)));
    write(&logs.path("requests/dt=2/2.parquet"), &[with(&requests(500, 1000), "price", halves)]);
    let more = "reference: {first_rows: 1000}";
    let kept = read(&mut Worker::new(logs.config_with(more), Some(&logs.path("state"))), NOW);
    assert_eq!(digest(&kept), digest(&fresh(&logs, more, NOW)));
    assert_eq!(column(&kept, "color").missing_ratio_reference, Some(0.5));
    assert_eq!(column(&kept, "price").missing_ratio_reference, Some(0.0));
    assert_eq!(column(&kept, "price").missing_ratio, Some(0.0));
    assert_eq!(column(&kept, "dt").unseen_ratio, Some(0.0));
}

/// As a registry puts it there: written aside, renamed, at a time that the test gives.
fn put_version(logs: &Logs, version: &str, rows: &RecordBatch, second: u64) {
    let path = logs.path(&format!("reference/{version}.parquet"));
    write(&path, &[without(&without(rows, "request_id"), "timestamp")]);
    modified(&path, second);
}

fn modified(path: &Path, second: u64) {
    let modified = UNIX_EPOCH + Duration::from_secs(second);
    File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_file_for_each_version_and_the_newest_for_the_model_as_a_whole() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 1000)]);
    let mut worker = Worker::new(logs.config_with("reference: {path: \"reference/{version}.parquet\"}"), None);
    let none = read(&mut worker, NOW);
    assert!(none.problems[0].contains("whatever {version} is"), "{:?}", none.problems);

    put_version(&logs, "v1", &requests(0, 500), 1000);
    put_version(&logs, "v2", &requests(0, 700), 2000);
    let both = read(&mut worker, NOW);
    assert_eq!(digest(&both), as_file(&logs, &requests(0, 700)));
    assert_eq!((reference(&both).mode, reference(&both).start), (Mode::Versions, None));
    // Modified at one time: the last name counts.
    put_version(&logs, "v3", &requests(0, 900), 2000);
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 900)));
    // Rolled back by touching the old one; then the newest is taken away, and then all are.
    put_version(&logs, "v1", &requests(0, 500), 3000);
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 500)));
    fs::remove_file(logs.path("reference/v1.parquet")).unwrap();
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 900)));
    // A version that is no Parquet harms no other one, unless it is the newest: then what was in force stays.
    fs::write(logs.path("reference/v0.parquet"), "nonsense").unwrap();
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 900)));
    modified(&logs.path("reference/v0.parquet"), 500);
    put_version(&logs, "v3", &requests(0, 800), 2500);
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 800)));
    put_version(&logs, "v4", &requests(0, 300), 4_000_000_000);
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 300)));
    fs::remove_dir_all(logs.path("reference")).unwrap();
    assert_eq!(digest(&read(&mut worker, NOW)), as_file(&logs, &requests(0, 300)));
}

#[test]
fn the_reference_of_another_version_is_judged_as_the_main_one_is() {
    let logs = Logs::new();
    write(&logs.path("requests/1.parquet"), &[requests(0, 1000)]);
    let rooms = |batch: &RecordBatch, rooms: i64| {
        let rooms: ArrayRef = Arc::new((0..batch.num_rows() as i64).map(|i| Some(i % rooms)).collect::<Int64Array>());
        let schema = batch.schema();
        let columns = schema.fields().iter().map(|field| field.name().as_str()).zip(batch.columns().iter().cloned());
        table(columns.chain([("rooms", rooms)]).collect())
    };
    // Four rooms are categories; two hundred would be numbers, were they not four in the main reference.
    put_version(&logs, "new", &rooms(&requests(0, 600), 4), 2000);
    let garden = without(&rooms(&requests(0, 600), 200), "color");
    let schema = garden.schema();
    let columns = schema.fields().iter().map(|field| field.name().as_str()).zip(garden.columns().iter().cloned());
    let garden = table(columns.chain([("garden", floats((0..600).map(|i| Some(i as f64))))]).collect());
    put_version(&logs, "old", &garden, 1000);
    fs::write(logs.path("reference/torn.parquet"), "PAR1").unwrap();
    modified(&logs.path("reference/torn.parquet"), 1500);
    let mut worker = Worker::new(logs.config_with("reference: {path: \"reference/{version}.parquet\"}"), None);
    read(&mut worker, NOW);
    let found = worker.references().unwrap();
    assert_eq!(found.versions.keys().collect::<Vec<_>>(), ["new", "old"]);
    assert!(Arc::ptr_eq(&found.main, &found.versions["new"]));
    let told = |version: &str| -> Vec<(String, &str)> {
        let columns = found.versions[version].columns.iter();
        columns.map(|column| (column.name.clone(), column.kind.name())).collect()
    };
    let one = |name: &str, kind: &'static str| (name.to_string(), kind);
    let [price, rooms] = [one("price", "numerical"), one("rooms", "categorical")];
    let [color, prediction] = [one("color", "categorical"), one("prediction", "categorical")];
    assert_eq!(told("new"), [price.clone(), color, rooms.clone(), prediction.clone()]);
    assert_eq!(told("old"), [price, rooms, prediction]);
}
