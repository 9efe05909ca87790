//! The board: the latest Report of every model, put together and published as one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::Shared;
use crate::report::{ModelReport, Report};

/// Where workers put their reports. Cheap to clone.
#[derive(Clone)]
pub struct Board {
    shared: Arc<Shared>,
    slots: Arc<Mutex<Slots>>,
}

#[derive(Default)]
struct Slots {
    /// Model names in the order of the config.
    order: Vec<String>,
    reports: BTreeMap<String, Arc<ModelReport>>,
}

impl Board {
    pub fn new(shared: Arc<Shared>) -> Board {
        Board { shared, slots: Arc::default() }
    }

    /// The models from now on, in order, and those of them that cannot run, with the problem. Reports of other models leave.
    pub fn expect(&self, order: Vec<String>, broken: Vec<(String, String)>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.reports.retain(|name, _| order.contains(name));
        for (name, problem) in broken {
            let report = ModelReport { model: name.clone(), problems: vec![problem], ..ModelReport::default() };
            slots.reports.insert(name, Arc::new(report));
        }
        self.shared.history().retain(&order);
        slots.order = order;
        self.swap(&slots);
    }

    /// One model's newest evaluation.
    pub fn publish(&self, report: ModelReport) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.order.contains(&report.model) {
            return;
        }
        self.shared.history().add(&report);
        slots.reports.insert(report.model.clone(), Arc::new(report));
        self.swap(&slots);
    }

    fn swap(&self, slots: &Slots) {
        let models: Vec<Arc<ModelReport>> =
            slots.order.iter().filter_map(|name| slots.reports.get(name).cloned()).collect();
        if models.len() == slots.order.len() {
            self.shared.ready.store(true, Ordering::Release);
        }
        self.shared.report.store(Arc::new(Report { models }));
    }
}
