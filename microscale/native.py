"""Compile the C kernels once per machine and load them; FEniCSx needs a compiler at run time anyway."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from microscale.errors import InputError

# Keeps NaN and infinity meaningful, which the step control relies on; -ffast-math would not.
FLAGS = (
    *("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"),
    *("-fopenmp", "-shared", "-fPIC", "-Wno-psabi"),
)


def load_kernel(source: str | Path, defines: Mapping[str, str | float]) -> ctypes.CDLL:
    """Return the shared library of a C file, compiled for this processor unless cached.

    Args:
        source: File beside this module, or the path of one elsewhere; it may include headers of this folder
            and of its own.
        defines: Preprocessor definitions.

    Raises:
        InputError: No C compiler was found, or compiling failed.
    """
    folder = Path(__file__).parent
    options = [*FLAGS, *(f"-D{name}={value}" for name, value in defines.items())]
    headers = {*folder.glob("*.h"), *(folder / source).parent.glob("*.h")}
    texts = [path.read_bytes() for path in sorted([*headers, folder / source])]
    key = hashlib.sha256(b"\0".join([*texts, repr(options).encode(), _processor().encode()])).hexdigest()[:16]
    library = _cache_folder() / f"{Path(source).stem}-{key}.so"
    if not library.exists():
        _compile(folder / source, options, library)
    return ctypes.CDLL(str(library))


def default_threads() -> int:
    """Threads for a batch: OMP_NUM_THREADS, else all cores, else one where MPI ranks share the machine."""
    if "OMP_NUM_THREADS" in os.environ:
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    under_mpi = any(name in os.environ for name in ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE"))
    return 1 if under_mpi else len(os.sched_getaffinity(0))


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "multiscale" / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _processor() -> str:
    """What decides the code -march=native makes, so that a shared home folder can serve several machines."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return platform.machine() + next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _compile(source: Path, options: list[str], library: Path) -> None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise InputError(
            "no C compiler found (cc, gcc): install one, e.g. the package 'gcc' and 'libc6-dev' on Debian"
        )
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        built = Path(folder) / library.name
        command = [compiler, *options, f"-I{Path(__file__).parent}", "-o", str(built), str(source), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
            raise InputError(
                f"compiling {source.name} with {compiler} failed: {first}; install gcc and libc headers"
            )
        built.replace(library)  # atomic: ranks that compile at the same time cannot see half a file
