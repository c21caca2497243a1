"""Progress of long work: what is under way, how much of it is done, and when it will be.

Work declares its parts, and a program that wants to tell the user says so once:

    with task("strain steps", 100) as part:      # in a library or a demo
        part.done = 3
    for path in tracked(paths, "paths"): ...     # the same for a loop

    with reporting("unit_cell"): ...             # in the program: lines appear after a second

A thread writes the lines, so that a single long call is told of too. Without :func:`reporting` all is silent.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

FIRST_GAP, LONGEST_GAP = 1.0, 10.0
"""Seconds of silence before the first line and, doubled from line to line, between later ones."""
LOOK = 0.1
"""Seconds from one look at the clock to the next."""


@dataclass
class Task:
    """A part of the work.

    Attributes:
        what: What is counted, such as "strain steps".
        total: How many there are; infinite where nobody knows.
        done: How many are done.
        at_once: How many of them the tasks within it are at work on together.
        began: When it began, s.
    """

    what: str
    total: float
    done: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    at_once: float = 1.0


class _Silence:
    """When something was last said, and after how long something must be said again."""

    def __init__(self) -> None:
        self.since, self.gap, self.outermost = time.perf_counter(), FIRST_GAP, ""

    def is_too_long(self, now: float) -> bool:
        return now - self.since >= self.gap

    def end(self, gap: float) -> None:
        self.since, self.gap = time.perf_counter(), min(gap, LONGEST_GAP)


_tasks: list[Task] = []
_silence = _Silence()


@contextmanager
def task(what: str, total: float, at_once: float = 1.0) -> Iterator[Task]:
    """Declare a part of the work; count in its ``done``. Tasks may lie in one another."""
    own = Task(what, total, at_once=at_once)
    if not _tasks and _silence.outermost != what:  # work of another kind is told of as soon as the first
        _silence.outermost = what
        _silence.end(FIRST_GAP)
    _tasks.append(own)
    try:
        yield own
    finally:
        if own in _tasks:  # generators may end in any order
            _tasks.remove(own)


def doing(what: str) -> AbstractContextManager[Task]:
    """Declare a part of the work in which nothing is counted."""
    return task(what, math.inf)


def tracked[T](items: Collection[T], what: str) -> Iterator[T]:
    """Yield the items of a collection and count them as they are done."""
    with task(what, len(items)) as part:
        for item in items:
            yield item
            part.done += 1


def said() -> None:
    """Tell that the user has just been told of the progress in other words."""
    _silence.end(LONGEST_GAP)


@contextmanager
def reporting(name: str) -> Iterator[None]:
    """Write lines about the tasks of a program to standard output while the block runs."""
    ended, began = threading.Event(), time.perf_counter()
    _silence.end(FIRST_GAP)

    def watch() -> None:
        while not ended.wait(LOOK):
            if _silence.is_too_long(now := time.perf_counter()):
                gap = 2.0 * _silence.gap
                print(f"{name}: {line(list(_tasks), now, began)}\n", end="", file=sys.stdout, flush=True)
                _silence.end(gap)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def line(tasks: list[Task], now: float, began: float) -> str:
    """Return what there is to say: tasks from the outermost inwards, time so far, time to go.

    Args:
        tasks: The tasks under way.
        now: Present time, s.
        began: When the program began, s.
    """
    parts = [f"{each.what}{_count(each)}" for each in tasks] or ["at work"]
    parts.append(f"{_clock(now - began)} so far")
    if tasks and (share := share_of(tasks)) > 0.0:
        parts.append(f"ETA {_clock((now - tasks[0].began) * (1.0 - share) / share)}")
    return ", ".join(parts)


def share_of(tasks: list[Task]) -> float:
    """Return how much of the outermost task is done; the inner ones are the present part of it."""
    share = 0.0
    for each in reversed(tasks):
        share = min((each.done + each.at_once * share) / each.total, 1.0) if each.total > 0.0 else 1.0
    return share


def _count(each: Task) -> str:
    if each.total == math.inf:
        return f" {each.done:.6g}" if each.done else ""
    return f" {each.done:.6g}/{each.total:.6g}"


def _clock(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds))
