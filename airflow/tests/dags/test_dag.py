"""The DAG with the real Airflow: it loads, and whole runs of it go through in the shop of the tests.

PIPELINE_PYTHON names the pipeline's interpreter; `airflow/tests/run` sets it.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
STEPS = ["alert", "pull", "train", "validate", "better", "promote", "push"]
ALERT = {"labels": {"alertname": "ModelF1Drop", "quoted": "'\"; exit 7; $(exit 7) {{ 7 * 7 }} </script>"},
         "annotations": {"summary": "größer"}, "startsAt": "2999-01-01T00:00:00Z", "fingerprint": "f00d"}


def setUpModule():
    """An Airflow home, a database and a shop of its own for all tests of this file."""
    global root
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    root = Path(folder.name)
    os.environ |= {
        "AIRFLOW_HOME": str(root / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "LOGS": str(root / "logs"),
        "REGISTRY": str(root / "registry"),
        "WORKSPACE": str(root / "workspace"),
        "DVC_REMOTE": str(root / "remote"),
    }
    python = os.environ["PIPELINE_PYTHON"]
    subprocess.run([python, "-m", "tests.shop", str(root)], cwd=HERE, check=True)
    subprocess.run([python, "-m", "pipeline", "first", "--products", str(root / "products.parquet")], cwd=HERE,
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def loaded():
    """The DAG, and the errors of loading the folder."""
    from airflow.models.dagbag import DagBag

    bag = DagBag(HERE / "dags", include_examples=False)
    return bag.dags.get("ml_pipeline_mixed_experiment_dvc"), bag.import_errors


def run(conf):
    """Runs the DAG to its end; returns (state of the run, state by task)."""
    dag_run = loaded()[0].test(run_conf=conf)
    return dag_run.state, {task.task_id: task.state for task in dag_run.get_task_instances()}


class Dag(unittest.TestCase):
    def test_loads_with_its_tasks_in_a_row(self):
        dag, errors = loaded()
        self.assertEqual(errors, {})
        self.assertEqual([task.task_id for task in dag.topological_sort()], STEPS)
        for before, after in zip(STEPS, STEPS[1:]):
            self.assertEqual(dag.get_task(before).downstream_task_ids, {after})

    def test_waits_for_alerts_one_run_at_a_time(self):
        dag, _ = loaded()
        self.assertFalse(dag.is_paused_upon_creation)
        self.assertFalse(dag.catchup)
        self.assertEqual(dag.max_active_runs, 1)
        for task in dag.tasks:
            self.assertGreaterEqual(task.retries, 1)
            self.assertIsNotNone(task.execution_timeout)

    def test_runs_as_alerts_and_people_start_it(self):
        """One story, as the runs share the shop: a cure, a run that is late, one that finds nothing better."""
        with self.subTest("an alert's run serves a better model"):
            state, tasks = run({"alert": ALERT, "alerts": [ALERT], "groupKey": "{}"})
            self.assertEqual((state, tasks), ("success", dict.fromkeys(STEPS, "success")))
            self.assertEqual(os.readlink(root / "registry" / "current"), "versions/v2")
            self.assertTrue((root / "remote" / "pointers" / "v2").is_dir())
        with self.subTest("an alert that is older than the promotion trains nothing"):
            state, tasks = run({"alert": ALERT | {"startsAt": "2020-01-01T00:00:00Z"}})
            skipped = dict.fromkeys(STEPS[1:], "skipped")
            self.assertEqual((state, tasks), ("success", {"alert": "success"} | skipped))
        with self.subTest("a person's run stops where the candidate is no better"):
            state, tasks = run(None)
            done, skipped = dict.fromkeys(STEPS[:4], "success"), dict.fromkeys(STEPS[4:], "skipped")
            self.assertEqual((state, tasks), ("success", done | skipped))
            self.assertEqual(os.readlink(root / "registry" / "current"), "versions/v2")
        with self.subTest("a conf of another shape does not stop a run"):
            self.assertEqual(run({"alert": "text"})[0], "success")


if __name__ == "__main__":
    unittest.main()
