//! stub
use crate::{monitor,source};
#[derive(Debug, Clone, PartialEq)]
pub struct Config { pub models: Vec<Model> }
#[derive(Debug, Clone, PartialEq)]
pub struct Model { pub requests: source::Settings, pub outcomes: Option<source::Settings>, pub reference: source::Settings, pub monitor: monitor::Settings }
