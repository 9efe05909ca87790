"""The first model, learnt from labelled products, so that there is something to serve and to compare with."""
import shutil
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa

from pipeline import learning, registry, tables
from pipeline.classes import CLASSES
from pipeline.errors import PipelineError
from pipeline.logs import TIME

PRODUCTS = pa.schema([(name, pa.string()) for name in ("designation", "description", "label")])


def run(settings, products):
    """`products`: Parquet with designation, description and label, all text. Does nothing if a model is served."""
    if registry.current(settings.registry):
        print(f"{settings.registry} already serves {registry.current(settings.registry).name}")
        return  # not a Skip: services that wait for this one want exit code 0
    rows = read(Path(products))
    candidate = settings.registry / ".first"
    said = learning.learn(rows, settings.hold_out, candidate)
    version = registry.promote(settings.registry, candidate)
    shutil.rmtree(candidate)
    print(f"{version}: learnt from {said['rows_learnt']} products, {said['words']} words, "
          f"weighted F1 {said['f1_weighted']:.4f} on {said['rows_held_out']} others")


def read(path):
    """The products as a table, all of this moment."""
    table = tables.read(path, PRODUCTS)
    unknown = sorted({str(label) for label in table["label"].to_pylist() if label not in CLASSES})
    if unknown:
        raise PipelineError(f"{path} has labels that are no class: {', '.join(unknown[:5])}")
    now = pa.array([datetime.now(timezone.utc)] * table.num_rows, TIME)
    return table.append_column("timestamp", now)
