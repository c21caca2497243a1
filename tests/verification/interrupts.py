"""Programs that tests interrupt."""

import signal


def heed_interrupts() -> None:
    """Undo what a shell does to its background jobs, and these hand on: to ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
