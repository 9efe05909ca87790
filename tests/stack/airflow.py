"""A real Airflow on loopback: its own home, database, web server and scheduler, the project's DAG."""

import os
import pathlib

import web
from process import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAG = "ml_pipeline_mixed_experiment_dvc"
LOGIN = ("admin", "admin")


class Airflow:
    def __init__(self, programs, folder, port, log_ports, pipeline):
        """`pipeline`: the pipeline's settings, as environment variables."""
        self.programs, self.url = programs, f"http://127.0.0.1:{port}"
        self.port = port
        venv = ROOT / ".venv-airflow/bin"
        self.program = venv / "airflow"
        self.environment = {
            "AIRFLOW_HOME": str(folder),
            "PATH": f"{venv}{os.pathsep}{os.environ['PATH']}",  # the executor looks for `airflow` there
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
            "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
            "AIRFLOW__WEBSERVER__WORKERS": "1",
            "AIRFLOW__WEBSERVER__SECRET_KEY": "of-this-test",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_ports[0]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(log_ports[1]),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PIPELINE_PYTHON": str(ROOT / ".venv-pipeline/bin/python"),
            **pipeline,
        }

    def prepare(self):
        """The database and its user."""
        log = self.programs.log("airflow-init")
        run([self.program, "db", "migrate"], self.environment, log)
        user = ["--username", LOGIN[0], "--password", LOGIN[1], "--role", "Admin"]
        person = ["--firstname", "Ada", "--lastname", "Admin", "--email", "admin@example.com"]
        run([self.program, "users", "create", *user, *person], self.environment, log)

    def start_scheduler(self):
        self.programs.start("airflow-scheduler", [self.program, "scheduler"], self.environment)

    def start_web(self):
        command = [self.program, "webserver", "--port", self.port, "--hostname", "127.0.0.1"]
        self.programs.start("airflow-webserver", command, self.environment)

    def up(self):
        return web.answers(f"{self.url}/health")

    def runs(self):
        """The DAG's runs, as the API tells them."""
        return web.ask_json(f"{self.url}/api/v1/dags/{DAG}/dagRuns", login=LOGIN)["dag_runs"]

    def tasks(self, run_id):
        """{task: state} of a run."""
        answer = web.ask_json(f"{self.url}/api/v1/dags/{DAG}/dagRuns/{run_id}/taskInstances", login=LOGIN)
        return {task["task_id"]: task["state"] for task in answer["task_instances"]}

    def told(self):
        """The tasks' own logs, for the one who reads a failure."""
        for log in sorted(pathlib.Path(self.environment["AIRFLOW_HOME"]).glob(f"logs/dag_id={DAG}/**/*.log")):
            print(f"--- {log.parent.name}\n" + "".join(log.read_text(errors="replace").splitlines(True)[-25:]))
