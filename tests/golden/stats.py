"""Writes stats.json: what NumPy, SciPy and scikit-learn say about samples that tests/stats_golden.rs makes again.

    python tests/golden/stats.py

Requires, and checks:
    numpy==2.4.6
    scipy==1.17.1
    scikit-learn==1.9.1

Samples come from `sample`, written once here and once in Rust with + - * / and sqrt alone, so that both agree to
the bit; the JSON holds their parameters and the expected numbers.
"""

import json
import math
import pathlib
import re
import warnings
from importlib.metadata import version

import numpy as np
from scipy import integrate, spatial, stats
from scipy._lib._array_api import array_namespace
from scipy.stats import _hypotests
from sklearn import metrics

HERE = pathlib.Path(__file__)
SIZES = [(1, 1), (2, 20), (20, 1), (20, 20), (1000, 20), (1000, 1000), (1000, 1001), (20_000, 2), (20_000, 1000), (20_000, 20_000)]


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


def sample(spec):
    kind, rows, a, b = spec["kind"], spec["rows"], spec["a"], spec["b"]
    width = 12 if kind in ("bell", "zeros", "outlier", "infinite", "missing") else 1
    u = uniforms(spec["seed"], rows * width).reshape(rows, width)
    first, index = u[:, 0], np.arange(rows)
    if width == 12:
        total = np.zeros(rows)
        for column in range(12):
            total = total + u[:, column]
        bell = a + b * (total - 6.0)
    match kind:
        case "constant":
            return np.full(rows, a)
        case "uniform":
            return a + b * first
        case "steps":
            return a + np.floor(first * b)
        case "flags":  # two of five are missing
            return np.where(first < 0.4, np.nan, a + np.floor(first * b))
        case "lost":
            return np.full(rows, np.nan)
        case "skewed":
            return a + np.floor(first * first * b)
        case "heavy":
            return a + b / np.sqrt(1.0 - first)
        case "cauchy_like":
            return a + b / (1.0 - first)
        case "bell":
            return bell
        case "zeros":
            return np.where(first < 0.4, 0.0, bell * bell)
        case "outlier":
            return np.where(index == 0, 1e6, bell)
        case "infinite":
            return np.where(index % 50 == 1, np.inf, np.where(index % 50 == 2, -np.inf, bell))
        case "missing":
            return np.where(first < 0.1, np.nan, bell)
    raise ValueError(kind)


def spec(kind, seed, rows, a=0.0, b=1.0):
    return {"kind": kind, "seed": seed, "rows": rows, "a": float(a), "b": float(b)}


def bins(reference, current, categorical):
    """Counts of both sides, as `shared` bins: quantile bins, or one bin a value and one for unseen values; missing last."""
    present = [side[~np.isnan(side)] for side in (reference, current)]
    values = np.unique(present[0])
    if categorical or len(values) <= 20:
        counts = []
        for side in present:
            at = np.searchsorted(values, side)
            known = np.append(values, np.nan)[at] == side
            counts.append(np.bincount(np.where(known, at, len(values)), minlength=len(values) + 1))
    else:
        edges = np.unique(np.quantile(present[0], np.arange(1, 10) / 10))
        counts = [np.bincount(np.searchsorted(edges, side, side="left"), minlength=len(edges) + 1) for side in present]
    missing = [len(side) - len(kept) for side, kept in zip((reference, current), present)]
    if any(missing):
        counts = [np.append(count, lost) for count, lost in zip(counts, missing)]
    return counts


def psi(r, c):
    p, q = ((side + 0.5) / (side.sum() + len(side) / 2) for side in (r, c))
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(r, c):
    """As SciPy, but with 64 bits of mantissa: near equal sides SciPy's own loses half of its digits."""
    p, q = ((side / np.longdouble(side.sum())).astype(np.longdouble) for side in (r, c))
    a = (p + q) / 2
    terms = [side[side > 0] * np.log2(side[side > 0] / a[side > 0]) for side in (p, q)]
    value = float(np.sqrt(max(np.longdouble(0), terms[0].sum() + terms[1].sum()) / 2))
    theirs = spatial.distance.jensenshannon(r, c, base=2)
    assert np.isnan(theirs) or abs(theirs - value) < 1e-7, (theirs, value)
    return value


