"""The columns: which has drifted, by how much against its threshold and noise, and what became of their values."""

from .panels import BAD, GOOD, NOW, WARN, instant, mappings, override, query, row, steps, table, timeseries

M = '{model="$model"}'
W = '{model="$model", window="$window"}'
C = '{model="$model", window="$window", column=~"$column"}'
ONE = "on (job, instance, model, window, column)"
RATIO = f"drift_score{W} / drift_threshold{W}"
METHODS = f"drift_threshold{W} ^ 0"


def page(column):
    """The link to a column's page, with both distributions."""
    place = "#model=${model:percentencode}&window=${window:percentencode}&column="
    return [{"title": "Both distributions", "url": f"${{sidecar}}/{place}${{{column}:percentencode}}",
             "targetBlank": True}]


def with_method(metric):
    """A number of a column on each row of its methods; columns that no method tests have a row without one."""
    beside = f"{metric}{W} * {ONE} group_right () ({METHODS})"
    return f"max by (column, method) ({beside} or {metric}{W} unless {ONE} drift_threshold{W})"


def reference_twin(metric):
    """A number of the reference, which has no window, on each row of its column."""
    beside = f"{metric}{M} * on (job, instance, model, column) group_right () ({METHODS})"
    return f"max by (column, method) ({beside})"


def drift():
    gauge = {"custom_cellOptions": {"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"}, "min": 0,
             "max": 2,
             "decimals": 2, "thresholds": steps((0.75, WARN), (1, BAD))}
    background = {"type": "color-background", "mode": "basic"}
    drifted = {"custom_cellOptions": background, "mappings": mappings(v0=("no", GOOD), v1=("drifted", BAD))}
    share = {"unit": "percentunit", "decimals": 1, "custom_cellOptions": {"type": "color-text"},
             "thresholds": steps((0.01, WARN), (0.05, BAD))}
    answers = [
        f"max by (column, method) ({RATIO})",
        with_method("drift_detected"),
        f"max by (column, method) (drift_score{W})",
        f"max by (column, method) (drift_threshold{W})",
        f"max by (column, method) (drift_noise{W})",
        with_method("column_missing_ratio"),
        reference_twin("column_missing_ratio_reference"),
        with_method("column_unseen_ratio"),
        with_method("column_out_of_range_ratio"),
        with_method("column_infinite_ratio"),
    ]
    headings = {
        "column": ("Column", {"links": page("__value.text")}),
        "method": ("Method", {}),
        "Value #A": ("Score / threshold", gauge),
        "Value #B": ("Drifted", drifted),
        "Value #C": ("Score", {"decimals": 4}),
        "Value #D": ("Threshold", {"decimals": 4}),
        "Value #E": ("Noise", {"decimals": 4}),
        "Value #F": ("Missing", share),
        "Value #G": ("Missing in the reference", {"unit": "percentunit", "decimals": 1}),
        "Value #H": ("Unseen", share),
        "Value #I": ("Out of range", share),
        "Value #J": ("Infinite", share),
    }
    return row(
        "Drift of the columns",
        table("Columns, the farthest first", "Each column and method: how far the window is from the reference, over "
              "its threshold. A column has drifted when its score reaches the threshold (gauge at 1) and exceeds its "
              "noise, the score that a window of so many rows reaches by chance; or when values went missing. Columns "
              "without a method (text) have missing values alone.", [instant(expr) for expr in answers], headings,
              sort="Score / threshold", size=(24, 10)),
        timeseries("Score over threshold, the ten farthest", "1 is the threshold, whatever the method. Above it and "
                   "above its noise a column has drifted.", [query(f"topk(10, {RATIO})", "{{column}} ({{method}})")],
                   "none", steps((1, BAD)), line="dashed", low=0, decimals=2, fill=0, size=(8, 8)),
        timeseries("Share of features drifted, by window", "The short window shows a change first, the long one "
                   "whether it lasts. Red: where the dataset counts as drifted unless drift.share says otherwise.",
                   [query(f"data_drift_score{M}", "{{window}}")], "percentunit", steps((0.5, BAD)), line="dashed",
                   low=0, high=1, size=(8, 8)),
        timeseries("All features at once, over threshold", "Methods of drift.multivariate, which see what no column "
                   "shows alone: features that no longer go together. 1 is the threshold; drift is a score above both "
                   "it and the noise of a window of so many rows. It has no part in the dataset's verdict.",
                   [query(f"multivariate_drift_score{W} / multivariate_drift_threshold{W}", "{{method}}"),
                    query(f"multivariate_drift_noise{W} / multivariate_drift_threshold{W}", "noise ({{method}})")],
                   "none", steps((1, BAD)), line="dashed", low=0, decimals=2, fill=0, size=(8, 8)),
    )


def values():
    twin = "{{column}}, reference"
    def pair(kind):
        return [query(f"topk(10, column_{kind}_ratio{W} > 0)", "{{column}}"),
                query(f"column_{kind}_ratio_reference{M} > 0", twin)]

    common = {"unit": "percentunit", "thresholds": steps((0.05, WARN), (0.2, BAD)), "low": 0, "fill": 0}
    return row(
        "Values of the columns",
        timeseries("Missing", "Share of rows whose value is missing (null or NaN), and in the reference. A jump is "
                   "drift whatever the method says. Columns without any are left out.", pair("missing"), **common),
        timeseries("Never seen in the reference", "Share of values that the reference never had; categorical columns. "
                   "Of the reference: the share to expect without any drift, that of its values that it has only once.",
                   pair("unseen"), **common),
        timeseries("Out of the reference's range", "Share of values beyond the reference's smallest and largest "
                   "finite value; numerical columns. Of the reference itself: its infinities.", pair("out_of_range"),
                   **common),
        timeseries("Infinite", "Share of values that are infinite, in the window and in the reference; numerical "
                   "columns. Most come from a division by zero before the model.", pair("infinite"), **common),
    )


def each():
    queries = [
        query(f"drift_score{C}", "score ({{method}})"),
        query(f"drift_threshold{C}", "threshold ({{method}})"),
        query(f"drift_noise{C}", "noise ({{method}})"),
    ]
    score = override("byRegexp", "/^score/", color={"mode": "fixed", "fixedColor": NOW})
    history = timeseries("$column", "The column's score with its threshold and the noise of a window of its size. "
                         "Drift is a score above both.", queries, decimals=4, low=0, size=(8, 7), overrides=[score],
                         links=page("__field.labels.column"),
                         repeat="column", repeatDirection="h", maxPerRow=3)
    return row("Each column", history, collapsed=True)
