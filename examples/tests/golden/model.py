"""Writes model.json beside this file: a model, texts, and what numpy says of them.

    .venv/bin/python examples/tests/golden/model.py
"""

import json
import pathlib
import re

import numpy

CLASSES = ["10", "2583", "50"]
WORDS = ["été", "manette", "piscine", "pompe", "roman", "straße", "über", "7"]
TEXTS = [
    ("Roman", None),
    ("roman ROMAN Roman", "roman"),
    ("piscine", "pompe à chaleur"),
    ("ÉTÉ über-Straße", "7 manette(s)"),
    ("unknown words only", None),
    ("snake_case_roman", "semi;colon,piscine.pompe"),
    ("", "pompe 7"),
    ("...", None),
    ("été" * 2, "e\u0301te\u0301"),
]


def main():
    random = numpy.random.default_rng(27)
    weights = random.normal(size=(len(WORDS), len(CLASSES))).round(3)
    bias = random.normal(size=len(CLASSES)).round(3)
    model = {
        "format": 1,
        "version": "v7",
        "trained_at": "2026-01-01T00:00:00Z",
        "classes": CLASSES,
        "vocabulary": WORDS,
        "weights": weights.tolist(),
        "bias": bias.tolist(),
    }
    cases = []
    for designation, description in TEXTS:
        words = re.findall(r"[^\W_]+", f"{designation} {description or ''}".lower())
        known = [WORDS.index(word) for word in words if word in WORDS]
        scores = bias + weights[sorted(set(known))].sum(axis=0)
        softmax = numpy.exp(scores) / numpy.exp(scores).sum()
        cases.append({
            "designation": designation,
            "description": description,
            "class": CLASSES[int(softmax.argmax())],
            "score": float(softmax.max()),
            "known_words_ratio": len(known) / len(words) if words else 0.0,
        })
    golden = {"numpy": numpy.__version__, "model": model, "cases": cases}
    file = pathlib.Path(__file__).with_suffix(".json")
    file.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
