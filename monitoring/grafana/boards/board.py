"""What the three dashboards share: their names, the links between them, variables, and the moments they mark."""

from .panels import BAD, DATASOURCE, GOOD, NOISE, NOW, flow, instant, stat, steps, table

# File name (without .json), stable uid and title of each.
BOARDS = {
    "drift_and_f1_dashboard": ("drift-and-f1", "Drift and F1"),
    "prediction_performance_dashboard": ("prediction-performance", "Prediction performance"),
    "authentication_dashboard": ("authentication", "Authentication"),
}

# The answer of a `for`-less alert in the offing would flicker: what is shown is what fires.
FIRING = 'ALERTS{alertstate="firing"}'


def links(here):
    """To the two other dashboards, with time range and variables."""
    for uid, title in BOARDS.values():
        if uid != here:
            yield {"title": title, "type": "link", "url": f"/d/{uid}", "tooltip": f"{title}, same time range",
                   "icon": "dashboard", "tags": [], "asDropdown": False, "includeVars": True, "keepTime": True,
                   "targetBlank": False}


def variable(name, label, description, expr, *, regex="", multi=False):
    """A variable that Prometheus fills. Order is Prometheus's own, so the first answer is the default."""
    kind = 3 if expr.startswith("query_result(") else 1
    built = {
        "name": name, "label": label, "description": description, "type": "query", "datasource": DATASOURCE,
        "query": {"qryType": kind, "query": expr, "refId": f"variable-{name}"},
        "refresh": 2, "sort": 0, "regex": regex, "multi": multi, "includeAll": multi, "hide": 0,
    }
    if multi:
        built["current"] = {"text": ["All"], "value": ["$__all"]}
    return built


MODEL = variable("model", "Model", "The model, by its name in the sidecar's config.",
                 "label_values(drift_sidecar_model_up, model)")
# All windows of the model, the main one first: it is the default.
WINDOW = variable("window", "Window", "Sliding window of event time. The main window stands first; alerts speak of it.",
                  'query_result(sort_desc(window_main{model="$model"} or 0 * window_rows{model="$model"}))',
                  regex='/window="([^"]+)"/')
COLUMN = variable("column", "Column", "Columns whose history is shown in the row `Each column`.",
                  'label_values(drift_score{model="$model", window="$window"}, column)', multi=True)

# Where people's browsers reach the sidecar, for links to its page.
SIDECAR = {
    "name": "sidecar", "label": "Sidecar", "description": "Where your browser reaches the sidecar, for links to its page.",
    "type": "textbox", "query": "http://localhost:9877", "hide": 0,
    "current": {"text": "http://localhost:9877", "value": "http://localhost:9877"},
}


def mark(name, expr, color, title, text, *, tags="", value_is_time=False):
    """A moment on all time axes. The keys outside `target` are how Grafana before 11.6 reads it."""
    return {
        "name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color,
        "expr": expr, "step": "15s", "titleFormat": title, "textFormat": text, "tagKeys": tags,
        "useValueForTime": value_is_time, "target": {"expr": expr, "refId": "Anno", "interval": "15s"},
    }


# A series that was not there in the ten minutes before this step; a shorter gap in scraping marks nothing.
def appeared(metric, label):
    before = f"last_over_time({metric}[10m] offset $__interval)"
    return f"max by ({label}) ({metric}) unless on ({label}) {before}"


RETRAINED = [
    mark("Retraining started", "1000 * retrain_webhook_last_started_timestamp_seconds", NOISE,
         "Retraining started", "An alert started the DAG {{dag}}.", tags="dag", value_is_time=True),
    mark("Model replaced", appeared("prediction_model_info", "version"), NOW,
         "Model {{version}} serves", "The prediction service answers with model {{version}}.", tags="version"),
]
# One that trails the data is another one all the time.
REFERENCE_REPLACED = mark(
    "Reference replaced", appeared('drift_sidecar_reference_info{model="$model", mode!="trailing"}', "digest"), GOOD,
    "Reference replaced", "Windows are compared with the reference {{digest}} from here on.", tags="digest")


def dashboard(name, description, rows, *, variables=(), marks=(), tags=()):
    uid, title = BOARDS[name]
    builtin = {"name": "Annotations & Alerts", "builtIn": 1, "type": "dashboard", "enable": True, "hide": True,
               "iconColor": "rgba(0, 211, 255, 1)", "datasource": {"type": "grafana", "uid": "-- Grafana --"}}
    return {
        "uid": uid, "title": title, "description": description, "tags": ["ml-monitoring", *tags],
        "schemaVersion": 41, "version": 1, "editable": True, "fiscalYearStartMonth": 0, "graphTooltip": 1,
        "refresh": "15s", "time": {"from": "now-3h", "to": "now"}, "timezone": "browser", "weekStart": "",
        "timepicker": {"refresh_intervals": ["5s", "15s", "30s", "1m", "5m", "15m"]},
        "annotations": {"list": [builtin, *marks]},
        "templating": {"list": list(variables)},
        "links": list(links(uid)),
        "panels": flow(rows),
    }


def firing_count(selector, of_what):
    """How many alerts fire now."""
    return stat("Firing alerts", f"Alerts {of_what} that fire now. Which ones, and since when, is on the dashboard "
                "Drift and F1; what to do is in docs/operations.md.",
                f"count({selector}) or vector(0)", thresholds=steps((1, BAD)), decimals=0)


def firing_table(size=(16, 4)):
    """What fires, the newest first."""
    severity = [{"type": "value", "options": {"page": {"text": "page", "color": BAD, "index": 0},
                                              "ticket": {"text": "ticket", "color": "orange", "index": 1}}}]
    columns = {
        "alertname": ("Alert", {}),
        "severity": ("Severity", {"mappings": severity, "custom_cellOptions": {"type": "color-text"}}),
        "model": ("Model", {}),
        "window": ("Window", {}),
        "column": ("Column", {}),
        "service": ("Service", {}),
        "instance": ("Instance", {}),
        "Value": ("Since", {"unit": "dateTimeFromNow"}),
    }
    expr = f"1000 * (ALERTS_FOR_STATE and ignoring (alertstate) {FIRING})"
    return table("What fires", "Every alert that fires now and since when its condition holds. Each has a heading of "
                 "its name in docs/operations.md that says what to do. Empty is good.",
                 [instant(expr)], columns, size=size, sort="Since")
