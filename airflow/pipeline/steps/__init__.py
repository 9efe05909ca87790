"""The steps. Each file has `run(settings)`, which says what it does in the log and raises Skip or PipelineError."""
