"""The archive: every promoted version, and the rows that it was learnt from, kept by DVC in a remote that is a folder.

DVC leaves its pointers (`*.dvc`) to a version control system; there is none here, so they lie in the remote itself, in
pointers/vN. A new workspace needs nothing but the remote.
"""
import os
import shutil
import subprocess
import sys

from pipeline import registry
from pipeline.errors import PipelineError

# Newest versions that the registry and the workspace hold; the remote keeps all.
VERSIONS_KEPT = 5


def dvc(settings, *arguments):
    """Runs DVC in the workspace; what it says is in the step's log."""
    site = settings.workspace / ".dvc" / "tmp" / "site"  # by default it would be a folder outside of the workspace
    env = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(site)}
    print("dvc", *arguments)
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=settings.workspace, env=env)
    if done.returncode:
        raise PipelineError(f"dvc {' '.join(arguments)} ended with exit code {done.returncode}")


def prepare(settings):
    """Makes the workspace and the remote where they are missing."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    settings.remote.mkdir(parents=True, exist_ok=True)
    if not (settings.workspace / ".dvc" / "config").exists():
        dvc(settings, "init", "--no-scm", "--force", "--quiet")
        dvc(settings, "config", "core.check_update", "false")
    dvc(settings, "remote", "add", "--default", "--force", "--quiet", "archive", str(settings.remote))


def archived(settings):
    """The numbers of the versions in the remote, ascending."""
    return registry.versions(settings.remote / "pointers")


def pull(settings):
    """Brings the newest versions of the remote, and the rows of the last of them, into the workspace."""
    newest = archived(settings)[-VERSIONS_KEPT:]
    for n in newest:
        pointers = settings.remote / "pointers" / f"v{n}"
        shutil.copytree(pointers, settings.workspace, dirs_exist_ok=True)
    if newest:
        dvc(settings, "pull", "--force")


def push(settings, promoted):
    """Archives the rows of the version `promoted`, and each version of the registry that the remote does not have."""
    versions = settings.registry / "versions"
    new = [f"v{n}" for n in registry.versions(versions) if n not in archived(settings)]
    for version in new:
        copy = settings.workspace / "registry" / version
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(versions / version, copy)
        dvc(settings, "add", "--quiet", f"registry/{version}")
    if promoted in new:
        dvc(settings, "add", "--quiet", "data/labelled.parquet")
    dvc(settings, "push")
    for version in new:
        kept = ["registry/" + version] + (["data/labelled.parquet"] if version == promoted else [])
        add_pointers(settings, version, kept)


def add_pointers(settings, version, kept):
    """Puts the pointers of the paths `kept` to the remote as those of `version`, all at once."""
    folder = settings.remote / "pointers" / version
    half = folder.with_name(f".{version}.tmp")
    shutil.rmtree(half, ignore_errors=True)
    for path in kept:
        (half / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(settings.workspace / f"{path}.dvc", half / f"{path}.dvc")
    half.rename(folder)


def prune(settings):
    """Leaves the newest versions in the workspace, and in DVC's cache what belongs to them."""
    folder = settings.workspace / "registry"
    for n in registry.versions(folder)[:-VERSIONS_KEPT]:
        shutil.rmtree(folder / f"v{n}")
        (folder / f"v{n}.dvc").unlink(missing_ok=True)
    dvc(settings, "gc", "--workspace", "--force", "--quiet")
