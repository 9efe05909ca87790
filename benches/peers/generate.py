"""Logs as services write them, some columns drifting in the second half: generate.py FOLDER ROWS"""
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CARDINALITY = [5, 12, 30, 80, 200]
DAY = 86_400_000_000


def zipf(rng, k, n, power=1.1):
    p = 1.0 / np.arange(1, k + 1) ** power
    return rng.choice(k, n, p=p / p.sum())


def block(rng, start, n, total, drift):
    shift = (np.arange(start, start + n) >= total // 2) & drift
    numbers = {
        "num_0": rng.normal(0, 1, n), "num_1": rng.normal(10, 3, n) + 1.5 * shift, "num_2": rng.lognormal(1, 0.8, n),
        "num_3": rng.exponential(2, n) * np.where(shift, 1.4, 1), "num_4": rng.uniform(-1, 1, n), "num_5": rng.beta(2, 5, n),
        "num_6": np.where(rng.random(n) < np.where(shift, 0.5, 0.3), rng.normal(5, 1, n), rng.normal(-5, 2, n)),
        "num_7": rng.standard_t(3, n), "num_8": rng.poisson(8, n),
        "num_9": np.where(rng.random(n) < 0.6, 0.0, rng.gamma(2, 3, n)),
    }
    table = {
        "request_id": [f"{a:016x}-{b:016x}" for a, b in rng.integers(0, 2**63, (n, 2))],
        "timestamp": pa.array(1_750_000_000_000_000 + (np.arange(start, start + n) * (DAY / total)).astype(np.int64), pa.timestamp("us", "UTC")),
    }
    table |= {name: pa.array(values, mask=rng.random(n) < 0.02 if name == "num_9" else None) for name, values in numbers.items()}
    for i, k in enumerate(CARDINALITY):
        table[f"cat_{i}"] = np.char.add(f"c{i}_", zipf(rng, k, n).astype(str))
    truth = zipf(rng, 27, n, 0.9)
    right = rng.random(n) < np.where(shift, 0.6, 0.72)
    table["prediction"] = np.char.add("class_", np.where(right, truth, zipf(rng, 27, n, 0.9)).astype(str))
    return pa.table(table), np.char.add("class_", truth.astype(str))


def generate(folder, rows):
    shutil.rmtree(folder, ignore_errors=True)
    for log in ("requests", "outcomes"):
        (folder / log).mkdir(parents=True)
    rng = np.random.default_rng(7)
    table, truth = block(rng, 0, 100_000, 1, False)
    pq.write_table(table.drop_columns(["request_id", "timestamp"]).append_column("label", pa.array(truth)), folder / "reference.parquet")
    part = rows // 40
    for i in range(40):
        table, truth = block(rng, i * part, part, rows, True)
        pq.write_table(table, folder / "requests" / f"part-{i:03}.parquet")
        known = rng.permutation(part)[: part * 4 // 5]
        late = pa.array(table["timestamp"].to_numpy().astype("int64")[known] + rng.integers(1, 7_200_000_000, len(known)), pa.timestamp("us", "UTC"))
        outcomes = pa.table({"request_id": table["request_id"].take(known), "label": truth[known], "timestamp": late})
        pq.write_table(outcomes, folder / "outcomes" / f"part-{i:03}.parquet")
    (folder / "sidecar.yaml").write_text(
        "models:\n  - name: bench\n    requests: {path: requests}\n    outcomes: {path: outcomes}\n    reference: {path: reference.parquet}\n    windows: [24h]\n"
    )
    (folder / "all.yaml").write_text(
        (folder / "sidecar.yaml").read_text()
        + "    drift: {numerical: [ks, wasserstein, psi, jensen_shannon], categorical: [chi_square, psi, jensen_shannon]}\n"
    )
    (folder / "rows").write_text(str(rows))


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]))