def chi_square(r, c):
    table = np.array([r, c])
    table = table[:, table.sum(axis=0) > 0]
    found = stats.chi2_contingency(table, correction=False)
    return [float(np.sqrt(found.statistic / table.sum())), float(found.pvalue)]


def smirnov_tail(score, n, m):
    """1/pi times the sum of (-1)^(k+1) times the integral of sqrt(-sqrt(y) / sin(sqrt(y))) exp(-xy/2) / y dy from ((2k-1) pi)^2 to
    (2k pi)^2; with sqrt(y) = (2k-1) pi + pi/2 (1 - cos(t)), which has no poles."""
    both = n + m
    variance = (both + 1) * (4 * n * m * both - 3 * (n**2 + m**2) - 2 * n * m) / (45 * both**2 * 4 * n * m)
    x = 1 / 6 + (score - (1 + 1 / both) / 6) / np.sqrt(45 * variance)

    def height(t, k):
        after, before = np.pi / 2 * (1 - np.cos(t)), np.pi / 2 * (1 + np.cos(t))
        z = (2 * k - 1) * np.pi + after
        root = np.sqrt(z * after * before / np.sin(min(after, before)))
        return root * np.exp(-x * (z**2 - np.pi**2) / 2) * 2 / z

    parts = [integrate.quad(height, 0, np.pi, (k,), epsabs=1e-15, epsrel=1e-10, limit=200)[0] for k in (1, 2, 3)]
    return float((parts[0] - parts[1] + parts[2]) / np.pi * np.exp(-x * np.pi**2 / 2))


def cramer_von_mises(r, c):
    """As SciPy where no value occurs twice. With ties its midranks are no use for unequal row counts: there T is what the sum over
    the rows of both sides of (F_R - F_C)^2 is without ties, the mean of both sides of each step, with SciPy's p-value of that T.
    That is right to 1e-7 only: a smaller one is Smirnov's integral."""
    n, m = len(r), len(c)
    if min(n, m) < 2:
        return None
    values, tied = np.unique(np.concatenate([r, c]), return_counts=True)
    apart = np.searchsorted(np.sort(r), values, side="right") * m - np.searchsorted(np.sort(c), values, side="right") * n
    squares = np.concatenate([[0], apart]).astype(np.longdouble) ** 2
    squares = (tied * (squares[:-1] + squares[1:])).sum() / 2
    score = float(squares / (np.longdouble(n) * m * (n + m) ** 2))
    if max(n, m) > 20:
        p_value = _hypotests._pval_cvm_2samp_asymptotic(np.float64(score), n + m, n, m, n * m, xp=array_namespace(r))
        if p_value < 1e-2:
            exact = smirnov_tail(score, n, m)
            assert abs(p_value - exact) < 1e-6, (score, p_value, exact)
            p_value = exact
    else:
        # SciPy takes U, and rounds down what is a half after a tie.
        score_up = np.ceil(squares / math.gcd(n, m) ** 2) * math.gcd(n, m) ** 2 / (n * m * (n + m) ** 2)
        u = (score_up + (4 * n * m - 1) / (6 * (n + m))) * n * m * (n + m)
        p_value = _hypotests._pval_cvm_2samp_exact(float(u) + 1e-6, n, m)
    if tied.max() == 1:
        found = stats.cramervonmises_2samp(r, c)
        assert abs(found.statistic - score) < 1e-9 and abs(found.pvalue - p_value) < 1e-6, (found, score, p_value)
    return [score, float(p_value)]


def anderson_darling(r, c):
    if len(r) + len(c) < 4 or len(np.unique(np.concatenate([r, c]))) < 2:
        return None
    found = stats.anderson_ksamp([r, c], variant="midrank")
    return [float(found.statistic), float(found.pvalue)]


