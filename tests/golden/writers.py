#!/usr/bin/env python3
"""Folders as the writers of logs leave them.

    python tests/golden/writers.py target/golden        writes to target/golden/writers

Every folder holds the rows n = 0..99 once, each with the moment `at` = 2026-03-01T00:00:00Z + n minutes and the text `kind`
= k0, k1 or k2 (n modulo 3), and beside them what that writer leaves: partition folders, markers, temporaries, checksums.
`append-1.parquet` and `append-2.parquet` are one file before and after fastparquet appended to it. Versions: tests/requirements.txt.
"""
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

ROWS = 100
START = datetime(2026, 3, 1)


def frame(numbers):
    return pd.DataFrame({
        "n": list(numbers),
        "at": pd.Series([START + timedelta(minutes=n) for n in numbers], dtype="datetime64[us]"),
        "kind": [f"k{n % 3}" for n in numbers],
    })


def table(numbers):
    return pa.Table.from_pandas(frame(numbers), preserve_index=False)


def pyarrow_hive(out):
    partitioning = ds.partitioning(pa.schema([("kind", pa.string())]), flavor="hive")
    ds.write_dataset(table(range(ROWS)), out, format="parquet", partitioning=partitioning)


def pyarrow_row_groups(out):
    out.mkdir()
    with pq.ParquetWriter(out / "log.parquet", table([0]).schema) as writer:
        for start in range(0, ROWS, 17):
            writer.write_table(table(range(start, min(start + 17, ROWS))))


def pandas_hive(out):
    frame(range(ROWS)).to_parquet(out, partition_cols=["kind"])


def polars_hive(out):
    out.mkdir()
    pl.from_pandas(frame(range(ROWS))).write_parquet(out, partition_by="kind")


def duckdb_hive(out):
    rows = frame(range(ROWS))
    connection = duckdb.connect()
    connection.register("rows", rows)
    connection.execute(f"COPY rows TO '{out}' (FORMAT parquet, PARTITION_BY (kind))")


def fastparquet_hive(out):
    rows = frame(range(ROWS))
    rows["kind"] = rows["kind"].astype(object)
    fastparquet.write(str(out), rows, file_scheme="hive", partition_on=["kind"])


def spark(out):
    """What `df.write.parquet` leaves: INT96 times, a marker, a failed attempt, checksums beside the parts."""
    (out / "_temporary/0").mkdir(parents=True)
    for part in range(4):
        name = f"part-{part:05}-c0ffee.c000.snappy.parquet"
        rows = table(range(part * 25, part * 25 + 25))
        pq.write_table(rows, out / name, use_deprecated_int96_timestamps=True, compression="snappy")
        (out / f".{name}.crc").write_bytes(b"crc\0" + bytes(8))
    shutil.copy(out / name, out / "_temporary/0/part-00009.snappy.parquet")
    (out / "_SUCCESS").touch()


def fastparquet_append(out):
    first, second = (frame(numbers) for numbers in (range(60), range(60, ROWS)))
    for rows in (first, second):
        rows["kind"] = rows["kind"].astype(object)
    path = out / "append.parquet"
    fastparquet.write(str(path), first)
    shutil.copy(path, out / "append-1.parquet")
    fastparquet.write(str(path), second, append=True)
    path.rename(out / "append-2.parquet")


def main():
    out = Path(sys.argv[1]) / "writers"
    shutil.rmtree(out, ignore_errors=True)
    (out / "folders").mkdir(parents=True)
    for writer in (pyarrow_hive, pyarrow_row_groups, pandas_hive, polars_hive, duckdb_hive, fastparquet_hive, spark):
        writer(out / "folders" / writer.__name__)
    fastparquet_append(out)
    pq.write_table(table(range(ROWS)), out / "brotli.parquet", compression="brotli")
    # A day that nanoseconds since 1970 cannot hold, as warehouses write it for "never".
    never = pa.table({"at": pa.array([START, datetime(9999, 12, 31), None], pa.timestamp("us"))})
    pq.write_table(never, out / "never.parquet", use_deprecated_int96_timestamps=True)


if __name__ == "__main__":
    main()
