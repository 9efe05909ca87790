//! Rows in: each request row to its pane, each outcome to its prediction, each row that cannot be used to a counter.

use arrow::array::{Array, Float64Array, UInt64Array};

use super::divided::Parts;
use super::settle::{Answer, Pair, Tally, seconds_of};
use super::slice::Incoming;
use super::{Monitor, Pairing, SECOND};
use crate::batch::{Batch, Column, Log};
use crate::pair::Met;

/// Stands for the event time of a row that has none, or one that cannot be used; usable ones are not negative.
const NO_TIME: i64 = -1;

impl Monitor {
    pub(super) fn ingest_requests(&mut self, batch: &Batch) -> i64 {
        let times = self.event_times(batch);
        let newest = times.iter().copied().max().filter(|newest| *newest != NO_TIME);
        if let Some(newest) = newest {
            let last = self.counts.last_event.entry(Log::Requests).or_insert(newest);
            *last = newest.max(*last);
            self.main.advance(newest);
            self.divided.iter_mut().for_each(|divided| divided.advance(newest));
        }
        let start = self.main.windows.start().unwrap_or(i64::MIN);
        // The newest labelled predictions may be older than every window.
        let paired_from = self.recent.as_ref().and(self.waits_from()).map_or(start, |from| from.min(start));
        let mut kept: Vec<u32> = Vec::with_capacity(batch.rows);
        let mut late = 0;
        for (row, &time) in times.iter().enumerate().filter(|(_, time)| **time != NO_TIME) {
            if time >= paired_from {
                kept.push(row as u32);
            } else {
                late += 1;
            }
        }
        let needed = kept.iter().map(|&row| times[row as usize]).max().unwrap_or(i64::MIN);
        let moment = (&self.settings, self.main.windows.watermark().unwrap_or(i64::MIN));
        let parts = self.divided.as_mut().map(|of| of.parts(batch, &self.requests, &kept, moment));
        self.pair_requests(batch, &times, &mut kept, parts.as_ref());
        let paired = kept.len();
        kept.retain(|&row| times[row as usize] >= start);
        self.drop_rows(Log::Requests, "late", late + (paired - kept.len()) as u64);
        self.pair_rows(batch);
        let mut incoming = Incoming::new(batch, &times, self.requests.request_id, &self.settings);
        if let (Some(divided), Some(parts)) = (&mut self.divided, parts) {
            divided.take(&kept, &parts, &mut incoming);
        }
        self.main.take(kept, &mut incoming);
        self.expire();
        needed
    }

    /// Event times of the rows, `NO_TIME` for those that cannot be used at all: these are counted. Without windows all rows are of one
    /// time.
    fn event_times(&mut self, batch: &Batch) -> Vec<i64> {
        if self.settings.windows.is_none() {
            return vec![0; batch.rows];
        }
        let times = match self.requests.timestamp.map(|position| &batch.columns[position]) {
            Some(Column::Times(times)) => times,
            _ => {
                self.drop_rows(Log::Requests, "timestamp_missing", batch.rows as u64);
                return vec![NO_TIME; batch.rows];
            }
        };
        let latest = batch.read_at.saturating_add(self.settings.clock_skew_max.as_micros() as i64);
        let (mut missing, mut future, mut invalid) = (0, 0, 0);
        let mut usable = times.values().to_vec();
        for (row, time) in usable.iter_mut().enumerate() {
            let reason = if times.is_null(row) {
                &mut missing
            } else if *time > latest {
                &mut future
            } else if *time < 0 {
                &mut invalid
            } else {
                continue;
            };
            *reason += 1;
            *time = NO_TIME;
        }
        self.drop_rows(Log::Requests, "timestamp_missing", missing);
        self.drop_rows(Log::Requests, "timestamp_in_future", future);
        self.drop_rows(Log::Requests, "timestamp_invalid", invalid);
        usable
    }

    pub(super) fn drop_rows(&mut self, log: Log, reason: &'static str, rows: u64) {
        if rows > 0 {
            *self.counts.dropped.entry(log).or_default().entry(reason).or_default() += rows;
        }
    }

