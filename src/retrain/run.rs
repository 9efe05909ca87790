//! The DAG run that a delivery asks for: its id, and what it is told.

use serde_json::{Value, json};

use super::alerts::{Alert, Delivery};

/// A run to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// `am__FINGERPRINT__STARTED`, legal in Airflow 2 and 3: letters, digits and `_`.
    pub id: String,
    /// The name of the alert that the id is made of.
    pub alert: String,
    /// The run's `conf`: that alert, all alerts of the group, where they came from.
    pub conf: Value,
    /// A line for people who look at the run.
    pub note: String,
}

impl Run {
    /// `None` where nothing is firing.
    ///
    /// The earliest alert names the run: it stays the earliest while others join the incident.
    pub fn of(delivery: &Delivery) -> Option<Run> {
        let alert = delivery.firing.iter().min_by(|a, b| order(a).cmp(&order(b)))?;
        // The digits of the time in UTC, to the millisecond: as Alertmanager prints it, whatever the zone.
        let started = alert.starts_at.strftime("%Y%m%dT%H%M%S%3f");
        let summary = alert.annotations.get("summary").map(|summary| format!(": {summary}")).unwrap_or_default();
        Some(Run {
            id: format!("am__{}__{started}", alert.fingerprint),
            alert: alert.name().to_string(),
            conf: json!({
                "alert": alert,
                "alerts": delivery.firing,
                "groupKey": delivery.group_key,
                "externalURL": delivery.external_url,
                "truncatedAlerts": delivery.truncated,
            }),
            note: format!("{}{summary}", alert.name()),
        })
    }
}

fn order(alert: &Alert) -> (jiff::Timestamp, &str) {
    (alert.starts_at, &alert.fingerprint)
}
