//! What Alertmanager delivers, version 4, and nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a body is no delivery.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("not JSON")]
    Json { source: serde_json::Error },
    #[error("not Alertmanager's webhook: it has \"version\": \"4\" and a list of \"alerts\"; found {found}")]
    Foreign { found: String },
    #[error("alert {index} of the delivery cannot be read")]
    Alert { index: usize, source: serde_json::Error },
    #[error("alert {index} of the delivery has the status `{status}`; there is `firing` and `resolved`")]
    Status { index: usize, status: String },
    #[error("alert {index} of the delivery has the fingerprint `{fingerprint}`; it is made of hexadecimal digits")]
    Fingerprint { index: usize, fingerprint: String },
}

/// One alert, as Alertmanager sends it and as the DAG run is told of it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    #[serde(skip_serializing)]
    status: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    pub starts_at: Timestamp,
    /// Alertmanager's hash of the labels, hexadecimal.
    pub fingerprint: String,
    #[serde(default, rename = "generatorURL")]
    pub generator_url: String,
}

impl Alert {
    /// The alert's name, as people know it.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("(unnamed)", String::as_str)
    }
}

/// A group of alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub firing: Vec<Alert>,
    /// How many alerts of the group are over.
    pub resolved: usize,
    pub group_key: String,
    pub external_url: String,
    /// Alerts that Alertmanager left out of the delivery.
    pub truncated: u64,
}

impl Delivery {
    /// The whole body must be right: of half a delivery nothing is started.
    pub fn parse(body: &[u8]) -> Result<Delivery, DeliveryError> {
        let value: Value = serde_json::from_slice(body).map_err(|source| DeliveryError::Json { source })?;
        let version = value.get("version").and_then(Value::as_str);
        let Some(listed) = value.get("alerts").and_then(Value::as_array).filter(|_| version == Some("4")) else {
            return Err(DeliveryError::Foreign { found: outline(&value) });
        };
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
        let mut delivery = Delivery {
            firing: Vec::new(),
            resolved: 0,
            group_key: word("groupKey"),
            external_url: word("externalURL"),
            truncated: value.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0),
        };
        for (index, listed) in listed.iter().enumerate() {
            let alert = Alert::deserialize(listed).map_err(|source| DeliveryError::Alert { index, source })?;
            if alert.fingerprint.is_empty() || !alert.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(DeliveryError::Fingerprint { index, fingerprint: alert.fingerprint });
            }
            match alert.status.as_str() {
                "firing" => delivery.firing.push(alert),
                "resolved" => delivery.resolved += 1,
                _ => return Err(DeliveryError::Status { index, status: alert.status }),
            }
        }
        Ok(delivery)
    }
}

/// What a foreign body is, in a few words.
fn outline(value: &Value) -> String {
    match value {
        Value::Object(object) if object.is_empty() => "an empty object".to_string(),
        Value::Object(object) => {
            let keys: Vec<String> = object.keys().take(8).map(|key| format!("`{}`", key.escape_debug())).collect();
            let version = object.get("version").map(|version| format!(", version {version}")).unwrap_or_default();
            format!("an object of {}{version}", keys.join(", "))
        }
        Value::Array(_) => "a list".to_string(),
        Value::String(_) => "a text".to_string(),
        Value::Number(_) => "a number".to_string(),
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}
