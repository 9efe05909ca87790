//! History: which rows a log holds, by event time, and some of them again: those that a reference is made of.
//!
//! Footers are remembered as long as their files stay as they are, and tell which row groups need not be opened. A first pass over
//! the times alone chooses rows, a second one reads them: so memory follows the rows chosen, not those of the log. A file that cannot be
//! read is left out and named once. No clock.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use xxhash_rust::xxh3::Xxh3Default;

use super::columns;
use super::cursor;
use super::labels::Labels;
use super::parquet::{self, Failure, Opened, Writer};
use super::scan::{self, Place, Stamp};
use crate::batch::{Batch, Column, Field, Form, Log, Nature, Wanted};

const HOUR: i64 = 3_600_000_000;
const HOURS_OF_WEEK: i64 = 168;

/// Event times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Included and excluded, in microseconds.
    pub from: i64,
    pub to: i64,
    /// Hours of the week in UTC, as [`hour_of_week`] numbers them; empty: all.
    pub hours: BTreeSet<i64>,
}

/// 0 to 167. Which one is the first does not matter.
pub fn hour_of_week(time: i64) -> i64 {
    time.div_euclid(HOUR).rem_euclid(HOURS_OF_WEEK)
}

impl Span {
    fn holds(&self, time: i64) -> bool {
        (self.from..self.to).contains(&time) && (self.hours.is_empty() || self.hours.contains(&hour_of_week(time)))
    }

    fn meets(&self, (least, most): (i64, i64)) -> bool {
        least < self.to && self.from <= most
    }
}

/// Which rows of a span to take where there are more than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The earliest.
    First,
    /// Each as likely as any other: those of the smallest lots.
    Evenly,
}

/// Rows chosen of a log.
#[derive(Debug, Default)]
pub struct Chosen {
    /// How many the span holds.
    pub there: u64,
    pub rows: u64,
    /// Event times of the first and the last one.
    pub ends: Option<(i64, i64)>,
    /// By the first event time in each.
    groups: Vec<ChosenGroup>,
}

#[derive(Debug)]
struct ChosenGroup {
    path: PathBuf,
    group: usize,
    digest: u64,
    /// Ascending.
    rows: Vec<u64>,
    first: i64,
}

/// The files of a request log and the times in them.
#[derive(Debug)]
pub struct History {
    place: Place,
    time: Wanted,
    files: BTreeMap<PathBuf, (Stamp, Vec<Group>)>,
    said: BTreeSet<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    digest: u64,
    rows: u64,
    /// The smallest and the largest time; `None`: no row has one.
    times: Option<(i64, i64)>,
}

impl History {
    /// `time`: the column of the event time.
    pub fn new(path: &Path, time: &str) -> History {
        let time = Wanted { name: time.to_string(), form: Form::Time };
        History { place: Place::new(path), time, files: BTreeMap::new(), said: BTreeSet::new() }
    }

    /// Looks at the files as they are now; the same number stands for the same files.
    pub fn look(&mut self) -> u64 {
        // A folder that cannot be listed is the source's to tell.
        let listing = self.place.list().unwrap_or_default();
        self.files.retain(|path, _| listing.contains_key(path));
        let mut hash = Xxh3Default::new();
        for (path, stamp) in listing {
            let Ok(stamp) = stamp else { continue };
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.write_u64(stamp.inode);
            hash.write_u64(stamp.size);
            hash.write_i64(stamp.modified_ns);
            if self.files.get(&path).is_some_and(|(known, _)| *known == stamp) {
                continue;
            }
            let groups = parquet::open(&path).and_then(|opened| self.groups(&opened, &path));
            // What cannot be read is looked at again only when it has changed.
            let groups = groups.unwrap_or_else(|failure| {
                self.say(&path, &failure);
                Vec::new()
            });
            self.files.insert(path, (stamp, groups));
        }
        hash.digest()
    }

    fn groups(&self, opened: &Opened, path: &Path) -> Result<Vec<Group>, Failure> {
        let mut groups = Vec::new();
        for (at, (told, &(digest, rows))) in opened.times(&self.time.name).into_iter().zip(&opened.groups).enumerate() {
            let mut times = told;
            if told.is_none() {
                self.times(opened, at, path, |_, time| {
                    let (least, most) = times.unwrap_or((time, time));
                    times = Some((least.min(time), most.max(time)));
                })?;
            }
            groups.push(Group { digest, rows, times });
        }
        Ok(groups)
    }

    /// Each row's place in the row group and its time, where it has one.
    fn times(&self, opened: &Opened, group: usize, path: &Path, mut each: impl FnMut(u64, i64)) -> Result<(), Failure> {
        let wanted = std::slice::from_ref(&self.time);
        let partitions = scan::partitions(self.place.root(), path);
        let mut rows = opened.read(group, 0, wanted)?;
        let mut done = 0;
        while let Some(batch) = rows.next(wanted, &partitions) {
            let (rows, columns) = batch?;
            if let [Column::Times(times)] = &columns[..] {
                let there = (done..).zip(times).filter_map(|(row, time)| Some((row, time?)));
                there.filter(|(_, time)| *time >= 0).for_each(|(row, time)| each(row, time));
            }
            done += rows as u64;
        }
        Ok(())
    }

