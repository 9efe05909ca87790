"""Writes estimates.json and the rows in estimates/: what NannyML estimates on its own bundled data, and what came true.

    python3 -m venv venv-nannyml && venv-nannyml/bin/pip install -r tests/golden/nannyml.txt
    venv-nannyml/bin/python tests/golden/estimates.py

The pinned versions are in nannyml.txt, and are checked. Data: the synthetic car loans (binary), the synthetic credit cards
(multiclass) and the synthetic car prices (regression) that NannyML brings along, Apache License 2.0; only the columns that an
estimate reads. Chunks are of equal length, in the order of the analysis set.
"""

import json
import logging
import os
import pathlib
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

import nannyml
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import metrics

from definitions import check_versions
from stats import fnv1a

HERE = pathlib.Path(__file__)
ROWS = HERE.with_name("estimates")
CARDS = ["highstreet_card", "prepaid_card", "upmarket_card"]
PRICE_FEATURES = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]


def write(name, frame):
    ROWS.mkdir(exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    path = ROWS / f"{name}.parquet"
    pq.write_table(table, path, compression="zstd", compression_level=19, write_statistics=False)


def whole(frame):
    """Floats that are whole numbers, as integers: a quarter of the bytes."""
    floats = frame.select_dtypes("float").columns
    return frame.astype({name: "int32" for name in floats if (frame[name] % 1 == 0).all()})


def chunks(frame, size):
    return [frame.iloc[start : start + size] for start in range(0, len(frame), size)]


def per_chunk(frame, size, number):
    return [float(number(chunk)) for chunk in chunks(frame, size)]


def told(result, metric, column):
    return [float(value) for value in result.filter(period="analysis").to_df()[(metric, column)]]


def judged(result, own, names, frame, size, realised):
    """Under our names: NannyML's estimate, its sampling error and what it says came true, and what scikit-learn says."""
    return {
        name: {
            "estimated": told(result, metric, "value"),
            "sampling_error": told(result, metric, "sampling_error"),
            "realised_nannyml": told(own, metric, "value"),
            "realised": per_chunk(frame, size, realised[name]),
        }
        for name, metric in names.items()
    }


def loans():
    reference, analysis, truth = nannyml.load_synthetic_car_loan_dataset()
    analysis = analysis.merge(truth, on="id")
    columns, size = ["y_pred_proba", "y_pred", "repaid"], 5000
    roles = dict(y_pred_proba="y_pred_proba", y_pred="y_pred", y_true="repaid", problem_type="classification_binary", chunk_size=size)
    names = {"f1": "f1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
    estimator = nannyml.CBPE(metrics=list(names.values()), **roles).fit(reference)
    own = nannyml.PerformanceCalculator(metrics=list(names.values()), **roles).fit(reference).calculate(analysis)
    write("loans_reference", whole(reference[columns]))
    write("loans_analysis", whole(analysis[columns]))
    sides = lambda chunk: (chunk["repaid"], chunk["y_pred"])
    realised = {
        "f1": lambda chunk: metrics.f1_score(*sides(chunk)),
        "precision": lambda chunk: metrics.precision_score(*sides(chunk)),
        "recall": lambda chunk: metrics.recall_score(*sides(chunk)),
        "accuracy": lambda chunk: metrics.accuracy_score(*sides(chunk)),
    }
    found = judged(estimator.estimate(analysis), own, names, analysis, size, realised)
    return {"rows": size, "calibrated": bool(estimator.needs_calibration), "metrics": found}


def cards():
    reference, analysis, truth = nannyml.load_synthetic_multiclass_classification_dataset()
    analysis = analysis.merge(truth, on="id")
    size = 6000
    scores = {card: f"y_pred_proba_{card}" for card in CARDS}
    roles = dict(y_pred_proba=scores, y_pred="y_pred", y_true="y_true", problem_type="classification_multiclass", chunk_size=size)
    names = {"f1": "f1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
    estimator = nannyml.CBPE(metrics=list(names.values()), **roles).fit(reference)
    own = nannyml.PerformanceCalculator(metrics=list(names.values()), **roles).fit(reference).calculate(analysis)
    for name, frame in [("reference", reference), ("analysis", analysis)]:
        lists = pd.Series(list(frame[list(scores.values())].to_numpy(np.float32)), index=frame.index)
        write(f"cards_{name}", frame[["y_pred", "y_true"]].assign(probabilities=lists, score=frame[list(scores.values())].max(axis=1)))
    sides = lambda chunk: (chunk["y_true"], chunk["y_pred"])
    realised = {
        "f1": lambda chunk: metrics.f1_score(*sides(chunk), average="macro"),
        "precision": lambda chunk: metrics.precision_score(*sides(chunk), average="macro"),
        "recall": lambda chunk: metrics.recall_score(*sides(chunk), average="macro"),
        "accuracy": lambda chunk: metrics.accuracy_score(*sides(chunk)),
    }
    found = judged(estimator.estimate(analysis), own, names, analysis, size, realised)
    return {"rows": size, "classes": CARDS, "metrics": found}


def prices():
    reference, analysis, truth = nannyml.load_synthetic_car_price_dataset()
    analysis = analysis.merge(truth, on="id") if "id" in truth else analysis.join(truth)
    columns, size = PRICE_FEATURES + ["y_pred", "y_true"], 6000
    names = {"mean_absolute_error": "mae", "root_mean_squared_error": "rmse"}
    estimator = nannyml.DLE(
        feature_column_names=PRICE_FEATURES, y_pred="y_pred", y_true="y_true", metrics=list(names.values()), chunk_size=size
    ).fit(reference)
    write("prices_reference", whole(reference[columns]))
    write("prices_analysis", whole(analysis[columns]))
    sides = lambda chunk: (chunk["y_true"], chunk["y_pred"])
    realised = {
        "mean_absolute_error": lambda chunk: metrics.mean_absolute_error(*sides(chunk)),
        "root_mean_squared_error": lambda chunk: metrics.root_mean_squared_error(*sides(chunk)),
    }
    # NannyML calls scikit-learn's RMSE in a way that scikit-learn 1.9 has no longer, so that its realised values end at the MAE.
    own = nannyml.PerformanceCalculator(
        metrics=["mae"], y_pred="y_pred", y_true="y_true", problem_type="regression", chunk_size=size
    ).fit(reference).calculate(analysis)
    result = estimator.estimate(analysis)
    found = {
        name: {
            "estimated": told(result, metric, "value"),
            "sampling_error": told(result, metric, "sampling_error"),
            "realised_nannyml": told(own, metric, "value") if metric == "mae" else None,
            "realised": per_chunk(analysis, size, realised[name]),
        }
        for name, metric in names.items()
    }
    return {"rows": size, "metrics": found}


def main():
    check_versions("nannyml")
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    golden = {"script": fnv1a(HERE.read_bytes()), "loans": loans(), "cards": cards(), "prices": prices()}
    HERE.with_name("estimates.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