def mann_whitney(r, c):
    found = stats.mannwhitneyu(r, c, alternative="two-sided")
    return [float(abs(2 * found.statistic / (len(r) * len(c)) - 1)), float(found.pvalue)]


def t_test(r, c):
    n, m = len(r), len(c)
    if min(n, m) < 2 or np.ptp(r) == np.ptp(c) == 0:
        return None
    pooled = ((n - 1) * r.var(ddof=1) + (m - 1) * c.var(ddof=1)) / (n + m - 2)
    found = stats.ttest_ind(r, c, equal_var=False)
    return [float(abs(r.mean() - c.mean()) / np.sqrt(pooled)), float(found.pvalue)]


def epps_singleton(r, c):
    if min(len(r), len(c)) < 5 or stats.iqr(np.concatenate([r, c])) == 0 or np.ptp(r) == np.ptp(c) == 0:
        return None
    found = stats.epps_singleton_2samp(r, c)
    return [float(found.statistic), float(found.pvalue)]


def of_ranks_and_moments(r, c):
    """Of all values, and of the finite ones."""
    expected = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if len(r) and len(c):
            for method in (cramer_von_mises, anderson_darling, mann_whitney):
                expected[method.__name__] = method(r, c)
        r, c = r[np.isfinite(r)], c[np.isfinite(c)]
        if len(r) and len(c):
            std = max(r.std(), 0.001)
            expected["energy"] = [float(stats.energy_distance(r / std, c / std)), None]
            for method in (t_test, epps_singleton):
                expected[method.__name__] = method(r, c)
    return {name: found for name, found in expected.items() if found}
def shares(r, c):
    return [(side / np.longdouble(side.sum())).astype(np.longdouble) for side in (r, c)]


def kl_divergence(r, c):
    p, q = ((side + np.longdouble(0.5)) / (side.sum() + np.longdouble(len(side)) / 2) for side in (r, c))
    value = float(np.sum(p * np.log(p / q)))
    assert abs(stats.entropy(p.astype(float), q.astype(float)) - value) < 1e-12
    return value


def hellinger(r, c):
    """1 - sum sqrt(pq) loses its digits near 0; the norm of the difference is the same."""
    p, q = shares(r, c)
    value = float(np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2))
    assert abs(np.sqrt(max(0.0, 1 - float(np.sum(np.sqrt(p * q))))) - value) < 1e-7
    return value


def distances(r, c):
    """Scores of bins alone. A side without rows is not defined."""
    if r.sum() == 0 or c.sum() == 0:
        return {}
    p, q = shares(r, c)
    return {
        "kl_divergence": [kl_divergence(r, c), None],
        "hellinger": [hellinger(r, c), None],
        "total_variation": [float(spatial.distance.cityblock(p, q) / 2), None],
        "l_infinity": [float(spatial.distance.chebyshev(p, q)), None],
    }


def g_test(r, c):
    table = np.array([r, c])
    table = table[:, table.sum(axis=0) > 0]
    found = stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)
    return [float(np.sqrt(max(0.0, found.statistic) / table.sum())), float(found.pvalue)]


def two_proportions(r, c, missing):
    """The tests of binary columns, by the table of the values in use. None for more than two of them."""
    table = np.array([r, c])
    table = table[:, : len(r) - missing]
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] > 2 or 0 in table.sum(axis=1):
        return {}
    if table.shape[1] == 1:
        return {"z_test": [0.0, 1.0], "fisher_exact": [0.0, 1.0]}
    n, m = (int(rows) for rows in table.sum(axis=1))
    (a, _), (b, _) = (tuple(int(x) for x in side) for side in table)
    difference = abs(a * m - b * n) / (n * m)
    pooled = (a + b) / (n + m)
    # statsmodels.stats.proportion.proportions_ztest([a, b], [n, m])
    z = difference / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return {
        "z_test": [difference, float(2 * stats.norm.sf(z))],
        "fisher_exact": [difference, float(stats.fisher_exact(table).pvalue)],
    }


