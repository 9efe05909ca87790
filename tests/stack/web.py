"""Plain HTTP for the stack's tests: JSON in, JSON out, and waiting for an answer."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    """An answer that is no success: its status and text."""

    def __init__(self, url, status, text):
        super().__init__(f"{url} answers {status}: {text[:300]}")
        self.status = status


def ask(url, body=None, login=None, method=None, timeout=10):
    """The answer's text. `body`: JSON to send; `login`: (user, password)."""
    headers = {}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Refused(url, error.code, error.read().decode(errors="replace")) from None


def ask_json(url, body=None, login=None, method=None):
    return json.loads(ask(url, body, login, method))


def answers(url):
    """Whether `url` gives a success now."""
    try:
        ask(url, timeout=5)
        return True
    except (Refused, OSError):
        return False


def wait(what, seconds, found, pause=0.5):
    """The first truthy answer of `found()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = found()
        except (Refused, OSError, KeyError, IndexError) as error:
            answer, last = None, error
        else:
            last = answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last: {last})")
        time.sleep(pause)


class Prometheus:
    """The query API of a Prometheus."""

    def __init__(self, url):
        self.url = url

    def query(self, expression):
        """Instant vector: [({label: value}, number)]."""
        answer = ask_json(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def number(self, expression):
        """The only number of an expression, or None."""
        series = self.query(expression)
        return series[0][1] if series else None

    def alerts(self):
        """{alert name: state}, the strongest state of each."""
        states = {}
        for alert in ask_json(f"{self.url}/api/v1/alerts")["data"]["alerts"]:
            name = alert["labels"]["alertname"]
            states[name] = "firing" if "firing" in (alert["state"], states.get(name)) else alert["state"]
        return states

    def targets(self):
        """{job: [(health, last error)]}"""
        jobs = {}
        for target in ask_json(f"{self.url}/api/v1/targets?state=active")["data"]["activeTargets"]:
            jobs.setdefault(target["labels"]["job"], []).append((target["health"], target["lastError"]))
        return jobs
