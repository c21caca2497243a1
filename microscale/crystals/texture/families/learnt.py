"""Kinds of textures to learn from: none, fibres, sheets, rods, mixtures of them, twinned ones, and peaks.

Spreads are log-uniform, from sharp to hardly a texture. Each lies in a frame of its own; the family turns it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal
from microscale.crystals.diagnostics import twin_orientations
from microscale.crystals.texture import sources
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.texture import Texture, mixture
from microscale.tensors import FloatArray

POINTS = 2048
"""Orientations that stand for one of them, before it is reduced to grains."""
C = (0.0, 0.0, 1.0)


def none(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return no texture."""
    return sources.everywhere(points=POINTS, seed=seed_of(generator))


def fibre(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return a fibre of any axis of the crystal; of one with a unique axis two in three are of that."""
    axis = generator.normal(size=3)
    if is_hexagonal(crystal) and generator.random() < 2.0 / 3.0:
        axis = np.array(C)
    spread = log_uniform(generator, 5.0, 60.0)
    return sources.fibre(spread, C, axis, points=POINTS, seed=seed_of(generator))


def rolled(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return a rolled sheet with spreads along RD and TD of their own."""
    spreads = log_uniform(generator, 5.0, 45.0), log_uniform(generator, 5.0, 45.0)
    return sources.rolled(*spreads, points=POINTS, seed=seed_of(generator))


def extruded(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return an extruded rod."""
    return sources.extruded(log_uniform(generator, 5.0, 40.0), points=POINTS, seed=seed_of(generator))


def mixed(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return two or three of the others, each turned at will, with shares drawn evenly; one is a texture."""
    kinds = [none, fibre, rolled, extruded] if is_hexagonal(crystal) else [none, fibre]
    count = int(generator.integers(2, 4))
    shares = generator.dirichlet(np.ones(count)).clip(0.02)
    chosen = [generator.integers(1, len(kinds)), *generator.integers(len(kinds), size=count - 1)]
    parts = [turned(generator, kinds[kind](generator, crystal)) for kind in chosen]
    return mixture([(part, round(float(share), 2)) for part, share in zip(parts, shares, strict=True)])


def peaks(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return one to five peaks of c axes, near each other or not, and perhaps a share without texture."""
    count = int(generator.integers(1, 6))
    about, apart = generator.normal(size=3), log_uniform(generator, 0.2, 5.0)
    about /= np.linalg.norm(about)
    shares = generator.dirichlet(np.ones(count))
    shares *= 1.0 - generator.choice([0.0, generator.uniform(0.0, 0.7)])
    parts = [(none(generator, crystal), round(1.0 - float(shares.sum()), 2))]
    for share in shares:
        axis, spread = about + apart * generator.normal(size=3), log_uniform(generator, 5.0, 40.0)
        peak = sources.fibre(spread, axis, C, points=POINTS // 2, seed=seed_of(generator))
        parts.append((peak, round(float(share), 2)))
    return mixture([(part, share) for part, share in parts if share > 0.0])


def twinned(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return one of the others of which a share has twinned: each grain by the variant best for a stress."""
    kinds = (fibre, rolled, extruded)
    parent = kinds[generator.integers(3)](generator, crystal)
    share = round(float(generator.uniform(0.1, 0.7)), 2)
    axis = generator.normal(size=3)
    best = _best_variant(crystal, parent.orientations, axis / np.linalg.norm(axis))
    twins = twin_orientations(parent.orientations, crystal)[np.arange(len(parent)), best]
    made = f"{parent.made}, of which {share:g} has twinned"
    return mixture([(parent, 1.0 - share), (Texture.of(twins, parent.weights), share)], made)


def _best_variant(crystal: Crystal, orientations: FloatArray, axis: FloatArray) -> FloatArray:
    """Variants (n,) with the largest Schmid factor in tension along an axis; for twins it has a sign."""
    seen = np.einsum("nij,i->nj", orientations, axis)
    factors = (seen @ crystal.twinning.directions.T) * (seen @ crystal.twinning.normals.T)
    return np.asarray(factors.argmax(axis=1))


def is_hexagonal(crystal: Crystal) -> bool:
    """Return whether a crystal has the c axis that sheets and rods are named by."""
    return lattice_of(crystal).name == "hexagonal"


def turned(generator: np.random.Generator, texture: Texture) -> Texture:
    """Return a texture turned at will."""
    return texture.turned(Rotation.random(rng=generator).as_matrix())


def log_uniform(generator: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform, rounded to three digits so that its record is the number."""
    return float(f"{np.exp(generator.uniform(np.log(low), np.log(high))):.3g}")


def seed_of(generator: np.random.Generator) -> int:
    """Draw a seed."""
    return int(generator.integers(2**31))
