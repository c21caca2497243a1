"""Data of a material that is not one law: another one for each few paths of a set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray


class LawOfPaths(ABC):
    """The law of each path of a data set; its public attributes are what all have in common.

    Attributes:
        name: Of the laws.
    """

    name: str
    _paths_each: int

    @abstractmethod
    def law(self, path: int) -> ConstitutiveLaw:
        """Return the law of a path."""

    @abstractmethod
    def record(self, paths: int) -> dict[str, Any]:
        """Return what a set of so many paths records of the laws, in the record of its law."""

    def rows(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a path's part of the arrays that a set keeps besides."""
        return {}

    def arrays(self, law: ConstitutiveLaw, paths: int) -> dict[str, FloatArray]:
        """Return these arrays for one of the laws, and so many paths."""
        return {}

    def shares(self, block: range) -> list[range]:
        """Return the parts of a block of paths that have one law each."""
        ends = [k for k in block if k % self._paths_each == 0 and k > block.start]
        return [range(*pair) for pair in zip([block.start, *ends], [*ends, block.stop], strict=True)]
