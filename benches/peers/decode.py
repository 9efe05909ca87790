"""Only decoding the columns that the job needs, with polars: decode.py DATA"""
import sys

import polars as pl

data = sys.argv[1]
columns = ["request_id", "timestamp", "prediction"] + [f"num_{i}" for i in range(10)] + [f"cat_{i}" for i in range(5)]
print(pl.scan_parquet(f"{data}/requests/*.parquet").select(columns).collect().height)
print(pl.scan_parquet(f"{data}/outcomes/*.parquet").select(["request_id", "label"]).collect().height)
