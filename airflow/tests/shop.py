"""A small shop: products of 27 classes, each class with words of its own, and the logs of a service that predicts them.

`python -m tests.shop FOLDER` writes products.parquet and logs of products after a drift to FOLDER.
"""
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.classes import CLASSES
from pipeline.logs import TIME

WORDS_PER_CLASS = 8
COMMON = ["le", "la", "un", "neuf", "couleur", "lot", "été", "n°12"]


def products(count, drift=0.0, seed=1):
    """`count` products as (designation, description, label). A product of the share `drift` (0 to 1) speaks of its
    class in new words, and no old model knows them."""
    chance = random.Random(seed)
    made = []
    for i in range(count):
        label = CLASSES[i % len(CLASSES)]
        kind = "new" if chance.random() < drift else "old"
        own = [f"{kind}{label}word{chance.randrange(WORDS_PER_CLASS)}" for _ in range(5)]
        text = own + chance.sample(COMMON, 3)
        chance.shuffle(text)
        made.append((" ".join(text[:4]).upper(), " ".join(text[4:]) if chance.random() < 0.9 else None, label))
    return made


def write_products(path, rows):
    """Writes what `first` learns from."""
    names = ("designation", "description", "label")
    pq.write_table(pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, zip(*rows))}), path)


def write_logs(logs, rows, newest=None, name="r"):
    """Writes products to requests/ and outcomes/ below `logs`, one per second, the last one at `newest` (now)."""
    newest = newest or datetime.now(timezone.utc)
    times = [newest - timedelta(seconds=len(rows) - 1 - i) for i in range(len(rows))]
    ids = [f"{name}-{i}" for i in range(len(rows))]
    part(logs / "requests", {
        "request_id": ids,
        "timestamp": pa.array(times, TIME),
        "designation": [row[0] for row in rows],
        "description": pa.array([row[1] for row in rows], pa.string()),
    }, newest)
    write_outcomes(logs, ids, [row[2] for row in rows], newest)


def write_outcomes(logs, ids, labels, time):
    """Writes one outcome per id, all of the same time."""
    part(logs / "outcomes", {"request_id": ids, "timestamp": pa.array([time] * len(ids), TIME), "label": labels}, time)


def part(folder, columns, written):
    """Writes one file of a log, named as the service names it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"part-{int(written.timestamp() * 1e9)}-7-{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.table(columns), folder / name)
    return folder / name


if __name__ == "__main__":
    write_products(Path(sys.argv[1]) / "products.parquet", products(1500))
    write_logs(Path(sys.argv[1]) / "logs", products(1500, drift=0.8, seed=2))
