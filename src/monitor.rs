//! The monitor: rows in, Report out. One model's whole state: slices of its rows, pairs and counters.
//!
//! Deterministic: the same batches give the same Report; `now` is an argument. It knows no path, no clock,
//! no config file, and neither of the edges.

mod columns;
mod count;
mod distribution;
mod divided;
mod evaluate;
mod intake;
mod kept;
mod sampled;
mod settle;
mod slice;

use std::collections::{BTreeMap, BTreeSet};

use columns::{Columns, Paired};
use divided::Divided;
use settle::Pair;
use slice::Slice;

use crate::batch::{Batch, Form, Log, Wanted};
use crate::label::Labels;
use crate::pair::Pairs;
use crate::recent::Recent;
use crate::reference::References;
use crate::report::Moment;
use crate::settings::{Settings, Task};

const SECOND: i64 = 1_000_000;

/// Upper bounds of the label delay histogram, in seconds: a second to thirty days.
const DELAY_BOUNDS: [f64; 13] = [
    1.0,
    10.0,
    60.0,
    300.0,
    900.0,
    3600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    259_200.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
];

/// The state of one model.
#[derive(Debug)]
pub struct Monitor {
    settings: Settings,
    /// All rows.
    main: Slice,
    /// The rows of each version and segment; `None` where they are not divided.
    divided: Option<Divided>,
    truth: Pairing,
    /// The newest labelled predictions, where their quality is asked for.
    recent: Option<Recent<Pair>>,
    /// The code of the positive class, where its scores are used.
    positive: Option<u16>,
    requests: Columns,
    counts: Counts,
}

/// How predictions meet their outcomes.
#[derive(Debug)]
enum Pairing {
    /// The model has no outcome log.
    Off,
    /// Predictions and labels stand in one row, as in a comparison of two tables.
    Rows(Labels),
    Classes {
        pairs: Pairs<u16>,
        labels: Labels,
    },
    Values {
        pairs: Pairs<f64>,
    },
}

/// Counters since the monitor began.
#[derive(Debug, Default)]
struct Counts {
    dropped: BTreeMap<Log, BTreeMap<&'static str, u64>>,
    pairing: BTreeMap<&'static str, u64>,
    last_event: BTreeMap<Log, i64>,
    delays: Vec<u64>,
    delay_sum: f64,
}

impl Monitor {
    pub fn new(settings: Settings, references: impl Into<References>) -> Monitor {
        let references = references.into();
        let reference = references.main.clone();
        let pairing = settings.outcomes.is_some();
        let scored = reference.plan.task == Task::Binary && settings.requests.score.is_some();
        let mut labels = reference.labels.clone();
        let positive = settings.positive_label.as_deref().filter(|_| scored).and_then(|name| labels.learn(name));
        let pairs_max = settings.pairs_max;
        let tagged = Divided::is_used(&settings, &references);
        let truth = match reference.plan.task {
            _ if !pairing && settings.windows.is_none() && reference.quality.is_some() => Pairing::Rows(labels),
            _ if !pairing => Pairing::Off,
            Task::Regression => Pairing::Values { pairs: Pairs::new(pairs_max, false, tagged) },
            _ => Pairing::Classes { pairs: Pairs::new(pairs_max, positive.is_some(), tagged), labels },
        };
        let answer = reference.answer_form();
        let paired = !matches!(truth, Pairing::Off);
        let paired = Paired {
            prediction: paired.then_some(answer),
            score: paired && positive.is_some(),
            label: matches!(truth, Pairing::Rows(_)).then_some(answer),
        };
        let requests = Columns::new(&settings, &references, paired);
        Monitor {
            divided: tagged.then(|| Divided::new(&settings, references, &requests.wanted)),
            main: Slice::new(&settings, reference, &requests.wanted),
            recent: settings.f1_window.filter(|_| pairing).map(Recent::new),
            settings,
            truth,
            positive,
            requests,
            counts: Counts { delays: vec![0; DELAY_BOUNDS.len() + 1], ..Counts::default() },
        }
    }

    /// The columns of this model's batches of a log, in order.
    pub fn wanted(&self, log: Log) -> Vec<Wanted> {
        match (log, &self.settings.outcomes) {
            (Log::Requests, _) => self.requests.wanted.clone(),
            (Log::Outcomes, Some(outcomes)) => {
                let column = |name: &str, form| Wanted { name: name.to_string(), form };
                let id = column(&outcomes.request_id, Form::Id);
                let time = outcomes.timestamp.iter().map(|name| column(name, Form::Time));
                let label = column(&outcomes.label, self.main.reference.answer_form());
                std::iter::once(id).chain(time).chain([label]).collect()
            }
            (Log::Outcomes, None) => Vec::new(),
        }
    }

    /// Every column that a file of this log may have without being new: those of the reference, and those with a role.
    pub fn expected(&self, log: Log) -> Option<BTreeSet<String>> {
        if log == Log::Outcomes {
            return None;
        }
        let roles = &self.settings.requests;
        let reference = &self.settings.reference;
        let named = [&roles.request_id, &roles.timestamp, &roles.prediction, &reference.label];
        let optional = [&roles.score, &roles.probabilities, &roles.version, &reference.score, &reference.probabilities];
        let compared = self.main.reference.columns.iter().map(|column| &column.name);
        let names = compared.chain(self.main.reference.plan.ignored.keys()).chain(named);
        let ignored = self.settings.features.iter().filter(|(_, feature)| feature.ignore).map(|(name, _)| name);
        Some(names.chain(optional.into_iter().flatten()).chain(ignored).cloned().collect())
    }

    /// Takes rows in; they are needed again after a restart until the low water passes the event time returned.
    pub fn ingest(&mut self, batch: &Batch) -> i64 {
        match batch.log {
            Log::Requests => self.ingest_requests(batch),
            Log::Outcomes => self.ingest_outcomes(batch),
        }
    }

    /// Rows of before this event time are in no window any more, nor among the newest labelled predictions.
    pub fn low_water(&self) -> i64 {
        match (&self.settings.windows, self.main.windows.start()) {
            (Some(_), Some(start)) => {
                self.recent.as_ref().map_or(start, |recent| start.min(i64::from(recent.floor()) * SECOND))
            }
            _ => i64::MIN,
        }
    }

    pub fn last_event(&self, log: Log) -> Option<Moment> {
        self.counts.last_event.get(&log).map(|&time| Moment(time))
    }

    pub fn dropped(&self, log: Log) -> BTreeMap<&'static str, u64> {
        self.counts.dropped.get(&log).cloned().unwrap_or_default()
    }
}
