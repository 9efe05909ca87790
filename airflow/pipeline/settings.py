"""What the environment says. A folder is asked for only when a step needs it; numbers are checked at once."""
from datetime import timedelta
from pathlib import Path

from pipeline.errors import PipelineError


class Settings:
    """All settings of the pipeline, from a mapping of environment variables."""

    def __init__(self, env):
        self._env = env
        self._problems = []
        # Labelled rows to learn from at most: the newest of them by event time.
        self.newest_rows = self._number("NEWEST_ROWS", 20_000, int, lambda n: n >= 1, "at least 1")
        # Labelled rows without which there is no training.
        self.rows_min = self._number("ROWS_MIN", 500, int, lambda n: n >= 1, "at least 1")
        # Share of the rows that judge the model and that it never learns from, between 0 and 1.
        self.hold_out = self._number("HOLD_OUT", 0.25, float, lambda x: 0 < x < 1, "between 0 and 1")
        # Rows of at most this age by event time are learnt from, in seconds.
        seconds = self._number("SEASON_SECONDS", 86_400, float, lambda x: 0 < x <= 1e9, "above 0 and at most 1e9")
        # By how much the weighted F1 must rise for a candidate to be served; absolute, 0.01 = one point of a hundred.
        self.margin = self._number("MARGIN", 0.01, float, lambda x: 0 <= x <= 1, "from 0 to 1")
        if self._problems:
            raise PipelineError("; ".join(self._problems))
        self.season = timedelta(seconds=seconds)

    @property
    def logs(self):
        """Folder of the prediction service's logs, with requests/ and outcomes/."""
        return self._folder("LOGS")

    @property
    def registry(self):
        """Folder that the prediction service takes its model from."""
        return self._folder("REGISTRY")

    @property
    def workspace(self):
        """Folder of the pipeline itself: what it learns from, the candidate, and DVC's cache."""
        return self._folder("WORKSPACE")

    @property
    def remote(self):
        """Folder that is DVC's remote."""
        return self._folder("DVC_REMOTE")

    @property
    def labelled(self):
        """The labelled rows that `pull` writes and `train` reads."""
        return self.workspace / "data" / "labelled.parquet"

    @property
    def candidate(self):
        """Folder of the model that is not promoted yet."""
        return self.workspace / "candidate"

    @property
    def alert(self):
        """JSON of the alert that started this run; "" or "null" when a person did."""
        return self._env.get("ALERT", "")

    def _folder(self, name):
        value = self._env.get(name, "")
        if not value:
            raise PipelineError(f"{name} is not set: it names a folder")
        return Path(value).absolute()

    def _number(self, name, default, kind, allowed, wanted):
        text = self._env.get(name, "")
        try:
            value = kind(text) if text else default
        except ValueError:
            value = None
        if value is None or not allowed(value):
            self._problems.append(f"{name} is {text!r}: it must be {wanted}")
            return default
        return value
