"""The two ways in which a step ends early."""


class PipelineError(Exception):
    """The step failed; the text is for the person who reads the task's log."""


class Skip(Exception):
    """There is nothing to do, for the reason that the text gives; the steps after this one are skipped too."""
