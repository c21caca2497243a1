"""Textures of the polycrystals of a data set: one for all paths, another for each few, or many for each.

A set of many textures keeps more arrays, of the grains that were driven: ``texture`` (27,), the harmonic
coefficients that a surrogate is told (:mod:`microscale.crystals.texture.moments`), ``orientations``
(grains, 3), Bunge angles in degrees, and, where each path has many textures, ``weights`` (grains,), shares of
the volume, which are else equal. A set of one texture has none of them; its law's record says all.

Sets of former versions have the first 14 of the coefficients, orders 2 and 4; those of order 6 are computed
of the grains when they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from microscale.crystals.crystal import Crystal
from microscale.crystals.orientations import random_orientations
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.euler import from_bunge, written_bunge
from microscale.crystals.texture.families.family import TextureFamily
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import NUMBERS, texture_numbers
from microscale.crystals.texture.texture import Texture
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.data.law_of_paths import LawOfPaths
from microscale.data.schema import recorded_crystal, recorded_texture
from microscale.data.shared_grains import SharedGrains, evenly_turned, nearest_volumes
from microscale.inputs.numbers import Count, checked
from microscale.progress import tracked
from microscale.tensors import FloatArray

TEXTURED = {"texture": "-", "orientations": "degrees", "weights": "-"}
"""Arrays of a set of many textures, and their units."""
PATHS_EACH = 8
"""Paths of one polycrystal, by default: to make one takes as long as to drive some, and teaches more."""
FORMER_NUMBERS = 14
"""Of a texture in sets of former versions: without order 6."""
CHECKED = 32
"""Paths of a set whose numbers are computed again from their grains."""
ALIKE = 1e-6


class TexturedPolycrystals(LawOfPaths):
    """Taylor polycrystals of a family of textures, another for each few paths.

    Args:
        crystal: Parameters.
        grains: Grains of each.
        family: The textures.
        paths_each: Paths of each.
    """

    name = "taylor"

    @checked
    def __init__(
        self, crystal: Crystal, grains: Count, family: TextureFamily, paths_each: Count = PATHS_EACH
    ) -> None:
        self.crystal, self.grains, self._paths_each = crystal, grains, paths_each
        self._family = family  # no parameter of the material, so none of its hash

    def record(self, paths: int) -> dict[str, Any]:
        """See :class:`LawOfPaths`."""
        groups = -(-paths // self._paths_each)
        made = {
            "family": self._family.name,
            "seed": self._family.seed,
            "grains": self.grains,
            "paths_each": self._paths_each,
            "made": [self._family.texture(k, self.crystal).made for k in range(groups)],
        }
        return {"textures": made}

    def rows(self) -> dict[str, tuple[int, ...]]:
        """See :class:`LawOfPaths`."""
        return rows_of_textures(self.grains)

    def law(self, share: range) -> TaylorPolycrystal | SharedGrains:
        """See :class:`LawOfPaths`."""
        grains = self._family.grains(share.start // self._paths_each, self.crystal, self.grains)
        return TaylorPolycrystal.of(grains, self.crystal)

    def arrays(self, law: Any, paths: int) -> dict[str, FloatArray]:
        """See :class:`LawOfPaths`."""
        numbers = texture_numbers(law.texture, lattice_of(self.crystal).group)
        angles = written_bunge(law.orientations)
        return {"texture": np.tile(numbers, (paths, 1)), "orientations": np.tile(angles, (paths, 1, 1))}


class TexturesOfPaths(TexturedPolycrystals):
    """Many Taylor polycrystals along each path, of the same grains with other shares of the volume.

    Under the Taylor assumption the stress is linear in these shares. So the grains of a path, spread evenly,
    are driven once, and each texture gives every grain the volume that is nearest to it.

    Args:
        crystal: Parameters.
        grains: Grains of each path.
        family: The textures.
        textures_each: Textures of each path; it divides the paths of a block.
    """

    @checked
    def __init__(self, crystal: Crystal, grains: Count, family: TextureFamily, textures_each: Count) -> None:
        super().__init__(crystal, grains, family, paths_each=1)
        self.textures_each = textures_each

    def rows(self) -> dict[str, tuple[int, ...]]:
        """See :class:`LawOfPaths`."""
        return rows_of_textures(self.grains, shared=True)

    def paths(self, share: range) -> range:
        """See :class:`LawOfPaths`."""
        first = share.start // self.textures_each
        return range(first, first + 1)

    def law(self, share: range) -> SharedGrains:
        """See :class:`LawOfPaths`."""
        seed = SeedSequence(self._family.seed, spawn_key=(share.start // self.textures_each,))
        group = lattice_of(self.crystal).group
        orientations = evenly_turned(self.grains, np.random.default_rng(seed))
        textures = [self._family.texture(k, self.crystal) for k in share]
        return SharedGrains(self.crystal, orientations, nearest_volumes(orientations, textures, group))

    def arrays(self, law: Any, paths: int) -> dict[str, FloatArray]:
        """See :class:`LawOfPaths`."""
        group = lattice_of(self.crystal).group
        numbers = [texture_numbers(texture, group) for texture in law.textures]
        angles = np.tile(written_bunge(law.orientations), (paths, 1, 1))
        return {"texture": np.array(numbers), "orientations": angles, "weights": law.weights}


def rows_of_textures(grains: int, shared: bool = False) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a path's part of these arrays."""
    rows: dict[str, tuple[int, ...]] = {"texture": (NUMBERS,), "orientations": (grains, 3)}
    return rows | {"weights": (grains,)} if shared else rows


