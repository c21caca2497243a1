"""Data-set files as training data: histories, what they are of, and the range they cover."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from microscale.data.dataset import REMEDY, read_dataset, read_provenance
from microscale.data.schema import MicrostructureRecord
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.schema import validated
from microscale.tensors import deviator
from microscale.unit_cell.elasticity import Elasticity
from multiscale.surrogate.histories import Histories, joined
from multiscale.surrogate.material_identity import difference, identity_of, without_grains
from multiscale.surrogate.plausible import require_plausible
from multiscale.surrogate.recurrent.architecture import STRAIN_SCALE
from multiscale.surrogate.recurrent.increments import increments
from multiscale.surrogate.slow_paths import elastic_limit, far_side
from multiscale.surrogate.store import Card, Material, TrainingRange

COVERED = 0.999
"""Share of the training samples inside the range: the few beyond it teach little."""


class OtherTextureWarning(UserWarning):
    """A surrogate is judged by data of a texture that it does not know."""


class KnownPathsWarning(UserWarning):
    """A surrogate is judged by paths that it was trained on."""


@dataclass(frozen=True)
class Sources:
    """Data sets of one material.

    Attributes:
        histories: All paths.
        material: Whose stress it is.
        records: One entry a file: name, SHA-256, law, protocol, strain, number of paths, seed.
    """

    histories: Histories
    material: Material
    records: list[dict[str, Any]]


def read_sources(files: Sequence[Path], one_sampling: bool = False) -> Sources:
    """Read data sets that belong together.

    Args:
        files: Data sets.
        one_sampling: Whether they must have as many steps each.

    Raises:
        InputError: No file, or one that is missing, damaged, of another law or sampling, has paths that
            another one has too, is of a law without the elasticity of eq. (29), or has stress of no such law.
    """
    if not files:
        raise InputError("no data set given, expected at least one; make one with 'multiscale generate'")
    histories: list[Histories] = []
    records: list[dict[str, Any]] = []
    first = read_provenance(Path(files[0]))["law"]
    for file in files:
        data = read_dataset(Path(file))
        law, paths = data.provenance["law"], data.provenance["paths"]
        if not _one_law(law, first):
            raise InputError(f"{file} has another law than {files[0]}; train on one")
        if one_sampling and records and data.times.shape[1] != histories[0].times.shape[1]:
            raise InputError(f"{file} has another number of steps than {files[0]}; train on one")
        histories.append(
            Histories(data.times, data.stretch_tensors, data.stress_tensors, data.texture_numbers)
        )
        _require_strength(Path(file), histories[-1])
        require_plausible(Path(file), histories[-1], _material(Path(file), law))
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        entry = {
            "file": Path(file).name,
            "sha256": digest,
            "law": law["name"],
            "law_hash": law["hash"],
            **paths,
            **_of_paths(law),
        }
        _refuse_known_paths(Path(file), entry, records)
        records.append(entry)
    return Sources(joined(histories), _material(Path(files[0]), law), records)


def _one_law(law: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two laws of data are one; where paths tell their grains, their number is none of it."""
    if law.get("textures") is not None and other.get("textures") is not None:
        return difference(identity_of(law), identity_of(other)) is None
    return bool(law["hash"] == other["hash"])


def require_one_texture(sources: Sources) -> None:
    """Refuse data whose paths have textures of their own: a network that is not told them learns a mean.

    Raises:
        InputError: A data set has many textures.
    """
    for record in sources.records:
        if "textures" in record:
            raise InputError(
                f"{record['file']} has polycrystals of many textures ({record['textures']}), which this "
                "model is not told: expected data of one texture, or --any-texture of --model recurrent"
            )


