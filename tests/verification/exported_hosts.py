"""Exported VUMATs and UMATs, called as their hosts do."""

import ctypes

import numpy as np
from exported_law import pointer

from microscale.tensors import FloatArray

NUMBERS = 79
"""Of the state with the shipped weights."""
NO_PROPS = np.zeros(0)
VOIGT = ([0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0])
"""As in a VUMAT."""


class Vumat:
    """A VUMAT as Abaqus calls it: columns of points, old and new."""

    def __init__(
        self, library: ctypes.CDLL, points: int, props: FloatArray = NO_PROPS, numbers: int = NUMBERS
    ) -> None:
        self.library, self.points, self.props = library, points, props
        self.stress, self.state = np.zeros((6, points)), np.zeros((numbers, points))
        self.energy, self.time = np.zeros((2, points)), 0.0
        self.U = np.tile(np.eye(3)[VOIGT][:, None], (1, points))

    def __call__(self, U: FloatArray, strain: FloatArray, dt: float, density: FloatArray, zero=False) -> None:
        """Take a step to stretches (6, points) by strain increments (6, points)."""
        integer = lambda value: ctypes.byref(ctypes.c_int(value))  # noqa: E731
        real = lambda value: ctypes.byref(ctypes.c_double(value))  # noqa: E731
        stress, state, energy = (
            np.empty_like(self.stress),
            np.empty_like(self.state),
            np.empty_like(self.energy),
        )
        none = pointer(np.zeros(9 * self.points))
        self.time += 0.0 if zero else dt
        head = [integer(v) for v in (self.points, 3, 3, len(self.state), 0, len(self.props), 0)]
        times, name = [real(self.time), real(self.time), real(dt)], ctypes.c_char_p(b" " * 80)
        old = [self.U, None, None, self.stress, self.state, self.energy[0], self.energy[1]]
        new = [None, U, None, None, stress, state, energy[0], energy[1]]
        given = [density, strain, None, None, *old, *new]
        arrays = [none if array is None else pointer(array) for array in given]
        self.library.vumat_(
            *head, *times, name, none, none, pointer(self.props), *arrays, ctypes.c_size_t(80)
        )
        self.stress, self.state, self.energy, self.U = stress, state, energy, U


class Umat:
    """A UMAT at one point, as its host calls it."""

    def __init__(self, library: ctypes.CDLL, props: FloatArray = NO_PROPS, numbers: int = NUMBERS) -> None:
        self.library, self.props = library, props
        self.stress, self.state, self.energies = np.zeros(6), np.zeros(numbers), np.zeros(3)

    def __call__(self, F: FloatArray, dt: float, shears: int = 3, strain: FloatArray | None = None) -> tuple:
        """Return Cauchy stress, state, DDSDDE, energies SSE, SPD, SCD, and PNEWDT; nothing is kept."""
        tensor = 3 + shears
        stress, state, energies = self.stress[:tensor].copy(), self.state.copy(), self.energies.copy()
        tangent, pnewdt, none = np.zeros((tensor, tensor)), np.ones(1), np.zeros(9)
        column_major = np.ascontiguousarray(F.T)
        strain = np.zeros(6) if strain is None else strain
        whole = lambda value: ctypes.byref(ctypes.c_int(value))  # noqa: E731
        first = map(pointer, (stress, state, tangent, energies[:1], energies[1:2], energies[2:]))
        unused = [pointer(none)] * 4
        kinematics = [pointer(none), pointer(strain), pointer(none), pointer(np.array([dt]))]
        self.library.umat_(
            *first,
            *unused,
            *kinematics,
            *[pointer(none)] * 4,
            ctypes.c_char_p(b" " * 80),
            *map(whole, (3, shears, tensor, len(self.state))),
            pointer(self.props),
            whole(len(self.props)),
            pointer(none),
            pointer(none),
            pointer(pnewdt),
            pointer(none),
            pointer(none),
            pointer(column_major),
            *map(whole, (1, 1, 1, 1, 1, 1)),
            ctypes.c_size_t(80),
        )
        return stress, state, tangent.T, energies, pnewdt[0]

    def keep(self, F: FloatArray, dt: float, strain: FloatArray | None = None) -> FloatArray:
        """Take a step; return the tangent."""
        self.stress, self.state, tangent, self.energies, _ = self(F, dt, strain=strain)
        return tangent
