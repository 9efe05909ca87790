//! A source beside a naive model of it, under random acts: whatever happens to the files, every needed row is handed out
//! once, and that rows went away by replacement is told if and only if they were read and are still needed.
//!
//! A row is a number that is never used again; it is also its own event time.

#[path = "support/files.rs"]
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use drift_sidecar::source::cursor::Cursors;
use drift_sidecar::source::{Scan, Source};
use files::*;
use proptest::prelude::*;

/// Row groups, as row numbers.
type Content = Vec<Vec<i64>>;

#[derive(Debug, Clone)]
enum Act {
    New {
        groups: usize,
        rows: usize,
    },
    /// Written halfway in place, over what is there or as a new file; the next act but reading finishes it.
    Begin {
        file: usize,
        rows: usize,
    },
    Grow {
        file: usize,
        rows: usize,
    },
    Replace {
        file: usize,
        rows: usize,
    },
    /// Under a new name, or over another file.
    Move {
        file: usize,
        onto: Option<usize>,
    },
    /// Moved aside, and a new one begun in its place.
    Rotate {
        file: usize,
        rows: usize,
    },
    TakeAway {
        file: usize,
    },
    BringBack {
        same_name: bool,
    },
    Scan,
    Read {
        batches: usize,
    },
    /// So much of what was written is needed no more.
    Acknowledge {
        percent: i64,
    },
    Save,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let file = 0..8usize;
    // More than a batch of rows now and then, so that a row group is left halfway.
    let rows = || prop_oneof![9 => 1..5usize, 1 => 8193..8200usize];
    prop_oneof![
        4 => (1..4usize, rows()).prop_map(|(groups, rows)| Act::New { groups, rows }),
        2 => (file.clone(), rows()).prop_map(|(file, rows)| Act::Begin { file, rows }),
        2 => (file.clone(), rows()).prop_map(|(file, rows)| Act::Grow { file, rows }),
        1 => (file.clone(), rows()).prop_map(|(file, rows)| Act::Replace { file, rows }),
        2 => (file.clone(), prop::option::weighted(0.3, file.clone())).prop_map(|(file, onto)| Act::Move { file, onto }),
        1 => (file.clone(), rows()).prop_map(|(file, rows)| Act::Rotate { file, rows }),
        2 => file.prop_map(|file| Act::TakeAway { file }),
        2 => any::<bool>().prop_map(|same_name| Act::BringBack { same_name }),
        4 => Just(Act::Scan),
        6 => (1..6usize).prop_map(|batches| Act::Read { batches }),
        1 => (0..110i64).prop_map(|percent| Act::Acknowledge { percent }),
        1 => Just(Act::Save),
        1 => Just(Act::Restart),
    ]
}

struct World {
    _keep: tempfile::TempDir,
    log: PathBuf,
    source: Source,
    saved: Option<(Cursors, i64, BTreeMap<PathBuf, Content>)>,
    /// The naive model: what is on disk, ...
    disk: BTreeMap<PathBuf, Content>,
    begun: Option<(PathBuf, Content)>,
    away: Vec<(PathBuf, PathBuf, Content)>,
    /// ... what the last look saw under each name (names that are gone stay), ...
    seen: BTreeMap<PathBuf, Content>,
    /// ... and what was handed out since the beginning, or since the source began anew.
    handed: BTreeSet<i64>,
    groups: BTreeMap<i64, Vec<i64>>,
    low_water: i64,
    rows: i64,
    names: usize,
}

impl World {
    fn new() -> World {
        let (keep, log) = folder();
        World {
            source: source(&log),
            _keep: keep,
            log,
            saved: None,
            disk: BTreeMap::new(),
            begun: None,
            away: Vec::new(),
            seen: BTreeMap::new(),
            handed: BTreeSet::new(),
            groups: BTreeMap::new(),
            low_water: i64::MIN,
            rows: 0,
            names: 0,
        }
    }

    fn group(&mut self, rows: usize) -> Vec<i64> {
        let group: Vec<i64> = (self.rows..self.rows + rows as i64).collect();
        self.rows += rows as i64;
        self.groups.extend(group.iter().map(|row| (*row, group.clone())));
        group
    }

    fn name(&mut self) -> PathBuf {
        self.names += 1;
        self.log.join(format!("{}.parquet", self.names))
    }

    fn pick(&self, file: usize) -> Option<PathBuf> {
        self.disk.keys().nth(file % self.disk.len().max(1)).cloned()
    }

    /// Renamed into place, each file a second younger than the one before.
    fn put(&mut self, path: &Path, content: Content) {
        let groups: Vec<&[i64]> = content.iter().map(Vec::as_slice).collect();
        put(path, &groups);
        self.touch(path);
        self.disk.insert(path.to_path_buf(), content);
    }

    fn touch(&mut self, path: &Path) {
        self.names += 1;
        modified(path, 1000 + self.names as u64);
    }

    fn finish_begun(&mut self) {
        if let Some((path, content)) = self.begun.take() {
            let groups: Vec<&[i64]> = content.iter().map(Vec::as_slice).collect();
            fs::write(&path, bytes(&groups)).unwrap();
            self.touch(&path);
            self.disk.insert(path, content);
        }
    }

