//! A reference being read: what is gathered of each column, and what comes of it in the end.
//!
//! This file decides which columns there are; what each becomes is decided beside it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::drawn::Drawn;
use super::gathered::Gathered;
use super::judged::Judged;
use super::taught::{Erring, Taught};
use super::{Compared, Reference};
use crate::batch::{Batch, Column, Field, Form, Wanted};
use crate::label::Labels;
use crate::plan::{self, Choice, Plan};
use crate::report::{Kind, Quality, Role};
use crate::settings::{Average, Definition, Settings, Task};
use crate::stats::f1::Confusion;
use crate::stats::scored::Scored;

/// A string column with more distinct values than this is text, whatever its rows: nobody draws a bar for each.
const DISTINCT_MAX: usize = 1_000_000;

/// A string column with more distinct values than this, and than half its rows, is text.
const TEXT_DISTINCT_MIN: usize = 100;

/// Values of number columns that are there at a time, where they can be read one after another: 64 MiB.
const VALUES_MAX: u64 = 8 << 20;

/// A reference being read.
#[derive(Debug)]
pub struct Draft {
    settings: Settings,
    rows_expected: u64,
    rows: u64,
    columns: Vec<DraftColumn>,
    /// Positions in `columns`.
    prediction: Option<usize>,
    label: Option<usize>,
    /// The code of the positive class.
    positive: Option<u16>,
    /// Its columns stand behind all others.
    taught: Taught,
    ignored: BTreeMap<String, String>,
    warnings: Vec<String>,
    choice: Choice,
    cells: Confusion,
    scored: Scored,
    errors: crate::stats::regression::Errors,
    labels: Labels,
    drawn: Drawn,
}

#[derive(Debug)]
struct DraftColumn {
    field: Field,
    gathered: Gathered,
    /// From when on nothing more is gathered.
    judged: Option<Judged>,
}

impl Draft {
    /// `fields` and `rows_expected` are the reference's own.
    pub fn new(settings: &Settings, fields: &[Field], rows_expected: u64) -> Draft {
        let find = |name: &str| fields.iter().find(|field| field.name == name);
        let choice = plan::task(settings, find(&settings.reference.prediction));
        let mut draft = Draft {
            settings: settings.clone(),
            rows_expected,
            rows: 0,
            columns: Vec::new(),
            prediction: None,
            label: None,
            positive: None,
            taught: Taught::new(settings, fields, rows_expected, choice.task != Task::Regression),
            ignored: BTreeMap::new(),
            warnings: plan::unknown_segments(settings, fields),
            choice,
            cells: Confusion::default(),
            scored: Scored::default(),
            errors: Default::default(),
            labels: Labels::default(),
            drawn: Drawn::default(),
        };
        for field in fields {
            draft.place(field);
        }
        draft.positive = settings.positive_label.as_deref().and_then(|name| draft.labels.learn(name));
        draft
    }

    /// Decides what to gather of a column, by its role first and then by its nature.
    fn place(&mut self, field: &Field) {
        let position = self.columns.len();
        let roles = &self.settings.reference;
        let regression = self.choice.task == Task::Regression;
        let gathered = if field.name == roles.prediction {
            self.prediction = Some(position);
            Gathered::empty(if regression { Form::Number } else { Form::Key })
        } else if field.name == roles.label {
            self.label = Some(position);
            Gathered::empty(if regression { Form::Number } else { Form::Key })
        } else {
            let feature = self.settings.features.get(&field.name);
            match plan::gather(&self.settings, field, feature) {
                Ok(form) if regression || plan::auto(&self.settings, &field.name) => Gathered::empty(form).ordered(),
                Ok(form) => Gathered::empty(form),
                Err(why) => {
                    self.ignored.insert(field.name.clone(), why);
                    return;
                }
            }
        };
        self.columns.push(DraftColumn { field: field.clone(), gathered, judged: None });
    }

