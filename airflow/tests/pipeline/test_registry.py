"""The registry: one version per candidate, and a whole one served at every moment."""
import json
import multiprocessing
import os
import shutil
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import model, registry
from tests.pipeline.case import PipelineCase


class Crash(BaseException):
    """Ends a promotion where a lost machine could end it."""


def candidate(folder, name="candidate"):
    """A tiny candidate; `name` makes it another one."""
    (folder / name).mkdir()
    made = model.Model("candidate", name, ["a", "b"], ["x"], model.np.ones((1, 2)), model.np.zeros(2))
    (folder / name / "model.json").write_text(made.to_json())
    pq.write_table(pa.table({"label": ["a"], "model_version": ["candidate"]}), folder / name / "reference.parquet")
    (folder / name / "evaluation.json").write_text("{}")
    return folder / name


class Promotion(PipelineCase):
    def assert_whole(self):
        """Whoever opens `current` finds the three files of one version."""
        folder = self.registry / "current"
        version = self.served()
        self.assertEqual(os.readlink(folder), f"versions/{version}")
        self.assertEqual(model.read(folder / "model.json").version, version)
        self.assertEqual(set(pq.read_table(folder / "reference.parquet")["model_version"].to_pylist()), {version})
        self.assertEqual(json.loads((folder / "evaluation.json").read_text())["version"], version)

    def test_versions_count_up_and_the_last_one_is_served(self):
        for name in ("one", "two", "three"):
            registry.promote(self.registry, candidate(self.root, name))
            self.assert_whole()
        self.assertEqual((self.served(), self.versions()), ("v3", ["v1", "v2", "v3"]))

    def test_numbers_of_the_archive_are_not_given_again(self):
        self.assertEqual(registry.promote(self.registry, candidate(self.root), above=7), "v8")

    def test_candidate_is_promoted_once(self):
        made = candidate(self.root)
        self.assertEqual([registry.promote(self.registry, made) for _ in range(2)], ["v1", "v1"])
        self.assertEqual(self.versions(), ["v1"])

    def test_retry_does_not_undo_what_a_person_did_since(self):
        old, new = candidate(self.root, "old"), candidate(self.root, "new")
        registry.promote(self.registry, old)
        registry.promote(self.registry, new)
        registry.serve(self.registry, "v1")
        registry.promote(self.registry, new)
        self.assertEqual(self.served(), "v1")

    def test_promotion_that_is_interrupted_anywhere_leaves_a_whole_version_and_can_be_repeated(self):
        acts = [(registry, "sync"), (Path, "rename"), (Path, "symlink_to"), (Path, "replace"), (Path, "write_text")]
        for owner, name in acts:
            for lived in range(9):
                with self.subTest(act=name, lived=lived):
                    shutil.rmtree(self.root)
                    self.root.mkdir()
                    registry.promote(self.registry, candidate(self.root, "old"))
                    made = candidate(self.root)
                    self.crash_after(lived, owner, name, made)
                    self.assert_whole()
                    self.assertEqual(registry.promote(self.registry, made), "v2")
                    self.assertEqual((self.served(), self.versions()), ("v2", ["v1", "v2"]))
                    self.assert_whole()

    def crash_after(self, lived, owner, name, made):
        """Promotes, and crashes instead of doing the act `name` when it has been done `lived` times."""
        true = getattr(owner, name)
        calls = []

        def act(*arguments, **named):
            if len(calls) == lived:
                raise Crash
            calls.append(arguments)
            return true(*arguments, **named)

        with mock.patch.object(owner, name, act):
            try:
                registry.promote(self.registry, made)
            except Crash:
                pass

    def test_promotions_at_the_same_time_wait_for_each_other(self):
        same = candidate(self.root, "same")
        others = [candidate(self.root, f"other{i}") for i in range(3)]
        with multiprocessing.get_context("fork").Pool(6) as pool:
            got = pool.starmap(registry.promote, [(self.registry, made) for made in [same] * 3 + others])
        self.assertEqual(len(set(got[:3])), 1)
        self.assertEqual(sorted(set(got)), ["v1", "v2", "v3", "v4"])
        self.assertEqual(self.versions(), ["v1", "v2", "v3", "v4"])
        self.assert_whole()

    def test_old_versions_go_but_never_the_one_that_is_served(self):
        for i in range(8):
            registry.promote(self.registry, candidate(self.root, f"c{i}"))
        registry.serve(self.registry, "v2")
        self.assertEqual(registry.prune(self.registry, 5), ["v1", "v3"])
        self.assertEqual(self.versions(), ["v2", "v4", "v5", "v6", "v7", "v8"])
        self.assert_whole()
