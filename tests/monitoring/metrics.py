"""Every metric that a rule names exists: in the sidecar's catalogue, in a service, or as a rule's record."""

import re
import sys

from rules import ROOT, rules

# What the rules read from others than the sidecar.
OTHERS = {
    "up",
    "ALERTS",
    "probe_success",
    "alertmanager_notifications_failed_total",
    "prediction_requests_total",
    "retrain_webhook_airflow_up",
    "retrain_webhook_dag_runs_total",
}
WORDS = re.compile(r"and|or|unless|on|by|offset|group_left|sum|min|max|time|absent|rate|increase|\w+_over_time")


def names(expression):
    """The metrics of an expression: its words, without labels, strings, durations and the language's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    bare = re.sub(r"\b(by|on|group_left) \([^)]*\)", " ", bare)
    return {name for name in re.findall(r"[a-zA-Z_][\w:]*", bare) if not WORDS.fullmatch(name)}


def known():
    catalogue = (ROOT / "src/metrics/catalogue.rs").read_text()
    families = re.findall(r'^ +\w+ (?:Gauge|Counter|Histogram) "(\w+)" \[(.*?)\]', catalogue, re.M)
    divided = {name for name, labels in families if '"window"' in labels or name.endswith("_reference")}
    parts = {f"{part}_{name}" for part in ("version", "segment") for name in divided - {"window_main"}}
    sidecar = {name for name, _ in families} | parts
    assert len(sidecar) > 40, "the catalogue is no longer written as this check reads it"
    return sidecar | OTHERS | {rule["record"] for rule in rules() if "record" in rule}


def main():
    there = known()
    unknown = []
    count = 0
    for rule in rules():
        expression = re.sub(r"\b\d+[smhdw]\b|\b\d[\d.e-]*", " ", rule["expr"])
        found = names(expression)
        assert found, f"no metric found in {rule}"
        count += len(found)
        unknown += [f"{rule.get('alert') or rule['record']}: there is no metric {name}" for name in found - there]
    print("\n".join(unknown) or f"{count} uses of metrics, all of which exist")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
