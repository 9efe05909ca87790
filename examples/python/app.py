"""A prediction service that writes its logs for drift-sidecar: will this delivery come late?

    uvicorn app:app --port 8004        (logs and reference go to LOGS, else to ./logs)
"""

import os
import random
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from pydantic import BaseModel, Field

import deliveries
from parquet_log import ParquetLog

LOGS = Path(os.environ.get("LOGS", "logs"))
ROTATE_SECONDS = float(os.environ.get("ROTATE_SECONDS", "10"))
ENDPOINTS = ("/predict", "/feedback", "/health", "/metrics")

FEATURES = [("distance_km", pa.float64()), ("weight_kg", pa.float64()), ("hour", pa.int64()),
            ("carrier", pa.string()), ("rain", pa.bool_())]
ANSWER = [("prediction", pa.string()), ("score", pa.float64()), ("model_version", pa.string())]
EVENT = [("request_id", pa.string()), ("timestamp", pa.timestamp("us", "UTC"))]
REQUESTS = pa.schema([*EVENT, *FEATURES, *ANSWER])
OUTCOMES = pa.schema([*EVENT, ("label", pa.string())])
REFERENCE = pa.schema([*FEATURES, *ANSWER, ("label", pa.string())])


class Delivery(BaseModel):
    distance_km: float = Field(ge=0, le=1000, allow_inf_nan=False)
    weight_kg: float = Field(ge=0, le=1000, allow_inf_nan=False)
    hour: int = Field(ge=0, le=23)
    carrier: str = Field(max_length=100)
    rain: bool


class Outcome(BaseModel):
    request_id: str = Field(max_length=100)
    label: Literal["late", "on_time"]


def answer_of(model, row):
    prediction, score = model.predict(row)
    return {"prediction": prediction, "score": score, "model_version": deliveries.VERSION}


def prepare():
    """Trains the model on made-up history, and writes the reference: rows that it was not trained on, its
    predictions for them, and the truth."""
    dice = random.Random(7)
    history = [deliveries.delivery(dice) for _ in range(4000)]
    model = deliveries.Model(history[:2000])
    rows = [{**row, **answer_of(model, row), "label": label} for row, label in history[2000:]]
    LOGS.mkdir(parents=True, exist_ok=True)
    aside = LOGS / ".reference.parquet.tmp"
    pq.write_table(pa.Table.from_pylist(rows, schema=REFERENCE), aside)
    aside.rename(LOGS / "reference.parquet")
    return model


class LogMetrics:
    """The logs' own counts, read when Prometheus asks."""

    def __init__(self, logs):
        self.logs = logs

    def collect(self):
        rows = CounterMetricFamily("prediction_log_rows", "Rows written to the log's files.", labels=["log"])
        dropped = CounterMetricFamily("prediction_log_rows_dropped", "Rows in no file.", labels=["log", "reason"])
        queue = GaugeMetricFamily("prediction_log_queue_rows", "Rows that wait to be written.", labels=["log"])
        for name, log in self.logs.items():
            rows.add_metric([name], log.rows)
            queue.add_metric([name], log.queue_rows)
            for reason, count in log.dropped.items():
                dropped.add_metric([name, reason], count)
        return [rows, dropped, queue]


registry = CollectorRegistry()
requests_total = Counter("prediction_requests", "Requests answered.", ["endpoint", "status_code"], registry=registry)
latency = Histogram("prediction_latency_seconds", "Time to a prediction.", registry=registry,
                    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5))
feedback_total = Counter("prediction_feedback", "True labels sent back.", ["result"], registry=registry)
model_info = Gauge("prediction_model_info", "1, with the version that answers.", ["version"], registry=registry)


@asynccontextmanager
async def lifespan(app):
    app.state.model = prepare()
    app.state.logs = {name: ParquetLog(LOGS / name, schema, rotate_seconds=ROTATE_SECONDS)
                      for name, schema in (("requests", REQUESTS), ("outcomes", OUTCOMES))}
    model_info.labels(deliveries.VERSION).set(1)
    log_metrics = LogMetrics(app.state.logs)
    registry.register(log_metrics)
    yield
    registry.unregister(log_metrics)
    # uvicorn ends itself by the signal that it got, past the interpreter's own exit: the logs are closed here.
    for log in app.state.logs.values():
        log.close()


app = FastAPI(title="Late deliveries", lifespan=lifespan)


@app.middleware("http")
async def count(request: Request, call_next):
    began = time.perf_counter()
    path = request.url.path if request.url.path in ENDPOINTS else "other"
    status = "500"
    try:
        response = await call_next(request)
        status = str(response.status_code)
        return response
    finally:
        requests_total.labels(path, status).inc()
        if path == "/predict":
            latency.observe(time.perf_counter() - began)


@app.post("/predict")
async def predict(delivery: Delivery):
    row = delivery.model_dump()
    answer = {"request_id": str(uuid.uuid4()), **answer_of(app.state.model, row)}
    app.state.logs["requests"].write({**row, **answer, "timestamp": datetime.now(timezone.utc)})
    return answer


@app.post("/feedback", status_code=202)
async def feedback(outcome: Outcome):
    taken = app.state.logs["outcomes"].write({**outcome.model_dump(), "timestamp": datetime.now(timezone.utc)})
    result = "accepted" if taken else "dropped"
    feedback_total.labels(result).inc()
    return {"result": result}


@app.get("/health")
async def health():
    return {"status": "ok", "model_version": deliveries.VERSION}


@app.get("/metrics")
async def metrics():
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
