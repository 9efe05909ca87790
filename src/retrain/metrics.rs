//! What the webhook says of itself.

use std::time::{Duration, SystemTime};

use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

use crate::metrics::encode;

/// Every name on the webhook's page.
pub const NAMES: &[&str] = &[
    "retrain_webhook_deliveries_total",
    "retrain_webhook_alerts_total",
    "retrain_webhook_dag_runs_total",
    "retrain_webhook_airflow_request_duration_seconds",
    "retrain_webhook_airflow_up",
    "retrain_webhook_last_started_timestamp_seconds",
    "retrain_webhook_build_info",
];

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Started,
    AlreadyStarted,
    Resolved,
    Failed,
}

impl Count {
    fn alert(self) -> &'static str {
        match self {
            Count::Started => "started",
            Count::AlreadyStarted => "already_started",
            Count::Resolved => "resolved",
            Count::Failed => "failed",
        }
    }

    fn run(self) -> &'static str {
        if self == Count::AlreadyStarted { "exists" } else { self.alert() }
    }
}

#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    deliveries: IntCounterVec,
    alerts: IntCounterVec,
    runs: IntCounterVec,
    duration: Histogram,
    up: Gauge,
    last_started: GaugeVec,
}

impl Metrics {
    pub fn new() -> Metrics {
        let registry = Registry::new();
        // Names and labels are constants: `prometheus` refuses none of them, which every test here sees.
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).expect("a legal name");
            registry.register(Box::new(counter.clone())).expect("a name of its own");
            counter
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let gauge = GaugeVec::new(Opts::new(name, help), labels).expect("a legal name");
            registry.register(Box::new(gauge.clone())).expect("a name of its own");
            gauge
        };
        let deliveries =
            counter(NAMES[0], "Deliveries of Alertmanager, by the status they were answered with.", &["status"]);
        let alerts = counter(NAMES[1], "Alerts delivered, by what became of them.", &["result"]);
        let runs = counter(
            NAMES[2],
            "DAG runs asked for: started, exists (an earlier delivery started it), failed.",
            &["dag", "result"],
        );
        let buckets = vec![0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let options =
            HistogramOpts::new(NAMES[3], "Time that Airflow took to answer a delivery's requests.").buckets(buckets);
        let duration = Histogram::with_opts(options).expect("legal buckets");
        registry.register(Box::new(duration.clone())).expect("a name of its own");
        let up = Gauge::new(
            NAMES[4],
            "1 when Airflow did what it was last asked, 0 when it did not. Absent before the first delivery.",
        )
        .expect("a legal name");
        let last_started = gauge(NAMES[5], "When a run of the DAG was last started from here.", &["dag"]);
        gauge(NAMES[6], "1, with the version of the program.", &["version"])
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1.0);
        for result in [Count::Started, Count::AlreadyStarted, Count::Resolved, Count::Failed] {
            alerts.with_label_values(&[result.alert()]);
        }
        Metrics { registry, deliveries, alerts, runs, duration, up, last_started }
    }

    pub fn delivery(&self, status: u16) {
        self.deliveries.with_label_values(&[&status.to_string()]).inc();
    }

    pub fn alerts(&self, count: Count, alerts: usize) {
        self.alerts.with_label_values(&[count.alert()]).inc_by(alerts as u64);
    }

    /// Airflow was asked for a run of `dag`, for so many alerts.
    pub fn asked(&self, dag: &str, alerts: usize, count: Count, took: Duration) {
        self.alerts(count, alerts);
        self.runs.with_label_values(&[dag, count.run()]).inc();
        self.duration.observe(took.as_secs_f64());
        if self.up.get() == 0.0 {
            // Registered with its first value: before it, nothing is known of Airflow. A second time changes nothing.
            let _ = self.registry.register(Box::new(self.up.clone()));
        }
        self.up.set(if count == Count::Failed { 0.0 } else { 1.0 });
        if count == Count::Started {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            self.last_started.with_label_values(&[dag]).set(now.as_secs_f64());
        }
    }

    pub fn render(&self) -> String {
        encode(&self.registry.gather())
    }
}
