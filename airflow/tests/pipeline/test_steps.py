"""Whole runs, step by step: what is promoted and what is not, and what a person is told."""
import json
from datetime import datetime, timedelta, timezone

from tests import shop
from tests.pipeline.case import PipelineCase


class Steps(PipelineCase):
    def test_first_model_is_v1_and_is_made_only_once(self):
        self.assertIn("v1: learnt from", self.first())
        model = self.registry / "versions" / "v1" / "model.json"
        before = model.read_bytes()
        self.assertIn("already serves v1", self.first())
        self.assertEqual((self.served(), model.read_bytes()), ("v1", before))
        evaluation = json.loads((self.registry / "current" / "evaluation.json").read_text())
        self.assertGreater(evaluation["f1_weighted"], 0.95)

    def test_first_names_what_its_products_lack(self):
        shop.part(self.root, {"designation": ["a"]}, datetime.now(timezone.utc)).rename(self.root / "bad.parquet")
        said = self.step("first", "--products", str(self.root / "bad.parquet"), code=1)
        self.assertIn("has no column description, label", said)
        self.assertIn("first: ", self.step("first", "--products", str(self.root / "none.parquet"), code=1))

    def test_better_candidate_is_served(self):
        self.first()
        shop.write_logs(self.logs, shop.products(1500, drift=0.8, seed=2))
        said = self.retrain()
        self.assertIn("v2 is served", said)
        self.assertEqual(self.served(), "v2")
        evaluation = json.loads((self.registry / "current" / "evaluation.json").read_text())
        self.assertEqual(evaluation["served_version"], "v1")
        self.assertGreater(evaluation["f1_weighted"], evaluation["served_f1_weighted"] + 0.2)

    def test_candidate_that_is_not_better_is_not_served(self):
        self.first()
        shop.write_logs(self.logs, shop.products(600, seed=3))
        for name in ("pull", "train", "validate"):
            self.step(name)
        self.assertIn("v1, which stays", self.step("better", code=99))
        self.assertIn("run better first", self.step("promote", code=1))
        self.assertEqual((self.served(), self.versions()), ("v1", ["v1"]))

    def test_margin_of_zero_lets_an_equal_candidate_pass(self):
        self.first()
        shop.write_logs(self.logs, shop.products(1500))
        for name in ("pull", "train", "validate"):
            self.step(name)
        self.assertIn("the candidate is better", self.step("better", MARGIN="0"))

    def test_damaged_served_model_is_replaced(self):
        self.first()
        (self.registry / "current" / "model.json").write_text("{")
        shop.write_logs(self.logs, shop.products(1500))
        self.assertIn("no model that can be served", self.retrain())
        self.assertEqual(self.served(), "v2")

    def test_version_of_a_person_without_evaluation_and_a_link_to_nothing_are_no_obstacle(self):
        (self.registry / "versions" / "v7").mkdir(parents=True)
        (self.registry / "current").symlink_to("versions/v9")
        shop.write_logs(self.logs, shop.products(900))
        self.assertIn("v8 is served", self.retrain())

    def test_too_few_rows_fail_with_the_numbers(self):
        shop.write_logs(self.logs, shop.products(40))
        said = self.step("pull", code=1)
        self.assertIn("there are 40 labelled rows", said)
        self.assertIn("ROWS_MIN is 500", said)
        self.assertFalse((self.workspace / "data" / "labelled.parquet").exists())

    def test_no_logs_at_all_fail_as_too_few_rows(self):
        self.assertIn("there are 0 labelled rows", self.step("pull", code=1))

    def test_steps_out_of_order_say_which_comes_first(self):
        self.assertIn("run pull first", self.step("train", code=1))
        self.assertIn("run train first", self.step("validate", code=1))
        self.assertIn("run validate first", self.step("better", code=1))
        self.assertIn("run better first", self.step("promote", code=1))
        self.assertIn("run promote first", self.step("push", code=1))

    def test_alert_is_told_and_a_run_by_hand_too(self):
        alert = {"labels": {"alertname": "ModelF1Drop"}, "startsAt": "2026-11-23T10:00:00.123456789Z"}
        said = self.step("alert", ALERT=json.dumps(alert))
        self.assertIn("ModelF1Drop, firing since 2026-11-23 10:00:00.123456+00:00", said)
        for strange in ("", "null", "{}", "[1]", "torn {", '"text"'):
            self.assertIn("by hand", self.step("alert", ALERT=strange))
        self.assertIn("unknown time", self.step("alert", ALERT='{"labels": 7, "startsAt": "soon"}'))

    def test_alert_older_than_the_newest_promotion_is_skipped(self):
        self.first()
        shop.write_logs(self.logs, shop.products(600))
        now = datetime.now(timezone.utc)
        old = {"labels": {"alertname": "ModelF1Drop"}, "startsAt": (now - timedelta(hours=1)).isoformat()}
        new = old | {"startsAt": (now + timedelta(seconds=1)).isoformat()}
        self.assertIn("v1 was promoted after that", self.step("pull", code=99, ALERT=json.dumps(old)))
        self.step("pull", ALERT=json.dumps(new))
        self.step("pull", ALERT="null")

    def test_wrong_settings_are_named_all_at_once(self):
        said = self.step("pull", code=1, HOLD_OUT="1.5", ROWS_MIN="many")
        self.assertIn("HOLD_OUT is '1.5': it must be between 0 and 1", said)
        self.assertIn("ROWS_MIN is 'many'", said)
        self.assertIn("LOGS is not set", self.step("pull", code=1, LOGS=""))
