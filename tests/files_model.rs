//! Whatever happens to the files - written in steps, grown, replaced, moved, read halfway, the process restarted, the
//! reference exchanged - a worker ends with the numbers that a fresh one gives on the files as they are.

#[path = "support/logs.rs"]
mod logs;

use std::fs;
use std::path::PathBuf;

use drift_sidecar::report::ModelReport;
use drift_sidecar::worker::{Turn, Worker};
use logs::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    /// A new file with so many row groups of so many rows, renamed into place.
    New {
        groups: usize,
        rows: usize,
    },
    /// A file is written halfway under its own name; the next act finishes it.
    Begin {
        rows: usize,
    },
    /// One more row group behind those that are there.
    Grow {
        file: usize,
        rows: usize,
    },
    /// Other rows under the same name.
    Replace {
        file: usize,
        rows: usize,
    },
    /// The same file under another name.
    Move {
        file: usize,
    },
    /// Labels for the newest rows.
    Label {
        rows: usize,
    },
    /// Another reference, of so many rows.
    Reference {
        rows: usize,
    },
    /// A bounded amount of work, or all there is.
    Turn,
    ReadAll,
    /// The process ends, with or without having kept its cursors, and another begins.
    Restart {
        saved: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let rows = 1..400usize;
    prop_oneof![
        4 => (1..4usize, rows.clone()).prop_map(|(groups, rows)| Act::New { groups, rows }),
        1 => rows.clone().prop_map(|rows| Act::Begin { rows }),
        2 => (0..9usize, rows.clone()).prop_map(|(file, rows)| Act::Grow { file, rows }),
        1 => (0..9usize, rows.clone()).prop_map(|(file, rows)| Act::Replace { file, rows }),
        1 => (0..9usize).prop_map(|file| Act::Move { file }),
        2 => rows.clone().prop_map(|rows| Act::Label { rows }),
        1 => rows.prop_map(|rows| Act::Reference { rows }),
        2 => Just(Act::Turn),
        3 => Just(Act::ReadAll),
        2 => any::<bool>().prop_map(|saved| Act::Restart { saved }),
    ]
}

struct World {
    logs: Logs,
    worker: Worker,
    /// Each file's row groups, as row numbers.
    files: Vec<(PathBuf, Vec<(usize, usize)>)>,
    begun: Option<(PathBuf, Vec<u8>)>,
    /// Rows ever written, files ever named.
    rows: usize,
    names: usize,
}

impl World {
    fn new() -> World {
        let logs = Logs::new();
        let worker = World::start(&logs);
        World { logs, worker, files: Vec::new(), begun: None, rows: 0, names: 0 }
    }

    fn start(logs: &Logs) -> Worker {
        Worker::new(logs.config(), Some(&logs.path("state")))
    }

    fn take(&mut self, rows: usize) -> (usize, usize) {
        self.rows += rows;
        (self.rows - rows, self.rows)
    }

    fn name(&mut self) -> PathBuf {
        self.names += 1;
        self.logs.path(&format!("requests/{}.parquet", self.names))
    }

    /// Writes a file as it should be, aside and then under its name.
    fn put(&self, path: &PathBuf, groups: &[(usize, usize)]) {
        let aside = path.with_extension("tmp");
        let batches: Vec<_> = groups.iter().map(|(from, to)| requests(*from, *to)).collect();
        write(&aside, &batches);
        fs::rename(aside, path).unwrap();
    }

    fn finish_begun(&mut self) {
        if let Some((path, whole)) = self.begun.take() {
            fs::write(path, whole).unwrap();
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::New { groups, rows } => {
                let groups: Vec<_> = (0..*groups).map(|_| self.take(*rows)).collect();
                let path = self.name();
                self.put(&path, &groups);
                self.files.push((path, groups));
            }
            Act::Begin { rows } => {
                self.finish_begun();
                let group = self.take(*rows);
                let path = self.name();
                self.put(&path, &[group]);
                let whole = fs::read(&path).unwrap();
                fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
                self.begun = Some((path.clone(), whole));
                self.files.push((path, vec![group]));
            }
            Act::Grow { file, rows } | Act::Replace { file, rows } if !self.files.is_empty() => {
                self.finish_begun();
                let file = file % self.files.len();
                let group = self.take(*rows);
                if matches!(act, Act::Replace { .. }) {
                    self.files[file].1.clear();
                }
                self.files[file].1.push(group);
                let (path, groups) = self.files[file].clone();
                self.put(&path, &groups);
            }
            // Seen before and after: a file that was moved and replaced at once is one that was deleted, and rows that were
            // read before retention deleted their file stay.
            Act::Move { file } if !self.files.is_empty() => {
                self.finish_begun();
                self.act(&Act::ReadAll);
                let file = file % self.files.len();
                let path = self.name();
                fs::rename(&self.files[file].0, &path).unwrap();
                self.files[file].0 = path;
                self.act(&Act::ReadAll);
            }
            Act::Label { rows } => {
                self.names += 1;
                let path = self.logs.path(&format!("outcomes/{}.parquet", self.names));
                write(&path, &[outcomes(self.rows.saturating_sub(*rows), self.rows)]);
            }
            Act::Reference { rows } => self.logs.put_reference(1000 + rows),
            Act::Turn => {
                self.worker.turn(NOW);
            }
            Act::ReadAll => while self.worker.turn(NOW) == Turn::Busy {},
            Act::Restart { saved } => {
                if *saved {
                    self.worker.save();
                }
                self.worker = World::start(&self.logs);
            }
            Act::Grow { .. } | Act::Replace { .. } | Act::Move { .. } => {}
        }
    }
}

/// Numbers by name.
fn numbers(report: &ModelReport) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for window in &report.windows {
        found.push(("rows".to_string(), window.rows as f64));
        found.extend(window.labelled_rows.map(|rows| ("labelled rows".to_string(), rows as f64)));
        found.extend(window.quality.iter().filter_map(|quality| quality.f1).map(|f1| ("f1".to_string(), f1)));
        for column in &window.columns {
            let scores = column.tests.iter().map(|test| (format!("{} {}", column.column, test.method), test.score));
            found.extend(scores);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_numbers_are_those_of_the_files_as_they_are(acts in prop::collection::vec(act(), 1..25)) {
        let mut world = World::new();
        acts.iter().for_each(|act| world.act(act));
        world.finish_begun();
        let found = numbers(&read(&mut world.worker, NOW));
        let expected = numbers(&world.logs.read());
        prop_assert_eq!(found.len(), expected.len());
        for ((name, value), (_, expected)) in found.iter().zip(&expected) {
            prop_assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{}: {} and not {}", name, value, expected);
        }
        let rows: usize = world.files.iter().flat_map(|(_, groups)| groups).map(|(from, to)| to - from).sum();
        prop_assert_eq!(expected[0].1 as usize, rows, "every row of every file, once");
    }
}
