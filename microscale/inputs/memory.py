"""Memory checks: an array that would not fit is refused before it is made, by the number that asks for it."""

from __future__ import annotations

import math
import resource
import shutil
from pathlib import Path

from microscale.errors import InputError

UNNOTICED = 64 * 2**20
"""Bytes nobody needs to ask for."""
CGROUP = Path("/sys/fs/cgroup")


def require_memory(needed: float, /, **numbers: float) -> None:
    """Refuse numbers that need more memory than is free.

    Args:
        needed: Bytes, about; rather too few than too many.
        **numbers: What they are for, by the names the user knows.

    Raises:
        InputError: So much is not free.
    """
    if needed > UNNOTICED and needed > (free := free_memory()):
        raise InputError(f"{_lacking(numbers, needed, 'memory', free)}; give less")


def require_disk(needed: float, folder: Path, /, **numbers: float) -> None:
    """Refuse numbers that need more room on a disk than is free; arguments as of :func:`require_memory`."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if needed > UNNOTICED and needed > (free := shutil.disk_usage(there).free):
        lacking = _lacking(numbers, needed, f"room in {folder}", free)
        raise InputError(f"{lacking}; give less, or write elsewhere")


def free_memory() -> float:
    """Return the bytes this process may still take: of the machine, its control group and its limits."""
    return min(_of_the_machine(), _of_the_group(), _of_the_limits())


def stack_bytes() -> int:
    """Return the size of a thread's stack that Linux grants, or that it takes where it grants any."""
    granted = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return 8 * 2**20 if granted == resource.RLIM_INFINITY else granted


def _of_the_machine() -> float:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return 1024.0 * int(line.split()[1])
    return math.inf


def _of_the_group() -> float:
    most, used = (_text(CGROUP / name).strip() for name in ("memory.max", "memory.current"))
    return float(most) - float(used) if most.isdigit() and used.isdigit() else math.inf


def _of_the_limits() -> float:
    granted = resource.getrlimit(resource.RLIMIT_AS)[0]
    if granted == resource.RLIM_INFINITY:
        return math.inf
    taken = _text(Path("/proc/self/statm")).split()
    return granted - resource.getpagesize() * float(taken[0]) if taken else math.inf


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _lacking(numbers: dict[str, float], needed: float, what: str, free: float) -> str:
    given = ", ".join(f"{name.replace('_', '-')} = {value}" for name, value in numbers.items())
    return f"{given}: need some {_size(needed)} of {what}, {_size(free)} are free"


def _size(size: float) -> str:
    scale = min(int(math.log(max(size, 1.0), 1000)), 6)
    return f"{size / 1000**scale:.3g} {('B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB')[scale]}"