    fn write(&mut self, act: &Act) {
        self.finish_begun();
        match *act {
            Act::New { groups, rows } => {
                let content = (0..groups).map(|_| self.group(rows)).collect();
                let path = self.name();
                self.put(&path, content);
            }
            Act::Begin { file, rows } => {
                let path = if file < 4 { self.pick(file) } else { None };
                let path = path.unwrap_or_else(|| self.name());
                let mut content = self.disk.remove(&path).unwrap_or_default();
                content.push(self.group(rows));
                let groups: Vec<&[i64]> = content.iter().map(Vec::as_slice).collect();
                let whole = bytes(&groups);
                fs::write(&path, &whole[..whole.len() - 7]).unwrap();
                self.touch(&path);
                self.begun = Some((path, content));
            }
            Act::Grow { file, rows } | Act::Replace { file, rows } => {
                let Some(path) = self.pick(file) else { return };
                let mut content = if matches!(act, Act::Grow { .. }) { self.disk[&path].clone() } else { Vec::new() };
                content.push(self.group(rows));
                self.put(&path, content);
            }
            Act::Move { file, onto } => {
                let Some(from) = self.pick(file) else { return };
                let to = onto.and_then(|onto| self.pick(onto)).unwrap_or_else(|| self.name());
                fs::rename(&from, &to).unwrap();
                let content = self.disk.remove(&from).unwrap();
                self.disk.insert(to, content);
            }
            Act::Rotate { file, rows } => {
                let Some(path) = self.pick(file) else { return };
                let to = self.name();
                fs::rename(&path, &to).unwrap();
                let content = self.disk.remove(&path).unwrap();
                self.disk.insert(to, content);
                let group = self.group(rows);
                self.put(&path, vec![group]);
            }
            Act::TakeAway { file } => {
                let Some(path) = self.pick(file) else { return };
                self.names += 1;
                let away = self._keep.path().join(self.names.to_string());
                fs::rename(&path, &away).unwrap();
                let content = self.disk.remove(&path).unwrap();
                self.away.push((away, path, content));
            }
            Act::BringBack { same_name } => {
                let Some((away, path, content)) = self.away.pop() else { return };
                let path = if same_name && !self.disk.contains_key(&path) { path } else { self.name() };
                fs::rename(&away, &path).unwrap();
                self.disk.insert(path, content);
            }
            _ => {}
        }
    }

    /// Until when the rows of a row group that were handed out are needed.
    fn needed_until(&self, group: &[i64]) -> Option<i64> {
        group.iter().copied().filter(|row| self.handed.contains(row)).max()
    }

    fn is_needed(&self, content: &Content) -> bool {
        content.iter().any(|group| self.needed_until(group).is_some_and(|until| until >= self.low_water))
    }

    fn scan(&mut self) -> Scan {
        let goes_on = |old: &Content, new: &Content| new.starts_with(old);
        let mut replaced = false;
        for (path, old) in std::mem::take(&mut self.seen) {
            let here = self.disk.get(&path);
            let elsewhere = self.disk.iter().any(|(other, new)| *other != path && goes_on(&old, new));
            if here.is_none_or(|new| goes_on(&old, new)) && !elsewhere {
                self.seen.insert(path, old);
            } else if !elsewhere {
                replaced |= self.is_needed(&old);
            }
        }
        self.seen.extend(self.disk.clone());
        let found = self.source.scan(NOW);
        assert_eq!(is_replaced(&found), replaced, "{found:?}");
        if replaced {
            self.source.rewind();
            self.begin_anew(i64::MIN);
            assert!(!is_replaced(&self.source.scan(NOW)));
            self.seen = self.disk.clone();
        }
        found
    }

    fn begin_anew(&mut self, low_water: i64) {
        self.seen.clear();
        self.handed.clear();
        self.low_water = low_water;
    }

    fn read(&mut self) -> bool {
        let Some(rows) = batch(&mut self.source) else { return false };
        let known = self.needed_until(&self.groups[&rows[0]]);
        for row in &rows {
            let again = self.handed.contains(row) && known >= Some(self.low_water);
            assert!(!again, "row {row} was handed out twice, and was needed all the time");
        }
        self.handed.extend(rows);
        true
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Scan => drop(self.scan()),
            Act::Read { batches } => drop((0..*batches).take_while(|_| self.read()).count()),
            Act::Acknowledge { percent } => {
                self.low_water = self.low_water.max(self.rows * percent / 100);
                self.source.acknowledge(self.low_water);
            }
            Act::Save => self.saved = Some((self.source.cursors(), self.low_water, self.seen.clone())),
            Act::Restart => {
                self.source = source(&self.log);
                self.begin_anew(i64::MIN);
                if let Some((cursors, low_water, seen)) = self.saved.clone() {
                    self.source.resume(cursors, low_water);
                    (self.low_water, self.seen) = (low_water, seen);
                }
            }
            _ => self.write(act),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_needed_row_is_handed_out_once(acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::new();
        acts.iter().for_each(|act| world.act(act));
        world.finish_begun();
        while world.scan() != Scan::Unchanged || world.read() {
            while world.read() {}
        }
        for group in world.disk.values().flatten() {
            let needed = group.iter().max() >= Some(&world.low_water);
            for row in group {
                prop_assert!(!needed || world.handed.contains(row), "row {} was not handed out", row);
            }
        }
        let counts = world.source.counts();
        prop_assert_eq!(counts.files["read"], world.disk.len() as u64);
        prop_assert_eq!((counts.files["waiting"], counts.files["unfinished"], counts.files["failed"]), (0, 0, 0));
        prop_assert_eq!(counts.rows_waiting, 0);
    }
}
