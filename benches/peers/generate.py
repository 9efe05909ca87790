#!/usr/bin/env python3
"""Prediction logs as services write them, the same bytes each time: generate.py S|M|L FOLDER

FOLDER/reference.parquet   all columns below and the label
FOLDER/requests/           request_id (like a UUID), timestamp (us), model_version, num_0 to num_9, cat_0 to cat_4 (5 to 200
                           categories), text, prediction (27 classes), prediction_score
FOLDER/outcomes/           request_id, label, timestamp of 80 % of the requests; late, and in another order
FOLDER/narrow.parquet      the reference's 16 columns that are compared, and the label

num_9 has 2 % nulls, cat_4 1 %, num_8 is int64. In the second half num_1, num_3, num_6, cat_1, cat_3 and the predictions are
shifted, and accuracy falls from 0.72 to 0.60.
"""
import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SIZES = {  # reference rows, request rows, request part files, outcome part files
    "S": (10_000, 100_000, 10, 8),
    "M": (100_000, 1_000_000, 40, 16),
    "L": (100_000, 10_000_000, 100, 40),
}
NUM = [f"num_{i}" for i in range(10)]
CAT = [f"cat_{i}" for i in range(5)]
CARD = [5, 12, 30, 80, 200]
N_CLASSES = 27
CLASSES = pa.array([f"class_{i:02d}" for i in range(N_CLASSES)])
WORDS = pa.array(
    "order refund late card login reset account charge ship item broken thanks help "
    "cancel update price email phone app crash slow error please when where how why "
    "invoice return track change address plan upgrade trial bonus gift code late never"
    .split()
)
SEED = 20240601
T0 = 1_717_200_000_000_000  # 2024-06-01 in us
HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def zipf_p(k, a=1.1):
    p = 1.0 / np.arange(1, k + 1) ** a
    return p / p.sum()


def draw(rng, p, n):
    """n category codes with probabilities p (inverse CDF, float32 uniform is not enough)."""
    return np.minimum(np.searchsorted(np.cumsum(p), rng.random(n), side="right"), len(p) - 1).astype(np.int32)


def uuids(rng, n):
    """(n, 36) uint8 matrix of uuid4-looking text."""
    raw = np.frombuffer(rng.bytes(16 * n), dtype=np.uint8).reshape(n, 16)
    hexs = np.empty((n, 32), dtype=np.uint8)
    hexs[:, 0::2] = HEX[raw >> 4]
    hexs[:, 1::2] = HEX[raw & 15]
    out = np.full((n, 36), ord("-"), dtype=np.uint8)
    src = 0
    for lo, hi in ((0, 8), (9, 13), (14, 18), (19, 23), (24, 36)):
        out[:, lo:hi] = hexs[:, src:src + hi - lo]
        src += hi - lo
    out[:, 14] = ord("4")
    return out


def str_array(mat):
    n, w = mat.shape
    off = np.arange(0, (n + 1) * w, w, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(off), pa.py_buffer(np.ascontiguousarray(mat)))


def numerics(rng, n, shift):
    """shift: bool mask of the rows that are drifted."""
    s = shift
    c = {}
    c["num_0"] = rng.normal(0.0, 1.0, n)
    c["num_1"] = rng.normal(10.0, 3.0, n) + np.where(s, 1.5, 0.0)           # mean shift
    c["num_2"] = rng.lognormal(1.0, 0.8, n)
    c["num_3"] = rng.exponential(2.0, n) * np.where(s, 1.4, 1.0)            # scale shift
    c["num_4"] = rng.uniform(-1.0, 1.0, n)
    c["num_5"] = rng.beta(2.0, 5.0, n)
    c["num_6"] = np.where(rng.random(n) < np.where(s, 0.5, 0.3),            # mixture shift
                          rng.normal(5.0, 1.0, n), rng.normal(-5.0, 2.0, n))
    c["num_7"] = rng.standard_t(3.0, n)                                      # heavy tails
    c["num_8"] = rng.poisson(8.0, n).astype(np.int64)                        # many ties
    c["num_9"] = np.where(rng.random(n) < 0.6, 0.0, rng.gamma(2.0, 3.0, n))  # zero inflated
    out = {k: pa.array(v) for k, v in c.items()}
    out["num_9"] = pa.array(c["num_9"], mask=rng.random(n) < 0.02)
    return out


