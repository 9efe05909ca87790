"""Retrains the product classifier when an alert says that it has become worse: alert -> pull -> train -> validate ->
better -> promote -> push.

Each task is a step of the package `pipeline` beside this folder, run by PIPELINE_PYTHON, an interpreter of its own:
Airflow's dependencies and those of the training need not agree. Loads with Airflow 2 and 3.
"""
from datetime import datetime, timedelta, timezone
from pathlib import Path

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG
try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator

# Step: the longest that it may take. Training with 20000 rows takes seconds; the rest is for a busy machine.
STEPS = {
    "alert": timedelta(minutes=2),
    "pull": timedelta(minutes=15),
    "train": timedelta(minutes=30),
    "validate": timedelta(minutes=10),
    "better": timedelta(minutes=2),
    "promote": timedelta(minutes=5),
    "push": timedelta(minutes=15),
}

# In the environment, never in the command: what an alert says must not be run by a shell.
ENVIRONMENT = {
    "ALERT": "{{ (dag_run.conf or {}).get('alert') | tojson }}",
    "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    "PYTHONUNBUFFERED": "1",
}

with DAG(
    dag_id="ml_pipeline_mixed_experiment_dvc",
    description="Retrains the product classifier and serves it if it is better",
    doc_md=__doc__,
    schedule=None,  # alerts start it, or a person
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    is_paused_upon_creation=False,  # an alert's run would wait for a person
    max_active_runs=1,  # runs share the workspace
    default_args={"retries": 2, "retry_delay": timedelta(seconds=15)},
    tags=["product-classifier"],
):
    before = None
    for step, longest in STEPS.items():
        task = BashOperator(
            task_id=step,
            # Exit code 99 skips this task and all after it.
            bash_command=f'exec "${{PIPELINE_PYTHON:?it names the interpreter of the pipeline}}" -m pipeline {step}',
            env=ENVIRONMENT,
            append_env=True,
            skip_on_exit_code=99,
            execution_timeout=longest,
        )
        if before:
            before >> task
        before = task
