"""Retrains the product classifier from its own logs: steps that Airflow runs one by one, each in its own process.

`settings` is what the environment says, `alerts` what started the run; `logs` reads the labelled rows; `text`, `model`
and `learning` are the classifier; `registry` is where it is served from; `archive` is DVC. `steps` puts them together,
one step per file.
"""
