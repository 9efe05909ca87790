#!/usr/bin/env python3
"""The Python example as its readers run it: the service under uvicorn, the sidecar beside it; and its Parquet log.

    .venv/bin/python tests/python_example.py       DRIFT_SIDECAR: the program, default target/debug/drift-sidecar
"""

import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "python"
SIDECAR = os.environ.get("DRIFT_SIDECAR", str(ROOT / "target" / "debug" / "drift-sidecar"))
sys.path.insert(0, str(EXAMPLE))
sys.dont_write_bytecode = True

import deliveries  # noqa: E402
import parquet_log  # noqa: E402
from parquet_log import ParquetLog  # noqa: E402

SCHEMA = pa.schema([("id", pa.string()), ("value", pa.int64())])
PATIENCE = 30.0  # seconds until a test gives up


def until(question, what, patience=PATIENCE):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {patience} s")


def tables(folder):
    """What a reader of the folder sees, file by file."""
    return [pq.read_table(path) for path in sorted(Path(folder).glob("part-*.parquet"))]


def values(folder):
    return [value for table in tables(folder) for value in table["value"].to_pylist()]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Program:
    """A program that says on stderr where it listens; ended with the test."""

    def __init__(self, test, command, address, **environment):
        self.lines = []
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        cwd=EXAMPLE, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()
        test.addCleanup(self.end)
        self.url = "http://" + until(lambda: self.found(address), f"{command[0]} listens: {self.lines}")

    def found(self, pattern):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {''.join(self.lines)}")
        hits = (re.search(pattern, line) for line in list(self.lines))
        return next((hit.group(1) for hit in hits if hit), None)

    def stop(self):
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stderr.close()


def service(test, logs, rotate_seconds):
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    return Program(test, command, r"running on http://(\S+)", LOGS=str(logs), ROTATE_SECONDS=str(rotate_seconds))


def sidecar(test, logs):
    command = [SIDECAR, "--log-format", "text", "run", "--config", "sidecar.yaml"]
    return Program(test, command, r"listening.* address=(\S+)", LOGS=str(logs), EVALUATE_EVERY="1s",
                   DRIFT_SIDECAR_LISTEN="127.0.0.1:0", NO_COLOR="1")


class Stack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.logs = Path(folder.name)

    def test_requests_and_feedback_become_f1_and_drift(self):
        app = service(self, self.logs, 0.2)
        beside = sidecar(self, self.logs)
        deliveries.send(app.url, 400, rain=0.95, seed=3)

        def numbers():
            found = dict(re.findall(r"^(\w+\{.*window=\"1h\".*\}) (\S+)$", get(f"{beside.url}/metrics"), re.M))
            rows = found.get('window_labelled_rows{model="late-delivery",window="1h"}')
            return found if rows == "400" else None

        found = until(numbers, "400 labelled rows in the window")
        f1 = float(found['prediction_f1_score{model="late-delivery",window="1h"}'])
        self.assertTrue(0.4 < f1 < 1, f1)
        drifted = {name: found[f'drift_detected{{model="late-delivery",window="1h",column="{name}"}}']
                   for name in deliveries.FEATURES}
        self.assertEqual(drifted, {"distance_km": "0", "weight_kg": "0", "hour": "0", "carrier": "0", "rain": "1"})
        self.assertEqual(beside.stop(), 0)

    def test_the_services_metrics_tell_of_its_logs(self):
        app = service(self, self.logs, 0.1)
        deliveries.send(app.url, 5, rain=0.2, seed=1)
        until(lambda: 'prediction_log_rows_total{log="outcomes"} 5.0' in get(f"{app.url}/metrics"), "five outcomes")
        text = get(f"{app.url}/metrics")
        for line in ('prediction_requests_total{endpoint="/predict",status_code="200"} 5.0',
                     'prediction_feedback_total{result="accepted"} 5.0', 'prediction_latency_seconds_count 5.0',
                     'prediction_log_rows_dropped_total{log="requests",reason="queue_full"} 0.0',
                     'prediction_log_queue_rows{log="requests"} ', 'prediction_model_info{version="v1"} 1.0'):
            self.assertIn(line, text)
        self.assertEqual(pq.read_schema(self.logs / "reference.parquet").names,
                         [*deliveries.FEATURES, "prediction", "score", "model_version", "label"])

    def test_sigterm_flushes_the_logs(self):
        app = service(self, self.logs, 3600)
        deliveries.send(app.url, 7, rain=0.2, seed=1)
        self.assertEqual(tables(self.logs / "requests"), [])
        began = time.monotonic()
        app.stop()
        self.assertLess(time.monotonic() - began, 5)
        for name in ("requests", "outcomes"):
            self.assertEqual([table.num_rows for table in tables(self.logs / name)], [7], name)

    def test_bad_input_is_refused_and_not_logged(self):
        app = service(self, self.logs, 3600)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            deliveries.post(f"{app.url}/predict", {"distance_km": "far"})
        refused.exception.close()
        self.assertEqual(refused.exception.code, 422)
        app.stop()
        self.assertFalse((self.logs / "requests").exists())