def whole_numbers(arrays: Mapping[str, NDArray[np.float64]], law: Mapping[str, Any]) -> FloatArray:
    """Return the numbers of the texture of each path, shape (paths, 27), of a set of a former version too.

    Args:
        arrays: Of a data set, by name.
        law: Record of its law.

    Raises:
        ValueError: Numbers of a former version are not those of the grains; it names the path.
    """
    stored = arrays["texture"]
    if stored.shape[1] == NUMBERS:
        return stored
    group, found = lattice_of(recorded_crystal(law["crystal"])).group, np.empty((len(stored), NUMBERS))
    for k in tracked(range(len(stored)), "textures of a set of a former version"):
        found[k] = texture_numbers(texture_of_path(arrays, k), group)
        _require_alike(k, stored[k], found[k])
    return found


def texture_of_path(arrays: Mapping[str, Any], path: int) -> Texture:
    """Return the grains that were driven along a path of a set of many textures."""
    Q = from_bunge(np.asarray(arrays["orientations"][path], dtype=float))
    weights = arrays.get("weights")
    shares = np.full(len(Q), 1.0 / len(Q)) if weights is None else np.asarray(weights[path], dtype=float)
    return Texture(Q, shares, f"that of path {path}")


def require_textures(arrays: Mapping[str, Any], law: Mapping[str, Any]) -> None:
    """Raise unless the numbers of textures are those of the grains beside them.

    Args:
        arrays: Of a data set, by name, each with a leading axis of paths.
        law: Record of its law.

    Raises:
        ValueError: They are not, or angles are no angles; it names the path.
    """
    group = lattice_of(recorded_crystal(law["crystal"])).group
    paths = len(arrays["texture"])
    for k in sorted({int(k) for k in np.linspace(0, paths - 1, min(paths, CHECKED)).round()}):
        angles, found = np.asarray(arrays["orientations"][k]), np.asarray(arrays["texture"][k])
        if not (np.abs(angles) <= 360.0).all():
            raise ValueError(f"path {k}: orientations beyond 360 degrees, expected Bunge angles in degrees")
        if (weights := arrays.get("weights")) is not None:
            _require_shares(k, np.asarray(weights[k]))
        _require_alike(k, found, texture_numbers(texture_of_path(arrays, k), group))


def _require_alike(path: int, stored: NDArray[np.float64], made: FloatArray) -> None:
    off = np.abs(stored - made[: len(stored)]).max()
    if not off <= ALIKE:
        raise ValueError(
            f"path {path}: its texture differs by {off:.3g} from that of its grains; expected harmonic "
            f"coefficients of order {'2 and 4' if len(stored) == FORMER_NUMBERS else '2, 4 and 6'}"
        )


def _require_shares(path: int, weights: NDArray[np.float64]) -> None:
    if not ((weights >= 0.0).all() and abs(weights.sum() - 1.0) <= ALIKE):
        raise ValueError(
            f"path {path}: weights of its grains do not add up to one, expected shares of the volume"
        )


def numbers_of_paths(
    provenance: Mapping[str, Any], paths: int, texture: NDArray[np.float64] | None
) -> FloatArray | None:
    """Return the harmonic coefficients of each path of a data set, shape (paths, 27), where they are known.

    Args:
        provenance: Of the data set.
        paths: Number of paths.
        texture: Its array, None where it is of one texture.
    """
    if texture is not None:
        return np.asarray(texture)
    law = provenance["law"]
    if law["name"] != "taylor" or (law.get("crystal") or {}).get("families") is None:
        return None
    crystal = recorded_crystal(law["crystal"])
    grains = _one_texture(law, crystal)
    if grains is None:
        return None
    return np.tile(texture_numbers(grains, lattice_of(crystal).group), (paths, 1))


def _one_texture(law: Mapping[str, Any], crystal: Crystal) -> Texture | None:
    """The grains of all paths, from the record of a law; None where only a unit cell would tell."""
    if (recorded := law.get("texture")) is not None:
        return recorded_texture(recorded)
    options = {"grains": 128, "texture": "random", "seed": 0} | law["options"]
    if options.get("resolution") is not None or options["texture"] not in ("uniform", "random"):
        return None
    grains, seed = int(options["grains"]), int(options["seed"])
    if options["texture"] == "uniform":
        return Texture.of(uniform_orientations(grains, seed, crystal))
    return Texture.of(random_orientations(grains, seed))
