"""Made-up deliveries, and a small model of whether one comes late. Run it to send some to the service:

    python deliveries.py --url http://127.0.0.1:8004 --rows 1000 --rain 0.2
"""

import argparse
import json
import math
import random
import urllib.request

CARRIERS = ("bike", "courier", "van")
FEATURES = ("distance_km", "weight_kg", "hour", "carrier", "rain")
VERSION = "v1"


def delivery(dice, rain=0.2):
    """One delivery, and whether it came late: luck has its part, so no model is always right."""
    row = {
        "distance_km": round(dice.lognormvariate(2.0, 0.6), 2),
        "weight_kg": round(dice.expovariate(1 / 4), 2),
        "hour": dice.randint(8, 20),
        "carrier": dice.choices(CARRIERS, (5, 3, 2))[0],
        "rain": dice.random() < rain,
    }
    slowness = {"bike": 0.6, "courier": -0.4, "van": 0.0}[row["carrier"]]
    rush = 1.5 if 16 <= row["hour"] <= 18 else 0.0
    odds = -4.0 + 0.3 * row["distance_km"] + 0.1 * row["weight_kg"] + rush + slowness + 1.2 * row["rain"]
    return row, "late" if dice.random() < sigmoid(odds) else "on_time"


def sigmoid(x):
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, x))))


def numbers(row):
    """The features as the model sees them, all of about the same size."""
    rush = float(16 <= row["hour"] <= 18)
    carriers = [float(row["carrier"] == carrier) for carrier in CARRIERS]
    return [1.0, row["distance_km"] / 10, row["weight_kg"] / 10, rush, float(row["rain"]), *carriers]


class Model:
    """A logistic regression, fitted by plain gradient descent."""

    def __init__(self, rows, rounds=150, rate=2.0):
        table = [(numbers(row), float(label == "late")) for row, label in rows]
        self.weights = [0.0] * len(table[0][0])
        for _ in range(rounds):
            slope = [0.0] * len(self.weights)
            for values, truth in table:
                error = self._late(values) - truth
                for i, value in enumerate(values):
                    slope[i] += error * value
            self.weights = [weight - rate * s / len(table) for weight, s in zip(self.weights, slope, strict=True)]

    def _late(self, values):
        return sigmoid(sum(weight * value for weight, value in zip(self.weights, values, strict=True)))

    def predict(self, row):
        """The class, and how sure the model is of it."""
        late = self._late(numbers(row))
        return ("late", late) if late >= 0.5 else ("on_time", 1 - late)


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def send(url, rows, rain, seed):
    """Asks for predictions and sends back what became of each delivery; returns how many were right."""
    dice = random.Random(seed)
    right = 0
    for _ in range(rows):
        row, label = delivery(dice, rain)
        answer = post(f"{url}/predict", row)
        post(f"{url}/feedback", {"request_id": answer["request_id"], "label": label})
        right += answer["prediction"] == label
    return right


def main():
    parser = argparse.ArgumentParser(description="Sends made-up deliveries to the service, and what became of them.")
    parser.add_argument("--url", default="http://127.0.0.1:8004")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rain", type=float, default=0.2, help="share of deliveries in the rain; the model knows 0.2")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    right = send(options.url, options.rows, options.rain, options.seed)
    print(f"{options.rows} deliveries sent, {right} predicted rightly")


if __name__ == "__main__":
    main()
