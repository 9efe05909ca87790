"""Makes the candidate the model that is served."""
from pipeline import archive, registry
from pipeline.errors import PipelineError


def run(settings):
    """Adds the candidate to the registry and points `current` to it; again changes nothing."""
    if not (settings.candidate / "model.json").exists():
        raise PipelineError(f"there is no candidate in {settings.candidate}; run train first")
    # Numbers of the archive are taken, also when the registry has lost them.
    version = registry.promote(settings.registry, settings.candidate, above=max(archive.archived(settings), default=0))
    print(f"{version} is served")
