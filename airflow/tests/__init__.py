"""Tests of the retraining: `pipeline` with its own interpreter, `dags` with the real Airflow."""
