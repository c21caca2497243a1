"""Compile the C kernels once per machine and load them; FEniCSx needs a compiler at run time anyway.

A library in the cache is named after its source and the hash of its own content, and is run only if it has
this content, is the user's own and cannot be written by others (:mod:`microscale.native.private_folder`).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from microscale.errors import InputError
from microscale.native.compiler import REMEDY, compiler, run
from microscale.native.private_folder import is_private, tell, user_cache

# Keeps NaN and infinity meaningful, which the step control relies on; -ffast-math would not. Loops that copy
# vectors stay loops: as calls of memcpy they store halves of vectors, and to load the whole again stalls.
FLAGS = (
    *("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"),
    "-fno-tree-loop-distribute-patterns",
    *("-fopenmp", "-shared", "-fPIC", "-Wno-psabi"),
)
MOST_THREADS = 1024
ROOT = Path(__file__).parents[2]
"""Of the packages: headers are included by their names below it."""
DIGITS = 16
"""Of a hash in a name."""


def load_kernel(source: Path, defines: Mapping[str, str | float]) -> ctypes.CDLL:
    """Return the shared library of a C file, compiled for this processor unless cached.

    Args:
        source: It may include headers of its own folder, and ours by their whole name, as in
            ``#include "microscale/native/lanes.h"``.
        defines: Preprocessor definitions.

    Raises:
        InputError: No C compiler was found, compiling failed or took too long, or the library cannot be
            loaded.
    """
    options = [*FLAGS, *(f"-D{name}={value}" for name, value in defines.items())]
    headers = {*(ROOT / "microscale").rglob("*.h"), *source.parent.glob("*.h")}
    texts = [path.read_bytes() for path in sorted([*headers, source])]
    key = _hash(b"\0".join([*texts, repr(options).encode(), _processor().encode()]))
    name, cache = f"{source.stem}-{key}", user_cache("kernels")
    library = _cached(cache, name) or _compile(source, options, cache, name)
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise InputError(
            f"the compiled kernel cannot be loaded ({error}); set CC to a compiler for this machine, and "
            "XDG_CACHE_HOME to a folder from which programs may be run"
        ) from error


def default_threads() -> int:
    """Threads for a batch: OMP_NUM_THREADS, else all cores, else one where MPI ranks share the machine.

    Raises:
        InputError: OMP_NUM_THREADS is no number of threads.
    """
    given = os.environ.get("OMP_NUM_THREADS", "").strip()
    if given:
        return _threads(given)
    under_mpi = any(name in os.environ for name in ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE"))
    return 1 if under_mpi else len(os.sched_getaffinity(0))


@cache
def _threads(given: str) -> int:
    """Return the number of threads that OMP_NUM_THREADS asks for, at the outermost of its levels."""
    outermost, *inner = (level.strip() for level in given.split(","))
    if not (outermost.isascii() and outermost.isdigit() and 1 <= int(outermost) <= MOST_THREADS):
        raise InputError(
            f"OMP_NUM_THREADS = '{given}', expected a number of threads from 1 to {MOST_THREADS}; unset it "
            "for all cores"
        )
    if inner:
        tell(f"OMP_NUM_THREADS = '{given}' has levels: {outermost} threads are used, kernels do not nest")
    return int(outermost)


def _cached(cache: Path, name: str) -> Path | None:
    """Return a library from the cache; any that is damaged or may be somebody else's is removed."""
    for library in sorted(cache.glob(f"{name}-*.so")):
        try:
            if is_private(library) and library.stem.endswith(f"-{_hash(library.read_bytes())}"):
                return library
            library.unlink()
            tell(f"{library} is damaged, or not this user's alone: it is compiled again")
        except FileNotFoundError:
            continue  # another process has removed it
    return None


def _processor() -> str:
    """What decides the code -march=native makes, so that a shared home folder can serve several machines."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _compile(source: Path, options: list[str], cache: Path, name: str) -> Path:
    program = compiler()
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        built = Path(folder) / "built.so"
        command = [*program, *options, f"-I{ROOT}", "-o", str(built), str(source), "-lm"]
        code, said = run(command, source.name)
        if code != 0 or not built.is_file():
            lines = said.splitlines() or ["it made no library"]
            first = next((line for line in lines if "error" in line), lines[0])
            raise InputError(
                f"compiling {source.name} with {shlex.join(program)} failed: "
                f"{first}; install gcc and libc headers; {REMEDY}"
            )
        built.chmod(0o700)
        library = cache / f"{name}-{_hash(built.read_bytes())}.so"
        return built.replace(library)  # atomic: ranks that compile at the same time cannot see half a file


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
