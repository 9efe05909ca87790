"""The same job by hand, as a data engineer would write it with polars and numpy: by_hand.py DATA"""
import sys

import numpy as np
import polars as pl

data = sys.argv[1]
NUMBERS = [f"num_{i}" for i in range(10)]
KEYS = [f"cat_{i}" for i in range(5)] + ["prediction"]
reference = pl.read_parquet(f"{data}/reference.parquet", columns=NUMBERS + KEYS)
current = pl.scan_parquet(f"{data}/requests/*.parquet").select(["request_id"] + NUMBERS + KEYS).collect()


def shares(a, b):
    return (a + 0.5) / (a.sum() + len(a) / 2), (b + 0.5) / (b.sum() + len(b) / 2)


def binned(a, b):
    p, q = shares(a, b)
    r, c = a / a.sum(), b / b.sum()
    m = (r + c) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        js = np.nansum(np.where(r > 0, r * np.log2(r / m), 0)) + np.nansum(np.where(c > 0, c * np.log2(c / m), 0))
    return {"psi": float(((p - q) * np.log(p / q)).sum()), "jensen_shannon": float(np.sqrt(max(js / 2, 0)))}


for name in NUMBERS:
    r = reference[name].drop_nulls().sort().to_numpy().astype(float)
    c = current[name].drop_nulls().sort().to_numpy().astype(float)
    right = np.searchsorted(r, r, "right") / len(r) - np.searchsorted(c, r, "right") / len(c)
    left = np.searchsorted(r, r, "left") / len(r) - np.searchsorted(c, r, "left") / len(c)
    both = np.concatenate([r, c])
    both.sort(kind="stable")
    apart = np.searchsorted(r, both[:-1], "right") / len(r) - np.searchsorted(c, both[:-1], "right") / len(c)
    edges = np.unique(np.quantile(r, np.arange(1, 10) / 10))
    counts = [np.diff(np.concatenate([[0], np.searchsorted(x, edges, "right"), [len(x)]])) for x in (r, c)]
    score = {"ks": float(max(abs(right).max(), abs(left).max())), "wasserstein": float((abs(apart) * np.diff(both)).sum() / r.std())}
    print(name, score | binned(*counts))

for name in KEYS:
    a = reference.lazy().group_by(name).len().rename({"len": "a"})
    b = current.lazy().group_by(name).len().rename({"len": "b"})
    table = a.join(b, on=name, how="full", coalesce=True).fill_null(0).collect()
    a, b = table["a"].to_numpy().astype(float), table["b"].to_numpy().astype(float)
    n, m = a.sum(), b.sum()
    chi = sum(((x - (a + b) * s / (n + m)) ** 2 / ((a + b) * s / (n + m))).sum() for x, s in ((a, n), (b, m)))
    print(name, binned(a, b) | {"chi_square": float(np.sqrt(chi / (n + m)))})

outcomes = pl.scan_parquet(f"{data}/outcomes/*.parquet").select(["request_id", "label"])
pairs = current.lazy().select(["request_id", "prediction"]).join(outcomes, on="request_id").group_by(["prediction", "label"]).len().collect()
hits, predicted, actual = {}, {}, {}
for p, y, n in pairs.iter_rows():
    predicted[p] = predicted.get(p, 0) + n
    actual[y] = actual.get(y, 0) + n
    if p == y:
        hits[p] = n
classes = set(predicted) | set(actual)
f1 = {k: 2 * hits.get(k, 0) / (predicted.get(k, 0) + actual.get(k, 0)) for k in classes}
print("f1 weighted", sum(f1[k] * actual.get(k, 0) for k in classes) / sum(actual.values()))
