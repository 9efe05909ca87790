"""Learns a candidate from labelled rows, and judges it on rows that it has not seen."""
import hashlib
import shutil
from collections import Counter
from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from pipeline import registry
from pipeline.classes import CLASSES
from pipeline.errors import PipelineError
from pipeline.model import DECIMALS, Model, features, presence
from pipeline.text import product_words

WORDS_MAX = 5000  # bounds model.json: 5000 words by 27 classes are about 2 MB
PRODUCTS_PER_WORD_MIN = 2  # a word of a single product says nothing of the next one
STEPS_MAX = 300
NEVER = -30.0  # bias of a class without rows: its share is about 1e-13, so it is never predicted


def learn(table, hold_out, folder):
    """Learns from `table` (designation, description, label, timestamp, perhaps request_id) and writes model.json,
    reference.parquet and evaluation.json to `folder`, all at once. `hold_out` is the share of rows kept apart, 0 to 1.
    Returns the evaluation."""
    held_out = [is_held_out(*parts, hold_out) for parts in zip(*texts(table))]
    mask = pa.array(held_out, pa.bool_())
    apart, rows = table.filter(mask), table.filter(pc.invert(mask))
    if not apart.num_rows:
        raise PipelineError(f"none of {table.num_rows} rows is held out: HOLD_OUT is too small for so few")
    model = fit(products_of(rows), rows["label"].to_pylist())
    reference = as_logged(model, apart)
    evaluation = {
        "trained_at": model.trained_at,
        "rows_learnt": rows.num_rows,
        "rows_held_out": apart.num_rows,
        "words": len(model.vocabulary),
        "f1_weighted": weighted_f1(apart["label"].to_pylist(), reference["prediction"].to_pylist()),
    }
    write(folder, model, reference, evaluation)
    return evaluation


def is_held_out(designation, description, share):
    """Whether a product judges models. The same text is always on the same side, in every run: neither the candidate
    nor the model that is served has ever learnt from a product that compares them."""
    digest = hashlib.sha256(f"{designation or ''}\0{description or ''}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def fit(products, labels):
    """The model of N lists of words with their N labels."""
    seen = sorted(set(labels))
    if len(seen) < 3:
        raise PipelineError(f"the rows to learn from have {len(seen)} classes; at least 3 are needed")
    vocabulary = vocabulary_of(products)
    if not vocabulary:
        raise PipelineError(f"no word is in {PRODUCTS_PER_WORD_MIN} of the products to learn from")
    learnt = LogisticRegression(max_iter=STEPS_MAX).fit(presence(products, vocabulary), labels)
    weights = np.zeros((len(vocabulary), len(CLASSES)))
    bias = np.full(len(CLASSES), NEVER)
    places = [CLASSES.index(label) for label in learnt.classes_]
    weights[:, places] = learnt.coef_.T
    bias[places] = learnt.intercept_
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return Model("candidate", now, CLASSES, vocabulary, np.round(weights, DECIMALS), np.round(bias, DECIMALS))


def vocabulary_of(products):
    """The words that at least two of the products have, the most frequent ones, sorted."""
    counts = Counter(word for product in products for word in set(product))
    frequent = sorted((w for w, n in counts.items() if n >= PRODUCTS_PER_WORD_MIN), key=lambda w: (-counts[w], w))
    return sorted(frequent[:WORDS_MAX])


def as_logged(model, table):
    """`table` as the prediction service would have logged it with `model`, and the label."""
    labels, scores = model.predict(products_of(table))
    columns = {name: table[name] for name in ("request_id", "timestamp", "designation", "description")
               if name in table.column_names}
    columns |= features(*texts(table), model.vocabulary)
    columns |= {"prediction": labels, "score": scores, "model_version": [model.version] * table.num_rows}
    return pa.table(columns | {"label": table["label"]})


def weighted_f1(labels, predictions):
    """F1 of each class, weighted by its number of labels, from 0 to 1."""
    return float(f1_score(labels, predictions, average="weighted", zero_division=0))


def products_of(table):
    """The words of each row."""
    return [product_words(*parts) for parts in zip(*texts(table))]


def texts(table):
    """The two text columns as lists of str or None."""
    return table["designation"].to_pylist(), table["description"].to_pylist()


def write(folder, model, reference, evaluation):
    """Replaces `folder` by one with the three files."""
    half = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    (half / "model.json").write_text(model.to_json(), encoding="utf-8")
    pq.write_table(reference, half / "reference.parquet")
    registry.evaluate(half, evaluation)
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
