"""Evidently: DataDriftPreset as it comes, and F1 of the joined outcomes: with_evidently.py DATA"""
from common import COLUMNS, KEYS, NUMBERS, load, tell

from evidently import DataDefinition, Dataset, MulticlassClassification, Report
from evidently.metrics import F1Score
from evidently.presets import DataDriftPreset

reference, current, pairs = load()
columns = DataDefinition(numerical_columns=NUMBERS, categorical_columns=KEYS)
sides = [Dataset.from_pandas(side, data_definition=columns) for side in (current, reference)]
Report([DataDriftPreset(columns=COLUMNS)]).run(*sides).dict()
classes = DataDefinition(
    categorical_columns=["prediction", "label"],
    classification=[MulticlassClassification(target="label", prediction_labels="prediction")],
)
found = Report([F1Score(conf_matrix=False)]).run(Dataset.from_pandas(pairs, data_definition=classes), None)
tell(macro=found.dict()["metrics"][0]["value"], joined=len(pairs))
