"""Unit cells of a data set: another microstructure for each few paths, so that it stands for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from microscale.crystals.crystal import Crystal
from microscale.data.law_of_paths import LawOfPaths
from microscale.inputs.numbers import Count, Seed, checked
from microscale.unit_cell.cell import FullFieldCell


class Microstructures(LawOfPaths):
    """Cells of one kind whose seeds follow one another.

    The cell of a path is that of the seed ``seed + path // paths_each``. A set records both, and the SHA-256
    of the grains of its first cell: a descent to even orientations may end elsewhere on another processor.

    Args:
        name: Of the law of a cell.
        options: What all cells have in common, as plain values: of the material, and so of its hash.
        make: Returns the cell of a seed.
        seed: Of the first cell.
        paths_each: Paths of each cell.
    """

    @checked
    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        make: Callable[[int], FullFieldCell],
        seed: Seed,
        paths_each: Count,
    ) -> None:
        self.name, self.options = name, dict(options)
        self._make, self._seed, self._paths_each = make, seed, paths_each
        self._kept: tuple[int, FullFieldCell] | None = None
        self.crystal: Crystal | None = self.law(range(1)).crystal

    def law(self, share: range) -> FullFieldCell:
        """See :class:`LawOfPaths`."""
        seed = self._seed + share.start // self._paths_each
        if self._kept is None or self._kept[0] != seed:
            self._kept = seed, self._make(seed)
        return self._kept[1]

    def record(self, paths: int) -> dict[str, Any]:
        """See :class:`LawOfPaths`."""
        texture = self.law(range(1)).texture
        assert texture is not None  # that of a polycrystal
        which = {"seed": self._seed, "paths_each": self._paths_each, "first_grains": texture.digest()}
        return {"microstructures": which}
