#!/usr/bin/env python3
"""This program, the same job by hand with polars, and decoding alone, on the same files in one run.

    cargo build --release && .venv/bin/python benches/peers/run.py [--rows 1000000] [--runs 3]

Makes its data in target/bench (a million requests, 800 000 outcomes, 16 columns, as services write them: some
columns drift in the second half), runs each program three times in turn as a process of its own, and prints a
table: CPU seconds (user and system), wall seconds and peak resident memory, medians.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
def measure(command):
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    assert status == 0, f"{command} failed with {status}"
    return used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    data = ROOT / "target" / "bench"
    if not (data / "rows").exists() or (data / "rows").read_text() != str(options.rows):
        # In a process of its own: a child's peak memory begins with that of its parent.
        subprocess.run([sys.executable, str(HERE / "generate.py"), str(data), str(options.rows)], check=True)
    program = str(ROOT / "target" / "release" / "drift-sidecar")
    programs = {
        "drift-sidecar once, default methods": [program, "once", "--config", str(data / "sidecar.yaml")],
        "drift-sidecar once, all methods": [program, "once", "--config", str(data / "all.yaml")],
        "polars and numpy by hand, all methods": [sys.executable, str(HERE / "by_hand.py"), str(data)],
        "polars, only decoding": [sys.executable, str(HERE / "decode.py"), str(data)],
    }
    runs = {name: [] for name in programs}
    for _ in range(options.runs):
        for name, command in programs.items():
            runs[name].append(measure(command))
    print(f"{options.rows} requests, {options.rows * 4 // 5} outcomes, 16 columns; medians of {options.runs} runs\n")
    print("| | CPU s | wall s | peak MiB | CPU, ratio |\n|---|---|---|---|---|")
    first = None
    for name, found in runs.items():
        cpu, wall, peak = (statistics.median(values) for values in zip(*found))
        first = first or cpu
        print(f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {cpu / first:.1f} |")


if __name__ == "__main__":
    main()
