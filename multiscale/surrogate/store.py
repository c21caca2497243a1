"""Surrogates on disk: weights as safetensors, and beside them a JSON file that says what they are.

Reading needs no torch: the learnt law of a simulation starts without it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from microscale.errors import InputError
from microscale.files.documents import read_bytes, read_document
from microscale.files.printable import printable
from microscale.files.schema import STRICT, Positive, validated, wrong
from microscale.files.whole_file import write_json, write_whole
from microscale.law import Moduli
from multiscale.surrogate.kinds import kind_names, kind_of

SHIPPED = Path(__file__).parent / "weights" / "magnesium.safetensors"
ANY_TEXTURE = SHIPPED.with_name("any-texture.safetensors")
"""Of magnesium of any texture; the others are of magnesium without one."""
FULL_FIELD = SHIPPED.with_name("full-field.safetensors")
"""Of unit cells of magnesium; the others learnt Taylor's average."""

LARGEST_WEIGHTS = 2**33
"""Bytes."""
REMEDY = "restore the card and the weights, or train again"

Weights = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class TrainingRange:
    """What the training paths covered; beyond it a surrogate extrapolates.

    Attributes:
        shape: Largest ln(tr(V + V^-1) / 6) of the isochoric stretch V, dimensionless.
        strain_rate: Largest rate of the isochoric strain, 1/us.
        smallest_volume: Smallest det F.
        largest_volume: Largest det F.
        elastic_limit: Norm of the elastic strain of flow, which divides a path into what is elastic and what
            flows; this and what follows as microscale.paths.flow_clocks measures it, None in cards of before.
        slowest_rate: Slowest rate of flow over twice the elastic limit, 1/us.
        longest_hold: Longest time without as much flow as that, us.
        smallest_cycle: Smallest flow in each half of a cycle that is repeated, dimensionless.
    """

    __pydantic_config__ = STRICT

    shape: Positive
    strain_rate: Positive
    smallest_volume: Positive
    largest_volume: Positive
    elastic_limit: Positive | None = None
    slowest_rate: Positive | None = None
    longest_hold: Positive | None = None
    smallest_cycle: Positive | None = None

    @property
    def knows_slow_paths(self) -> bool:
        """Whether it has a far side: cards of before do not."""
        return all(getattr(self, name) is not None for name in FAR_SIDE)

    @property
    def clocks(self) -> tuple[float, float, float, float]:
        """Elastic limit, and the most the clocks of microscale.paths.flow_clocks showed.

        The latter are the time of flow and of rest, us, and the path without flow, while a point flows by
        a window of twice the elastic limit. A cycle that flows by a in each half travels window^2 / a in it.
        """
        limit, slow, hold, cycle = (getattr(self, name) or math.nan for name in FAR_SIDE)
        if not self.knows_slow_paths:
            return math.inf, math.inf, math.inf, math.inf
        return limit, 2.0 * limit / slow, hold, (2.0 * limit) ** 2 / cycle


FAR_SIDE = ("elastic_limit", "slowest_rate", "longest_hold", "smallest_cycle")
"""What a card says of the other side of the range: slow, held, to and fro."""


@dataclass(frozen=True)
class Material:
    """What a surrogate stands for.

    Attributes:
        name: Name of the law whose stress was learnt, and its material.
        shear_modulus: G, GPa.
        lambda_e: Volumetric modulus of eq. (29), GPa.
        density: Referential density, g/cm^3.
        identity: All that it is, see multiscale.surrogate.material_identity; None in cards of before.
        stiffness: The 21 constants of its measured elasticity, GPa, the upper triangle row by row in the
            components of microscale.unit_cell.elasticity, where it is no polycrystal of isotropic crystals;
            the moduli are then those of the nearest isotropic one.
    """

    __pydantic_config__ = STRICT

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    shear_modulus: Positive
    lambda_e: Positive
    density: Positive
    identity: dict[str, Any] | None = None
    stiffness: Annotated[list[float], Field(min_length=21, max_length=21)] | None = None

    def wave_speed(self, density: float) -> float:
        """Longitudinal elastic wave speed at rest and a density, g/cm^3, mm/us."""
        return Moduli(self.shear_modulus, 2.0 * self.lambda_e).wave_speed(density)


def _with_durations(record: dict[str, Any]) -> dict[str, Any]:
    """Check the shortest and the longest time of a data set, where it has them: the network of paths asks."""
    found = record.get("duration_us", [1.0, 1.0])
    numbers = isinstance(found, list) and all(type(value) in (int, float) for value in found)
    if not (numbers and len(found) == 2 and 0.0 < found[0] <= found[1] < math.inf):
        raise wrong("duration_us of two positive numbers, the shorter first", f"duration_us {found!r:.60}")
    return record


def _known_kind(value: str) -> str:
    if value not in kind_names():
        raise wrong(f"one of: {', '.join(kind_names())}")
    return value


def _size(value: Any) -> int:
    if not (isinstance(value, int) and 0 <= value <= 2**16):
        raise wrong("a whole number, zero or more, to 65536")
    return value


