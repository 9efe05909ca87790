"""Judges the candidate and the model that is served on the same rows, which neither has learnt from."""
import pyarrow.parquet as pq

from pipeline import learning, model, registry
from pipeline.errors import PipelineError


def run(settings):
    """Writes both weighted F1 to candidate/evaluation.json. That the candidate is worse is no failure of this step."""
    if not settings.candidate.exists():
        raise PipelineError(f"there is no candidate in {settings.candidate}; run train first")
    rows = pq.read_table(settings.candidate / "reference.parquet")
    said = registry.evaluation(settings.candidate)
    said["f1_weighted"] = judge(settings.candidate, rows)
    said["served_version"], said["served_f1_weighted"] = None, None
    served = registry.current(settings.registry)
    if served:
        said["served_version"], said["served_f1_weighted"] = served.name, judge_served(served, rows)
    registry.evaluate(settings.candidate, said)
    print(f"weighted F1 on {rows.num_rows} held-out rows:")
    print(f"  candidate {said['f1_weighted']:.4f}")
    if said["served_f1_weighted"] is not None:
        print(f"  served    {said['served_f1_weighted']:.4f} ({served.name})")


def judge(folder, rows):
    """The weighted F1 of the model in `folder`, from 0 to 1."""
    predictions, _ = model.read(folder / "model.json").predict(learning.products_of(rows))
    return learning.weighted_f1(rows["label"].to_pylist(), predictions)


def judge_served(folder, rows):
    """The same of the served model; None if it is damaged, as then any model is better."""
    try:
        return judge(folder, rows)
    except PipelineError as error:
        print(error)
        return None
