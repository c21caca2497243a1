"""The law of a data set made again from what the set records, and its stress compared with the set's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from microscale.crystals.taylor import TaylorPolycrystal
from microscale.data.dataset import REMEDY, DataSet, read_dataset, read_provenance
from microscale.data.origin import require_recorded_stress
from microscale.data.schema import (
    CellOptions,
    SolidCellOptions,
    TaylorOptions,
    recorded_crystal,
    recorded_texture,
)
from microscale.data.textures import texture_of_path
from microscale.errors import InputError
from microscale.files.schema import validated
from microscale.law import ConstitutiveLaw
from microscale.unit_cell.cell import FullFieldCell
from multiscale.laws import make_law
from multiscale.results.provenance import identity

OPTIONS: dict[str, type[TaylorOptions] | type[CellOptions]] = {
    "taylor": TaylorOptions,
    "fft2d": CellOptions,
    "fft3d": SolidCellOptions,
}
"""Laws that are made again, and their options."""
DIMENSION = {"taylor": 0, "fft2d": 2, "fft3d": 3}
MOST_VOXELS = 20_000
"""Of a unit cell that is driven again: a step of it takes a quarter of a second."""


def recorded_law(file: Path) -> ConstitutiveLaw:
    """Return the polycrystal whose stress a data set holds.

    Raises:
        InputError: The file cannot be read, or its law is too slow, or another one in this version.
    """
    record = read_provenance(file)["law"]
    if record.get("textures") is not None or record.get("microstructures") is not None:
        raise InputError("its paths have polycrystals of their own, expected data of one")
    if record["name"] != "taylor":
        raise InputError(f"law '{record['name']}' is not driven again, expected taylor: others take too long")
    law = _made(record, _options(record, file))
    if identity(law)["hash"] != record["hash"]:
        raise InputError("the law of the data, made with its options, is another one in this version")
    return law


def require_as_recorded(file: Path) -> None:
    """Raise unless a data set holds the stress of the law it names, where that can be made again.

    Raises:
        InputError: It cannot be read, or its stress is another one: of other units or components, say.
    """
    data = read_dataset(file)
    record = data.provenance["law"]
    law = _quick_law(record, file) if record.get("textures") is None else _of_path(data)
    if law is None:
        return
    try:
        require_recorded_stress(law, vars(data), data.provenance)
    except ValueError as error:
        raise InputError(f"data set {file} is not what it says made it ({error}); {REMEDY}") from error


def _quick_law(record: Mapping[str, Any], file: Path) -> ConstitutiveLaw | None:
    """Return the law of a record; None for one of a user's own, of another version, or that takes long.

    Of many microstructures it is the first, whose path is driven again.
    """
    name: str = record["name"]
    if name not in OPTIONS or (record.get("crystal") or {}).get("families") is None:
        return None
    options = _options(record, file)
    if options.get("resolution", 1) ** DIMENSION[name] > MOST_VOXELS:
        return None
    if (cells := record.get("microstructures")) is not None:
        first = _made(record, options | {"seed": cells["seed"]})
        assert isinstance(first, FullFieldCell)
        assert first.texture is not None
        return first if first.texture.digest() == cells["first_grains"] else None
    law = _made(record, options)
    return law if identity(law)["hash"] == record["hash"] else None


def _of_path(data: DataSet) -> Callable[[int], ConstitutiveLaw]:
    """The polycrystals of a set of many textures, by the number of a path: their grains are in the set."""
    crystal = recorded_crystal(data.provenance["law"]["crystal"])
    return lambda path: TaylorPolycrystal.of(texture_of_path(vars(data), path), crystal)


def _options(record: Mapping[str, Any], file: Path) -> dict[str, Any]:
    where = f"law of data set {file}"
    found = validated(OPTIONS[record["name"]], record["options"], where, "generate the data again")
    return dict(found.model_dump(exclude_none=True))


def _made(record: Mapping[str, Any], options: Mapping[str, Any]) -> ConstitutiveLaw:
    # The crystal as it is recorded: a file that data name is not read, it may be anything by now.
    whole = (record.get("crystal") or {}).get("families") is not None
    known: dict[str, Any] = {} if not whole else {"crystal": recorded_crystal(record["crystal"])}
    if (texture := record.get("texture")) is not None:
        known |= {"texture": recorded_texture(texture), "texture_axes": None}
    return make_law(record["name"], **{**options, **known})
