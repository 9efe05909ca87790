"""whylogs: profiles of both sides, KS and chi-square on its sketches, the confusion matrix: with_whylogs.py DATA"""
import warnings

warnings.filterwarnings("ignore")
from common import KEYS, NUMBERS, load, tell

import whylogs
from whylogs.viz.drift.column_drift_algorithms import KS, ChiSquare

reference, current, pairs = load()
before, now = whylogs.log(reference).view(), whylogs.log(current).view()


def score(method, name):
    return method.calculate(now.get_column(name), before.get_column(name), with_thresholds=False).statistic


for name in KEYS:
    score(ChiSquare(), name)
ks = {name: score(KS(), name) for name in NUMBERS}
whylogs.log_classification_metrics(pairs, target_column="label", prediction_column="prediction")
tell(ks=ks)
