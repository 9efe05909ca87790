"""One incident, one message: a real Alertmanager gets an incident's alerts, and receivers count what it delivers."""

import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from alertmanager import CONFIG, Alertmanager, until
from rules import alerts, load

RETRAINED = {alert["alert"] for alert in alerts() if "retrain" in alert["labels"]}


def alert(name, **labels):
    """An alert as its rule would send it."""
    rule = next(rule for rule in alerts() if rule["alert"] == name)
    fixed = {key: value for key, value in rule["labels"].items() if "{{" not in value}
    return {"alertname": name} | fixed | labels


def a_drop_is_told_once_and_starts_one_retraining():
    with Alertmanager() as manager:
        told = manager.receivers.told
        incident = [
            alert(name, model="m")
            for name in (
                "DataDriftDetected",
                "ModelF1Drop",
                "ModelF1EstimatedDrop",
                "ModelF1TooLow",
                "PredictionDriftDetected",
            )
        ]
        manager.post(*incident)
        manager.settle()
        assert told("on_call", model="m") == [["ModelF1Drop"]], told("on_call", model="m")
        assert told("airflow_retrain", model="m") == [["ModelF1Drop"]], told("airflow_retrain", model="m")
        # The whole incident ends together.
        manager.post(*incident, resolved=True)
        manager.settle()
        for receiver in ("on_call", "airflow_retrain"):
            ends = [name for delivery in told(receiver, model="m")[1:] for name in delivery]
            assert "-ModelF1Drop" in ends and all(name.startswith("-") for name in ends), (receiver, ends)


def two_models_are_two_incidents():
    with Alertmanager() as manager:
        told = manager.receivers.told
        manager.post(alert("ModelF1Drop", model="m"), alert("ModelF1TooLow", model="n"))
        manager.settle()
        for receiver in ("on_call", "airflow_retrain"):
            assert told(receiver, model="m") == [["ModelF1Drop"]], told(receiver, model="m")
            assert told(receiver, model="n") == [["ModelF1TooLow"]], told(receiver, model="n")


def drift_alone_is_told_and_starts_nothing():
    with Alertmanager() as manager:
        told = manager.receivers.told
        manager.post(alert("DataDriftDetected", model="m"), alert("PredictionDriftDetected", model="m"))
        manager.settle()
        assert told("on_call", model="m") == [["DataDriftDetected", "PredictionDriftDetected"]]
        assert told("airflow_retrain", model="m") == []


def an_estimate_is_told_and_starts_nothing_until_the_labels_confirm_it():
    with Alertmanager() as manager:
        told = manager.receivers.told
        blind = [alert(name, model="m") for name in ("LabelsStopped", "ModelF1EstimatedDrop", "DataDriftDetected")]
        # Of another model it is known why.
        broken = [alert("ColumnMissingJump", model="n", column="price"), alert("ModelF1EstimatedDrop", model="n")]
        manager.post(*blind, *broken)
        manager.settle()
        assert told("on_call", model="m") == [["LabelsStopped", "ModelF1EstimatedDrop"]], told("on_call", model="m")
        assert told("on_call", model="n") == [["ColumnMissingJump"]], told("on_call", model="n")
        assert told("airflow_retrain", model="m") == told("airflow_retrain", model="n") == []
        manager.post(alert("ModelF1TooLow", model="m"))
        manager.settle()
        assert told("airflow_retrain", model="m") == [["ModelF1TooLow"]], told("airflow_retrain", model="m")
        assert told("on_call", model="m")[-1] == ["LabelsStopped", "ModelF1TooLow"], told("on_call", model="m")


def a_sidecar_that_is_down_speaks_for_itself_but_takes_no_retraining():
    with Alertmanager() as manager:
        told = manager.receivers.told
        silent = ["SidecarStale", "ModelNotEvaluated", "LabelsStopped", "ModelF1Missing", "DataDriftDetected"]
        manager.post(
            alert("SidecarDown", job="drift_sidecar", instance="drift-sidecar:9877"),
            alert("ProbeFailed", job="api_probe", service="drift_sidecar"),
            alert("ModelF1Drop", model="m"),
            *[alert(name, model="m") for name in [*silent, "ModelF1EstimatedDrop"]],
        )
        manager.settle()
        assert told("on_call") == [["SidecarDown"]], told("on_call")
        assert told("on_call", model="m") == [["ModelF1Drop"]], told("on_call", model="m")
        assert told("airflow_retrain", model="m") == [["ModelF1Drop"]]
        assert told("airflow_retrain") == []


