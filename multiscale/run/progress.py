"""The cycle line: what a running simulation says about itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from microscale.progress import said

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Without a terminal a line is printed each time this share of the run, or this many seconds, have passed.
PLAIN_SHARE, PLAIN_SECONDS = 0.05, 10.0

#: Letters of a line at most: a terminal of 80 columns shows it whole.
WIDTH = 79

#: A terminal is redrawn at most this often, s.
LIVE_SECONDS = 0.1


class CycleLine:
    """Observer that shows step, time, kinetic energy, energy error and time to go, on rank 0.

    On a terminal one line is redrawn in place; elsewhere (a log file, a pipe) plain lines are printed.
    Use as a context manager, so that the terminal is restored however the run ends.

    Attributes:
        seconds: Wall time spent in showing, s.
    """

    def __init__(
        self,
        end_time: float,
        rank: int,
        console: Console | None = None,
        share: Callable[[Any], float] | None = None,
        told: Callable[[Any, float | None], str] | None = None,
    ) -> None:
        """Start the clock of the time to go.

        Args:
            end_time: End of the simulated time, us.
            rank: Rank of this process; all but rank 0 stay silent.
            console: Where to write; by default standard output.
            share: Which part of the run is behind, 0 to 1; by default of the simulated time.
            told: What to show of a simulation, and of the seconds to go; by default :func:`cycle_line`.
        """
        self.seconds, self._told = 0.0, told or cycle_line
        self._share = share or (lambda simulation: min(simulation.time / end_time, 1.0))
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._silent = rank > 0
        self._live = Live(console=self._console, auto_refresh=False)
        self._begin = time.perf_counter()
        self._first_share, self._last_share, self._last_clock = -1.0, -1.0, 0.0

    def __enter__(self) -> CycleLine:
        if self._console.is_terminal and not self._silent:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def __call__(self, simulation: Any) -> None:
        """Show the present step if the last one shown is old enough."""
        if self._silent:
            return
        share = self._share(simulation)
        clock = time.perf_counter()
        if self._first_share < 0.0:
            self._first_share, self._begin = share, clock
        if not self._is_due(share, clock):
            return
        line = self._told(simulation, self._time_to_go(share, clock))
        self._last_share, self._last_clock = share, clock
        self._show(line)
        self.seconds += time.perf_counter() - clock

    def _show(self, line: str) -> None:
        said()
        if self._live.is_started:
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
        else:
            print(line, file=self._console.file, flush=True)  # rich takes a millisecond

    def _is_due(self, share: float, clock: float) -> bool:
        waited = clock - self._last_clock
        if share == self._last_share:
            return False
        if share >= 1.0 or self._last_share < 0.0:
            return True
        if self._live.is_started:
            return waited > LIVE_SECONDS
        return share - self._last_share > PLAIN_SHARE or waited > PLAIN_SECONDS

    def _time_to_go(self, share: float, clock: float) -> float | None:
        """Seconds to the end if the run goes on at its mean pace; None before there is a pace."""
        run = share - self._first_share
        return (clock - self._begin) * (1.0 - share) / run if run > 0.0 else None


def cycle_line(simulation: Simulation, seconds_to_go: float | None) -> str:
    """Return the account of the present step in one line of at most :data:`WIDTH` letters."""
    energy = simulation.energy
    put_in = energy.initial + abs(energy.external)
    kinetic = min(100.0 * energy.kinetic / put_in, 999.9) if put_in > 0.0 else 0.0
    error = max(-999.0, min(999.0, 100.0 * energy.error))
    return (
        f"step {simulation.step_count:6d}  t {simulation.time:6.4g} us  kinetic {kinetic:5.1f} %  "
        f"error {error:+.3f} %  ETA {clock(seconds_to_go)}"
    )


def clock(seconds: float | None) -> str:
    """Return a time in at most eight letters."""
    if seconds is None:
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{min(hours // 24, 9999)} days"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
