"""Drift and F1: is the model still good, have its data moved, which column, and does the sidecar see all of it."""

from . import columns, parts, quality, sidecar
from .board import COLUMN, FIRING, MODEL, REFERENCE_REPLACED, RETRAINED, SIDECAR, WINDOW, dashboard, firing_count, firing_table
from .panels import BAD, GOOD, NOW, WARN, f1_gauge, instant, mappings, query, row, stat, steps, table, timeseries

M = '{model="$model"}'
W = '{model="$model", window="$window"}'

YES_NO = mappings(v0=("no", GOOD), v1=("yes", BAD))


def overview():
    below = f"1 - prediction_f1_score{W} / on (model) group_left prediction_f1_score_reference{M}"
    return row(
        "Now",
        stat("F1", "F1 of the window's labelled predictions, 0 to 1. `none yet` while fewer than rows_min labelled "
             "rows are in the window: see Rows in the window.", f"prediction_f1_score{W}", thresholds=steps(base=NOW),
             decimals=3),
        stat("F1 below the reference", "How far, as a share, F1 lies below the F1 of the reference. From 10 % on the "
             "model is worse than when it was accepted by more than a good day's noise.", below, "percentunit",
             steps((0.05, WARN), (0.10, BAD)), decimals=1),
        stat("Features drifted", "Share of the tested features that have drifted (score at its threshold and above the "
             "noise). The dataset counts as drifted from drift.share of the config on, 50 % unless set.",
             f"data_drift_score{W}", "percentunit", steps((0.25, WARN), (0.5, BAD)), decimals=0),
        stat("Predictions drifted", "Whether the distribution of the predictions themselves has left that of the "
             "reference. It is known at once, long before labels are.", f"prediction_drift_detected{W}", words=YES_NO,
             thresholds=steps((1, BAD)), graph=False),
        stat("Labels arrived", "Share of the window's predictions whose true label is known. F1 speaks of these alone.",
             f"prediction_labelled_ratio{W}", "percentunit", steps((0.05, WARN), (0.5, GOOD), base=BAD), decimals=0),
        stat("Newest request", "Age of the newest row that the sidecar has read: now minus its timestamp. It grows "
             "when the service has no traffic, writes no log, or the sidecar cannot read it.",
             f'time() - drift_sidecar_last_event_timestamp_seconds{{model="$model", log="requests"}}', "s",
             steps((120, WARN), (600, BAD)), decimals=0),
        firing_table(),
        firing_count(FIRING, "of any kind"),
        stat("Retraining last started", "When an alert last started the retraining DAG in Airflow.",
             "1000 * max(retrain_webhook_last_started_timestamp_seconds)", "dateTimeFromNow", plain=True, graph=False),
    )


def classes():
    rows = f"prediction_class_rows{W}"
    by_result = {result: f'prediction_class_rows{{model="$model", window="$window", result="{result}"}}'
                 for result in ("true_positive", "false_positive", "false_negative")}
    hits, missed, wrong = by_result["true_positive"], by_result["false_negative"], by_result["false_positive"]
    # F1 is 2 TP / (2 TP + FP + FN): all rows, and the hits once more.
    f1 = f"2 * sum by (class) ({hits}) / (sum by (class) ({rows}) + sum by (class) ({hits}) > 0)"
    headings = {
        "class": ("Class", {}),
        "Value #A": ("F1 of the class", f1_gauge()),
        "Value #B": ("Right", {"decimals": 0}),
        "Value #C": ("Missed", {"decimals": 0}),
        "Value #D": ("Wrongly said", {"decimals": 0}),
    }
    answers = [instant(f1), *(instant(f"sum by (class) ({rows})") for rows in (hits, missed, wrong))]
    return row(
        "Classes",
        table("F1 of each class, the worst first", "From the labelled rows of the window. Right: said and true. "
              "Missed: true, but another class was said. Wrongly said: said, but another class was true. One bad "
              "class among many hardly moves the F1 of all.", answers, headings, size=(12, 11),
              sort="F1 of the class", desc=False),
        timeseries("F1 of the eight worst classes", "The classes with the lowest F1 at each moment; lines begin and "
                   "end as classes come and go.", [query(f"bottomk(8, {f1})", "{{class}}")], decimals=3, low=0, high=1,
                   size=(12, 11), fill=0),
        collapsed=True,
    )


def traffic():
    return row(
        "Example traffic",
        stat("Drift asked for", "What the traffic generator of the example is told: 0 is the data of the reference, 1 "
             "the strongest drift. Absent beside a real service.", "traffic_drift", "percentunit",
             plain=True, size=(4, 6)),
        stat("Label delay asked for", "How long the generator waits before it sends a true label.",
             "traffic_label_delay_seconds", "s", plain=True, size=(4, 6)),
        stat("Rate asked for", "Requests a second that the generator tries to send.", "traffic_rate", "reqps",
             plain=True, size=(4, 6)),
        timeseries("Requests of the generator", "What became of its requests, by result.",
                   [query("sum by (result) (rate(traffic_requests_total[$__rate_interval]))", "{{result}}")], "reqps",
                   low=0, size=(12, 6)),
        collapsed=True,
    )


def build(name):
    rows = [overview(), quality.now(), columns.drift(), columns.values(), columns.each(), classes(), quality.binary(),
            quality.regression(), parts.versions(), parts.segments(), sidecar.health(), sidecar.alarms(), traffic()]
    return dashboard(
        name, "Is the model still good, have its data moved, which column moved, and does the sidecar see all of it.",
        rows, variables=[MODEL, WINDOW, COLUMN, SIDECAR], marks=[*RETRAINED, REFERENCE_REPLACED], tags=["drift", "f1"])
