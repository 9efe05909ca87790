#!/usr/bin/env python3
"""This program, decoding alone, and what people would run instead, on the same files in one run.

    benches/peers/run.py [--sizes S M L] [--runs 3] [--write]

Needs cargo, Python 3.11 and what pip can reach; everything it makes is in target/bench: an environment for each tool, with
pinned versions, and the data (generate.py: S, M and L are 100 000, 1 and 10 million requests beside a reference of 10 000 or
100 000 rows). Each program is a process of its own, one at a time, all of them in turn, those that are done in two seconds five
times a turn; CPU seconds (user and system), wall seconds and peak resident memory are medians. Whether all found the same F1, of as
many rows, and the same KS distances is checked. --write puts the tables into docs/performance.md.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
WORK = ROOT / "target" / "bench"
PAGE = ROOT / "docs" / "performance.md"
# Of each environment, the packages to be named; requirements/ pins all of them.
ENVIRONMENTS = {
    "hand": ["numpy", "polars", "duckdb", "pyarrow"],
    "evidently": ["evidently", "pandas"],
    "nannyml": ["nannyml"],
    "whylogs": ["whylogs"],
}
QUICK_RUNS = 5
# At ten times the rows they take hours or more memory than the machine has.
NOT_LARGE = ("Evidently", "NannyML", "whylogs")
MODEL = """models:
  - name: bench
    requests: {path: requests}
%s    reference: {path: reference.parquet}
    windows: [24h]
