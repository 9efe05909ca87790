"""Quality: what the labels say, what the scores alone say while there are none, and the scores of binary and regression
models, which others do not have."""

from .panels import BAD, ESTIMATE, GOOD, NOW, WARN, band, override, query, row, steps, timeseries

M = '{model="$model"}'
W = '{model="$model", window="$window"}'
FALL_MAX = 0.10  # ModelF1Drop: F1 is lower than before by more than this share.


def with_band(metric, name, color, opacity):
    """A number, two standard errors below and above it, and how the band between them is drawn."""
    spread = f"2 * {metric}_standard_error{W}"
    low, high = f"{name} - 2 standard errors", f"{name} + 2 standard errors"
    answers = {name: "", low: f" - {spread}", high: f" + {spread}"}
    queries = [query(f"{metric}{W}{more}", legend) for legend, more in answers.items()]
    return queries, band(low, high, color, opacity)


def f1_with_estimate():
    truth, truth_band = with_band("prediction_f1_score", "F1", NOW, 20)
    estimate, estimate_band = with_band("prediction_f1_score_estimated", "estimated F1", ESTIMATE, 10)
    lines = [
        override("byName", "F1", color={"mode": "fixed", "fixedColor": NOW}, custom_fillOpacity=0, custom_lineWidth=3),
        override("byName", "estimated F1", color={"mode": "fixed", "fixedColor": ESTIMATE}),
    ]
    return timeseries(
        "F1, estimated F1, and what they may be off by", "Blue: F1 of the window's labelled predictions; in 95 of 100 "
        "windows the true value lies in its band, and a fall inside the band may be chance. Cyan, dashed: what F1 is "
        "estimated to be from the scores alone, of all predictions of the window, with its band; it is there before "
        "the labels are. Grey, dashed: F1 of the reference. Vertical lines: a retraining was started, another model "
        "serves, another reference is in force.",
        [*truth, *estimate, query(f"prediction_f1_score_reference{M}", "reference")], decimals=3, size=(16, 10),
        overrides=[*truth_band, *estimate_band, *lines])


def f1_against_before():
    current, hour_ago, before = (f"model:prediction_f1_score:{name}{M}" for name in ("current", "hour_ago", "before"))
    queries = [
        query(current, "F1 of the main window"),
        query(f"model:prediction_f1_score_estimated:current{M}", "estimated"),
        query(hour_ago, "hour ago"),
        query(before, "before"),
        query(f"{1 - FALL_MAX:.2f} * {before}", "threshold of ModelF1Drop"),
        query(f"{1 - FALL_MAX:.2f} * model:prediction_f1_score:reference{M}", "floor of the reference"),
    ]
    overrides = [
        override("byName", "F1 of the main window", color={"mode": "fixed", "fixedColor": NOW}, custom_fillOpacity=0),
        override("byName", "hour ago", custom_lineStyle={"fill": "dash", "dash": [2, 6]}),
        override("byName", "floor of the reference", color={"mode": "fixed", "fixedColor": WARN}, custom_fillOpacity=0,
                 custom_lineStyle={"fill": "dash", "dash": [4, 4]}),
    ]
    return timeseries(
        "F1 against before", "What the alerts compare: F1 of the main window as Prometheus records it, and F1 before: "
        "that of an hour ago, held from a drop on until F1 is back. ModelF1Drop fires when the blue line stays under "
        "the red one, 10 % below before, for five minutes; ModelF1TooLow when it stays under the orange one, 10 % "
        "below the reference; ModelF1EstimatedDrop when the estimate does, unless F1 is there and well. In the first "
        "hour after a start there is no before.",
        queries, decimals=3, size=(16, 8), overrides=overrides)


def of_all(names, suffix, scope, said):
    return [query(f"prediction_{name}_score{suffix}{scope}", f"{name}{said}") for name in names]


