"""NannyML: KS, Wasserstein, Jensen-Shannon and chi-square of each column, and realized F1: with_nannyml.py DATA"""
import warnings

warnings.filterwarnings("ignore")
from common import COLUMNS, KEYS, NUMBERS, load, tell

import nannyml

reference, current, pairs = load(["label"])
drift = nannyml.UnivariateDriftCalculator(
    column_names=COLUMNS,
    treat_as_categorical=KEYS,
    continuous_methods=["kolmogorov_smirnov", "wasserstein", "jensen_shannon"],
    categorical_methods=["chi2", "jensen_shannon"],
    chunk_number=1,
)
drift.fit(reference)
found = drift.calculate(current).filter(period="analysis").to_df()
# It asks for a probability of each class, of which F1 reads none.
pairs["probability"] = reference["probability"] = 1.0
performance = nannyml.PerformanceCalculator(
    metrics=["f1"],
    y_true="label",
    y_pred="prediction",
    problem_type="classification_multiclass",
    y_pred_proba={name: "probability" for name in sorted(reference["prediction"].unique())},
    chunk_number=1,
)
performance.fit(reference[["prediction", "label", "probability"]])
quality = performance.calculate(pairs).filter(period="analysis").to_df()
ks = {name: found[(name, "kolmogorov_smirnov", "value")].iloc[-1] for name in NUMBERS}
tell(ks=ks, macro=quality[("f1", "value")].iloc[-1], joined=len(pairs))
