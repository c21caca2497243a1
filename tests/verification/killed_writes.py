"""What a result file is after a kill at each write of its outputs, counted: whole with each, or not.

    python tests/verification/killed_writes.py 400            # a kill at every write of 400 outputs

A kill leaves the file as the writes before it made it, and, at worst, the first half of the one it came in.
So the outputs are written once, and before each write, and in its middle, the file is looked at: h5py and
:class:`Results` read every value of every step, and a restart from the file goes on. A power failure may also
lose, of the writes since the last synchronisation, any: some such subsets are tried.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from multiscale.io import growing_hdf5, vtkhdf

POINTS = np.array([[x, y, z] for z in range(3) for y in (0, 1) for x in (0, 1)], dtype=float)
CELLS = np.array([[0, 1, 3, 2, 4, 5, 7, 6], [4, 5, 7, 6, 8, 9, 11, 10]])
CELL_FIELDS = ("von_mises_GPa", "e_d", "e_v", "plastic_strain")


def step(number: int) -> vtkhdf.Step:
    """An output that tells its number in every value."""
    points = {"displacement_mm": POINTS + number, "velocity_mm_per_us": POINTS - number}
    cells = {name: np.array([k + 10.0 * number, k - number]) for k, name in enumerate(CELL_FIELDS)}
    return vtkhdf.Step(float(number), points, cells)


class WatchedDisk:
    """Stands for the module ``os``: tells an observer before each write and in its middle.

    Attributes:
        writes: Number of writes so far.
    """

    def __init__(self, observe: Callable[[], None]) -> None:
        self._observe = observe
        self.writes = 0
        self.unsynchronised: list[tuple[int, bytes]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def pwrite(self, file: int, data: Any, place: int) -> int:
        """Write in two halves; numbers of eight bytes, which no kill can tear, at once."""
        whole = bytes(data)
        self.writes += 1
        self._observe()
        if len(whole) > 8:
            os.pwrite(file, whole[: len(whole) // 2], place)
            self._observe()
        self.unsynchronised.append((place, whole))
        return os.pwrite(file, whole, place)

    def ftruncate(self, file: int, size: int) -> None:
        """Cut the file."""
        self.writes += 1
        self._observe()
        os.ftruncate(file, size)

    def fdatasync(self, file: int) -> None:
        """Forget what a power failure could have lost."""
        self._observe()
        self.unsynchronised.clear()


def fault_of(path: Path, counts: set[int]) -> str:
    """Say what is wrong with a file that must hold one of these numbers of steps; nothing if all is right."""
    try:
        found = vtkhdf.Results(path)
        count = len(found.times)
        if count not in counts:
            return f"{count} steps, expected one of {sorted(counts)}"
        with h5py.File(path, "r", locking=False) as file:
            stored = {name: file[f"VTKHDF/{name}"][...] for name in _names()}
            offsets = file["VTKHDF/Steps/CellDataOffsets/e_d"][:count]
    except Exception as error:
        return f"unreadable ({type(error).__name__}: {error})"[:150]
    if not np.array_equal(found.times, np.arange(count)) or not np.array_equal(offsets, 2 * np.arange(count)):
        return "wrong times or offsets"
    for name, values in stored.items():
        if not np.array_equal(values[: len(_expected(name, count))], _expected(name, count)):
            return f"wrong values of {name}"
    return ""


def _names() -> list[str]:
    return ["PointData/displacement_mm", "PointData/velocity_mm_per_us", *(f"CellData/{n}" for n in CELL_FIELDS)]


def _expected(name: str, count: int) -> np.ndarray:
    group, field = name.split("/")
    if not count:
        return np.empty((0, 3))
    numbers = np.arange(count)
    if group == "CellData":
        k = CELL_FIELDS.index(field)
        return np.stack([k + 10.0 * numbers, k - numbers], axis=1).ravel()
    sign = 1 if field == "displacement_mm" else -1
    return (POINTS + sign * numbers[:, None, None]).reshape(-1, 3)


def fault_of_restart(path: Path, keep: int, scratch: Path) -> str:
    """Say what is wrong with a restart from a copy of the file, cut to ``keep`` steps; nothing if all is right."""
    shutil.copy(path, scratch)
    try:
        vtkhdf.keep(scratch, keep)
        for number in range(keep, keep + 3):
            vtkhdf.append(scratch, [step(number)])
    except Exception as error:
        return f"no restart ({type(error).__name__}: {error})"[:150]
    return fault_of(scratch, {keep + 3})


class Watch:
    """Looks at the file whenever it is told to, and counts what it finds.

    Attributes:
        found: How often each fault was found; "whole" and "restarted" count the rest.
    """

    def __init__(self, path: Path, every: int = 1, power: int = 0) -> None:
        """Watch ``path``; restart at every ``every``-th look; try ``power`` subsets of lost writes at each."""
        self.path, self.found = path, Counter[str]()
        self.allowed: set[int] = set()
        self.disk = WatchedDisk(self._look)
        self._every, self._power, self._looks = every, power, 0
        self._random, self._scratch = random.Random(0), path.with_name("scratch.vtkhdf")
        self._synchronised = path.read_bytes()

    def _look(self) -> None:
        self._looks += 1
        self.found[fault_of(self.path, self.allowed) or "whole"] += 1
        if self._looks % self._every == 0:
            self.found[fault_of_restart(self.path, min(self.allowed), self._scratch) or "restarted"] += 1
        if self._power:
            self._lose_writes()

    def _lose_writes(self) -> None:
        """Look at files that have some of the unsynchronised writes only."""
        if not self.disk.unsynchronised:
            self._synchronised = self.path.read_bytes()
            return
        for _ in range(self._power):
            image = bytearray(self._synchronised)
            for place, data in self.disk.unsynchronised:
                if self._random.random() < 0.5:
                    image.extend(bytes(max(0, place + len(data) - len(image))))
                    image[place : place + len(data)] = data
            self._scratch.write_bytes(image)
            self.found[fault_of(self._scratch, self.allowed) or "whole after power failure"] += 1

    def append(self, numbers: range) -> None:
        """Append outputs one by one, with a kill at each write."""
        for number in numbers:
            self._during({number, number + 1}, lambda number=number: vtkhdf.append(self.path, [step(number)]))

    def cut(self, count: int, keep: int) -> None:
        """Cut a file of ``count`` outputs to ``keep``, with a kill at each write."""
        self._during({count, keep}, lambda: vtkhdf.keep(self.path, keep))

    def _during(self, allowed: set[int], action: Callable[[], None]) -> None:
        self.allowed, self.disk.unsynchronised = allowed, []
        kept, growing_hdf5.os = growing_hdf5.os, self.disk
        looked, self._real = self.disk._observe, kept
        self.disk._observe = lambda: _with_real_disk(kept, looked)
        try:
            action()
        finally:
            growing_hdf5.os, self.disk._observe = kept, looked


def _with_real_disk(real: Any, action: Callable[[], None]) -> None:
    """Look without being watched."""
    watched, growing_hdf5.os = growing_hdf5.os, real
    try:
        action()
    finally:
        growing_hdf5.os = watched
