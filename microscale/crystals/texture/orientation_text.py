"""Text files of orientations: Bunge angles in degrees, with or without weights; Neper's .ori.

A line holds phi1, Phi, phi2 and perhaps a weight, apart by blanks, tabs, commas or semicolons. Lines that
begin with # or % are comments. A first line of words names the columns (phi1, Phi, phi2, weight), which then
may be any among others. A .ori file of Neper holds Rodrigues vectors (three columns) or quaternions with the
real part first (four), both of the rotation that takes the sample's axes to the crystal's ("active").
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.euler import from_bunge
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.documents import read_bytes
from microscale.files.printable import printable
from microscale.tensors import FloatArray

Descriptor = Literal["bunge", "rodrigues", "quaternion"]
LARGEST = 2**28
"""Bytes of a file."""
REMEDY = "docs/reference/textures.md shows the formats"
ANGLES = ("phi1", "phi", "phi2")
NAMES = {
    "euler1": "phi1",
    "euler2": "phi",
    "euler3": "phi2",
    "weights": "weight",
    "volume": "weight",
    "volumefraction": "weight",
}
"""Other names of columns, without blanks and in small letters."""
STEEP = 20.0
"""Component of a Rodrigues vector beyond which it turns by more than 174 degrees: it is none."""


def read_text(path: Path, descriptor: Descriptor | None = None) -> Texture:
    """Return the texture of a text file.

    Args:
        path: The file.
        descriptor: What a line holds; by default Bunge angles, and in a .ori file what Neper writes.

    Raises:
        InputError: In one line: the file, the line, what is wrong with it and the remedy.
    """
    try:
        text = read_bytes(path, "texture", REMEDY, LARGEST).decode(errors="replace")
        names, rows, comments = _table(text)
        if descriptor is None and path.suffix.lower() == ".ori":
            descriptor = "quaternion" if rows.shape[1] == 5 else "rodrigues"
        if descriptor in ("rodrigues", "quaternion"):
            return Texture.of(_of_neper(rows, descriptor), made=f"file {path.name}")
        angles, weights = _columns(names, rows)
        _require_degrees(angles, rows[:, 0], comments)
        return Texture.of(from_bunge(angles), weights, f"file {path.name}")
    except ValueError as error:
        if isinstance(error, InputError) and str(path) in str(error):
            raise
        raise InputError(f"texture {path}: {error}; {REMEDY}") from error


def _table(text: str) -> tuple[list[str], FloatArray, str]:
    """Names of the columns, if any, the numbers behind the number of their line, and all comments."""
    names: list[str] = []
    rows: list[list[float]] = []
    comments = []
    for number, line in enumerate(text.splitlines(), 1):
        apart = r"\s*[,;\t]\s*" if re.search(r"[,;\t]", line.strip()) else r"\s+"
        words = re.split(apart, line.strip(" \t,;"))
        if line.lstrip()[:1] in ("#", "%"):
            comments.append(line)
        elif words != [""]:
            values = _numbers(words)
            if values is None and not rows and not names:
                names = [re.sub(r"[^a-z0-9]", "", word.lower()) for word in words]
                comments.append(line)
            elif values is None:
                raise ValueError(f"line {number} is {printable(line.strip(), 40)!r}, expected numbers")
            elif rows and len(values) != len(rows[0]) - 1:
                raise ValueError(
                    f"line {number} has {len(values)} columns, expected {len(rows[0]) - 1} as above"
                )
            else:
                rows.append([float(number), *values])
    if not rows:
        raise ValueError("holds no orientation, expected a line for each with phi1, Phi, phi2 in degrees")
    return names, np.array(rows), "\n".join(comments)


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def _columns(names: list[str], rows: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Angles (n, 3), degrees, and weights (n,), if any."""
    count = rows.shape[1] - 1
    if names:
        known = [NAMES.get(name, name) for name in names]
        if len(known) != count or not set(ANGLES) <= set(known):
            raise ValueError(
                f"names the columns {', '.join(names)[:60]}, expected one for each of {count}, phi1, Phi and "
                "phi2 among them"
            )
        at = [1 + known.index(name) for name in ANGLES]
        weights = rows[:, 1 + known.index("weight")] if "weight" in known else None
    elif count in (3, 4):
        at, weights = [1, 2, 3], rows[:, 4] if count == 4 else None
    else:
        raise ValueError(f"has {count} columns, expected phi1, Phi, phi2 in degrees, and perhaps a weight")
    if weights is not None and not (weights >= 0.0).all():
        worst = int(np.argmin(weights))
        raise ValueError(f"line {rows[worst, 0]:.0f}: weight = {weights[worst]:g}, expected zero or more")
    return rows[:, at], weights


def _require_degrees(angles: FloatArray, lines: FloatArray, comments: str) -> None:
    limits = ((-360.0, 360.0), (0.0, 180.0), (-360.0, 360.0))
    for k, (low, high) in enumerate(limits):
        bad = ~((angles[:, k] >= low) & (angles[:, k] <= high))
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"line {lines[row]:.0f}: {('phi1', 'Phi', 'phi2')[k]} = {angles[row, k]:g} degrees, expected "
                f"from {low:g} to {high:g}"
            )
    if re.search(r"\bdeg", comments, re.IGNORECASE):
        return
    if re.search(r"\brad", comments, re.IGNORECASE):
        raise ValueError("says that its angles are radians, expected degrees: multiply them by 180/pi")
    if len(angles) > 1 and 0.0 < np.abs(angles).max() <= 2.0 * np.pi + 1e-6:
        raise ValueError(
            f"all angles are below {np.abs(angles).max():.3g}, as radians are, expected degrees: convert "
            "them, or write '# degrees' into the file if they are"
        )


def _of_neper(rows: FloatArray, descriptor: str) -> FloatArray:
    count = {"rodrigues": 3, "quaternion": 4}[descriptor]
    values = rows[:, 1:]
    if values.shape[1] != count:
        raise ValueError(f"has {values.shape[1]} columns, expected {count}, those of a {descriptor}")
    if not np.isfinite(values).all():
        raise ValueError("holds numbers that are not finite, expected finite ones")
    if descriptor == "rodrigues":
        if np.abs(values).max() > STEEP:
            raise ValueError(
                f"holds {np.abs(values).max():.4g}, too much for a Rodrigues vector, expected one, as "
                "Neper writes by default: for angles name the file .txt"
            )
        values = np.concatenate([np.ones((len(values), 1)), values], axis=1)
    length = np.linalg.norm(values, axis=1)
    off = np.abs(length - 1.0) > 1e-3
    if descriptor == "quaternion" and off.any():
        row = int(np.argmax(off))
        raise ValueError(
            f"line {rows[row, 0]:.0f}: a quaternion of norm {length[row]:.4g}, expected 1; four columns of a "
            ".ori file are quaternions"
        )
    return np.asarray(Rotation.from_quat(values, scalar_first=True).as_matrix())
