"""Reads the newest labelled rows of the prediction service's logs: requests joined with their outcomes by request_id.

Files are read newest first and only until there are enough, so that the size of the logs does not matter. A file that
cannot be read is said and left out; it never fails the run.
"""
import re
from datetime import datetime, timezone

import pyarrow as pa

from pipeline import tables
from pipeline.classes import CLASSES
from pipeline.errors import PipelineError

TIME = pa.timestamp("us", "UTC")
REQUESTS = pa.schema([("request_id", pa.string()), ("timestamp", TIME),
                      ("designation", pa.string()), ("description", pa.string())])
OUTCOMES = pa.schema([("request_id", pa.string()), ("timestamp", TIME), ("label", pa.string())])
LABELLED = REQUESTS.append(pa.field("label", pa.string()))
# A file's name says when it was written, in nanoseconds since 1970: no row in it is newer.
NAME = re.compile(r"part-(\d{1,19})-.*\.parquet")


def labelled(logs, since, rows_max):
    """The newest `rows_max` labelled rows not before `since` (a datetime with zone), oldest first; schema LABELLED."""
    label_of = newest_labels(logs / "outcomes", since, rows_max)
    found = {}  # request_id: row; a request that is logged twice counts once
    for rows in batches(logs / "requests", REQUESTS, since):
        for row in rows:
            label = label_of.get(row["request_id"])
            if label is not None and row["timestamp"] is not None and row["timestamp"] >= since:
                found.setdefault(row["request_id"], row | {"label": label})
        if len(found) >= rows_max:
            break
    newest = sorted(found.values(), key=lambda row: (row["timestamp"], row["request_id"]))[-rows_max:]
    return pa.Table.from_pylist(newest, schema=LABELLED)


def newest_labels(folder, since, rows_max):
    """request_id: label, of the newest outcomes. Twice as many as rows are wanted, as labels come late, out of order and
    more than once: of several, the latest wins."""
    latest = {}
    strange = 0
    for rows in batches(folder, OUTCOMES, since):
        for row in rows:
            if row["label"] not in CLASSES or None in row.values():
                strange += 1
            elif row["request_id"] not in latest or latest[row["request_id"]][0] < row["timestamp"]:
                latest[row["request_id"]] = (row["timestamp"], row["label"])
        if len(latest) >= 2 * rows_max:
            break
    if strange:
        print(f"{folder}: {strange} outcomes are left out: their label is none of the {len(CLASSES)} classes, or "
              "something is missing")
    return {request: label for request, (_, label) in latest.items()}


def batches(folder, schema, since):
    """The rows of each file of `folder` that may have rows since then, newest file first: lists of dicts by `schema`."""
    if not folder.is_dir():
        print(f"{folder}: there is no such folder, so there are no rows of it")
        return
    paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in sorted(paths, key=lambda path: (written(path), path.name), reverse=True):
        if written(path) < since.timestamp():
            continue
        try:
            rows = tables.read(path, schema).to_pylist()
        except (PipelineError, ValueError, OverflowError) as error:  # a time may be beyond what Python knows
            print(f"skipped: {error if isinstance(error, PipelineError) else f'{path}: {error}'}")
        else:
            yield rows


def written(path):
    """When the file was written by its name, in seconds since 1970; of a foreign name: now, so that it is looked at."""
    named = NAME.fullmatch(path.name)
    return int(named[1]) / 1e9 if named else datetime.now(timezone.utc).timestamp()
