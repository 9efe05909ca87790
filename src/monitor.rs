//! The monitor: rows in, Report out. One model's whole state: panes, pairs and counters.
//!
//! Deterministic: the same batches give the same Report; `now` is an argument. It knows no path, no clock,
//! no config file, and neither of the edges.

mod count;
mod distribution;
mod evaluate;
mod intake;
mod sampled;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::batch::{Batch, Form, Log, Wanted};
use crate::label::{KeyCodes, Labels};
use crate::pair::Pairs;
use crate::pane::Truth;
use crate::profile::Scratch;
use crate::reference::{Reference, References};
use crate::report::Moment;
use crate::settings::{Settings, Task};
use crate::stats::noise::Levels;
use crate::stats::regression::Errors;
use crate::stats::scored::Scored;
use crate::window::Windows;

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
    reference: Arc<Reference>,
    windows: Windows,
    truth: Pairing,
    /// The code of the positive class, where its scores are used.
    positive: Option<u16>,
    requests: Columns,
    counts: Counts,
    /// What the noise of each compared column costs to find, and of its missing values.
    levels: Vec<(Levels, Levels)>,
    scratch: Scratch,
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

/// Positions in a batch of requests, and what maps its keys to the reference's codes.
#[derive(Debug)]
struct Columns {
    timestamp: Option<usize>,
    request_id: Option<usize>,
    prediction: Option<usize>,
    score: Option<usize>,
    label: Option<usize>,
    /// Where each compared column stands.
    compared: Vec<usize>,
    codes: Vec<KeyCodes<u32>>,
    /// Codes of categories that the reference never had, by their text, where the definition tells them apart.
    unseen: Vec<HashMap<String, u32>>,
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
        let reference = references.into().main;
        let pairing = settings.outcomes.is_some();
        let scored = reference.plan.task == Task::Binary && settings.requests.score.is_some();
        let mut labels = reference.labels.clone();
        let positive = settings.positive_label.as_deref().filter(|_| scored).and_then(|name| labels.learn(name));
        let pairs_max = settings.pairs_max;
        let truth = match reference.plan.task {
            _ if !pairing && settings.windows.is_none() && reference.quality.is_some() => Pairing::Rows(labels),
            _ if !pairing => Pairing::Off,
            Task::Regression => Pairing::Values { pairs: Pairs::new(pairs_max, false) },
            _ => Pairing::Classes { pairs: Pairs::new(pairs_max, positive.is_some()), labels },
        };
        let empty = match reference.plan.task {
            Task::Regression => Truth::Values(Errors::default()),
            _ => Truth::Classes(HashMap::new(), Scored::default()),
        };
        let windows = Windows::new(settings.windows.as_deref(), settings.panes, settings.exact_rows, empty);
        let compared = reference.columns.len();
        let mut monitor = Monitor {
            requests: Columns {
                timestamp: None,
                request_id: None,
                prediction: None,
                score: None,
                label: None,
                compared: Vec::new(),
                codes: vec![KeyCodes::default(); compared],
                unseen: vec![HashMap::new(); compared],
            },
            settings,
            reference,
            windows,
            truth,
            positive,
            counts: Counts { delays: vec![0; DELAY_BOUNDS.len() + 1], ..Counts::default() },
            levels: std::iter::repeat_with(Default::default).take(compared).collect(),
            scratch: Scratch::default(),
        };
        let wanted = monitor.wanted(Log::Requests);
        let find = |name: &str, form: Form| wanted.iter().position(|wanted| wanted.name == name && wanted.form == form);
        monitor.requests.timestamp = find(&monitor.settings.requests.timestamp, Form::Time);
        monitor.requests.request_id = find(&monitor.settings.requests.request_id, Form::Id);
        monitor.requests.prediction =
            monitor.prediction_form().and_then(|form| find(&monitor.settings.requests.prediction, form));
        monitor.requests.score = monitor.score_name().and_then(|name| find(name, Form::Number));
        monitor.requests.label = monitor.label_form().and_then(|form| find(&monitor.settings.reference.label, form));
        let compared = monitor.reference.columns.iter().map(|column| find(monitor.log_name(column), column.form()));
        monitor.requests.compared =
            compared.map(|position| position.expect("every compared column is wanted")).collect();
        monitor
    }

    /// The columns of this model's batches of a log, in order.
    pub fn wanted(&self, log: Log) -> Vec<Wanted> {
        let column = |name: &str, form| Wanted { name: name.to_string(), form };
        let mut wanted = Vec::new();
        match (log, &self.settings.outcomes) {
            (Log::Requests, outcomes) => {
                if self.settings.windows.is_some() {
                    wanted.push(column(&self.settings.requests.timestamp, Form::Time));
                }
                if outcomes.is_some() {
                    wanted.push(column(&self.settings.requests.request_id, Form::Id));
                }
                if let Some(form) = self.prediction_form() {
                    wanted.push(column(&self.settings.requests.prediction, form));
                }
                wanted.extend(self.score_name().map(|name| column(name, Form::Number)));
                if let Some(form) = self.label_form() {
                    wanted.push(column(&self.settings.reference.label, form));
                }
                for compared in &self.reference.columns {
                    let next = column(self.log_name(compared), compared.form());
                    if !wanted.contains(&next) {
                        wanted.push(next);
                    }
                }
            }
            (Log::Outcomes, Some(outcomes)) => {
                wanted.push(column(&outcomes.request_id, Form::Id));
                wanted.extend(outcomes.timestamp.iter().map(|name| column(name, Form::Time)));
                wanted.push(column(&outcomes.label, self.answer_form()));
            }
            (Log::Outcomes, None) => {}
        }
        wanted
    }

    /// Every column that a file of this log may have without being new: those of the reference, and those with a role.
    pub fn expected(&self, log: Log) -> Option<BTreeSet<String>> {
        if log == Log::Outcomes {
            return None;
        }
        let roles = &self.settings.requests;
        let reference = &self.settings.reference;
        let named = [&roles.request_id, &roles.timestamp, &roles.prediction, &reference.label];
        let optional = [&roles.score, &roles.version, &reference.score];
        let compared = self.reference.columns.iter().map(|column| &column.name);
        let names = compared.chain(self.reference.plan.ignored.keys()).chain(named);
        let ignored = self.settings.features.iter().filter(|(_, feature)| feature.ignore).map(|(name, _)| name);
        Some(names.chain(optional.into_iter().flatten()).chain(ignored).cloned().collect())
    }

    /// The prediction may bear another name in the request log than in the reference.
    fn log_name<'a>(&'a self, column: &'a crate::reference::Compared) -> &'a str {
        match column.role {
            crate::report::Role::Prediction => &self.settings.requests.prediction,
            crate::report::Role::Feature => &column.name,
            crate::report::Role::Descriptor => column.describes.as_ref().map_or(&column.name, |text| &text.text),
        }
    }

    /// The form of predictions and labels.
    fn answer_form(&self) -> Form {
        if self.reference.plan.task == Task::Regression { Form::Number } else { Form::Key }
    }

    /// How pairing wants the prediction; `None` where nothing is paired.
    fn prediction_form(&self) -> Option<Form> {
        (!matches!(self.truth, Pairing::Off)).then(|| self.answer_form())
    }

    /// The score beside the prediction; `None` where nothing is made of it.
    fn score_name(&self) -> Option<&str> {
        let used = self.positive.is_some() && self.prediction_form().is_some();
        self.settings.requests.score.as_deref().filter(|_| used)
    }

    /// How pairing wants a label beside the prediction; `None` where labels come from a log of their own, or not at all.
    fn label_form(&self) -> Option<Form> {
        matches!(self.truth, Pairing::Rows(_)).then(|| self.answer_form())
    }

    /// Takes rows in; they are needed again after a restart until the low water passes the event time returned.
    pub fn ingest(&mut self, batch: &Batch) -> i64 {
        match batch.log {
            Log::Requests => self.ingest_requests(batch),
            Log::Outcomes => self.ingest_outcomes(batch),
        }
    }

    /// Rows of before this event time are in no window any more.
    pub fn low_water(&self) -> i64 {
        match (&self.settings.windows, self.windows.start()) {
            (Some(_), Some(start)) => start,
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
