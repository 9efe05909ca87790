#!/usr/bin/env python3
"""Every type that a column can have, by every writer that knows it.

    python tests/golden/column_types.py target/golden        writes to target/golden/types

Each file has twenty rows; `expected.json` says per file and column what the values are: as numbers, as keys (the
text under which they are compared) or as times (microseconds), null where a value is missing. Versions: tests/requirements.txt.
"""
import json
import shutil
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 20
NUMBERS = [None if i % 7 == 3 else i for i in range(ROWS)]
HALVES = [None if n is None else n / 2 for n in NUMBERS]
WORDS = [None if i % 7 == 3 else ["red", "green", "7", "007", "größe"][i % 5] for i in range(ROWS)]
FLAGS = [None if i % 7 == 3 else i % 2 == 0 for i in range(ROWS)]
MOMENTS = [None if i % 7 == 3 else datetime(2026, 3, 1, 12, 0, i, 250_000) for i in range(ROWS)]
DAYS = [None if i % 7 == 3 else date(2026, 3, 1 + i) for i in range(ROWS)]


def micros(moment):
    return None if moment is None else int(moment.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000 + moment.microsecond


def keys(numbers):
    return [None if n is None else str(int(n)) if n == int(n) else str(n) for n in numbers]


TIMES = {"times": [micros(m) for m in MOMENTS]}
SECONDS = {"times": [None if m is None else micros(m) // 1_000_000 * 1_000_000 for m in MOMENTS]}
DATES = {"times": [None if d is None else micros(datetime(d.year, d.month, d.day)) for d in DAYS]}
INTEGERS = {"numbers": NUMBERS, "keys": keys(NUMBERS)}
FLOATS = {"numbers": HALVES, "keys": ["0" if h == 0 else k for h, k in zip(HALVES, keys([None if h is None else h for h in HALVES]))]}
FLAG = {"numbers": [None if f is None else int(f) for f in FLAGS], "keys": [None if f is None else str(int(f)) for f in FLAGS]}
TEXT = {"keys": WORDS}


def columns():
    """Name: (arrow array, what it says)."""
    found = {}
    for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        found[kind] = (pa.array(NUMBERS, getattr(pa, kind)()), INTEGERS)
    found["float16"] = (pa.array([None if h is None else np.float16(h) for h in HALVES], pa.float16()), FLOATS)
    for kind in ("float32", "float64"):
        found[kind] = (pa.array(HALVES, getattr(pa, kind)()), FLOATS)
    decimals = [None if h is None else Decimal(str(h)) for h in HALVES]
    found["decimal128"] = (pa.array(decimals, pa.decimal128(12, 3)), FLOATS)
    found["decimal256"] = (pa.array(decimals, pa.decimal256(50, 3)), FLOATS)
    found["bool"] = (pa.array(FLAGS), FLAG)
    for kind in ("string", "large_string", "string_view"):
        found[kind] = (pa.array(WORDS, getattr(pa, kind)()), TEXT)
    found["binary"] = (pa.array([None if w is None else w.encode() for w in WORDS], pa.binary()), TEXT)
    found["dictionary_string"] = (pa.array(WORDS).dictionary_encode(), TEXT)
    found["dictionary_int"] = (pa.array(NUMBERS, pa.int32()).dictionary_encode(), INTEGERS)
    for unit, said in (("s", SECONDS), ("ms", TIMES), ("us", TIMES), ("ns", TIMES)):
        whole = [None if m is None else m.replace(microsecond=0) if unit == "s" else m for m in MOMENTS]
        found[f"timestamp_{unit}"] = (pa.array(whole, pa.timestamp(unit)), said)
        found[f"timestamp_{unit}_zone"] = (pa.array(whole, pa.timestamp(unit, "Europe/Berlin")), said)
    found["date32"] = (pa.array(DAYS, pa.date32()), DATES)
    found["date64"] = (pa.array(DAYS, pa.date64()), DATES)
    found["iso"] = (pa.array([None if m is None else m.isoformat() + "Z" for m in MOMENTS]), TIMES)
    return found


def main():
    out = Path(sys.argv[1]) / "types"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    all_columns = columns()
    expected = {}

    def wrote(name, said):
        expected[f"{name}.parquet"] = said

    says = {name: said for name, (_, said) in all_columns.items()}
    nested = {"list": pa.array([[i] for i in range(ROWS)]), "struct": pa.array([{"a": i} for i in range(ROWS)])}
    table = pa.table({name: array for name, (array, _) in all_columns.items()} | nested)
    for codec in ("snappy", "zstd", "lz4", "gzip", "none"):
        for version in ("1.0", "2.0"):
            name = f"pyarrow-{codec}-v{version[0]}"
            pq.write_table(table, out / f"{name}.parquet", compression=codec, data_page_version=version, row_group_size=8)
            wrote(name, says)
    pq.write_table(table, out / "pyarrow-plain.parquet", use_dictionary=False, store_schema=False)
    wrote("pyarrow-plain", says)
    int96 = [name for name in says if name.startswith("timestamp")]
    pq.write_table(table.select(int96), out / "int96.parquet", use_deprecated_int96_timestamps=True)
    wrote("int96", {name: says[name] for name in int96})

    plain = ["int8", "int32", "int64", "uint16", "float32", "float64", "bool", "string", "timestamp_us", "timestamp_ns", "date32"]
    frame = pl.from_arrow(table.select(plain))
    frame.write_parquet(out / "polars.parquet")
    wrote("polars", {name: says[name] for name in plain})
    frame.with_columns(pl.col("string").cast(pl.Categorical)).write_parquet(out / "polars-categorical.parquet", compression="lz4")
    wrote("polars-categorical", {name: says[name] for name in plain})

    con = duckdb.connect()
    con.register("t", table.select(plain + ["decimal128"]))
    con.execute(f"COPY t TO '{out}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)")
    wrote("duckdb", {name: says[name] for name in plain + ["decimal128"]})
    con.execute(f"COPY (SELECT *, uuid() AS id FROM t) TO '{out}/duckdb-v2.parquet' (FORMAT parquet, PARQUET_VERSION v2)")
    wrote("duckdb-v2", {name: says[name] for name in plain + ["decimal128"]})

    # pandas turns integers with missing values into floats: they say the same.
    pandas = pd.DataFrame({
        "ints_as_floats": NUMBERS, "nullable": pd.array(NUMBERS, dtype="Int32"), "text": WORDS,
        "category": pd.Categorical(WORDS), "moment": pd.to_datetime(MOMENTS), "zoned": pd.to_datetime(MOMENTS, utc=True),
    })
    said = {"ints_as_floats": INTEGERS, "nullable": INTEGERS, "text": TEXT, "category": TEXT, "moment": TIMES, "zoned": TIMES}
    pandas.to_parquet(out / "pandas.parquet")
    wrote("pandas", said)
    objects = pandas.assign(text=pandas["text"].astype(object).where(pandas["text"].notna(), None))
    fastparquet.write(str(out / "fastparquet.parquet"), objects.drop(columns="category"), compression="GZIP", row_group_offsets=[0, 9])
    wrote("fastparquet", {name: values for name, values in said.items() if name != "category"})
    (out / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
