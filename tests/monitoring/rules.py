"""The alert rules and their stories, read once for all checks."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "monitoring/prometheus/alert_rules.yml"
STORIES = sorted(RULES.parent.glob("*_test.yml"))


def load(path):
    return yaml.safe_load(path.read_text())


def rules():
    """All rules, recording ones too, in the order of the file."""
    return [rule for group in load(RULES)["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]
