"""Says in the log what started the run."""
from pipeline.alerts import parse


def run(settings):
    """Prints the alert, or that there is none."""
    alert = parse(settings.alert)
    if alert is None:
        print("started without an alert: by hand")
        return
    print(f"started by the alert {alert.name}, firing since {alert.starts_at or 'an unknown time'}")
    for kind, texts in (("label", alert.labels), ("annotation", alert.annotations)):
        for name, text in sorted(texts.items()):
            print(f"  {kind} {name}: {text}")
