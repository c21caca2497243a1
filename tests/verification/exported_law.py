"""Exported sources, compiled as a host's are and called through their interfaces; and paths to follow."""

import ctypes
import shlex
import subprocess
from pathlib import Path

import numpy as np

from microscale.native.compiler import compiler
from microscale.paths.protocols import StrainPaths
from microscale.tensors import FloatArray
from multiscale.export.export import export_law

C_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O1", "-march=native")
FORTRAN_FLAGS = ("-Wall", "-Wextra", "-pedantic", "-Werror", "-O1")
DT = 0.02


def run(command: list[str | Path], given: str = "") -> str:
    """Run a program; return what it prints."""
    done = subprocess.run(list(map(str, command)), input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stderr[:2000]}"
    return done.stdout


def compiled(folder: Path, to: str, *flags: str, weights: Path | str = "magnesium", **options) -> Path:
    """Export a law as magnesium, compile its source without a warning and return the object file."""
    export_law(weights, to, folder, name="magnesium", **options)
    made = folder / "magnesium.o"
    run([*compiler(), *C_FLAGS, *flags, "-fPIC", "-c", folder / "magnesium.c", "-o", made])
    return made


def driver(folder: Path, to: str, **options) -> Path:
    """Return the driver of an exported law, built without a warning."""
    made, program = compiled(folder, to, **options), folder / "driver"
    if to == "c":
        flags = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror")
        run([*compiler(), *flags, folder / "magnesium_driver.c", made, "-lm", "-o", program])
    else:
        sources = (folder / "magnesium_driver.f90", folder / f"magnesium_{to}.f")
        run(["gfortran", *FORTRAN_FLAGS, *sources, made, "-lm", "-J", folder, "-o", program])
    return program


def driven(program: Path, F: FloatArray) -> FloatArray:
    """Return what a driver prints along a path (samples, 3, 3) from rest: a row of numbers a step."""
    lines = [" ".join(map(repr, map(float, [DT, *gradient.ravel()]))) for gradient in F[1:]]
    return np.array([line.split() for line in run([program], "\n".join(lines)).splitlines()], dtype=float)


def loaded(folder: Path, to: str, *flags: str, **options) -> ctypes.CDLL:
    """Return the shared library of an exported law, with its Fortran where it has some."""
    made = compiled(folder, to, *flags, **options)
    fortran = sorted(folder.glob("*.f"))
    linker = ["gfortran", *FORTRAN_FLAGS, *fortran] if fortran else compiler()
    library = folder / "magnesium.so"
    run([*linker, "-fPIC", "-shared", made, "-lm", "-o", library])
    return ctypes.CDLL(str(library))


def pointer(array: FloatArray) -> ctypes.c_void_p:
    """Return where the numbers of an array are."""
    assert array.dtype == np.float64
    assert array.flags.c_contiguous or array.flags.f_contiguous
    return ctypes.c_void_p(array.ctypes.data)


def turned(U: FloatArray, speed: float = 4.0) -> FloatArray:
    """Turn paths (paths, samples, 3, 3) by an angle that grows, each about its own axis; none at rest."""
    axes = np.random.default_rng(2).standard_normal((len(U), 3))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    K = np.cross(np.eye(3)[None], axes[:, None])[:, None]  # K x = axis cross x, up to a sign
    angle = np.linspace(0.0, speed, U.shape[1])[None, :, None, None]
    return (np.eye(3) + np.sin(angle) * K + (1.0 - np.cos(angle)) * K @ K) @ U


def paths(samples: int = 41) -> FloatArray:
    """Paths from rest, turned (paths, samples, 3, 3): R, simple shear, and pulled and pushed back."""
    drawn = StrainPaths("R", max_strain=0.1, steps=samples - 1, seed=1)
    random = np.stack([drawn.path(k).stretch for k in range(13)])
    t, e = np.linspace(0.0, 1.0, samples), np.eye(3)
    shear = e + np.linspace(0.05, 12.0, 12)[:, None, None, None] * t[:, None, None] * np.outer(e[0], e[1])
    there_and_back = 0.5 - np.abs(t - 0.5)
    strain = np.linspace(-0.2, 0.25, 12)[:, None] * there_and_back
    pulled = np.eye(3) + strain[..., None, None] * np.diag([1.0, -0.4, -0.45])
    return np.ascontiguousarray(turned(np.concatenate([random, shear, pulled])))


def flat(state: dict[str, FloatArray]) -> FloatArray:
    """Return a state of the law in Python as rows of numbers."""
    return np.concatenate([array.reshape(len(array), -1) for array in state.values()], axis=1)
