"""Laws side by side in a material test, from the options its command line offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.names import is_file
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Fraction, Seed
from microscale.inputs.options import options_for
from microscale.law import ConstitutiveLaw
from multiscale.laws import make_law, options_of
from multiscale.laws.constants_file import LAWS, constants_are_of, fitted_law, shipped_constants
from multiscale.run.flags import WithMinus
from multiscale.run.material import impact_laws
from multiscale.surrogate.extrapolation import OnExtrapolation
from multiscale.surrogate.recurrent.architecture import Precision


@dataclass(frozen=True, kw_only=True)
class ComparedLaws:
    """Laws and their options, each for those laws that take it; None for what a law has by default.

    Attributes:
        law: Constitutive law, once for each that is wanted; taylor by default.
        weights: Weights of the learned law, or their name; by default those that come with this.
        on_extrapolation: Whether the learned law warns, as by default, or stops where its training range
            ends.
        precision: Of the products of the learned law's network, single by default.
        constants: Constants of the johnson-cook or j2 law, a file made by ``multiscale calibrate``, once for
            each of them; those of magnesium by default.
        crystal: Material file, laid out like microscale/magnesium.yaml, of the taylor or fft3d law, and what
            the learned law must stand for; magnesium by default.
        grains: Grains of the polycrystal; 128 for taylor and 16 for fft3d by default.
        texture: Their orientations: uniform or random, which are no texture, rolled:RD,TD, extruded:S or
            fibre:AXIS,S with spreads in degrees, or a file of orientations (docs/reference/textures.md). By
            default uniform for taylor and random for fft3d.
        texture_axes: Where RD, TD and ND of the texture lie in the axes of the sample, as z,x,y.
        texture_seed: Seed of their orientations; 0 by default.
        rate_sensitivity: m of the crystal instead of its own.
    """

    law: Annotated[tuple[str, ...], Parameter(negative="")] = ("taylor",)
    weights: Path | None = None
    on_extrapolation: OnExtrapolation | None = None
    precision: Precision | None = None
    constants: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    crystal: Path | None = None
    grains: Count | None = None
    texture: str | None = None
    texture_axes: WithMinus | None = None
    texture_seed: Seed | None = None
    rate_sensitivity: Fraction | None = None

    @property
    def files(self) -> tuple[Path | None, ...]:
        """The files that are read."""
        texture = Path(self.texture) if self.texture and is_file(self.texture) else None
        return self.weights, self.crystal, texture, *self.constants

    def resolved(self) -> dict[str, dict[str, Any]]:
        """Return the options of each law.

        Raises:
            InputError: A law is unknown or named twice, or no law takes an option that was given.
        """
        known = impact_laws()
        for law in self.law:
            if law not in known:
                raise InputError(f"unknown law '{law}' for a test, expected one of: {', '.join(known)}")
            if self.law.count(law) > 1:
                raise InputError(f"law {law} is named {self.law.count(law)} times, expected once")
        names = {"texture_seed": "seed"}
        given = {
            names.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("law", "constants")
        }
        files = self._constants()
        used = {name for law in self.law for name in _taken(law)}
        return {
            law: options_for(
                "law",
                law,
                {n: v for n, v in given.items() if n in _taken(law) or n not in used}
                | {"constants": files.get(law)},
                _taken,
                known,
                seed="texture_seed",
            )
            for law in self.law
        }

    def make(self) -> dict[str, ConstitutiveLaw]:
        """Return the laws by name.

        Raises:
            InputError: See :meth:`resolved`; or a file cannot be used.
        """
        return {law: _made(law, options) for law, options in self.resolved().items()}

    def _constants(self) -> dict[str, Path]:
        """Return the files of constants by the laws that they are of."""
        found: dict[str, Path] = {}
        for path in self.constants:
            law = constants_are_of(path)
            if law not in self.law:
                raise InputError(
                    f"constants {path} are of the law {law}, which is not tested: add --law {law}"
                )
            if law in found:
                raise InputError(f"constants {path} and {found[law]} are both of {law}, expected one file")
            found[law] = path
        return found


def _taken(law: str) -> Mapping[str, Any]:
    """Return what a law takes of the options of a test, with the defaults."""
    if law in LAWS:
        return {"constants": None}  # given by numbers, which a file holds
    options = options_of(law)
    return options | {"crystal": None} if "material" in options else options


def _made(law: str, options: dict[str, Any]) -> ConstitutiveLaw:
    if law in LAWS:
        return fitted_law(options["constants"] or shipped_constants(law), law)
    if "material" in options_of(law):
        options = {**options, "material": read_crystal(options["crystal"])}
        del options["crystal"]
    return make_law(law, **options)
