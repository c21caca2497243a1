"""Data of a material that is not one law: another one for each few paths of a set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from microscale.data.shared_grains import SharedGrains
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray


class LawOfPaths(ABC):
    """The law of each path of a data set; its public attributes are what all have in common.

    Attributes:
        name: Of the laws.
    """

    name: str
    textures_each = 1
    """How many paths of a set, one after another, are one strain path, each of another texture."""
    _paths_each: int

    @abstractmethod
    def law(self, share: range) -> ConstitutiveLaw | SharedGrains:
        """Return the law of paths that have one, or what they share."""

    def paths(self, share: range) -> range:
        """Return the strain paths of such paths."""
        return share

    @abstractmethod
    def record(self, paths: int) -> dict[str, Any]:
        """Return what a set of so many paths records of the laws, in the record of its law."""

    def rows(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a path's part of the arrays that a set keeps besides."""
        return {}

    def arrays(self, law: Any, paths: int) -> dict[str, FloatArray]:
        """Return these arrays for one of the laws, and so many paths."""
        return {}

    def shares(self, block: range) -> list[range]:
        """Return the parts of a block of paths that have one law each."""
        each = max(self._paths_each, self.textures_each)
        ends = [k for k in block if k % each == 0 and k > block.start]
        return [range(*pair) for pair in zip([block.start, *ends], [*ends, block.stop], strict=True)]
