"""Which program, law and inputs made a file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

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


def law_hash(law: ConstitutiveLaw) -> str:
    """Return a SHA-256 over the class and all parameters of a law: equal parameters give equal hashes."""
    digest = hashlib.sha256()
    _feed(digest, law)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Add a parameter to a hash, going into data classes, mappings and sequences."""
    if is_dataclass(value) and not isinstance(value, type):
        digest.update(type(value).__name__.encode())
        for field in fields(value):
            digest.update(field.name.encode())
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            digest.update(str(key).encode())
            _feed(digest, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _feed(digest, item)
    else:
        digest.update(repr(value).encode())


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: paths become text, numpy numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