    /// The columns of each batch, in order.
    pub fn wanted(&self) -> Vec<Wanted> {
        let wanted = |column: &DraftColumn| Wanted { name: column.field.name.clone(), form: column.gathered.form() };
        self.columns.iter().map(wanted).chain(self.taught.wanted()).collect()
    }

    /// Reads it whole, some columns at a time where the values of all would be too many. `read` hands out all rows, the same ones in the
    /// same order each time, with the columns that it is told.
    pub fn read<E>(
        &mut self,
        mut read: impl FnMut(&[Wanted], &mut dyn FnMut(&Batch)) -> Result<(), E>,
    ) -> Result<(), E> {
        let wanted = self.wanted();
        let at_a_time = (VALUES_MAX / self.rows_expected.max(1)).max(1) as usize;
        let alone: Vec<usize> = (0..self.columns.len()).filter(|at| self.stands_alone(*at)).collect();
        if alone.len() <= at_a_time {
            return read(&wanted, &mut |batch| self.ingest(batch));
        }
        let of = |positions: &[usize]| positions.iter().map(|at| wanted[*at].clone()).collect::<Vec<_>>();
        let together: Vec<usize> = (0..wanted.len()).filter(|at| alone.binary_search(at).is_err()).collect();
        read(&of(&together), &mut |batch| {
            let mut columns = vec![Column::Absent; wanted.len()];
            together.iter().zip(&batch.columns).for_each(|(at, column)| columns[*at] = column.clone());
            self.ingest_of(&together, &Batch { columns, ..*batch });
        })?;
        for turn in alone.chunks(at_a_time) {
            read(&of(turn), &mut |batch| {
                turn.iter().zip(&batch.columns).for_each(|(at, column)| self.gather(*at, column, batch.rows));
            })?;
            turn.iter().for_each(|at| self.judge(*at));
        }
        Ok(())
    }

    pub fn ingest(&mut self, batch: &Batch) {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        self.ingest_of(&all, batch);
    }

    /// The columns at these positions; the batch has all.
    fn ingest_of(&mut self, positions: &[usize], batch: &Batch) {
        self.rows += batch.rows as u64;
        let own = self.columns.len();
        let gathered = positions.iter().filter(|at| **at < own);
        gathered.for_each(|at| self.gather(*at, &batch.columns[*at], batch.rows));
        self.pair(batch);
        self.drawn.ingest(batch);
    }

    fn gather(&mut self, position: usize, data: &Column, rows: usize) {
        let text_above = match self.settings.drift.definition {
            Definition::Robust => (self.rows_expected / 2).max(TEXT_DISTINCT_MIN as u64) as usize,
            Definition::Evidently => (self.rows_expected / 2) as usize,
            Definition::Nannyml => DISTINCT_MAX,
        };
        let role = self.prediction == Some(position) || self.label == Some(position);
        let column = &mut self.columns[position];
        let asked = self.settings.features.get(&column.field.name);
        let keep_keys = role || asked.is_some_and(|feature| feature.kind == Some(Kind::Categorical));
        column.gathered.add(data, rows, if keep_keys { DISTINCT_MAX } else { text_above.min(DISTINCT_MAX) });
    }

    /// Numbers that are looked at without the other values of their rows.
    fn stands_alone(&self, position: usize) -> bool {
        let has_role = self.prediction == Some(position) || self.label == Some(position);
        let numbers = matches!(self.columns[position].gathered, Gathered::Numbers { .. });
        let sampled = !self.settings.drift.multivariate.is_empty();
        numbers && !has_role && !sampled && self.errs().is_none()
    }

    /// Decides the kind of a column, and lets go of what its values need not be kept for.
    fn judge(&mut self, position: usize) {
        let columns = self.columns.len();
        let role = if self.prediction == Some(position) { Role::Prediction } else { Role::Feature };
        let column = &mut self.columns[position];
        if column.judged.is_none() {
            let gathered = std::mem::replace(&mut column.gathered, Gathered::empty(Form::Number));
            let points_max = plan::points_max(&self.settings, columns);
            let field = column.field.clone();
            column.judged = Some(Judged::new(position, field, gathered, role, &self.settings, points_max));
        }
    }