def now():
    names = ("precision", "recall", "accuracy")
    references = of_all(names, "_reference", M, ", reference")
    arrived = f"sum by (le) (rate(prediction_label_delay_seconds_bucket{M}[$__rate_interval]))"
    delay = [query(f"histogram_quantile({share}, {arrived})", f"p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)]
    rows = [query(f"window_rows{W}", "predictions"), query(f"window_labelled_rows{W}", "with a label")]
    return row(
        "Quality",
        f1_with_estimate(),
        timeseries("Share of predictions with a label", "For each window. Where it is low, the estimate is what there "
                   "is of F1. When it falls, outcomes stop coming: F1 grows old while drift goes on being measured.",
                   [query(f"prediction_labelled_ratio{M}", "{{window}}")], "percentunit",
                   steps((0.05, WARN), (0.5, GOOD), base=BAD), low=0, high=1, size=(8, 10)),
        f1_against_before(),
        timeseries("Rows in the window", "Predictions in the window, and those whose label has come. While the second "
                   "is under rows_min of the config (100 unless set) there is no F1.", rows, "short", low=0,
                   size=(8, 8)),
        timeseries("Estimate less truth", "How far the estimate is off, over the part of the window whose labels have "
                   "come: F1 of classes, mean absolute error of regressions. Above 0 it promises too much F1. Far "
                   "from 0 the scores are not calibrated for these data: do not rely on the estimate.",
                   [query(f"prediction_estimate_error{M}", "{{window}}")], decimals=3, size=(8, 8), fill=0),
        timeseries("Precision, recall, accuracy", "The other scores of the same labelled predictions, and the "
                   "reference's. Precision and recall are averaged over the classes as F1 is.",
                   of_all(names, "", W, "") + references, decimals=3, size=(8, 8)),
        timeseries("Precision, recall, accuracy, estimated", "The same, from the scores alone and before labels come.",
                   of_all(names, "_estimated", W, ", estimated") + references, decimals=3, size=(8, 8)),
        timeseries("F1 of every window", "The short window answers first, the long one is the surest. `5000_labelled` "
                   "is no time but the last so many predictions whose label has come, however long that took.",
                   [query(f"prediction_f1_score{M}", "{{window}}"),
                    query(f"prediction_f1_score_reference{M}", "reference")], decimals=3, fill=0),
        timeseries("Delay of the labels", "Time from a prediction to its outcome, by the timestamps in the logs, of "
                   "outcomes that came in the last minutes. F1 answers a change this much later.", delay, "s", low=0),
    )


def beside_reference(metric, name):
    return [query(f"{metric}{W}", name), query(f"{metric}_reference{M}", f"{name}, reference")]


def binary():
    size = {"decimals": 3, "size": (6, 8)}
    return row(
        "Scores of a binary model",
        timeseries("ROC AUC", "The probability that a row of the positive class has a higher score than one of the "
                   "other: 1 is perfect order, 0.5 none. It does not depend on the threshold.",
                   beside_reference("prediction_roc_auc_score", "ROC AUC"), **size),
        timeseries("Log loss", "Mean log loss of the labelled scores in nats; lower is better. One sure and wrong "
                   "score weighs much.", beside_reference("prediction_log_loss", "log loss"), low=0, **size),
        timeseries("Brier score", "Mean squared distance of the labelled scores from the truth, 0 to 1; lower is "
                   "better. It rises when scores are no longer calibrated, though their order may hold.",
                   beside_reference("prediction_brier_score", "Brier score"), low=0, **size),
        timeseries("Specificity", "Share of the rows not of the positive class that were not said to be: recall of "
                   "the other class.", beside_reference("prediction_specificity_score", "specificity"), **size),
        collapsed=True,
    )


def regression():
    def error(name):
        metric = f"prediction_{name.replace(' ', '_')}_error"
        return [*beside_reference(metric, name), query(f"{metric}_estimated{W}", f"{name}, estimated")]
    return row(
        "Errors of a regression",
        timeseries("Mean absolute error", "In the unit of the label. Dashed: of the reference, and as estimated "
                   "from the features alone, before labels come.", error("mean absolute"), "short", low=0, size=(8, 8)),
        timeseries("Root mean squared error", "In the unit of the label; a few large errors weigh more than in the "
                   "mean absolute error. Dashed: of the reference, and as estimated.", error("root mean squared"),
                   "short", low=0, size=(8, 8)),
        timeseries("Mean error", "Mean of prediction minus truth, in the unit of the label: above 0 the model says too "
                   "much, below 0 too little.", [query(f"prediction_mean_error{W}", "prediction minus truth")], "short",
                   size=(8, 8)),
        timeseries("Mean absolute percentage error", "Mean of error over truth. Truths near 0 weigh much.",
                   [query(f"prediction_mean_absolute_percentage_error_ratio{W}", "share of the truth")], "percentunit",
                   low=0),
        timeseries("R2", "Share of the truth's variance that the predictions explain: 1 is all; below 0 its mean would "
                   "be the better prediction.", beside_reference("prediction_r2_score", "R2"), decimals=3),
        collapsed=True,
    )
