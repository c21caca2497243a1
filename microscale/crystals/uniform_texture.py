"""Orientations that cover all of orientation space evenly: a polycrystal without texture, of few grains.

Grains drawn at random stand for the isotropic polycrystal with an error of order grains^(-1/2): with 128 of
magnesium 6 % of the deviatoric stress. Orientations that repel each other like charges of one sign do so
with 1 % at the same cost (docs/results/texture.md). As a crystal looks the same after a rotation of its
point group, each charge stands at all equivalent orientations.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal, SlipFamily, Twinning, read_crystal
from microscale.crystals.orientations import random_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Seed, checked
from microscale.tensors import FloatArray

ITERATIONS = 300
"""Of the descent; the energy falls by less than 1e-5 beyond."""
DEFAULT = 128
"""Grains of the default polycrystal. Its orientations are kept in a file: descending again could end, on
another processor, in another of the many minima, which are as good but not the same material."""
KEPT = "uniform_texture_128.csv"
MOST = 2048
"""Largest number of orientations: the descent takes minutes, and a gigabyte."""


@checked
def uniform_orientations(grains: Count, seed: Seed = 0, crystal: Crystal | None = None) -> FloatArray:
    """Return evenly spread orientations (grains, 3, 3), crystal axes as columns in the sample frame.

    Args:
        grains: Number of orientations; the work grows with its square.
        seed: Of the random ones the descent starts from.
        crystal: Whose point group counts; magnesium by default.

    Raises:
        InputError: ``grains`` is not positive, or too large.
    """
    if grains < 1:
        raise InputError(f"grains = {grains}, expected at least one")
    if grains > MOST:
        raise InputError(
            f"grains = {grains}, expected at most {MOST} that are evenly spread, since the work grows with "
            "the square: draw them at random"
        )
    group = point_group(read_crystal() if crystal is None else crystal)
    if (grains, seed) == (DEFAULT, 0) and _same(group, hexagonal_rotations()):
        kept = np.loadtxt(str(files("microscale.crystals").joinpath(KEPT)), delimiter=",")
        return Rotation.from_quat(kept).as_matrix()
    return Rotation.from_quat(_spread(grains, seed, group.as_quat().tobytes())).as_matrix()


def point_group(crystal: Crystal) -> Rotation:
    """Return the hexagonal or cubic rotations that map a crystal's slip and twin systems to themselves."""
    candidates = max(hexagonal_rotations(), Rotation.create_group("O"), key=lambda g: _kept(crystal, g).sum())
    return candidates[_kept(crystal, candidates)]


def hexagonal_rotations() -> Rotation:
    """Return the twelve rotations of the hexagonal lattice, x along [2-1-10] and z along c."""
    return Rotation.create_group("D6", axis="Z")


def _kept(crystal: Crystal, rotations: Rotation) -> np.ndarray:
    """Tell which rotations map each family onto itself; slip goes both ways, twinning only one."""
    R = rotations.as_matrix()
    kept = np.full(len(R), True)
    slip = [_schmid(family) for family in crystal.families]
    for systems in (*(np.concatenate([s, -s]) for s in slip), _schmid(crystal.twinning)):
        turned = np.einsum("rij,njk,rlk->rnil", R, systems, R)
        apart = np.abs(turned[:, :, None] - systems).max((3, 4))
        kept &= np.all(apart.min(2, initial=np.inf) < 1e-6, axis=1)
    return kept


def _same(one: Rotation, other: Rotation) -> bool:
    return len(one) == len(other) and np.allclose(one.as_matrix(), other.as_matrix())


def _schmid(group: SlipFamily | Twinning) -> FloatArray:
    return np.einsum("ni,nj->nij", group.directions, group.normals)


@cache
def _spread(grains: int, seed: int, group: bytes) -> FloatArray:
    """Quaternions (grains, 4) of least energy; cached, as each rank and demo makes more than one law."""
    turns = _right_products(np.frombuffer(group).reshape(-1, 4))
    start = Rotation.from_matrix(random_orientations(grains, seed)).as_quat()
    found = minimize(
        _energy, start.ravel(), (turns,), "L-BFGS-B", jac=True, options={"maxiter": ITERATIONS, "maxcor": 20}
    )
    return _normalised(found.x.reshape(-1, 4))[0]


def _energy(flat: FloatArray, turns: FloatArray) -> tuple[float, FloatArray]:
    """Coulomb energy of charges at all equivalents of the orientations a quaternion stands for, and slope.

    The distance of two is the sine of half the angle between them, which knows no sign of a quaternion.
    """
    q, length = _normalised(flat.reshape(-1, 4))
    equivalents = np.einsum("sij,nj->sni", turns, q)
    cosine = np.einsum("mi,sni->smn", q, equivalents)
    itself = np.arange(len(q))
    cosine[:, itself, itself] = 0.0
    distance = np.sqrt(np.maximum(1.0 - cosine**2, 1e-12))
    energy = float((1.0 / distance).sum() - cosine.shape[0] * len(q))
    slope = 2.0 * np.einsum("smn,sni->mi", cosine / distance**3, equivalents)
    slope -= np.einsum("mi,mi->m", slope, q)[:, None] * q
    return energy, (slope / length).ravel()


def _normalised(q: FloatArray) -> tuple[FloatArray, FloatArray]:
    length = np.linalg.norm(q, axis=1, keepdims=True)
    return q / length, length


def _right_products(s: FloatArray) -> FloatArray:
    """Matrices (n, 4, 4) that multiply a quaternion (x, y, z, w) by each of ``s`` from the right."""
    x, y, z, w = s.T
    rows = [[w, z, -y, x], [-z, w, x, y], [y, -x, w, z], [-x, -y, -z, w]]
    return np.moveaxis(np.array(rows), 2, 0)
