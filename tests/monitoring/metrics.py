"""Every metric that a rule or a dashboard names exists: in the sidecar's catalogue, in a service, or as a record."""

import json
import re
import sys

from rules import ROOT, rules

# What is read from others than the sidecar, and is written in no source of this project.
OTHERS = {
    "up",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "probe_success",
    "alertmanager_notifications_failed_total",
    "process_resident_memory_bytes",
}
WORDS = re.compile(
    r"and|or|unless|on|by|offset|ignoring|group_left|group_right|sum|min|max|count|time|vector|absent|rate|increase"
    r"|topk|bottomk|sort_desc|histogram_quantile|label_values|query_result|\w+_over_time"
)


def names(expression):
    """The metrics of an expression: its words, without labels, strings, durations, numbers and the language's own."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    bare = re.sub(r"\b(by|on|ignoring|group_left|group_right) ?\([^)]*\)|offset \S+|, *\w+\)$", " ", bare)
    bare = re.sub(r"\b\d+[smhdw]\b|\b\d[\d.e-]*", " ", bare)
    return {name for name in re.findall(r"[a-zA-Z_][\w:]*", bare) if not WORDS.fullmatch(name)}


def catalogue():
    """The sidecar's families, and what a window has for each version and each segment too."""
    text = (ROOT / "src/metrics/catalogue.rs").read_text()
    families = dict(re.findall(r'^ +\w+ (?:Gauge|Counter|Histogram) "(\w+)" \[([^\]]*)\]', text, re.M))
    assert len(families) > 40, "the catalogue is no longer written as this check reads it"
    parted = {name for name, labels in families.items() if '"window"' in labels and name != "window_main"}
    return families.keys() | {f"{part}_{name}" for part in ("version", "segment") for name in parted}


def services():
    """Whatever the services' sources have in quotes: their metrics are among it."""
    sources = [*(ROOT / "examples").rglob("*.rs"), *(ROOT / "src/retrain").glob("*.rs")]
    return {name for path in sources for name in re.findall(r'"(\w+_\w+)"', path.read_text())}


def known():
    sources = catalogue() | services() | OTHERS
    of_histograms = {f"{name}_bucket" for name in sources}
    return sources | of_histograms | {rule["record"] for rule in rules() if "record" in rule}


def expressions():
    """(who asks, expression) of rules and dashboards."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in sorted((ROOT / "monitoring/grafana/provisioning/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]:
            yield from ((f"{board['title']}, {panel['title']}", target["expr"]) for target in panel.get("targets", []))
        marks = [mark for mark in board["annotations"]["list"] if "expr" in mark]
        yield from ((f"{board['title']}, {mark['name']}", mark["expr"]) for mark in marks)
        variables = board["templating"]["list"]
        yield from ((f"{board['title']}, ${one['name']}", one["query"]["query"]) for one in variables
                    if one["type"] == "query")


def main():
    there = known()
    assert names("sum by (x) (rate(nothing_total{a=\"up\"}[5m]))") - there == {"nothing_total"}
    unknown = set()
    count = 0
    for who, expression in expressions():
        found = names(expression)
        assert found or "vector" in expression, f"no metric found in {who}: {expression}"
        count += len(found)
        unknown |= {f"{who}: there is no metric {name}" for name in found - there}
    print("\n".join(sorted(unknown)) or f"{count} uses of metrics, all of which exist")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
