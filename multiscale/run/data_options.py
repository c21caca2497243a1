"""Options of a data set: its strain paths and the law that is driven along them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from microscale.crystals.texture.families.family import TextureFamily
from microscale.crystals.texture.names import PLAIN
from microscale.data.schema import CELLS
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Fraction, Positive, Seed, Strain, Time
from microscale.paths.protocols import DEFAULTS, StrainPaths, protocol_options
from multiscale.laws import Derivative, options_given
from multiscale.run.flags import WithMinus

Protocol = Literal["F", "R", "U", "L-U", "C", "I", "A"]


@dataclass(frozen=True, kw_only=True)
class PathOptions:
    """The strain paths of a data set.

    Attributes:
        protocol: F fixed and R random steps, U uniaxial, L-U load and unload, C cavity, I impact, A any load.
        max_strain: Largest strain of a path.
        paths: Number of paths.
        steps: Time steps of a path.
        keep_every: Keep the samples of every so many steps.
        seed: Seed of the paths.
        duration: Duration T of a path, us; the crystal of fft2d flows at rates of one per second: 1e6.
        longest_duration: Longest T, us: T is then log-uniform from ``duration`` to this.
        dimension: 3, or 2 for plane strain, as for fft2d.
        intervals: Number of intervals N of a path, for F and R; 10 by default.
        isochoric: Whether the sides give way in U, L-U and C, as the paper prints and by default, or are
            held.
        fastest_rate: Largest equivalent strain rate of A, 1/us; 30 by default.
    """

    protocol: Protocol = "R"
    max_strain: Strain = 0.5
    paths: Count = 1000
    steps: Count = 200
    keep_every: Count = 1
    seed: Seed = 1
    duration: Time = 1.0
    longest_duration: Time | None = None
    dimension: Literal[2, 3] = 3
    intervals: Count | None = None
    isochoric: bool | None = None
    fastest_rate: Positive | None = None

    def strain_paths(self) -> StrainPaths:
        """Return the family of paths.

        Raises:
            InputError: A value cannot be used, or an option is not of this protocol.
        """
        longest = self.duration if self.longest_duration is None else self.longest_duration
        if longest < self.duration:
            raise InputError(
                f"longest-duration = {longest} us, expected at least duration = {self.duration} us"
            )
        given = {name: getattr(self, name) for name in DEFAULTS}
        options = protocol_options(self.protocol, **given)
        times = self.steps, (self.duration, longest)
        return StrainPaths(
            self.protocol, self.max_strain, *times, self.seed, dimension=self.dimension, **options
        )


@dataclass(frozen=True, kw_only=True)
class DrivenLaw:
    """The law of a data set, and its polycrystal.

    Attributes:
        law: Law to drive, such as taylor, fft2d, fft3d or phases.
        crystal: Material file, laid out like microscale/magnesium.yaml; by default magnesium, and for fft2d
            the plane crystal of the paper.
        grains: Grains of the polycrystal; 128 for taylor, 16 in a unit cell by default.
        texture: Their orientations in taylor and fft3d: spread evenly over all (uniform), which stands better
            for a polycrystal without texture, or drawn (random), as in the paper; rolled:RD,TD, extruded:S or
            fibre:AXIS,S with spreads in degrees; or a file of orientations (docs/reference/textures.md). By
            default uniform, but random in a unit cell and with a resolution.
        textures: Family of textures, in place of one: another polycrystal of taylor for every 8 paths. To
            learn from: various, or of its kinds none, fibre, rolled, extruded, mixed or twinned alone; or
            peaks. To be judged by: girdle, split, harmonic or deformed.
        textures_each: Textures of each path, 2 to 32: polycrystals of the same grains with other volumes.
            By default one, and the same for 8 paths.
        texture_axes: Where RD, TD and ND of the texture lie in the frame of the paths, as z,x,y.
        texture_seed: Seed of their orientations, 0 by default: the material, so the same for training and
            test.
        rate_sensitivity: m of the crystal instead of its own; 0.2 for the cases "m = 5" of the paper.
        resolution: Voxels along each side of a unit cell; 64 for fft2d, 16 for fft3d by default. With taylor:
            take the grains of the fft3d cell of this resolution.
        microstructure: File of the unit cell of the law phases: geometry, and the law of each phase
            (docs/howto/phases.md).
        derivative: Discrete derivative of a unit cell, in place of its own (docs/theory/unit_cell.md).
        tolerance: Of equilibrium in a unit cell: accepted imbalance of stress over its variation, 1e-3 by
            default.
        paths_per_cell: Paths of one microstructure of fft2d or fft3d; the next ones have that of the next
            texture-seed. By default all paths have one.
    """

    law: str = "taylor"
    crystal: Path | None = None
    grains: Count | None = None
    texture: str | None = None
    textures: str | None = None
    textures_each: Count | None = None
    texture_axes: WithMinus | None = None
    texture_seed: Seed | None = None
    rate_sensitivity: Fraction | None = None
    resolution: Count | None = None
    derivative: Derivative | None = None
    microstructure: Path | None = None
    tolerance: Fraction | None = None
    paths_per_cell: Count | None = None

    def resolved(self) -> dict[str, Any]:
        """Return the options of the law: those given, and its defaults for the others.

        Raises:
            InputError: The law is unknown, or an option was given that it does not take.
        """
        names = {"texture_seed": "seed"}
        told = {name: value for name, value in vars(self).items() if name not in ("law", "paths_per_cell")}
        if self.tolerance is None:
            del told["tolerance"]  # records of before there was a choice do not say it
        given = {names.get(name, name): value for name, value in told.items()}
        if self.textures is not None:
            return _of_family(self.law, given | {"paths_per_cell": self.paths_per_cell})
        del given["textures"]
        if (each := given.pop("textures_each")) is not None:
            raise InputError(f"--textures-each {each} has no use without --textures: name a family of them")
        options = options_given(self.law, given, seed="texture_seed")
        return options if self.paths_per_cell is None else _of_cells(self.law, options, self.paths_per_cell)


def _of_cells(law: str, options: dict[str, Any], paths: int) -> dict[str, Any]:
    if law not in CELLS:
        raise InputError(
            f"law {law} does not take --paths-per-cell {paths} (taken by {', '.join(CELLS)}): leave it out, "
            "or choose another law"
        )
    if (texture := options.get("texture", "random")) not in PLAIN:
        raise InputError(
            f"--paths-per-cell {paths} has no use with --texture {texture}, expected uniform or random: the "
            "record of a set has the grains of one cell of a texture"
        )
    return options | {"paths_per_cell": paths}


OF_FAMILY: dict[str, dict[str, Any]] = {
    "taylor": {
        "textures": None,
        "textures_each": 1,
        "seed": 0,
        "grains": 128,
        "crystal": None,
        "rate_sensitivity": None,
    }
}
"""Laws that take a family of textures, and what goes with it."""


def _of_family(law: str, given: dict[str, Any]) -> dict[str, Any]:
    if law not in OF_FAMILY:
        raise InputError(
            f"law {law} does not take --textures {given['textures']} (taken by {', '.join(OF_FAMILY)}): "
            "leave it out, or choose another law"
        )
    unused = [name for name, value in given.items() if value is not None and name not in OF_FAMILY[law]]
    if unused:
        raise InputError(
            f"--{unused[0].replace('_', '-')} {given[unused[0]]} has no use with --textures "
            f"{given['textures']}, which makes the grains of each path: leave one of them out"
        )
    TextureFamily(given["textures"])
    return {name: value if given[name] is None else given[name] for name, value in OF_FAMILY[law].items()}