    /// Rows that the footers announce.
    pub fn rows(&self) -> u64 {
        self.files.values().flat_map(|(_, groups)| groups).map(|group| group.rows).sum()
    }

    /// The newest event time that is not later than `latest`: what lies in the future moves nothing.
    pub fn newest(&mut self, latest: i64) -> Option<i64> {
        let mut newest = None;
        let mut unsure = Vec::new();
        for (path, (_, groups)) in &self.files {
            for (at, group) in groups.iter().enumerate() {
                match group.times {
                    Some((_, most)) if most <= latest => newest = newest.max(Some(most).filter(|most| *most >= 0)),
                    Some((least, _)) if least <= latest => unsure.push((path.clone(), at, group.digest)),
                    _ => {}
                }
            }
        }
        for (path, at, digest) in unsure {
            let found = open(&path, at, digest).and_then(|opened| {
                self.times(&opened, at, &path, |_, time| newest = newest.max(Some(time).filter(|time| *time <= latest)))
            });
            found.unwrap_or_else(|failure| self.say(&path, &failure));
        }
        newest
    }

    /// At most `rows_max` rows of a span.
    pub fn choose(&mut self, span: &Span, take: Take, rows_max: usize) -> Chosen {
        let mut chosen = Chosen::default();
        let places: Vec<(PathBuf, usize, Group)> = self
            .files
            .iter()
            .flat_map(|(path, (_, groups))| groups.iter().enumerate().map(|(at, group)| (path.clone(), at, *group)))
            .filter(|(_, _, group)| group.times.is_some_and(|times| span.meets(times)))
            .collect();
        // (what is taken first, its lot, where it is, its time)
        let mut kept: BinaryHeap<(i64, u64, (usize, u64), i64)> = BinaryHeap::new();
        for (place, (path, at, group)) in places.iter().enumerate() {
            let found = open(path, *at, group.digest).and_then(|opened| {
                self.times(&opened, *at, path, |row, time| {
                    if !span.holds(time) {
                        return;
                    }
                    chosen.there += 1;
                    let before = if take == Take::First { time } else { 0 };
                    let one = (before, lot(group.digest, row), (place, row), time);
                    if kept.len() < rows_max {
                        kept.push(one);
                    } else if kept.peek().is_some_and(|last| one < *last) {
                        kept.pop();
                        kept.push(one);
                    }
                })
            });
            found.unwrap_or_else(|failure| self.say(path, &failure));
        }
        let mut kept: Vec<((usize, u64), i64)> = kept.into_iter().map(|(_, _, place, time)| (place, time)).collect();
        kept.sort_unstable();
        chosen.rows = kept.len() as u64;
        let times = || kept.iter().map(|(_, time)| *time);
        chosen.ends = times().min().zip(times().max());
        for rows in kept.chunk_by(|a, b| a.0.0 == b.0.0) {
            let (path, group, told) = &places[rows[0].0.0];
            let first = rows.iter().map(|(_, time)| *time).min().unwrap_or_default();
            let rows = rows.iter().map(|((_, row), _)| *row).collect();
            chosen.groups.push(ChosenGroup { path: path.clone(), group: *group, digest: told.digest, rows, first });
        }
        chosen.groups.sort_by_key(|group| group.first);
        chosen
    }

    /// Names and types of the columns that the chosen rows have; a column of two types has one that takes both.
    pub fn schema(&mut self, chosen: &Chosen) -> SchemaRef {
        let mut fields: Vec<ArrowField> = Vec::new();
        let mut seen = BTreeSet::new();
        self.each_group(chosen, |root, opened, group| {
            if !seen.insert(group.path.clone()) {
                return Ok(());
            }
            let folders = scan::partitions(root, &group.path).into_keys();
            let folders = folders.map(|name| ArrowField::new(name, DataType::Utf8, true));
            for field in opened.schema().fields().iter().map(|field| field.as_ref().clone()).chain(folders) {
                match fields.iter_mut().find(|known| known.name() == field.name()) {
                    Some(known) => known.set_data_type(common(known.data_type(), field.data_type())),
                    None => fields.push(field.with_nullable(true)),
                }
            }
            Ok(())
        });
        Arc::new(Schema::new(fields))
    }

