"""Writes evidently.json or nannyml.json: what those tools say about samples that tests/definitions_golden.rs makes again.

    python3 -m venv venv-evidently && venv-evidently/bin/pip install -r tests/golden/evidently.txt
    venv-evidently/bin/python tests/golden/definitions.py evidently
    python3 -m venv venv-nannyml && venv-nannyml/bin/pip install -r tests/golden/nannyml.txt
    venv-nannyml/bin/python tests/golden/definitions.py nannyml

The two tools do not fit into one environment; the pinned versions are in the files named above, and are checked.
Samples are those of stats.py, made by + - * / and sqrt alone; the JSON holds their parameters and the tools' numbers.
"""

import json
import logging
import os
import pathlib
import sys
import warnings
from importlib.metadata import version

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd

from stats import fnv1a, sample, spec

HERE = pathlib.Path(__file__)
SIZES = [(1, 1), (2, 20), (20, 1), (20, 20), (1000, 20), (1000, 1000), (1000, 1001), (1001, 1000), (20_000, 2), (20_000, 1000), (20_000, 20_000)]

NUMBERS = {
    "same": (("bell", 0, 1), ("bell", 0, 1)),
    "shifted": (("bell", 0, 1), ("bell", 0.3, 1)),
    "wider": (("uniform", -1, 2), ("uniform", -1.5, 3)),
    "far": (("bell", 5, 0.01), ("bell", 8, 0.01)),
    "few values": (("steps", 0, 4), ("steps", 0, 5)),
    "twenty values": (("steps", 0, 20), ("steps", 0, 22)),
    "many ties": (("steps", 0, 40), ("steps", 1, 40)),
    "constants": (("constant", 3, 0), ("constant", 3.5, 0)),
    "one constant": (("constant", 7, 0), ("constant", 7, 0)),
    "constant reference": (("constant", 1, 0), ("bell", 1, 1)),
    "constant current": (("bell", 1, 1), ("constant", 1, 0)),
    "heavy tail": (("heavy", 0, 1), ("heavy", 0.1, 1)),
    "zeros": (("zeros", 0, 2), ("zeros", 0.5, 2)),
    "outlier in current": (("bell", 0, 1), ("outlier", 1, 1)),
    "outlier in reference": (("outlier", 0, 1), ("bell", 1, 1)),
    "infinities": (("infinite", 0, 1), ("infinite", 0.2, 1)),
    "new infinities": (("bell", 0, 1), ("infinite", 0, 1)),
    "missing": (("missing", 0, 1), ("missing", 0.2, 1)),
}
CATEGORIES = [(1, 1), (2, 2), (2, 1), (1, 2), (2, 3), (3, 3), (3, 5), (300, 300), (300, 340)]


def check_versions(tool):
    for line in HERE.with_name(f"{tool}.txt").read_text().splitlines():
        name, wanted = line.split("==")
        if version(name) != wanted:
            raise SystemExit(f"{name} {version(name)} found, {wanted} wanted")


def cases():
    """Columns of all shapes and sizes: (name, categorical, reference, current)."""
    for n, m in SIZES:
        for name, ((kind_r, *ab_r), (kind_c, *ab_c)) in NUMBERS.items():
            yield f"{name} {n} {m}", False, spec(kind_r, n, n, *ab_r), spec(kind_c, m + 77, m, *ab_c)
        for then, now in CATEGORIES:
            for kind in ("skewed", "gaps"):
                reference, current = spec(kind, n, n, 0, then), spec(kind, m + 99, m, 0, now)
                yield f"categories {then} {now} {kind} {n} {m}", True, reference, current


def series(spec, categorical):
    """Categories are words in the order of the sample's numbers; every tenth value of `gaps` is missing."""
    if not categorical:
        return pd.Series(sample(spec), name="x")
    values = sample(spec | {"kind": "skewed"})
    gap = (np.arange(len(values)) % 10 == 3) & (spec["kind"] == "gaps")
    return pd.Series([None if lost else f"c{value:03.0f}" for value, lost in zip(values, gap)], name="x", dtype="object")


