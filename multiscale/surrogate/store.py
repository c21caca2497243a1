"""Surrogates on disk: weights as safetensors, and beside them a JSON file that says what they are.

Reading needs no torch: the learnt law of a simulation starts without it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from microscale.errors import InputError

FORMATS = {"recurrent": 3, "pca": 1}
"""Kinds of surrogates. A version is raised when the meaning of a file changes; older files are refused."""
SHIPPED = Path(__file__).parent / "weights" / "magnesium.safetensors"

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
            flows; this and what follows as microscale.flow_clocks measures it, None in cards of before.
        slowest_rate: Slowest rate of flow over twice the elastic limit, 1/us.
        longest_hold: Longest time without as much flow as that, us.
        smallest_cycle: Smallest flow in each half of a cycle that is repeated, dimensionless.
    """

    shape: float
    strain_rate: float
    smallest_volume: float
    largest_volume: float
    elastic_limit: float | None = None
    slowest_rate: float | None = None
    longest_hold: float | None = None
    smallest_cycle: float | None = None

    @property
    def knows_slow_paths(self) -> bool:
        """Whether it has a far side: cards of before do not."""
        return all(getattr(self, name) is not None for name in FAR_SIDE)

    @property
    def clocks(self) -> tuple[float, float, float, float]:
        """Elastic limit, and the most the clocks of microscale.flow_clocks showed; infinite where unknown.

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
        identity: All that it is, see multiscale.surrogate.identity; None in cards of before.
    """

    name: str
    shear_modulus: float
    lambda_e: float
    density: float
    identity: dict[str, Any] | None = None

    @property
    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return math.sqrt((4.0 / 3.0 * self.shear_modulus + 2.0 * self.lambda_e) / self.density)


@dataclass(frozen=True)
class Card:
    """The JSON file beside the weights.

    Attributes:
        kind: ``recurrent`` or ``pca``.
        architecture: Constructor arguments of the network.
        material: What it stands for.
        range: What it has seen.
        datasets: Provenance of the training data, those of the first weights too: file, SHA-256, protocol,
            paths, seed.
        errors: Measured relative L2 errors by test set: total and deviatoric, mean and 95th percentile.
        training: Seed, epochs, seconds and schedule.
        weights_sha256: Hash of the weights file.
        format: Version of the format of this kind, once written.
        version: Version of the package that wrote it.
    """

    kind: str
    architecture: dict[str, Any]
    material: Material
    range: TrainingRange
    datasets: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    format: int = 0
    version: str = ""
    units: str = "mm, us, GPa, g/cm^3; strains dimensionless"

    @property
    def computed_bulk_modulus(self) -> float:
        """2 lambda_e, GPa, where a network of histories has its mean stress computed; zero where learnt."""
        return 2.0 * self.material.lambda_e if self.architecture.get("exact_pressure") else 0.0


def write_surrogate(path: Path, weights: Mapping[str, NDArray[Any]], card: Card) -> None:
    """Write weights and card; each file appears whole or not at all, the card last."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = save({name: np.ascontiguousarray(array) for name, array in weights.items()})
    entries = asdict(card) | {
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "format": FORMATS[card.kind],
        "version": _package_version(),
    }
    replace_file(path, data)
    replace_file(card_path(path), (json.dumps(entries, indent=2) + "\n").encode())


def read_surrogate(path: Path, kind: str | None = None) -> tuple[Weights, Card]:
    """Return the weights and the card of a surrogate.

    Args:
        path: The safetensors file.
        kind: Expected kind; any by default.

    Raises:
        InputError: A file is missing, damaged, of another version or another kind.
    """
    path = Path(path)
    card = _read_card(card_path(path))
    if kind is not None and card.kind != kind:
        raise InputError(
            f"{path} holds a surrogate of kind '{card.kind}', expected '{kind}'; use --model {kind}"
        )
    try:
        data = path.read_bytes()
        weights = load(data)
    except OSError as error:
        raise InputError(
            f"weights {path} cannot be read ({error.strerror}); train some with 'multiscale train'"
        ) from error
    except SafetensorError as error:
        raise InputError(f"weights {path} are damaged ({error}); restore or train them again") from error
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise InputError(
            f"weights {path} do not belong to {card_path(path).name}: their hashes differ; restore both files"
        )
    return weights, card


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
    elif not np.all(np.isfinite(found)):
        described = "not finite"
    else:
        return found.astype(float)
    raise InputError(
        f"array '{name}' of the surrogate is {described}, expected finite numbers of shape {shape}"
    )


def _read_card(path: Path) -> Card:
    try:
        entries = json.loads(path.read_bytes())
        found, expected = entries["format"], FORMATS.get(entries["kind"])
        if expected is not None and found != expected:
            raise InputError(
                f"{path} has format {found}, expected {expected}; train the surrogate again with this version"
            )
        entries |= {"material": Material(**entries["material"]), "range": TrainingRange(**entries["range"])}
        card = Card(**entries)
        _check(card)
        return card
    except OSError as error:
        raise InputError(
            f"surrogate card {path} cannot be read ({error.strerror}); it belongs beside the weights"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"surrogate card {path} is damaged ({error}); restore or train it again") from error


def _check(card: Card) -> None:
    """Refuse what no training writes: such numbers would reach the kernels.

    Raises:
        ValueError: Of an unknown kind, or with a number that is none or has no meaning.
    """
    if card.kind not in FORMATS:
        raise ValueError(f"kind is '{card.kind}', expected one of: {', '.join(FORMATS)}")
    for name, size in card.architecture.items():
        if not (isinstance(size, int) and size >= 0):
            raise ValueError(f"architecture {name} = {size!r}, expected a whole number, zero or more")
    numbers = vars(card.material) | vars(card.range)
    unknown = {name for name in FAR_SIDE if numbers[name] is None}
    for name in numbers.keys() - unknown - {"name", "identity"}:
        if not (isinstance(value := numbers[name], int | float) and 0.0 < value < math.inf):
            raise ValueError(f"{name} = {value!r}, expected a positive number")


def card_path(weights: Path) -> Path:
    """Return the path of the JSON file beside the weights."""
    return Path(weights).with_suffix(".json")


def replace_file(path: Path, data: bytes) -> None:
    """Write a file under another name, then rename it: a reader, or a kill, never meets half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _package_version() -> str:
    try:
        return version("multiscale")
    except PackageNotFoundError:
        return "unknown"
