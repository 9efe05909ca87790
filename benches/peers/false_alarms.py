#!/usr/bin/env python3
"""False alarms and finds of Evidently's and NannyML's defaults, on the columns that benches/false_alarms.rs draws.

    python3 -m venv venv-evidently && venv-evidently/bin/pip install -r tests/golden/evidently.txt
    venv-evidently/bin/python benches/peers/false_alarms.py evidently
    python3 -m venv venv-nannyml && venv-nannyml/bin/pip install -r tests/golden/nannyml.txt
    venv-nannyml/bin/python benches/peers/false_alarms.py nannyml

Prints rows for docs/false_alarms.md: windows of 100, 1000 and 100 000 rows, without drift and with one kind of it. A dataset
alarm is half of the columns; NannyML has none of its own. Evidently's tests are called one by one, as its report chooses them,
which takes a hundredth of the report's time; the first window of all is held against the report itself.
"""
import logging
import os
import sys
import warnings
from importlib.metadata import version

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd
from scipy.stats import norm

ENTRIES = 1 << 16
SHARES = (np.arange(ENTRIES) + 0.5) / ENTRIES
# (rows of a window, of its reference, references, windows beside each)
SIZES = [(100, 10_000, 10, 20), (1000, 10_000, 10, 20), (100_000, 100_000, 2, 5)]
# NannyML takes a hundred windows in one call, a chunk each.
CHUNKED = [(100, 10_000, 20, 100), (1000, 10_000, 20, 100)]
POWER_WINDOWS = 2


def categories(*weights):
    """A category for each share of the rows, as benches/false_alarms.rs has them."""
    below = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(below, SHARES), len(weights) - 1).astype(float)


def zipf(k):
    return categories(*(1 / np.arange(1, k + 1)))


def zeros(share):
    values = np.zeros(ENTRIES)
    values[SHARES >= share] = (10 * np.exp(norm.ppf((SHARES[SHARES >= share] - share) / (1 - share)))).round(2)
    return values


def missing(values, share):
    values, i = values.copy(), np.arange(ENTRIES)
    values[np.floor((i + 1) * share) > np.floor(i * share)] = np.nan
    return values


def moved(codes, source, target, share):
    codes = codes.copy()
    codes[np.flatnonzero(codes == source)[: round(share * ENTRIES)]] = target
    return codes


NUMBERS = {
    "normal": norm.ppf(SHARES),
    "uniform": SHARES,
    "lognormal": (10 * np.exp(norm.ppf(SHARES))).round(2),
    "minutes": np.floor(-20 * np.log(1 - SHARES)),
    "zeros": zeros(0.4),
    "integers": np.clip(np.floor(6.5 + 2 * norm.ppf(SHARES)), 0, 12),
    "humps": np.where(SHARES < 0.3, norm.ppf(np.minimum(SHARES / 0.3, 1)), 6 + norm.ppf(np.maximum((SHARES - 0.3) / 0.7, 0))),
    "heavy": np.exp(1.5 * norm.ppf(SHARES)),
    "age": np.clip(np.floor(45 + 15 * norm.ppf(SHARES)), 18, 99),
    "gaps": missing(norm.ppf(SHARES), 0.05),
}
CATEGORIES = {
    "nine to one": categories(9, 1),
    "even": categories(1, 1),
    "three": zipf(3),
    "days": categories(1, 1, 1, 1, 1.2, 0.7, 0.5),
    "thirty": zipf(30),
    "many": zipf(300),
}
DRIFT = {
    "a shift of 0.3 standard deviations": ("normal", NUMBERS["normal"] + 0.3),
    "10 % of rows from one of 7 days to another": ("days", moved(CATEGORIES["days"], 4, 6, 0.1)),
    "10 % of rows from the first of 30 categories to the last": ("thirty", moved(CATEGORIES["thirty"], 0, 29, 0.1)),
    "10 % of rows from the first of 3 categories to the last": ("three", moved(CATEGORIES["three"], 0, 2, 0.1)),
    "10 % of rows from one of 2 even categories to the other": ("even", moved(CATEGORIES["even"], 0, 1, 0.1)),
    "missing values, from none to 40 %": ("normal", missing(NUMBERS["normal"], 0.4)),
}


