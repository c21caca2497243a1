"""How well do few grains, and networks, stand for polycrystals of textures of many kinds? A table.

    python demos/studies/texture_families.py --output results/texture_families
    python demos/studies/texture_families.py --weights W.safetensors           a network that is told textures

The truth is a Taylor polycrystal of 128 grains of a texture. Beside it stand polycrystals of 16 and 32 grains
that represent these; one of 128 that shares no more with it than the numbers that a network is told, harmonic
coefficients of order 2, 4 and 6; one without texture; the shipped network, which knows none; and perhaps
another network. Errors are of the deviator, relative L2 over time, the mean over paths and textures.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from kinds_of_load import Loads, along, frames
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import read_crystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.families.family import FAMILIES, KEPT_BACK, TextureFamily
from microscale.crystals.texture.harmonics import coefficients
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import NUMBERS, ORDERS
from microscale.crystals.texture.representative import descend, representative
from microscale.crystals.texture.sources import everywhere
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.law import ConstitutiveLaw, drive
from microscale.paths.protocols import StrainPaths
from microscale.progress import tracked
from microscale.tensors import FloatArray
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.surrogate.histories import relative_errors

FEW = (16, 32)
"""Grains of the small polycrystals."""
SAME = f"same {NUMBERS} numbers"
"""A polycrystal of which nothing else is that of the truth."""
STRAIN, STEPS = 0.3, 150
"""Of tension and compression, in 1 us."""


def walk(max_strain: float) -> Callable[[int, int], Loads]:
    """Return random walks of protocol R, 1 us."""

    def loads(paths: int, seed: int) -> Loads:
        times, U = StrainPaths("R", max_strain, seed=seed).batch(range(paths))
        return times[0], U

    return loads


def uniaxial(sign: float) -> Callable[[int, int], Loads]:
    """Return isochoric tension or compression along random axes, 1 us."""

    def loads(paths: int, seed: int) -> Loads:
        n, t = frames(paths, seed)[:, :, 0], np.linspace(0.0, 1.0, STEPS + 1)
        D = 1.5 * (np.einsum("pi,pj->pij", n, n) - np.eye(3) / 3.0)
        return t, along(D, sign * STRAIN * t)

    return loads


LOADS: Mapping[str, Callable[[int, int], Loads]] = {
    "R 10 %": walk(0.1),
    "R 50 %": walk(0.5),
    "tension 30 %": uniaxial(1.0),
    "compression 30 %": uniaxial(-1.0),
}


@checked
def texture_families(
    *,
    weights: Path | None = None,
    families: tuple[str, ...] = ("none", "various", *KEPT_BACK),
    textures: Count = 4,
    paths: Count = 12,
    grains: Count = 128,
    seed: Seed = 77,
    output: OutFolder = Path("results/texture_families"),
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure the errors and write them as a table.

    Args:
        weights: A network that is told textures.
        families: Families of textures.
        textures: Textures of each.
        paths: Paths of each load along each texture.
        grains: Grains of the truth.
        seed: Of textures and paths; no training has it.
        output: Folder of table and figures.

    Returns:
        Mean errors by family, load and what stands for the polycrystal.
    """
    if unknown := [name for name in families if name not in FAMILIES]:
        raise InputError(f"family = {unknown[0]!r}, expected some of {', '.join(FAMILIES)}")
    if grains <= max(FEW):
        raise InputError(f"grains = {grains}, expected more than the {max(FEW)} that stand for them")
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in tracked(families, "families"):
        family = TextureFamily(name, seed)
        errors = [of_texture(family, k, weights, paths, grains, seed + k) for k in range(textures)]
        found[name] = {
            load: {law: float(np.mean([one[load][law] for one in errors])) for law in errors[0][load]}
            for load in LOADS
        }
        for load, of_laws in found[name].items():
            told = ", ".join(f"{law} {100 * error:.1f} %" for law, error in of_laws.items())
            print(f"{name}, {load}: {told}", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "texture_families.json", (json.dumps(found, indent=2) + "\n").encode())
    write_whole(output / "texture_families.md", table(found).encode())
    return found


def of_texture(
    family: TextureFamily, index: int, weights: Path | None, paths: int, grains: int, seed: int
) -> dict[str, dict[str, FloatArray]]:
    """Return the errors (paths,) along one texture, by load and law."""
    crystal = read_crystal()
    truth = family.grains(index, crystal, grains)
    exact_law, laws = TaylorPolycrystal.of(truth, crystal), standing_for(truth, weights)
    errors: dict[str, dict[str, FloatArray]] = {}
    for name, load in LOADS.items():
        times, F = load(paths, seed)
        exact, each = drive(exact_law, F, times), np.tile(times, (paths, 1))
        errors[name] = {
            told: relative_errors(drive(law, F, times), exact, each).deviatoric for told, law in laws.items()
        }
    return errors


def standing_for(truth: Texture, weights: Path | None) -> dict[str, ConstitutiveLaw]:
    """Return what stands for a polycrystal of a texture, by name."""
    crystal = read_crystal()
    group = lattice_of(crystal).group
    laws: dict[str, ConstitutiveLaw] = {
        f"{few} grains": TaylorPolycrystal.of(representative(truth, few, group).texture, crystal)
        for few in FEW
    }
    laws[SAME] = TaylorPolycrystal.of(with_numbers_of(truth, group), crystal)
    laws["no texture"] = make_law("taylor")
    laws["shipped network"] = make_law("learned")
    if weights is not None:
        laws["network"] = make_law("learned", weights=weights, texture=truth)
    return laws


def with_numbers_of(truth: Texture, group: Rotation) -> Texture:
    """Return as many grains, evenly spread but for the numbers that a network is told."""
    start = representative(everywhere(), len(truth), group).texture.orientations
    whole = coefficients(ORDERS, group, truth.orientations, truth.weights)
    first = {order: C[:1] for order, C in whole.items()}
    return Texture.of(descend(start, truth.weights, group, first))


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the errors as a table of markdown, per cent."""
    first = next(iter(next(iter(found.values())).values()))
    lines = [f"| textures | load | {' | '.join(first)} |", "| --- | --- |" + " ---: |" * len(first)]
    for family, of_loads in found.items():
        for load, errors in of_loads.items():
            cells = " | ".join(f"{100 * error:.1f}" for error in errors.values())
            lines.append(f"| {family} | {load} | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    launch(texture_families)
