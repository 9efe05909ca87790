"""The model as it is served: multinomial logistic regression on the presence of words.

scores = softmax(bias + sum of the weights of the distinct known words); the prediction is the class of the highest.
"""
import json
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from pipeline.errors import PipelineError
from pipeline.text import product_words

FORMAT = 1
# Digits behind the point of a written weight: what is judged is what is served, so models are rounded when made.
DECIMALS = 6


@dataclass(frozen=True)
class Model:
    """What model.json says."""

    version: str
    trained_at: str  # RFC 3339
    classes: list  # C labels, sorted
    vocabulary: list  # W words, sorted
    weights: np.ndarray  # (W, C) floats
    bias: np.ndarray  # (C,) floats

    def predict(self, products):
        """`products`: N lists of words. Returns the N labels and their N scores, from 0 to 1."""
        logits = presence(products, self.vocabulary) @ self.weights + self.bias
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        best = shares.argmax(axis=1)
        return [self.classes[c] for c in best], shares[np.arange(len(best)), best]

    def to_json(self):
        """The text of model.json."""
        fields = {
            "format": FORMAT,
            "version": self.version,
            "trained_at": self.trained_at,
            "classes": self.classes,
            "vocabulary": self.vocabulary,
            "weights": np.round(self.weights, DECIMALS).tolist(),
            "bias": np.round(self.bias, DECIMALS).tolist(),
        }
        return json.dumps(fields, ensure_ascii=False)


def presence(products, vocabulary):
    """`products`: N lists of words. Returns a sparse (N, W) matrix: 1 where the product has the word of `vocabulary`."""
    place = {word: i for i, word in enumerate(vocabulary)}
    found = [sorted({place[word] for word in product if word in place}) for product in products]
    ends = np.cumsum([0] + [len(row) for row in found])
    columns = np.array([c for row in found for c in row], dtype=np.int64)
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(found), len(vocabulary)))


def features(designations, descriptions, vocabulary):
    """The columns that the prediction service computes of N products: counts of words, and the share from 0 to 1 of
    a product's words that the model knows (0 for a product without words)."""
    known = set(vocabulary)
    products = [product_words(*parts) for parts in zip(designations, descriptions)]
    return {
        "designation_words": [len(product_words(text, None)) for text in designations],
        "description_words": [len(product_words(None, text)) for text in descriptions],
        "known_words_ratio": [sum(w in known for w in p) / len(p) if p else 0.0 for p in products],
    }


def read(path):
    """The model of a model.json; raises PipelineError with the file and what is wrong with it."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        model = Model(
            version=fields["version"],
            trained_at=fields["trained_at"],
            classes=fields["classes"],
            vocabulary=fields["vocabulary"],
            weights=np.array(fields["weights"], dtype=float).reshape(-1, len(fields["classes"])),
            bias=np.array(fields["bias"], dtype=float),
        )
        problem = wrong_with(model, fields["format"])
    except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise PipelineError(f"{path} is no model that can be served: {problem}")
    return model


def wrong_with(model, number):
    """What makes `model` of format `number` unfit to be served; None if nothing does."""
    if number != FORMAT:
        return f"its format is {number}, not {FORMAT}"
    for name in ("classes", "vocabulary"):
        values = getattr(model, name)
        if not values or values != sorted(set(values)):
            return f"its {name} must be sorted, each once, and at least one"
    if model.weights.shape != (len(model.vocabulary), len(model.classes)) or model.bias.shape != (len(model.classes),):
        return "it needs one weight per word and class, and one bias per class"
    if not (np.isfinite(model.weights).all() and np.isfinite(model.bias).all()):
        return "a weight is not a finite number"
    return None
