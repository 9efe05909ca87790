"""A log of rows as Parquet files, for a service that must not wait for its disk. One file, needs pyarrow alone.

    schema = pa.schema([("request_id", pa.string()), ("timestamp", pa.timestamp("us", "UTC"))])
    log = ParquetLog("logs/requests", schema)
    log.write({"request_id": "r1", "timestamp": datetime.now(timezone.utc)})   # returns at once
    log.close()                                                                # when the service stops

`write` puts the row into a bounded queue; a thread of the log's own makes files of the rows, each under a temporary
name until it is whole and on the disk. When the queue is full the row is dropped and counted. When a file cannot be
written its rows are kept and tried again; meanwhile the queue fills. A row with a value of a wrong type is dropped
and counted, the others are written. Keys that are no columns are ignored, columns that are no keys are null.

`close` is called at the exit of the interpreter too, but a signal that kills the process calls nothing: under uvicorn
close the log at the end of the lifespan. A forked child has an empty log of its own.
"""

import atexit
import itertools
import logging
import os
import threading
import time
import weakref
from collections import deque
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0  # First pause after a file could not be written; it doubles,
RETRY_SECONDS_MAX = 30.0  # up to this.
CLOSING_RETRY_SECONDS = 0.1  # `close` has little time.


class ParquetLog:
    def __init__(self, folder, schema, rotate_rows=10_000, rotate_seconds=10.0, queue_rows_max=100_000):
        self.folder, self.schema = Path(folder), schema
        self.rotate_rows, self.rotate_seconds, self.queue_rows_max = rotate_rows, rotate_seconds, queue_rows_max
        self._integers = [field.name for field in schema if pa.types.is_integer(field.type)]
        self._numbers = itertools.count()
        self._begin()
        # Weak, so that a log that nobody holds can go.
        this = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: this() and this()())
        atexit.register(self.close)

    def _begin(self):
        """An empty log. Whoever reads or changes what follows holds `_changed`."""
        self._changed = threading.Condition()
        self._waiting = deque()  # (time of arrival, row), the oldest first
        self._writing = 0  # rows taken from the queue for a file that is not yet there
        self._written, self._dropped = 0, {"queue_full": 0, "wrong_type": 0, "not_written": 0, "closed": 0}
        self._thread, self._closing, self._given_up, self._flush_until = None, False, False, 0
        self._accepted = self._done = 0  # rows that came in; rows that were written or given up

    @property
    def rows(self):
        """Rows that are in files."""
        return self._written

    @property
    def dropped(self):
        """Rows that are in no file, by reason."""
        return dict(self._dropped)

    @property
    def queue_rows(self):
        """Rows that wait to be written."""
        return len(self._waiting) + self._writing

    def write(self, row):
        """Takes a row (a dict), and says whether there was room for it. Never waits for the disk."""
        with self._changed:
            reason = "closed" if self._closing else "queue_full" if self.queue_rows >= self.queue_rows_max else None
            if reason:
                self._dropped[reason] += 1
                return False
            self._waiting.append((time.monotonic(), dict(row)))
            self._accepted += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"log {self.folder.name}", daemon=True)
                self._thread.start()
            if len(self._waiting) in (1, self.rotate_rows):
                self._changed.notify_all()
            return True

    def flush(self, timeout=5.0):
        """Writes what has come so far; says whether that was done in time."""
        with self._changed:
            self._flush_until = goal = self._accepted
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= goal, timeout)

    def close(self, timeout=5.0):
        """Writes what is there and takes no more. What cannot be written in time is dropped and counted."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join(timeout)
        with self._changed:
            lost = self._accepted - self._done
            if lost and not self._given_up:
                self._given_up, self._dropped["not_written"] = True, lost
                logger.error("%s: %d rows could not be written before the end", self.folder, lost)

    def _due(self):
        """Whether a file is to be written now, and else how long that may wait; `None` is until something changes."""
        if not self._waiting:
            return False, None
        if self._closing or self._flush_until > self._done or len(self._waiting) >= self.rotate_rows:
            return True, None
        left = self._waiting[0][0] + self.rotate_seconds - time.monotonic()
        return left <= 0, left

    def _take(self):
        """Rows for the next file, as soon as it is due; none when the log is closed and empty."""
        with self._changed:
            while True:
                due, left = self._due()
                if due:
                    count = min(len(self._waiting), self.rotate_rows)
                    batch = [self._waiting.popleft()[1] for _ in range(count)]
                    self._writing = count
                    return batch
                if self._closing:
                    return []
                self._changed.wait(left)

    def _run(self):
        while batch := self._take():
            table = self._table(batch)
            if table.num_rows and not self._write_until_done(table):
                return  # The log was closed, and its time is over.
            with self._changed:
                self._writing = 0
                self._written += table.num_rows
                self._dropped["wrong_type"] += len(batch) - table.num_rows
                self._done += len(batch)
                self._changed.notify_all()

    def _write_until_done(self, table):
        """Tries until the file is there; false when that is no longer wanted."""
        pause = RETRY_SECONDS
        while not self._given_up:
            try:
                self._write_file(table)
                return True
            except Exception as error:  # A full disk, a missing right, a broken mount: all may pass.
                logger.warning("%s: %s; %d rows are kept and tried again", self.folder, error, table.num_rows)
            with self._changed:
                self._changed.wait(CLOSING_RETRY_SECONDS if self._closing else pause)
            pause = min(2 * pause, RETRY_SECONDS_MAX)
        return False

    def _table(self, batch):
        """The rows that fit the schema."""
        try:
            return self._convert(batch)
        except Exception:  # Which row it was, the error does not say.
            fitting, error = [], None
        for row in batch:
            try:
                fitting.append(self._convert([row]))
            except Exception as misfit:
                error = misfit
        logger.warning("%s: %d rows do not fit the schema: %s", self.folder, len(batch) - len(fitting), error)
        return pa.concat_tables([self.schema.empty_table(), *fitting])

    def _convert(self, rows):
        """The rows as a table. pyarrow would cut 1.5 to 1 for a column of integers; here it is of the wrong type."""
        for name in self._integers:
            for row in rows:
                value = row.get(name)
                if isinstance(value, float) and not value.is_integer():
                    raise ValueError(f"{name} is {value}, and the column is of integers")
        return pa.Table.from_pylist(rows, schema=self.schema)

    def _write_file(self, table):
        """Aside, to the disk, then under its name: who lists the folder sees a whole file or none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"part-{time.time_ns()}-{os.getpid()}-{next(self._numbers)}.parquet"
        aside = self.folder / f".{name}.tmp"
        try:
            with open(aside, "wb") as file:
                pq.write_table(table, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            os.rename(aside, self.folder / name)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
