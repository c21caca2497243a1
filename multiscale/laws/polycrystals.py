"""Polycrystals by their options: Taylor's, and unit cells, with textures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.orientations import random_orientations
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.described import grains_of
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.names import PLAIN, require_axes_used
from microscale.crystals.texture.representative import evenly
from microscale.crystals.texture.texture import Texture
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.inputs.numbers import Count, CountOrZero, Seed, checked
from microscale.law import ConstitutiveLaw
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import Microstructure, periodic_voronoi
from microscale.unit_cell.room import DERIVATIVE, require_room


@checked
def taylor(
    grains: Count = 128,
    seed: Seed = 0,
    rate_sensitivity: float | None = None,
    resolution: Count | None = None,
    crystal: Path | str | Crystal | None = None,
    texture: Path | str | Texture = "uniform",
    texture_axes: str | None = None,
) -> ConstitutiveLaw:
    """Return the polycrystal; with a resolution its grains are those of the ``fft3d`` cell of the seed."""
    material = read_crystal(crystal).with_options(rate_sensitivity)
    require_axes_used(texture, texture_axes)
    if resolution is not None:
        cell = solid_cell(material, grains, resolution, seed, texture, texture_axes)
        return TaylorPolycrystal(cell.orientations, cell.weights, material)
    if texture in PLAIN:
        uniform = texture == "uniform"
        Q = uniform_orientations(grains, seed, material) if uniform else random_orientations(grains, seed)
        return TaylorPolycrystal(Q, crystal=material)
    found = grains_of(texture, material, grains, seed, texture_axes)
    return TaylorPolycrystal.of(found.texture, material)


@checked
def fft2d(
    grains: Count = 16,
    seed: Seed = 0,
    rate_sensitivity: float | None = None,
    resolution: Count = 64,
    tolerance: float = 1e-3,
    memory: CountOrZero = 20,
    crystal: Path | str | Crystal | None = None,
    derivative: str = DERIVATIVE[2],
) -> ConstitutiveLaw:
    """Return the plane unit cell of Voronoi grains, by default of the crystal with two slip systems."""
    material = read_crystal(crystal or "two_slip.yaml").with_options(rate_sensitivity)
    shape = (resolution,) * 2
    voronoi = partial(periodic_voronoi, grains, shape, seed)
    return _full_field(material, shape, voronoi, tolerance, memory, derivative)


@checked
def fft3d(
    grains: Count = 16,
    seed: Seed = 0,
    rate_sensitivity: float | None = None,
    resolution: Count = 16,
    tolerance: float = 1e-3,
    memory: CountOrZero = 20,
    crystal: Path | str | Crystal | None = None,
    derivative: str = DERIVATIVE[3],
    texture: Path | str | Texture = "random",
    texture_axes: str | None = None,
) -> ConstitutiveLaw:
    """Return the solid unit cell of Voronoi grains."""
    material = read_crystal(crystal).with_options(rate_sensitivity)
    require_axes_used(texture, texture_axes)
    voronoi = partial(solid_cell, material, grains, resolution, seed, texture, texture_axes)
    return _full_field(material, (resolution,) * 3, voronoi, tolerance, memory, derivative)


def solid_cell(
    crystal: Crystal,
    grains: int,
    resolution: int,
    seed: int,
    texture: Path | str | Texture = "uniform",
    axes: str | None = None,
) -> Microstructure:
    """Return the grains of a solid cell; those of a texture, or of none, stand for it with their volumes.

    Orientations that are spread evenly over grains are not over the volume: grains of Voronoi differ in size.
    """
    cell = periodic_voronoi(grains, (resolution,) * 3, seed)
    if texture == "random":
        return cell
    if texture == "uniform":
        return cell.oriented(evenly(cell.weights, lattice_of(crystal).group, seed))
    found = grains_of(texture, crystal, grains, seed, axes, weights=cell.weights)
    return cell.oriented(found.texture.orientations)


def _full_field(
    crystal: Crystal,
    shape: tuple[int, ...],
    grains: Callable[[], Microstructure],
    tolerance: float,
    memory: int,
    derivative: str,
) -> ConstitutiveLaw:
    """Return a unit cell; its grains are made when it is known that there is room for them."""
    require_room(SingleCrystal(crystal=crystal), shape, derivative, memory)
    return FullFieldCell.polycrystal(
        grains(), crystal, tolerance=tolerance, memory=memory, derivative=derivative
    )
