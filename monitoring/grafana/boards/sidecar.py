"""The sidecar's own health: does it read all that is there, in time; and the way from an alert to a retraining."""

from .panels import BAD, GOOD, WARN, mappings, override, query, row, stat, steps, timeseries

M = '{model="$model"}'
RATE = "[$__rate_interval]"
UP = mappings(v0=("down", BAD), v1=("up", GOOD))
WELL = mappings(v0=("no", BAD), v1=("yes", GOOD))
RED_AT_0 = steps((1, GOOD), base=BAD)


def health():
    rates = {name: f"rate(drift_sidecar_{name}_total{M}{RATE})" for name in ("rows_read", "rows_dropped", "pairs")}
    return row(
        "The sidecar",
        stat("Model evaluated", "no: the model's config or its reference cannot be used; the sidecar's log says why.",
             f"drift_sidecar_model_up{M}", words=WELL, thresholds=RED_AT_0, graph=False),
        stat("Config taken over", "no: the config file has mistakes and the old one is in force; "
             "`drift-sidecar check --config FILE` tells all of them.",
             "min(drift_sidecar_config_last_reload_successful)", words=WELL, thresholds=RED_AT_0, graph=False),
        stat("Last evaluation", "Time since the model was last evaluated. Evaluations come every evaluate_every, 15 s "
             "unless set.", f"time() - drift_sidecar_last_evaluation_timestamp_seconds{M}", "s",
             steps((60, WARN), (300, BAD)), decimals=0),
        stat("Evaluation takes", "What the latest evaluation took. Past evaluate_every it falls behind.",
             f"drift_sidecar_evaluation_duration_seconds{M}", "s", steps((5, WARN), (15, BAD))),
        stat("Rows of the reference", "Rows that windows are compared with. `none yet` means that there is no "
             "reference.",
             f"reference_rows{M}", "short", plain=True, graph=False),
        stat("Version", "The sidecar that answers.", "max by (version) (drift_sidecar_build_info)",
             legend="{{version}}", text_mode="name", plain=True, graph=False),
        stat("Kind of reference", "Where the reference in force comes from: a file, a file for each version, the first "
             "rows that were read, or rows that trail the window.",
             f'max by (mode) (drift_sidecar_reference_info{{model="$model", mode!=""}})', legend="{{mode}}",
             text_mode="name", plain=True, graph=False, size=(8, 4)),
        stat("Reference begins", "Event time of the oldest row of the reference. `none yet` where its rows have no "
             "time.", f"1000 * reference_start_timestamp_seconds{M}", "dateTimeAsIso", plain=True, graph=False,
             size=(8, 4)),
        stat("Reference ends", "Event time of the newest row of the reference. An old reference knows nothing of the "
             "last season.", f"1000 * reference_end_timestamp_seconds{M}", "dateTimeAsIso", plain=True, graph=False,
             size=(8, 4)),
        timeseries("Rows read", "Rows a second that were read from each log.",
                   [query(f"sum by (log) ({rates['rows_read']})", "{{log}}")], "rowsps", low=0, size=(8, 8)),
        timeseries("Rows dropped, by reason", "Rows a second that could not be used, and why; what each reason means "
                   "stands in the README under bad input. Nothing here is good.",
                   [query(f"sum by (log, reason) ({rates['rows_dropped']}) > 0", "{{log}}: {{reason}}")], "rowsps",
                   steps((0.001, WARN)), low=0, size=(8, 8)),
        timeseries("What became of outcomes", "Outcomes a second that were paired with their prediction, or why not.",
                   [query(f"sum by (reason) ({rates['pairs']})", "{{reason}}")], "rowsps", low=0, size=(8, 8)),
        timeseries("Files not read", "Files of each log that wait, are unfinished, or have failed, now. Waiting "
                   "should fall back to 0; failed files are named in the sidecar's log.",
                   [query('drift_sidecar_files{model="$model", state!="read"}', "{{log}}: {{state}}")], "short",
                   steps((1, WARN)), low=0, size=(8, 8), decimals=0),
        timeseries("Lateness", "Now minus the newest timestamp read, for each log. Requests lag by the service's "
                   "rotation, outcomes by that and the label delay.",
                   [query(f"time() - drift_sidecar_last_event_timestamp_seconds{M}", "{{log}}")], "s",
                   steps((120, WARN), (600, BAD)), low=0, size=(8, 8)),
        timeseries("Predictions that wait for their label", "They wait up to label_delay_max and at most pairs_max of "
                   "them; beyond that the oldest leave unpaired.",
                   [query(f"drift_sidecar_pending_predictions{M}", "waiting")], "short", low=0, size=(8, 8)),
        timeseries("Evaluation duration", "What each evaluation took.",
                   [query(f"drift_sidecar_evaluation_duration_seconds{M}", "evaluation")], "s",
                   steps((5, WARN), (15, BAD)), low=0, size=(8, 8)),
        timeseries("Column problems and failed files", "Files in the last ten minutes in which a column was missing "
                   "or of a type that does not fit, and files that could not be read. Nothing here is good.",
                   [query(f"sum by (log, column, reason) (increase(drift_sidecar_column_problems_total{M}[10m])) > 0",
                          "{{log}}: {{column}} {{reason}}"),
                    query(f"sum by (log, reason) (increase(drift_sidecar_files_failed_total{M}[10m])) > 0",
                          "{{log}}: failed, {{reason}}")], "short", steps((1, WARN)), low=0, size=(8, 8)),
        timeseries("Memory", "Resident memory of every part that tells it. The sidecar's own is bounded by memory_max "
                   "of its models.", [query("process_resident_memory_bytes", "{{job}}")], "bytes", low=0, size=(8, 8)),
        collapsed=True,
    )