    /// The chosen rows in the wanted forms. With `labels`, theirs stand in the column of their name.
    pub fn read(&mut self, chosen: &Chosen, wanted: &[Wanted], labels: Option<&Labels>, mut take: impl FnMut(Batch)) {
        let mut all = wanted.to_vec();
        all.extend(labels.map(|labels| Wanted { name: labels.request_id.clone(), form: Form::Id }));
        let position = labels.and_then(|labels| wanted.iter().position(|wanted| wanted.name == labels.name));
        let mut first_row = 0;
        self.each_group(chosen, |root, opened, group| {
            let partitions = scan::partitions(root, &group.path);
            let mut picked = opened.pick(group.group, &group.rows, Some(&all))?;
            while let Some(batch) = picked.next(&all, &partitions) {
                let (rows, mut columns) = batch?;
                if let (Some(labels), Some(position)) = (labels, position) {
                    let ids = columns.pop().unwrap_or(Column::Absent);
                    columns[position] = columns::column(&labels.of(&ids, rows), wanted[position].form);
                }
                take(Batch { log: Log::Requests, rows, read_at: 0, group: 0, first_row, columns });
                first_row += rows as u64;
            }
            Ok(())
        });
    }

    /// Writes the chosen rows with all their columns, and the labels behind them, as one Parquet file.
    pub fn write(&mut self, chosen: &Chosen, labels: Option<&Labels>, path: &Path) -> std::io::Result<()> {
        let mut schema = self.schema(chosen);
        if let Some(labels) = labels {
            let label = Arc::new(ArrowField::new(&labels.name, labels.data_type(), true));
            schema = Arc::new(Schema::new(schema.fields().iter().cloned().chain([label]).collect::<Vec<_>>()));
        }
        cursor::whole(path, |file| {
            let mut writer = Writer::new(file, schema.clone())?;
            let mut written = Ok(());
            self.each_group(chosen, |root, opened, group| {
                let partitions = scan::partitions(root, &group.path);
                let mut picked = opened.pick(group.group, &group.rows, None)?;
                while let Some(batch) = picked.whole() {
                    let batch = fitted(&batch?, &schema, &partitions, labels);
                    if written.is_ok() {
                        written = batch.and_then(|batch| writer.write(&batch));
                    }
                }
                Ok(())
            });
            written?;
            writer.finish()
        })
    }

    /// Opens the chosen row groups one by one; those that cannot be read are left out.
    fn each_group(
        &mut self,
        chosen: &Chosen,
        mut each: impl FnMut(&Path, &Opened, &ChosenGroup) -> Result<(), Failure>,
    ) {
        for group in &chosen.groups {
            let found =
                open(&group.path, group.group, group.digest).and_then(|opened| each(self.place.root(), &opened, group));
            found.unwrap_or_else(|failure| self.say(&group.path, &failure));
        }
    }

    /// Files that are being written say nothing of themselves yet.
    fn say(&mut self, path: &Path, failure: &Failure) {
        let is_young = matches!(failure.reason, "empty" | "unfinished" | "vanished");
        if !is_young && self.said.insert(path.to_path_buf()) {
            let (reason, what) = (failure.reason, &failure.what);
            tracing::warn!(path = %path.display(), reason, what, "file cannot be read to its end; the reference is made without its other rows");
        }
    }
}

/// A file that still has this row group.
fn open(path: &Path, group: usize, digest: u64) -> Result<Opened, Failure> {
    let opened = parquet::open(path)?;
    match opened.groups.get(group) {
        Some(found) if found.0 == digest => Ok(opened),
        _ => Err(Failure::new("vanished", "it was replaced while it was read")),
    }
}

/// A number that looks drawn at random and hangs on the row's place alone.
fn lot(group: u64, row: u64) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.write_u64(group);
    hash.write_u64(row);
    hash.digest()
}

fn common(one: &DataType, other: &DataType) -> DataType {
    let number = |data_type: &DataType| matches!(columns::nature(data_type), Nature::Integer | Nature::Float);
    match (one, other) {
        _ if one == other || columns::nature(one) == Nature::Nested => one.clone(),
        _ if number(one) && number(other) => DataType::Float64,
        _ => DataType::Utf8,
    }
}

/// A batch under another schema; what does not fit is missing.
fn fitted(
    batch: &RecordBatch,
    schema: &SchemaRef,
    partitions: &BTreeMap<String, String>,
    labels: Option<&Labels>,
) -> std::io::Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |field: &Arc<ArrowField>| -> ArrayRef {
        let name = field.name();
        let label = labels.filter(|labels| labels.name == *name).map(|labels| {
            let ids = batch.column_by_name(&labels.request_id).map(|ids| columns::column(ids, Form::Id));
            labels.of(&ids.unwrap_or(Column::Absent), rows)
        });
        let there = label.or_else(|| batch.column_by_name(name).cloned());
        let there = there.or_else(|| partitions.get(name).map(|value| columns::constant(value, rows)));
        let fits = there.and_then(|array| match array.data_type() == field.data_type() {
            true => Some(array),
            false => cast(&array, field.data_type()).ok(),
        });
        fits.unwrap_or_else(|| new_null_array(field.data_type(), rows))
    };
    RecordBatch::try_new(schema.clone(), schema.fields().iter().map(column).collect()).map_err(std::io::Error::other)
}

/// The columns of a schema, by what their types can stand for.
pub fn fields(schema: &SchemaRef) -> Vec<Field> {
    schema.fields().iter().map(|field| columns::field(field)).collect()
}