    /// Remembers predictions by request id; rows whose id was there already leave `kept`.
    fn pair_requests(&mut self, batch: &Batch, times: &[i64], kept: &mut Vec<u32>, parts: Option<&Parts>) {
        let Some(position) = self.requests.request_id else {
            return;
        };
        let column = self.requests.prediction.map(|position| &batch.columns[position]);
        let score = self.requests.score.map(|position| &batch.columns[position]);
        let Column::Ids(ids) = &batch.columns[position] else {
            self.count_pairs("request_id_missing", kept.len() as u64);
            return;
        };
        let seconds = |row: u32| seconds_of(times[row as usize]);
        let mut asked = Asked::default();
        let divided = &mut self.divided;
        let tags = |rows: &[u32]| match (divided, parts) {
            (Some(divided), Some(parts)) => rows.iter().map(|&row| divided.tag(parts, row)).collect(),
            _ => Vec::new(),
        };
        let duplicates = match (&mut self.truth, column) {
            (Pairing::Classes { pairs, labels }, Some(Column::Keys(keys))) => {
                let codes = labels.codes(keys);
                let values = asked.collect(kept, ids, seconds, |row| codes[row as usize]);
                let scores = score.map_or_else(Vec::new, |column| {
                    asked.rows.iter().map(|&row| score_of(column, row).unwrap_or(f64::NAN)).collect()
                });
                let mut met = Vec::new();
                pairs.requests(&asked.hashes, &asked.seconds, &values, &scores, &tags(&asked.rows), &mut met);
                self.settle(&asked.hashes, &met);
                asked.duplicates(&met)
            }
            (Pairing::Values { pairs }, Some(Column::Numbers(numbers))) => {
                let values = asked.collect(kept, ids, seconds, |row| finite(numbers, row));
                let mut met = Vec::new();
                pairs.requests(&asked.hashes, &asked.seconds, &values, &[], &tags(&asked.rows), &mut met);
                self.settle(&asked.hashes, &met);
                asked.duplicates(&met)
            }
            _ => {
                self.count_pairs("prediction_missing", kept.len() as u64);
                return;
            }
        };
        self.count_pairs("request_id_missing", asked.without_id);
        self.count_pairs("prediction_missing", asked.without_value);
        if !duplicates.is_empty() {
            self.drop_rows(Log::Requests, "duplicate", duplicates.len() as u64);
            kept.retain(|row| duplicates.binary_search(row).is_err());
        }
    }

    /// Labels that stand beside their predictions.
    fn pair_rows(&mut self, batch: &Batch) {
        let (Pairing::Rows(labels), Some(prediction), Some(label)) =
            (&mut self.truth, self.requests.prediction, self.requests.label)
        else {
            return;
        };
        let score = self.requests.score.map(|position| &batch.columns[position]);
        let pairs: Vec<(Answer, Answer, Option<f64>)> = match (&batch.columns[prediction], &batch.columns[label]) {
            (Column::Keys(predicted), Column::Keys(actual)) => {
                let (predicted, actual) = (labels.codes(predicted), labels.codes(actual));
                let both = (0..).zip(predicted.into_iter().zip(actual));
                both.filter_map(|(row, (p, a))| {
                    Some((Answer::Class(p?), Answer::Class(a?), score.and_then(|s| score_of(s, row))))
                })
                .collect()
            }
            (Column::Numbers(predicted), Column::Numbers(actual)) => (0..batch.rows as u32)
                .filter_map(|row| {
                    Some((Answer::Value(finite(predicted, row)?), Answer::Value(finite(actual, row)?), None))
                })
                .collect(),
            _ => Vec::new(),
        };
        let mut tally = Tally::of(&self.truth);
        for (predicted, label, score) in pairs {
            self.learn((0, 0), &Pair { seconds: 0, predicted, score, old: None, label }, &mut tally);
        }
        tally.book(&mut self.main);
    }