def a_service_that_is_down_is_told_once_and_another_one_too():
    with Alertmanager() as manager:
        told = manager.receivers.told
        manager.post(
            alert("TargetDown", job="prediction_service", service="prediction_service"),
            alert("ProbeFailed", job="api_probe", service="prediction_service"),
            alert("ServiceErrors", job="prediction_service", service="prediction_service"),
            alert("ProbeFailed", job="api_probe", service="auth_service"),
        )
        manager.settle()
        assert told("on_call") == [["ProbeFailed", "TargetDown"]], told("on_call")


def labels_that_stopped_and_broken_data_are_the_cause():
    with Alertmanager() as manager:
        told = manager.receivers.told
        manager.post(
            alert("LabelsStopped", model="m"),
            alert("ModelF1Missing", model="m"),
            alert("ModelF1Missing", model="n"),
            alert("ColumnMissingJump", model="o", column="description"),
            alert("DataDriftDetected", model="o"),
            # A receiver is told of failing e-mails, though the webhook fails for a reason that is known.
            alert("RetrainingFailed", dag="d"),
            alert("AlertingFailed", integration="webhook"),
            alert("AlertingFailed", integration="email"),
        )
        manager.settle()
        assert told("on_call", model="m") == [["LabelsStopped"]]
        assert told("on_call", model="n") == [["ModelF1Missing"]]
        assert told("on_call", model="o") == [["ColumnMissingJump"]]
        assert told("on_call") == [["AlertingFailed", "RetrainingFailed"]], told("on_call")


def a_delivery_that_fails_is_made_again():
    with Alertmanager() as manager:
        manager.receivers.answers = {"/airflow_retrain": [502, 400]}
        manager.post(alert("ModelF1Drop", model="m"))
        until("the retraining is asked for", lambda: manager.receivers.told("airflow_retrain", model="m"))
        manager.settle()
        assert manager.receivers.told("airflow_retrain", model="m") == [["ModelF1Drop"]]
        answers = [status for path, status, _ in manager.receivers.deliveries if path == "/airflow_retrain"]
        assert answers == [502, 400, 200], answers
        assert manager.receivers.told("on_call", model="m") == [["ModelF1Drop"]]


def no_rule_takes_a_retraining_away():
    """No inhibition has an alert that starts a retraining as its target, save one that starts the same."""
    names = {rule["alert"] for rule in alerts()}
    for rule in load(CONFIG)["inhibit_rules"]:
        [of_source, of_target] = [
            next(re.fullmatch(r'alertname =~? "([\w|]+)"', match)[1] for match in rule[side] if "alertname" in match)
            for side in ("source_matchers", "target_matchers")
        ]
        sources, targets = set(of_source.split("|")), set(of_target.split("|"))
        assert sources | targets <= names, f"there is no alert {(sources | targets) - names}"
        assert not targets & RETRAINED or (sources <= RETRAINED and rule["equal"] == ["model"]), rule


STORIES = [
    no_rule_takes_a_retraining_away,
    a_drop_is_told_once_and_starts_one_retraining,
    two_models_are_two_incidents,
    drift_alone_is_told_and_starts_nothing,
    an_estimate_is_told_and_starts_nothing_until_the_labels_confirm_it,
    a_sidecar_that_is_down_speaks_for_itself_but_takes_no_retraining,
    a_service_that_is_down_is_told_once_and_another_one_too,
    labels_that_stopped_and_broken_data_are_the_cause,
    a_delivery_that_fails_is_made_again,
]


def main():
    begun = time.monotonic()
    failures = 0
    # They wait more than they work, each for an Alertmanager of its own.
    with ThreadPoolExecutor() as pool:
        for story, outcome in [(story, pool.submit(story)) for story in STORIES]:
            if failure := outcome.exception():
                failures += 1
                print(f"\n{story.__name__.replace('_', ' ')}: not so", file=sys.stderr)
                traceback.print_exception(failure)
    print(f"{len(STORIES) - failures} of {len(STORIES)} stories hold, in {time.monotonic() - begun:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
