"""The alert that started a run, as the run's conf has it: {"labels", "annotations", "startsAt", "fingerprint"}."""
import json
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Alert:
    """What the steps want to know of an alert."""

    name: str
    starts_at: datetime | None  # None if it does not say so in a way that can be read
    labels: dict
    annotations: dict


def parse(text):
    """The alert of a JSON text; None for a run without one. What is strange in it is left out: it must not stop a cure."""
    try:
        fields = json.loads(text or "null")
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not fields:
        return None
    labels, annotations = (part if isinstance(part, dict) else {}
                           for part in (fields.get("labels"), fields.get("annotations")))
    return Alert(str(labels.get("alertname", "without a name")), moment(fields.get("startsAt")), labels, annotations)


def moment(text):
    """A time of RFC 3339 as a datetime with zone; None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
