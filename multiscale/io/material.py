"""The law of an impact from the options its command line offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from microscale.crystal import read_crystal
from microscale.law import ConstitutiveLaw
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants
from multiscale.laws.extrapolation import OnExtrapolation

#: Laws an impact may use.
ImpactLaw = Literal["learned", "taylor", "fft3d", "johnson-cook", "j2", "neo-hooke"]


def impact_law(
    law: ImpactLaw,
    *,
    duration: float,
    weights: Path | None = None,
    on_extrapolation: OnExtrapolation = "warn",
    constants: Path | None = None,
    crystal: Path | None = None,
    grains: int = 128,
    seed: int = 0,
) -> ConstitutiveLaw:
    """Return a law, by default of magnesium; options of other laws than the one named are ignored.

    Args:
        law: Its name.
        duration: Simulated time of the run, us, for a network that maps whole histories.
        weights: Weights of the learned law; None for those that come with this.
        on_extrapolation: What the learned law does where its training range ends.
        constants: Constants of the johnson-cook or j2 law, a file made by ``multiscale calibrate``.
        crystal: Material file of the taylor or fft3d law, and what the learned law must stand for; None for
            magnesium.
        grains: Grains of the taylor or fft3d law at each point.
        seed: Seed of the grains' orientations.

    Raises:
        InputError: The law is unknown, or a file cannot be used.
    """
    learned = {
        "weights": weights,
        "material": read_crystal(crystal),
        "duration": duration,
        "on_extrapolation": on_extrapolation,
    }
    crystals = {"grains": grains, "seed": seed, "crystal": crystal}
    options: dict[str, dict[str, Any]] = {"learned": learned, "taylor": crystals, "fft3d": crystals}
    fitted = read_constants(constants, law) if constants else {}
    return make_law(law, **options.get(law, {}), **fitted)
