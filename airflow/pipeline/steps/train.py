"""Learns the candidate from the rows that `pull` wrote."""
from pipeline import learning, tables
from pipeline.errors import PipelineError
from pipeline.logs import LABELLED


def run(settings):
    """Writes candidate/ with model.json, reference.parquet and evaluation.json."""
    if not settings.labelled.exists():
        raise PipelineError(f"there is no {settings.labelled}; run pull first")
    rows = tables.read(settings.labelled, LABELLED)
    said = learning.learn(rows, settings.hold_out, settings.candidate)
    print(f"candidate: learnt from {said['rows_learnt']} rows, {said['words']} words; {said['rows_held_out']} held out")
