"""The exception that ends a run early, on a signal or after its wall time."""


class Stopped(Exception):
    """A run has ended early, as it was told to, and has left a checkpoint; it carries the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
