//! Rows divided: by version, and by the values of other columns. Each part is a slice of its own.
//!
//! A row's tag says for the time of its label which parts it belongs to.
//!
//! After each batch the versions are the `versions_max` ones whose newest rows are newest, whatever the order of the rows; of equal ones
//! those of the last names. One that left and comes again begins anew: it has the rows that are read from then on, and their labels.

use std::collections::{BTreeMap, HashMap};

use super::columns::Columns;
use super::settle::Pair;
use super::slice::{Incoming, Slice};
use crate::batch::{Batch, Column, Wanted};
use crate::label::KeyCodes;
use crate::reference::{References, Segmentation, combinations};
use crate::settings::Settings;

/// Combinations of a version with segments that labels can find again: a column with a value for each row is no version.
const GROUPS_MAX: usize = 100_000;

/// A row of no version.
const NO_VERSION: u32 = u32::MAX;

/// The parts of a model's rows.
#[derive(Debug)]
pub(super) struct Divided {
    references: References,
    wanted: Vec<Wanted>,
    /// From the keys of a batch to the codes of versions: a version that left and comes again has a new one.
    keys: KeyCodes<u32>,
    pub(super) codes: HashMap<String, u32>,
    pub(super) next_code: u32,
    pub(super) versions: BTreeMap<u32, Version>,
    pub(super) segmented: Vec<Segmented>,
    /// Where the rows of a tag belong; a tag is a place here, from 1 on.
    pub(super) groups: Vec<Group>,
    pub(super) tags: HashMap<Group, u32>,
}

#[derive(Debug)]
pub(super) struct Version {
    pub name: String,
    pub slice: Slice,
    /// Of the rows that were taken in: a row that comes twice keeps no version here.
    pub(super) newest: i64,
}

/// One way to divide the rows.
#[derive(Debug)]
pub(super) struct Segmented {
    pub segmentation: Segmentation,
    /// One for each segment.
    pub slices: Vec<Slice>,
}

/// A version, and a segment of each way to divide the rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Group {
    version: u32,
    segments: Box<[u16]>,
}

/// The group of each row of a batch, as columns.
#[derive(Debug)]
pub(super) struct Parts {
    versions: Vec<u32>,
    segments: Vec<Vec<u16>>,
}

impl Divided {
    pub(super) fn new(settings: &Settings, references: References, wanted: &[Wanted]) -> Divided {
        let segmented = |segmentation: &Segmentation| {
            let slices = segmentation.segments.iter().map(|of| Slice::new(settings, of.reference.clone(), wanted));
            Segmented { slices: slices.collect(), segmentation: segmentation.clone() }
        };
        Divided {
            segmented: references.segmentations.iter().map(segmented).collect(),
            references,
            wanted: wanted.to_vec(),
            keys: KeyCodes::default(),
            codes: HashMap::new(),
            next_code: 0,
            versions: BTreeMap::new(),
            groups: Vec::new(),
            tags: HashMap::new(),
        }
    }

    /// Whether rows are divided at all.
    pub(super) fn is_used(settings: &Settings, references: &References) -> bool {
        settings.requests.version.is_some() || !references.segmentations.is_empty()
    }

    /// Moves the watermark of all windows.
    pub(super) fn advance(&mut self, watermark: i64) {
        self.slices_mut().for_each(|slice| slice.advance(watermark));
    }

    /// Of the versions, then of the segments.
    pub(super) fn slices(&self) -> impl Iterator<Item = &Slice> {
        let versions = self.versions.values().map(|version| &version.slice);
        versions.chain(self.segmented.iter().flat_map(|segmented| &segmented.slices))
    }

    pub(super) fn slices_mut(&mut self) -> impl Iterator<Item = &mut Slice> {
        let versions = self.versions.values_mut().map(|version| &mut version.slice);
        versions.chain(self.segmented.iter_mut().flat_map(|segmented| &mut segmented.slices))
    }

    /// For the rows of a version: compared with its own reference, where it has one.
    pub(super) fn slice_of(&self, version: &str, settings: &Settings) -> Slice {
        let reference = self.references.versions.get(version).unwrap_or(&self.references.main).clone();
        Slice::new(settings, reference, &self.wanted)
    }

