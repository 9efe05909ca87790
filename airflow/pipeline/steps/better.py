"""Ends the run here unless the candidate is better than the model that is served."""
from pipeline import registry
from pipeline.errors import PipelineError, Skip

ROUNDING = 1e-9  # 0.91 - 0.90 is a little less than 0.01 in floating point


def run(settings):
    """Skips the rest unless the candidate's weighted F1 is higher by MARGIN; notes in evaluation.json that it is."""
    said = registry.evaluation(settings.candidate)
    if "served_f1_weighted" not in said:
        raise PipelineError("the candidate has not been judged; run validate first")
    mine, served = said["f1_weighted"], said["served_f1_weighted"]
    if served is None:
        print("the candidate is better than none")
    elif mine - served < settings.margin - ROUNDING:
        raise Skip(f"the candidate's weighted F1 {mine:.4f} is not better by {settings.margin} than {served:.4f} of "
                   f"{said['served_version']}, which stays")
    else:
        print(f"the candidate is better: {mine:.4f} against {served:.4f} of {said['served_version']}")
    registry.evaluate(settings.candidate, said | {"better": True})
