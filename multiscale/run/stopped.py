"""The end of a run that was told to end before its time."""


class Stopped(Exception):
    """A run has ended early, as it was told to, and has left a checkpoint; it carries the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
