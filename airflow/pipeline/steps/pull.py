"""Brings the archive to the workspace, and the newest labelled rows of the logs."""
import os
from datetime import datetime, timezone

import pyarrow.parquet as pq

from pipeline import alerts, archive, logs, registry
from pipeline.errors import PipelineError, Skip


def run(settings):
    """Writes data/labelled.parquet; skips the rest if a model was promoted since the alert began to fire."""
    answered = promoted_since(settings.registry, alerts.parse(settings.alert))
    if answered:
        raise Skip(answered)
    archive.prepare(settings)
    try:
        archive.pull(settings)
    except PipelineError as error:
        print(f"the archive is not complete, which does not keep a model from being trained: {error}")
    since = datetime.now(timezone.utc) - settings.season
    rows = logs.labelled(settings.logs, since, settings.newest_rows)
    print(f"{rows.num_rows} labelled rows since {since:%Y-%m-%d %H:%M:%S} UTC, at most {settings.newest_rows}")
    if rows.num_rows < settings.rows_min:
        raise PipelineError(f"there are {rows.num_rows} labelled rows since {since:%Y-%m-%d %H:%M:%S} UTC in "
                            f"{settings.logs}, and ROWS_MIN is {settings.rows_min}: too few to learn from")
    settings.labelled.parent.mkdir(exist_ok=True)
    half = settings.labelled.with_suffix(".tmp")
    pq.write_table(rows, half)
    os.replace(half, settings.labelled)


def promoted_since(folder, alert):
    """Why the alert has its answer already; None if it has not. A run that waited behind another one, which another
    alert of the same incident started, would train the same model again."""
    served = registry.current(folder)
    if not served or not alert or not alert.starts_at:
        return None
    said = registry.evaluation(served)
    promoted = alerts.moment(said.get("promoted_at"))
    if not promoted or promoted < alert.starts_at:
        return None
    return (f"{alert.name} has been firing since {alert.starts_at}, and {served.name} was promoted after that, "
            f"at {promoted}: it has to be judged before another one is trained")
