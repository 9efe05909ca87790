"""Archives what was promoted with DVC, and removes old versions."""
from pipeline import archive, registry
from pipeline.errors import PipelineError


def run(settings):
    """Pushes the version, and the rows that it was learnt from, to the remote; again changes nothing."""
    marker = settings.candidate / "promoted"
    if not marker.exists():
        raise PipelineError("nothing was promoted; run promote first")
    archive.prepare(settings)
    archive.push(settings, promoted=marker.read_text())
    gone = registry.prune(settings.registry, archive.VERSIONS_KEPT)
    archive.prune(settings)
    print(f"archived up to v{archive.archived(settings)[-1]}; removed from the registry: {', '.join(gone) or 'nothing'}")
