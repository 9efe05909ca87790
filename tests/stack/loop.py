"""The closed loop without containers: quality falls, the alert fires, the DAG retrains, the new model serves, F1
recovers, the alert resolves. Nobody touches anything but the season of the products. Prints a timeline.

    python3 tests/stack/loop.py [--keep FOLDER] [--write-timeline]

Wants `cargo build --workspace`, Debian's Prometheus programs, and the virtual environments that airflow/tests/run makes;
tests/stack/run sees to all of it.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import web
from process import Programs
from stack import ROOT, Stack

F1 = "model:prediction_f1_score:current"
DRIFT = 0.8
# What is there only once something went wrong, and what only a model has whose F1 can be estimated from its scores.
TROUBLE = {"drift_sidecar_rows_dropped_total"}
ESTIMATED = re.compile(r"(model:)?prediction_f1_score_estimated\w*(:\w+)?")
OPERATIONS = ROOT / "docs/operations.md"


class Timeline:
    """What happened when, in seconds from the zero that is set when the season changes."""

    def __init__(self):
        self.zero, self.events = None, []

    def now(self, said):
        self.events.append((time.time(), said))
        print(f"{time.strftime('%H:%M:%S')}  {said}", flush=True)

    def start(self, said):
        self.zero = time.time()
        self.now(said)

    def text(self):
        lines = [f"{moment - self.zero:6.0f} s  {said}" for moment, said in self.events]
        return "\n".join(lines) + "\n"


def state(stack, alert):
    return stack.prometheus.alerts().get(alert, "quiet")


def prepare(stack, timeline):
    stack.start_monitoring()
    stack.airflow.prepare()
    stack.first_model()
    stack.start_services()
    timeline.now("the services are up, with the first model")
    stack.airflow.start_scheduler()
    web.wait("F1 is known", 120, lambda: stack.prometheus.number(F1))
    # The rule compares with what was `offset` ago: that must be there.
    web.wait("F1 of `offset` ago is known", 240, lambda: stack.prometheus.number("model:prediction_f1_score:hour_ago"))
    before = web.wait("a good F1", 60, lambda: (stack.prometheus.number(F1) or 0) > 0.85 and stack.prometheus.number(F1))
    # Nothing is wrong yet; only Airflow's API is not there.
    firing = stack.prometheus.query('ALERTS{alertstate="firing",service!="airflow"}')
    assert not firing, f"nothing is wrong, and there is {firing}"
    return before


def fall(stack, timeline, before):
    version = stack.version()
    timeline.start(f"{DRIFT:.0%} of the products are of the new season; F1 is {before:.3f}, the model {version}")
    stack.drift(DRIFT)
    web.wait("drift is seen", 120, lambda: stack.prometheus.query("drift_detected == 1 and on (model, window) window_main == 1"))
    columns = [labels["column"] for labels, _ in stack.prometheus.query("drift_detected == 1 and on (model, window) window_main == 1")]
    timeline.now(f"drift is seen in {', '.join(sorted(set(columns)))}")
    fallen = web.wait("F1 falls", 180, lambda: (stack.prometheus.number(F1) or 1) < before * 0.9 and stack.prometheus.number(F1))
    timeline.now(f"F1 is {fallen:.3f}")
    web.wait("ModelF1Drop is pending", 120, lambda: state(stack, "ModelF1Drop") in ("pending", "firing"))
    timeline.now("ModelF1Drop is pending")
    web.wait("ModelF1Drop fires", 120, lambda: state(stack, "ModelF1Drop") == "firing")
    timeline.now("ModelF1Drop fires")
    return version


def retrain(stack, timeline, version):
    webhook = 'retrain_webhook_deliveries_total{status="503"}'
    web.wait("a delivery finds Airflow away", 120, lambda: (stack.prometheus.number(webhook) or 0) >= 1)
    timeline.now("Airflow's API is away: the delivery is answered with 503")
    stack.airflow.start_web()
    web.wait("Airflow answers", 240, stack.airflow.up)
    timeline.now("Airflow's API answers")
    run = web.wait("a DAG run", 180, lambda: [run for run in stack.airflow.runs() if run["dag_run_id"].startswith("am__")])[0]
    timeline.now(f"Alertmanager tried again: DAG run {run['dag_run_id']}")

    def ended():
        state = next(each["state"] for each in stack.airflow.runs() if each["dag_run_id"] == run["dag_run_id"])
        return state if state in ("success", "failed") else None

    ended_as = web.wait("the DAG run ends", 600, ended, pause=2)
    tasks = stack.airflow.tasks(run["dag_run_id"])
    if ended_as != "success" or set(tasks.values()) != {"success"}:
        stack.airflow.told()
        raise AssertionError(f"the DAG run ended as {ended_as}: {tasks}")
    timeline.now(f"the DAG run succeeded: {', '.join(tasks)}")
    web.wait("the new model serves", 60, lambda: stack.version() != version)
    timeline.now(f"{stack.version()} is served")
    assert run["conf"]["alert"]["labels"]["alertname"] == "ModelF1Drop", run["conf"]


def recover(stack, timeline, before):
    good = web.wait("F1 recovers", 300, lambda: (stack.prometheus.number(F1) or 0) > before * 0.9 and stack.prometheus.number(F1))
    timeline.now(f"F1 is {good:.3f}")
    web.wait("ModelF1Drop is over", 300, lambda: state(stack, "ModelF1Drop") == "quiet")
    timeline.now("ModelF1Drop is resolved")
    web.wait("nothing asks for a retraining", 300, lambda: not stack.prometheus.query('ALERTS{retrain="true",alertstate="firing"}'))
    runs = [run["dag_run_id"] for run in stack.airflow.runs()]
    assert len(runs) == 1, f"one incident, one run, but there are {runs}"
    jobs = stack.prometheus.targets()
    down = {job: targets for job, targets in jobs.items() for health, _ in targets if health != "up"}
    assert not down, f"targets are down: {down}"
    timeline.now(f"one DAG run in all; the targets of all {len(jobs)} jobs are up")


def ask_all(stack):
    """Every expression of every panel and rule, of the Prometheus that has just seen the loop."""
    ask_rules(stack)
    script = ROOT / "tests/grafana/expressions.py"
    alerts = stack.files / "alert_rules.yml"
    subprocess.run([sys.executable, script, "--prometheus", stack.prometheus.url, "--alerts", alerts], check=True)


def ask_rules(stack):
    """Rules are evaluated without an error; what they record is there; what alerts look at is there, but for what
    only trouble brings."""
    groups = web.ask_json(f"{stack.prometheus.url}/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    broken = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}
    assert not broken, f"rules with errors: {broken}"
    recorded = [rule["name"] for rule in rules if rule["type"] == "recording" and not ESTIMATED.fullmatch(rule["name"])]
    silent = [name for name in recorded if not stack.prometheus.query(name)]
    assert not silent, f"rules that record nothing: {silent}"
    names = set()
    for rule in rules:
        expression = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\b(on|by|ignoring) \([^)]*\)|group_left", "", rule["query"])
        names |= {word for word in re.findall(r"[a-z_:0-9]{4,}(?=[^(\w]|$)", expression) if "_" in word}
    names = {name for name in names if not ESTIMATED.fullmatch(name)}
    absent = {name for name in names if not name.endswith("_over_time") and not stack.prometheus.query(f"count({name})")}
    assert absent <= TROUBLE, f"no data for {absent - TROUBLE}"
    print(f"{len(rules)} rules without an error, {len(names) - len(absent)} of {len(names)} metrics that they ask for are there")


def story(programs, folder):
    timeline = Timeline()
    stack = Stack(programs, folder)
    before = prepare(stack, timeline)
    version = fall(stack, timeline, before)
    retrain(stack, timeline, version)
    recover(stack, timeline, before)
    ask_all(stack)
    assert not programs.dead(), f"ended by themselves: {programs.dead()}"
    for name in ("traffic", "predict", "auth", "drift-sidecar", "retrain-webhook"):
        code = programs.stop(name)
        assert code == 0, f"{name} ended with {code} after SIGTERM"
    return timeline.text()


def write(timeline):
    """The timeline into docs/operations.md, between its marks."""
    text = OPERATIONS.read_text()
    begin, end = "<!-- timeline:begin -->\n", "<!-- timeline:end -->"
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    OPERATIONS.write_text(f"{head}{begin}```text\n{timeline}```\n{end}{tail}")


def main():
    parser = argparse.ArgumentParser(description="The closed loop on loopback.")
    parser.add_argument("--keep", type=pathlib.Path, help="work in this folder and leave it there")
    parser.add_argument("--write-timeline", action="store_true", help="write the timeline into docs/operations.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drift-sidecar-stack-") as temporary:
        folder = (options.keep or pathlib.Path(temporary)).resolve()
        with Programs(folder / "programs") as programs:
            timeline = story(programs, folder)
    print(f"\n{timeline}\n1 passed, 0 failed")
    if options.write_timeline:
        write(timeline)


if __name__ == "__main__":
    main()
