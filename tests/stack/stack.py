"""The whole stack on loopback: the services, the sidecar, Prometheus and its kin, Airflow, in one temporary folder."""

import os
import pathlib

import settings
import web
from airflow import DAG, LOGIN, Airflow
from process import free_ports, run

ROOT = settings.ROOT
HOSTS = [
    "auth:8001",
    "predict:8002",
    "traffic:8003",
    "drift-sidecar:9877",
    "retrain-webhook:9878",
    "prometheus:9090",
    "alertmanager:9093",
    "blackbox:9115",
    "airflow-webserver:8080",
]
SECRET = "a secret of this test, of more than 32 bytes"
PASSWORD = "shop123"
RATE = "40"


class Stack:
    def __init__(self, programs, folder):
        self.programs, self.folder = programs, pathlib.Path(folder)
        ports = free_ports(len(HOSTS) + 2)
        self.address = {host: f"127.0.0.1:{port}" for host, port in zip(HOSTS, ports, strict=False)}
        self.files = self.folder / "files"
        built = ROOT / "target" / ("release" if os.environ.get("CARGO_PROFILE") == "release" else "debug")
        self.program = {name: built / name for name in ("auth_service", "predict_service", "traffic", "drift-sidecar")}
        pipeline = {
            "LOGS": str(self.folder / "logs"),
            "REGISTRY": str(self.folder / "registry"),
            "WORKSPACE": str(self.folder / "workspace"),
            "DVC_REMOTE": str(self.folder / "dvc-remote"),
            "SEASON_SECONDS": "600",
        }
        self.pipeline = pipeline
        for name in ("logs/requests", "logs/outcomes", "state", "airflow"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        airflow_port = self.address["airflow-webserver:8080"].split(":")[1]
        self.airflow = Airflow(programs, self.folder / "airflow", airflow_port, ports[-2:], pipeline)
        self.prometheus = web.Prometheus(self.url("prometheus:9090"))

    def url(self, host):
        return f"http://{self.address[host]}"

    def first_model(self):
        """What the shop sold before there was a model, and the model of that."""
        products = self.folder / "products.parquet"
        run([self.program["traffic"], "history", "--rows", "6000", "--output", products])
        pipeline = [ROOT / ".venv-pipeline/bin/python", "-m", "pipeline", "first", "--products", products]
        run(pipeline, {**self.pipeline, "PYTHONPATH": str(ROOT / "airflow")}, self.programs.log("first-model"))

    def start_services(self):
        address, start = self.address, self.programs.start
        secret = {"JWT_SECRET": SECRET}
        users = ROOT / "examples/config/users.json"
        auth = [self.program["auth_service"], "--listen", address["auth:8001"], "--users", users]
        start("auth", auth, secret)
        predict = [self.program["predict_service"], "--listen", address["predict:8002"], "--rotate-seconds", "1"]
        folders = ["--registry", self.pipeline["REGISTRY"], "--logs", self.pipeline["LOGS"]]
        start("predict", [*predict, *folders], secret)
        for host in ("auth:8001", "predict:8002"):
            web.wait(f"{host} is healthy", 60, lambda host=host: web.answers(self.url(host) + "/health"))
        traffic = [self.program["traffic"], "run", "--listen", address["traffic:8003"], "--user", "shop"]
        services = ["--auth", self.url("auth:8001"), "--predict", self.url("predict:8002")]
        pace = ["--rate", RATE, "--label-delay", "2s"]
        start("traffic", [*traffic, *services, *pace], {"TRAFFIC_PASSWORD": PASSWORD})
        start("drift-sidecar", [self.program["drift-sidecar"], "run", "--config", self.files / "stack.yaml"])

    def start_monitoring(self):
        """Prometheus, Alertmanager and Blackbox with the files of monitoring/, and the way to Airflow."""
        settings.write(self.files, self.address)
        address, start = self.address, self.programs.start
        webhook = [self.program["drift-sidecar"], "retrain-webhook", "--listen", address["retrain-webhook:9878"]]
        airflow = ["--airflow-url", self.airflow.url, "--dag", DAG, "--airflow-user", LOGIN[0]]
        start("retrain-webhook", [*webhook, *airflow], {"AIRFLOW_PASSWORD": LOGIN[1]})
        start("blackbox", ["prometheus-blackbox-exporter", f"--config.file={self.files}/blackbox.yml",
                           f"--web.listen-address={address['blackbox:9115']}"])
        start("alertmanager", ["prometheus-alertmanager", f"--config.file={self.files}/alertmanager.yml",
                               f"--storage.path={self.folder}/alertmanager", "--cluster.listen-address=",
                               f"--web.listen-address={address['alertmanager:9093']}"])
        start("prometheus", ["prometheus", f"--config.file={self.files}/prometheus.yml",
                             f"--storage.tsdb.path={self.folder}/prometheus",
                             f"--web.listen-address={address['prometheus:9090']}",
                             f"--web.external-url={self.url('prometheus:9090')}",
                             "--rules.alert.for-grace-period=1m"])
        for host, path in (("prometheus:9090", "/-/ready"), ("alertmanager:9093", "/-/ready"),
                           ("blackbox:9115", "/-/healthy"), ("retrain-webhook:9878", "/-/healthy")):
            web.wait(f"{host} is up", 60, lambda host=host, path=path: web.answers(self.url(host) + path))

    def drift(self, share):
        """From now on this share of the products is of another season."""
        web.ask(self.url("traffic:8003") + "/settings", {"drift": share}, method="POST")

    def version(self):
        """The version of the model that is served."""
        return web.ask_json(self.url("predict:8002") + "/model-info")["version"]
