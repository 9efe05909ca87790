#!/usr/bin/env python3
"""What the daemon takes from its host: memory, CPU, and the time until it is ready again.

    cargo build --release --workspace
    target/bench/venvs/hand/bin/python benches/daemon.py restart [--rows 50_000_000] [--outcomes]
    target/bench/venvs/hand/bin/python benches/daemon.py service [--minutes 5]
    target/bench/venvs/hand/bin/python benches/daemon.py soak [--minutes 10]
    target/bench/venvs/hand/bin/python benches/daemon.py scale
    target/bench/venvs/hand/bin/python benches/daemon.py scrape [--seconds 60]

`benches/peers/run.py` makes that environment. Data and state are made in target/bench/daemon and are gone afterwards. CPU and peak memory are those
that the kernel counts for the process; all prints are rows of the tables in docs/performance.md.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "target" / "bench" / "daemon"
BINARY = ROOT / "target" / "release" / "drift-sidecar"
NUMBERS = [f"num_{i}" for i in range(10)]
KEYS = [f"cat_{i}" for i in range(5)]
CLASSES = pa.array([f"class_{i:02}" for i in range(27)])


class Sidecar:
    """The daemon, from its start to its end."""

    def __init__(self, config):
        command = [BINARY, "run", "--config", config, "--log-format", "json"]
        self.begun = time.perf_counter()
        self.child = subprocess.Popen(command, stderr=open(WORK / "log", "w"))
        while not (said := [event for event in self.log() if "address" in event]):
            if self.child.poll() is not None:
                raise SystemExit((WORK / "log").read_text())
            time.sleep(0.002)
        self.address = said[0]["address"]

    def log(self):
        lines = (WORK / "log").read_text().splitlines(keepends=True)
        return [json.loads(line)["fields"] for line in lines if line.startswith("{") and line.endswith("\n")]

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}") as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            return None

    def ready(self):
        """Seconds from the start until it was."""
        while self.ask("/-/ready") is None:
            time.sleep(0.005)
        return time.perf_counter() - self.begun

    def metric(self, start):
        values = [line.rsplit(" ", 1)[1] for line in self.ask("/metrics").splitlines() if line.startswith(start)]
        return sum(map(float, values))

    def memory(self):
        return memory(self.child.pid, "VmRSS")

    def peak(self):
        return memory(self.child.pid, "VmHWM")

    def cpu(self):
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        begun = time.perf_counter()
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()
        return time.perf_counter() - begun


def memory(process, which):
    """MiB; 0 of a process that has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(which)), 0) / 1024


def anew():
    shutil.rmtree(WORK, ignore_errors=True)
    for log in ("requests", "outcomes"):
        (WORK / log).mkdir(parents=True)


def ids(first, rows):
    return pa.array(np.arange(first, first + rows)).cast(pa.string())


def moments(first, rows, step):
    """Event times that end now, `step` microseconds apart."""
    return pa.array(first + np.arange(rows) * step, pa.timestamp("us", "UTC"))


def columns(random, rows, numbers=NUMBERS, keys=KEYS):
    table = {name: random.normal(size=rows) for name in numbers}
    for i, name in enumerate(keys):
        names = pa.array([f"{name}_{j}" for j in range((5, 12, 30, 80, 200)[i % 5])])
        table[name] = names.take(pa.array(random.integers(0, len(names), rows)))
    return table | {"prediction": CLASSES.take(pa.array(random.integers(0, 27, rows)))}


def put(path, table):
    """Renamed into place, as services should."""
    aside = path.with_name(f".{path.name}")
    pq.write_table(pa.table(table), aside)
    aside.rename(path)


