"""What the programs of this folder share: the columns, how pandas loads them, what each prints."""
import json
import os
import sys

# Nobody calls home: that would be time of the network's.
for name in ("DO_NOT_TRACK", "NML_DISABLE_USAGE_LOGGING", "WHYLOGS_NO_ANALYTICS"):
    os.environ[name] = "True"

NUMBERS = [f"num_{i}" for i in range(10)]
KEYS = [f"cat_{i}" for i in range(5)] + ["prediction"]
COLUMNS = NUMBERS + KEYS
DATA = sys.argv[1]


def load(more=()):
    """Reference, requests, and pairs of prediction and label, as pandas users load them."""
    import pandas as pd

    reference = pd.read_parquet(f"{DATA}/reference.parquet", columns=COLUMNS + list(more))
    current = pd.read_parquet(f"{DATA}/requests", columns=["request_id"] + COLUMNS)
    outcomes = pd.read_parquet(f"{DATA}/outcomes", columns=["request_id", "label"])
    pairs = current[["request_id", "prediction"]].merge(outcomes, on="request_id")
    return reference, current[COLUMNS], pairs[["prediction", "label"]]


def tell(ks=None, macro=None, weighted=None, joined=None):
    """What can be compared with the others: the KS distance by column, F1, and how many requests met their outcomes."""
    print(json.dumps({"ks": ks or {}, "macro": macro, "weighted": weighted, "joined": joined}, default=float))
