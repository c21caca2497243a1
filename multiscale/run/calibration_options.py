"""What ``multiscale calibrate`` is asked to fit, and to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from microscale.errors import InputError
from microscale.inputs.numbers import Count, Fraction, Seed, Steps, Strain
from microscale.inputs.options import options_for
from multiscale.run.flags import WithMinus

POLYCRYSTAL = {"crystal": None, "grains": 128, "texture": "uniform", "texture_axes": None, "texture_seed": 0}
OF_CURVES = {"fit": (), "bound": (), "steps": 100, "searches": 1}
TAKES: Mapping[str, Mapping[str, Any]] = {
    "to-polycrystal": {**POLYCRYSTAL, "rate_sensitivity": None, "largest_strain": 0.5},
    "of-johnson-cook-to-curves": {"constants": None, **OF_CURVES},
    "of-j2-to-curves": {"constants": None, **OF_CURVES},
    "of-taylor-to-curves": {**POLYCRYSTAL, "grains": 32, **OF_CURVES, "searches": 3},
}
"""Options of each kind of calibration, with their defaults."""


@dataclass(frozen=True, kw_only=True)
class CalibrationOptions:
    """What is fitted to what.

    Attributes:
        curve: A measured curve (CSV, docs/reference/formats.md), once for each; without any the law is fitted
            to the polycrystal.
        law: Law to fit; taylor, the parameters of a crystal, only to curves.
        fit: Parameter to fit to curves, once for each, such as hardening or slip_families.basal.strength; by
            default the four of johnson-cook or the two of j2 that are fitted to the polycrystal.
        bound: Range of a parameter, as slip_families.basal.strength=5..20 MPa; by default it may change by a
            factor of 100.
        constants: Where the search starts in johnson-cook and j2, and what is not fitted, such as elasticity;
            magnesium by default, with the lowest rate of the curves as reference rate.
        steps: Steps of a test; 100 by default.
        searches: Searches from different starts, the best of which counts, since the error of a crystal has
            several minima; 3 for taylor, else 1 by default.
        largest_strain: Equivalent logarithmic strain at the end of each path of the polycrystal; 0.5 by
            default.
        crystal: Material file of the polycrystal, laid out like microscale/magnesium.yaml; magnesium by
            default. In a fit of taylor the search starts from it.
        grains: Grains of the polycrystal; 128 by default, or 32 in a fit of taylor.
        texture: Their orientations: uniform (by default), random, rolled:RD,TD, extruded:S, fibre:AXIS,S or
            a file of orientations (docs/reference/textures.md); a curve may name its own. The laws that are
            fitted to the polycrystal know no texture.
        texture_axes: Where RD, TD and ND of the texture lie in the frame of the paths, or of the sample that
            the curves are of, as z,x,y.
        texture_seed: Seed of their orientations; 0 by default.
        rate_sensitivity: m of the crystal instead of its own.
    """

    curve: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    law: Literal["johnson-cook", "j2", "taylor"] = "johnson-cook"
    fit: Annotated[tuple[str, ...], Parameter(negative="")] = ()
    bound: Annotated[tuple[str, ...], Parameter(negative="")] = ()
    constants: Path | None = None
    steps: Steps | None = None
    searches: Count | None = None
    largest_strain: Strain | None = None
    crystal: Path | None = None
    grains: Count | None = None
    texture: str | None = None
    texture_axes: WithMinus | None = None
    texture_seed: Seed | None = None
    rate_sensitivity: Fraction | None = None

    def resolved(self) -> dict[str, Any]:
        """Return the options of this kind of calibration, with its defaults.

        Raises:
            InputError: One was given that it does not take.
        """
        kind = f"of-{self.law}-to-curves" if self.curve else "to-polycrystal"
        if not self.curve and self.law == "taylor":
            raise InputError("law taylor is fitted to curves only: give --curve, or another law")
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("curve", "law")}
        given = {name: None if value == () else value for name, value in given.items()}
        return options_for("calibration", kind, given, TAKES.__getitem__, TAKES)