def _refuse_known_paths(file: Path, record: dict[str, Any], earlier: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a data set with paths of one before it: trained on and validated with, they hide the error.

    Raises:
        InputError: It has some.
    """
    for other in earlier:
        if shares_paths(record, other):
            raise InputError(
                f"{file} has paths of {other['file']} again (protocol {record['protocol']}, seed "
                f"{record.get('seed')}), expected others: leave it out, or generate it with another --seed"
            )


def _of_paths(law: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of laws that paths have of their own: which, and not each of them."""
    if (family := law.get("textures")) is not None:
        return {"textures": f"{family['family']}, seed {family['seed']}"}
    if (cells := law.get("microstructures")) is not None:
        return {"microstructures": f"from seed {cells['seed']}, {cells['paths_each']} paths each"}
    return {}


def shares_paths(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two data sets of one law, as recorded, have paths in common: the same draws, however many."""
    apart = ("file", "sha256", "count", "keep_every", "textures", "microstructures")
    draws, others = ({k: v for k, v in each.items() if k not in apart} for each in (record, other))
    return record["sha256"] == other["sha256"] or draws == others


def _material(file: Path, law: dict[str, Any]) -> Material:
    crystal = law.get("crystal")
    if law.get("microstructure") is not None:
        return _of_phases(file, law)
    if crystal is None:
        raise InputError(
            f"{file} is of law '{law['name']}', expected one with the elasticity of the crystals (taylor): "
            "its pressure and elastic response are built into the surrogate"
        )
    return Material(
        name=f"{crystal['name']}, {law['name']}, {_grains(law)}",
        shear_modulus=crystal["shear_modulus"],
        lambda_e=crystal["lambda_e"],
        density=crystal["density"],
        identity=identity_of(law),
    )


def _of_phases(file: Path, law: dict[str, Any]) -> Material:
    """The material of a cell of several phases: its elasticity was measured, and is data."""
    made = validated(MicrostructureRecord, law["microstructure"], f"law of data set {file}", REMEDY)
    elasticity = Elasticity.of_constants(made.elasticity)
    shear, bulk = elasticity.moduli
    return Material(
        name=f"{law['name']}: {printable(' with '.join(made.phases), 200)}",
        shear_modulus=shear,
        lambda_e=0.5 * bulk,
        density=made.density,
        identity=identity_of(law),
        stiffness=made.elasticity,
    )


def _grains(law: Mapping[str, Any]) -> str:
    """Words for the grains of a polycrystal."""
    if (family := law.get("textures")) is not None:
        return f"{family['grains']} grains of any texture"
    options = {"grains": 1, "texture": "random", "seed": 0} | law["options"]
    told = {name: printable(options[name], 30) for name in ("grains", "texture", "seed")}
    which = "many microstructures" if law.get("microstructures") else f"seed {told['seed']}"
    return f"{told['grains']} grains of {told['texture']} texture, {which}"


def _require_strength(file: Path, histories: Histories) -> None:
    """Raise where a path has no deviatoric stress at all: an error relative to it has no meaning."""
    strength = np.abs(deviator(histories.stress)).max(axis=(1, 2, 3))
    if not (strength > 0.0).all():
        raise InputError(
            f"{file}: path {int(np.argmin(strength))} has no deviatoric stress at any time, expected some: "
            "relative errors of it have no meaning; leave such paths out"
        )


def require_data_of(card: Card, file: Path, texture: str | None = None) -> None:
    """Refuse to judge a surrogate by data of another material than its own.

    Args:
        card: Of the surrogate.
        file: The data.
        texture: That of the data, which may then be another one than the surrogate's: a warning says so.

    Raises:
        InputError: They are; the message names the first difference.
    """
    provenance, mine = read_provenance(Path(file)), card.material
    law = provenance["law"]
    _doubt_known_paths(card, file, provenance)
    if law["hash"] in {made.get("law_hash") for made in card.datasets}:
        return
    data = _material(Path(file), law)
    if mine.identity is None:
        differs = None if mine.name == data.name else f"name = {data.name}, expected {mine.name}"
    else:
        found, own = identity_of(law), mine.identity
        if texture is not None:
            _require_texture(file, law, texture, mine.name)
            found, own = without_grains(found), without_grains(own)
        differs = difference(found, own)
    if differs is not None:
        raise InputError(
            f"{file} is of another material than the surrogate, {mine.name}: {differs}; give data of its own"
        )


def _require_texture(file: Path, law: Mapping[str, Any], texture: str, learnt: str) -> None:
    """Refuse data of another texture than the one named, and say that the surrogate does not know it."""
    there = (law.get("textures") or {}).get("family") or law["options"].get("texture", "none")
    if there != texture:
        raise InputError(
            f"{file} has the texture '{printable(there, 60)}', expected '{texture}', as --texture says"
        )
    warnings.warn(
        f"{file} has the texture '{printable(there, 60)}', and the surrogate stands for {learnt}: its errors "
        "are those of a network that does not know the texture",
        OtherTextureWarning,
        stacklevel=3,
    )


def _doubt_known_paths(card: Card, file: Path, provenance: Mapping[str, Any]) -> None:
    """Warn of test data that have paths of the training."""
    entry = {"sha256": "", "law": provenance["law"]["name"], "law_hash": provenance["law"]["hash"]}
    entry |= provenance["paths"]
    if any(shares_paths(entry, {"sha256": None, **made}) for made in card.datasets):
        warnings.warn(
            f"{file} has paths that the surrogate was trained on (protocol {entry['protocol']}, seed "
            f"{entry.get('seed')}): "
            "its errors there say nothing of others; generate test data with another --seed",
            KnownPathsWarning,
            stacklevel=3,
        )


def training_range(histories: Histories, shear_modulus: float) -> TrainingRange:
    """Return what all but a few of the samples cover.

    Args:
        histories: The training paths.
        shear_modulus: G of the material, GPa: half the deviator of stress over it is elastic strain.
    """
    shapes, rates = [], []
    for start in range(0, len(histories), 256):
        part = histories[start : start + 256]
        steps = np.diff(part.times, axis=1)
        found = increments(torch.from_numpy(part.stretch).transpose(0, 1), torch.from_numpy(steps).mT)
        shapes.append(found.features[..., 12].numpy().ravel())
        passing = found.dt > 0.0
        rates.append((STRAIN_SCALE * found.size[passing] / found.dt[passing]).numpy())
    J = np.linalg.det(histories.stretch)
    return TrainingRange(
        shape=float(np.quantile(np.concatenate(shapes), COVERED)),
        strain_rate=float(np.quantile(np.concatenate(rates), COVERED)),
        smallest_volume=float(np.quantile(J, 1.0 - COVERED)),
        largest_volume=float(np.quantile(J, COVERED)),
        **far_side(histories, elastic_limit(histories, shear_modulus)),
    )


def split(histories: Histories, share: float, seed: int) -> tuple[Histories, Histories]:
    """Return training and validation paths, the latter a random ``share`` of all (at least one path)."""
    order = np.random.default_rng(seed).permutation(len(histories))
    held_out = max(1, round(share * len(histories)))
    if len(histories) <= held_out:
        raise InputError(
            f"{len(histories)} path(s) are too few to train on; generate more with 'multiscale generate'"
        )
    return histories[np.sort(order[held_out:])], histories[np.sort(order[:held_out])]