def number(value):
    """A number as JSON has it; what the tool leaves undefined is null."""
    value = float(value)
    return value if np.isfinite(value) else None


def attempt(call):
    try:
        return call()
    except Exception:
        return None


# Evidently's name of each method under ours; empirical_mmd, which has no seed, and the tests of text are not compared.
EVIDENTLY = {
    "ks": "ks", "wasserstein": "wasserstein", "psi": "psi", "jensen_shannon": "jensenshannon", "kl_divergence": "kl_div",
    "hellinger": "hellinger", "energy": "ed", "anderson_darling": "anderson", "cramer_von_mises": "cramer_von_mises",
    "epps_singleton": "es", "mann_whitney": "mannw", "t_test": "t_test", "chi_square": "chisquare", "z_test": "z",
    "fisher_exact": "fisher_exact", "g_test": "g_test", "total_variation": "TVD",
}
TVD_ROWS_MAX = 50  # its thousand permutations take minutes beyond


def evidently_case(name, categorical, reference, current):
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest, get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Categorical if categorical else ColumnType.Numerical

    def sides():
        return [series(side, categorical).replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, current)]

    expected = {}
    default = None
    if all(len(side) for side in sides()):
        default = get_stattest(*sides(), kind, None).name
        for ours, theirs in EVIDENTLY.items():
            test = attempt(lambda: get_registered_stattest(theirs, kind))
            if theirs == default:
                test = get_stattest(*sides(), kind, None)
            if test is None or (theirs == "TVD" and max(map(len, sides())) > TVD_ROWS_MAX):
                continue
            found = attempt(lambda: test(*sides(), kind, None))
            expected[ours] = None if found is None else number(found.drift_score)
        default = {theirs: ours for ours, theirs in EVIDENTLY.items()}[default]
    return {"name": name, "categorical": categorical, "reference": reference, "current": current, "default": default, "expected": expected}


FRAMES = [(600, 400), (1000, 900), (1001, 1000), (20_000, 5000)]


def frames():
    """Whole tables: (rows of both sides, columns of as many kinds as the tool tells apart)."""
    for n, m in FRAMES:
        columns = []
        for name in ("same", "shifted", "few values", "twenty values", "many ties", "heavy tail", "outlier in current", "infinities", "missing"):
            (kind_r, *ab_r), (kind_c, *ab_c) = NUMBERS[name]
            columns.append((name.replace(" ", "_"), "float", spec(kind_r, n + 5, n, *ab_r), spec(kind_c, m + 6, m, *ab_c)))
        for name, then, now in [("codes", 4, 4), ("counts", 30, 33)]:
            columns.append((name, "integer", spec("skewed", n + 7, n, 0, then), spec("skewed", m + 8, m, 0, now)))
        for name, kind, then, now in [("pair", "skewed", 2, 2), ("trio", "gaps", 3, 3), ("new", "skewed", 3, 5), ("many", "skewed", 60, 60), ("flip", "skewed", 2, 2)]:
            columns.append((name, "text", spec(kind, n + len(name), n, 0, then), spec(kind, m + 1 + len(name), m, 0, now)))
        yield n, m, columns


def frame(columns, side):
    data = {}
    for name, kind, *specs in columns:
        values = series(specs[side], kind == "text")
        data[name] = values.astype("int64") if kind == "integer" else values
    return pd.DataFrame(data)


def described(columns):
    return [{"name": name, "kind": kind, "reference": r, "current": c} for name, kind, r, c in columns]


