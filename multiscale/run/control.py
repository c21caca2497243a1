"""When a run writes a checkpoint and when it ends early: at intervals, on signals, after some wall time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microscale.inputs.numbers import Time, WallTime, checked
from multiscale.run.inputs import require_positive
from multiscale.run.stopped import Stopped

if TYPE_CHECKING:
    from multiscale.results.recorded import Recorded

#: What a rank asks for, the greatest of all ranks wins: nothing, a checkpoint, one and an end.
NOTHING, CHECKPOINT, WALL_TIME, TERMINATED = range(4)

#: Exit codes: SIGTERM as shells have it; out of wall time is EX_TEMPFAIL of sysexits.h, "try again".
EXIT_CODES = {TERMINATED: 143, WALL_TIME: 75}

REQUESTS = {signal.SIGTERM: TERMINATED, signal.SIGUSR1: CHECKPOINT}


@dataclass(frozen=True, kw_only=True)
class ControlOptions:
    """Checkpoints, restart and early end of a run.

    Attributes:
        checkpoint_every: Simulated time between checkpoints, us; by default one is written only on SIGTERM,
            SIGUSR1 and at --max-wall.
        restart: Checkpoint to go on from, with the inputs it was made with, on any number of ranks.
        max_wall: Wall time after which the run leaves a checkpoint and ends with exit code 75, s.
    """

    checkpoint_every: Time | None = None
    restart: Path | None = None
    max_wall: WallTime | None = None

    def start(self) -> RunControl:
        """Return the control of a run that starts now."""
        return RunControl(self.checkpoint_every, self.restart, self.max_wall)


class RunControl:
    """What a user, or a batch system, wants of a run beyond its physics.

    SIGTERM, on any rank, writes a checkpoint and ends the run; SIGUSR1 writes one and the run goes on.

    Attributes:
        restart: Checkpoint to go on from, or None.
    """

    @checked
    def __init__(
        self,
        checkpoint_every: float | None = None,
        restart: Path | None = None,
        max_wall: float | None = None,
    ) -> None:
        """Start the clock of the wall time.

        Args:
            checkpoint_every: Simulated time from one checkpoint to the next, us; None for none at intervals.
            restart: Checkpoint to go on from.
            max_wall: Wall time from now after which the run writes a checkpoint and ends, s; None for no end.

        Raises:
            InputError: An interval or a time is not positive.
        """
        if checkpoint_every is not None:
            require_positive("us", checkpoint_every=checkpoint_every)
        if max_wall is not None:
            require_positive("s", max_wall=max_wall)
        self.restart = restart
        self._every, self._max_wall = checkpoint_every, max_wall
        self._begin = time.monotonic()
        self._signalled = NOTHING
        self._count: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals as requests; outside the main thread, where Python allows no handlers, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in REQUESTS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: Any) -> None:
        self._signalled = max(self._signalled, REQUESTS[signal.Signals(number)])

    def wish(self) -> int:
        """Return what this rank wants: asked once a step, see ``poll`` of the simulation."""
        wanted, self._signalled = self._signalled, NOTHING
        if self._max_wall is not None and time.monotonic() - self._begin > self._max_wall:
            wanted = max(wanted, WALL_TIME)
        return wanted

    def is_due(self, now: float) -> bool:
        """Whether another interval has passed at ``now``, us, since the last call; the first only counts."""
        count = 0 if self._every is None else int(now / self._every * (1.0 + 1e-9))
        passed = self._count is not None and count > self._count
        self._count = count
        return passed


class Checkpoints:
    """Observer, the last of a run: writes checkpoints as its control wants, and ends the run.

    Attributes:
        path: The checkpoint; each replaces the one before.
        last: Where the last good one is and of what time, for messages.
    """

    def __init__(self, path: Path, control: RunControl, write: Callable[[Path, Any], None]) -> None:
        """Let ``write`` write the checkpoints."""
        self.path, self._control, self._write = path, control, write
        restart = control.restart
        self.last = "no checkpoint" if restart is None else f"last checkpoint {restart} (the one restarted)"

    def __call__(self, simulation: Recorded) -> None:
        """Write a checkpoint if it is time to.

        Raises:
            Stopped: The run is to end; the checkpoint is written.
            InputError: The checkpoint cannot be written.
        """
        if simulation.step_count == 0:
            return  # A run that ends before its first step would get nowhere, however often it is restarted.
        due = CHECKPOINT if self._control.is_due(simulation.time) else NOTHING
        request = max(simulation.request, due)
        if request == NOTHING:
            return
        self._write(self.path, simulation)
        self.last = f"last checkpoint {self.path} at t = {simulation.time:.6g} us"
        if request in EXIT_CODES:
            reason = "SIGTERM" if request == TERMINATED else "the wall time of --max-wall has passed"
            raise Stopped(
                f"stopped at t = {simulation.time:.6g} us, step {simulation.step_count} ({reason}): "
                f"go on with --restart {self.path}",
                EXIT_CODES[request],
            )
