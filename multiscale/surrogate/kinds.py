"""Kinds of surrogates: what an architecture brings, found by the word in the cards of its files.

A folder beside this file is a kind if it has a ``KIND``. An installed package adds kinds of its own under the
entry points ``multiscale.surrogates``, a script calls :func:`register`.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from microscale.errors import InputError
from microscale.law import ConstitutiveLaw, State, drive
from microscale.tensors import FloatArray

if TYPE_CHECKING:
    from multiscale.surrogate.evaluate import Predict

ENTRY_POINTS = "multiscale.surrogates"


class Kind(ABC):
    """An architecture of surrogates. Its methods load what they need: a simulation starts without torch.

    Attributes:
        name: The word in its cards, and of ``multiscale train --model``.
        format: Version of its files. It is raised when their meaning changes; older files are refused.
    """

    name: str
    format: int = 1

    @abstractmethod
    def fit(self) -> Callable[..., None]:
        """Return what trains it: ``fit(files, out, *, epochs, seed, **options)``, options with defaults.

        It ends with :func:`multiscale.surrogate.store.write_surrogate`.
        """

    @abstractmethod
    def law(self) -> Callable[..., ConstitutiveLaw]:
        """Return what makes the law of its files: ``law(weights, card, **options)``.

        Options are arguments with defaults, such as ``duration`` and ``on_extrapolation``.
        """

    def predict(self, weights: Path, law: ConstitutiveLaw) -> Predict:
        """Return the surrogate as a map from whole histories to whole histories, for evaluation.

        Args:
            weights: Its file.
            law: The law of this file. By default it is driven along the histories.
        """
        return Driven(law)


@dataclass(frozen=True)
class Driven:
    """A law as a map of whole histories, which may be told the texture of each path."""

    law: ConstitutiveLaw

    def __call__(
        self, times: FloatArray, stretch: FloatArray, texture: FloatArray | None = None
    ) -> FloatArray:
        """Return the Cauchy stress (paths, samples, 3, 3), GPa, of paths with textures (paths, 27)."""
        return drive(self.law, stretch, times, at_rest(self.law, len(stretch), texture))


def at_rest(law: ConstitutiveLaw, points: int, texture: FloatArray | None = None) -> State:
    """Return points at rest, each with the numbers of its texture (points, 27) where the law is told them."""
    state = law.init_state(points)
    if texture is not None and "texture" in state:
        state["texture"][:] = texture
    return state


_REGISTERED: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known by its name.

    Raises:
        InputError: The name is taken by another kind.
    """
    known = _all()
    if type(known.get(kind.name, kind)) is not type(kind):
        raise InputError(f"a surrogate of kind '{kind.name}' is known already: choose another name")
    _REGISTERED[kind.name] = kind


def kind_of(name: str) -> Kind:
    """Return a kind by its name.

    Raises:
        InputError: There is none of this name.
    """
    if name not in _all():
        raise InputError(f"unknown kind of surrogate '{name}', expected one of: {', '.join(kind_names())}")
    return _all()[name]


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds."""
    return tuple(_all())


def _all() -> dict[str, Kind]:
    return _found() | _REGISTERED


@cache
def _found() -> dict[str, Kind]:
    """Return the kinds beside this file, then those of installed packages."""
    ours = import_module("multiscale.surrogate")
    folders = [module.name for module in pkgutil.iter_modules(ours.__path__) if module.ispkg]
    modules = (import_module(f"{ours.__name__}.{folder}") for folder in folders)
    kinds = [module.KIND for module in modules if hasattr(module, "KIND")]
    kinds += [point.load() for point in entry_points(group=ENTRY_POINTS)]
    return {kind.name: kind for kind in kinds}
