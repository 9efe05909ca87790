"""Labels stop, live: the demo's scenario, a real Prometheus, and the rules with their times a thirtieth. Prints what is
seen and when; takes five minutes.

    .venv/bin/python tests/monitoring/labels_stop_live.py

Wants `cargo build --workspace`, or the program that DRIFT_SIDECAR names, and Debian's Prometheus."""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

from rules import ROOT, RULES

sys.path.append(str(ROOT / "tests/stack"))

import settings
import web
from process import Programs, free_ports

SIDECAR = os.environ.get("DRIFT_SIDECAR", ROOT / "target/debug/drift-sidecar")
ALERTS = ("LabelsStopped", "ModelF1EstimatedDrop", "ModelF1TooLow")
NUMBERS = ("prediction_f1_score", "prediction_f1_score_estimated", "prediction_estimate_error")
END = 300  # seconds

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [alert_rules.yml]
scrape_configs:
  - {{job_name: drift_sidecar, static_configs: [{{targets: ["{target}"]}}]}}
"""


def rules():
    """As the stack has them, and every range as much shorter as a `for`."""
    return re.sub(r"(\[)(\d+)([smhd])(?=\])", settings.shorter, settings.rules(RULES.read_text()))


def start(programs, folder):
    """The demo and who watches it; gives the time at which its story begins."""
    demo, prometheus = (f"127.0.0.1:{port}" for port in free_ports(2))
    (folder / "alert_rules.yml").write_text(rules())
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(target=demo))
    watch = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    programs.start("prometheus", [*watch, f"--web.listen-address={prometheus}"])
    web.wait("Prometheus is up", 60, lambda: web.answers(f"http://{prometheus}/-/ready"))
    begun = time.time()
    programs.start("demo", [SIDECAR, "demo", "--scenario", "labels-stop", "--listen", demo])
    return begun, web.Prometheus(f"http://{prometheus}")


def seen(prometheus):
    """The numbers that are there, and the states of the alerts."""
    numbers = {name: prometheus.number(name) for name in NUMBERS}
    alerts = prometheus.alerts()
    return numbers, [alert for alert in ALERTS if alerts.get(alert) == "firing"]


def watched(begun, prometheus):
    """What is seen, [(second, numbers, firing)]; a line where what is there or fires changes, and every 20 seconds."""
    pages, before, told = [], None, 0.0
    while (second := time.time() - begun) < END:
        numbers, firing = seen(prometheus)
        there = ([name for name, value in numbers.items() if value is not None], firing)
        if there != before or second > told + 20:
            shown = ["absent" if value is None else f"{value:.3f}" for value in numbers.values()]
            print(f"{second:6.0f} s  {'  '.join(f'{word:>7}' for word in shown)}  {' '.join(firing)}", flush=True)
            before, told = there, second
        pages.append((second, numbers, firing))
        time.sleep(1)
    return pages


def main():
    print("               F1     est.    error  firing")
    with tempfile.TemporaryDirectory() as name, Programs(Path(name) / "logs") as programs:
        pages = watched(*start(programs, Path(name)))
    blind = [page for page in pages if page[1]["prediction_f1_score"] is None and page[0] > 60]
    firing = [page for page in blind if "LabelsStopped" in page[2]]
    estimates = [numbers["prediction_f1_score_estimated"] for _, numbers, _ in blind]
    assert firing, "LabelsStopped did not fire while F1 was absent"
    assert None not in estimates and max(estimates) > 0.88 and min(estimates) < 0.75, estimates
    assert any("ModelF1EstimatedDrop" in page[2] for page in blind), "the estimated drop was not told before the labels"
    second, numbers, alerts = pages[-1]
    assert abs(numbers["prediction_estimate_error"]) < 0.03 and "LabelsStopped" not in alerts, (second, numbers, alerts)


if __name__ == "__main__":
    main()
