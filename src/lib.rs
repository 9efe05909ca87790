//! drift-sidecar.

pub mod batch;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod grid;
pub mod http;
pub mod metrics;
pub mod monitor;
pub mod page;
pub mod pair;
pub mod pane;
pub mod plan;
pub mod profile;
pub mod reference;
pub mod report;
pub mod shutdown;
pub mod source;
pub mod stats;
pub mod table;
pub mod verdict;
pub mod window;
pub mod worker;
