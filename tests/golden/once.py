#!/usr/bin/env python3
"""Logs by every writer, and what SciPy and scikit-learn make of the same rows.

    python tests/golden/once.py target/golden        writes to target/golden/once

One reference and two sets of logs (`small` stays within exact_rows, `large` does not), each written by every
writer, and `expected.json` with the scores. Versions: tests/requirements.txt.
"""
import json
import shutil
import sys
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics

START = 1_750_000_000_000_000  # microseconds
NUMBERS = ["price", "amount", "visits", "ratio"]
CLASSES = np.array(["a", "b", "c", "7"])


def frame(rng, rows, shift):
    """Continuous, heavy-tailed, discrete and zero-inflated columns, two categorical ones, missing values in two."""
    labels = CLASSES[rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])]
    right = rng.random(rows) < (0.7 if shift else 0.85)
    price = rng.normal(10 + 0.5 * shift, 3, rows)
    ratio = np.where(rng.random(rows) < 0.5, 0.0, rng.gamma(2.0, 1.0, rows))
    ratio[rng.random(rows) < (0.05 + 0.1 * shift)] = np.nan
    countries = [0.4, 0.2, 0.15, 0.15, 0.1] if shift else [0.5, 0.2, 0.15, 0.1, 0.05]
    return pd.DataFrame({
        "request_id": [f"{i:08x}-{rng.integers(1 << 30):08x}" for i in range(rows)],
        "timestamp": pd.to_datetime(START + np.sort(rng.integers(0, 3_500_000_000, rows)), unit="us", utc=True),
        "price": price,
        "amount": rng.lognormal(1, 1.2 + 0.1 * shift, rows),
        "visits": rng.poisson(6 + shift, rows),
        "ratio": ratio,
        "country": rng.choice(["de", "fr", "it", "es", "pl"], rows, p=countries),
        "device": pd.Series(rng.choice(["phone", "desk", "tv"] + (["watch"] if shift else []), rows)).where(rng.random(rows) > 0.02 * (1 + shift), None),
        "prediction": np.where(right, labels, CLASSES[rng.integers(0, 4, rows)]),
        "label": labels,
    })


def bins(reference, current, count=10):
    """Counts in the reference's bins: quantiles with open ends, or values and `unseen`; `missing` where either side has any."""
    lost = [int(side.isna().sum()) for side in (reference, current)]
    r, c = reference.dropna(), current.dropna()
    distinct = r.unique()
    if not pd.api.types.is_numeric_dtype(r) or len(distinct) <= 20:
        sides = [[int((side == value).sum()) for value in distinct] for side in (r, c)]
        unseen = [int((~side.isin(distinct)).sum()) for side in (r, c)]
        sides = [side + [extra] for side, extra in zip(sides, unseen)]
    else:
        edges = np.unique([np.quantile(r, i / count) for i in range(1, count)])
        sides = [np.bincount(np.searchsorted(edges, side, side="left"), minlength=len(edges) + 1).tolist() for side in (r, c)]
    if sum(lost):
        sides = [side + [extra] for side, extra in zip(sides, lost)]
    return np.array(sides[0]), np.array(sides[1])


def scores(reference, current):
    found = {}
    for name in NUMBERS + ["country", "device", "prediction"]:
        r, c = reference[name], current[name]
        br, bc = bins(r, c)
        p, q = (br + 0.5) / (br.sum() + len(br) / 2), (bc + 0.5) / (bc.sum() + len(bc) / 2)
        column = {"psi": float(((p - q) * np.log(p / q)).sum()), "jensen_shannon": float(jensenshannon(br, bc, base=2))}
        if name in NUMBERS:
            r, c = r.dropna(), c.dropna()
            ks = stats.ks_2samp(r, c)
            column["ks"], column["ks p"] = float(ks.statistic), float(ks.pvalue)
            column["wasserstein"] = float(stats.wasserstein_distance(r, c) / max(np.std(r), 0.001))
        else:
            seen = (br + bc) > 0
            chi = stats.chi2_contingency(np.array([br[seen], bc[seen]]), correction=False)
            column["chi_square"] = float(np.sqrt(chi.statistic / (br.sum() + bc.sum())))
            column["chi_square p"] = float(chi.pvalue)
        found[name] = column
    return found