def config(every="1s", state=False, models=("bench",), outcomes=True, windows="[24h]", more=""):
    text = f"listen: 127.0.0.1:0\nevaluate_every: {every}\n" + ("state_dir: state\n" if state else "") + "models:\n"
    for name in models:
        text += f"  - name: {name}\n    requests: {{path: requests}}\n"
        text += "    outcomes: {path: outcomes}\n" if outcomes else ""
        text += f"    reference: {{path: reference.parquet}}\n    windows: {windows}\n{more}"
    (WORK / "sidecar.yaml").write_text(text)
    return WORK / "sidecar.yaml"


def restart(options):
    """A 24 h window; the second start after an orderly end. 50 files, 4 features and the prediction, a fifth of the rows with an outcome."""
    anew()
    random = np.random.default_rng(1)
    narrow = dict(numbers=NUMBERS[:3], keys=KEYS[:1])
    put(WORK / "reference.parquet", columns(random, 100_000, **narrow))
    part, day = options.rows // 50, 86_400_000_000
    start, step = int(time.time() * 1e6) - day, day // options.rows
    for i in range(50):
        first = i * part
        times = moments(start + first * step, part, step)
        put(WORK / "requests" / f"{i:03}.parquet", {"request_id": ids(first, part), "timestamp": times} | columns(random, part, **narrow))
        if options.outcomes:
            known = pa.array(np.arange(0, part, 5))
            labels = CLASSES.take(pa.array(random.integers(0, 27, len(known))))
            put(WORK / "outcomes" / f"{i:03}.parquet", {"request_id": ids(first, part).take(known), "label": labels, "timestamp": times.take(known)})
    file = config(state=True, outcomes=options.outcomes)
    first = Sidecar(file)
    ready, read = first.ready(), first.metric("drift_sidecar_rows_read_total{")
    ended = first.end()
    kept = sum(path.stat().st_size for path in (WORK / "state").rglob("*") if path.is_file()) / 2**20
    second = Sidecar(file)
    again = second.ready()
    read_again, peak = second.metric("drift_sidecar_rows_read_total{"), second.peak()
    second.end()
    print("| rows read | first start | orderly end | state | second start | rows read again | peak of the second |\n|---|---|---|---|---|---|---|")
    print(f"| {read:,.0f} | {ready:.1f} s | {ended:.2f} s | {kept:.0f} MiB | **{again:.2f} s** | {read_again:,.0f} | {peak:.0f} MiB |")


def service(options):
    """Beside a service: a thousand rows a second, a file each second, evaluations every 15 s."""
    anew()
    random = np.random.default_rng(2)
    put(WORK / "reference.parquet", columns(random, 100_000))
    sidecar = Sidecar(config(every="15s", windows="[1h]"))
    sidecar.ready()
    learned, begun = sidecar.cpu(), time.perf_counter()
    for second in range(options.minutes * 60):
        first = second * 1000
        times = moments(int(time.time() * 1e6) - 1_000_000, 1000, 1000)
        put(WORK / "requests" / f"{second:05}.parquet", {"request_id": ids(first, 1000), "timestamp": times} | columns(random, 1000))
        labels = CLASSES.take(pa.array(random.integers(0, 27, 800)))
        put(WORK / "outcomes" / f"{second:05}.parquet", {"request_id": ids(first, 800), "label": labels, "timestamp": times[:800]})
        time.sleep(max(0.0, begun + second + 1 - time.perf_counter()))
    share = (sidecar.cpu() - learned) / (time.perf_counter() - begun)
    memory, rows = sidecar.peak(), sidecar.metric("drift_sidecar_rows_read_total{")
    sidecar.end()
    print("| rows read | start, with the reference | afterwards | peak |\n|---|---|---|---|")
    print(f"| {rows:,.0f} | {learned:.2f} CPU-s | {100 * share:.2f} % of one core | {memory:.0f} MiB |")