def frame(rows, rng, drifted=()):
    drawn = {}
    for name, entries in {**NUMBERS, **CATEGORIES, **dict(drifted)}.items():
        values = pd.Series(entries[rng.integers(0, ENTRIES, rows)])
        drawn[name] = values if name in NUMBERS else values.map("c{:.0f}".format)
    return pd.DataFrame(drawn)


class Evidently:
    def __init__(self, reference, _):
        self.reference = reference

    def drifted(self, window):
        from evidently.legacy.calculations.stattests.registry import get_stattest
        from evidently.legacy.core import ColumnType

        found = []
        for name in window:
            kind = ColumnType.Numerical if name in NUMBERS else ColumnType.Categorical
            sides = [side[name].dropna() for side in (self.reference, window)]
            found.append(bool(get_stattest(*sides, kind, None)(*sides, kind, None).drifted))
        return found

    def check(self, window):
        """The same as the report says."""
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=list(CATEGORIES))
        sides = [Dataset.from_pandas(side, data_definition=definition) for side in (window, self.reference)]
        metrics = Report([DataDriftPreset()]).run(*sides).dict()["metrics"]
        assert metrics[0]["value"]["count"] == sum(self.drifted(window)), metrics[0]


class NannyML:
    """`chunked`: the reference is cut as the windows are, else in ten."""

    def __init__(self, reference, rows, chunked=True):
        from nannyml.chunk import SizeBasedChunker
        from nannyml.drift.univariate import UnivariateDriftCalculator

        size = {"chunk_size": rows} if chunked else {}
        self.calculator = UnivariateDriftCalculator(column_names=list(reference), **size)
        self.calculator.fit(reference)
        self.calculator.chunker = SizeBasedChunker(rows)

    def all_drifted(self, windows):
        """Of windows one after the other."""
        result = self.calculator.calculate(pd.concat(windows, ignore_index=True)).filter(period="analysis").to_df()
        return [[bool(result[name]["jensen_shannon"]["alert"].iloc[i]) for name in windows[0]] for i in range(len(windows))]


def verdicts(tool, windows):
    if isinstance(tool, NannyML):
        return tool.all_drifted(windows)
    return [tool.drifted(window) for window in windows]


def study(name, make, sizes):
    for rows, reference_rows, references, windows in sizes:
        rng = np.random.default_rng(rows)
        columns, datasets, found = 0, 0, {kind: 0 for kind in DRIFT}
        for number in range(references):
            reference = frame(reference_rows, rng)
            tool = make(reference, rows)
            if number == 0 and rows == 1000 and hasattr(tool, "check"):
                tool.check(frame(rows, rng))
            step = max(1, 1_000_000 // rows)
            for first in range(0, windows, step):
                for alarms in verdicts(tool, [frame(rows, rng) for _ in range(min(step, windows - first))]):
                    columns += sum(alarms)
                    datasets += sum(alarms) >= len(alarms) / 2
            if rows == 1000:
                for kind, (column, entries) in DRIFT.items():
                    drawn = [frame(rows, rng, [(column, entries)]) for _ in range(POWER_WINDOWS)]
                    found[kind] += sum(alarms[list(reference).index(column)] for alarms in verdicts(tool, drawn))
        all_windows = references * windows
        share, datasets = columns / all_windows / len(reference.columns), 1000 * datasets / all_windows
        print(f"| {name} | {rows} | {reference_rows} | {all_windows} | {100 * share:.2f} % | {datasets:.0f} |", flush=True)
        if rows == 1000:
            for kind, count in found.items():
                print(f"    {kind}: {100 * count / references / POWER_WINDOWS:.0f} %", flush=True)


def main():
    tool = sys.argv[1]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    np.seterr(all="ignore")
    print(f"{tool} {version(tool)}\n| | rows | reference | windows | false column alarms | false dataset alarms in 1000 |\n|---|---|---|---|---|---|")
    if tool == "evidently":
        study("Evidently", Evidently, SIZES)
        study("Evidently", Evidently, [(100, 1000, 10, 20), (1000, 1000, 10, 20)])
    else:
        study("NannyML, chunks of the window's rows", NannyML, CHUNKED)
        study("NannyML, ten chunks of the reference", lambda reference, rows: NannyML(reference, rows, False), CHUNKED + SIZES[2:])


if __name__ == "__main__":
    main()
