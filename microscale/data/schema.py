"""What the content of a data set must be: what made it, and histories that a material can live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from microscale.crystals.crystal import MOST_SYSTEMS, Crystal, SlipFamily, Twinning
from microscale.crystals.texture.euler import from_bunge
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.schema import Count, Name, NotNegative, Positive, Record, Strict, wrong
from microscale.tensors import FloatArray, from_mandel

LARGEST_STRESS = 1e6
"""GPa: beyond, squares and sums of a long training overflow single precision, and no material is there."""
LARGEST_STRETCH = 1e3
LARGEST_TIME = 1e12
"""us: slow paths of the plane crystal last 1e6."""

MOST_GRAINS = 4096
CELLS = ("fft2d", "fft3d")
"""Laws of drawn microstructures."""
VECTORS = ("directions", "normals")


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise wrong("text, a number, true or false")
    return value


Plain = Annotated[Any, AfterValidator(_plain)]
Components = Annotated[list[float], Field(min_length=3, max_length=3)]


class SystemsRecord(Record):
    """Slip or twin systems."""

    directions: Annotated[list[Components], Field(max_length=MOST_SYSTEMS)]
    normals: list[Components]
    hardening: NotNegative
    strength: Positive
    reference_rate: NotNegative

    @model_validator(mode="after")
    def _in_pairs(self) -> Self:
        if len(self.directions) != len(self.normals):
            raise wrong("as many as directions", f"{len(self.normals)} normals")
        return self


class FamilyRecord(SystemsRecord):
    """A slip family, as :class:`microscale.crystals.crystal.SlipFamily` has it."""

    name: Name
    saturation: NotNegative
    latent: NotNegative


class TwinRecord(SystemsRecord):
    """Twin systems, as :class:`microscale.crystals.crystal.Twinning` has them."""

    interaction: NotNegative
    shear: NotNegative


class CrystalRecord(Record):
    """A crystal, as :class:`microscale.crystals.crystal.Crystal` has it; elasticity and density at least."""

    name: Name
    shear_modulus: Positive
    lambda_e: Positive
    density: Positive
    rate_sensitivity: Positive | None = None
    families: list[FamilyRecord] | None = None
    twinning: TwinRecord | None = None


class TaylorOptions(Record):
    """Options of the law ``taylor`` as far as it is made again from them, of a size that takes no minutes."""

    grains: Annotated[int, Field(ge=1, le=4096)] = 128
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    texture: Annotated[str, Field(min_length=1, max_length=1000)] = "uniform"
    texture_axes: Annotated[str, Field(max_length=100)] | None = None
    resolution: Annotated[int, Field(ge=1, le=128)] | None = None
    rate_sensitivity: Annotated[float, Field(gt=0.0, le=1.0)] | None = None


class CellOptions(Record):
    """Options of the law ``fft2d`` as far as it is made again from them."""

    grains: Annotated[int, Field(ge=1, le=4096)] = 16
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    resolution: Annotated[int, Field(ge=1, le=128)] | None = None
    rate_sensitivity: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    tolerance: Annotated[float, Field(gt=0.0, lt=1.0)] = 1e-3
    memory: Annotated[int, Field(ge=1, le=100)] = 20
    derivative: str | None = None


class MicrostructureRecord(Record):
    """A cell of several phases: what they are, and its measured elasticity, GPa, and density, g/cm^3."""

    phases: Annotated[dict[str, Any], Field(min_length=1)]
    elasticity: Annotated[list[float], Field(min_length=21, max_length=21)]
    density: Positive


class SolidCellOptions(CellOptions):
    """Options of the law ``fft3d``."""

    texture: Annotated[str, Field(min_length=1, max_length=1000)] = "random"
    texture_axes: Annotated[str, Field(max_length=100)] | None = None


class TextureRecord(Record):
    """The grains of a polycrystal that has a texture, as they are."""

    made: str
    sha256: Name
    bunge_degrees: Annotated[list[Components], Field(min_length=1, max_length=MOST_GRAINS)]
    weights: list[NotNegative] | None = None

    @model_validator(mode="after")
    def _one_a_grain(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.bunge_degrees):
            raise wrong("as many as orientations", f"{len(self.weights)} weights")
        return self


class TexturesRecord(Record):
    """A family of textures: another polycrystal for each few paths."""

    family: Name
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    grains: Annotated[int, Field(ge=1, le=MOST_GRAINS)]
    paths_each: Count
    made: list[str]


class MicrostructuresRecord(Record):
    """Unit cells of seeds that follow one another: another one for each few paths."""

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    paths_each: Count
    first_grains: Name


class LawRecord(Record):
    """The law whose stress was recorded."""

    name: Name
    hash: Name
    options: dict[str, Plain]
    crystal: CrystalRecord | None = None
    microstructure: MicrostructureRecord | None = None
    texture: TextureRecord | None = None
    textures: TexturesRecord | None = None
    microstructures: MicrostructuresRecord | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if self.textures is not None and (self.texture is not None or self.name != "taylor"):
            raise wrong("one texture, or a family of textures of the law taylor")
        if self.textures is not None and (self.crystal is None or self.crystal.families is None):
            raise wrong("the crystal of its textures")
        if self.microstructures is not None and self.name not in CELLS:
            raise wrong(f"microstructures of a law {' or '.join(CELLS)}")
        return self


class PathsRecord(Record):
    """The strain paths; those of simulations have no strain, seed or duration of their own."""

    protocol: Name
    count: Count
    steps: Count
    seed: int | None = None
    max_strain: NotNegative | None = None
    dimension: Annotated[int, Field(ge=2, le=3)] | None = None
    duration_us: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    keep_every: Count | None = None
    intervals: Annotated[int, Field(ge=1, le=100_000)] | None = None
    isochoric: bool | None = None
    fastest_rate_per_us: Positive | None = None
    textures_each: Count | None = None


class Provenance(Strict):
    """What made a data set."""

    law: LawRecord
    paths: PathsRecord
    versions: dict[str, str]


def recorded_crystal(record: Mapping[str, Any]) -> Crystal:
    """Return the crystal of a record of the schema :class:`CrystalRecord`; its file is not asked for.

    Raises:
        InputError: It has parameters that this version does not know.
    """

    def systems(entry: Mapping[str, Any]) -> dict[str, Any]:
        vectors = {name: np.array(entry[name], dtype=float).reshape(-1, 3) for name in VECTORS}
        return {**entry, **vectors}

    try:
        families = tuple(SlipFamily(**systems(family)) for family in record["families"])
        twinning = Twinning(**systems(record["twinning"]))
        return Crystal(**{**record, "families": families, "twinning": twinning})
    except (KeyError, TypeError) as error:
        raise InputError(
            f"the crystal of the data is of another version ({error}); generate it again"
        ) from error


def recorded_texture(record: Mapping[str, Any]) -> Texture:
    """Return the grains of a record of the schema :class:`TextureRecord`; no file is asked for."""
    Q = from_bunge(np.array(record["bunge_degrees"], dtype=float))
    weights = record.get("weights") or np.full(len(Q), 1.0 / len(Q))
    return Texture(Q, np.array(weights, dtype=float), record["made"])


def require_histories(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise unless arrays of paths are histories.

    Args:
        arrays: Of a data set, by name: times (paths, samples), us; stretch and stress (paths, samples, 6).

    Raises:
        ValueError: Numbers are not finite, times do not increase from zero, a stretch is not positive
            definite, or a number is beyond what any material has seen. It names the path.
    """
    times, stretch = arrays["times"], arrays["stretch"]
    limits = {"times": LARGEST_TIME, "stretch": LARGEST_STRETCH, "stress": LARGEST_STRESS}
    for name, largest in limits.items():
        with np.errstate(invalid="ignore"):
            within = np.abs(arrays[name]) <= largest  # not where it is NaN
        _require(within, f"{name} is not a number of magnitude up to {largest:g}")
    _require(times[:, 0] == 0.0, "times do not begin at zero")
    _require(np.diff(times, axis=1) > 0.0, "times do not increase")
    for first in range(0, len(stretch), 1000):
        _require(_positive_definite(stretch[first : first + 1000]), "stretch is not positive definite", first)
    for name in ("attempt", "rejected"):
        _require(arrays[name] >= 0, f"{name} is negative")


def _require(holds: NDArray[np.bool_], problem: str, first: int = 0) -> None:
    """Raise with the first path, of a leading axis of paths, where something does not hold."""
    if not holds.all():
        path = first + int(np.argmin(holds.reshape(len(holds), -1).all(axis=1)))
        raise ValueError(f"path {path}: {problem}")


def _positive_definite(stretch: FloatArray) -> NDArray[np.bool_]:
    """Tell by its leading minors (Sylvester) where U, Mandel vectors (..., 6), is positive definite."""
    U = from_mandel(stretch)
    plane = U[..., 0, 0] * U[..., 1, 1] - U[..., 0, 1] ** 2
    return np.asarray((U[..., 0, 0] > 0.0) & (plane > 0.0) & (np.linalg.det(U) > 0.0))
