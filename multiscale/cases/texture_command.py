"""What ``multiscale texture`` does: look at a texture, as described, in a file, deformed, or of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.axes import part_axes
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.density import HALF_WIDTH
from microscale.crystals.texture.described import distribution, grains_of
from microscale.crystals.texture.harmonics import coefficients
from microscale.crystals.texture.lattice import Lattice, lattice_of
from microscale.crystals.texture.misfit import density_misfit
from microscale.crystals.texture.names import PLAIN
from microscale.crystals.texture.pole_figures import draw_inverse_pole_figures, draw_pole_figures
from microscale.crystals.texture.representative import Reduced
from microscale.crystals.texture.sources import drawn, even
from microscale.crystals.texture.texture import Texture
from microscale.crystals.texture.writing import write_orientations
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.whole_file import write_json
from microscale.inputs.numbers import Count, OutFolder, Range, Seed, Time, checked
from microscale.progress import tracked
from multiscale.cases.run_texture import Box, texture_of_run
from multiscale.run.flags import WithMinus
from multiscale.run.inputs import require_apart

HalfWidth = Annotated[float, Range(0.5, 90.0, unit="degrees")]
LogStrain = Annotated[float, Range(-3.0, 3.0)]
Named = list[tuple[str, Texture]]
STEPS = 200
ORDERS = (2, 4, 6)
POLES, INVERSE, TEXT, NEPER, FIGURES = (
    "pole_figures.png",
    "inverse_pole_figures.png",
    "orientations.txt",
    "orientations.ori",
    "texture.json",
)


@checked
def texture(
    what: str,
    *,
    out: OutFolder = Path("results/texture"),
    crystal: Path | None = None,
    grains: Count | None = None,
    seed: Seed | None = None,
    axes: WithMinus | None = None,
    along: Literal["x", "y", "z"] | None = None,
    strain: LogStrain | None = None,
    duration: Time | None = None,
    box: WithMinus | None = None,
    pole: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    half_width: HalfWidth = HALF_WIDTH,
) -> dict[str, Any]:
    """Look at a texture: pole figures, orientations for other programs, and how well few grains stand for it.

    Args:
        what: A description (rolled:15,25, extruded:12, fibre:z,15, uniform, random), a file of orientations,
            or the folder of a run of law taylor or fft3d with a checkpoint.
        out: Folder of pole_figures.png, inverse_pole_figures.png, orientations.txt (Bunge angles in degrees
            and weights, which MTEX and orix read), orientations.ori (Neper) and texture.json.
        crystal: Material file, laid out like microscale/magnesium.yaml; magnesium by default.
        grains: Grains of the polycrystal; 128 by default.
        seed: Seed of the grains; 0 by default.
        axes: Where RD, TD and ND lie in the part, as z,x,y.
        along: Show the texture after tension or compression along x, y or z too (law taylor; sides give way
            alike, volume is kept).
        strain: Its logarithmic strain.
        duration: Its time, us; 1 by default.
        box: Of a run: opposite corners x,y,z,x,y,z of a part of the reference body, mm.
        pole: Poles to show, such as 0001, once for each; by default three of the lattice.
        half_width: Of the kernel of densities, degrees.

    Returns:
        What texture.json holds.

    Raises:
        InputError: An option has no use, or a file cannot be used.
    """
    folder = Path(what)
    options: dict[str, Any] = {
        "crystal": crystal,
        "grains": grains,
        "seed": seed,
        "axes": axes,
        "along": along,
    }
    options |= {"strain": strain, "duration": duration}
    if folder.is_dir():
        _require_unused(options, "the folder of a run, which says itself what it is of")
        shown, told, material = _of_run(folder, box)
    else:
        _require_unused({"box": box}, "what is not the folder of a run")
        material = read_crystal(crystal)
        shown, told = _of_description(what, material, grains or 128, seed or 0, axes)
        shown += _pulled(shown[-1][1], material, along, strain, duration)
    require_apart((out / name for name in (TEXT, NEPER, FIGURES)), [folder, crystal])
    out.mkdir(parents=True, exist_ok=True)
    lattice = lattice_of(material)
    draw = {"poles": pole, "half_width": half_width}
    told["largest_density"] = draw_pole_figures(out / POLES, shown, lattice, **draw)  # type: ignore[arg-type]
    told["largest_density"] |= draw_inverse_pole_figures(out / INVERSE, shown, lattice, half_width=half_width)
    told["half_width_degrees"] = half_width
    told["textures"] = {title: _record(found, lattice) for title, found in shown}
    _write(out, shown[-1][1], lattice)
    write_json(out / FIGURES, told)
    _print(told, out)
    return told


def _of_description(
    what: str, crystal: Crystal, grains: int, seed: int, axes: str | None
) -> tuple[Named, dict[str, Any]]:
    """The texture, and the grains that stand for it if these are not all of it."""
    if what in PLAIN:
        _require_unused({"axes": axes}, f"{what}, which has no axes")
        return [(what, even(grains, seed, crystal) if what == "uniform" else drawn(grains, seed))], {}
    whole = distribution(what, crystal, seed)
    whole = whole if axes is None else whole.turned(part_axes(axes))
    found = grains_of(what, crystal, grains, seed, axes)
    if len(found.texture) == len(whole):
        return [(f"{len(whole)} orientations", whole)], {}
    shown = [(f"{len(whole)} orientations", whole), (f"{grains} grains", found.texture)]
    return shown, {"reduction": _reduction(found, whole, lattice_of(crystal))}


def _reduction(found: Reduced, whole: Texture, lattice: Lattice) -> dict[str, Any]:
    return {
        "error_by_order": {str(order): error for order, error in found.errors.items()},
        "error_by_order_of_a_sample": {str(order): error for order, error in found.sampled.items()},
        "misplaced_volume": density_misfit(whole, found.texture, lattice.group),
    }


def _of_run(folder: Path, box: str | None) -> tuple[Named, dict[str, Any], Crystal]:
    found = texture_of_run(folder, None if box is None else _corners(box))
    initial = found.law.texture
    crystal = found.law.crystal
    if initial is None or crystal is None:
        raise InputError(f"run {folder}: its unit cell is not of crystals, expected a polycrystal")
    shown = [("initial", initial), (f"at {found.time:.3g} us", found.texture)]
    return shown, {"time_us": found.time, "cells": found.cells}, crystal


def _corners(text: str) -> Box:
    try:
        numbers = np.array([float(word) for word in text.split(",")])
    except ValueError:
        numbers = np.zeros(0)
    if numbers.shape != (6,) or not np.isfinite(numbers).all():
        raise InputError(f"box = {text!r:.60}, expected two corners x,y,z,x,y,z in mm")
    return numbers[:3], numbers[3:]


def _pulled(
    initial: Texture, crystal: Crystal, along: str | None, strain: float | None, duration: float | None
) -> Named:
    """The texture after uniaxial loading, if one is asked for."""
    if along is None:
        _require_unused(
            {"strain": strain, "duration": duration}, "a texture that is not deformed: give --along"
        )
        return []
    if strain is None:
        raise InputError(f"along = {along} without a strain: give --strain, a logarithmic one, such as -0.1")
    law = TaylorPolycrystal.of(initial, crystal)
    direction = np.where(np.arange(3) == "xyz".index(along), 1.0, -0.5)
    state, piola = law.init_state(1), np.empty((1, 3, 3))
    step = (duration or 1.0) / STEPS
    for k in tracked(range(1, STEPS + 1), f"steps of {law.grains} grains,"):
        F = np.diag(np.exp(strain * k / STEPS * direction))[None]
        law.update(np.ascontiguousarray(F), step, state, piola)
    return [(f"{100.0 * strain:+.3g} % along {along}", deformed_texture(law, state, made="after loading"))]


def _record(found: Texture, lattice: Lattice) -> dict[str, Any]:
    C = coefficients(ORDERS, lattice.group, found.orientations, found.weights)
    known = {order: value for order, value in C.items() if value.size}
    return {
        "made": found.made,
        "orientations": len(found),
        "sha256": found.digest(),
        "harmonics": {str(order): value.tolist() for order, value in known.items()},
        "norms": {str(order): float(np.linalg.norm(value)) for order, value in known.items()},
    }


def _write(out: Path, found: Texture, lattice: Lattice) -> None:
    """Write the orientations; Neper's file, which has no weights, where they are equal."""
    write_orientations(out / TEXT, found, lattice.group)
    (out / NEPER).unlink(missing_ok=True)
    if np.ptp(found.weights) < 1e-9:
        write_orientations(out / NEPER, found, lattice.group)


def _require_unused(options: Mapping[str, Any], what: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name.replace('_', '-')} = {value} has no use for {what}: leave it out")


def _print(told: Mapping[str, Any], out: Path) -> None:
    for title, found in told["textures"].items():
        norms = ", ".join(f"{size:.3f} of order {order}" for order, size in found["norms"].items())
        print(f"{printable(title)}: {printable(found['made'], 100)}; harmonics {norms}")
    if (reduction := told.get("reduction")) is not None:
        errors = ", ".join(f"{e:.2g} of order {order}" for order, e in reduction["error_by_order"].items())
        print(
            f"the grains are off by {errors}; volume that points elsewhere: "
            f"{100.0 * reduction['misplaced_volume']:.1f} %"
        )
    for panel, largest in told["largest_density"].items():
        print(f"largest density, {panel}: {largest:.2f} times random")
    print(f"pictures and orientations: {printable(out)}")