    /// Predictions and labels stand in one row of the reference.
    fn pair(&mut self, batch: &Batch) {
        let (Some(prediction), Some(label)) = (self.prediction, self.label) else {
            return;
        };
        match (&batch.columns[prediction], &batch.columns[label]) {
            (Column::Keys(predicted), Column::Keys(actual)) => {
                let predicted = self.labels.codes(predicted);
                let actual = self.labels.codes(actual);
                for (&p, &a) in predicted.iter().zip(&actual) {
                    if let (Some(p), Some(a)) = (p, a) {
                        *self.cells.entry((p, a)).or_default() += 1;
                    }
                }
                let own = &batch.columns[self.columns.len()..];
                self.taught.ingest(own, &predicted, &actual);
                self.score(self.taught.scores_of(own), &predicted, &actual);
            }
            (Column::Numbers(predicted), Column::Numbers(actual)) => {
                for (p, a) in predicted.iter().zip(actual.iter()) {
                    if let (Some(p), Some(a)) = (p, a)
                        && p.is_finite()
                        && a.is_finite()
                    {
                        self.errors.add(p, a);
                    }
                }
            }
            _ => {}
        }
    }

    /// Scores beside predictions and labels.
    fn score(&mut self, scores: Option<&Column>, predicted: &[Option<u16>], actual: &[Option<u16>]) {
        let (Some(Column::Numbers(scores)), Some(positive)) = (scores, self.positive) else {
            return;
        };
        for (score, both) in scores.iter().zip(predicted.iter().zip(actual)) {
            if let (Some(score), (Some(_), Some(actual))) = (score, both) {
                self.scored.add(score, *actual == positive);
            }
        }
        if self.scored.rows() > self.settings.exact_rows as u64 {
            self.scored.fold();
        }
    }

    fn quality(&self, task: Task, average: Option<Average>) -> Option<Quality> {
        let Some(average) = average else {
            return crate::label::regression_quality(&self.errors);
        };
        let quality = self.labels.quality(&self.cells, average, self.settings.positive_label.as_deref());
        let scores = self.scored.finish().filter(|_| task == Task::Binary);
        quality.map(|quality| crate::label::with_scores(quality, scores))
    }

    /// Where a regression's predictions and labels stand: all columns may tell how much it errs.
    fn errs(&self) -> Option<(usize, usize)> {
        self.prediction.zip(self.label).filter(|_| self.choice.task == Task::Regression)
    }

    /// A regression's rows, while they are still there.
    fn erring(&self) -> Option<Erring> {
        let (prediction, label) = self.errs()?;
        Erring::new(self.columns.iter().map(|column| &column.gathered), prediction, label)
    }

    /// Each column but the label's and those with a problem, judged; the prediction comes last.
    fn judged(&mut self) -> Vec<Judged> {
        let usable = |at: &usize| Some(*at) != self.label && self.columns[*at].gathered.problem().is_none();
        let mut positions: Vec<usize> = (0..self.columns.len()).filter(usable).collect();
        positions.sort_by_key(|at| Some(*at) == self.prediction);
        positions.iter().for_each(|at| self.judge(*at));
        positions.iter().filter_map(|at| self.columns[*at].judged.take()).collect()
    }

    /// `Err`: why nothing can be compared with this reference.
    pub fn finish(self) -> Result<Reference, String> {
        self.close(None)
    }

    /// For some of the rows of `whole`, which has learnt to estimate from all of them.
    pub fn finish_part(self, whole: &Reference) -> Result<Reference, String> {
        self.close(Some(whole))
    }

