"""Progress of data-set generation: paths done, paths a second, time to go."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from rich.console import Console
from rich.live import Live
from rich.text import Text

from microscale.data.generate import BLOCK
from microscale.progress import said, task

#: Without a terminal a line is printed at most this often, s; a terminal is redrawn that often.
PLAIN_SECONDS, LIVE_SECONDS = 10.0, 0.2


class PathProgress:
    """Report of a generation on rank 0: one line, redrawn on a terminal, printed now and then elsewhere."""

    def __init__(self, total: int, rank: int, console: Console | None = None) -> None:
        self._total, self._silent = total, rank > 0
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False)
        self._task = task("paths", total, at_once=min(BLOCK, total))
        self._begin = self._last = time.perf_counter()
        self._first: int | None = None

    def __enter__(self) -> PathProgress:
        if self._console.is_terminal and not self._silent:
            self._live.start()
        self._part = self._task.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._task.__exit__(None, None, None)
        self._live.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show the numbers of finished paths and of all paths if the last line is old enough."""
        now, self._part.done = time.perf_counter(), done
        if self._first is None:
            self._first, self._begin = done, now  # what a resumed run found is not this run's pace
        wait = LIVE_SECONDS if self._live.is_started else PLAIN_SECONDS
        if self._silent or (now - self._last < wait and done < total):
            return
        self._last = now
        said()
        line = self._line(done, total, now)
        if self._live.is_started:
            self._live.update(Text(line), refresh=True)
        else:
            self._console.print(line, markup=False)

    def _line(self, done: int, total: int, now: float) -> str:
        made = done - (self._first or 0)
        if made == 0 or now == self._begin:
            return f"paths {done}/{total}"
        pace = made / (now - self._begin)
        to_go = timedelta(seconds=round((total - done) / pace))
        return f"paths {done}/{total} ({done / total:.0%})  {pace:.1f} paths/s  ETA {to_go}"