class Writer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "log"
        parquet_log.logger.setLevel(logging.CRITICAL)

    def log(self, **settings):
        log = ParquetLog(self.folder, SCHEMA, **{"rotate_seconds": 3600, **settings})
        self.addCleanup(log.close)
        return log

    def test_a_file_is_full_after_so_many_rows(self):
        log = self.log(rotate_rows=10)
        for value in range(25):
            self.assertTrue(log.write({"id": "x", "value": value}))
        until(lambda: log.rows == 20, "two files")
        self.assertEqual([table.num_rows for table in tables(self.folder)], [10, 10])
        log.close()
        self.assertEqual(values(self.folder), list(range(25)))
        self.assertEqual((log.rows, log.queue_rows, sum(log.dropped.values())), (25, 0, 0))

    def test_a_file_is_written_after_so_many_seconds(self):
        log = self.log(rotate_seconds=0.2)
        began = time.monotonic()
        log.write({"id": "x", "value": 1})
        until(lambda: values(self.folder) == [1], "the first row")
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        log.write({"id": "x", "value": 2})
        until(lambda: values(self.folder) == [1, 2], "the second row")

    def test_names_say_when_and_who_and_nothing_aside_stays(self):
        log = self.log()
        log.write({"id": "x", "value": 1})
        self.assertTrue(log.flush())
        (name,) = os.listdir(self.folder)
        self.assertRegex(name, rf"^part-\d{{19}}-{os.getpid()}-0\.parquet$")

    def test_a_full_queue_drops_the_row_and_counts_it(self):
        log = self.log(rotate_rows=100, queue_rows_max=5)
        taken = [log.write({"id": "x", "value": value}) for value in range(8)]
        self.assertEqual(taken, [True] * 5 + [False] * 3)
        self.assertEqual((log.dropped["queue_full"], log.queue_rows), (3, 5))
        self.assertTrue(log.flush())
        self.assertTrue(log.write({"id": "x", "value": 8}))
        log.close()
        self.assertEqual(values(self.folder), [0, 1, 2, 3, 4, 8])

    def test_a_value_of_the_wrong_type_costs_its_row_alone(self):
        log = self.log()
        wrong = ["seven", 1.5, 2**63, object(), [1], {"a": 1}, b"7", datetime.now(timezone.utc)]
        for value in (1, *wrong, None, 2):
            log.write({"id": "x", "value": value})
        log.write({"id": "\ud800", "value": 3})
        log.write({"value": 4, "column": "of another table"})
        self.assertTrue(log.flush())
        self.assertEqual(values(self.folder), [1, None, 2, 4])
        self.assertEqual((log.dropped["wrong_type"], log.rows), (len(wrong) + 1, 4))

    def test_rows_that_are_all_wrong_make_no_file(self):
        log = self.log()
        log.write({"value": "seven"})
        self.assertTrue(log.flush())
        self.assertEqual((tables(self.folder), log.dropped["wrong_type"], log.queue_rows), ([], 1, 0))

    def test_a_folder_that_cannot_be_written_costs_no_row_once_it_can(self):
        # A file where the folder should be: that stops root, too.
        self.folder.write_text("in the way")
        log = self.log(rotate_rows=2, queue_rows_max=6)
        taken = [log.write({"id": "x", "value": value}) for value in range(8)]
        self.assertEqual(taken, [True] * 6 + [False] * 2)
        self.assertFalse(log.flush(timeout=0.2))
        self.assertEqual((log.rows, log.queue_rows, log.dropped["queue_full"]), (0, 6, 2))
        self.folder.unlink()
        until(lambda: log.rows == 6, "all rows, when the folder can be made")
        self.assertEqual(values(self.folder), list(range(6)))

    def test_closing_does_not_wait_for_a_folder_for_ever(self):
        self.folder.write_text("in the way")
        log = self.log()
        log.write({"id": "x", "value": 1})
        began = time.monotonic()
        log.close(timeout=0.5)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(log.dropped["not_written"], 1)
        self.assertFalse(log.write({"id": "x", "value": 2}))
        self.assertEqual(log.dropped["closed"], 1)

    def test_many_threads_lose_nothing_and_wait_for_nobody(self):
        log = self.log(rotate_rows=100)
        slowest = []

        def send(first):
            for value in range(first, first + 1000):
                began = time.perf_counter()
                log.write({"id": str(value), "value": value})
                slowest.append(time.perf_counter() - began)

        threads = [threading.Thread(target=send, args=(first,)) for first in range(0, 4000, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.close()
        self.assertEqual(sorted(values(self.folder)), list(range(4000)))
        self.assertLess(sorted(slowest)[len(slowest) * 99 // 100], 0.05)

    def test_the_end_of_the_interpreter_closes_the_log(self):
        code = ("import sys, pyarrow as pa; from parquet_log import ParquetLog\n"
                "ParquetLog(sys.argv[1], pa.schema([('value', pa.int64())]), rotate_seconds=3600).write({'value': 1})")
        done = subprocess.run([sys.executable, "-B", "-c", code, self.folder], cwd=EXAMPLE, timeout=PATIENCE,
                              check=False)
        self.assertEqual((done.returncode, values(self.folder)), (0, [1]))

    def test_a_forked_child_writes_its_own_rows_alone(self):
        code = ("import os, signal, sys, pyarrow as pa; from parquet_log import ParquetLog\n"
                "log = ParquetLog(sys.argv[1], pa.schema([('value', pa.int64())]), rotate_seconds=3600)\n"
                "log.write({'value': 1})\n"
                "if child := os.fork(): log.close(); os.waitpid(child, 0)\n"
                "else: signal.alarm(20); log.write({'value': 2}); log.close(); os._exit(0)\n")
        done = subprocess.run([sys.executable, "-B", "-W", "ignore", "-c", code, self.folder], cwd=EXAMPLE,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, sorted(values(self.folder))), (0, [1, 2]))


if __name__ == "__main__":
    unittest.main()
