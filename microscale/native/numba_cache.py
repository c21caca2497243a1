"""Give Numba's cache a folder for each version of the compiled sources; importing this module does it.

Numba compares the file of a compiled function with its cache, not the files of the functions inlined into it:
after a change in one module a cached kernel of another would silently go on running the old code.

Numba runs what it finds in its cache. So the folder is the user's alone
(:mod:`microscale.native.private_folder`), and what is read has the hash it was written with; else it is
compiled again. FFCx compiles nothing in runs.
"""

from __future__ import annotations

import glob
import hashlib
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from numba import config
from numba.core import caching

from microscale.native.private_folder import private_folder, user_cache

PACKAGES = ("microscale", "multiscale")


def sources_digest(root: Path) -> str:
    """Return a digest of all files with compiled functions in the packages under ``root``."""
    files = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    texts = ((path.relative_to(root), path.read_bytes()) for path in files)
    kernels = [str(path).encode() + b"\0" + text for path, text in texts if b"@njit" in text]
    return hashlib.sha256(b"\0".join(kernels)).hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder of the present sources, in NUMBA_CACHE_DIR or the user's cache."""
    digest, given = sources_digest(Path(__file__).parents[2]), os.environ.get("NUMBA_CACHE_DIR")
    return private_folder(Path(given) / digest) if given else user_cache("numba", digest)


class CheckedCacheFile(caching.IndexDataCacheFile):
    """The files of a compiled function: an index, the code of each signature, and beside them their hash."""

    def save(self, key: Any, data: Any) -> None:
        """Write the code of a signature, and the hash of all files."""
        if not self._is_whole():
            self.flush()
        super().save(key, data)
        written = self._seal.with_name(f"{self._seal.name}.{uuid4().hex}")
        written.write_text(self._hash())
        written.replace(self._seal)

    def load(self, key: Any) -> Any:
        """Return the code of a signature; None if there is none, or the files are not as once written."""
        return super().load(key) if self._is_whole() else None

    @property
    def _seal(self) -> Path:
        return Path(self._index_path).with_suffix(".sha256")

    def _is_whole(self) -> bool:
        try:
            return self._seal.read_text() == self._hash()
        except (OSError, UnicodeDecodeError):
            return False

    def _hash(self) -> str:
        """Return the hash of the index and of all code."""
        index = Path(self._index_path)
        files = [index, *sorted(index.parent.glob(f"{glob.escape(index.stem)}.*.nbc"))]
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


config.CACHE_DIR = str(cache_folder())
caching.IndexDataCacheFile = CheckedCacheFile
