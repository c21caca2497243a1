"""Which program, law and inputs made a file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from microscale.crystals.texture.texture import Texture
from microscale.data.law_of_paths import LawOfPaths
from microscale.law import ConstitutiveLaw

#: Packages whose version can change a number.
PACKAGES = (
    "multiscale",
    "numpy",
    "numba",
    "h5py",
    "mpi4py",
    "fenics-dolfinx",
    "dolfinx-solver-real",
    "torch",
    "gmsh",
)


def versions() -> dict[str, str]:
    """Return the versions of Python, of the MPI library and of each package that is installed."""
    found = {"python": platform.python_version(), "mpi": MPI.Get_library_version().splitlines()[0].strip()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def provenance(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes for a result file: versions and inputs, each as a JSON text."""
    return {"versions": json.dumps(versions()), "inputs": json.dumps(plain(inputs))}


def identity(law: ConstitutiveLaw | LawOfPaths) -> dict[str, str]:
    """Return name and SHA-256 of a law, over its class and public attributes: parameters make the hash."""
    digest = hashlib.sha256()
    _feed(digest, law)
    return {"name": law.name, "hash": digest.hexdigest()}


def law_record(law: ConstitutiveLaw | LawOfPaths, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a law: identity, options it was made with (m resolved), crystal, if any.

    A microstructure is kept by what it is, with its measured elasticity, and not by the name of its file.
    """
    crystal, used = getattr(law, "crystal", None), dict(options)
    described = getattr(law, "described", None)
    if described is not None:
        used.pop("microstructure", None)
        return {**identity(law), "options": plain(used), "crystal": None, "microstructure": plain(described)}
    if crystal is None:
        return {**identity(law), "options": plain(used), "crystal": None}
    if "rate_sensitivity" in used:
        used["rate_sensitivity"] = crystal.rate_sensitivity
    record = {**identity(law), "crystal": plain(asdict(crystal))}
    if (texture := used.get("texture")) not in (None, "uniform", "random"):
        made = texture.made if isinstance(texture, Texture) else str(texture)
        used["texture"] = made
        record["texture"] = law.texture.record() | {"made": made}  # type: ignore[union-attr]
    return record | {"options": plain(used)}


def _feed(digest: Any, value: Any) -> None:
    """Add a parameter to a hash, going into objects, mappings and sequences."""
    if hasattr(value, "__array__"):
        array = np.ascontiguousarray(value)
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    elif isinstance(value, Mapping):
        for key in sorted(value):
            digest.update(f"{key}=".encode())
            _feed(digest, value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            _feed(digest, item)
    elif hasattr(value, "__dict__"):
        digest.update(type(value).__qualname__.encode())
        _feed(digest, {name: item for name, item in vars(value).items() if not name.startswith("_")})
    else:
        digest.update(f"{value!r};".encode())


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: paths become text, numpy numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return str(value) if isinstance(value, Path) else value
