"""Builders for Grafana's panel JSON: what all panels share is said here once, and layout is a flow of 24 columns."""

import re

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}

# One meaning, one colour, on all dashboards. They are Grafana's own names, made for the dark theme.
GOOD, WARN, BAD = "green", "orange", "red"
NOW, ESTIMATE, REFERENCE, NOISE, QUIET = "blue", "#33C7DE", "#9FA7B3", "purple", "text"

# How a series looks, by its legend. A rule is a regular expression and the properties it sets.
STYLES = [
    ("/reference|hour ago|before/", {"color": REFERENCE, "dash": [8, 6], "fill": 0}),
    ("/threshold|limit/", {"color": BAD, "dash": [4, 4], "fill": 0}),
    ("/estimated/", {"dash": [10, 6], "fill": 0}),
    ("/noise/", {"color": NOISE, "dash": [2, 4], "fill": 0}),
    ("/refused|4xx|dropped/", {"color": WARN}),
    ("/error|5xx|failed|p99/", {"color": BAD}),
    ("/p95/", {"color": WARN}),
    ("/p50|^answered|^accepted|^written/", {"color": GOOD}),
]


def f1_gauge():
    """How a table shows an F1 that is good or bad."""
    return {"custom_cellOptions": {"type": "gauge", "mode": "gradient", "valueDisplayMode": "text"}, "min": 0, "max": 1,
            "decimals": 3, "thresholds": steps((0.5, WARN), (0.8, GOOD), base=BAD)}


def query(expr, legend, **more):
    """One expression over time, and how its series are called."""
    return {"expr": expr, "legendFormat": legend, "range": True, "instant": False, **more}


def instant(expr, legend="__auto"):
    """One expression now; as rows where a table shows it."""
    return {"expr": expr, "legendFormat": legend, "range": False, "instant": True, "format": "table"}


def steps(*pairs, base=GOOD):
    """Thresholds: the colour at the bottom, then (value, colour) upwards."""
    values = [{"color": base, "value": None}, *({"color": color, "value": value} for value, color in pairs)]
    return {"mode": "absolute", "steps": values}


def mappings(**texts):
    """Words for values: `v0=("down", BAD)` shows 0 as a red `down`."""
    options = {}
    for index, (key, (text, color)) in enumerate(texts.items()):
        options[key.removeprefix("v")] = {"text": text, "color": color, "index": index}
    return [{"type": "value", "options": options}]


def override(matcher, options, **properties):
    """Field properties for the fields that a matcher finds; `custom_x` means `custom.x`."""
    names = {name: name.replace("custom_", "custom.", 1) for name in properties}
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": names[name], "value": value} for name, value in properties.items()],
    }


def band(low, high, color, opacity):
    """The overrides that fill the place between two series, by their legends, and draw no line."""
    fixed = {"mode": "fixed", "fixedColor": color}
    hidden = {"legend": True, "tooltip": False, "viz": False}
    return [
        override("byName", low, custom_lineWidth=0, custom_fillOpacity=0, color=fixed, custom_hideFrom=hidden),
        override("byName", high, custom_lineWidth=0, custom_fillOpacity=opacity, custom_fillBelowTo=low, color=fixed,
                 custom_hideFrom=hidden),
    ]


def styled(queries):
    """The overrides of STYLES that the legends of these queries call for."""
    for pattern, style in STYLES:
        if not any(re.search(pattern.strip("/"), target["legendFormat"]) for target in queries):
            continue
        properties = {}
        if "color" in style:
            properties["color"] = {"mode": "fixed", "fixedColor": style["color"]}
        if "dash" in style:
            properties["custom_lineStyle"] = {"fill": "dash", "dash": style["dash"]}
        if "fill" in style:
            properties["custom_fillOpacity"] = style["fill"]
        yield override("byRegexp", pattern, **properties)


def panel(kind, title, description, queries, size, defaults, options, overrides=(), **more):
    """What every panel has. `size` is (width, height) in grid units; the flow turns it into a place."""
    targets = [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "editorMode": "code", **target}
               for i, target in enumerate(queries)]
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        "targets": targets,
        **more,
    }


