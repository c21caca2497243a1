"""The law of an impact from the options its command line offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.inputs.options import options_for
from microscale.law import ConstitutiveLaw
from multiscale.laws import law_names, make_law, options_of
from multiscale.laws.constants_file import read_constants
from multiscale.surrogate.extrapolation import OnExtrapolation

ImpactLaw = str
"""Name of a law an impact may use, see :func:`impact_laws`."""


def impact_laws() -> tuple[str, ...]:
    """Return the names of the laws an impact may use: all in three dimensions."""
    return tuple(name for name in law_names() if name != "fft2d")


def impact_options(
    law: ImpactLaw,
    *,
    weights: Path | None = None,
    on_extrapolation: OnExtrapolation | None = None,
    constants: Path | None = None,
    crystal: Path | None = None,
    grains: int | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Return the options of the law of an impact: those given, and the law's defaults for the others.

    Args:
        law: Its name.
        weights: Weights of the learned law; None for those that come with this.
        on_extrapolation: What the learned law does where its training range ends.
        constants: Constants of a law of constants, a file made by ``multiscale calibrate``.
        crystal: Material file of the taylor or fft3d law, and what the learned law must stand for; None for
            magnesium.
        grains: Grains of the taylor or fft3d law at each point.
        seed: Seed of the grains' orientations.

    Raises:
        InputError: An impact cannot use the law, or an option was given that the law does not take.
    """
    if law not in impact_laws():
        raise InputError(f"unknown law '{law}' for an impact, expected one of: {', '.join(impact_laws())}")
    given: dict[str, Any] = {"weights": weights, "on_extrapolation": on_extrapolation, "constants": constants}
    given |= {"crystal": crystal, "grains": grains, "seed": seed}
    return options_for("law", law, given, _taken, impact_laws())


def impact_law(law: ImpactLaw, *, duration: float, **given: Any) -> ConstitutiveLaw:
    """Return a law, by default of magnesium.

    Args:
        law: Its name.
        duration: Simulated time of the run, us, for a network that maps whole histories.
        **given: Its options, see :func:`impact_options`.

    Raises:
        InputError: The law is unknown or does not take an option, or a file cannot be used.
    """
    options, known = impact_options(law, **given), options_of(law)
    if "material" in known:
        options["material"] = read_crystal(options.pop("crystal"))
    if "duration" in known:
        options["duration"] = duration
    constants = options.pop("constants", None)
    fitted = read_constants(constants, law) if constants else {}
    return make_law(law, **options, **fitted)


def _taken(law: str) -> Mapping[str, Any]:
    """Return what a law takes of the options of an impact, with the defaults."""
    options = options_of(law)
    if all(isinstance(default, float) for default in options.values()):
        return {"constants": None}  # a law given by numbers, which a file holds
    return {**options, "crystal": options.get("crystal")}
