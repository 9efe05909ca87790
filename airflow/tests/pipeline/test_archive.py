"""The archive: what was pushed comes back in a workspace that knows nothing but the remote."""
import shutil
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from tests import shop
from tests.pipeline.case import PipelineCase

FILES = ("evaluation.json", "model.json", "reference.parquet")


class Archive(PipelineCase):
    """Each test begins with a copy of a shop that was retrained once."""

    retrained = None

    def setUp(self):
        super().setUp()
        if Archive.retrained:
            shutil.copytree(Archive.retrained, self.root, symlinks=True, dirs_exist_ok=True)
            return
        self.first()
        shop.write_logs(self.logs, shop.products(1000, drift=0.8, seed=2))
        self.retrain()
        made = TemporaryDirectory()
        self.addClassCleanup(made.cleanup)
        shutil.copytree(self.root, made.name, symlinks=True, dirs_exist_ok=True)
        Archive.retrained = made.name

    def test_new_workspace_has_all_that_was_pushed(self):
        kept = (self.workspace / "data" / "labelled.parquet").read_bytes()
        shutil.rmtree(self.workspace)
        shutil.rmtree(self.logs)
        self.assertIn("there are 0 labelled rows", self.step("pull", code=1))
        for version in ("v1", "v2"):
            for name in FILES:
                there = (self.registry / "versions" / version / name).read_bytes()
                self.assertEqual((self.workspace / "registry" / version / name).read_bytes(), there)
        self.assertEqual((self.workspace / "data" / "labelled.parquet").read_bytes(), kept)
        self.assertEqual(pq.read_table(self.workspace / "data" / "labelled.parquet").num_rows, 1000)

    def test_pushing_again_changes_nothing(self):
        before = sorted(path for path in self.remote.rglob("*"))
        self.assertIn("archived up to v2", self.step("push"))
        self.assertEqual(sorted(path for path in self.remote.rglob("*")), before)
        self.assertEqual(self.versions(), ["v1", "v2"])

    def test_version_whose_push_failed_is_archived_with_the_next_one(self):
        shutil.rmtree(self.remote / "pointers" / "v2")
        shutil.rmtree(self.remote / "files")
        said = self.step("push")
        self.assertIn("dvc add --quiet registry/v2", said)
        self.assertTrue((self.remote / "pointers" / "v2" / "data" / "labelled.parquet.dvc").exists())
        shutil.rmtree(self.workspace)
        self.assertNotIn("not complete", self.step("pull"))

    def test_damaged_archive_is_said_and_does_not_keep_a_model_from_being_trained(self):
        shutil.rmtree(self.workspace)
        shutil.rmtree(self.remote / "files")
        self.assertIn("the archive is not complete", self.step("pull"))
        self.step("train")

    def test_registry_that_was_lost_does_not_give_a_number_again(self):
        shutil.rmtree(self.registry)
        self.first()
        self.assertIn("v3 is served", self.retrain())
