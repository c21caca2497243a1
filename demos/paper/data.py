"""The data sets of Table SI-2 of the paper, and a three-dimensional full field beside Taylor's assumption.

Two dimensions (``fft2d``): 64 x 64 voxels, 16 grains, 10 %, paths of one second (the crystal flows at rates
of one per second). Three (``taylor``): 128 random grains of magnesium, 10 and 50 %, paths of 1 us. ``m02`` is
the case "m = 5" of the table, a rate sensitivity of 0.2 here; ``held`` are the paths of U, L-U and C with
their sides held, so that they change volume (microscale/paths/protocols.py). ``fft3d`` and ``taylor16`` are
16 grains in 16^3 voxels, full-field and by Taylor, with the same grains and along the same paths. Training
sets have the path seed 1, test sets 2: no path is in both.

    python demos/paper/data.py --scale 0.01 --output results/paper/data
    mpirun -n 2 python demos/paper/data.py fft2d_R10_train fft2d_R10_test --scale 1

Run again to resume; what is complete is kept, whatever its number of paths.
"""

import time
from pathlib import Path
from typing import Any

from mpi4py import MPI

from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from microscale.inputs.numbers import Fraction, OutFolder
from multiscale.cli import generate
from multiscale.run.command import launch

TRAIN, TEST = 1, 2
M02 = {"rate_sensitivity": 0.2}
HELD = {"isochoric": False}
# What the figures in docs were made with, not the present default; see docs/results/unit_cell_cost.md.
NODES = {"derivative": "stabilised"}
PLANE: dict[str, Any] = {"law": "fft2d", **NODES, "dimension": 2, "max_strain": 0.1, "duration": 1e6}
TAYLOR = {"law": "taylor", "texture": "random"}
SOLID: dict[str, Any] = {**TAYLOR, "max_strain": 0.1}
LARGE: dict[str, Any] = {**TAYLOR, "max_strain": 0.5}
CELL: dict[str, Any] = {"protocol": "R", "max_strain": 0.05, "resolution": 16, "grains": 16, "seed": TRAIN}
SETS: dict[str, dict[str, Any]] = {
    "fft2d_R10_train": {**PLANE, "protocol": "R", "paths": 3200, "seed": TRAIN},
    "fft2d_R10_test": {**PLANE, "protocol": "R", "paths": 1000, "seed": TEST},
    "fft2d_F10_train": {**PLANE, "protocol": "F", "paths": 3200, "seed": TRAIN},
    "fft2d_F10_test": {**PLANE, "protocol": "F", "paths": 1000, "seed": TEST},
    "fft2d_U10_test": {**PLANE, "protocol": "U", "paths": 100, "seed": TEST},
    "fft2d_U10_held_test": {**HELD, **PLANE, "protocol": "U", "paths": 100, "seed": TEST},
    "fft2d_LU10_test": {**PLANE, "protocol": "L-U", "paths": 100, "seed": TEST},
    "fft2d_LU10_held_test": {**HELD, **PLANE, "protocol": "L-U", "paths": 100, "seed": TEST},
    "fft2d_C10_test": {**PLANE, "protocol": "C", "paths": 100, "seed": TEST},
    "fft2d_C10_held_test": {**HELD, **PLANE, "protocol": "C", "paths": 100, "seed": TEST},
    "fft2d_LU10_train": {**PLANE, "protocol": "L-U", "paths": 900, "seed": TRAIN},
    "fft2d_R10_m02_train": {**PLANE, **M02, "protocol": "R", "paths": 3200, "seed": TRAIN},
    "fft2d_R10_m02_test": {**PLANE, **M02, "protocol": "R", "paths": 1000, "seed": TEST},
    "taylor_R10_train": {**SOLID, "protocol": "R", "paths": 3200, "seed": TRAIN},
    "taylor_R10_test": {**SOLID, "protocol": "R", "paths": 1000, "seed": TEST},
    "taylor_F10_train": {**SOLID, "protocol": "F", "paths": 3200, "seed": TRAIN},
    "taylor_F10_test": {**SOLID, "protocol": "F", "paths": 1000, "seed": TEST},
    "taylor_U10_test": {**SOLID, "protocol": "U", "paths": 100, "seed": TEST},
    "taylor_U10_held_test": {**HELD, **SOLID, "protocol": "U", "paths": 100, "seed": TEST},
    "taylor_R10_m02_train": {**SOLID, **M02, "protocol": "R", "paths": 3200, "seed": TRAIN},
    "taylor_R10_m02_test": {**SOLID, **M02, "protocol": "R", "paths": 1000, "seed": TEST},
    "taylor_R50_train": {**LARGE, "protocol": "R", "paths": 30_000, "seed": TRAIN},
    "taylor_R50_test": {**LARGE, "protocol": "R", "paths": 6000, "seed": TEST},
    "taylor_U50_test": {**LARGE, "protocol": "U", "paths": 100, "seed": TEST},
    "taylor_U50_held_test": {**HELD, **LARGE, "protocol": "U", "paths": 100, "seed": TEST},
    "taylor_LU50_test": {**LARGE, "protocol": "L-U", "paths": 100, "seed": TEST},
    "taylor_LU50_held_test": {**HELD, **LARGE, "protocol": "L-U", "paths": 100, "seed": TEST},
    "taylor_C50_test": {**LARGE, "protocol": "C", "paths": 100, "seed": TEST},
    "taylor_C50_held_test": {**HELD, **LARGE, "protocol": "C", "paths": 100, "seed": TEST},
    "fft3d_R05": {"law": "fft3d", **CELL, "paths": 200},
    "taylor16_R05": {**TAYLOR, **CELL, "paths": 200},
}
"""What `multiscale generate` is told for each set; numbers of paths are the paper's but in the last two."""


def data(
    *sets: str, scale: Fraction = 1.0, output: OutFolder = Path("results/paper/data")
) -> dict[str, Path]:
    """Generate data sets; return their files by name.

    Args:
        sets: Names; all by default.
        scale: Number of paths relative to the paper's; at least 2.
        output: Folder of the files, <name>.h5.
    """
    if not 0.0 < scale <= 1.0:
        raise InputError(f"scale = {scale}, expected more than 0 and at most 1")
    names = sets or tuple(SETS)
    for name in names:
        if name not in SETS:
            raise InputError(f"unknown data set '{name}', expected some of: {', '.join(SETS)}")
    files = {name: output / f"{name}.h5" for name in names}
    for name, file in files.items():
        if file.exists():
            _report(f"{file}: kept, {read_provenance(file)['paths']['count']} paths")
            continue
        begin = time.perf_counter()
        generate(out=file, **SETS[name] | {"paths": max(2, round(scale * SETS[name]["paths"]))})
        _report(f"{name}: {time.perf_counter() - begin:.1f} s")
    return files


def _report(line: str) -> None:
    if MPI.COMM_WORLD.rank == 0:
        print(line, flush=True)


if __name__ == "__main__":
    launch(data)