def categoricals(rng, n, shift):
    out = {}
    for i, k in enumerate(CARD):
        p = zipf_p(k)
        codes = draw(rng, p, n)
        if i in (1, 3):
            q = np.roll(p, 1) * 0.3 + p * 0.7
            codes = np.where(shift, draw(rng, q, n), codes).astype(np.int32)
        mask = rng.random(n) < 0.01 if i == 4 else None
        vals = pa.array([f"c{i}_{j:03d}" for j in range(k)])
        out[f"cat_{i}"] = vals.take(pa.array(codes, mask=mask))
    return out


def text(rng, n):
    cols = [WORDS.take(pa.array(rng.integers(0, len(WORDS), n, dtype=np.int32))) for _ in range(5)]
    return pc.binary_join_element_wise(*cols, " ")


def block(rng, n, start, total, span_us, half):
    """n request rows; rows with global index >= half are shifted."""
    idx = np.arange(start, start + n)
    shift = idx >= half
    ids = uuids(rng, n)
    ts = T0 + (idx * (span_us / total)).astype(np.int64) + rng.integers(0, 1000, n)
    p = zipf_p(N_CLASSES, 0.9)
    q = np.roll(p, 2) * 0.15 + p * 0.85
    pred = np.where(shift, draw(rng, q, n), draw(rng, p, n)).astype(np.int32)
    ok = rng.random(n) < np.where(shift, 0.60, 0.72)
    label = np.where(ok, pred, draw(rng, p, n)).astype(np.int32)
    score = np.clip(rng.beta(6.0, 2.5, n) + np.where(ok, 0.05, -0.1), 0.04, 1.0)
    ver = np.where(shift & (rng.random(n) < 0.5), 1, 0).astype(np.int32)
    cols = {
        "request_id": str_array(ids),
        "timestamp": pa.array(ts, type=pa.timestamp("us", tz="UTC")),
        "model_version": pa.array(["v1.4.0", "v1.5.0"]).take(pa.array(ver)),
    }
    cols.update(numerics(rng, n, shift))
    cols.update(categoricals(rng, n, shift))
    cols["text"] = text(rng, n)
    cols["prediction"] = CLASSES.take(pa.array(pred))
    cols["prediction_score"] = pa.array(score)
    return pa.table(cols), ids, ts, label


def main():
    size, folder = sys.argv[1:]
    R, N, parts, oparts = SIZES[size]
    shutil.rmtree(folder, ignore_errors=True)
    for d in ("requests", "outcomes"):
        os.makedirs(os.path.join(folder, d))
    kw = dict(compression="snappy", write_statistics=True)

    rng = np.random.default_rng([SEED, 0])
    tab, _, _, label = block(rng, R, 0, R, 7 * 86_400_000_000, R + 1)
    tab = tab.append_column("label", CLASSES.take(pa.array(label)))
    pq.write_table(tab, os.path.join(folder, "reference.parquet"), **kw)
    pq.write_table(tab.select(NUM + CAT + ["prediction", "label"]), os.path.join(folder, "narrow.parquet"), **kw)

    span = 86_400_000_000
    ids, tss, labels = [], [], []
    per = N // parts
    for k in range(parts):
        rng = np.random.default_rng([SEED, 1, k])
        tab, i, ts, lab = block(rng, per, k * per, N, span, N // 2)
        pq.write_table(tab, os.path.join(folder, "requests", f"part-{k:05d}.parquet"), **kw)
        ids.append(i), tss.append(ts), labels.append(lab)
    ids, tss, labels = np.concatenate(ids), np.concatenate(tss), np.concatenate(labels)

    rng = np.random.default_rng([SEED, 2])
    keep = np.flatnonzero(rng.random(N) < 0.8)
    arrive = tss[keep] + rng.exponential(2 * 3_600_000_000, len(keep)).astype(np.int64)  # 2 h mean delay
    order = np.argsort(arrive, kind="stable")
    for k, sl in enumerate(np.array_split(order, oparts)):
        sl = rng.permutation(sl)
        src = keep[sl]
        pq.write_table(pa.table({
            "request_id": str_array(ids[src]),
            "label": CLASSES.take(pa.array(labels[src])),
            "timestamp": pa.array(arrive[sl], type=pa.timestamp("us", tz="UTC")),
        }), os.path.join(folder, "outcomes", f"part-{k:05d}.parquet"), **kw)

if __name__ == "__main__":
    main()
