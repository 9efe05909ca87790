"""A test with a shop of its own in a temporary folder, whose steps are run as Airflow runs them."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests import shop

HERE = Path(__file__).resolve().parents[2]


class PipelineCase(unittest.TestCase):
    """Folders of a stack under `self.root`; each test begins with none of them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.logs, self.registry = self.root / "logs", self.root / "registry"
        self.workspace, self.remote = self.root / "workspace", self.root / "remote"
        self.env = {"LOGS": str(self.logs), "REGISTRY": str(self.registry), "WORKSPACE": str(self.workspace),
                    "DVC_REMOTE": str(self.remote)}

    def step(self, name, *arguments, code=0, **env):
        """Runs a step, expects its exit code, and returns all that it said."""
        done = subprocess.run([sys.executable, "-m", "pipeline", name, *arguments], cwd=HERE, text=True,
                              env=os.environ | self.env | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, code, done.stdout)
        self.assertNotIn("Traceback", done.stdout)
        return done.stdout

    def first(self, count=1500):
        """Makes v1 from products before any drift."""
        shop.write_products(self.root / "products.parquet", shop.products(count))
        return self.step("first", "--products", str(self.root / "products.parquet"))

    def retrain(self):
        """Runs all steps of a run whose candidate is better."""
        return "".join(self.step(name) for name in ("pull", "train", "validate", "better", "promote", "push"))

    def served(self):
        """Name of the version that is served."""
        return os.path.basename(os.readlink(self.registry / "current"))

    def versions(self):
        """Names in the registry's folder of versions, also of those that are not whole."""
        return sorted(path.name for path in (self.registry / "versions").iterdir())
