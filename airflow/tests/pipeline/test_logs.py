"""Reading the logs: which rows are learnt from, and what happens to files that are not as they should be."""
import contextlib
import io
from datetime import datetime, timedelta, timezone

import pyarrow.parquet as pq

from pipeline import logs
from tests import shop
from tests.pipeline.case import PipelineCase

NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)


class Logs(PipelineCase):
    def read(self, since=NOW - DAY, rows_max=1000):
        """(rows, what was said)."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            rows = logs.labelled(self.logs, since, rows_max).to_pylist()
        return rows, said.getvalue()

    def ids(self, **how):
        return [row["request_id"] for row in self.read(**how)[0]]

    def test_requests_meet_their_outcomes_by_id_in_order_of_time(self):
        shop.write_logs(self.logs, shop.products(3), newest=NOW, name="b")
        shop.write_logs(self.logs, shop.products(2), newest=NOW - timedelta(hours=1), name="a")
        rows, said = self.read()
        self.assertEqual([row["request_id"] for row in rows], ["a-0", "a-1", "b-0", "b-1", "b-2"])
        self.assertEqual(rows[2]["label"], shop.products(3)[0][2])
        self.assertEqual(said, "")

    def test_request_without_outcome_and_outcome_without_request_are_left_out(self):
        shop.write_logs(self.logs, shop.products(2), newest=NOW)
        shop.write_outcomes(self.logs, ["other"], ["10"], NOW)
        for path in (self.logs / "outcomes").glob("part-*-0.parquet"):
            pq.write_table(pq.read_table(path).slice(1), path)
        self.assertEqual(self.ids(), ["r-1"])

    def test_latest_outcome_wins_in_whatever_file_it_is(self):
        shop.write_logs(self.logs, shop.products(2), newest=NOW)
        shop.write_outcomes(self.logs, ["r-0"], ["2905"], NOW + timedelta(seconds=5))
        shop.write_outcomes(self.logs, ["r-1"], ["2905"], NOW - timedelta(seconds=5))
        labels = [row["label"] for row in self.read()[0]]
        self.assertEqual(labels, ["2905", shop.products(2)[1][2]])

    def test_only_the_newest_rows_and_only_of_the_season(self):
        shop.write_logs(self.logs, shop.products(10), newest=NOW)
        shop.write_logs(self.logs, shop.products(10), newest=NOW - 2 * DAY, name="old")
        self.assertEqual(self.ids(rows_max=3), ["r-7", "r-8", "r-9"])
        self.assertEqual(len(self.ids()), 10)
        self.assertEqual(len(self.ids(since=NOW - 3 * DAY)), 20)
        self.assertEqual(self.ids(since=NOW - timedelta(seconds=1)), ["r-8", "r-9"])

    def test_many_small_files_give_the_same_rows_as_one(self):
        products = shop.products(50)
        for i, product in enumerate(products):
            shop.write_logs(self.logs, [product], newest=NOW - timedelta(seconds=50 - i), name=f"{i:02}")
        self.assertEqual(self.ids(rows_max=7), [f"{i}-0" for i in range(43, 50)])
        self.assertEqual(len(self.ids()), 50)

    def test_half_written_torn_and_foreign_files_are_said_and_skipped(self):
        shop.write_logs(self.logs, shop.products(3), newest=NOW)
        folder = self.logs / "requests"
        whole = next(folder.glob("*.parquet")).read_bytes()
        (folder / f"part-{int(NOW.timestamp() * 1e9)}-7-99.parquet").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.parquet").touch()
        (folder / "notes.txt").write_text("not a log")
        (folder / "folder.parquet").mkdir()
        (folder / "gone.parquet").symlink_to("nowhere")
        (folder / ".part-1-7-9.parquet.tmp").write_bytes(whole[:100])
        shop.part(folder, {"request_id": ["x"]}, NOW).rename(folder / "narrow.parquet")
        strange = {"request_id": [1.5], "timestamp": ["noon"], "designation": [1], "description": [None]}
        shop.part(folder, strange, NOW).rename(folder / "strange.parquet")
        shop.part(folder, {name: [b"\xff"] for name in logs.REQUESTS.names}, NOW).rename(folder / "bytes.parquet")
        damaged = bytearray(whole)
        damaged[4:60] = b"\x7f" * 56
        (folder / "damaged.parquet").write_bytes(damaged)
        rows, said = self.read()
        self.assertEqual(len(rows), 3)
        for name in ("-99.parquet", "empty", "notes.txt", "folder", "gone", "narrow", "bytes", "strange", "damaged"):
            self.assertRegex(said, f"skipped: .*{name}")
        self.assertIn("narrow.parquet has no column timestamp, designation, description", said)
        self.assertNotIn(".tmp", said)

    def test_labels_that_are_no_class_are_said_and_left_out(self):
        shop.write_logs(self.logs, shop.products(3), newest=NOW)
        shop.write_outcomes(self.logs, ["r-0", "r-1", None], ["shoes", None, "10"], NOW + timedelta(seconds=5))
        rows, said = self.read()
        self.assertEqual(len(rows), 3)
        self.assertIn("3 outcomes are left out", said)
