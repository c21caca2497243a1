"""Give Numba's cache a folder for each version of the compiled sources; importing this module does it.

Numba compares the file of a compiled function with its cache, not the files of the functions inlined into it:
after a change in one module a cached kernel of another would silently go on running the old code.

Numba runs what it finds in its cache: the folder is the user's alone (:mod:`microscale.private_folder`), but
the content of its files is not checked against a hash, as that of our own kernels is.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from numba import config

from microscale.private_folder import private_folder, user_cache

PACKAGES = ("microscale", "multiscale")


def sources_digest(root: Path) -> str:
    """Return a digest of all files with compiled functions in the packages under ``root``."""
    files = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    texts = ((path.relative_to(root), path.read_bytes()) for path in files)
    kernels = [str(path).encode() + b"\0" + text for path, text in texts if b"@njit" in text]
    return hashlib.sha256(b"\0".join(kernels)).hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of the present sources, in NUMBA_CACHE_DIR or the user's cache."""
    digest, given = sources_digest(Path(__file__).parent.parent), os.environ.get("NUMBA_CACHE_DIR")
    return private_folder(Path(given) / digest) if given else user_cache("numba", digest)


config.CACHE_DIR = str(cache_folder())
