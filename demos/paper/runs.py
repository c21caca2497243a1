"""The impacts of the paper's figures: both demos at the sizes shown, and what is read from their results."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from plate_impact import plate_impact
from taylor_anvil import taylor_anvil

from multiscale.laws.constants_file import shipped_constants
from multiscale.results.provenance import plain
from multiscale.results.run_folder import RESULTS
from multiscale.results.vtkhdf import Results

CONSTANTS = shipped_constants("j2").parent

# Elasticity and density of the paper's magnesium (Table SI-1): G and K = 2 lambda_e, GPa; g/cm^3.
SHEAR, BULK, DENSITY = 25.0, 48.0, 10.0
ELASTIC_SPEED = np.sqrt((4.0 / 3.0 * SHEAR + BULK) / DENSITY)
BULK_SPEED = np.sqrt(BULK / DENSITY)
YOUNG, POISSON = (
    9.0 * BULK * SHEAR / (3.0 * BULK + SHEAR),
    (3.0 * BULK - 2.0 * SHEAR) / (6.0 * BULK + 2.0 * SHEAR),
)
PLATE_SPEED = np.sqrt(YOUNG / DENSITY / (1.0 - POISSON**2))

# Elements of a quarter of the anvil and layers of the plate, for pictures and for tests.
ELEMENTS, FAST_ELEMENTS = 12_000, 200
LAYERS, FAST_LAYERS = 12, 4

# Steps between outputs: waves are read from them.
EVERY = 5


def anvil(folder: Path, fast: bool = False, **flags: Any) -> tuple[dict[str, Any], Results]:
    """Run a quarter of the anvil; return its summary and its result file."""
    size = {"elements": FAST_ELEMENTS if fast else ELEMENTS, "model": "quarter"}
    flags = size | {"steps_between_outputs": EVERY} | flags
    return taylor_anvil(output=folder, **flags), Results(folder / RESULTS)


def plate(folder: Path, fast: bool = False, **flags: Any) -> tuple[dict[str, Any], Results]:
    """Run the plate; return its summary and its result file."""
    size = {"layers": FAST_LAYERS if fast else LAYERS, "width": 10.0 if fast else 18.0}
    flags = size | {"steps_between_outputs": EVERY} | flags
    return plate_impact(output=folder, **flags), Results(folder / RESULTS)


def axis_history(results: Results, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return depths below the struck face, mm, and a field (steps, cells), of the cells on the axis."""
    centres = results.points[results.cells].mean(axis=1)
    radius = np.hypot(centres[:, 0], centres[:, 1])
    cells = np.flatnonzero(radius < 1.01 * radius.min())
    (obstacle,) = json.loads(results.attributes["obstacles"])
    is_plate = np.mean(obstacle["outline_mm"], axis=0)[1] > centres[:, 2].mean()  # it is struck from above
    depth = results.points[:, 2].max() - centres[cells, 2] if is_plate else centres[cells, 2]
    order = np.argsort(depth)
    values = [results.field(name, step)[cells[order]] for step in range(len(results.times))]
    return depth[order], np.array(values)


def farthest(place: np.ndarray, values: np.ndarray, level: float) -> np.ndarray:
    """Return how far |values| (steps, places) reach ``level``, between places linearly; nan at either end."""
    front = np.full(len(values), np.nan)
    for step, size in enumerate(np.abs(values)):
        above = np.flatnonzero(size > level)
        if len(above) and above[-1] + 1 < len(place):
            k = above[-1]
            part = (size[k] - level) / (size[k] - size[k + 1])
            front[step] = place[k] + part * (place[k + 1] - place[k])
    return front


def speed(times: np.ndarray, front: np.ndarray, begin: float, end: float) -> float:
    """Return the slope of a front against time between two times, mm/us; nan if seen too rarely."""
    seen = (times >= begin) & (times <= end) & np.isfinite(front)
    return float(np.polyfit(times[seen], front[seen], 1)[0]) if seen.sum() > 2 else float("nan")


def front_speeds(results: Results, velocity: float, begin: float, end: float) -> dict[str, float]:
    """Return the speeds of the volumetric front on the axis, mm/us: of its half height and of its edge.

    Heights are relative to the strain v / c of an elastic plane wave.
    """
    depth, e_v = axis_history(results, "e_v")
    strain = 1e-3 * velocity / ELASTIC_SPEED
    heights = {"front_half_height_mm_per_us": 0.5, "front_edge_mm_per_us": 0.002}
    fronts = {name: farthest(depth, e_v, height * strain) for name, height in heights.items()}
    return {name: speed(results.times, front, begin, end) for name, front in fronts.items()}


def write_figures(path: Path, figures: dict[str, Any]) -> dict[str, Any]:
    """Write the measured figures beside a picture, print and return them."""
    text = json.dumps(plain(figures), indent=2)
    path.write_text(text + "\n")
    print(f"{path}\n{text}")
    return figures


def plastic_front(results: Results, level: float = 0.1, settled: float = 0.25) -> tuple[float, float]:
    """Return where the deviatoric strain reaches a level on the axis at the end, mm, and its speed, mm/us.

    The speed is that after a share ``settled`` of the end. Both are zero where there is no such front.
    """
    depth, e_d = axis_history(results, "e_d")
    front, end = farthest(depth, e_d, level), float(results.times[-1])
    found = (front[-1], speed(results.times, front, settled * end, end))
    return float(np.nan_to_num(found[0])), float(np.nan_to_num(found[1]))