def alarms():
    p95 = f"histogram_quantile(0.95, sum by (le) (rate(retrain_webhook_airflow_request_duration_seconds_bucket{RATE})))"
    results = [query(f"sum by (result) (increase(retrain_webhook_alerts_total{RATE}))", "alerts {{result}}"),
               query(f"sum by (dag, result) (increase(retrain_webhook_dag_runs_total{RATE}))", "{{dag}} {{result}}")]
    bars = override("byRegexp", "/.*/", custom_drawStyle="bars", custom_fillOpacity=60)
    return row(
        "From alert to retraining",
        stat("Airflow answers", "Whether the webhook's last request to Airflow was answered well. `none yet` before "
             "the first.",
             "min(retrain_webhook_airflow_up)", words=UP, thresholds=RED_AT_0, graph=False, size=(4, 8)),
        stat("Airflow request, p95", "Of the webhook's requests to Airflow in the last minutes; nothing while none is "
             "sent.",
             p95, "s", steps((2, WARN), (10, BAD)), size=(4, 8)),
        timeseries("Alerts and DAG runs", "What the webhook made of the alerts that Alertmanager sent, and of the DAG "
                   "runs it asked Airflow for. `failed` means that no retraining was started.", results, "short",
                   steps((1, WARN)), low=0, size=(8, 8), overrides=[bars]),
        timeseries("Deliveries by answer", "HTTP statuses that the webhook answered Alertmanager. 5xx is tried again "
                   "by it, 4xx is not.", [query(f"sum by (status) (rate(retrain_webhook_deliveries_total{RATE}))",
                   "{{status}}")], "reqps", low=0, size=(8, 8)),
        timeseries("Probes", "What the Blackbox exporter sees from outside: 1 when the health check answers, 0 when "
                   "not.",
                   [query('probe_success{job="api_probe"}', "{{service}}")], "none", steps((1, GOOD), base=BAD), low=0,
                   high=1, size=(12, 7), decimals=0),
        timeseries("Targets that answer", "Whether Prometheus could read each part's metrics at its last try.",
                   [query("up", "{{job}} {{instance}}")], "none", steps((1, GOOD), base=BAD), low=0, high=1, size=(12,
                   7), decimals=0),
        collapsed=True,
    )
