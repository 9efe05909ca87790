"""polars, decoding the columns that the job needs and nothing else: decode_with_polars.py DATA"""
from common import COLUMNS, DATA, NUMBERS, tell

import polars as pl

logs = {"reference.parquet": COLUMNS, "requests/*.parquet": ["request_id"] + COLUMNS, "outcomes/*.parquet": ["request_id", "label"]}
for files, columns in logs.items():
    # Something must be asked of each value, or it is not decoded.
    asked = [pl.col(name).sum() if name in NUMBERS else pl.col(name).str.len_bytes().sum() for name in columns]
    pl.scan_parquet(f"{DATA}/{files}").select(asked).collect(engine="streaming")
tell()
