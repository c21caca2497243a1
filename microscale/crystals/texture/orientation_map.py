"""EBSD maps (.ang of EDAX, .ctf of Oxford, HDF5 of Bruker, EMsoft and orix), read by orix.

orix is an optional dependency (``pip install "multiscale[ebsd]"``; GPL-3.0) that nothing else here needs.
Each indexed point of the map has the same weight. Hexagonal crystals of .ctf files have x along a*, that of
[10-10], where others have it along a; a texture file says otherwise (``x_axis``).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.euler import from_bunge
from microscale.crystals.texture.lattice import Lattice
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.printable import printable

SUFFIXES = (".ang", ".ctf", ".h5", ".hdf5", ".h5ebsd")
XAxis = Literal["a", "a*"]
LAUE = {"hexagonal": "6/mmm", "cubic": "m-3m"}
"""Laue groups of the lattices that are known."""


def read_map(
    path: Path,
    lattice: Lattice,
    phase: str | None = None,
    x_axis: XAxis | None = None,
    at_least: Mapping[str, float] | None = None,
) -> Texture:
    """Return the texture of one phase of a map.

    Args:
        path: The file.
        lattice: That of the crystal.
        phase: Name of the phase; by default the only one there is.
        x_axis: Where the x of hexagonal crystals lies in the file.
        at_least: Least values of properties of a point, such as its confidence index ``ci``.

    Raises:
        InputError: orix is missing, or the file cannot be read, or has no such phase or property.
    """
    found = _loaded(path)
    name = _phase_of(found, path, phase)
    _require_lattice(found.phases[name], name, lattice, path)
    points = found[name]
    for key, least in (at_least or {}).items():
        if key not in points.prop:
            raise InputError(
                f"map {path}: no property {key!r}, expected one of: {', '.join(points.prop) or 'none'}"
            )
        points = points[points.prop[key] >= least]
        if points.size == 0:
            raise InputError(
                f"map {path}: no point of {name} has {key} >= {least:g}, expected some: lower it"
            )
    degrees = np.degrees(points.rotations.to_euler()).reshape(-1, 3)
    if not np.isfinite(degrees).all():
        raise InputError(f"map {path}: angles of {name} are not finite, expected indexed points")
    Q = from_bunge(degrees)
    if lattice.name == "hexagonal" and (x_axis or _usual(path)) == "a*":
        Q = Q @ Rotation.from_euler("z", 30.0, degrees=True).as_matrix()
    return Texture.of(Q, made=f"map {path.name}, phase {name}, {len(Q)} points")


def _usual(path: Path) -> XAxis:
    return "a*" if path.suffix.lower() == ".ctf" else "a"


def _loaded(path: Path) -> Any:
    """Return orix's map of a file; whatever it makes of a bad one is one line."""
    if not path.is_file():
        raise InputError(f"map {path} does not exist, expected a file")
    if path.stat().st_size == 0:
        raise InputError(f"map {path} is empty, expected an EBSD map")
    try:
        from orix.io import load
    except ImportError as error:
        raise InputError(
            f"map {path} is read by orix, which is not installed ({error}): pip install 'multiscale[ebsd]'"
        ) from error
    options = {"autogen_names": False} if path.suffix.lower() == ".ang" else {}
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return load(str(path), **options)
    except Exception as error:  # of any kind: orix does not check files
        what = printable(" ".join(str(error).split()), 100)
        raise InputError(
            f"map {path} cannot be read by orix ({type(error).__name__}: {what}); expected a file as its "
            "program writes it"
        ) from error


def _phase_of(found: Any, path: Path, phase: str | None) -> str:
    """The phase that is meant, among those that have points."""
    there = {str(entry.name): found[str(entry.name)].size for key, entry in found.phases_in_data if key >= 0}
    listed = ", ".join(f"{name!r} ({size} points)" for name, size in there.items())
    if not there:
        raise InputError(f"map {path} has no indexed point, expected some")
    if phase is None and len(there) == 1:
        return next(iter(there))
    if phase is None:
        raise InputError(
            f"map {path} has phases {listed}: say which in a texture file, with file = and phase ="
        )
    if phase not in there:
        raise InputError(f"map {path}: unknown phase {phase!r}, expected one of: {listed}")
    return phase


def _require_lattice(phase: Any, name: str, lattice: Lattice, path: Path) -> None:
    group = getattr(phase.point_group, "laue", None)
    expected = LAUE.get(lattice.name)
    if group is not None and expected is not None and group.name != expected:
        raise InputError(
            f"map {path}: phase {name!r} has the Laue group {group.name}, expected {expected}, that of the "
            "crystal: give its --crystal, or another phase"
        )