def quality(rows):
    y, p = rows["label"], rows["prediction"]
    found = {"accuracy": metrics.accuracy_score(y, p)}
    for average in ("weighted", "macro", "micro"):
        for name, score in (("f1", metrics.f1_score), ("precision", metrics.precision_score), ("recall", metrics.recall_score)):
            found[f"{name} {average}"] = float(score(y, p, average=average, zero_division=0))
    return found


def writers(folder, name, table, frame):
    """The same rows by every writer: folder/<writer>/<name>."""
    def place(writer):
        (folder / writer / name).mkdir(parents=True)
        return folder / writer / name
    third = max(1, len(frame) // 3)
    for codec in ("snappy", "zstd", "lz4", "gzip", "none"):
        version = "2.0" if codec in ("zstd", "gzip") else "1.0"
        pq.write_table(table, place(f"pyarrow-{codec}") / "part-0.parquet", compression=codec, data_page_version=version, row_group_size=third)
    pq.write_table(table, place("pyarrow-plain") / "part-0.parquet", use_dictionary=False, row_group_size=1000)
    frame.to_parquet(place("pandas") / "part-0.parquet")
    categories = frame.assign(**{c: frame[c].astype("category") for c in ("country", "device", "prediction") if c in frame})
    categories.to_parquet(place("pandas-categories") / "part-0.parquet")
    path = str(place("fastparquet") / "part-0.parquet")
    plain = frame.astype({c: object for c in frame.columns if frame[c].dtype == "str"})
    fastparquet.write(path, plain.iloc[:third].reset_index(drop=True))
    fastparquet.write(path, plain.iloc[third:].reset_index(drop=True), append=True)
    pl.from_arrow(table).write_parquet(place("polars") / "part-0.parquet")
    con = duckdb.connect()
    con.register("t", table)
    con.execute(f"COPY t TO '{place('duckdb')}/part-0.parquet' (FORMAT parquet, ROW_GROUP_SIZE 4096)")
    spark = place("spark")
    (spark / "_temporary").mkdir()
    (spark / "_temporary" / "part-9.parquet").write_bytes(b"PAR1")
    for i, start in enumerate(range(0, len(frame), third)):
        pq.write_table(table.slice(start, third), spark / f"part-{i:05d}.snappy.parquet", use_deprecated_int96_timestamps=True)
    (spark / "_SUCCESS").touch()
    if "country" in frame:
        con.execute(f"COPY t TO '{place('hive')}' (FORMAT parquet, PARTITION_BY (country), OVERWRITE_OR_IGNORE)")
    else:
        pq.write_table(table, place("hive") / "part-0.parquet")


def main():
    out = Path(sys.argv[1]) / "once"
    shutil.rmtree(out, ignore_errors=True)
    rng = np.random.default_rng(20)
    reference = frame(rng, 30_000, False)
    expected = {}
    out.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(reference.drop(columns=["request_id", "timestamp"]), preserve_index=False), out / "reference.parquet")
    for size, rows in (("small", 6_000), ("large", 90_000)):
        current = frame(rng, rows, True)
        labelled = current[rng.random(rows) < 0.8]
        arrival = labelled["timestamp"] + pd.to_timedelta(rng.integers(1, 600, len(labelled)), unit="s")
        outcomes = labelled[["request_id", "label"]].assign(timestamp=arrival)
        outcomes = outcomes.sample(frac=1, random_state=3).reset_index(drop=True)
        requests = current.drop(columns="label")
        writers(out / size, "requests", pa.Table.from_pandas(requests, preserve_index=False), requests)
        writers(out / size, "outcomes", pa.Table.from_pandas(outcomes, preserve_index=False), outcomes)
        expected[size] = {"rows": rows, "labelled": len(labelled), "columns": scores(reference, current), "quality": quality(labelled)}
    expected["reference quality"] = quality(reference)
    # A file before and after fastparquet appended a row group to it.
    (out / "append").mkdir()
    rows = frame(rng, 900, False).astype({c: object for c in ("request_id", "country", "device", "prediction", "label")})
    fastparquet.write(str(out / "append" / "1.parquet"), rows.iloc[:500].reset_index(drop=True))
    shutil.copy(out / "append" / "1.parquet", out / "append" / "2.parquet")
    fastparquet.write(str(out / "append" / "2.parquet"), rows.iloc[500:].reset_index(drop=True), append=True)
    (out / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main()
