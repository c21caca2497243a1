"""The texture that deformation has made: where the lattices of a state point now.

The lattice of a grain is carried by the elastic part of the deformation, F Q F_in^-1, and the rotation in it
is what a diffractometer sees. A twin is a lattice of its own: it counts with its volume fraction, and points
as its parent after half a turn about the normal of the twin plane; the parent counts with what is left.
"""

from __future__ import annotations

import numpy as np

from microscale.crystals.diagnostics import lattice_orientations, twin_orientations
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import numbers_in
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray, polar_decomposition
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.cell_state import VOXEL

NEEDED = ("F", "orientation", "plastic_inverse", "twin_fraction")
"""State variables that say where lattices point; those of them that a law has."""
LEAST = 1e-9
"""Share of the volume below which a twin is left out."""


def deformed_texture(
    law: ConstitutiveLaw, state: State, volumes: FloatArray | None = None, made: str = "deformed"
) -> Texture:
    """Return the texture of the points of a state, all together.

    Args:
        law: A polycrystal, a single crystal, or a unit cell of them.
        state: Its state at n points.
        volumes: Share of the volume of each point, shape (n,), of any sum; equal by default.
        made: What made it, in words.

    Raises:
        InputError: The law has no crystals, or volumes do not fit.
    """
    if isinstance(law, FullFieldCell) and isinstance(law.law, SingleCrystal):
        return _of_cell(law, state, volumes, made)
    if not isinstance(law, TaylorPolycrystal | SingleCrystal):
        raise InputError(f"the law {law.name} has no crystals, expected taylor, fft3d or a single crystal")
    n = len(state["F"])
    shares = np.ones(n) if volumes is None else numbers_in("volumes", volumes)
    if shares.shape != (n,):
        raise InputError(f"volumes have shape {shares.shape}, expected one for each of {n} points")
    lattice = _lattices(law, state)
    grains = law.weights if isinstance(law, TaylorPolycrystal) else np.ones(1)
    volume = shares[:, None] * grains
    twinned = np.swapaxes(state["twin_fraction"].reshape(n, law.crystal.n_twin, len(grains)), 1, 2)
    orientations = [lattice.reshape(-1, 3, 3)]
    weights = [(volume * np.maximum(1.0 - twinned.sum(axis=2), 0.0)).ravel()]
    if law.crystal.n_twin:
        there = twinned > LEAST
        orientations.append(twin_orientations(lattice, law.crystal)[there])
        weights.append((volume[:, :, None] * twinned)[there])
    return Texture.of(np.concatenate(orientations), np.concatenate(weights), made)


def _lattices(law: TaylorPolycrystal | SingleCrystal, state: State) -> FloatArray:
    """Lattices of the parents, shape (n, grains, 3, 3)."""
    F, inverse = state["F"], state["plastic_inverse"]
    if isinstance(law, TaylorPolycrystal):
        return lattice_orientations(F, law.orientations, inverse)
    return polar_decomposition(F @ state["orientation"] @ inverse)[0][:, None]


def _of_cell(cell: FullFieldCell, state: State, volumes: FloatArray | None, made: str) -> Texture:
    voxels = {name: state[VOXEL + name] for name in NEEDED}
    n, each = voxels["F"].shape[:2]
    local = State({name: array.reshape(n * each, *array.shape[2:]) for name, array in voxels.items()})
    shares = None if volumes is None else np.repeat(numbers_in("volumes", volumes), each)
    return deformed_texture(cell.law, local, shares, made)
