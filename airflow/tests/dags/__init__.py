"""Tests of the DAG, with the real Airflow."""
