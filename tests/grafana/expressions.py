#!/usr/bin/env python3
"""Asks every expression of the dashboards, variables filled in: of a live Prometheus, or only whether it parses.

    expressions.py --prometheus http://localhost:9090 [--alerts monitoring/prometheus/alert_rules.yml]
    expressions.py --parse-only        (promtool reads them as recording rules)
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "monitoring" / "grafana" / "provisioning" / "dashboards"
DURATIONS = {"__rate_interval": "1m", "__interval": "15s", "__range": "15m"}
MINUTES = 15  # How far back a range is asked; an expression has data when any moment of it has.

# What may be empty where all is well, by a part of the expression, and why.
MAY_BE_EMPTY = {
    "ALERTS": "nothing may fire",
    "_rows_dropped_total": "no row may have been dropped",
    "drift_sidecar_column_problems_total": "no column may have problems",
    "drift_sidecar_files_failed_total": "no file may have failed",
    'column_missing_ratio_reference{model="$model"} > 0': "the reference may miss nothing",
    'column_out_of_range_ratio_reference{model="$model"} > 0': "the reference may have no infinities",
    'column_unseen_ratio_reference{model="$model"} > 0': "the reference may have no value only once",
    'column_infinite_ratio_reference{model="$model"} > 0': "the reference may have no infinities",
    "topk(10, column_infinite_ratio": "no value may be infinite",
    "topk(10, column_missing_ratio": "no value may be missing",
    "topk(10, column_unseen_ratio": "no value may be new",
    "topk(10, column_out_of_range_ratio": "all values may be in range",
    "model:prediction_f1_score:hour_ago": "there is no hour ago in the first hour",
    "model:prediction_f1_score:before": "there is no time before in the first hour",
    "score_estimated": "the log may have no scores to estimate from",
    "error_estimated": "the model may be none of numbers, or have no estimate",
    "prediction_estimate_error": "there may be no estimate",
    "prediction_roc_auc_score": "the model may not be binary",
    "prediction_log_loss": "the model may not be binary",
    "prediction_brier_score": "the model may not be binary",
    "prediction_specificity_score": "the model may not be binary",
    "prediction_mean_": "the model may be none of numbers",
    "prediction_root_mean_": "the model may be none of numbers",
    "prediction_r2_score": "the model may be none of numbers",
    "multivariate_drift_score": "drift.multivariate may ask for nothing",
    "multivariate_drift_noise": "drift.multivariate may ask for nothing",
    "segment_": "the config may have no segments",
    "reference_start_timestamp_seconds": "the reference's rows may have no time",
    "reference_end_timestamp_seconds": "the reference's rows may have no time",
    'status_code=~"[45].."': "nothing may have been refused or have failed",
    "retrain_webhook_": "no alert may have been sent yet",
    "prediction_model_load_failures_total": "no load may have failed",
    "offset $__interval": "nothing may have been replaced in the last minutes",
}


class Expression(NamedTuple):
    where: str
    text: str
    instant: bool


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions():
    """Every expression of panels, annotations and variables, as written."""
    found = []
    for path in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        for panel in panels(board):
            for target in panel.get("targets", []):
                where = f"{path.stem}: {panel['title']} ({target['refId']})"
                found.append(Expression(where, target["expr"], target.get("instant", False)))
        for mark in board["annotations"]["list"]:
            if "expr" in mark:
                found.append(Expression(f"{path.stem}: annotation {mark['name']}", mark["expr"], False))
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                continue
            where = f"{path.stem}: variable {variable['name']}"
            found.append(Expression(where, variable_query(variable["query"]["query"]), True))
    return found


def variable_query(text):
    """The expression inside label_values(expression, label) or query_result(expression)."""
    inside = re.fullmatch(r"(?:label_values|query_result)\((.*)\)", text).group(1)
    return re.sub(r",\s*\w+$", "", inside) if text.startswith("label_values") else inside


def fill(text, values):
    """The expression as Grafana would send it. A name that nobody fills stays, and does not parse."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found.group(1), found.group(0)), text)