%s    features: {text: {ignore: true}, prediction_score: {ignore: true}, model_version: {ignore: true}}
"""
OUTCOMES = "    outcomes: {path: outcomes}\n"
ALL = "    drift: {numerical: [ks, wasserstein, psi, jensen_shannon], categorical: [chi_square, psi, jensen_shannon]}\n"


@dataclass
class Program:
    name: str
    command: list
    found: dict | None = None
    runs: list = field(default_factory=list)

    def measure(self):
        out = WORK / "out"
        begun = time.perf_counter()
        with open(out, "w") as stdout, open(WORK / "err", "w") as stderr:
            child = subprocess.Popen(self.command, stdout=stdout, stderr=stderr, cwd=WORK)
        _, status, used = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit(f"{self.name} failed:\n{(WORK / 'err').read_text()[-2000:]}")
        self.runs.append((used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / 1024))
        text = out.read_text()
        if text.startswith("{"):
            self.found = json.loads(text)

    def medians(self):
        return [statistics.median(values) for values in zip(*self.runs)]


def quiet(*command):
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def environments():
    """The Python of each tool, and what is installed beside it."""
    found = {}
    for name in ENVIRONMENTS:
        python = WORK / "venvs" / name / "bin" / "python"
        done = WORK / "venvs" / name / "packages"
        packages = HERE / "requirements" / f"{name}.txt"
        if not done.exists() or done.read_text() != packages.read_text():
            quiet(sys.executable, "-m", "venv", "--clear", WORK / "venvs" / name)
            quiet(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", packages)
            done.write_text(packages.read_text())
        found[name] = str(python)
    return found


def programs():
    """This program and the bench that only decodes, built for release."""
    quiet("cargo", "build", "--quiet", "--release", "--workspace")
    told = subprocess.run(
        ["cargo", "bench", "--quiet", "--workspace", "--bench", "decode", "--no-run", "--message-format", "json"],
        check=True, cwd=ROOT, capture_output=True, text=True,
    ).stdout
    built = [json.loads(line) for line in told.splitlines()]
    decode = next(a["executable"] for a in built if a.get("target", {}).get("name") == "decode" and a.get("executable"))
    return str(ROOT / "target" / "release" / "drift-sidecar"), decode


def data(size, python):
    folder = WORK / "data" / size
    if not (folder / "whole").exists():
        # In a process of its own: a child's peak memory begins with that of its parent.
        quiet(python, HERE / "generate.py", size, folder)
        for name, outcomes, drift in [("once", OUTCOMES, ""), ("all", OUTCOMES, ALL), ("drift", "", "")]:
            (folder / f"{name}.yaml").write_text(MODEL % (outcomes, drift))
        (folder / "whole").touch()
    return folder


def lineup(folder, pythons, binary, decode):
    current = sorted(str(path) for path in (folder / "requests").glob("*.parquet"))
    python = lambda which, script: [pythons[which], str(HERE / script), str(folder)]
    return [
        Program("decoding alone, our reader", [decode, "--bench", str(folder / "once.yaml")]),
        Program("`once`", [binary, "once", "--config", str(folder / "once.yaml")]),
        Program("`once`, four methods a column", [binary, "once", "--config", str(folder / "all.yaml"), "--format", "json"]),
        Program("decoding alone, our reader, no ids", [decode, "--bench", str(folder / "drift.yaml")]),
        Program("`compare`", [binary, "compare", "--reference", str(folder / "narrow.parquet"), "--current", *current]),
        Program("decoding alone, polars", python("hand", "decode_with_polars.py")),
        Program("polars and numpy by hand", python("hand", "with_polars.py")),
        Program("DuckDB by hand", python("hand", "with_duckdb.py")),
        Program("NannyML", python("nannyml", "with_nannyml.py")),
        Program("whylogs", python("whylogs", "with_whylogs.py")),
        Program("Evidently", python("evidently", "with_evidently.py")),
    ]


def ours(report):
    """Our Report, as the others tell it."""
    window = report["models"][0]["windows"][0]
    tests = {column["column"]: {test["method"]: test["score"] for test in column["tests"]} for column in window["columns"]}
    ks = {name: scores["ks"] for name, scores in tests.items() if "ks" in scores}
    rows = {entry["class"]: entry for entry in window["quality"]["classes"]}
    f1 = {name: 2 * e["true_positive"] / max(1, 2 * e["true_positive"] + e["false_positive"] + e["false_negative"]) for name, e in rows.items()}
    joined = sum(e["true_positive"] + e["false_negative"] for e in rows.values())
    return {"ks": ks, "macro": sum(f1.values()) / len(f1), "weighted": window["quality"]["f1"], "joined": joined}


def check(lines):
    """F1 to 1e-9, and of as many rows; KS to 1e-3, but for sketches, which promise less."""
    us = ours(next(line.found for line in lines if line.found and "models" in line.found))
    for line in lines:
        if not line.found or "models" in line.found:
            continue
        for key in ("macro", "weighted", "joined"):
            if line.found[key] is not None and abs(line.found[key] - us[key]) > 1e-9:
                sys.exit(f"{line.name}: {key} {line.found[key]}, ours {us[key]}")
        for column, score in line.found["ks"].items():
            if abs(score - us["ks"][column]) > (0.02 if line.name == "whylogs" else 1e-3):
                sys.exit(f"{line.name}: ks of {column} {score}, ours {us['ks'][column]}")


def table(size, lines):
    costs = {line.name: line.medians() for line in lines}
    least = {"`compare`": "decoding alone, our reader, no ids"}
    text = "| | CPU s | wall s | peak MiB | CPU, of our decoding | CPU, of `once` |\n|---|---|---|---|---|---|\n"
    for name, (cpu, wall, peak) in costs.items():
        decoding = costs[least.get(name, "decoding alone, our reader")][0]
        text += f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {cpu / decoding:.1f} | {cpu / costs['`once`'][0]:.1f} |\n"
    return text


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    named = []
    for environment, packages in ENVIRONMENTS.items():
        pinned = dict(line.split("==") for line in (HERE / "requirements" / f"{environment}.txt").read_text().split())
        named += [f"{package} {pinned[package]}" for package in packages]
    return f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), Python {platform.python_version()}, {', '.join(named)}"


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices="SML", default=["S", "M", "L"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    pythons = environments()
    binary, decode = programs()
    page = PAGE.read_text()
    for size in options.sizes:
        folder = data(size, pythons["hand"])
        lines = [line for line in lineup(folder, pythons, binary, decode) if size != "L" or line.name not in NOT_LARGE]
        for _ in range(options.runs):
            for line in lines:
                line.measure()
                for _ in range(QUICK_RUNS - 1 if line.runs[-1][1] < 2 else 0):
                    line.measure()
        check(lines)
        text = f"{table(size, lines)}\nMedians of {options.runs} runs, {QUICK_RUNS * options.runs} of what is done in two seconds; {machine()}.\n"
        print(f"{size}\n\n{text}", flush=True)
        begin, end = f"<!-- peers {size}: begin -->\n", f"<!-- peers {size}: end -->"
        page = re.sub(f"{begin}.*?{end}", lambda _: begin + text + end, page, flags=re.S)
        if options.write:
            PAGE.write_text(page)


if __name__ == "__main__":
    main()