def drift(name, reference, current, categorical=False):
    r, c = sample(reference), sample(current)
    counts = bins(r, c, categorical)
    expected = distances(*counts)
    if expected:
        expected |= {"psi": [psi(*counts), None], "jensen_shannon": [jensen_shannon(*counts), None]}
    if categorical:
        missing = int(np.isnan(r).any() or np.isnan(c).any())
        expected |= two_proportions(*counts, missing)
        if counts[0].sum() and counts[1].sum():
            expected |= {"chi_square": chi_square(*counts), "g_test": g_test(*counts)}
    else:
        r, c = r[~np.isnan(r)], c[~np.isnan(c)]
        expected |= of_ranks_and_moments(r, c)
        if len(r) and len(c):
            found = stats.ks_2samp(r, c)
            expected["ks"] = [float(found.statistic), float(found.pvalue)]
        r, c = r[np.isfinite(r)], c[np.isfinite(c)]
        if len(r) and len(c):
            expected["wasserstein"] = [float(stats.wasserstein_distance(r, c) / max(r.std(), 0.001)), None]
    return {"name": name, "categorical": categorical, "reference": reference, "current": current, "expected": expected}


def drift_cases():
    shapes = {
        "same": (("bell", 0, 1), ("bell", 0, 1)),
        "shifted": (("bell", 0, 1), ("bell", 0.3, 1)),
        "wider": (("uniform", -1, 2), ("uniform", -1.5, 3)),
        "far": (("bell", 5, 0.01), ("bell", 8, 0.01)),
        "ties": (("steps", 0, 5), ("steps", 0, 6)),
        "many ties": (("steps", 0, 40), ("steps", 1, 40)),
        "constants": (("constant", 3, 0), ("constant", 3.5, 0)),
        "one constant": (("constant", 7, 0), ("constant", 7, 0)),
        "constant reference": (("constant", 1, 0), ("bell", 1, 1)),
        "heavy tail": (("heavy", 0, 1), ("heavy", 0.1, 1)),
        "heaviest tail": (("cauchy_like", 0, 1), ("cauchy_like", 0, 1.2)),
        "zeros": (("zeros", 0, 2), ("zeros", 0.5, 2)),
        "outlier in current": (("bell", 0, 1), ("outlier", 1, 1)),
        "outlier in reference": (("outlier", 0, 1), ("bell", 1, 1)),
        "infinities": (("infinite", 0, 1), ("infinite", 0.2, 1)),
        "new infinities": (("bell", 0, 1), ("infinite", 0, 1)),
        "missing": (("missing", 0, 1), ("missing", 0, 1)),
        "newly missing": (("bell", 0, 1), ("missing", 0, 1)),
    }
    for name, (reference, current) in shapes.items():
        for n, m in SIZES:
            (kind_r, *ab_r), (kind_c, *ab_c) = reference, current
            yield drift(f"{name} {n} {m}", spec(kind_r, n, n, *ab_r), spec(kind_c, m + 77, m, *ab_c))
    for categories, now in [(2, 2), (3, 3), (3, 4), (300, 300), (300, 330), (1, 1), (2, 1)]:
        for n, m in SIZES:
            reference, current = spec("skewed", n, n, 0, categories), spec("skewed", m + 99, m, 0, now)
            yield drift(f"categories {categories} {now} {n} {m}", reference, current, categorical=True)
    for n, m in SIZES:
        two, few = spec("steps", n, n, 0, 2), spec("flags", n, n, 0, 2)
        yield drift(f"flags {n} {m}", few, spec("flags", m + 55, m, 0, 2), categorical=True)
        yield drift(f"newly missing flags {n} {m}", two, spec("flags", m + 55, m, 0, 2), categorical=True)
        yield drift(f"other flags {n} {m}", two, spec("steps", m + 55, m, 2, 2), categorical=True)
        yield drift(f"all new {n} {m}", spec("skewed", n, n, 0, 9), spec("skewed", m, m, 100, 9), categorical=True)
        yield drift(f"lost flags {n} {m}", two, spec("lost", m, m), categorical=True)


