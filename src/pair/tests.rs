//! The table beside a plain map that does the same, and what it weighs.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Spread as real hashes are.
fn spread(id: u64) -> u64 {
    let mixed = (id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn ids(count: u64) -> Vec<u64> {
    (0..count).map(spread).collect()
}

/// Of `bytes` with scores and tags, what the table would weigh without.
fn without_sides(bytes: usize) -> usize {
    bytes / (16 + 8 + 4) * 16
}

#[test]
fn ten_million_pending_predictions_stay_under_400_mib_while_they_come() {
    assert_eq!(size_of::<Slot<u16>>(), 16);
    let mut pairs = Pairs::<u16>::new(10_000_000, true, true);
    let (mut out, mut peak) = (Vec::new(), 0);
    for start in (0..10_000_000).step_by(8000) {
        let ids: Vec<u64> = (start..start + 8000).map(spread).collect();
        out.clear();
        pairs.requests(&ids, &[7; 8000], &[3; 8000], &[0.5; 8000], &[9; 8000], &mut out);
        peak = peak.max(pairs.bytes());
    }
    assert_eq!((pairs.len(), pairs.pending(), pairs.evicted()), (10_000_000, 10_000_000, Left::default()));
    assert!(peak < 380 << 20, "{} MiB", peak >> 20);
    assert!(without_sides(peak) < 220 << 20, "{} MiB", without_sides(peak) >> 20);
    // None was lost on the way.
    out.clear();
    pairs.outcomes(
        &(0..10_000_000).step_by(1000).map(spread).collect::<Vec<_>>(),
        &[8; 10_000],
        &[3; 10_000],
        &mut out,
    );
    let paired = Met::Paired { request_seconds: 7, predicted: 3, score: Some(0.5), tag: 9, label: 3, delay: 1 };
    assert!(out.iter().zip(0..).all(|(told, row)| *told == (row, paired)));
    assert_eq!(out.len(), 10_000);
}

#[test]
fn the_oldest_leave_a_full_table_first_and_are_counted_by_what_they_waited_for() {
    let mut pairs = Pairs::<u16>::new(100, false, false);
    let mut out = Vec::new();
    let ids = ids(1000);
    let seconds: Vec<u32> = (1..=1000).collect();
    // The first ten have both; the next ten are outcomes alone.
    pairs.requests(&ids[..10], &seconds[..10], &[3; 10], &[], &[], &mut out);
    pairs.outcomes(&ids[..20], &seconds[..20], &[3; 20], &mut out);
    pairs.requests(&ids[20..], &seconds[20..], &[3; 980], &[], &[], &mut out);
    assert!(pairs.len() <= 100 + BLOCK);
    let gone = pairs.evicted();
    assert_eq!((gone.paired, gone.waiting), (10, 10));
    assert_eq!(gone.pending as usize + pairs.len(), 980);
    assert_eq!(pairs.evicted(), Left::default(), "told once");
    out.clear();
    pairs.outcomes(&ids[999..], &[2000], &[3], &mut out);
    let tag = 0;
    assert_eq!(
        out,
        [(0, Met::Paired { request_seconds: 1000, predicted: 3, score: None, tag, label: 3, delay: 1000 })]
    );
}

#[test]
fn an_outcome_for_a_prediction_that_has_left_waits_in_vain() {
    for evicted in [true, false] {
        let mut pairs = Pairs::<u16>::new(16, false, false);
        let mut out = Vec::new();
        let ids = ids(60);
        pairs.requests(&ids[..1], &[100], &[3], &[], &[], &mut out);
        if evicted {
            pairs.requests(&ids[1..], &[200; 59], &[3; 59], &[], &[], &mut out);
            assert!(pairs.evicted().pending > 0);
        } else {
            assert_eq!(pairs.expire(150), Left { pending: 1, ..Left::default() });
        }
        out.clear();
        pairs.outcomes(&ids[..1], &[300], &[3], &mut out);
        assert_eq!(out, [(0, Met::Waiting)]);
        assert_eq!(pairs.expire(300).waiting, 0);
        assert_eq!(pairs.expire(301).waiting, 1);
    }
}

#[test]
fn a_table_that_is_just_full_lets_nobody_go() {
    let mut pairs = Pairs::<u16>::new(1000, false, false);
    let mut out = Vec::new();
    let ids = ids(1000);
    pairs.requests(&ids, &[7; 1000], &[3; 1000], &[], &[], &mut out);
    out.clear();
    pairs.outcomes(&ids, &[8; 1000], &[3; 1000], &mut out);
    assert!(out.iter().all(|met| matches!(met, (_, Met::Paired { .. }))));
    assert_eq!(pairs.evicted(), Left::default());
}

#[test]
fn of_many_of_one_second_only_so_many_leave_as_must() {
    let mut pairs = Pairs::<u16>::new(1000, false, false);
    let mut out = Vec::new();
    pairs.requests(&ids(1100), &[7; 1100], &[3; 1100], &[], &[], &mut out);
    let gone = pairs.evicted().pending;
    assert!((100..=300).contains(&gone), "{gone} of 1100 left");
    assert_eq!(pairs.len(), 1100 - gone as usize);
}

/// Hashes that meet: in the first slot, behind the last home, somewhere between; the others spread.
fn hash_of(id: u64) -> u64 {
    match id % 5 {
        0 => id,
        1 => u64::MAX - id,
        2 => (5 << 58 | u64::MAX >> 6) - id,
        _ => spread(id),
    }
}

type Row = (u64, u32, u16);

#[derive(Debug, Clone)]
enum Act {
    Requests(Vec<Row>),
    Outcomes(Vec<Row>),
    Expire(u32),
}

fn act() -> impl Strategy<Value = Act> {
    let rows = || prop::collection::vec((0..500u64, 0..100u32, 0..3u16), 1..200);
    prop_oneof![4 => rows().prop_map(Act::Requests), 4 => rows().prop_map(Act::Outcomes), 1 => (0..120u32).prop_map(Act::Expire)]
}

/// A request's score tells which request it was; one in five has none.
fn score_of((id, seconds, value): Row) -> f64 {
    let score = (id * 300 + u64::from(seconds) * 3 + u64::from(value)) as f64;
    if seconds.is_multiple_of(5) { f64::NAN } else { score }
}

fn tag_of((id, seconds, _): Row) -> u32 {
    (id as u32 * 100 + seconds) % 7
}

/// A time, and a prediction or a label.
type Said = Option<(u32, u16)>;

/// The same in a plain map. Of each id what its request said, and its outcome.
#[derive(Default)]
struct Plain {
    known: HashMap<u64, (Said, Said)>,
    sided: bool,
}

impl Plain {
    fn sides(&self, row: Row) -> (Option<f64>, u32) {
        if !self.sided {
            return (None, 0);
        }
        (Some(score_of(row)).filter(|score| !score.is_nan()), tag_of(row))
    }

    /// `None`: it waits for its outcome.
    fn request(&mut self, (id, seconds, value): Row) -> Option<Met<u16>> {
        let (score, tag) = self.sides((id, seconds, value));
        let entry = self.known.entry(id).or_default();
        if entry.0.is_some() {
            return Some(Met::Duplicate);
        }
        entry.0 = Some((seconds, value));
        entry.1.map(|(at, label)| Met::Paired {
            request_seconds: seconds,
            predicted: value,
            score,
            tag,
            label,
            delay: i64::from(at) - i64::from(seconds),
        })
    }

    fn outcome(&mut self, (id, seconds, label): Row) -> Met<u16> {
        let (request, known) = self.known.get(&id).copied().unwrap_or_default();
        if known.is_some_and(|(_, known)| known == label) {
            return Met::Repeated;
        }
        self.known.insert(id, (request, Some((seconds, label))));
        let Some((request_seconds, predicted)) = request else {
            return if known.is_some() { Met::Replaced } else { Met::Waiting };
        };
        let (score, tag) = self.sides((id, request_seconds, predicted));
        match known {
            None => {
                let delay = i64::from(seconds) - i64::from(request_seconds);
                Met::Paired { request_seconds, predicted, score, tag, label, delay }
            }
            Some((_, old)) => Met::Corrected { request_seconds, predicted, score, tag, old, label },
        }
    }

    fn pending(&self) -> usize {
        self.known.values().filter(|entry| entry.0.is_some() && entry.1.is_none()).count()
    }

    /// Entries of before a time leave.
    fn expire(&mut self, before: u32) -> Left {
        let mut left = Left::default();
        self.known.retain(|_, (request, outcome)| {
            let (seconds, count) = match (request, outcome) {
                (Some((seconds, _)), None) => (*seconds, &mut left.pending),
                (Some((seconds, _)), Some(_)) => (*seconds, &mut left.paired),
                (None, Some((seconds, _))) => (*seconds, &mut left.waiting),
                (None, None) => unreachable!(),
            };
            *count += u64::from(seconds < before);
            seconds >= before
        });
        left
    }

    /// The oldest leave where there are more than `max`; no two are of one time.
    fn evict(&mut self, max: usize) -> Left {
        let len = self.known.len();
        if len <= max {
            return Left::default();
        }
        let mut times: Vec<u32> =
            self.known.values().filter_map(|(a, b)| a.or(*b)).map(|(seconds, _)| seconds).collect();
        times.sort();
        self.expire(times[(len / 8).max(len - max)])
    }
}

/// One batch into both.
fn same(pairs: &mut Pairs<u16>, plain: &mut Plain, request: bool, rows: &[Row]) -> Result<(), TestCaseError> {
    let ids: Vec<u64> = rows.iter().map(|row| hash_of(row.0)).collect();
    let seconds: Vec<u32> = rows.iter().map(|row| row.1).collect();
    let values: Vec<u16> = rows.iter().map(|row| row.2).collect();
    let scores: Vec<f64> = rows.iter().map(|row| score_of(*row)).collect();
    let tags: Vec<u32> = rows.iter().map(|row| tag_of(*row)).collect();
    let mut out = Vec::new();
    let expected: Vec<(u32, Met<u16>)> = if request {
        pairs.requests(&ids, &seconds, &values, &scores, &tags, &mut out);
        (0..).zip(rows).filter_map(|(at, row)| Some((at, plain.request(*row)?))).collect()
    } else {
        pairs.outcomes(&ids, &seconds, &values, &mut out);
        (0..).zip(rows).map(|(at, row)| (at, plain.outcome(*row))).collect()
    };
    prop_assert_eq!(out, expected);
    prop_assert_eq!((pairs.len(), pairs.pending()), (plain.known.len(), plain.pending()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_what_a_plain_map_does(acts in prop::collection::vec(act(), 1..30), sided in any::<bool>()) {
        let mut pairs = Pairs::<u16>::new(1_000_000, sided, sided);
        let mut plain = Plain { sided, ..Plain::default() };
        for act in acts {
            match act {
                Act::Requests(rows) => same(&mut pairs, &mut plain, true, &rows)?,
                Act::Outcomes(rows) => same(&mut pairs, &mut plain, false, &rows)?,
                Act::Expire(before) => prop_assert_eq!(pairs.sweep(|seconds| seconds < before), plain.expire(before)),
            }
        }
    }

    #[test]
    fn a_full_table_does_what_a_plain_map_does(rows in prop::collection::vec((any::<bool>(), 0..500u64, 0..3u16), 1..600), max in 16..100usize) {
        let mut pairs = Pairs::<u16>::new(max, true, true);
        let mut plain = Plain { sided: true, ..Plain::default() };
        let mut evicted = Left::default();
        for (request, id, value) in rows {
            evicted.add(plain.evict(max));
            // A time for each id, in no order, and another for its outcome.
            let seconds = (id as u32 * 211 % 500) * 2 + u32::from(request);
            same(&mut pairs, &mut plain, request, &[(id, seconds, value)])?;
        }
        prop_assert_eq!(pairs.evicted(), evicted);
    }

    #[test]
    fn the_oldest_are_found_by_rank(times in prop::collection::vec(prop_oneof![0..5u32, 65_000..66_000u32, any::<u32>()], 1..200), rank in any::<prop::sample::Index>()) {
        let mut pairs = Pairs::<u16>::new(1000, false, false);
        pairs.requests(&ids(times.len() as u64), &times, &vec![3; times.len()], &[], &[], &mut Vec::new());
        let rank = rank.index(times.len());
        let mut sorted = times;
        sorted.sort();
        let older = sorted.iter().filter(|seconds| **seconds < sorted[rank]).count();
        prop_assert_eq!(pairs.oldest(rank), (sorted[rank], older));
    }
}
