"""Modules under the names they had in version 0.1: scripts of users go on, and are told the new name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class MovedModules(MetaPathFinder, Loader):
    """Finds a module by its old name.

    Args:
        moved: New names by old ones.
    """

    def __init__(self, moved: Mapping[str, str]) -> None:
        self.moved = moved

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load an old name; None for all others."""
        return ModuleSpec(name, self) if name in self.moved else None

    def exec_module(self, module: ModuleType) -> None:
        """Give the old name everything that the new one has."""
        new = self.moved[module.__name__]
        warnings.warn(f"{module.__name__} is now {new}", DeprecationWarning, stacklevel=2)
        names = vars(import_module(new))
        vars(module).update({name: value for name, value in names.items() if not name.startswith("__")})


def moved(names: Mapping[str, str]) -> None:
    """Let modules be imported by old names too."""
    sys.meta_path.append(MovedModules(names))
