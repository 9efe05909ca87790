"""Spoils the rules in one place at a time - a number, a duration, a label - and demands that the stories notice.

A mutant keeps the recording rules and its own alert, and is told the stories of that alert until one fails, those that
failed for the mutants before it first. What is known not to change the rule's meaning stands in EQUIVALENT, with the
reason."""

import concurrent.futures
import copy
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from rules import STORIES, load, rules

PROMTOOL = os.environ.get("PROMTOOL", "promtool")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# (rule, what is in its expression then) -> why no story can notice.
EQUIVALENT = {
    ("model:prediction_f1_score:before", "before[43200s]"): "it goes on from its last evaluation, not from far back",
    ("model:prediction_f1_score:before", "before[172800s]"): "as above",
    ("model:prediction_f1_score:before", "drop[24h]) > 0.08"): "a drop of 8 to 10 % is not held, so lasts no day",
    ("model:prediction_f1_score:reference", "reference[480s]"): "F1 ends sooner; without it a reference says nothing",
    ("LabelsStopped", 'read_total{log=~".*"}[30m])) > 0'): "while no labels come, all rows are requests",
    ("RetrainingFailed", 'unless retrain_webhook_dag_runs_total{result=~".*"}'): "the labels match all the same",
}


def changes(text):
    """The places of an expression that are spoilt: (position, length, replacement)."""
    for found in re.finditer(r"(?<![\w:.\"])(\d+)([smhd])\b", text):
        seconds = int(found[1]) * UNITS[found[2]]
        yield found.start(), len(found[0]), f"{seconds // 2}s"
        yield found.start(), len(found[0]), f"{seconds * 2}s"
    for found in re.finditer(r"(?<![\w:.\[\"-])\d+(?:\.\d+)?(?![\w:.\]\"])", text):
        value = float(found[0])
        if value == 0 and text[: found.start()].endswith("> "):
            continue  # "any at all": the comparison itself is spoilt below
        if value in (0, 1):
            yield found.start(), len(found[0]), f"{1 - value:g}"
        elif found[0] == "3":
            yield found.start(), 1, "2"
            yield found.start(), 1, "4"
        else:
            yield found.start(), len(found[0]), f"{value * 0.8:g}"
            yield found.start(), len(found[0]), f"{value * 1.2:g}"
    for found in re.finditer(r'(\w+)(=~|!~|!=|=)("[^"]*")', text):
        negated = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}[found[2]]
        yield found.start(), len(found[0]), f"{found[1]}{negated}{found[3]}"
        yield found.start(), len(found[0]), f'{found[1]}=~".*"'
    for found in re.finditer(r"(?<!-)(>=|==|[<>])(?!=)", text):
        yield found.start(), len(found[0]), {">=": "<", "==": "!=", ">": "<", "<": ">"}[found[0]]
    for found in re.finditer(r"\bmin by|\bmax by", text):
        yield found.start(), len(found[0]), "max by" if found[0] == "min by" else "min by"


def mutants():
    """(rule, what was replaced, by what, the rule as it is then)"""
    for rule in rules():
        for key in ("expr", "for", "keep_firing_for"):
            text = rule.get(key, "")
            for position, length, replacement in changes(text):
                mutant = copy.deepcopy(rule)
                mutant[key] = text[:position] + replacement + text[position + length :]
                where = text[max(0, position - 30) : position + length].split("\n")[-1].strip()
                yield rule, f"{key}: {where}", replacement, mutant
        for label in rule.get("labels", {}):
            mutant = copy.deepcopy(rule)
            del mutant["labels"][label]
            yield rule, f"labels: {label}", "", mutant


def needed(rule):
    """The recording rules that a rule uses, and those that they use, in their order."""
    records = [other for other in rules() if "record" in other]
    names, before = {rule.get("record")}, None
    while names != before:
        before = set(names)
        texts = [rule["expr"]] + [record["expr"] for record in records if record["record"] in names]
        names |= {record["record"] for record in records if any(record["record"] in text for text in texts)}
    return [record for record in records if record["record"] in names]


def stories_of(alert):
    """The stories of an alert, each with the step of its file; the slow ones last."""
    return [
        {"evaluation_interval": book["evaluation_interval"], "tests": [story]}
        for book in map(load, sorted(STORIES, key=lambda path: "slow" in path.name))
        for story in book["tests"]
        if story["name"].startswith(f"{alert}:")
    ]


def notice(group, stories):
    """Whether a story fails. The story that did is moved to the front: it is likely to notice the next mutant too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        groups = {"groups": [{"name": "mutant", "rules": group}]}
        (path / "rules.yml").write_text(yaml.dump(groups, Dumper=yaml.CSafeDumper, sort_keys=False))
        for story in list(stories):
            (path / "story.yml").write_text(yaml.dump({"rule_files": ["rules.yml"]} | story, Dumper=yaml.CSafeDumper))
            command = [PROMTOOL, "test", "rules", str(path / "story.yml")]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                stories.remove(story)
                stories.insert(0, story)
                return True
    return False


def alert_of(name):
    """The alert whose stories a rule is told: its own, or for a record that which is made of it."""
    if ":" not in name:
        return name
    if "_estimated:" in name:
        return "ModelF1EstimatedDrop"
    return "ModelF1TooLow" if name.endswith(":reference") else "ModelF1Drop"


def group_of(alert):
    """An alert with the recording rules that it needs, and no others: stories are quicker so."""
    whole = next(rule for rule in rules() if rule.get("alert") == alert)
    return needed(whole) + [whole]


def hold(alert):
    """Without a mutant, the stories of the alert hold."""
    stories = stories_of(alert)
    assert stories and not notice(group_of(alert), stories), f"{alert}: its stories fail without a mutant"


def survivors_of(name, spoilt):
    """The mutants of one rule that no story notices."""
    group, stories = group_of(alert_of(name)), stories_of(alert_of(name))
    return [
        (name, what, by)
        for what, by, mutant in spoilt
        if not notice([mutant if name_of(rule) == name else rule for rule in group], stories)
    ]


def name_of(rule):
    return rule.get("alert") or rule["record"]


def is_equivalent(rule, mutant):
    texts = [text for name, text in EQUIVALENT if name == name_of(rule)]
    return any(text in mutant["expr"] and text not in rule["expr"] for text in texts)


def main():
    begun = time.monotonic()
    only = sys.argv[1:]
    spoilt = {}
    for rule, what, by, mutant in mutants():
        if not is_equivalent(rule, mutant):
            spoilt.setdefault(name_of(rule), []).append((what, by, mutant))
    spoilt = {name: places for name, places in spoilt.items() if not only or name in only}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(hold, {alert_of(name) for name in spoilt}))
        tasks = [pool.submit(survivors_of, *item) for item in spoilt.items()]
        survivors = [survivor for task in tasks for survivor in task.result()]
    for name, what, by in survivors:
        print(f"{name}: no story notices `{what}` replaced by `{by}`", file=sys.stderr)
    count = sum(map(len, spoilt.values()))
    print(f"{count} mutants, {len(survivors)} unnoticed, in {time.monotonic() - begun:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