def ks_cases():
    """Two values only: n rows of which a are the smaller one, m rows of which c are. D is |a/n - c/m|, as wanted."""
    for n in (1, 2, 5, 20, 137, 141, 1000, 10_000, 20_000, 100_000, 1_000_000):
        for m in (1, 3, 20, 139, 145, 1000, 1001, 10_000, 30_000):
            if n != m and min(n, m) > 139 and max(n, m) <= 10_000 and n * m > 1_100_000:
                continue  # SciPy takes minutes
            rows = n * m / (n + m)
            for z in (0.25, 0.5, 0.7, 1.0, 1.4, 1.9, 2.6, 3.4):
                d = z / np.sqrt(rows)
                a = round(n * (0.5 - min(d, 1.0) / 2))
                c = min(m, max(0, round(m * (a / n + d))))
                r, t = np.repeat([0, 1], [a, n - a]), np.repeat([0, 1], [c, m - c])
                found = stats.ks_2samp(r, t)
                yield [n, a, m, c, float(found.statistic), float(found.pvalue)]


def fisher_cases():
    """2 x 2 tables: rows of one of two values among n and among m, from equal shares to p-values of 1e-15."""
    for n, m in [(1, 1), (2, 9), (10, 10), (13, 40), (100, 100), (137, 1000), (1000, 1000), (20_000, 500), (10_000, 1_000_000), (1_000_000, 1_000_000)]:
        for share in (0.001, 0.03, 0.3, 0.5, 0.9):
            for z in (-6.0, -2.5, -0.8, 0.0, 0.4, 1.5, 3.0, 8.0):
                a = round(n * share)
                deviation = np.sqrt(share * (1 - share) * (1 / n + 1 / m))
                c = min(m, max(0, round(m * (share + z * deviation))))
                yield [a, n - a, c, m - c, float(stats.fisher_exact([[a, n - a], [c, m - c]]).pvalue)]


def labels(seed, rows, classes, right, used):
    """Truth skewed towards the low classes; a prediction is right with this chance, else any of the used classes."""
    u = uniforms(seed, rows * 3).reshape(rows, 3)
    truth = np.floor(u[:, 0] * u[:, 0] * classes)
    return truth.astype(int), np.where(u[:, 1] < right, truth, np.floor(u[:, 2] * used)).astype(int)


def f1_cases():
    for rows in (1, 2, 20, 1000, 20_000):
        for classes, used in [(2, 2), (2, 1), (3, 3), (3, 5), (27, 27), (27, 10)]:
            for right in (0.0, 0.5, 0.9, 1.0):
                seed = rows * 31 + classes
                truth, predicted = labels(seed, rows, classes, right, used)
                expected = {"accuracy": metrics.accuracy_score(truth, predicted)}
                for average in ("weighted", "macro", "micro", "binary"):
                    kwargs = {"average": average}
                    if average == "binary":  # one class against the rest, which scikit-learn allows for two classes only
                        kwargs = {"average": "macro", "labels": [1]}
                    found = metrics.precision_recall_fscore_support(truth, predicted, zero_division=0, **kwargs)
                    expected[average] = [float(x) for x in found[:3]]
                negative = truth != 1
                expected["specificity"] = float(metrics.recall_score(negative, predicted != 1)) if negative.any() else None
                parameters = {"seed": seed, "rows": rows, "classes": classes, "right": right, "used": used}
                yield parameters | {"expected": expected}


