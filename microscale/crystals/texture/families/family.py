"""A family of textures: a sequence of which texture k depends on name, seed and k alone.

``various`` is what surrogates learn from: all kinds of :mod:`.learnt` that have a share. ``peaks`` has none:
sets of it stand beside those of ``various``. Those of :mod:`.kept_back` are others, and never in either. Each
texture is turned at will, so that paths and textures meet in all ways.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from microscale.crystals.crystal import Crystal
from microscale.crystals.texture.euler import from_bunge, written_bunge
from microscale.crystals.texture.families import kept_back, learnt
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.representative import representative
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Seed, check_fields

Kind = Callable[[np.random.Generator, Crystal], Texture]

LEARNT: Mapping[str, tuple[Kind, float]] = {
    "none": (learnt.none, 0.1),
    "fibre": (learnt.fibre, 0.2),
    "rolled": (learnt.rolled, 0.25),
    "extruded": (learnt.extruded, 0.1),
    "mixed": (learnt.mixed, 0.25),
    "twinned": (learnt.twinned, 0.1),
    "peaks": (learnt.peaks, 0.0),
}
"""Kinds to learn from, and their shares of ``various``."""
KEPT_BACK: Mapping[str, Kind] = {
    "girdle": kept_back.girdle,
    "split": kept_back.split,
    "harmonic": kept_back.harmonic,
    "deformed": kept_back.deformed,
}
VARIOUS = "various"
FAMILIES = (VARIOUS, *LEARNT, *KEPT_BACK)
NOT_HEXAGONAL = ("none", "fibre", "mixed", "harmonic", "deformed")
"""Kinds of crystals without a c axis."""
ITERATIONS = 30
"""Of the descent to few grains: what they keep of the texture is written down, so it need not be all."""


@dataclass(frozen=True)
class TextureFamily:
    """A reproducible sequence of textures.

    Attributes:
        name: One of :data:`FAMILIES`.
        seed: Seed of the sequence.

    Raises:
        InputError: There is no such family.
    """

    name: str
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Refuse a name that is none."""
        check_fields(self)
        if self.name not in FAMILIES:
            raise InputError(f"textures = {self.name!r}, expected one of {', '.join(FAMILIES)}")

    def texture(self, index: int, crystal: Crystal) -> Texture:
        """Return a texture with all its orientations.

        Args:
            index: Number of the texture.
            crystal: Its symmetry and its twins count.

        Raises:
            InputError: The crystal has no such textures.
        """
        generator = self._generator(index)
        kinds = self.kinds(crystal)
        shares = np.array(list(kinds.values()))
        kind = list(kinds)[int(generator.choice(len(kinds), p=shares / shares.sum()))]
        return learnt.turned(generator, kind(generator, crystal))

    def grains(self, index: int, crystal: Crystal, count: Count) -> Texture:
        """Return equal grains that stand for a texture; their written angles are they to the bit."""
        texture, group = self.texture(index, crystal), lattice_of(crystal).group
        found = representative(
            texture,
            count,
            group,
            weights=np.full(count, 1.0 / count),
            seed=learnt.seed_of(self._generator(index)),
            iterations=ITERATIONS,
        ).texture
        return Texture(from_bunge(written_bunge(found.orientations)), found.weights, texture.made)

    def _generator(self, index: int) -> np.random.Generator:
        # With the name: a texture to be judged by is none to learn from, even of the same seed.
        name = zlib.crc32(self.name.encode())
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(name, index)))

    def kinds(self, crystal: Crystal) -> dict[Kind, float]:
        """Return the kinds that a crystal has, with their shares.

        Raises:
            InputError: It has none of them.
        """
        chosen = dict(LEARNT) if self.name == VARIOUS else {self.name: (_kind(self.name), 1.0)}
        if not learnt.is_hexagonal(crystal):
            chosen = {name: kind for name, kind in chosen.items() if name in NOT_HEXAGONAL}
        if not crystal.n_twin:
            chosen = {name: kind for name, kind in chosen.items() if name != "twinned"}
        if not chosen:
            others = (VARIOUS, *NOT_HEXAGONAL)
            raise InputError(
                f"textures = {self.name!r} of {crystal.name}, which has no such (sheets and rods are of "
                f"hexagonal crystals, twins of those that twin): expected one of {', '.join(others)}"
            )
        return dict(chosen.values())


def _kind(name: str) -> Kind:
    return KEPT_BACK[name] if name in KEPT_BACK else LEARNT[name][0]
