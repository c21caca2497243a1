"""The law of an impact from the options its command line offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.names import is_file
from microscale.errors import InputError
from microscale.files.schema import STRICT
from microscale.inputs.numbers import Count, Fraction, Seed
from microscale.inputs.options import options_for
from microscale.law import ConstitutiveLaw
from multiscale.laws import drawn_in_a_cell, law_names, make_law, options_of
from multiscale.laws.constants_file import LAWS, fitted_law, shipped_constants
from multiscale.run.density import with_density
from multiscale.run.flags import WithMinus
from multiscale.surrogate.extrapolation import OnExtrapolation
from multiscale.surrogate.recurrent.architecture import Precision

ImpactLaw = str
"""Name of a law an impact may use, see :func:`impact_laws`."""


def impact_laws() -> tuple[str, ...]:
    """Return the names of the laws an impact may use: all in three dimensions."""
    return tuple(name for name in law_names() if name != "fft2d")


@dataclass(frozen=True, kw_only=True)
class LawOptions:
    """The law of an impact and its options; None for what the law has by default.

    Attributes:
        law: Constitutive law at every quadrature point.
        weights: Weights of the learned law, of either network, or the name of some that come with this,
            magnesium, full-field or any-texture.
        on_extrapolation: Whether the learned law warns, as by default, or stops where its training range
            ends; the field "extrapolation" shows where.
        precision: Of the products of the learned law's network, single by default.
        constants: Constants of the johnson-cook or j2 law, a file made by ``multiscale calibrate``; those of
            magnesium by default.
        crystal: Material file, laid out like microscale/magnesium.yaml, of the taylor or fft3d law, and what
            the learned law must stand for; magnesium by default.
        microstructure: File of the unit cell of the phases law (docs/reference/microstructures.md).
        grains: Grains at each point; 128 for taylor and 16 for fft3d by default.
        resolution: Voxels along each side of the cell of fft3d (16 by default) or phases; taylor takes the
            grains of such a cell.
        tolerance: Of equilibrium in a unit cell: accepted imbalance of stress over its variation, 1e-3 by
            default.
        seed: Seed of the grains' orientations; 0 by default.
        texture: Where the grains of the taylor or fft3d law point: uniform or random, which are no texture,
            rolled:RD,TD, extruded:S or fibre:AXIS,S with spreads in degrees, or a file of orientations
            (docs/reference/textures.md). By default uniform for taylor and random for fft3d. The learned law
            then has the weights of any texture, by default.
        texture_axes: Where RD, TD and ND of the texture lie in the body, as z,x,y for a bar along RD.
        density: Density in place of the law's own: a number in g/cm^3, one with another unit as
            "1740 kg/m^3", or "measured", that of the material file.
    """

    __pydantic_config__ = STRICT

    law: ImpactLaw = "learned"
    weights: Path | None = None
    on_extrapolation: OnExtrapolation | None = None
    precision: Precision | None = None
    constants: Path | None = None
    crystal: Path | None = None
    microstructure: Path | None = None
    grains: Count | None = None
    resolution: Count | None = None
    tolerance: Fraction | None = None
    seed: Seed | None = None
    texture: str | Path | None = None
    texture_axes: WithMinus | None = None
    density: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.texture, str) and is_file(self.texture):
            object.__setattr__(self, "texture", Path(self.texture))
        if isinstance(self.density, (int, float)):
            object.__setattr__(self, "density", f"{float(self.density)!r} g/cm^3")

    def resolved(self) -> dict[str, Any]:
        """Return the options of the law: those given, and the law's defaults for the others.

        Raises:
            InputError: An impact cannot use the law, or an option was given that the law does not take.
        """
        laws = impact_laws()
        if self.law not in laws:
            raise InputError(f"unknown law '{self.law}' for an impact, expected one of: {', '.join(laws)}")
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "law"}
        return drawn_in_a_cell(options_for("law", self.law, given, _taken, laws), given)

    def make(self, duration: float) -> ConstitutiveLaw:
        """Return the law, by default of magnesium.

        Args:
            duration: Simulated time of the run, us, for a network that maps whole histories.

        Raises:
            InputError: The law is unknown or does not take an option, or a file cannot be used.
        """
        options, known = self.resolved(), options_of(self.law)
        if "material" in known:
            options["material"] = read_crystal(options.pop("crystal"))
        if "duration" in known:
            options["duration"] = duration
        density = options.pop("density")
        if self.law in LAWS:
            found = fitted_law(self.constants or shipped_constants(self.law), self.law)
        else:
            found = make_law(self.law, **options)
        return with_density(found, density, self.crystal)


def impact_law(law: ImpactLaw, *, duration: float, **given: Any) -> ConstitutiveLaw:
    """Return a law of an impact by its name and options, see :class:`LawOptions`."""
    return LawOptions(law=law, **given).make(duration)


def _taken(law: str) -> Mapping[str, Any]:
    """Return what a law takes of the options of an impact, with the defaults."""
    if law in LAWS:
        return {"constants": None, "density": None}  # given by numbers, which a file holds
    options = options_of(law)
    if "density" in options:
        return {"density": None}
    crystal = {"crystal": None} if options.keys() & {"crystal", "material"} else {}
    return {**options, **crystal, "density": None}
