//! The columns that a model wants of its request log, and where each stands in a batch.

use crate::batch::{Form, Wanted};
use crate::reference::References;
use crate::settings::Settings;

/// Positions in a batch of requests; `None` where nothing is made of a column.
#[derive(Debug)]
pub(super) struct Columns {
    pub wanted: Vec<Wanted>,
    pub timestamp: Option<usize>,
    pub request_id: Option<usize>,
    pub prediction: Option<usize>,
    pub score: Option<usize>,
    pub label: Option<usize>,
    pub version: Option<usize>,
    /// Of each way to divide the rows.
    pub segments: Vec<Vec<usize>>,
}

/// What pairing wants of a request's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paired {
    /// The form of predictions and labels.
    pub prediction: Option<Form>,
    pub score: bool,
    /// Only where the label stands beside its prediction.
    pub label: Option<Form>,
}

impl Columns {
    pub fn new(settings: &Settings, references: &References, paired: Paired) -> Columns {
        let mut wanted = Vec::new();
        let mut place = |name: &str, form: Form| position(&mut wanted, name, form);
        let requests = &settings.requests;
        let timestamp = settings.windows.as_ref().map(|_| place(&requests.timestamp, Form::Time));
        let request_id = settings.outcomes.as_ref().map(|_| place(&requests.request_id, Form::Id));
        let prediction = paired.prediction.map(|form| place(&requests.prediction, form));
        let score = requests.score.as_ref().filter(|_| paired.score).map(|name| place(name, Form::Number));
        let label = paired.label.map(|form| place(&settings.reference.label, form));
        let version = requests.version.as_ref().map(|name| place(name, Form::Key));
        let segments = references.segmentations.iter();
        let segments = segments.map(|of| of.columns.iter().map(|name| place(name, Form::Key)).collect()).collect();
        for column in references.all().flat_map(|reference| &reference.columns) {
            place(column.log_name(settings), column.form());
        }
        for (name, form) in references.all().flat_map(|reference| reference.estimated(settings)) {
            place(&name, form);
        }
        Columns { timestamp, request_id, prediction, score, label, version, segments, wanted }
    }
}

/// The place of a column among those that are wanted, at the end if it is new.
fn position(wanted: &mut Vec<Wanted>, name: &str, form: Form) -> usize {
    let known = wanted.iter().position(|known| known.name == name && known.form == form);
    known.unwrap_or_else(|| {
        wanted.push(Wanted { name: name.to_string(), form });
        wanted.len() - 1
    })
}
