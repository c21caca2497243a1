"""Kinds of textures to be judged by, never to learn from: girdles, split poles, drawn ones, deformed ones."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.families.learnt import POINTS, is_hexagonal, log_uniform, seed_of
from microscale.crystals.texture.harmonics import crystal_functions, key_of
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.representative import descend
from microscale.crystals.texture.sources import everywhere, rolled
from microscale.crystals.texture.texture import Texture
from microscale.tensors import FloatArray

GRAINS = 256
"""Of textures that are found by a descent or by deformation."""
STEPS, DURATION = 40, 1.0
"""Steps and time, us, of the deformation."""


def girdle(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return c axes along a circle about an axis, evenly or gathered to one side; crystals turned about c."""
    angle, spread = generator.uniform(25.0, 90.0), log_uniform(generator, 5.0, 20.0)
    gathered = log_uniform(generator, 0.1, 3.0)
    polar = np.radians(angle + spread * generator.normal(size=POINTS))
    azimuth = generator.vonmises(0.0, gathered, POINTS) / generator.choice([1.0, 2.0])
    made = f"girdle at {angle:.0f} degrees, spread {spread:g}, concentration {gathered:g}"
    return _c_axes(generator, polar, azimuth, made)


def split(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return basal poles in two peaks either side of the normal, as in sheets of titanium and Mg-RE."""
    angle, spread = generator.uniform(20.0, 45.0), log_uniform(generator, 5.0, 18.0)
    side = np.where(generator.random(POINTS) < generator.uniform(0.3, 0.7), 1.0, -1.0)
    tilt = np.radians(np.stack([side * angle, 0.0 * side]) + spread * generator.normal(size=(2, POINTS)))
    made = f"basal poles split by {angle:.0f} degrees, spread {spread:g}"
    return _c_axes(generator, np.hypot(*tilt), np.arctan2(tilt[1], tilt[0]), made)


def harmonic(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return grains whose harmonic coefficients of order 2, 4 and 6 are nearest to drawn ones."""
    group = lattice_of(crystal).group
    strength = log_uniform(generator, 0.1, 0.6)
    wanted = {}
    for order in (2, 4, 6):
        shape = crystal_functions(order, key_of(group)).shape
        drawn = generator.normal(size=shape)
        if len(drawn):
            wanted[order] = strength / np.sqrt(1.0 + order) * drawn / np.linalg.norm(drawn)
    shares = np.full(GRAINS, 1.0 / GRAINS)
    found = descend(everywhere(points=GRAINS, seed=seed_of(generator)).orientations, shares, group, wanted)
    return Texture.of(found, shares, f"drawn harmonic coefficients, {strength:g} of order 2")


def deformed(generator: np.random.Generator, crystal: Crystal) -> Texture:
    """Return what a compression along an axis leaves of a sheet, or of no texture."""
    sheet = is_hexagonal(crystal) and generator.random() < 0.7
    spreads = log_uniform(generator, 8.0, 35.0), log_uniform(generator, 8.0, 35.0)
    seed = seed_of(generator)
    before = rolled(*spreads, points=GRAINS, seed=seed) if sheet else everywhere(points=GRAINS, seed=seed)
    strain = log_uniform(generator, 0.05, 0.4)
    axis = generator.normal(size=3)
    n = axis / np.linalg.norm(axis)
    law = TaylorPolycrystal(before.orientations, before.weights, crystal)
    state, out = law.init_state(1), np.empty((1, 3, 3))
    for h in np.linspace(0.0, -strain, STEPS + 1)[1:]:
        F = np.exp(-0.5 * h) * np.eye(3) + (np.exp(h) - np.exp(-0.5 * h)) * np.outer(n, n)
        law.update(F[None], DURATION / STEPS, state, out)
    return deformed_texture(law, state, made=f"{before.made}, compressed by {strain:g}")


def _c_axes(generator: np.random.Generator, polar: FloatArray, azimuth: FloatArray, made: str) -> Texture:
    """Return crystals with c axes at angles from z and about it, turned about c at will."""
    about = generator.uniform(0.0, 2.0 * np.pi, len(polar))
    angles = np.stack([azimuth, polar, about], axis=-1)
    return Texture.of(Rotation.from_euler("ZYZ", angles).as_matrix(), made=made)
