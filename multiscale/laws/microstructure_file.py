"""A unit cell of several phases from a file: geometry, and the law of each phase with its constants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from microscale.crystals.single_crystal import SingleCrystal
from microscale.errors import InputError
from microscale.files.quantities import SPOKEN, In
from microscale.files.schema import Name, Strict, validated
from microscale.files.toml import read_toml
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray
from microscale.unit_cell.inclusions import fibres, spheres
from microscale.unit_cell.labels import read_labels
from multiscale.laws.phase_laws import PHASE_LAWS, law_of, orientations_of

REMEDY = "docs/reference/microstructures.md lists all keys"
RESOLUTION = 16
"""Voxels along each side, where neither the file nor an option says otherwise."""

Count = Annotated[int, Field(ge=1, le=4096)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Fraction = Annotated[float, In("-", "positive", bare=True)]


class CellTable(Strict):
    """The grid."""

    resolution: Annotated[int, Field(ge=1, le=512)] | None = None


class SpheresTable(Strict):
    """Spheres, or discs in a cell of two dimensions: :func:`microscale.unit_cell.inclusions.spheres`."""

    kind: Literal["spheres"]
    fraction: Fraction
    count: Count = 1
    seed: Seed = 0
    overlapping: bool = False
    dimension: Annotated[int, Field(ge=2, le=3)] = 3


class FibresTable(Strict):
    """Fibres: :func:`microscale.unit_cell.inclusions.fibres`."""

    kind: Literal["fibres"]
    fraction: Fraction
    count: Count = 1
    seed: Seed = 0
    axis: Literal[1, 2, 3] | None = None
    length: Fraction | None = None
    overlapping: bool = False


class ArrayTable(Strict):
    """A labelled array: :func:`microscale.unit_cell.labels.read_labels`."""

    kind: Literal["array"]
    file: Name
    array: Name | None = None


class MicrostructureFile(Strict):
    """All of a file; a phase is read by the schema of its law."""

    geometry: Annotated[SpheresTable | FibresTable | ArrayTable, Field(discriminator="kind")]
    phases: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=64)]
    cell: CellTable = CellTable()


@dataclass(frozen=True)
class PhasesOfFile:
    """What a file says.

    Attributes:
        phase: Number of the phase of each voxel, in the order of the file, shape (n1, n2) or (n1, n2, n3).
        laws: The law of each phase.
        orientations: Crystal axes of each voxel by the number of the phase that has some, (voxels, 3, 3).
        described: All of it as plain values, in our units: what the microstructure is, wherever files lie.
    """

    phase: NDArray[np.int64]
    laws: list[ConstitutiveLaw]
    orientations: dict[int, FloatArray]
    described: dict[str, Any]


def read_microstructure(path: Path, resolution: int | None = None) -> PhasesOfFile:
    """Read a microstructure; the files it names are relative to its own folder.

    Args:
        path: The TOML file.
        resolution: Voxels along each side, in place of the file's.

    Raises:
        InputError: The file, or one that it names, cannot be read or used: one line with file, key, value,
            what was expected, the remedy.
    """
    where = f"microstructure {path}"
    table = _with_units(read_toml(path, "microstructure", REMEDY))
    found = validated(MicrostructureFile, table, where, REMEDY)
    phases = [_phase(name, entry, where) for name, entry in found.phases.items()]
    label, geometry = _labels(found, path, resolution)
    phase = _numbered(label, phases, where)
    laws = [law_of(entry, path.parent) for entry in phases if entry.law != "pore"]
    if not laws:
        raise InputError(f"{where}: all phases are pores, expected one that carries stress; {REMEDY}")
    stiff, made = laws, iter(laws)
    laws = [entry.of(stiff) if entry.law == "pore" else next(made) for entry in phases]
    turned = {
        k: orientations_of(entry, phase.shape) for k, entry in enumerate(phases) if entry.law == "crystal"
    }
    described = {
        "geometry": geometry,
        "shape": list(phase.shape),
        "phases": {
            name: _described(entry, law) for name, entry, law in zip(found.phases, phases, laws, strict=True)
        },
    }
    return PhasesOfFile(phase, laws, turned, described)


def _phase(name: str, entry: Mapping[str, Any], where: str) -> Any:
    law = entry.get("law")
    if law not in PHASE_LAWS:
        known = ", ".join(PHASE_LAWS)
        problem = "is missing" if law is None else f"= {law!r:.60}"
        raise InputError(f"{where}: phases.{name}.law {problem}, expected one of: {known}; {REMEDY}")
    return validated(PHASE_LAWS[law](), dict(entry), f"{where}: phase {name}", REMEDY)


def _labels(
    found: MicrostructureFile, path: Path, resolution: int | None
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Labels of the voxels, and what describes them."""
    made = found.geometry
    if isinstance(made, ArrayTable):
        if resolution is not None or found.cell.resolution is not None:
            raise InputError(
                f"microstructure {path}: a resolution has no use for an array, which has its own"
            )
        file = path.parent / made.file
        label = read_labels(file, made.array)
        digest = hashlib.sha256(f"{label.shape}".encode() + label.tobytes()).hexdigest()
        return label, {"kind": "array", "labels_sha256": digest}
    n = resolution or found.cell.resolution or RESOLUTION
    options = {key: value for key, value in made if key != "kind"}
    if isinstance(made, SpheresTable):
        return spheres(**options).voxels((n,) * made.dimension), dict(made)
    return fibres(**options).voxels((n,) * 3), dict(made)


def _described(phase: Any, law: ConstitutiveLaw) -> dict[str, Any]:
    """What a phase is; a crystal with all its parameters, since its file may be anything by now."""
    return {**dict(phase), "crystal": asdict(law.crystal)} if isinstance(law, SingleCrystal) else dict(phase)


def _numbered(label: NDArray[np.int64], phases: list[Any], where: str) -> NDArray[np.int64]:
    """Numbers of phases from labels: each label has a phase, and each phase has voxels."""
    labels = [entry.label for entry in phases]
    if len(set(labels)) < len(labels):
        raise InputError(f"{where}: phases have the labels {labels}, expected different ones")
    there = [int(k) for k in np.unique(label)]
    for k in there:
        if k not in labels:
            raise InputError(f"{where}: voxels have the labels {there[:20]}, of which {k} is no phase's")
    for k in labels:
        if k not in there:
            raise InputError(
                f"{where}: no voxel has the label {k} of a phase, found {there[:20]}; leave it out"
            )
    phase = np.empty_like(label)
    for number, k in enumerate(labels):
        phase[label == k] = number
    return phase


def _with_units(value: Any) -> Any:
    """Return plain data with texts such as "70 GPa" as a value and a unit."""
    if isinstance(value, Mapping):
        return {key: _with_units(item) for key, item in value.items()}
    match = SPOKEN.fullmatch(value) if isinstance(value, str) and len(value) < 200 else None
    return value if match is None else {"value": float(match[1]), "unit": match[2]}