    /// Finds the parts that the rows of a batch belong to. `kept`: those that count, unless they were there already.
    pub(super) fn parts(
        &mut self,
        batch: &Batch,
        columns: &Columns,
        kept: &[u32],
        (settings, watermark): (&Settings, i64),
    ) -> Parts {
        let segments = self.segmented.iter_mut().zip(&columns.segments).map(|(segmented, at)| {
            let Segmentation { labels, places, segments, .. } = &mut segmented.segmentation;
            let keys: Vec<&Column> = at.iter().map(|at| &batch.columns[*at]).collect();
            let other = segments.len() - 1;
            let place = |combination| places.get(&combination).copied().unwrap_or(other) as u16;
            combinations(labels, &keys, batch.rows).into_iter().map(place).collect()
        });
        let segments = segments.collect();
        let mut versions = vec![NO_VERSION; batch.rows];
        if let Some(Column::Keys(keys)) = columns.version.map(|at| &batch.columns[at]) {
            let Divided { keys: known, codes, next_code, .. } = self;
            known.map(keys, NO_VERSION, &mut versions, |name| match codes.get(name) {
                Some(code) => *code,
                None => {
                    codes.insert(name.to_string(), *next_code);
                    *next_code += 1;
                    *next_code - 1
                }
            });
        }
        let mut there: Vec<u32> = kept.iter().map(|row| versions[*row as usize]).collect();
        there.dedup();
        for code in there.into_iter().filter(|code| *code != NO_VERSION) {
            self.begin(code, settings, watermark);
        }
        Parts { versions, segments }
    }

    /// A version that is new has its slice before its rows are paired, since labels may wait for them.
    fn begin(&mut self, code: u32, settings: &Settings, watermark: i64) {
        if self.versions.contains_key(&code) {
            return;
        }
        let name = self.codes.iter().find(|(_, known)| **known == code).map(|(name, _)| name.clone());
        let name = name.unwrap_or_default();
        let mut slice = self.slice_of(&name, settings);
        slice.advance(watermark);
        self.versions.insert(code, Version { slice, name, newest: i64::MIN });
    }

    /// What pairs remember of a row; 0: nothing.
    pub(super) fn tag(&mut self, parts: &Parts, row: u32) -> u32 {
        let row = row as usize;
        let segments = parts.segments.iter().map(|of_rows| of_rows[row]);
        let group = Group { version: parts.versions[row], segments: segments.collect() };
        if let Some(&tag) = self.tags.get(&group) {
            return tag;
        }
        if self.groups.len() == GROUPS_MAX {
            return 0;
        }
        self.groups.push(group.clone());
        let tag = self.groups.len() as u32;
        self.tags.insert(group, tag);
        tag
    }

    /// Takes in `rows` of a batch: each into the slices that it belongs to.
    pub(super) fn take(&mut self, rows: &[u32], parts: &Parts, incoming: &mut Incoming) {
        let mut of_versions: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &row in rows {
            of_versions.entry(parts.versions[row as usize]).or_default().push(row);
        }
        for (code, rows) in of_versions {
            if let Some(version) = self.versions.get_mut(&code) {
                let newest = rows.iter().map(|&row| incoming.times[row as usize]).max();
                version.newest = newest.map_or(version.newest, |newest| newest.max(version.newest));
                version.slice.take(rows, incoming);
            }
        }
        self.let_go(incoming.settings);
        for (segmented, places) in self.segmented.iter_mut().zip(&parts.segments) {
            let mut of_segments = vec![Vec::new(); segmented.slices.len()];
            rows.iter().for_each(|&row| of_segments[usize::from(places[row as usize])].push(row));
            for (slice, rows) in segmented.slices.iter_mut().zip(of_segments).filter(|(_, rows)| !rows.is_empty()) {
                slice.take(rows, incoming);
            }
        }
    }

    /// Versions that no window has rows of any more leave, and of more than `versions_max` those whose newest row is oldest.
    fn let_go(&mut self, settings: &Settings) {
        let Divided { versions, codes, keys, .. } = self;
        let before = versions.len();
        versions.retain(|_, version| version.slice.windows.start().is_none_or(|start| version.newest >= start));
        while versions.len() > settings.versions_max {
            let oldest = versions.iter().min_by_key(|(_, version)| (version.newest, &version.name));
            let oldest = oldest.map(|(code, _)| *code);
            versions.retain(|code, _| Some(*code) != oldest);
        }
        if versions.len() < before {
            codes.retain(|_, code| versions.contains_key(code));
            *keys = KeyCodes::default();
        }
    }

    /// Adds a pair to the slices that its tag names.
    pub(super) fn learn(&mut self, tag: u32, pair: &Pair, positive: Option<u16>) {
        let Some(group) = (tag as usize).checked_sub(1).and_then(|place| self.groups.get(place)) else {
            return;
        };
        if let Some(version) = self.versions.get_mut(&group.version) {
            version.slice.learn(pair, positive);
        }
        for (segmented, place) in self.segmented.iter_mut().zip(&group.segments) {
            segmented.slices[usize::from(*place)].learn(pair, positive);
        }
    }
}
