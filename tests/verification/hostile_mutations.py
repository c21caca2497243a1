"""Changes that make a sound file hostile: of its bytes, of plain data in it, of arrays and links of HDF5."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Random = np.random.Generator
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    False,
    "",
    "x" * 5000,
    "[red]",
    "\x1b[31m",
    "$x$",
    "1e3",
    "nan",
    "../../etc",
)
HOSTILE += (
    -1,
    0,
    1,
    1.5,
    1e308,
    -1e-300,
    float("nan"),
    float("inf"),
    10**400,
    2**62,
    [],
    {},
    [[]],
    [None],
    {"a": 1},
)
"""What stands where something else is expected."""


def changed_bytes(content: bytes, random: Random) -> bytes:
    """Flip, cut, overwrite, insert or repeat some bytes."""
    data, place = bytearray(content), int(random.integers(len(content)))
    size = int(random.integers(1, 200))
    match int(random.integers(6)):
        case 0 | 1:
            data[place] ^= 1 << int(random.integers(8))
        case 2:
            del data[place:]
        case 3:
            data[place : place + size] = bytes(min(size, len(data) - place))
        case 4:
            data[place:place] = random.bytes(size)
        case 5:
            data[place:place] = data[place : place + size]
    return bytes(data)


def changed_data(data: Any, random: Random) -> Any:
    """Replace, remove, rename or add something somewhere in plain data."""
    holders = list(_holders(data))
    if not holders:
        return HOSTILE[int(random.integers(len(HOSTILE)))]
    holder = holders[int(random.integers(len(holders)))]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = keys[int(random.integers(len(keys)))]
    value = HOSTILE[int(random.integers(len(HOSTILE)))]
    match int(random.integers(6)):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[str(key)[1:] + "x"] = holder.pop(key)
        case 2 if isinstance(holder, dict):
            holder["another"] = value
        case 3 if isinstance(holder, list):
            del holder[key]
        case 4:
            nested: Any = value
            for _ in range(int(random.choice([3, 60, 200]))):
                nested = [nested]
            holder[key] = nested
        case _:
            holder[key] = value
    return data


def _holders(data: Any):
    if isinstance(data, dict | list) and data:
        yield data
        for value in data.values() if isinstance(data, dict) else data:
            yield from _holders(value)


def changed_text(text: str, random: Random) -> str:
    """Drop, double or swap lines of a text, or put an anchor, a tag or a quote into it."""
    lines = text.splitlines() or [""]
    k, other = (int(random.integers(len(lines))) for _ in range(2))
    match int(random.integers(5)):
        case 0:
            del lines[k]
        case 1:
            lines.insert(other, lines[k])
        case 2:
            lines[k], lines[other] = lines[other], lines[k]
        case 3:
            lines[k] = lines[k].replace(
                ": ", random.choice([": &a ", ": *a ", ": !!python/name:os.system ", ": '"]), 1
            )
        case 4:
            lines[k] = lines[k][: int(random.integers(len(lines[k]) + 1))]
    return "\n".join(lines) + "\n"


def changed_array(file: h5py.File, random: Random) -> None:
    """Put another array, link or promise in the place of one of a file's arrays."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    name = names[int(random.integers(len(names)))]
    values = file[name][...]
    make = REPLACEMENTS[int(random.integers(len(REPLACEMENTS)))]
    del file[name]
    make(file, name, values, random)


