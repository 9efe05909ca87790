//! The config, resolved: every value is legal by its type or was checked. What the file says is in `raw`.
//!
//! This file knows the parts' settings and nothing of YAML, clap or the disk.

pub mod raw;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::monitor;
use crate::source;

/// Everything that one config file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    /// How often each model is evaluated and how often, at least, its folders are listed.
    pub evaluate_every: Duration,
    /// Where cursors are kept; `None`: nowhere, every start reads the logs anew.
    pub state_dir: Option<PathBuf>,
    pub models: Vec<Model>,
}

/// One model: what to read, and what to make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub requests: source::Settings,
    pub outcomes: Option<source::Settings>,
    pub reference: source::Settings,
    pub monitor: monitor::Settings,
}