def stat(title, description, expr, unit="none", thresholds=None, *, legend="now", size=(4, 4), graph=True, words=None,
         text_mode="value", decimals=None, plain=False):
    """One number, large, coloured by its thresholds. `plain` is for numbers that are neither good nor bad."""
    defaults = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "thresholds": thresholds or steps(base=QUIET if plain else GOOD),
        "mappings": words or [],
        "noValue": "none yet",
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "value",
        "graphMode": "area" if graph else "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": text_mode,
        "wideLayout": True,
    }
    return panel("stat", title, description, [query(expr, legend)], size, defaults, options)


def timeseries(title, description, queries, unit="none", thresholds=None, *, size=(12, 8), low=None, high=None,
               line="off", stack=False, fill=8, overrides=(), decimals=None, links=None, **more):
    """Lines over time. `line` says how the thresholds are drawn: off, dashed, area."""
    custom = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "fillOpacity": 40 if stack else fill,
        "showPoints": "never",
        "spanNulls": False,
        "axisPlacement": "auto",
        "scaleDistribution": {"type": "linear"},
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "thresholdsStyle": {"mode": line},
    }
    defaults = {
        "unit": unit,
        "color": {"mode": "palette-classic-by-name"},
        "custom": custom,
        "thresholds": thresholds or steps(),
        "mappings": [],
    }
    limits = {"min": low, "max": high, "decimals": decimals, "links": links}
    defaults.update({name: value for name, value in limits.items() if value is not None})
    options = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, queries, size, defaults, options, [*styled(queries), *overrides],
                 **more)


def table(title, description, queries, columns, thresholds=None, *, size=(24, 9), sort=None, unit="none", desc=True):
    """Instant answers joined into rows. `columns` maps a field to its heading and its properties, in order; fields
    that are not named are left out."""
    names = list(columns)
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": names}}},
        {"id": "organize", "options": {
            "excludeByName": {},
            "indexByName": {name: i for i, name in enumerate(names)},
            "renameByName": {name: heading for name, (heading, _) in columns.items()},
        }},
    ]
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False}
    defaults = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "custom": custom,
        "thresholds": thresholds or steps(base=QUIET),
        "mappings": [],
        "noValue": "none",
    }
    options = {
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False},
        "frameIndex": 0,
        "showHeader": True,
        "sortBy": [{"displayName": sort, "desc": desc}] if sort else [],
    }
    overrides = [override("byName", heading, **properties) for heading, properties in columns.values() if properties]
    return panel("table", title, description, queries, size, defaults, options, overrides,
                 transformations=transformations)


def heatmap(title, description, buckets, unit="s", *, size=(12, 8)):
    """A histogram's buckets over time: how many answers took how long."""
    defaults = {
        "unit": "reqps",
        "thresholds": steps(),
        "mappings": [],
        "custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False},
                   "scaleDistribution": {"type": "linear"}},
    }
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": "reqps"},
        "color": {"exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": False, "scale": "exponential",
                  "scheme": "Turbo", "steps": 64},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    return panel("heatmap", title, description, [query(buckets, "{{le}}", format="heatmap")], size, defaults, options)


def row(title, *panels, collapsed=False):
    """A heading and its panels; a collapsed one asks nothing of Prometheus until it is opened."""
    return {"title": title, "collapsed": collapsed, "panels": list(panels)}


def flow(rows):
    """Panels with ids and places: from left to right, a new line where 24 columns are full. What is in a collapsed
    row takes no place until Grafana opens it and moves the rest down."""
    placed, bottom, ids = [], 0, 0
    for heading in rows:
        ids += 1
        line = {"id": ids, "type": "row", "title": heading["title"], "collapsed": heading["collapsed"], "panels": [],
                "gridPos": {"x": 0, "y": bottom, "w": 24, "h": 1}}
        placed.append(line)
        inside = line["panels"] if heading["collapsed"] else placed
        y, x, tallest = bottom + 1, 0, 0
        for item in heading["panels"]:
            ids += 1
            width, height = item["gridPos"]["w"], item["gridPos"]["h"]
            if x + width > 24:
                x, y, tallest = 0, y + tallest, 0
            inside.append({"id": ids, **item, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
            x, tallest = x + width, max(tallest, height)
        bottom = bottom + 1 if heading["collapsed"] else y + tallest
    return placed
