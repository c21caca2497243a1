"""The compiled crystal kernel: packs a crystal's constants for C and calls the two batch updates."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from microscale.crystals.crystal import Crystal
from microscale.errors import InputError
from microscale.native.library import default_threads, load_kernel
from microscale.tensors import FloatArray

# Error a sub-step may make, as a stress of the embedded first-order solution; the second-order
# solution that is kept is far better. Twins that compete count too (AT_STAKE in step.h). In crystals with
# twins it is that of m = 1/2 and of fast flow (FAST there).
STEP_TOLERANCE = 0.085  # GPa
# Residual of the implicit equations, as a stress: a share of the error of a sub-step, or that of plain steps.
NEWTON_SHARE = 2e-3
# That of single crystals: full-field cells seek equilibrium to 1e-5 of their stress, and ask for as much.
SMOOTH_SHARE = 2e-5
NEWTON_TOLERANCE = 1e-6  # GPa
MAX_ITERATIONS = 25
"""Of a stage; a sub-step that takes more is cut."""
# Those of what is differenced. Steps end far below it, their last iteration gains more than it must.
ROUNDING_TOLERANCE = 1e-11  # GPa
ROUNDING_ITERATIONS = 100
# Change of F by which a step is differenced; flow bends the stress within strains of 1e-4.
TANGENT_STEP = 5e-8

_double = ctypes.c_double
_pointer = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")


@dataclass(frozen=True)
class CrystalKernel:
    """A compiled kernel and the constants of one crystal.

    Attributes:
        library: The shared library, compiled for the crystal's numbers of systems.
        defines: What it was compiled with.
        constants: The C struct ``Crystal``.
        threads: Threads a batch is spread over; the result does not depend on it.
    """

    library: ctypes.CDLL
    defines: Mapping[str, str | int]
    constants: ctypes.Structure
    threads: int

    @classmethod
    def of(
        cls,
        crystal: Crystal,
        step_tolerance: float = STEP_TOLERANCE,
        threads: int | None = None,
        newton_share: float = NEWTON_SHARE,
    ) -> CrystalKernel:
        """Compile and fill the kernel of a crystal; ``step_tolerance`` in GPa steers the sub-steps.

        Stages of sub-steps are solved to ``newton_share`` of it.

        Raises:
            InputError: The tolerance is not positive.
        """
        if not step_tolerance > 0.0:
            raise InputError(
                f"step_tolerance = {step_tolerance} GPa, expected a positive number such as 0.085"
            )
        ends = np.cumsum([len(family.normals) for family in crystal.families])
        defines: dict[str, str | int] = {
            "N_SLIP": crystal.n_slip,
            "N_TWIN": crystal.n_twin,
            "N_FAMILIES": len(crystal.families),
            "FAMILY_ENDS": "{" + ",".join(map(str, ends)) + "}",
        }
        library = load_kernel(Path(__file__).with_name("kernel.c"), defines)
        library.crystal_update.restype = ctypes.c_long
        constants = _constants(crystal, step_tolerance, newton_share)
        return cls(library, defines, constants, default_threads() if threads is None else threads)

    def to_rounding(self) -> CrystalKernel:
        """Return the same kernel with its stages solved to ``ROUNDING_TOLERANCE``."""
        constants = type(self.constants).from_buffer_copy(self.constants)
        constants.newton_tolerance[0] = ROUNDING_TOLERANCE
        constants.max_iterations[0] = ROUNDING_ITERATIONS
        return replace(self, constants=constants)

    def update(self, n: int, grains: int, own: bool, *arrays: FloatArray) -> int:
        """Advance n points of ``grains`` crystals as ``crystal_update`` of the C file says.

        Args:
            n: Number of points.
            grains: Crystals at a point.
            own: Whether every point has its own orientations.
            arrays: Those of the C function, in its order.

        Returns:
            The first point that failed, or -1.
        """
        longs, pointers = _arguments((n, grains, own), arrays)
        return int(
            self.library.crystal_update(
                ctypes.byref(self.constants), *longs, *pointers, ctypes.c_int(self.threads)
            )
        )

    def tangent(self, n: int, grains: int, own: bool, *arrays: FloatArray) -> int:
        """Difference a step as ``crystal_tangent`` of tangent.c says; else as :meth:`update`."""
        longs, pointers = _arguments((n, grains, own), arrays)
        constants = (self.constants, self.to_rounding().constants)
        return int(
            self._tangent_library.crystal_tangent(
                *map(ctypes.byref, constants),
                ctypes.c_double(TANGENT_STEP),
                *longs,
                *pointers,
                ctypes.c_int(self.threads),
            )
        )

    @cached_property
    def _tangent_library(self) -> ctypes.CDLL:
        """The kernel of tangents, compiled when it is first asked for."""
        library = load_kernel(Path(__file__).with_name("tangent.c"), self.defines)
        library.crystal_tangent.restype = ctypes.c_long
        return library


def _arguments(
    sizes: tuple[int, ...], arrays: tuple[FloatArray, ...]
) -> tuple[list[ctypes.c_long], list[ctypes.c_void_p]]:
    """Return what both C functions take."""
    for array in arrays:
        if array.dtype != np.float64 or not array.flags.c_contiguous:
            raise ValueError("kernel arrays must be C-contiguous float64")
    return [ctypes.c_long(size) for size in sizes], [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def _constants(crystal: Crystal, step_tolerance: float, newton_share: float) -> ctypes.Structure:
    """Fill the C struct ``Crystal``; the order of fields is that of stage.h."""
    families, twinning = crystal.families, crystal.twinning
    tolerance = _tolerance(crystal, step_tolerance)
    per_family = ("hardening", "saturation", "latent", "strength", "reference_rate")
    schmid = np.concatenate([_dyads(family.directions, family.normals) for family in families])
    # The shear of a twin is part of its Schmid tensor, as in eq. (37).
    twin = twinning.shear * _dyads(twinning.directions, twinning.normals)
    reflection = np.eye(3) - 2.0 * np.einsum("bi,bj->bij", twinning.normals, twinning.normals)
    values = {
        "shear_modulus": crystal.shear_modulus,
        "lambda_e": crystal.lambda_e,
        "rate_exponent": 1.0 / crystal.rate_sensitivity,
        "step_tolerance": tolerance,
        "newton_tolerance": newton_share * tolerance if np.isfinite(tolerance) else NEWTON_TOLERANCE,
        **{name: [getattr(family, name) for family in families] for name in per_family},
        "twin_hardening": twinning.hardening,
        "twin_interaction": twinning.interaction,
        "twin_strength": twinning.strength,
        "twin_rate": twinning.reference_rate,
        "schmid": _deviator5(schmid),
        "spin": _axial(schmid),
        "twin_schmid": _at_least_one(_deviator5(twin)),
        "twin_spin": _at_least_one(_axial(twin)),
        "reflect": _at_least_one(_deviator5_map(reflection)),
        # An axial vector turns with det(R) R under a reflection R.
        "reflect_axial": _at_least_one(-reflection),
        "max_iterations": MAX_ITERATIONS,
    }
    arrays = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in values.items()}
    fields = [(name, _double * array.size) for name, array in arrays.items()]
    structure = type("Crystal", (ctypes.Structure,), {"_fields_": fields})()
    for name, array in arrays.items():
        setattr(structure, name, (_double * array.size)(*array.ravel()))
    return structure


def _tolerance(crystal: Crystal, step_tolerance: float) -> float:
    """Tolerance for a crystal, GPa, from that for m = 1/2.

    Rates follow the overstress with the power 1/m. In a grain that comes to half twinned the overstress
    follows the twin fraction besides, as 1 / (1 - 2 f): small m is less forgiving twice. Without twins, slip
    forgets.
    """
    return step_tolerance * (2.0 * crystal.rate_sensitivity) ** 2 if crystal.n_twin else step_tolerance


def _dyads(directions: FloatArray, normals: FloatArray) -> FloatArray:
    return np.einsum("si,sj->sij", directions, normals)


def _at_least_one(array: FloatArray) -> FloatArray:
    """C has no arrays of size zero: a crystal without twins gets one that nothing reads."""
    return array if len(array) else np.zeros((1, *array.shape[1:]))


def _deviator5(A: FloatArray) -> FloatArray:
    """Symmetric deviatoric part of A (n, 3, 3) in the orthonormal basis of lanes.h, shape (n, 5)."""
    S = 0.5 * (A + np.swapaxes(A, -1, -2))
    return np.stack(
        [
            (2.0 * S[:, 2, 2] - S[:, 0, 0] - S[:, 1, 1]) / np.sqrt(6.0),
            (S[:, 0, 0] - S[:, 1, 1]) / np.sqrt(2.0),
            np.sqrt(2.0) * S[:, 1, 2],
            np.sqrt(2.0) * S[:, 0, 2],
            np.sqrt(2.0) * S[:, 0, 1],
        ],
        axis=-1,
    )


def _axial(A: FloatArray) -> FloatArray:
    """Axial vector of the skew part of A (n, 3, 3), shape (n, 3)."""
    W = 0.5 * (A - np.swapaxes(A, -1, -2))
    return np.stack([W[:, 2, 1], W[:, 0, 2], W[:, 1, 0]], axis=-1)


def _deviator5_map(R: FloatArray) -> FloatArray:
    """Matrices of S -> R S R^T on deviator vectors, shape (n, 5, 5)."""
    root2, root6 = np.sqrt(2.0), np.sqrt(6.0)
    basis = np.zeros((5, 3, 3))
    basis[0] = np.diag([-1.0, -1.0, 2.0]) / root6
    basis[1] = np.diag([1.0, -1.0, 0.0]) / root2
    for k, (i, j) in enumerate([(1, 2), (0, 2), (0, 1)], start=2):
        basis[k, i, j] = basis[k, j, i] = 1.0 / root2
    rotated = np.einsum("nij,bjk,nlk->nbil", R, basis, R)
    return np.einsum("aij,nbij->nab", basis, rotated)
