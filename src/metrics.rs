//! Metrics: a Report as Prometheus text. One table of families, one collector, one encoder.
//!
//! What is `None` in the Report is absent here; what left the Report leaves the page. The only room that names the
//! `prometheus` crate; it knows `report` and nothing else of the program.

use std::sync::Arc;

use prometheus::Registry;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

mod catalogue;
mod collect;
mod text;

pub use catalogue::{CATALOGUE, Family, Kind, Part};
pub use text::{encode, number};

use crate::report::{Moment, Report};

/// What a daemon says of itself beside its Report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    /// `None` where there is no config that could be reloaded.
    pub reload_successful: Option<bool>,
    pub reloaded_at: Option<Moment>,
}

/// The text of `/metrics`, format 0.0.4: families by name, series by labels.
pub fn render(report: Arc<Report>, process: &Process) -> String {
    let registry = Registry::new();
    let page = Page { report, process: process.clone(), descriptions: catalogue::descriptions() };
    // The only collector of a new registry, of a table that a test checks for names that clash.
    registry.register(Box::new(page)).expect("the catalogue's families are well-formed and differ");
    encode(&registry.gather())
}

/// All families, from one immutable Report: a scrape never mixes two evaluations.
struct Page {
    report: Arc<Report>,
    process: Process,
    descriptions: &'static [Desc],
}

impl Collector for Page {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        collect::families(&self.report, &self.process)
    }
}
