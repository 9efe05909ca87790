"""A real Alertmanager with the real config, its waits shortened, and receivers that note what is delivered to them."""

import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from rules import ROOT, load

CONFIG = ROOT / "monitoring/prometheus/alertmanager.yml"
DEADLINE = 30


def until(what, condition):
    """The condition's first true result; a failure that names it when there is none in time."""
    end = time.monotonic() + DEADLINE
    while not (result := condition()):
        assert time.monotonic() < end, f"not within {DEADLINE} s: {what}"
        time.sleep(0.02)
    return result


class Receivers:
    """An HTTP server; each path is a receiver. `answers` are the status codes of the next deliveries to a path."""

    def __init__(self):
        self.deliveries = []
        self.answers = {}
        receivers = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                left = receivers.answers.get(self.path, [])
                status = left.pop(0) if left else 200
                receivers.deliveries.append((self.path, status, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, receiver, **group):
        """What a receiver took of a group: of each delivery the alerts' names, a minus before those that resolved."""
        sign = {"firing": "", "resolved": "-"}
        return [
            sorted(sign[alert["status"]] + alert["labels"]["alertname"] for alert in body["alerts"])
            for path, status, body in list(self.deliveries)
            if path == f"/{receiver}" and status == 200 and body["groupLabels"] == group
        ]


def config(url):
    """The project's config: short waits, and both receivers at `url`."""
    whole = load(CONFIG)
    whole["route"].update(group_wait="1s", group_interval="1s", repeat_interval="1h")
    for receiver in whole["receivers"]:
        webhook = receiver.get("webhook_configs", [{"send_resolved": True}])[0]
        receiver["webhook_configs"] = [webhook | {"url": f"{url}/{receiver['name']}"}]
    return yaml.safe_dump(whole)


class Alertmanager:
    def __enter__(self):
        self.receivers = Receivers()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        (path / "alertmanager.yml").write_text(config(self.receivers.url))
        self.log = path / "log"
        self.process = subprocess.Popen(
            [
                os.environ.get("ALERTMANAGER", "prometheus-alertmanager"),
                f"--config.file={path / 'alertmanager.yml'}",
                f"--storage.path={path / 'data'}",
                "--cluster.listen-address=",
                "--web.listen-address=127.0.0.1:0",
            ],
            stderr=self.log.open("w"),
        )
        listening = until("Alertmanager listens", lambda: re.search(r"address=(127[\d.:]+)", self.log.read_text()))
        self.url = f"http://{listening[1]}/api/v2/alerts"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.receivers.server.shutdown()
        self.folder.cleanup()

    def post(self, *alerts, resolved=False):
        """Alerts are dicts of labels. They start, or they end, now."""
        # An alert that is older than `group_wait` would be told at once, before its cause is known.
        now = datetime.now(UTC)
        times = {"startsAt": now.isoformat(), "endsAt": (now if resolved else now + timedelta(hours=1)).isoformat()}
        if resolved:
            del times["startsAt"]
        body = json.dumps([{"labels": labels, "annotations": {}} | times for labels in alerts]).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=DEADLINE).close()

    def settle(self):
        """Until two more rounds are over, seen by a group of its own that grows: what is not told then, never is."""
        marker = {"model": f"marker {time.monotonic()}"}
        for round_number in range(3):
            self.post(marker | {"alertname": f"Marker{round_number}"})
            until("a round is over", lambda: len(self.receivers.told("on_call", **marker)) > round_number)
