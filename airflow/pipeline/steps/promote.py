"""Makes the candidate the model that is served."""
from pipeline import archive, registry
from pipeline.errors import PipelineError


def run(settings):
    """Adds the candidate to the registry and points `current` to it; again changes nothing."""
    # A task that a person clears in Airflow may find the candidate of a later run, which was no better.
    if not registry.evaluation(settings.candidate).get("better"):
        raise PipelineError(f"no candidate in {settings.candidate} was found to be better; run better first")
    # Numbers of the archive are taken, also when the registry has lost them.
    version = registry.promote(settings.registry, settings.candidate, above=max(archive.archived(settings), default=0))
    print(f"{version} is served")