def evidently_frame(n, m, columns):
    from evidently import Report
    from evidently.presets import DataDriftPreset

    found = Report([DataDriftPreset()]).run(frame(columns, 1), frame(columns, 0)).dict()
    columns_found, share, count = {}, None, None
    for metric in found["metrics"]:
        config = metric["config"]
        if config["type"] == "evidently:metric_v2:DriftedColumnsCount":
            count, share = metric["value"]["count"], metric["value"]["share"]
        else:
            columns_found[config["column"]] = {"method": config["method"], "threshold": config["threshold"], "score": number(metric["value"])}
    return {"columns": described(columns), "expected": columns_found, "drifted": count, "share": share}


NANNYML = {
    "continuous": {"jensen_shannon": "jensen_shannon", "ks": "kolmogorov_smirnov", "wasserstein": "wasserstein", "hellinger": "hellinger"},
    "categorical": {"jensen_shannon": "jensen_shannon", "chi_square": "chi2", "l_infinity": "l_infinity", "hellinger": "hellinger"},
}
DEFAULT_CHUNKS = 10


def nannyml_case(name, categorical, reference, current):
    from nannyml.chunk import SizeBasedChunker
    from nannyml.drift.univariate import UnivariateDriftCalculator

    frames = [series(side, categorical).to_frame() for side in (reference, current)]
    kind = "categorical" if categorical else "continuous"
    chunked = len(frames[0]) >= DEFAULT_CHUNKS
    expected = {}
    for ours, theirs in NANNYML[kind].items():
        chunks = {} if chunked else {"chunk_number": 1}
        calculator = UnivariateDriftCalculator(column_names=["x"], **{f"{kind}_methods": [theirs]}, **chunks)
        try:
            calculator.fit(frames[0])
        except Exception:
            expected[ours] = None  # the tool gives up on the column
            continue
        calculator.chunker = SizeBasedChunker(len(frames[1]))  # the window is one chunk
        result = calculator.calculate(frames[1]).filter(period="analysis").to_df()["x"][theirs]
        method = calculator._column_to_models_mapping["x"][0]
        value, upper, alert = (result[key].iloc[0] for key in ("value", "upper_threshold", "alert"))
        expected[ours] = {
            "score": number(value),
            "threshold": None if upper is None or not chunked else number(upper),
            "p_value": number(method._p_value) if theirs == "chi2" and pd.notna(value) else None,
            "drifted": bool(alert) if chunked and pd.notna(value) else None,
        }
    return {"name": name, "categorical": categorical, "reference": reference, "current": current, "expected": expected}


def nannyml_frame(n, m, columns):
    from nannyml.chunk import SizeBasedChunker
    from nannyml.drift.univariate import UnivariateDriftCalculator

    columns = [column for column in columns if column[0] != "infinities"]  # one such column fails the whole calculator
    calculator = UnivariateDriftCalculator(column_names=[name for name, *_ in columns])
    calculator.fit(frame(columns, 0))
    calculator.chunker = SizeBasedChunker(m)
    result = calculator.calculate(frame(columns, 1)).filter(period="analysis").to_df()
    expected = {}
    for name, *_ in columns:
        value, upper, alert = (result[name]["jensen_shannon"][key].iloc[0] for key in ("value", "upper_threshold", "alert"))
        expected[name] = {"score": number(value), "threshold": number(upper), "drifted": bool(alert)}
    return {"columns": described(columns), "expected": expected}


def main():
    tool = sys.argv[1]
    check_versions(tool)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    np.seterr(all="ignore")
    groups = {
        "columns": (globals()[f"{tool}_case"](*case) for case in cases()),
        "frames": (globals()[f"{tool}_frame"](*table) for table in frames()),
    }
    lines = ["{", f'"script": "{fnv1a(HERE.read_bytes())}"']
    for name, found in groups.items():
        lines[-1] += ","
        lines.append(f'"{name}": [')
        lines.append(",\n".join(json.dumps(one, allow_nan=False) for one in found))
        lines.append("]")
    HERE.with_name(f"{tool}.json").write_text("\n".join(lines + ["}\n"]))


if __name__ == "__main__":
    main()
