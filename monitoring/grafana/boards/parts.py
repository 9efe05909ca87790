"""Parts of the traffic: each version of the model and each segment, by the numbers that the whole has."""

from .panels import BAD, WARN, f1_gauge, instant, query, row, steps, table, timeseries

M = '{model="$model"}'
W = '{model="$model", window="$window"}'

DRIFTED = {"unit": "percentunit", "decimals": 0, "custom_cellOptions": {"type": "color-text"},
           "thresholds": steps((0.25, WARN), (0.5, BAD))}


def numbers(part):
    """The columns of a table of parts: (expression, heading, properties)."""
    return [
        (f"max by ({part}) ({part}_{metric}{W})", heading, properties)
        for metric, heading, properties in [
            ("prediction_f1_score", "F1", f1_gauge()),
            ("prediction_f1_score_estimated", "F1, estimated", {"decimals": 3}),
            ("prediction_mean_absolute_error", "Mean absolute error", {"unit": "short"}),
            ("window_rows", "Rows", {"decimals": 0}),
            ("window_labelled_rows", "With a label", {"decimals": 0}),
            ("data_drift_score", "Features drifted", DRIFTED),
            ("prediction_drift_score", "Drift of the predictions", {"decimals": 4}),
        ]
    ]


def of_parts(part, title, description, *, infos=(), labels=(), **options):
    """A table with a row for each part. `infos` are expressions that are asked for their `labels`."""
    columns = numbers(part)
    headings = {name: (name.capitalize(), {}) for name in (part, *labels)}
    for i, (_, heading, properties) in enumerate(columns):
        headings[f"Value #{chr(ord('A') + i)}"] = (heading, properties)
    answers = [instant(expr) for expr in [*(expr for expr, _, _ in columns), *infos]]
    return table(title, description, answers, headings, sort="F1", desc=False, **options)


def f1_of(part, only="{}"):
    return [query(only.format(f"{part}_prediction_f1_score{W}"), f"{{{{{part}}}}}")]


def versions():
    estimated = query(f"version_prediction_f1_score_estimated{W}", "{{version}}, estimated")
    farthest = f"topk(10, version_drift_score{W} / version_drift_threshold{W})"
    return row(
        "Versions of the model",
        timeseries("F1 of each version", "Of the predictions that each version made in the window. A version that is "
                   "worse than the one before stands below it here at once; dashed: as estimated, before labels come.",
                   [*f1_of("version"), estimated, query(f"prediction_f1_score_reference{M}", "reference")], decimals=3,
                   size=(8, 8), fill=0),
        timeseries("Rows of each version", "Predictions of the window by the version that made them: how a new version "
                   "takes over, and whether an old one still answers.",
                   [query(f"version_window_rows{W}", "{{version}}")], "short", low=0, stack=True, size=(8, 8)),
        timeseries("Features drifted, by version", "Share of the tested features that have drifted in the rows of each "
                   "version. If only one version's rows drift, it gets other traffic than the others.",
                   [query(f"version_data_drift_score{W}", "{{version}}")], "percentunit", steps((0.5, BAD)),
                   line="dashed", low=0, high=1, size=(8, 8), fill=0),
        of_parts("version", "Versions in the window, the worst first", "Each version that has rows in the window, with "
                 "the numbers of its own predictions and the digest of what it is compared with. Below rows_min "
                 "rows there are no numbers.", size=(14, 8), labels=["digest"],
                 infos=[f"max by (version, digest) (prediction_version_info{M})"]),
        timeseries("Columns of the versions, the ten farthest", "Score over threshold of each version and column; 1 is "
                   "the threshold.", [query(farthest, "{{version}}: {{column}} ({{method}})")], "none", steps((1, BAD)),
                   line="dashed", low=0, decimals=2, size=(10, 8), fill=0),
        collapsed=True,
    )


def segments():
    return row(
        "Segments",
        of_parts("segment", "Segments, the worst first", "Each segment of the config with the numbers of its own rows "
                 "in the window. A segment that suffers hides in the F1 of all; so look here before it is told. Few "
                 "rows are few numbers: below rows_min there are none.", size=(24, 9)),
        timeseries("F1 of the eight worst segments", "The segments with the lowest F1 at each moment; lines begin and "
                   "end as segments come and go.", [*f1_of("segment", "bottomk(8, {})"),
                   query(f"prediction_f1_score_reference{M}", "reference")], decimals=3, fill=0),
        timeseries("Features drifted, the eight farthest segments", "Share of the tested features that have drifted in "
                   "the rows of the segment.", [query(f"topk(8, segment_data_drift_score{W})", "{{segment}}")],
                   "percentunit", steps((0.5, BAD)), line="dashed", low=0, high=1, fill=0),
        collapsed=True,
    )
