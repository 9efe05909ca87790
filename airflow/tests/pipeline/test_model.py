"""The model: its file against the contract, its formula against plain arithmetic, and its hold-out."""
import json
import math
import re
import unittest
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import learning, model
from pipeline.classes import CLASSES
from pipeline.errors import PipelineError
from pipeline.text import words
from tests import shop


def table(rows):
    """Products as `learn` takes them."""
    columns = dict(zip(("designation", "description", "label"), zip(*rows)))
    now = pa.array([datetime(2026, 11, 1)] * len(rows), pa.timestamp("us", "UTC"))
    return pa.table(columns | {"request_id": [f"r{i}" for i in range(len(rows))], "timestamp": now})


def scores_by_hand(fields, text):
    """Scores by class, from the fields of model.json alone, without numpy."""
    present = set(re.findall(r"[^\W_]+", text.lower()))
    logits = list(fields["bias"])
    for word, weights in zip(fields["vocabulary"], fields["weights"]):
        if word in present:
            logits = [logit + weight for logit, weight in zip(logits, weights)]
    shares = [math.exp(logit - max(logits)) for logit in logits]
    return {label: share / sum(shares) for label, share in zip(fields["classes"], shares)}


class LearntModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name) / "candidate"
        cls.rows = shop.products(1200, drift=0.3)
        cls.evaluation = learning.learn(table(cls.rows), 0.25, cls.folder)
        cls.fields = json.loads((cls.folder / "model.json").read_text(encoding="utf-8"))
        cls.reference = pq.read_table(cls.folder / "reference.parquet")

    def test_file_is_as_the_contract_says(self):
        fields = self.fields
        self.assertEqual(list(fields), ["format", "version", "trained_at", "classes", "vocabulary", "weights", "bias"])
        self.assertEqual(fields["format"], 1)
        self.assertEqual((fields["classes"], len(fields["classes"])), (sorted(CLASSES), 27))
        self.assertEqual(fields["vocabulary"], sorted(set(fields["vocabulary"])))
        self.assertEqual({len(row) for row in fields["weights"]}, {27})
        self.assertEqual((len(fields["weights"]), len(fields["bias"])), (len(fields["vocabulary"]), 27))
        self.assertIsNotNone(datetime.fromisoformat(fields["trained_at"]).tzinfo)
        self.assertIsNone(model.wrong_with(model.read(self.folder / "model.json"), 1))

    def test_reference_holds_what_the_formula_gives(self):
        for row in self.reference.to_pylist():
            shares = scores_by_hand(self.fields, f"{row['designation']} {row['description'] or ''}")
            best = max(shares, key=shares.get)
            self.assertEqual(row["prediction"], best)
            self.assertAlmostEqual(row["score"], shares[best], places=12)

    def test_reference_has_the_columns_of_the_log_and_the_label(self):
        kinds = {field.name: str(field.type) for field in self.reference.schema}
        self.assertEqual(kinds, {
            "request_id": "string", "timestamp": "timestamp[us, tz=UTC]", "designation": "string",
            "description": "string", "designation_words": "int64", "description_words": "int64",
            "known_words_ratio": "double", "prediction": "string", "score": "double", "model_version": "string",
            "label": "string"})
        row = self.reference.to_pylist()[0]
        self.assertEqual(row["designation_words"], len(words(row["designation"])))
        self.assertEqual(self.reference.num_rows, self.evaluation["rows_held_out"])

    def test_rows_held_out_are_a_quarter_and_never_learnt_from(self):
        self.assertAlmostEqual(self.evaluation["rows_held_out"] / 1200, 0.25, delta=0.05)
        self.assertEqual(self.evaluation["rows_held_out"] + self.evaluation["rows_learnt"], 1200)
        apart = set(learning.texts(self.reference)[0])
        again = [row[0] in apart for row in self.rows if learning.is_held_out(row[0], row[1], 0.25)]
        self.assertEqual(again, [True] * self.evaluation["rows_held_out"])

    def test_same_rows_make_the_same_model(self):
        with TemporaryDirectory() as folder:
            learning.learn(table(self.rows), 0.25, Path(folder) / "again")
            again = json.loads((Path(folder) / "again" / "model.json").read_text(encoding="utf-8"))
        self.assertEqual(again | {"trained_at": ""}, self.fields | {"trained_at": ""})


class Rules(unittest.TestCase):
    def test_words_are_runs_of_letters_and_digits_in_lower_case(self):
        self.assertEqual(words("L'Été_2026, n°12 — Größe XL"), ["l", "été", "2026", "n", "12", "größe", "xl"])
        self.assertEqual(words(" _-! "), [])

    def test_vocabulary_leaves_out_words_of_one_product_and_is_bounded(self):
        self.assertEqual(learning.vocabulary_of([["b", "a", "a"], ["b", "c"], ["c"]]), ["b", "c"])
        many = [[f"w{i:05}" for i in range(6000)], [f"w{i:05}" for i in range(6000)]]
        self.assertEqual(learning.vocabulary_of(many), [f"w{i:05}" for i in range(5000)])

    def test_features_of_missing_and_unknown_text(self):
        found = model.features(["Old Old thing", None], [None, ""], ["old"])
        self.assertEqual(found["designation_words"], [3, 0])
        self.assertEqual(found["description_words"], [0, 0])
        self.assertEqual(found["known_words_ratio"], [2 / 3, 0.0])

    def test_product_without_words_has_the_prediction_of_the_bias(self):
        served = model.Model("v1", "", ["a", "b"], ["x"], model.np.array([[9.0, 0.0]]), model.np.array([0.0, 1.0]))
        self.assertEqual(served.predict([[], ["x"], ["x", "x"]])[0], ["b", "a", "a"])

    def test_class_without_rows_is_in_the_model_and_never_predicted(self):
        rows = [row for row in shop.products(900) if row[2] != "2905"]
        learnt = learning.fit(learning.products_of(table(rows)), [row[2] for row in rows])
        self.assertEqual(learnt.classes, CLASSES)
        self.assertNotIn("2905", learnt.predict([[], ["new"], ["old2905word1"]])[0])

    def test_too_little_to_learn_from_is_said(self):
        with self.assertRaisesRegex(PipelineError, "2 classes"):
            learning.fit([["a"], ["a"]], ["10", "40"])
        with self.assertRaisesRegex(PipelineError, "no word"):
            learning.fit([["a"], ["b"], ["c"]], ["10", "40", "50"])

    def test_file_that_is_no_model_is_refused_with_the_reason(self):
        good = {"format": 1, "version": "v1", "trained_at": "", "classes": ["a", "b"], "vocabulary": ["x", "y"],
                "weights": [[0, 1], [2, 3]], "bias": [0, 0]}
        bad = [("format", 2, "format"), ("classes", ["b", "a"], "classes"), ("vocabulary", ["x", "x"], "vocabulary"),
               ("weights", [[0, 1]], "one weight"), ("weights", [[0], [1, 2]], "ValueError"),
               ("bias", [0], "one bias"), ("bias", [0, math.nan], "finite"), ("bias", [0, None], "finite")]
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            for key, value, reason in bad:
                path.write_text(json.dumps(good | {key: value}))
                with self.subTest(key=key, value=value), self.assertRaisesRegex(PipelineError, reason):
                    model.read(path)
            for text in ("", "[]", "{", json.dumps({"format": 1})):
                path.write_text(text)
                with self.subTest(text=text), self.assertRaises(PipelineError):
                    model.read(path)
            path.write_text(json.dumps(good))
            self.assertEqual(model.read(path).weights.tolist(), [[0, 1], [2, 3]])