    pub(super) fn ingest_outcomes(&mut self, batch: &Batch) -> i64 {
        let wanted = self.wanted(Log::Outcomes);
        let position = |form| wanted.iter().position(|wanted| wanted.form == form);
        let ids = position(crate::batch::Form::Id).map(|position| &batch.columns[position]);
        let times = position(crate::batch::Form::Time).map(|position| &batch.columns[position]);
        let label = batch.columns.last();
        let (Some(Column::Ids(ids)), Some(label)) = (ids, label) else {
            self.drop_rows(Log::Outcomes, "request_id_missing", batch.rows as u64);
            return i64::MIN;
        };
        let times = match times {
            Some(Column::Times(times)) => Some(times),
            _ => None,
        };
        let watermark = self.main.windows.watermark().map_or(0, seconds_of);
        let seconds = |row: u32| match times {
            Some(times) if times.is_valid(row as usize) => seconds_of(times.value(row as usize)),
            _ => watermark,
        };
        let rows: Vec<u32> = (0..batch.rows as u32).collect();
        let mut asked = Asked::default();
        let delay_max = self.settings.label_delay_max.as_micros() as i64;
        let needed = match (&mut self.truth, label) {
            (Pairing::Classes { pairs, labels }, Column::Keys(keys)) => {
                let codes = labels.codes(keys);
                let values = asked.collect(&rows, ids, seconds, |row| codes[row as usize]);
                let mut met = Vec::new();
                pairs.outcomes(&asked.hashes, &asked.seconds, &values, &mut met);
                self.settle(&asked.hashes, &met);
                asked.needed(&met, delay_max)
            }
            (Pairing::Values { pairs }, Column::Numbers(numbers)) => {
                let values = asked.collect(&rows, ids, seconds, |row| finite(numbers, row));
                let mut met = Vec::new();
                pairs.outcomes(&asked.hashes, &asked.seconds, &values, &mut met);
                self.settle(&asked.hashes, &met);
                asked.needed(&met, delay_max)
            }
            _ => {
                self.drop_rows(Log::Outcomes, "label_missing", batch.rows as u64);
                return i64::MIN;
            }
        };
        self.drop_rows(Log::Outcomes, "request_id_missing", asked.without_id);
        self.drop_rows(Log::Outcomes, "label_missing", asked.without_value);
        if let Some(newest) = times.and_then(|times| times.iter().flatten().max()) {
            let last = self.counts.last_event.entry(Log::Outcomes).or_insert(newest);
            *last = newest.max(*last);
        }
        self.expire();
        needed
    }
}

/// The rows of a batch that can be paired.
#[derive(Default)]
struct Asked {
    rows: Vec<u32>,
    hashes: Vec<u64>,
    seconds: Vec<u32>,
    without_id: u64,
    without_value: u64,
}

impl Asked {
    fn collect<P>(
        &mut self,
        rows: &[u32],
        ids: &UInt64Array,
        seconds: impl Fn(u32) -> u32,
        value: impl Fn(u32) -> Option<P>,
    ) -> Vec<P> {
        let mut values = Vec::with_capacity(rows.len());
        self.rows.reserve(rows.len());
        self.hashes.reserve(rows.len());
        self.seconds.reserve(rows.len());
        for &row in rows {
            if ids.is_null(row as usize) {
                self.without_id += 1;
                continue;
            }
            let Some(value) = value(row) else {
                self.without_value += 1;
                continue;
            };
            self.rows.push(row);
            self.hashes.push(ids.value(row as usize));
            self.seconds.push(seconds(row));
            values.push(value);
        }
        values
    }

    /// Those that were there already, ascending.
    fn duplicates<P>(&self, met: &[(u32, Met<P>)]) -> Vec<u32> {
        let there = |(row, met): &(u32, Met<P>)| matches!(met, Met::Duplicate).then_some(self.rows[*row as usize]);
        met.iter().filter_map(there).collect()
    }

    /// The event time up to which outcomes of which this became are needed again after a restart.
    fn needed<P>(&self, met: &[(u32, Met<P>)], delay_max: i64) -> i64 {
        let needed = |(row, met): &(u32, Met<P>)| match met {
            Met::Waiting | Met::Replaced => (i64::from(self.seconds[*row as usize]) * SECOND).saturating_add(delay_max),
            Met::Paired { request_seconds, .. } | Met::Corrected { request_seconds, .. } => {
                i64::from(*request_seconds) * SECOND
            }
            _ => i64::MIN,
        };
        met.iter().map(needed).max().unwrap_or(i64::MIN)
    }
}

fn score_of(column: &Column, row: u32) -> Option<f64> {
    match column {
        Column::Numbers(numbers) => finite(numbers, row),
        _ => None,
    }
}

fn finite(numbers: &Float64Array, row: u32) -> Option<f64> {
    let row = row as usize;
    (numbers.is_valid(row)).then(|| numbers.value(row)).filter(|value| value.is_finite())
}
