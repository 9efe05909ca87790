"""Prediction performance: does the service answer, how fast, with which model, and does what it logs reach the disk."""

from .board import FIRING, MODEL, RETRAINED, WINDOW, dashboard, firing_count
from .panels import BAD, GOOD, WARN, heatmap, mappings, query, row, stat, steps, timeseries

RATE = "[$__rate_interval]"
JOB = 'job="prediction_service"'
PREDICT = f'{JOB}, endpoint="/predict"'
W = '{model="$model", window="$window"}'
UP = mappings(v0=("down", BAD), v1=("up", GOOD))
RED_AT_0 = steps((1, GOOD), base=BAD)
BUCKETS = f"sum by (le) (rate(prediction_latency_seconds_bucket{{{JOB}}}{RATE}))"


def requests(selector, by=""):
    return f"sum{by}(rate(prediction_requests_total{{{selector}}}{RATE}))"


def now():
    broken = requests(f'{PREDICT}, status_code=~"5.."')
    return row(
        "Now",
        stat("Health", "The service's health check as the Blackbox exporter sees it from outside.",
             'min(probe_success{job="api_probe", service="prediction_service"})',
             words=UP, thresholds=RED_AT_0, graph=False),
        stat("Model served", "The version of the model that answers now.", "max by (version) (prediction_model_info)",
             legend="{{version}}", text_mode="name", plain=True, graph=False),
        stat("Predictions", "Predictions a second, whatever the answer.", requests(PREDICT), "reqps", plain=True),
        stat("Errors", "Share of predictions answered with 5xx: the service's own fault.",
             f"({broken} or vector(0)) / {requests(PREDICT)}", "percentunit", steps((0.001, WARN), (0.01, BAD)),
             decimals=2),
        stat("Prediction takes, p95", "Nineteen of twenty predictions are faster.",
             f"histogram_quantile(0.95, {BUCKETS})", "s", steps((0.1, WARN), (0.5, BAD))),
        firing_count(FIRING.replace("}", f', service="prediction_service"}}'), "of this service"),
    )


def answers():
    codes = requests(PREDICT, " by (status_code) ")
    endpoints = requests(JOB, " by (endpoint) ")
    refused, broken = (requests(f'{PREDICT}, status_code=~"{code}"') + " or vector(0)" for code in ("4..", "5.."))
    kinds = [
        query(f"({refused}) / {requests(PREDICT)}", "refused (4xx)"),
        query(f"({broken}) / {requests(PREDICT)}", "error (5xx)"),
    ]
    return row(
        "Answers",
        timeseries("Predictions by status", "Predictions a second, by the status of the answer.",
                   [query(codes, "{{status_code}}")], "reqps", low=0, stack=True, size=(8, 8)),
        timeseries("Share refused and failed", "4xx: the caller's fault (no token, malformed). 5xx: the service's "
                   "own.", kinds, "percentunit", steps((0.01, BAD)), line="dashed", low=0, size=(8, 8)),
        timeseries("Requests by endpoint", "Requests a second of each path.", [query(endpoints, "{{endpoint}}")],
                   "reqps", low=0, size=(8, 8)),
        timeseries("Prediction takes", "How long predictions take, by quantiles.",
                   [query(f"histogram_quantile({share}, {BUCKETS})", f"p{share * 100:.0f}") for share in (0.5, 0.95,
                   0.99)], "s", steps((0.1, WARN), (0.5, BAD)), low=0),
        heatmap("Predictions by how long they took", "Each column is a moment, each cell how many predictions a "
                "second took so long. Two bands mean two kinds of request.", BUCKETS),
    )


def model():
    said = 'prediction_class_rows{model="$model", window="$window", result=~"true_positive|false_positive"}'
    return row(
        "Model",
        stat("Model loaded", "When the model that answers was loaded.", "1000 * "
             "max(prediction_model_loaded_timestamp_seconds)",
             "dateTimeFromNow", plain=True, graph=False, size=(4, 8)),
        stat("Loads that failed", "Models that could not be loaded in the last hour; the old one goes on answering, "
             "the service's log says why.", "sum(increase(prediction_model_load_failures_total[1h]))", "short",
             steps((1, BAD)), size=(4, 8), decimals=0),
        timeseries("Version served", "1 while a version answers. More than one at a time: replicas differ.",
                   [query("max by (version) (prediction_model_info)", "{{version}}")], "none", low=0, decimals=0,
                   size=(8, 8)),
        timeseries("F1", "F1 of the window as the sidecar measures it; Drift and F1 has the whole story.",
                   [query(f"prediction_f1_score{W}", "F1"),
                    query('prediction_f1_score_reference{model="$model"}', "reference")], decimals=3, size=(8, 8)),
        timeseries("Predicted classes, the ten most frequent", "Labelled predictions of the window by the class that "
                   "was said. A class that takes over, or vanishes, is a change in the data or in the model.",
                   [query(f"topk(10, sum by (class) ({said}))", "{{class}}")], "short", low=0, fill=0),
        timeseries("Drift of the predictions", "Distance of the predictions in the window from the reference's, over "
                   "the threshold: 1 is the threshold. It needs no labels.",
                   [query('drift_score{model="$model", window="$window", column="prediction"} / drift_threshold',
                          "{{method}}")], "none", steps((1, BAD)), line="dashed", low=0, decimals=2),
    )


def logs():
    dropped = f"sum by (log, reason) (rate(prediction_log_rows_dropped_total{RATE})) > 0"
    return row(
        "Feedback and logs",
        timeseries("Feedback", "True labels a second that were sent back, by what became of them.",
                   [query(f"sum by (result) (rate(prediction_feedback_total{RATE}))", "{{result}}")], "reqps", low=0,
                   size=(6, 8)),
        timeseries("Log rows written", "Rows a second that the service wrote for the sidecar.",
                   [query(f"sum by (log) (rate(prediction_log_rows_total{RATE}))", "{{log}}")], "rowsps", low=0,
                          size=(6, 8)),
        timeseries("Log rows dropped", "Rows a second that were not logged, and why. The service goes on answering, "
                   "but these predictions are in no number of the sidecar. Nothing here is good.",
                   [query(dropped, "{{log}}: {{reason}}")], "rowsps", steps((0.001, BAD)), low=0, size=(6, 8)),
        timeseries("Log queue", "Rows that wait to be written. A queue that stays high means a disk that does not "
                   "follow; when it is full, rows are dropped.", [query("prediction_log_queue_rows", "{{log}}")],
                   "short", steps((1000, WARN), (10000, BAD)), low=0, size=(6, 8)),
    )


def build(name):
    return dashboard(name, "Does the service answer, how fast, with which model, and does what it logs reach the disk.",
                     [now(), answers(), model(), logs()], variables=[MODEL, WINDOW], marks=RETRAINED,
                     tags=["prediction"])
