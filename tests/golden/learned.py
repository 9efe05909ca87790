"""Writes learned.json: what NumPy, SciPy and scikit-learn say about rows that tests/learned_golden.rs makes again.

    python tests/golden/learned.py

Requires, and checks:
    numpy==2.4.6
    scipy==1.17.1
    scikit-learn==1.9.1

Rows come from `bells`, written once here and once in Rust with + - * alone, so that both agree to the bit.
"""

import json
import pathlib
import re
from importlib.metadata import version

import numpy as np
from scipy import stats
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__)


def check_versions():
    for name, wanted in re.findall(r"^    ([a-z-]+)==(\S+)$", __doc__, re.MULTILINE):
        if version(name) != wanted:
            raise SystemExit(f"{name} {version(name)} found, {wanted} wanted")


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def uniforms(seed, count):
    """Splitmix64, the upper 53 bits: in [0, 1)."""
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) / 9007199254740992.0


def bells(seed, rows, columns):
    """Sums of twelve uniforms, less 6: nearly normal."""
    u = uniforms(seed, rows * columns * 12).reshape(rows * columns, 12)
    total = np.zeros(rows * columns)
    for column in range(12):
        total = total + u[:, column]
    return (total - 6.0).reshape(rows, columns)


def mmd(reference, current):
    n, m = len(reference), len(current)
    squares = pdist(np.concatenate([reference, current]), "sqeuclidean")
    ordered = np.sort(squares)
    bandwidth = ordered[(len(ordered) - 1) // 2]
    if bandwidth == 0:
        ordered = ordered[ordered > 0]
        bandwidth = ordered[(len(ordered) - 1) // 2]
    k = np.exp(-squareform(squares) / bandwidth)
    within = (k[:n, :n].sum() - n) / (n * (n - 1)) + (k[n:, n:].sum() - m) / (m * (m - 1))
    return float(within - 2 * k[:n, n:].mean())


def columns():
    """Single columns; `step` rounds down, to make ties."""
    for n, m in [(2, 2), (2, 30), (20, 20), (100, 60), (1000, 300), (1000, 1000)]:
        for shift, scale, step in [(0, 1, 0), (0.3, 1, 0), (0, 2, 0), (5, 1, 0), (0.5, 1, 1), (0.2, 1, 4)]:
            reference, current = bells(n, n, 1), shift + scale * bells(m + 7, m, 1)
            if step:
                reference, current = (np.floor(side / step) * step for side in (reference, current))
            case = {"n": n, "m": m, "shift": float(shift), "scale": float(scale), "step": float(step)}
            if np.ptp(np.concatenate([reference, current])) > 0:
                yield case | {"mmd": mmd(reference, current)}


def vectors():
    """The first `moved` components of the window are shifted."""
    for n, m, dims, moved, shift in [(50, 40, 3, 0, 0), (300, 200, 8, 2, 1), (1000, 1000, 20, 5, 1), (200, 300, 77, 77, 0.5)]:
        reference, current = bells(n, n, dims), bells(m + 7, m, dims)
        current[:, :moved] = current[:, :moved] + shift
        reference, current = (side.astype(np.float32).astype(np.float64) for side in (reference, current))
        centre = reference.mean(axis=0)
        radius = np.sqrt(np.mean(np.sum((reference - centre) ** 2, axis=1)))
        far = [stats.wasserstein_distance(r, c) / r.std() for r, c in zip(reference.T, current.T)]
        case = {"n": n, "m": m, "dims": dims, "moved": moved, "shift": float(shift)}
        yield case | {
            "mmd": mmd(reference, current),
            "mean_distance": float(np.linalg.norm(centre - current.mean(axis=0)) / radius),
            "distances": [float(x) for x in far],
        }


def mixed(seed, rows, dependence):
    """Five numbers, the third of them missing at times, and a category, missing at times too."""
    b = bells(seed, rows, 6)
    other = 1.0 - dependence
    numbers = np.column_stack(
        [b[:, 0], dependence * b[:, 0] + other * b[:, 1], b[:, 2], dependence * b[:, 2] + other * b[:, 3], np.full(rows, 4.0)]
    )
    numbers[b[:, 5] > 1.0, 2] = np.nan
    category = np.floor(b[:, 4] * b[:, 4] * 2.0)
    category[b[:, 5] < -1.2] = np.nan
    return numbers, category


def reconstruction():
    for n, m, dependence in [(100, 20, 0.8), (1000, 30, 0.8), (1000, 30, 0.2)]:
        (numbers, category), (numbers_now, category_now) = mixed(n, n, 0.8), mixed(m + 7, m, dependence)
        means = np.nanmean(numbers, axis=0)
        known, counts = np.unique(category[~np.isnan(category)], return_counts=True)
        most = known[np.argmax(counts)]
        filled = np.where(np.isnan(category), most, category)

        def encoded(numbers, category):
            filled_now = np.where(np.isnan(category), most, category)
            shares = [float(np.mean(filled == value)) for value in filled_now]
            return np.column_stack([np.where(np.isnan(numbers), means, numbers), shares])

        before = encoded(numbers, category)
        scaler = StandardScaler().fit(before)
        pca = PCA(n_components=0.65, svd_solver="full").fit(scaler.transform(before))

        def errors(rows):
            rows = scaler.transform(rows)
            return np.linalg.norm(rows - pca.inverse_transform(pca.transform(rows)), axis=1)

        yield {
            "n": n,
            "m": m,
            "dependence": dependence,
            "reference": float(errors(before).mean()),
            "current": [float(x) for x in errors(encoded(numbers_now, category_now))],
        }


def main():
    check_versions()
    groups = {"columns": columns(), "vectors": vectors(), "reconstruction": reconstruction()}
    lines = ["{", f'"script": "{fnv1a(HERE.read_bytes())}",']
    for name, cases in groups.items():
        lines.append(f'"{name}": [')
        lines.append(",\n".join(json.dumps(case, allow_nan=False) for case in cases))
        lines.append("]" if name == "reconstruction" else "],")
    lines.append("}\n")
    HERE.with_suffix(".json").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
