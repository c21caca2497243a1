"""The texture of a run: that of the crystals of its last checkpoint, in all of the body or in a box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.deformed import NEEDED, deformed_texture
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.hdf5 import numbers_of, opened, text_of
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.cell_state import VOXEL
from multiscale.cases.case_file import read_case
from multiscale.results.run_folder import CASE, read_results, unstructured_grid
from multiscale.run.checkpoint_file import FORMAT
from multiscale.run.recording import CHECKPOINT

REMEDY = "run the case again with --checkpoint-every, which leaves the crystals at its end too"
Box = tuple[FloatArray, FloatArray]
"""Two opposite corners in the reference body, mm."""


@dataclass(frozen=True)
class RunTexture:
    """What the crystals of a run are doing.

    Attributes:
        law: Their law.
        texture: Where their lattices point now.
        time: Time of the checkpoint, us.
        cells: Number of cells that were looked at.
    """

    law: TaylorPolycrystal | FullFieldCell
    texture: Texture
    time: float
    cells: int


def texture_of_run(folder: Path, box: Box | None = None) -> RunTexture:
    """Return the texture of a run at its last checkpoint.

    Args:
        folder: The folder of the run, with ``case.toml``, its results and ``checkpoint.h5``.
        box: Part of the reference body: cells whose centre is in it count; by default all.

    Raises:
        InputError: A file is missing or damaged, the law has no crystals, or no cell is in the box.
    """
    case = read_case(folder / CASE)
    law = case.law.make(case.end_time)
    if not isinstance(law, TaylorPolycrystal | FullFieldCell):
        raise InputError(
            f"run {folder} has the law {law.name}, which has no crystals; expected taylor or fft3d"
        )
    grid = unstructured_grid(read_results(folder).results)
    centres = grid.cell_centers().points
    within = np.ones(len(centres), dtype=bool) if box is None else _within(centres, box)
    if not within.any():
        low, high = centres.min(axis=0).round(4).tolist(), centres.max(axis=0).round(4).tolist()
        raise InputError(
            f"no cell of run {folder} has its centre in the box, expected some between {low} and {high} mm"
        )
    state, time = _state(folder / CHECKPOINT, law, within)
    volumes = np.abs(grid.compute_cell_sizes(length=False, area=False)["Volume"])[within]
    points = len(next(iter(state.values()))) // int(within.sum())
    made = f"{folder.name} at {time:.4g} us, {int(within.sum())} cells"
    texture = deformed_texture(law, state, np.repeat(volumes / points, points), made)
    return RunTexture(law, texture, time, int(within.sum()))


def _within(centres: FloatArray, box: Box) -> np.ndarray:
    low, high = np.minimum(*box), np.maximum(*box)
    return np.asarray(((centres >= low) & (centres <= high)).all(axis=1))


def _state(path: Path, law: ConstitutiveLaw, within: np.ndarray) -> tuple[State, float]:
    """State of the points of some cells, and the time of the checkpoint, us."""
    if not path.is_file():
        raise InputError(f"{path} does not exist, expected the checkpoint of a run: {REMEDY}")
    prefix = VOXEL if isinstance(law, FullFieldCell) else ""
    known = {v.name: v.shape for v in law.state_spec if v.name.removeprefix(prefix) in NEEDED}
    with opened(path, "checkpoint", REMEDY) as file:
        if text_of(file, "format") != FORMAT:
            raise ValueError(f"has another format than {FORMAT!r}")
        time = float(parse_json(text_of(file, "header"))["clock"]["time"])
        state = State()
        for name, shape in known.items():
            if 0 in shape:
                continue
            stored = numbers_of(file, f"cells/state/{name}", (len(within), None, *shape), complete=False)
            state[name] = _rows(stored, within)
    points = len(next(iter(state.values())))
    for name, shape in known.items():  # of no twins, for one
        state.setdefault(name, np.zeros((points, *shape)))
    return state, time


def _rows(stored: h5py.Dataset, within: np.ndarray) -> FloatArray:
    values = stored[...][within]
    if not np.isfinite(values).all():
        raise ValueError(f"{stored.name} is not finite")
    return np.ascontiguousarray(values.reshape(-1, *values.shape[2:]))
