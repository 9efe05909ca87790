"""The files of monitoring/ and config/ as the loopback stack uses them: other targets, shorter times, nothing else.

Of the rules only `offset` and the two kinds of `for` change; what they ask and compare stays as it is written.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"

# One hour ago becomes this long ago, and a `for` this part of itself.
OFFSET = "90s"
FOR_PART = 30

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def replaced(text, old, new, at_least=1):
    """`text` with every `old` as `new`; fails where there are fewer than expected, so that no override is silent."""
    found = len(re.findall(old, text))
    assert found >= at_least, f"{old} is there {found} times, not {at_least}"
    return re.sub(old, new, text)


def retargeted(text, addresses):
    """Compose's host names as loopback addresses: {"auth:8001": "127.0.0.1:40001", ...}"""
    for name, address in addresses.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?!\d)", address, text)
    return text


def shorter(match):
    seconds = int(match[2]) * SECONDS[match[3]]
    return f"{match[1]}{max(1, seconds // FOR_PART)}s"


def rules(text):
    text = replaced(text, r"offset 1h\b", f"offset {OFFSET}")
    return re.sub(r"((?:for|keep_firing_for): )(\d+)([smhd])\b", shorter, text)


def prometheus(text, addresses):
    text = replaced(text, r"(scrape|evaluation)_interval: 15s", r"\1_interval: 2s", 2)
    text = replaced(text, r"scrape_timeout: \d+s", "scrape_timeout: 2s", 0)
    return retargeted(text, addresses)


def alertmanager(text, addresses):
    text = replaced(text, r"group_wait: \w+", "group_wait: 1s")
    text = replaced(text, r"group_interval: \w+", "group_interval: 5s")
    return retargeted(text, addresses)


def sidecar(text, folder, address):
    text = replaced(text, r"/data/", f"{folder}/", 4)
    text = replaced(text, r"windows: \[5m, 1h\]", "windows: [1m, 10m]")
    return f"listen: {address}\nevaluate_every: 2s\n{text}"


def write(folder, addresses):
    """All files below `folder`, as the programs are to read them."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "blackbox.yml").write_text((MONITORING / "blackbox/blackbox.yml").read_text())
    source = MONITORING / "prometheus"
    (folder / "prometheus.yml").write_text(prometheus((source / "prometheus.yml").read_text(), addresses))
    (folder / "alert_rules.yml").write_text(rules((source / "alert_rules.yml").read_text()))
    (folder / "alertmanager.yml").write_text(alertmanager((source / "alertmanager.yml").read_text(), addresses))
    text = sidecar((ROOT / "config/stack.yaml").read_text(), folder.parent, addresses["drift-sidecar:9877"])
    (folder / "stack.yaml").write_text(text)