@dataclass(frozen=True)
class Card:
    """The JSON file beside the weights.

    Attributes:
        kind: What kind of surrogate, see :mod:`multiscale.surrogate.kinds`.
        architecture: Constructor arguments of the network.
        material: What it stands for.
        range: What it has seen.
        datasets: Provenance of the training data, those of the first weights too: file, SHA-256, protocol,
            paths, seed.
        errors: Measured relative L2 errors by test set: total and deviatoric, mean and 95th percentile.
        training: Seed, epochs, seconds and schedule.
        weights_sha256: Hash of the weights file.
        card_sha256: Hash of all other entries, see :func:`check_sum`; a card edited by hand is refused.
        format: Version of the format of this kind, once written.
        version: Version of the package that wrote it.
    """

    __pydantic_config__ = STRICT

    kind: Annotated[str, AfterValidator(_known_kind)]
    architecture: dict[str, Annotated[Any, AfterValidator(_size)]]
    material: Material
    range: TrainingRange
    datasets: list[Annotated[dict[str, Any], AfterValidator(_with_durations)]] = field(default_factory=list)
    errors: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    card_sha256: str = ""
    format: int = 0
    version: str = ""
    units: Literal["mm, us, GPa, g/cm^3; strains dimensionless"] = (
        "mm, us, GPa, g/cm^3; strains dimensionless"
    )

    @property
    def computed_bulk_modulus(self) -> float:
        """2 lambda_e, GPa, where a network of histories has its mean stress computed; zero where learnt."""
        return 2.0 * self.material.lambda_e if self.architecture.get("exact_pressure") else 0.0


def write_surrogate(path: Path, weights: Mapping[str, NDArray[Any]], card: Card) -> None:
    """Write weights and card; each file appears whole or not at all, the card last.

    Raises:
        InputError: A file cannot be written, or a number of the card is not finite.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = save({name: np.ascontiguousarray(array) for name, array in weights.items()})
    entries = asdict(card) | {
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "format": kind_of(card.kind).format,
        "version": _package_version(),
    }
    write_whole(path, data)
    write_json(card_path(path), entries | {"card_sha256": check_sum(entries)})


def check_sum(entries: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the entries of a card but for ``card_sha256``, in any order and layout."""
    others = {name: value for name, value in entries.items() if name != "card_sha256"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def seal_card(weights: Path) -> None:
    """Vouch for a card that was changed by hand, or is older than check sums: write its check sum.

    Raises:
        InputError: The card cannot be read, or does not follow the schema.
    """
    path = card_path(weights)
    entries = read_document(path, "surrogate card", REMEDY)
    validated(Card, entries, f"surrogate card {path}", REMEDY)
    write_json(path, entries | {"card_sha256": check_sum(entries)})


def weights_file(weights: str | Path) -> Path:
    """Return the file of weights, which may be given by a name of shipped ones."""
    given = Path(weights)
    shipped = SHIPPED.with_name(f"{given}{SHIPPED.suffix}") if len(given.parts) == 1 else given
    return shipped if not given.is_file() and shipped.is_file() else given


def is_shipped_name(weights: Path) -> bool:
    """Return whether weights are given by a name of shipped ones, wherever these lie."""
    return weights_file(weights) != weights


def read_surrogate(path: Path, kind: str | None = None) -> tuple[Weights, Card]:
    """Return the weights and the card of a surrogate.

    Args:
        path: The safetensors file, or the name of shipped weights.
        kind: Expected kind; any by default.

    Raises:
        InputError: A file is missing, damaged, changed by hand, of another version or another kind.
    """
    path = weights_file(path)
    if not path.name:
        raise InputError(f"weights = '{path}', expected the name of a file")
    card = _read_card(card_path(path))
    if kind is not None and card.kind != kind:
        raise InputError(
            f"{path} holds a surrogate of kind '{card.kind}', expected '{kind}'; use --model {kind}"
        )
    data = read_bytes(path, "weights", "train some with 'multiscale train'", LARGEST_WEIGHTS)
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise InputError(
            f"weights {path} do not belong to {card_path(path).name}: their hashes differ; restore both files"
        )
    try:
        return load(data), card
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"weights {path} are damaged ({error}); restore or train them again") from error


def finite_array(weights: Weights, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array of a surrogate, in double precision.

    Raises:
        InputError: It is missing, of another shape, or not finite.
    """
    found = weights.get(name)
    if found is None:
        described = "missing"
    elif found.shape != shape:
        described = f"of shape {found.shape}"
    elif found.dtype.kind != "f":
        described = f"of type {found.dtype}"
    elif not np.all(np.isfinite(found)):
        described = "not finite"
    else:
        return found.astype(float)
    raise InputError(
        f"array '{name}' of the surrogate is {described}, expected finite numbers of shape {shape}; {REMEDY}"
    )


def _read_card(path: Path) -> Card:
    what = f"surrogate card {path}"
    entries = read_document(path, "surrogate card", f"it belongs beside the weights: {REMEDY}")
    _refuse_other_format(entries, path)
    card = validated(Card, entries, what, REMEDY)
    if card.card_sha256 != check_sum(entries):
        raise InputError(
            f"{what} was changed after it was written: its entries do not fit its check sum; {REMEDY} "
            "(seal_card of multiscale.surrogate.store vouches for a change)"
        )
    return card


def _refuse_other_format(entries: Any, path: Path) -> None:
    """Say so where a card is of another version, which may have other entries."""
    if not isinstance(entries, dict) or not isinstance(entries.get("kind"), str):
        return
    if entries["kind"] not in kind_names():
        return
    found, expected = entries.get("format"), kind_of(entries["kind"]).format
    if found != expected:
        raise InputError(
            f"{path} has format {printable(found, 60)}, expected {expected}; train the surrogate again with "
            "this version"
        )


def require_weights_name(path: Path) -> None:
    """Refuse a name of weights that card, log, picture or checkpoint beside them would have too.

    Raises:
        InputError: The name does not end in ``.safetensors``.
    """
    if path.suffix != ".safetensors" or path.is_dir():
        raise InputError(
            f"--out {path} for weights, expected a file whose name ends in .safetensors: its description "
            "(.json), log (.csv), picture (.png) and checkpoint lie beside it"
        )


def card_path(weights: Path) -> Path:
    """Return the path of the JSON file beside the weights."""
    return Path(weights).with_suffix(".json")


def _package_version() -> str:
    try:
        return version("multiscale")
    except PackageNotFoundError:
        return "unknown"
