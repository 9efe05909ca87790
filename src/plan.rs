//! The plan: which columns are compared, as what kind, by which method and threshold, and why.

use std::collections::BTreeMap;

use crate::monitor::{Average, Task};
use crate::report::{Kind, Role};
use crate::stats::Method;

/// What a model's settings and its reference come to.
#[derive(Debug, Clone)]
pub struct Plan {
    pub model: String,
    pub task: Task,
    /// Why this task, in words.
    pub task_why: String,
    /// `None` for regression.
    pub average: Option<Average>,
    pub reference_rows: u64,
    /// Features in the reference's order, then the prediction.
    pub columns: Vec<PlannedColumn>,
    /// Columns of the reference that are not compared, with the reason in words.
    pub ignored: BTreeMap<String, String>,
    /// Knots of a numeric grid after `memory_max`, and what the panes of all windows may take in bytes.
    pub resolution: usize,
    pub memory_bytes: usize,
    /// What is legal but will surprise, in words: a resolution cut to fit, a feature of the config that the reference lacks, ...
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct PlannedColumn {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    /// Why this kind, in words: `float64 in the reference`, `integer with 5 distinct values`, `kind: text in the config`.
    pub why: String,
    /// Methods with their thresholds; empty where no test exists for the kind.
    pub tests: Vec<(&'static Method, f64)>,
    pub distinct: u64,
    pub missing_ratio: Option<f64>,
}
