"""What a result file is after a kill at each write of its outputs, counted: whole with each, or not.

    TMPDIR=/dev/shm python tests/verification/killed_writes.py 400      # at every write of 400 outputs

A kill leaves the file as the writes before it made it, and, at worst, the first half of the one it came in.
So the outputs are written once, and before each write, and in its middle, the file is looked at: h5py and
:class:`Results` read every value of every step. At some looks VTK reads it, too, and a restart goes on. A
power failure may also lose, of the writes since the last synchronisation, any: some such subsets are tried.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOHDF import vtkHDFReader

from multiscale.results import growing_hdf5, vtkhdf

POINTS = np.array([[x, y, z] for z in range(3) for y in (0, 1) for x in (0, 1)], dtype=float)
CELLS = np.array([[0, 1, 3, 2, 4, 5, 7, 6], [4, 5, 7, 6, 8, 9, 11, 10]])
RIGHT = {"whole", "restarted", "read by VTK", "whole after power failure"}
CELL_FIELDS = ("von_mises_GPa", "e_d", "e_v", "plastic_strain")


def step(number: int) -> vtkhdf.Step:
    """An output that tells its number in every value."""
    points = {"displacement_mm": POINTS + number, "velocity_mm_per_us": POINTS - number}
    cells = {name: np.array([k + 10.0 * number, k - number]) for k, name in enumerate(CELL_FIELDS)}
    return vtkhdf.Step(float(number), points, cells)


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
            if len(file["VTKHDF/Steps/Values"]) != count:
                return "VTK would read beyond its memory: more times than steps"
    except Exception as error:
        return f"unreadable ({type(error).__name__}: {error})"[:150]
    if not np.array_equal(found.times, np.arange(count)) or not np.array_equal(offsets, 2 * np.arange(count)):
        return "wrong times or offsets"
    for name, values in stored.items():
        if not np.array_equal(values[: len(_expected(name, count))], _expected(name, count)):
            return f"wrong values of {name}"
    return ""


def _names() -> list[str]:
    return [
        "PointData/displacement_mm",
        "PointData/velocity_mm_per_us",
        *(f"CellData/{n}" for n in CELL_FIELDS),
    ]


def _expected(name: str, count: int) -> np.ndarray:
    group, field = name.split("/")
    numbers = np.arange(count)
    if group == "CellData":
        k = CELL_FIELDS.index(field)
        return np.stack([k + 10.0 * numbers, k - numbers], axis=1).ravel()
    sign = 1 if field == "displacement_mm" else -1
    return (POINTS + sign * numbers[:, None, None]).reshape(-1, 3)


def fault_of_vtk(path: Path, counts: set[int]) -> str:
    """Say what is wrong with the first, a middle and the last step as VTK reads them; else nothing."""
    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    if 0 in counts:
        return ""  # VTK has nothing to read yet
    count = reader.GetNumberOfSteps()
    for number in {0, count // 2, count - 1}:
        reader.SetStep(number)
        reader.Update()
        grid, expected = reader.GetOutputDataObject(0), step(number)
        pairs = [(grid.GetPointData(), expected.point_fields), (grid.GetCellData(), expected.cell_fields)]
        for stored, fields in pairs:
            for name, values in fields.items():
                if not np.array_equal(vtk_to_numpy(stored.GetArray(name)), values):
                    return f"VTK reads wrong values of {name}"
        if reader.GetTimeValue() != number:
            return "VTK reads a wrong time"
    return "" if count in counts else f"VTK reads {count} steps"


def fault_of_restart(path: Path, keep: int, scratch: Path) -> str:
    """Say what is wrong with a restart from a copy of the file, cut to ``keep`` steps; else nothing."""
    shutil.copy(path, scratch)
    try:
        vtkhdf.keep(scratch, keep)
        for number in range(keep, keep + 3):
            vtkhdf.append(scratch, [step(number)])
    except Exception as error:
        return f"no restart ({type(error).__name__}: {error})"[:150]
    return fault_of(scratch, {keep + 3})


class Watch:
    """Stands for the module ``os`` of the writer: looks at the file before each write, and in its middle.

    Attributes:
        found: How often each fault was found; :data:`RIGHT` are none.
        allowed: Numbers of steps the file may hold at present.
    """

    def __init__(self, path: Path, every: int = 1, subsets: int = 0) -> None:
        """Watch a file.

        Args:
            path: The file.
            every: Restart, and let VTK read, at every so many looks.
            subsets: Subsets of the unsynchronised writes to lose at each look.
        """
        self.path, self.found, self.allowed = path, Counter[str](), set[int]()
        self._every, self._subsets, self._looks = every, subsets, 0
        self._looking, self._random = False, random.Random(0)
        self._scratch = path.with_name("scratch.vtkhdf")
        self._synchronised, self._since = path.read_bytes(), list[tuple[int, bytes]]()

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def pwrite(self, file: int, data: Any, place: int) -> int:
        """Write in two halves; what is changed in place, eight bytes or in the first page, at once."""
        whole = bytes(data)
        self._look()
        if len(whole) > 8 and place + len(whole) > growing_hdf5.PAGE:
            os.pwrite(file, whole[: len(whole) // 2], place)
            self._look()
        if not self._looking:
            self._since.append((place, whole))
        return os.pwrite(file, whole, place)

    def ftruncate(self, file: int, size: int) -> None:
        """Cut the file."""
        self._look()
        os.ftruncate(file, size)

    def fdatasync(self, file: int) -> None:
        """From here on a power failure loses nothing of what was written before."""
        self._look()
        if not self._looking:
            self._synchronised, self._since = self.path.read_bytes(), []

    def _look(self) -> None:
        if self._looking:
            return
        self._looking = True
        self._looks += 1
        fault = fault_of(self.path, self.allowed)
        self.found[fault or "whole"] += 1
        if self._looks % self._every == 0 and not fault:
            self.found[fault_of_restart(self.path, min(self.allowed), self._scratch) or "restarted"] += 1
            self.found[fault_of_vtk(self.path, self.allowed) or "read by VTK"] += 1
        for _ in range(self._subsets if self._since else 0):
            self._scratch.write_bytes(self._with_some_writes_lost())
            self.found[fault_of(self._scratch, self.allowed) or "whole after power failure"] += 1
        self._looking = False

    def _with_some_writes_lost(self) -> bytes:
        image = bytearray(self._synchronised)
        for place, data in self._since:
            if self._random.random() < 0.5:
                image.extend(bytes(max(0, place + len(data) - len(image))))
                image[place : place + len(data)] = data
        return bytes(image)

    @contextmanager
    def _during(self, *counts: int) -> Iterator[None]:
        self.allowed = set(counts)
        growing_hdf5.os, module = self, growing_hdf5.os
        try:
            yield
        finally:
            growing_hdf5.os = module

    def append(self, number: int) -> None:
        """Append an output, with a kill at each write."""
        with self._during(number, number + 1):
            vtkhdf.append(self.path, [step(number)])

    def cut(self, count: int, keep: int) -> None:
        """Cut a file of ``count`` outputs, with a kill at each write."""
        with self._during(count, keep):
            vtkhdf.keep(self.path, keep)


def begun(path: Path, count: int = 0) -> Path:
    """Make a file of ``count`` outputs; return its path."""
    vtkhdf.create(path, POINTS, CELLS, 12, {}, step(0))
    if count:
        vtkhdf.append(path, [step(number) for number in range(count)])
    return path


def main(outputs: int) -> None:
    """Write ``outputs``, then cut them back, with a kill at every write; print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(begun(Path(folder) / "killed.vtkhdf"), every=10, subsets=1)
        for number in range(outputs):
            watch.append(number)
            if number % 20 == 19:
                print(f"{number + 1} outputs: {dict(watch.found)}", flush=True)
        for keep in range(outputs - 3, -1, -29):
            watch.cut(len(vtkhdf.Results(watch.path).times), keep)
        print(f"cut back: {dict(watch.found)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