def parse_faults(found):
    """What promtool says of the expressions, each written as a recording rule of its own name."""
    values = {**DURATIONS, "model": "m", "window": "1h", "column": ".*"}
    faults = []
    groups = [{"name": "dashboards", "rules": [
        {"record": f"expression:{i}", "expr": fill(one.text, values)} for i, one in enumerate(found)]}]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yml"
        path.write_text(json.dumps({"groups": groups}), encoding="utf-8")  # JSON is YAML.
        done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        for line in (done.stdout + done.stderr).splitlines():
            number = re.search(r"expression:(\d+)", line)
            if number:
                one = found[int(number.group(1))]
                faults.append(f"{one.where}: {line.strip()}\n    {one.text}")
        faults = faults or [done.stdout + done.stderr]
    return faults


class Prometheus:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def ask(self, path, **parameters):
        """The result, or the sentence in which Prometheus refuses."""
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", data=body, timeout=30) as answer:
                return json.load(answer)["data"]["result"], None
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            try:
                return None, json.loads(said)["error"]
            except (ValueError, KeyError):
                return None, f"HTTP {error.code}: {said[:200]}"

    def over_time(self, expr):
        now = time.time()
        return self.ask("query_range", query=expr, start=now - MINUTES * 60, end=now, step="15")

    def first_label(self, expr, label, otherwise):
        result, _ = self.ask("query", query=expr)
        return result[0]["metric"].get(label, otherwise) if result else otherwise


def real_values(prometheus, model):
    model = model or prometheus.first_label("drift_sidecar_model_up", "model", ".*")
    window = prometheus.first_label(f'window_main{{model="{model}"}} or window_rows{{model="{model}"}}', "window", ".*")
    return {**DURATIONS, "model": model, "window": window, "column": ".*"}


def excuse(text):
    return next((why for part, why in MAY_BE_EMPTY.items() if part in text), None)


def live_faults(found, prometheus, values):
    faults, with_data = [], 0
    for one in found:
        expr = fill(one.text, values)
        asked = prometheus.ask("query", query=expr) if one.instant else prometheus.over_time(expr)
        result, refused = asked
        if refused:
            faults.append(f"{one.where}: {refused}\n    {expr}")
        elif result:
            with_data += 1
        elif excuse(one.text):
            print(f"empty, as it may be ({excuse(one.text)}): {one.where}")
        else:
            faults.append(f"{one.where}: no data\n    {expr}")
    return faults, with_data


def alert_faults(path, found):
    """The recorded series that the dashboards ask for are recorded, and the threshold they draw is ModelF1Drop's."""
    rules = Path(path).read_text(encoding="utf-8")
    recorded = set(re.findall(r"record: *(\S+)", rules))
    asked = {name for one in found for name in re.findall(r"\bmodel:\w+:\w+", one.text)}
    faults = [f"{path}: nothing records {name}, which a dashboard asks for" for name in sorted(asked - recorded)]
    share = re.search(r"alert: ModelF1Drop\n +expr: model:prediction_f1_score:drop > ([0-9.]+)", rules)
    drawn = f"{1 - float(share.group(1)):.2f} * model:prediction_f1_score:before" if share else None
    if not drawn or not any(one.text.startswith(drawn) for one in found):
        faults.append(f"{path}: no panel draws the threshold of ModelF1Drop, {drawn or 'which has another shape now'}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", metavar="URL", help="a Prometheus that reads the whole stack")
    parser.add_argument("--model", help="value of the model variable; default: the first model of the sidecar")
    parser.add_argument("--alerts", metavar="FILE", help="alert rules, to hold against what the dashboards draw")
    parser.add_argument("--parse-only", action="store_true", help="no Prometheus: promtool says whether each parses")
    options = parser.parse_args()
    if options.parse_only == bool(options.prometheus):
        parser.error("give either --prometheus URL or --parse-only")
    found = expressions()
    faults = alert_faults(options.alerts, found) if options.alerts else []
    if options.parse_only:
        if not parse_faults([Expression("a seeded fault", "sum(up", True)]):
            faults.append("a seeded fault was not seen: promtool accepts `sum(up`")
        faults += parse_faults(found)
        done = f"{len(found)} expressions parsed"
    else:
        prometheus = Prometheus(options.prometheus)
        said, with_data = live_faults(found, prometheus, real_values(prometheus, options.model))
        faults += said
        done = f"{len(found)} expressions asked, {with_data} with data"
    for fault in faults:
        print(fault, file=sys.stderr)
    print(done + (f", {len(faults)} faults" if faults else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
