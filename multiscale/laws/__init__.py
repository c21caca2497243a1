"""Constitutive laws for the macroscale, by the names of the command line.

A script adds a law of its own by :func:`register`, an installed package under the entry points
``multiscale.laws``: the name of a law, and the class or function that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from microscale.crystals.crystal import Crystal
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import checked
from microscale.inputs.options import defaults_of, options_for
from microscale.law import ConstitutiveLaw

Derivative = Literal["enriched", "stabilised", "rotated", "central", "spectral"]
"""Discrete derivatives of a unit cell (:mod:`microscale.unit_cell.grid`)."""


def make_law(name: str, **options: Any) -> ConstitutiveLaw:
    """Return the law called ``name``; the options are the fields of its class, or the arguments below.

    Without constants ``j2`` is the copper of the standard Taylor bar, and ``johnson-cook`` magnesium with
    assumed constants. Flags and case files take those that were fitted to magnesium instead, which are
    ``make_law(name, **read_constants(shipped_constants(name), name))`` of
    :mod:`multiscale.laws.constants_file`.

    Args:
        name: One of :func:`law_names`.
        options: Constants of the law; what is not given keeps its default.

    Raises:
        InputError: Unknown name or option, or a constant the law cannot use.
    """
    make, known = _maker(name), options_of(name)
    for option in options:
        if option not in known:
            expected = f"one of: {', '.join(known)}" if known else "none"
            raise InputError(f"unknown option '{option}' of law '{name}', expected {expected}")
    return make(**options)


def options_of(name: str) -> dict[str, Any]:
    """Return a law's options and their defaults.

    Raises:
        InputError: Unknown name.
    """
    return defaults_of(_maker(name))


def options_given(name: str, given: Mapping[str, Any], **flags: str) -> dict[str, Any]:
    """Return the options of a law that were given, with its defaults for those that are None.

    Args:
        name: One of :func:`law_names`.
        given: Options that a command offers; None where the user gave none.
        **flags: Names of the flags of options, where they are others.

    Raises:
        InputError: Unknown name, or an option was given that the law does not take.
    """
    return drawn_in_a_cell(options_for("law", name, given, options_of, law_names(), **flags), given)


def drawn_in_a_cell(options: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of a law, the texture random by default where grains are those of a unit cell."""
    drawn = options.get("resolution") is not None and given.get("texture") is None and "texture" in options
    return options | {"texture": "random"} if drawn else options


def _maker(name: str) -> Callable[..., ConstitutiveLaw]:
    makers = _makers()
    if not isinstance(name, str) or name not in makers:
        raise InputError(f"unknown law '{name}', expected one of: {', '.join(makers)}")
    return makers[name]()


# Imports happen only for the law that is asked for: a learnt one needs torch, which takes seconds.


def _neo_hooke() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.neo_hooke import NeoHooke

    return NeoHooke


def _j2() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.j2 import J2

    return J2


def _johnson_cook() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.johnson_cook import JohnsonCook

    return JohnsonCook


def _taylor() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.polycrystals import taylor

    return taylor


def _fft2d() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.polycrystals import fft2d

    return fft2d


def _fft3d() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.polycrystals import fft3d

    return fft3d


def _phases() -> Callable[..., ConstitutiveLaw]:
    from multiscale.laws.phase_cell import phase_cell

    return phase_cell


def _learned() -> Callable[..., ConstitutiveLaw]:
    from microscale.crystals.texture.names import PLAIN, require_axes_used
    from multiscale.surrogate.kinds import kind_of
    from multiscale.surrogate.stand_in import numbers_of, require_material, require_no_texture
    from multiscale.surrogate.store import ANY_TEXTURE, SHIPPED, read_surrogate, weights_file

    @checked
    def surrogate(
        weights: Path | str | None = None,
        material: str | Crystal | Mapping[str, Any] | None = None,
        duration: float | None = None,
        on_extrapolation: Literal["warn", "stop"] = "warn",
        precision: Literal["single", "double"] | None = None,
        texture: Path | str | Texture | None = None,
        texture_axes: str | None = None,
    ) -> ConstitutiveLaw:
        """Read a surrogate; the weights tell which network it is.

        Args:
            weights: The safetensors file, or the name of shipped weights; by default those of magnesium, and
                with a texture those of magnesium of any.
            material: What it must stand for: a crystal, the record of a polycrystal in a data set, or the
                name of a crystal.
            duration: Time the simulation lasts, us, for a network that needs to know, such as the paper's.
            on_extrapolation: Outside the training range ``warn`` once, or ``stop``.
            precision: Of the products of a network that has a choice, as the recurrent one, which by default
                has ``single`` ones.
            texture: That of the polycrystal it is to stand for; refused where it is one and the weights are
                of none.
            texture_axes: How its sample lies in the part.
        """
        shipped = SHIPPED if texture is None or texture in PLAIN else ANY_TEXTURE
        file = shipped if weights is None else weights_file(weights)
        arrays, card = read_surrogate(file)
        if material is not None:
            require_material(card.material, material, file)
        told = None
        if texture is not None:
            require_axes_used(texture, texture_axes)
            if card.architecture.get("texture"):
                told = numbers_of(card.material, texture, material, texture_axes)
            else:
                require_no_texture(card.material, texture, material, file)
        elif texture_axes is not None:
            raise InputError(f"texture-axes = {texture_axes!r} has no use without --texture: leave it out")
        make = kind_of(card.kind).law()
        taken = defaults_of(make)
        if precision is not None and "precision" not in taken:
            raise InputError(
                f"precision = '{precision}' of a surrogate of kind '{card.kind}', which has none to choose: "
                "leave it out"
            )
        offered: dict[str, Any] = {"duration": duration, "on_extrapolation": on_extrapolation}
        offered |= {"precision": precision, "texture": told}
        return make(arrays, card, **{name: offered[name] for name in taken if offered.get(name) is not None})

    return surrogate


_OURS = {
    "neo-hooke": _neo_hooke,
    "j2": _j2,
    "johnson-cook": _johnson_cook,
    "taylor": _taylor,
    "fft2d": _fft2d,
    "fft3d": _fft3d,
    "phases": _phases,
    "learned": _learned,
}
_REGISTERED: dict[str, Callable[[], Callable[..., ConstitutiveLaw]]] = {}


def register(name: str, make: Callable[..., ConstitutiveLaw]) -> None:
    """Make a law known by a name.

    Args:
        name: Its name.
        make: Its class, or a function; arguments with defaults are its options.

    Raises:
        InputError: The name is taken.
    """
    if name in _makers():
        raise InputError(f"a law '{name}' is known already: choose another name")
    _REGISTERED[name] = lambda: make


def is_registered(name: str) -> bool:
    """Return whether a law was added by this process, so that others do not know it."""
    return name in _REGISTERED


def law_names() -> tuple[str, ...]:
    """Return the names of all laws."""
    return tuple(_makers())


def _makers() -> dict[str, Callable[[], Callable[..., ConstitutiveLaw]]]:
    return _OURS | _installed() | _REGISTERED


@cache
def _installed() -> dict[str, Callable[[], Callable[..., ConstitutiveLaw]]]:
    return {point.name: point.load for point in entry_points(group="multiscale.laws")}
