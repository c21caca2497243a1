"""Textures of the polycrystals of a data set: one for all paths, or another for each few of them.

A set of many textures keeps two more arrays, both of the grains that were driven: ``texture`` (14,), the
harmonic coefficients that a surrogate is told (:mod:`microscale.crystals.texture.moments`), and
``orientations`` (grains, 3), Bunge angles in degrees, equal volumes. A set of one texture has neither; its
law's record says all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
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
from microscale.inputs.numbers import Count, checked
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray

TEXTURED = {"texture": "-", "orientations": "degrees"}
"""Arrays of a set of many textures, and their units."""
PATHS_EACH = 8
"""Paths of one polycrystal. To make one takes as long as to drive some paths, and teaches more than they."""
CHECKED = 32
"""Paths of a set whose numbers are computed again from their grains."""
ALIKE = 1e-6


class TexturedPolycrystals(LawOfPaths):
    """Taylor polycrystals of a family of textures, another for each few paths.

    Args:
        crystal: Parameters.
        grains: Grains of each.
        family: The textures.
    """

    name = "taylor"
    _paths_each = PATHS_EACH

    @checked
    def __init__(self, crystal: Crystal, grains: Count, family: TextureFamily) -> None:
        self.crystal, self.grains = crystal, grains
        self._family = family  # no parameter of the material, so none of its hash

    def record(self, paths: int) -> dict[str, Any]:
        """Return what determines the textures of so many paths, and what each is."""
        groups = -(-paths // PATHS_EACH)
        made = {
            "family": self._family.name,
            "seed": self._family.seed,
            "grains": self.grains,
            "paths_each": PATHS_EACH,
            "made": [self._family.texture(k, self.crystal).made for k in range(groups)],
        }
        return {"textures": made}

    def rows(self) -> dict[str, tuple[int, ...]]:
        """See :class:`LawOfPaths`."""
        return rows_of_textures(self.grains)

    def law(self, path: int) -> TaylorPolycrystal:
        """Return the polycrystal of a path."""
        grains = self._family.grains(path // PATHS_EACH, self.crystal, self.grains)
        return TaylorPolycrystal.of(grains, self.crystal)

    def arrays(self, law: ConstitutiveLaw, paths: int) -> dict[str, FloatArray]:
        """Return what a data set keeps of a polycrystal, for so many paths."""
        assert isinstance(law, TaylorPolycrystal)
        numbers = texture_numbers(law.texture, lattice_of(self.crystal).group)
        angles = written_bunge(law.orientations)
        return {"texture": np.tile(numbers, (paths, 1)), "orientations": np.tile(angles, (paths, 1, 1))}


def rows_of_textures(grains: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a path's part of these arrays."""
    return {"texture": (NUMBERS,), "orientations": (grains, 3)}


def texture_of_path(arrays: Mapping[str, Any], path: int) -> Texture:
    """Return the grains that were driven along a path of a set of many textures."""
    Q = from_bunge(np.asarray(arrays["orientations"][path], dtype=float))
    return Texture(Q, np.full(len(Q), 1.0 / len(Q)), f"that of path {path}")


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
        made = texture_numbers(texture_of_path(arrays, k), group)
        if not np.abs(found - made).max() <= ALIKE:
            raise ValueError(
                f"path {k}: its texture differs by {np.abs(found - made).max():.3g} from that of its grains; "
                "expected harmonic coefficients of order 2 and 4"
            )


def numbers_of_paths(
    provenance: Mapping[str, Any], paths: int, texture: NDArray[np.float64] | None
) -> FloatArray | None:
    """Return the harmonic coefficients of each path of a data set, shape (paths, 14), where they are known.

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
