"""Authentication: can people and services log in, how long does it take, and is the service there."""

from .board import FIRING, RETRAINED, dashboard, firing_count
from .panels import BAD, GOOD, WARN, heatmap, mappings, query, row, stat, steps, timeseries

RATE = "[$__rate_interval]"
JOB = 'job="auth_service"'
LOGIN = f'{JOB}, endpoint="/token"'
UP = mappings(v0=("down", BAD), v1=("up", GOOD))
RED_AT_0 = steps((1, GOOD), base=BAD)


def requests(selector):
    return f"sum(rate(auth_service_requests_total{{{selector}}}{RATE}))"


def quantile(share, selector):
    buckets = f"rate(auth_service_request_latency_seconds_bucket{{{selector}}}{RATE})"
    return f"histogram_quantile({share}, sum by (le) ({buckets}))"


def now():
    good = requests(f'{LOGIN}, status_code=~"2.."')
    broken = requests(f'{JOB}, status_code=~"5.."')
    return row(
        "Now",
        stat("Health", "The service's health check as the Blackbox exporter sees it from outside.",
             'min(probe_success{job="api_probe", service="auth_service"})',
             words=UP, thresholds=RED_AT_0, graph=False),
        stat("Logins that succeed", "Share of logins answered with a token. Wrong passwords lower it too: see Logins "
             "by answer for which it is.", f"({good} or vector(0)) / {requests(LOGIN)}", "percentunit",
             steps((0.5, WARN), (0.9, GOOD), base=BAD), decimals=1),
        stat("Logins", "Logins a second, whatever the answer.", requests(LOGIN), "reqps", plain=True),
        stat("Errors", "Share of all requests answered with 5xx: the service's own fault.",
             f"({broken} or vector(0)) / {requests(JOB)}", "percentunit", steps((0.001, WARN), (0.01, BAD)),
             decimals=2),
        stat("Login takes, p95", "Nineteen of twenty logins are faster. Hashing the password is meant to take time.",
             quantile(0.95, LOGIN), "s", steps((0.5, WARN), (1, BAD))),
        firing_count(FIRING.replace("}", f', service="auth_service"}}'), "of this service"),
    )


def logins():
    by_code = f"sum by (status_code) (rate(auth_service_requests_total{{{LOGIN}}}{RATE}))"
    answers = [
        query(requests(f'{LOGIN}, status_code=~"2.."'), "answered with a token"),
        query(requests(f'{LOGIN}, status_code=~"4.."') + " or vector(0)", "refused (4xx)"),
        query(requests(f'{LOGIN}, status_code=~"5.."') + " or vector(0)", "error (5xx)"),
    ]
    refused = requests(f'{LOGIN}, status_code=~"4.."')
    return row(
        "Logins",
        timeseries("Logins by answer", "A token, refused (wrong password, malformed form), or an error of the service.",
                   answers, "reqps", low=0, stack=True),
        timeseries("Share of logins refused", "A jump means a wrong password in some service's settings, or someone "
                   "who tries passwords.", [query(f"({refused} or vector(0)) / {requests(LOGIN)}", "refused")],
                   "percentunit", steps((0.1, WARN), (0.5, BAD)), line="dashed", low=0, high=1),
        timeseries("Login takes", "How long logins take, by quantiles.",
                   [query(quantile(share, LOGIN), f"p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)], "s",
                   steps((0.5, WARN), (1, BAD)), low=0),
        heatmap("Logins by how long they took", "Each column is a moment, each cell how many logins a second took so "
                "long. Two bands mean two kinds of request.",
                f"sum by (le) (rate(auth_service_request_latency_seconds_bucket{{{LOGIN}}}{RATE}))"),
        timeseries("Login status codes", "The statuses one by one.", [query(by_code, "{{status_code}}")], "reqps",
                   low=0, size=(24, 7)),
    )


def everything():
    by_endpoint = f"sum by (method, endpoint) (rate(auth_service_requests_total{{{JOB}}}{RATE}))"
    errors = f'sum by (endpoint, status_code) (rate(auth_service_requests_total{{{JOB}, status_code=~"[45].."}}{RATE}))'
    slow = f"sum by (le, endpoint) (rate(auth_service_request_latency_seconds_bucket{{{JOB}}}{RATE}))"
    return row(
        "All requests",
        timeseries("Requests by endpoint", "Requests a second, by method and path.",
                   [query(by_endpoint, "{{method}} {{endpoint}}")], "reqps", low=0, size=(8, 8)),
        timeseries("Refused and failed, by endpoint", "Answers of 4xx and 5xx a second. Nothing here is good.",
                   [query(errors, "{{endpoint}} {{status_code}}")], "reqps", steps((0.1, WARN), (1, BAD)), low=0,
                   size=(8, 8)),
        timeseries("p95 by endpoint", "Nineteen of twenty requests are faster.",
                   [query(f"histogram_quantile(0.95, {slow})", "{{endpoint}}")], "s", steps((0.5, WARN), (1, BAD)),
                   low=0, size=(8, 8)),
    )


def build(name):
    return dashboard(name, "Can people and services log in, how long does it take, and is the service there.",
                     [now(), logins(), everything()], marks=RETRAINED, tags=["authentication"])
