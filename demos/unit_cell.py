"""The full-field unit cell beside Taylor's assumption: what the grains do when each may deform on its own.

Stretches a periodic polycrystal along axis 1 without change of volume, in plane strain (the crystal of the
paper, two slip systems) or in three dimensions (magnesium), and draws the grains and the fields at some
strains: maps of the plane, a solid with an eighth cut out. The full-field stress lies below Taylor's, who
makes every grain follow the mean. The crystal of the plane has one mode of plastic strain only: there Taylor
is far too stiff, and from about 5 % of strain grains kink, and the stress falls (docs/notebook/unit_cell.md).

    python demos/unit_cell.py --output results/unit-cell
    python demos/unit_cell.py --law fft3d --resolution 32
    python demos/unit_cell.py --second-system 45
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from microscale import TaylorPolycrystal, drive
from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Seed, Steps, checked
from microscale.inputs.options import options_for
from microscale.progress import tracked
from microscale.tensors import cauchy_from_piola, von_mises
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi
from microscale.unit_cell.pictures import crystal_maps, draw_fields
from microscale.unit_cell.room import require_room
from multiscale.run.command import launch

CASES = {  # crystal, dimension, duration (us), lateral strains of a volume-preserving stretch
    "fft2d": ("two_slip.yaml", 2, 1e6, [-1.0, 0.0]),
    "fft3d": ("magnesium.yaml", 3, 1.0, [-0.5, -0.5]),
}
LARGEST_STRAIN = 2.0
OPTIONS = {"fft2d": {"resolution": 64, "second_system": 90.0}, "fft3d": {"resolution": 16}}


@checked
def unit_cell(
    *,
    law: Literal["fft2d", "fft3d"] = "fft2d",
    strains: tuple[float, ...] = (0.01, 0.05, 0.1),
    resolution: Count | None = None,
    grains: Count = 16,
    seed: Seed = 0,
    steps: Steps = 100,
    second_system: float | None = None,
    output: OutFolder = Path("results/unit-cell"),
) -> dict[str, np.ndarray]:
    """Draw the cell; return the von Mises stress of the full field and of Taylor at the strains, GPa.

    Args:
        law: fft2d or fft3d.
        strains: Logarithmic strains at which to draw, increasing.
        resolution: Voxels along a side; 64 in two and 16 in three dimensions by default.
        grains: Voronoi grains in the cell.
        seed: Seed of the grains.
        steps: Time steps to the last strain.
        second_system: Degrees from the first slip system of the plane crystal of fft2d to the second, whose
            normal the paper misprints; 90 by default, which alone makes them orthogonal.
        output: Folder for the pictures.
    """
    if not strains or min(strains) <= 0.0 or list(strains) != sorted(set(strains)):
        raise InputError(f"strains = {strains}, expected some positive numbers, increasing")
    if strains[-1] > LARGEST_STRAIN:
        raise InputError(f"strains = {strains[-1]}, expected at most {LARGEST_STRAIN:g}, logarithmic")
    file, dimension, duration, lateral = CASES[law]
    crystal = read_crystal(file)
    given = {"resolution": resolution, "second_system": second_system}
    options = options_for("law", law, given, OPTIONS.__getitem__, OPTIONS)
    if dimension == 2:
        crystal = with_second_system(crystal, np.radians(options["second_system"]))
    shape = (options["resolution"],) * dimension
    require_room(SingleCrystal(crystal=crystal), shape, None)
    grain_map = periodic_voronoi(grains, shape, seed)
    cell = FullFieldCell.polycrystal(grain_map, crystal)
    logarithmic = np.linspace(0.0, strains[-1], steps + 1)
    F = np.exp(logarithmic[:, None] * np.array([1.0, *lateral]))[:, :, None] * np.eye(3)

    stops = [int(np.argmin(np.abs(logarithmic - strain))) for strain in strains]
    state, P, rows, full = cell.init_state(1), np.empty((1, 3, 3)), [], []
    for k in tracked(range(1, steps + 1), "strain steps"):
        cell.update(F[k : k + 1], duration / steps, state, P)
        if k in stops:
            full.append(von_mises(cauchy_from_piola(P, F[k : k + 1]))[0])
            rows.append((f"strain {logarithmic[k]:.1%}", crystal_maps(cell, state)))
    taylor = TaylorPolycrystal(grain_map.orientations, grain_map.weights, crystal)
    stress = von_mises(drive(taylor, F[None], np.linspace(0.0, duration, steps + 1))[0, stops])

    output.mkdir(parents=True, exist_ok=True)
    draw_fields(output / f"{law}-grains.png", [("", {"grain": grain_map.grain.astype(float)})])
    draw_fields(output / f"{law}-fields.png", rows)
    for strain, one, other in zip(strains, full, stress, strict=True):
        print(f"strain {strain:.1%}: von Mises {one:.4f} GPa in the full field, {other:.4f} GPa after Taylor")
    print(f"{cell.law_calls / steps:.1f} calls of the local law a step; pictures in {output}")
    return {"full field": np.array(full), "taylor": stress}


def with_second_system(crystal: Crystal, angle: float) -> Crystal:
    """Return the plane crystal with its second slip system turned from the first by an angle in radians."""
    c, s = np.cos(angle), np.sin(angle)
    directions, normals = np.array([[[1.0, 0.0, 0.0], [c, s, 0.0]], [[0.0, 1.0, 0.0], [-s, c, 0.0]]])
    return replace(crystal, families=(replace(crystal.families[0], directions=directions, normals=normals),))


if __name__ == "__main__":
    launch(unit_cell)