    fn close(mut self, whole: Option<&Reference>) -> Result<Reference, String> {
        let problems =
            self.columns.iter().filter_map(|column| Some((column.field.name.clone(), column.gathered.problem()?)));
        self.ignored.extend(problems);
        if self.rows == 0 {
            return Err(
                "the reference has no rows; give it a file with rows of a time when the model was well".to_string()
            );
        }
        let settings = &self.settings;
        let classes = || self.prediction.map_or(0, |prediction| self.columns[prediction].gathered.distinct_keys());
        let task = plan::refine(self.choice.clone(), settings, classes);
        let average = plan::average(settings, task.task);
        let quality = self.quality(task.task, average);
        let erring = self.erring().filter(|_| whole.is_none());
        let judged = self.judged();
        let settings = &self.settings;
        let judged = with_descriptors(judged, settings, &mut self.ignored);
        let places: Vec<usize> = judged.iter().map(|column| column.position).collect();
        let shapes: Vec<plan::Shape> = judged.iter().map(Judged::shape).collect();
        let sampled: Vec<&Judged> = judged.iter().filter(|column| column.is_sampled(settings)).collect();
        let positions: Vec<usize> = sampled.iter().map(|column| column.position).collect();
        let (resolution, memory_bytes, mut warnings) = plan::fit(settings, &shapes, self.drawn.row_bytes(&positions));
        let names = judged.iter().map(|column| column.name.as_str());
        warnings.append(&mut self.warnings);
        warnings.extend(plan::condensed(settings, judged.iter().filter(|column| column.is_condensed()).count()));
        warnings.extend(plan::unknown_features(settings, names, &self.ignored));
        let mut digest = Xxh3::new();
        digest.update(&self.rows.to_le_bytes());
        judged.iter().for_each(|column| column.hash(&mut digest));
        let columns: Vec<_> = judged.iter().map(|column| column.plan(settings, self.rows)).collect();
        warnings.extend(plan::not_auto(settings, &columns));
        let mut plan = Plan {
            model: settings.name.clone(),
            task: task.task,
            task_why: task.why,
            average,
            reference_rows: self.rows,
            columns,
            ignored: self.ignored,
            resolution,
            memory_bytes,
            extras: plan::parts(settings),
            warnings,
        };
        let digest = format!("{:016x}", digest.digest());
        let mut columns: Vec<Compared> = Vec::new();
        for column in judged {
            let slot = positions.iter().position(|position| *position == column.position);
            columns.push(Compared { slot, ..column.compare(settings, self.rows, resolution) });
        }
        plan.warnings.extend(columns.iter().filter_map(Compared::without_auto));
        let labelled = quality.is_some();
        let taught = match (whole, average) {
            (Some(whole), _) => Ok(whole.estimator.clone()),
            (None, Some(average)) => {
                let task = (task.task, average);
                self.taught.classification(settings, task, &self.labels, labelled).map(|found| found.map(Arc::new))
            }
            (None, None) => erring.map(|erring| erring.regression(&columns, &places).map(Arc::new)).transpose(),
        };
        let estimator = taught.unwrap_or_else(|why| {
            plan.warnings.push(why);
            None
        });
        plan.extras.extend(estimator.iter().map(|estimator| ("estimate", estimator.about())));
        let slots = columns.iter().filter(|column| column.slot.is_some()).map(|column| &column.side);
        let sample = self.drawn.finish(&positions.into_iter().zip(slots).collect::<Vec<_>>());
        Ok(Reference { rows: self.rows, digest, quality, columns, plan, labels: self.labels, sample, estimator })
    }
}

/// Texts with the columns that describe them behind them. Other tools have none, and none takes the name of another column.
fn with_descriptors(judged: Vec<Judged>, settings: &Settings, ignored: &mut BTreeMap<String, String>) -> Vec<Judged> {
    if settings.drift.definition != Definition::Robust {
        return judged;
    }
    let names: HashSet<String> =
        judged.iter().map(|column| column.name.clone()).chain(ignored.keys().cloned()).collect();
    let mut all = Vec::new();
    for mut column in judged {
        let mut descriptors = column.descriptors();
        descriptors.retain(|column| {
            let asked = settings.features.get(&column.name);
            let ignore = asked.is_some_and(|feature| feature.ignore);
            if ignore {
                ignored.insert(column.name.clone(), "ignore: true in the config".to_string());
            }
            !ignore && !names.contains(&column.name)
        });
        all.push(column);
        all.extend(descriptors);
    }
    all
}