def _stored(change: Callable[[np.ndarray, Random], Any]) -> Callable[..., None]:
    def put(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
        file[name] = change(values, random)

    return put


def _with(value: float) -> Callable[..., None]:
    def change(values: np.ndarray, random: Random) -> np.ndarray:
        changed = values.astype(float).reshape(-1)
        changed[int(random.integers(max(1, changed.size)))] = value
        return changed.reshape(values.shape)

    return _stored(change)


def _huge(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    shape = (int(random.choice([10**6, 10**9, 10**12])), *values.shape[1:])
    chunk = (1, *shape[1:]) if random.integers(2) else (min(shape[0], 10**5), *[1] * (len(shape) - 1))
    file.create_dataset(name, shape, values.dtype, chunks=chunk, fillvalue=0)


def _external(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    file.create_dataset(name, values.shape, values.dtype, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def _virtual(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    layout = h5py.VirtualLayout(values.shape, values.dtype)
    layout[...] = h5py.VirtualSource("/tmp/elsewhere.h5", "x", values.shape)
    file.create_virtual_dataset(name, layout)


def _link(kind: str) -> Callable[..., None]:
    def put(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
        links = {"soft": h5py.SoftLink("/" + name), "away": h5py.SoftLink("/nowhere")}
        links["external"] = h5py.ExternalLink("/etc/passwd", "/x")
        file[name] = links[kind]

    return put


def _empty(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    file[name] = h5py.Empty(values.dtype)


def _nothing(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    """It is gone."""


def _group(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    file.create_group(name)


def _of_variable_length(file: h5py.File, name: str, values: np.ndarray, random: Random) -> None:
    file.create_dataset(name, values.shape[:1], h5py.vlen_dtype(np.float64))


REPLACEMENTS: tuple[Callable[..., None], ...] = (
    _stored(lambda v, r: v[: len(v) // 2]),
    _stored(lambda v, r: v[:0]),
    _stored(lambda v, r: v[..., :1]),
    _stored(lambda v, r: v.T),
    _stored(lambda v, r: v[..., None]),
    _stored(lambda v, r: v.reshape(-1)),
    _stored(lambda v, r: 0.0),
    _stored(lambda v, r: np.concatenate([v, v])),
    _stored(lambda v, r: v[::-1]),
    _stored(lambda v, r: np.full(v.shape, b"x")),
    _stored(lambda v, r: v.astype(complex)),
    _stored(lambda v, r: v.astype(np.float16)),
    _stored(lambda v, r: v.astype(">f8")),
    _stored(lambda v, r: v.astype(np.int32)),
    _stored(lambda v, r: v > 0),
    _stored(lambda v, r: np.zeros(v.shape, [("a", float), ("b", "S3")])),
    _stored(lambda v, r: np.zeros(v.shape)),
    _stored(lambda v, r: -v.astype(float)),
    _stored(lambda v, r: 1e200 * v.astype(float)),
    *(_with(value) for value in (np.nan, np.inf, -1.0, 1e300, -0.0)),
    *(_link(kind) for kind in ("soft", "away", "external")),
    *(_huge, _huge, _external, _virtual, _empty, _nothing, _group, _of_variable_length),
)


def changed_attribute(file: h5py.File, random: Random) -> None:
    """Put something else in the place of one of the attributes of a file's root."""
    names = sorted(file.attrs)
    name = names[int(random.integers(len(names)))]
    text = (
        bytes(np.void(file.attrs[name]))
        if not isinstance(file.attrs[name], str)
        else file.attrs[name].encode()
    )
    other: Any = np.bytes_(changed_bytes(text, random).replace(b"\0", b" ") or b" ")
    match int(random.integers(7)):
        case 0:
            del file.attrs[name]
            return
        case 1:
            other = np.arange(5)
        case 2:
            other = h5py.Empty("S10")
        case 3:
            other = np.zeros(3, [("a", float), ("b", "S3")])
        case 4 | 5:
            try:
                other = np.bytes_(json.dumps(changed_data(json.loads(text), random)).encode())
            except ValueError:
                other = "text of any length"
    file.attrs[name] = other


def changed_hdf5(path: Path, random: Random) -> None:
    """Change bytes, an array or an attribute of an HDF5 file in place."""
    kind = int(random.integers(3))
    if kind == 0:
        path.write_bytes(changed_bytes(path.read_bytes(), random))
        return
    with h5py.File(path, "r+", locking=False) as file:
        (changed_array if kind == 1 else changed_attribute)(file, random)
