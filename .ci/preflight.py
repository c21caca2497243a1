#!/usr/bin/env python3
"""Name the system packages that are missing, and the room, before the long installation starts.

It runs on the Python that will own the environment, before anything is installed: standard library only.

    preflight.py            check this machine; a message, and exit code 1 if something is missing, 2 if room
    preflight.py --debian   print every Debian package on the list, for `apt-get install`
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """Something the system has to provide, who needs it, and the packages that bring it."""

    what: str
    needed_by: str
    debian: str
    fedora: str


COMPILER = Need("a C compiler", "forms and kernels compiled at run time", "gcc", "gcc")
C_HEADERS = Need("C library headers", "forms and kernels compiled at run time", "libc6-dev", "glibc-devel")
PYTHON_HEADERS = Need("Python.h", "forms and kernels compiled at run time", "python3-dev", "python3-devel")
VENV = Need("the Python module ensurepip", "the virtual environment", "python3-venv", "python3")
LIBRARIES = (
    Need("libGLU.so.1", "gmsh", "libglu1-mesa", "mesa-libGLU"),
    Need("libGL.so.1", "gmsh", "libgl1", "libglvnd-glx"),
    Need("libX11.so.6", "gmsh", "libx11-6", "libX11"),
    Need("libXcursor.so.1", "gmsh", "libxcursor1", "libXcursor"),
    Need("libXext.so.6", "gmsh", "libxext6", "libXext"),
    Need("libXfixes.so.3", "gmsh", "libxfixes3", "libXfixes"),
    Need("libXft.so.2", "gmsh", "libxft2", "libXft"),
    Need("libXinerama.so.1", "gmsh", "libxinerama1", "libXinerama"),
    Need("libXrender.so.1", "gmsh", "libxrender1", "libXrender"),
    Need("libfontconfig.so.1", "gmsh", "libfontconfig1", "fontconfig"),
    Need("libgomp.so.1", "gmsh", "libgomp1", "libgomp"),
    Need("libstdc++.so.6", "gmsh, VTK, DOLFINx", "libstdc++6", "libstdc++"),
    Need("libEGL.so.1", "pictures without a screen", "libegl1", "libglvnd-egl"),
)
FORTRAN = Need("gfortran", "tests of exported laws", "gfortran", "gcc-gfortran")
ALL = (COMPILER, C_HEADERS, PYTHON_HEADERS, VENV, *LIBRARIES, FORTRAN)
"""For images and all tests; an installation by hand does without Fortran."""
GIGABYTE = 1e9
TAKES, NEEDS, AT_MOST = 7.4, 8.0, 15.0
"""Gigabytes of disk: what the environment takes, the least it is made in, and with all of pip's downloads."""


def missing() -> Iterator[Need]:
    """Yield what this machine lacks."""
    yield from missing_for_compiling()
    if importlib.util.find_spec("ensurepip") is None:
        yield VENV
    for library in LIBRARIES:
        if not loads(library.what):
            yield library


def missing_for_compiling() -> Iterator[Need]:
    """Yield what a Python extension in C cannot be compiled and linked without."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        yield from (COMPILER, C_HEADERS)  # the headers cannot be tried, and a bare system lacks them too
    elif not compiles(compiler):
        yield C_HEADERS
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        yield PYTHON_HEADERS


def compiles(compiler: list[str]) -> bool:
    """Whether a shared library that uses the C library can be built."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <math.h>\n#include <stdlib.h>\nint probe(void) { return 0; }\n")
        command = [*compiler, "-shared", "-fPIC", str(source), "-o", str(Path(folder, "probe.so"))]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def lack_of_room(checkout: Path) -> str:
    """Say that the disk is too full for the environment ('' if not); what is installed already counts."""
    place = checkout / ".venv"
    room = (shutil.disk_usage(place if place.exists() else checkout).free + size_of(place)) / GIGABYTE
    if room >= NEEDS:
        return ""
    return (
        f"{room:.1f} GB of disk are free for {place}, or taken by it, expected at least {NEEDS:g}: it takes "
        f"{TAKES:g}, and with downloads up to {AT_MOST:g} while it is made. Free some, then run make again."
    )


def size_of(folder: Path) -> int:
    """Return what the files below a folder take, bytes; nothing where it is not."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def message(needs: list[Need], distribution: str) -> str:
    """Say what is missing and the command that installs it on this distribution ('' if it is not known)."""
    lines = ["Missing on this machine:"]
    lines += [f"  {need.what} (for {need.needed_by})" for need in needs]
    commands = {
        "debian": "sudo apt-get install " + " ".join(sorted({need.debian for need in needs})),
        "fedora": "sudo dnf install " + " ".join(sorted({need.fedora for need in needs})),
    }
    if distribution in commands:
        lines += ["Install it, then run make again:", f"  {commands[distribution]}"]
    else:
        lines += ["Install it, then run make again. On Debian or Ubuntu, and on Fedora, that is"]
        lines += [f"  {command}" for command in commands.values()]
    return "\n".join(lines)


def distribution_family() -> str:
    """Return 'debian', 'fedora' or '' from the operating system's own description."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    names = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    for family in ("debian", "fedora"):
        if family in names:
            return family
    return "fedora" if "rhel" in names else ""


def wheels_run_here() -> bool:
    """Whether this is a system that the DOLFINx wheels are made for."""
    library, version = platform.libc_ver()
    new_enough = library == "glibc" and tuple(map(int, version.split("."))) >= (2, 34)
    return (platform.system(), platform.machine()) == ("Linux", "x86_64") and new_enough


def main(arguments: list[str]) -> int:
    """Run the command line described at the top of this file."""
    if arguments == ["--debian"]:
        print(*sorted(need.debian for need in ALL))
        return 0
    if not wheels_run_here():
        here = f"{platform.system()} on {platform.machine()}, {' '.join(platform.libc_ver())}"
        print(
            f"DOLFINx wheels need Linux, x86_64 and glibc 2.34 or newer, this is {here}: use the Dockerfile.",
            file=sys.stderr,
        )
        return 1
    needs = list(missing())
    if needs:
        print(message(needs, distribution_family()), file=sys.stderr)
    lack = lack_of_room(Path(__file__).resolve().parents[1])
    if lack:
        print(lack, file=sys.stderr)
    return 2 if lack else 1 if needs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
