"""The registry: REGISTRY/versions/vN with model.json, reference.parquet and evaluation.json, and REGISTRY/current, a
relative link to the version that is served.

A version appears whole or not at all, and the link never points to nothing: whoever reads at any moment, also after a
crash, finds a whole version.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from dataclasses import replace
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import model

VERSION = re.compile(r"v([1-9]\d{0,8})")


def number(version):
    """N of "vN"; None for any other name."""
    matched = VERSION.fullmatch(version)
    return int(matched[1]) if matched else None


def versions(folder):
    """The numbers of the versions in `folder`, ascending."""
    return sorted(filter(None, map(number, os.listdir(folder)))) if folder.is_dir() else []


def current(registry):
    """Folder of the version that is served; None if there is none."""
    link = registry / "current"
    return registry / os.readlink(link) if link.is_symlink() else None


def evaluation(folder):
    """What evaluation.json says of the model beside it: {} if it cannot be read, as a person may have put it there."""
    try:
        said = json.loads((folder / "evaluation.json").read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def evaluate(folder, said):
    """Writes evaluation.json."""
    (folder / "evaluation.json").write_text(json.dumps(said, indent=2) + "\n")


@contextlib.contextmanager
def locked(registry):
    """Holds the registry's lock: one writer at a time. A writer that dies gives it back."""
    registry.mkdir(parents=True, exist_ok=True)
    with open(registry / ".lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def promote(registry, candidate, above=0):
    """Makes the model of the folder `candidate` the one that is served, as the next version after all that there are
    and after number `above`. Doing it again changes nothing. Returns the version."""
    with locked(registry):
        marker = candidate / "promoted"
        if marker.exists():
            return marker.read_text()
        digest = hashlib.sha256((candidate / "model.json").read_bytes()).hexdigest()
        version = version_of(registry, digest)
        if version is None:
            version = f"v{max(versions(registry / 'versions') + [above]) + 1}"
            add(registry, candidate, version, digest)
        serve(registry, version)
        marker.write_text(version)
        return version


def version_of(registry, digest):
    """The version that was made of the candidate with this digest by a promotion that did not end; None if none was."""
    for n in reversed(versions(registry / "versions")):
        if evaluation(registry / "versions" / f"v{n}").get("candidate_sha256") == digest:
            return f"v{n}"
    return None


def add(registry, candidate, version, digest):
    """Writes the files of a new version aside, syncs them, and renames their folder."""
    folder = registry / "versions" / version
    half = folder.with_name(f".{version}.tmp")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    named = replace(model.read(candidate / "model.json"), version=version)
    (half / "model.json").write_text(named.to_json(), encoding="utf-8")
    rows = pq.read_table(candidate / "reference.parquet")
    column = rows.column_names.index("model_version")
    rows = rows.set_column(column, "model_version", pa.array([version] * rows.num_rows))
    pq.write_table(rows, half / "reference.parquet")
    said = evaluation(candidate) | {
        "version": version,
        "promoted_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "candidate_sha256": digest,
    }
    evaluate(half, said)
    for path in (*half.iterdir(), half):
        sync(path)
    half.rename(folder)
    sync(folder.parent)


def serve(registry, version):
    """Points `current` to the version."""
    half = registry / ".current.tmp"
    half.unlink(missing_ok=True)
    half.symlink_to(f"versions/{version}")
    half.replace(registry / "current")
    sync(registry)


def prune(registry, keep):
    """Removes all but the newest `keep` versions; the one that is served stays in any case. Returns what went."""
    with locked(registry):
        served = current(registry)
        gone = [f"v{n}" for n in versions(registry / "versions")[:-keep] if not served or f"v{n}" != served.name]
        for version in gone:
            shutil.rmtree(registry / "versions" / version)
        return gone


def sync(path):
    """Makes sure that a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
