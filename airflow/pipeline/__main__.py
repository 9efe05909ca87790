"""`python -m pipeline STEP`: runs one step. Exit code 0 = done, 1 = failed (said on stderr), 99 = skip the rest."""
import argparse
import importlib
import os
import sys

from pipeline.errors import PipelineError, Skip
from pipeline.settings import Settings

EXIT_FAILED = 1
EXIT_SKIP = 99  # Airflow's BashOperator marks a task that ends so as skipped, and with it all after it
STEPS = ("first", "alert", "pull", "train", "validate", "better", "promote", "push")


def main(arguments=None):
    """Runs the step that `arguments` name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="One step of the retraining pipeline.")
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    for name in STEPS:
        step = steps.add_parser(name)
        if name == "first":
            step.add_argument("--products", required=True, help="Parquet with designation, description, label")
    options = vars(parser.parse_args(arguments))
    name = options.pop("step")
    try:
        importlib.import_module(f"pipeline.steps.{name}").run(Settings(os.environ), **options)
    except Skip as reason:
        print(f"{name}: skipped: {reason}")
        return EXIT_SKIP
    except (PipelineError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
