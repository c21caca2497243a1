"""What ``--texture`` says: a description such as rolled:15,25, or a file; and the grains of a polycrystal.

uniform, random                no texture: grains evenly spread, or drawn
rolled:15,25                   c axes about z (ND), tilted by 15 degrees to x (RD) and by 25 to y (TD)
extruded:12                    a rod along z: normals of (10-10) about z, tilted by 12 degrees
fibre:z,15 fibre:x,10,111      an axis of the crystal (0001, or a cubic one) about x, y or z of the sample
plate.ang, plate.txt, x.toml   files; see docs/reference/textures.md
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from microscale.crystals.crystal import Crystal
from microscale.crystals.texture import sources
from microscale.crystals.texture.axes import part_axes
from microscale.crystals.texture.euler import from_bunge, written_bunge
from microscale.crystals.texture.lattice import Lattice, lattice_of
from microscale.crystals.texture.names import EXPECTED, NAMES, PLAIN, is_file
from microscale.crystals.texture.of_harmonics import of_harmonics
from microscale.crystals.texture.orientation_map import SUFFIXES, read_map
from microscale.crystals.texture.orientation_text import read_text
from microscale.crystals.texture.representative import Reduced, representative
from microscale.crystals.texture.texture import Texture, mixture
from microscale.crystals.texture.texture_file import Described, read_texture_file
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.inputs.numbers import Seed
from microscale.tensors import FloatArray


def distribution(text: str | Path | Texture, crystal: Crystal, seed: Seed = 0) -> Texture:
    """Return a texture with all its orientations, in the frame of its sample.

    Args:
        text: A description or a file.
        crystal: Its symmetry counts.
        seed: Of what is drawn.

    Raises:
        InputError: The description cannot be understood, or the file cannot be used.
    """
    if isinstance(text, Texture):
        return text
    if isinstance(text, Path) or is_file(text):
        return _of_file(Path(text), crystal, seed)
    name, _, words = text.partition(":")
    if name in PLAIN:
        if text != name:
            raise InputError(f"texture = '{text}', expected {name} without anything behind it")
        return sources.everywhere(seed=seed)
    lattice = lattice_of(crystal)
    if name in ("rolled", "extruded") and lattice.name != "hexagonal":
        raise InputError(
            f"texture = '{text}' of {crystal.name}, expected fibre: c axes are of hexagonal crystals"
        )
    if name == "fibre":
        return _fibre(text, words.split(","), lattice, seed)
    if name == "rolled":
        return sources.rolled(*_degrees(text, name, words.split(","), 2), seed=seed)
    return sources.extruded(*_degrees(text, name, words.split(","), 1), seed=seed)


def grains_of(
    text: str | Path | Texture,
    crystal: Crystal,
    grains: int,
    seed: Seed = 0,
    axes: str | None = None,
    weights: FloatArray | None = None,
) -> Reduced:
    """Return the grains of a polycrystal, in the frame of the part.

    Args:
        text: A description or a file.
        crystal: Its symmetry counts.
        grains: Number of grains; a file of fewer orientations gives those.
        seed: Of what is drawn.
        axes: How the sample lies in the part, see :func:`microscale.crystals.texture.axes.part_axes`.
        weights: Shares of the volume that the grains must have, shape (grains,); see
            :func:`microscale.crystals.texture.representative.representative`.

    Raises:
        InputError: See :func:`distribution`.
    """
    turn = np.eye(3) if axes is None else part_axes(axes)
    if isinstance(text, Texture) and len(text) == grains and (weights is None or _alike(text, weights)):
        return Reduced(text.turned(turn) if axes else text, {}, {})
    whole = distribution(text, crystal, seed)
    if isinstance(text, str) and not is_file(text) and grains > len(whole):
        raise InputError(f"grains = {grains}, expected at most {len(whole)} of the texture {text}")
    found = representative(
        whole.turned(turn),
        grains,
        lattice_of(crystal).group,
        weights=weights,
        seed=seed,
    )
    kept = found.texture  # a record of it, in rounded angles, then makes the same grains to the bit
    rounded = from_bunge(written_bunge(kept.orientations))
    return Reduced(Texture(rounded, kept.weights, kept.made), found.errors, found.sampled)


def _alike(texture: Texture, weights: FloatArray) -> bool:
    return bool(np.allclose(texture.weights, weights, atol=1e-9))


def _fibre(text: str, words: list[str], lattice: Lattice, seed: Seed) -> Texture:
    if len(words) not in (2, 3) or words[0] not in ("x", "y", "z"):
        raise InputError(f"texture = '{text}', expected {EXPECTED['fibre']}")
    (spread,) = _degrees(text, "fibre", words[1:2], 1)
    if len(words) == 2 and lattice.name != "hexagonal":
        raise InputError(
            f"texture = '{text}', expected the crystal's axis too, as fibre:{words[0]},{words[1]},111"
        )
    axis = lattice.direction(words[2] if len(words) == 3 else "0001")
    return sources.fibre(spread, np.eye(3)["xyz".index(words[0])], axis, seed=seed)


def _degrees(text: str, name: str, words: list[str], count: int) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != count or name not in EXPECTED:
        raise InputError(f"texture = '{text}', expected {EXPECTED.get(name, name)}")
    return values


def _of_file(path: Path, crystal: Crystal, seed: Seed) -> Texture:
    if path.suffix.lower() != ".toml":
        return _read(path, Described(), crystal)
    found = read_texture_file(path)
    texture = (
        _of_entry(found, path, crystal, seed)
        if found.part is None
        else mixture([(_of_entry(part, path, crystal, seed), part.share or 1.0) for part in found.part])
    )
    return texture if found.part is None or found.axes is None else texture.turned(part_axes(found.axes))


def _of_entry(entry: Described, path: Path, crystal: Crystal, seed: Seed) -> Texture:
    if entry.harmonics is not None:
        texture = of_harmonics(_lists(entry.harmonics), lattice_of(crystal).group, seed=seed)
    elif entry.file is not None:
        texture = _read(path.parent / entry.file, entry, crystal)
    else:
        text = str(entry.texture)
        place = path.parent / text if is_file(text) else text
        if isinstance(place, Path) and place.suffix.lower() == ".toml":
            raise InputError(
                f"texture file {path}: names another one, {text}, expected a description or a map"
            )
        texture = distribution(place, crystal, seed)
    return texture if entry.axes is None else texture.turned(part_axes(entry.axes))


def _lists(harmonics: Mapping[str, list[list[float]]]) -> dict[str, FloatArray]:
    try:
        return {order: np.array(rows, dtype=float) for order, rows in harmonics.items()}
    except ValueError as error:
        raise InputError(
            "harmonics: lists of different lengths, expected those of one order alike"
        ) from error


def _read(path: Path, entry: Described, crystal: Crystal) -> Texture:
    """Read a file of orientations: a map by its ending, else a text."""
    is_map = path.suffix.lower() in SUFFIXES
    for key in ("descriptor",) if is_map else ("phase", "at_least", "x_axis"):
        if getattr(entry, key) is not None:
            other = "a text" if is_map else f"a map ({', '.join(SUFFIXES)})"
            raise InputError(f"{key} has no use for {path}, expected {other}")
    if not _is_there(path):
        raise InputError(
            f"texture '{printable(path, 60)}' is no file that is there, expected one, or one of: "
            f"{', '.join(NAMES)}"
        )
    if is_map:
        return read_map(path, lattice_of(crystal), entry.phase, entry.x_axis, entry.at_least)
    return read_text(path, entry.descriptor)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
        return False