def soak(options):
    """At full speed: always twenty files ahead of the reader, the oldest ones removed, a window of one hour of event time that slides on
    with the rows. Writes docs/images/soak.svg."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    anew()
    random = np.random.default_rng(3)
    put(WORK / "reference.parquet", columns(random, 100_000))
    rows, hour = 100_000, 3_600_000_000
    blocks = [columns(random, rows) for _ in range(8)]
    labels = [CLASSES.take(pa.array(random.integers(0, 27, rows))) for _ in range(8)]
    sidecar = Sidecar(config(every="1s", windows="[1h]", more="    label_delay_max: 1h\n"))
    # Event time runs faster than the clock: it begins long ago.
    begun, samples, number, start = time.perf_counter(), [], 0, int(time.time() * 1e6) - 3000 * hour
    while time.perf_counter() - begun < options.minutes * 60:
        # Some files ahead of the reader, which tells how far it is at each evaluation.
        read = int(sidecar.metric('drift_sidecar_rows_read_total{model="bench",log="outcomes"') / rows)
        while number < read + 20:
            times = moments(start + number * hour // 20, rows, hour // 20 // rows)
            for log, table in (("requests", blocks[number % 8]), ("outcomes", {"label": labels[number % 8]})):
                put(WORK / log / f"{number:06}.parquet", {"request_id": ids(number * rows, rows), "timestamp": times} | table)
                (WORK / log / f"{number - 60:06}.parquet").unlink(missing_ok=True)
            number += 1
            samples.append((time.perf_counter() - begun, sidecar.memory()))
        time.sleep(0.05)
    cpu, peak = sidecar.cpu(), sidecar.peak()
    read = sidecar.metric("drift_sidecar_rows_read_total{")
    sidecar.end()
    seconds, memory = map(np.array, zip(*samples))
    thirds = [memory[(seconds > a * seconds[-1]) & (seconds <= b * seconds[-1])].mean() for a, b in ((0.2, 0.6), (0.6, 1.0))]
    print("| rows read | files | CPU | mean, third to sixth tenth of the time | mean, the rest | peak |\n|---|---|---|---|---|---|")
    print(f"| {read:,.0f} | {2 * number} | {cpu:.0f} s | {thirds[0]:.0f} MiB | {thirds[1]:.0f} MiB | {peak:.0f} MiB |")
    figure, axes = plt.subplots(figsize=(8, 2.6))
    axes.plot(seconds / 60, memory, linewidth=1.2, color="#175cd3")
    axes.set(xlabel="minutes", ylabel="resident MiB", ylim=(0, memory.max() * 1.25), xlim=(0, seconds[-1] / 60))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#8884", linewidth=0.6)
    figure.tight_layout()
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    figure.savefig(ROOT / "docs" / "images" / "soak.svg")


def once(file):
    child = subprocess.Popen([BINARY, "once", "--config", file], stdout=subprocess.DEVNULL, stderr=open(WORK / "log", "w"))
    # What the kernel tells at the end begins with the peak of this process: the child's own is asked for while it runs.
    peak, done, used = 0.0, 0, None
    while done == 0:
        peak = max(peak, memory(child.pid, "VmHWM"))
        done, status, used = os.wait4(child.pid, os.WNOHANG)
        time.sleep(0.002)
    assert status == 0, (WORK / "log").read_text()
    return used.ru_utime + used.ru_stime, peak


def scale(_):
    """`once`, as columns, models and classes grow."""
    print("| | CPU | peak |\n|---|---|---|")
    random = np.random.default_rng(4)

    def write(rows, numbers, keys=(), classes=27):
        anew()
        names = pa.array([f"class_{i}" for i in range(classes)])
        table = lambda n: columns(random, n, numbers, keys) | {"prediction": names.take(pa.array(random.integers(0, classes, n)))}
        put(WORK / "reference.parquet", table(rows) | {"label": names.take(pa.array(random.integers(0, classes, rows)))})
        times = moments(int(time.time() * 1e6) - 3_600_000_000, rows, 3_600_000_000 // rows)
        for part in range(0, rows, 20_000):
            size = min(20_000, rows - part)
            put(WORK / "requests" / f"{part}.parquet", {"request_id": ids(part, size), "timestamp": times.slice(part, size)} | table(size))
            put(WORK / "outcomes" / f"{part}.parquet", {"request_id": ids(part, size), "label": names.take(pa.array(random.integers(0, classes, size))), "timestamp": times.slice(part, size)})

    for count in (100, 300, 1000):
        write(100_000, [f"n{i}" for i in range(count)])
        cpu, peak = once(config())
        print(f"| {count} columns, 100 000 rows | {cpu:.1f} s, {1000 * cpu / count:.1f} ms a column | {peak:.0f} MiB |", flush=True)
    write(20_000, NUMBERS, KEYS)
    for count in (30, 100, 300):
        cpu, peak = once(config(models=[f"m{i}" for i in range(count)]))
        print(f"| {count} models of 16 columns, 20 000 rows each | {cpu:.1f} s, {1000 * cpu / count:.0f} ms a model | {peak:.0f} MiB, {peak / count:.1f} a model |", flush=True)
    for classes in (2, 27, 270):
        write(100_000, NUMBERS, KEYS, classes)
        cpu, peak = once(config())
        print(f"| {classes} x {classes} classes, 100 000 rows | {cpu:.2f} s | {peak:.0f} MiB |", flush=True)


def scrape(options):
    """/metrics with ten thousand series while logs are read at full speed."""
    anew()
    random = np.random.default_rng(5)
    many = [f"n{i}" for i in range(620)]
    put(WORK / "reference.parquet", columns(random, 20_000, many, ()))
    rows, hour = 20_000, 3_600_000_000
    start = int(time.time() * 1e6) - hour
    # One file under many names: to write them takes longer than to read them.
    table = {"request_id": ids(0, rows), "timestamp": moments(start, rows, 1000)} | columns(random, rows, many, ())
    put(WORK / "stock.parquet", table)
    os.link(WORK / "stock.parquet", WORK / "requests" / "first.parquet")
    sidecar = Sidecar(config(every="1s", windows="[1h, 24h]", outcomes=False))
    sidecar.ready()
    waits, begun, number, cpu = [], time.perf_counter(), 0, []
    while time.perf_counter() - begun < options.seconds or len(waits) < 200:
        # Always some files ahead of the reader.
        while number < 40 + sidecar.metric("drift_sidecar_rows_read_total{") / rows:
            os.link(WORK / "stock.parquet", WORK / "requests" / f"{number:05}.parquet")
            (WORK / "requests" / f"{number - 90:05}.parquet").unlink(missing_ok=True)
            number += 1
        for _ in range(10):
            asked = time.perf_counter()
            text = sidecar.ask("/metrics")
            waits.append(time.perf_counter() - asked)
    read = sidecar.metric("drift_sidecar_rows_read_total{")
    # Nothing to read any more: what one costs, the text of each new Report shared among its scrapes.
    while sidecar.metric('drift_sidecar_files{model="bench",log="requests",state="waiting"') > 0:
        time.sleep(0.1)
    before = sidecar.cpu()
    for _ in range(5000):
        sidecar.ask("/metrics")
    cost = (sidecar.cpu() - before) / 5000
    sidecar.end()
    series = sum(not line.startswith("#") for line in text.splitlines())
    waits = sorted(1000 * wait for wait in waits)
    p99 = waits[int(0.99 * len(waits))]
    print("| series | scrapes | CPU of one | median while reading | p99 while reading | rows read |\n|---|---|---|---|---|---|")
    print(f"| {series:,} | {len(waits)} | {1000 * cost:.1f} ms | {statistics.median(waits):.1f} ms | {p99:.1f} ms | {read:,.0f} |")


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("study", choices=[study.__name__ for study in (restart, service, soak, scale, scrape)])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--outcomes", action="store_true")
    parser.add_argument("--minutes", type=int, default=None)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    options.minutes = options.minutes or {"soak": 10}.get(options.study, 5)
    globals()[options.study](options)
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