def scores_cases():
    """Scores of k classes for each row, and a truth that they know something of. `broken`: some are no probability."""
    for rows in (1, 2, 20, 1000, 20_000):
        for classes in (2, 3, 27):
            for kind in ("smooth", "ties", "edges", "one class", "broken"):
                if classes > 2 and kind in ("one class", "broken"):
                    continue
                seed = rows * 37 + classes
                u = uniforms(seed, rows * (classes + 1)).reshape(rows, classes + 1)
                weights = u[:, :classes] * u[:, :classes]
                if kind == "ties":
                    weights = np.floor(weights * 4) + 1
                if kind == "edges":
                    weights = np.where(weights < 0.25, 0.0, weights)
                total = np.zeros(rows)
                for column in range(classes):
                    total = total + weights[:, column]
                weights = np.where((total == 0)[:, None], 1.0, weights)
                scores = weights / np.where(total == 0, float(classes), total)[:, None]
                truth, below = np.full(rows, classes - 1), u[:, classes]
                for column in reversed(range(classes - 1)):
                    truth = np.where(below * classes < column + 1, column, truth)
                # Half of the truth is what the scores say.
                truth = np.where(np.floor(below * 1000) % 2 == 0, np.argmax(scores, axis=1), truth)
                if kind == "one class":
                    truth = np.ones(rows, dtype=int)
                parameters = {"seed": seed, "rows": rows, "classes": classes, "kind": kind}
                yield parameters | {"expected": scores_expected(kind, scores, truth, classes)}


def scores_expected(kind, scores, truth, classes):
    every = len(np.unique(truth)) == classes
    if classes == 2:
        positive = scores[:, 1]
        if kind == "broken":
            index = np.arange(len(truth))
            positive = np.where(index % 7 == 1, np.nan, np.where(index % 7 == 2, 1.5, positive))
        kept = (positive >= 0) & (positive <= 1)
        t, s = truth[kept], positive[kept]
        both = len(np.unique(t)) == 2
        return {
            "rows": int(kept.sum()),
            "macro": metrics.roc_auc_score(t, s) if both else None,
            "weighted": metrics.roc_auc_score(t, s) if both else None,
            "log_loss": metrics.log_loss(t, s, labels=[0, 1]),
            "brier": metrics.brier_score_loss(t, s, labels=[0, 1], pos_label=1),
        }
    labels = list(range(classes))
    auc = {average: metrics.roc_auc_score(truth, scores, multi_class="ovr", average=average) if every else None for average in ("macro", "weighted")}
    return {
        "rows": len(truth),
        "log_loss": metrics.log_loss(truth, scores, labels=labels),
        "brier": metrics.brier_score_loss(truth, scores, labels=labels, scale_by_half=False),
    } | auc


def regression_cases():
    truths = [("bell", 10, 3), ("heavy", 0, 1), ("zeros", 0, 2), ("constant", 4, 0), ("cauchy_like", -5, 1), ("uniform", 1e6, 1)]
    for rows in (1, 2, 20, 1000, 20_000):
        for kind, a, b in truths:
            for offset, scale in [(0, 1), (0.5, 1), (-2, 0.1)]:
                truth, noise = spec(kind, rows, rows, a, b), spec("bell", rows + 5, rows, offset, scale)
                t = sample(truth)
                p = t + sample(noise)
                constant = len(np.unique(t)) == 1
                expected = {
                    "me": float(np.mean(p - t)),
                    "mae": metrics.mean_absolute_error(t, p),
                    "rmse": metrics.root_mean_squared_error(t, p),
                    "mape": metrics.mean_absolute_percentage_error(t, p),
                    "r2": None if constant else metrics.r2_score(t, p),
                }
                yield {"truth": truth, "noise": noise, "expected": expected}


def main():
    check_versions()
    groups = {"drift": drift_cases(), "ks": ks_cases(), "fisher": fisher_cases(), "f1": f1_cases(), "scores": scores_cases(), "regression": regression_cases()}
    lines = ["{", f'"script": "{fnv1a(HERE.read_bytes())}",']
    for name, cases in groups.items():
        lines.append(f'"{name}": [')
        lines.append(",\n".join(json.dumps(case, allow_nan=False) for case in cases))
        lines.append("]" if name == "regression" else "],")
    lines.append("}\n")
    HERE.with_suffix(".json").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
