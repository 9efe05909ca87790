"""Labels stop, the data drift, labels come back: what the sidecar says of it, ten minutes of event time after ten minutes,
becomes a story that `promtool test rules` plays with the real rules. Nothing sleeps: the logs are of a day that is over."""

import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from metrics import names
from rules import ROOT, RULES, rules

SIDECAR = os.environ.get("DRIFT_SIDECAR", ROOT / "target/debug/drift-sidecar")
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
STEP, ROWS = 10, 400  # minutes, and requests in them
STOP, DRIFT, BACK, END = 12, 24, 54, 66  # steps

CONFIG = """
models:
  - name: m
    task: binary
    positive_label: "1"
    requests: {path: requests, score: score}
    outcomes: {path: outcomes}
    reference: {path: reference.parquet}
    windows: [1h]
"""


def drawn(rng, rows, drifted):
    """Rows whose score is the probability of their label, so that an estimate from scores can be right. Those that have
    drifted lie near the model's border: it is less sure of them."""
    x = rng.normal(0, 1 if drifted else 4, rows)
    score = 1 / (1 + np.exp(-x))
    label = (rng.random(rows) < score).astype(int)
    return {"x": x, "age": rng.normal(40, 10, rows), "score": score, "prediction": (x > 0).astype(int), "label": label}


def write(path, *tables):
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.concat_tables(map(pa.table, tables)), path)


def evaluated(folder):
    """What /metrics says of the logs as they are: {series: value}"""
    command = [SIDECAR, "once", "--config", folder / "sidecar.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.rsplit(" ", 1) for line in done.stdout.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, value in lines}


def lived(folder):
    """The pages of all steps. The labels of a step are there at its end, unless they have stopped."""
    rng = np.random.default_rng(27)
    (folder / "sidecar.yaml").write_text(CONFIG)
    write(folder / "reference.parquet", drawn(rng, 20_000, drifted=False))
    waiting, pages = [], []
    for step in range(END):
        rows = drawn(rng, ROWS, drifted=step >= DRIFT)
        label = rows.pop("label")
        ids = [f"{step}-{i}" for i in range(ROWS)]
        times = [BEGIN + timedelta(minutes=STEP * (step + i / ROWS)) for i in range(ROWS)]
        write(folder / f"requests/{step}.parquet", {"request_id": ids, "timestamp": times, **rows})
        waiting.append({"request_id": ids, "timestamp": times, "label": label})
        if not STOP <= step < BACK:
            write(folder / f"outcomes/{step}.parquet", *waiting)
            waiting.clear()
        pages.append(evaluated(folder))
    return pages


def values(pages, series):
    """A series in promtool's words: a sample a minute, `stale` where it is gone."""
    words, before = [], None
    for page in pages:
        now = page.get(series)
        gone = f"_x{STEP}" if before is None else f"stale _x{STEP - 1}"
        words.append(gone if now is None else f"{now!r}x{STEP - 1}")
        before = now
    return " ".join(words)


def expected():
    """(minute, what fires then)"""
    blind = ["LabelsStopped", "ModelF1Missing"]
    return [
        (STEP * STOP, []),
        (STEP * DRIFT - 1, blind),
        # Within an hour and a half of the drift, and hours before the labels.
        (STEP * DRIFT + 90, [*blind, "ModelF1EstimatedDrop"]),
        (STEP * BACK - 1, [*blind, "ModelF1EstimatedDrop"]),
        (STEP * END - 1, ["ModelF1Drop", "ModelF1EstimatedDrop", "ModelF1TooLow"]),
    ]


def story(pages):
    asked = set().union(*(names(rule["expr"]) for rule in rules()))
    of_rules = {series for page in pages for series in page if re.match(r"\w+", series)[0] in asked}
    firing = 'count by (alertname) (ALERTS{alertname=~"ModelF1.+|LabelsStopped",alertstate="firing"})'
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values(pages, series)} for series in sorted(of_rules)],
        "promql_expr_test": [
            {
                "expr": firing,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in told],
            }
            for minute, told in expected()
        ],
    }


def play(folder, pages):
    book = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [story(pages)]}
    (folder / "story.yml").write_text(yaml.safe_dump(book, sort_keys=False))
    command = [PROMTOOL, "test", "rules", folder / "story.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def compare(pages):
    """F1 is unknown while there are no labels, the estimate is not; and it was right, as the labels tell once back."""
    f1, estimate = 'prediction_f1_score{model="m",window="1h"}', 'prediction_f1_score_estimated{model="m",window="1h"}'
    blind = [step for step, page in enumerate(pages) if f1 not in page]
    assert blind == list(range(STOP + 5, BACK)), blind
    assert all(estimate in page for page in pages), "the estimate is absent"
    before, after = pages[STOP - 1][f1], pages[-1][f1]
    assert before > 0.85 and after < 0.75, (before, after)
    told = pages[BACK - 1][estimate]
    assert abs(told - after) < 0.04, (told, after)
    return before, told, after


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = lived(folder)
        before, told, after = compare(pages)
        play(folder, pages)
    print(f"F1 was {before:.3f}, was estimated {told:.3f} without labels, and was {after:.3f} when they were back")


if __name__ == "__main__":
    sys.exit(main())
