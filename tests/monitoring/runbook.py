"""Every alert says what it is about and what to do, and has a section of its name in docs/operations.md; no section
speaks of an alert that is gone."""

import re
import sys

from rules import ROOT, STORIES, alerts, load

PAGE = "docs/operations.md"
SEVERITIES = {"page", "ticket"}
RETRAINED = {"ModelF1Drop", "ModelF1TooLow"}


def sections(text):
    """The sections of the chapter, by title."""
    chapter = re.search(r"^## When an alert fires$(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert chapter, f"{PAGE} has no chapter `## When an alert fires`"
    parts = re.split(r"^### (.+)$", chapter[1], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def problems_of(alert, there):
    name = alert["alert"]
    labels, annotations = alert["labels"], alert["annotations"]
    if set(annotations) != {"summary", "description", "runbook"}:
        yield f"{name}: annotations are summary, description and runbook, not {sorted(annotations)}"
    if annotations.get("runbook") != f"{PAGE}#{name.lower()}":
        yield f"{name}: its runbook is {annotations.get('runbook')}"
    if labels.get("severity") not in SEVERITIES:
        yield f"{name}: severity is {labels.get('severity')}"
    if ("retrain" in labels) != (name in RETRAINED) or labels.get("retrain", "true") != "true":
        yield f"{name}: retrain is {labels.get('retrain')}"
    if name not in there:
        yield f"{name}: no section `### {name}` in {PAGE}"
    elif len(there[name].strip().splitlines()) < 3:
        yield f"{name}: its section in {PAGE} is no help"


def main():
    there = sections((ROOT / PAGE).read_text())
    named = {alert["alert"] for alert in alerts()}
    told = {story["name"].split(":")[0] for path in STORIES for story in load(path)["tests"]}
    problems = [problem for alert in alerts() for problem in problems_of(alert, there)]
    problems += [f"{title}: {PAGE} has a section, and no rule has the name" for title in there.keys() - named]
    problems += [f"{name}: no story in {', '.join(path.name for path in STORIES)}" for name in named - told]
    print("\n".join(problems) or f"{len(named)} alerts, each with words, a section and a story")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
