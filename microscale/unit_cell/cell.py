"""Full-field unit cell: a periodic microstructure under a prescribed mean deformation, solved with FFTs.

Solves div P = 0 with F = <F>(t) + grad v, v periodic (eqs. (19)-(22) of the paper), for any local law. The
displacement is corrected by the answer of a homogeneous reference medium to the forces (Moulinec and
Suquet 1998, in displacements), accelerated by secants (:mod:`microscale.unit_cell.acceleration`). This needs
no tangents, and its cost is that of the calls of the local law: see tests/benchmarks/test_fft.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from microscale.crystals.crystal import Crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.texture.texture import Texture
from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.inputs.numbers import Count, CountOrZero, checked, numbers_in
from microscale.law import ConstitutiveLaw, State, StateVariable
from microscale.native.library import default_threads
from microscale.tensors import FloatArray, polar_decomposition
from microscale.unit_cell.acceleration import SecantMemory
from microscale.unit_cell.answers import answers
from microscale.unit_cell.cell_state import VOXEL, CellState
from microscale.unit_cell.elasticity import Elasticity
from microscale.unit_cell.grid import ComplexArray, PeriodicGrid, fluctuation
from microscale.unit_cell.medium import TANGENT_CALLS, TANGENT_EVERY
from microscale.unit_cell.microstructure import Microstructure
from microscale.unit_cell.moduli_at_rest import moduli_at_rest
from microscale.unit_cell.phases import PhaseLaws
from microscale.unit_cell.pressure import less_uniform_pressure, take_out_pressure, uniform_stress
from microscale.unit_cell.room import DERIVATIVE, require_room
from microscale.unit_cell.tangent import Balanced, finely_balanced, tangent_of

SMALLEST_PART = 2.0**-10
"""Of a step: smaller parts are not tried. Kink bands form within a small part of a step, if they form."""
PATIENCE = 20
"""Iterations in which the imbalance must fall by half."""
ENOUGH = 0.1
"""Of what a step accepts: what the medium may leave of the forces, but not below its cube of them."""
ROUNDING = 1e-12
"""Stress imbalance that counts as none, relative to the stiffness."""


class FullFieldCell(ConstitutiveLaw):
    """A periodic unit cell of voxels; its F and P are the averages over the cell.

    P counts the mean pressure of the voxels as acting on the cell (:mod:`microscale.unit_cell.pressure`).

    With a two-dimensional grid nothing varies along the third axis (generalised plane strain).

    State of a point: ``mean_F`` at the last update; ``displacement``, amplitudes of the periodic displacement
    (:mod:`microscale.unit_cell.grid`; real and imaginary part), a strain; ``displacement_rate``, theirs over
    the last step, 1/us, by which the next one is predicted; ``hourglass_stress``, GPa, what resists
    hourglasses (:mod:`microscale.unit_cell.hourglass`); ``secants`` and ``secant_count``, the memory of the
    acceleration; and the state of the local law at each voxel, ``voxel_<name>`` (voxels, ...).

    Args:
        law: Local law at every voxel. If it flows, its state has the ``dissipation``, GPa.
        shape: Voxels along each axis, two or three.
        at_rest: State variables of the local law that differ between voxels, shape (voxels, ...), by name.
        derivative: See :class:`microscale.unit_cell.grid.PeriodicGrid`; by default that of ``DERIVATIVE``.
        tolerance: Accepted norm of the part of P that is out of balance, relative to the norm of P - <P>.
        memory: Secants kept.
        max_iterations: Calls of the local law before a step is cut in half.
        threads: Threads of the transforms; the local law has its own.

    Raises:
        InputError: Shapes do not agree, or a number has no meaning.
    """

    worth_batching = False
    _rounding = ROUNDING

    @checked
    def __init__(
        self,
        law: ConstitutiveLaw,
        shape: tuple[Count, ...],
        at_rest: Mapping[str, ArrayLike] | None = None,
        derivative: str | None = None,
        tolerance: float = 1e-3,
        memory: CountOrZero = 20,
        max_iterations: Count = 100,
        threads: Count | None = None,
    ) -> None:
        if not 0.0 < tolerance < 1.0:
            raise InputError(f"tolerance = {tolerance}, expected a number between 0 and 1, such as 1e-3")
        if len(shape) not in DERIVATIVE:
            raise InputError(f"shape = {shape} voxels, expected two or three positive numbers")
        require_room(law, shape, derivative, memory)
        voxels = self._voxels_at_rest(law, math.prod(shape), at_rest or {})
        moduli = self._moduli = moduli_at_rest(law, math.prod(shape), voxels)
        derivative = derivative or (DERIVATIVE[len(shape)] if moduli.alike else "stabilised")
        self.grid = PeriodicGrid(shape, derivative, default_threads() if threads is None else threads)
        self.law, self.density, self.name = law, law.density, f"fft{self.grid.dimension}d"
        self.tolerance, self.max_iterations = tolerance, max_iterations
        self._law_calls, self._pressure = 0, 0.0
        self._elasticity: Elasticity | None = None
        self._described: dict[str, Any] | None = None
        self._grains: Texture | None = None
        self._stiffest = moduli.middle[1]
        self._medium, self._hourglasses = answers(self.grid, derivative, moduli)
        self.state_spec = (
            StateVariable("mean_F", (3, 3), "-", np.eye(3)),
            StateVariable("displacement", (*self.grid.amplitude_shape, 2), "-"),
            StateVariable("displacement_rate", (*self.grid.amplitude_shape, 2), "1/us"),
            StateVariable("hourglass_stress", self._hourglasses.shape, "GPa"),
            StateVariable("secants", (2, memory, 2 * int(np.prod(self.grid.amplitude_shape))), "-"),
            StateVariable("secant_count", (), "-"),
            *(
                StateVariable(VOXEL + v.name, voxels[v.name].shape, v.unit, voxels[v.name])
                for v in law.state_spec
            ),
        )
        self._start = voxels.copy()
        self._F, self._P = np.empty((2, self.grid.voxels, 3, 3))
        self._forces = np.empty(self.grid.amplitude_shape, dtype=complex)

    @classmethod
    def polycrystal(
        cls, microstructure: Microstructure, crystal: Crystal | None = None, **options: object
    ) -> Self:
        """Return the cell of a polycrystal; magnesium by default. The options are those of the class."""
        orientations = {"orientation": microstructure.voxel_orientations()}
        cell = cls(SingleCrystal(crystal=crystal), microstructure.shape, orientations, **options)  # type: ignore[arg-type]
        cell._grains = Texture(microstructure.orientations, microstructure.weights)
        return cell

    @property
    def texture(self) -> Texture | None:
        """Orientations of the grains and their share of the voxels, as they are at rest; None without."""
        return self._grains

    @classmethod
    def of_phases(
        cls,
        phase: ArrayLike,
        laws: Sequence[ConstitutiveLaw],
        orientations: Mapping[int, ArrayLike] | None = None,
        described: Mapping[str, Any] | None = None,
        **options: object,
    ) -> Self:
        """Return the cell of several phases; its density is their volume average.

        Args:
            phase: Number of the phase of each voxel, from zero, shape (n1, n2) or (n1, n2, n3).
            laws: The law of each phase.
            orientations: Crystal axes at all voxels, shape (voxels, 3, 3), by the number of a phase.
            described: What the microstructure is, as plain values for records.
            options: Those of the class.

        Raises:
            InputError: There is no such phase, or shapes do not agree.
        """
        numbers = numbers_in("phase", phase)
        counts = [np.count_nonzero(numbers == k) for k in range(len(laws))]
        law = PhaseLaws(laws, np.array(counts) / max(sum(counts), 1))
        cell = cls(law, numbers.shape, law.at_rest(numbers.ravel(), orientations or {}), **options)  # type: ignore[arg-type]
        cell.name = law.name
        cell._described = None if described is None else dict(described)
        return cell

    @property
    def described(self) -> dict[str, Any] | None:
        """What the microstructure is, as plain values, if that was told, with its measured elasticity."""
        if self._described is None:
            return None
        return self._described | {"elasticity": self.elasticity().constants, "density": self.density}

    @property
    def crystal(self) -> Crystal | None:
        """Parameters of the local law, where it is a crystal."""
        return getattr(self.law, "crystal", None)

    @property
    def law_calls(self) -> int:
        """Calls of the local law so far: the iterations, and nearly all of the cost; 18 for tangents."""
        return self._law_calls

    @staticmethod
    def _voxels_at_rest(law: ConstitutiveLaw, count: int, given: Mapping[str, ArrayLike]) -> State:
        voxels = law.init_state(count)
        for name, values in given.items():
            array = numbers_in(f"at_rest '{name}'", values)
            if name not in voxels or array.shape != voxels[name].shape:
                known = {key: known.shape for key, known in voxels.items()}
                raise InputError(f"at_rest has '{name}' of shape {array.shape}, expected one of {known}")
            voxels[name][:] = array
        return voxels

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.broadcast_to(dt, len(F))
        for point in range(len(F)):
            cell = CellState(state, point)
            try:
                out[point] = self._advance(cell, F[point], float(steps[point]))
            except ConvergenceError as error:
                raise ConvergenceError(f"unit cell at point {point}: {error}") from error

    def _advance(self, cell: CellState, F: FloatArray, dt: float) -> FloatArray:
        """Bring one cell to the mean deformation ``F``, in parts where one step fails; return <P>."""
        F_start, done, part = cell.mean_F.copy(), 0.0, 1.0
        while True:
            part = min(part, 1.0 - done)
            goal = F if done + part == 1.0 else F_start + (done + part) * (F - F_start)
            history = self._balance(cell, goal, part * dt)
            if not history:
                done += part
                cell.mean_F[:] = goal
                if done == 1.0:
                    return self._P.mean(axis=0) + uniform_stress(self._pressure, F)
                part *= 2.0
            elif part <= SMALLEST_PART:
                norms = ", ".join(f"{norm:.1e}" for norm in history[:4] + history[-4:])
                raise ConvergenceError(
                    f"no equilibrium in 1/{1 / part:.0f} of a step after {len(history)} iterations; imbalance"
                    f" over stress fluctuation {norms} (first and last ones), expected {self.tolerance:.1e}: "
                    "take smaller steps, or allow a larger tolerance or more iterations"
                )
            else:
                part *= 0.5

    def _balance(self, cell: CellState, F: FloatArray, dt: float) -> list[float]:
        """Find equilibrium at the mean deformation ``F`` after ``dt``.

        Returns:
            Nothing where it was found; else the history of the imbalance, and the cell is as it was.
        """
        for name, array in cell.voxels.items():
            self._start[name][:] = array
        y, rate = cell.displacement, cell.displacement_rate
        y_before = y.copy()
        turn = polar_decomposition(cell.mean_F)[0] @ polar_decomposition(F)[0].T  # of rows, with the cell
        y_start = y_before @ turn
        self._hourglasses.begin(y_start, self._hourglasses.turned(cell.hourglass_stress, turn))
        self._medium.begin(F)
        y[:] = y_start + dt * (rate @ turn)
        memory = SecantMemory(cell.secants, int(cell.secant_count))
        history: list[float] = []
        last: tuple[FloatArray, FloatArray] | None = None
        sharpened = False
        while len(history) < self.max_iterations:
            imbalance = self._imbalance(cell, F, dt, restore=bool(history))
            history.append(imbalance)
            if imbalance <= self.tolerance:
                if dt > 0.0:
                    rate[:] = (y - y_start) / dt
                self._hourglasses.store(cell.hourglass_stress)
                cell.secant_count[...] = 0 if sharpened else memory.count  # those of another medium mislead
                return []
            if not _promising(history):
                break
            correction = np.empty_like(self._forces)
            if self._medium.has_voxels and len(history) % TANGENT_EVERY == 0:
                self._sharpen(dt)
                memory.count, last, sharpened = 0, None, True
            goal = max(ENOUGH * self.tolerance / imbalance, ENOUGH**3) * float(np.linalg.norm(self._forces))
            self._medium.relax(self._forces, self._hourglasses.stiffness, goal, correction)
            d = -_real(correction)
            if last is not None:
                memory.learn(last[0], d - last[1])
            step = memory.improve(d)
            last = (step, d)
            _real(y)[:] += step
        y[:] = y_before
        cell.secant_count[...] = 0.0
        self._restore(cell)
        return history

    def _imbalance(self, cell: CellState, F: FloatArray, dt: float, restore: bool) -> float:
        """Evaluate stress and forces of the current displacement; their norm over that of P - <P>."""
        self.grid.deformation(cell.displacement, F, self._F)
        if restore:
            self._restore(cell)
        self._law_calls += 1
        try:
            self.law.update(self._F, dt, cell.voxels, self._P)
        except (DeformationError, ConvergenceError):
            return np.inf
        floor = self._rounding * self._stiffest / self.tolerance
        scale = max(fluctuation(self._P), floor)
        self._pressure = take_out_pressure(self._F, self._P)
        self.grid.forces(self._P, self._forces)
        flows = "dissipation" in cell.voxels
        dissipated = cell.voxels["dissipation"] - self._start["dissipation"] if flows else None
        self._forces += self._hourglasses.forces(cell.displacement, self._F, self._P, dissipated)
        self.grid.make_real(self._forces)
        return float(np.linalg.norm(self._forces) / scale)

    def _sharpen(self, dt: float) -> None:
        """Let the medium take the tangents of the step made last."""
        tangent = np.empty((len(self._F), 3, 3, 3, 3))
        self.law.tangent(self._F, dt, self._start, tangent)
        less_uniform_pressure(self._pressure, self._F, tangent)
        self._medium.sharpen(tangent)
        self._law_calls += TANGENT_CALLS

    def _restore(self, cell: CellState) -> None:
        for name, array in cell.voxels.items():
            array[:] = self._start[name]

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        fine, steps = self.smooth, np.broadcast_to(dt, len(F))
        for point in range(len(F)):
            out[point] = tangent_of(fine._balanced(CellState(state, point), F[point], float(steps[point])))

    def _balanced(self, before: CellState, F: FloatArray, dt: float) -> Balanced:
        """Find equilibrium at the mean deformation ``F`` after ``dt``, in one step.

        Raises:
            ConvergenceError: The step has to be taken in parts.
        """
        if self._balance(before.copy(), F, dt):
            raise ConvergenceError(
                "a unit cell has no tangent where its step has to be taken in parts: take a smaller one"
            )
        fields = self._F, self._P, self._pressure, F, dt, self._start, before
        return Balanced(self.grid, self.law, self._medium, self._hourglasses, *fields)

    @property
    def smooth(self) -> Self:
        """The same, balanced so finely that its stress can be differenced."""
        return finely_balanced(self)

    def voxel_fields(self, state: State, point: int = 0) -> tuple[FloatArray, FloatArray]:
        """Return F and P at the voxels of a point, both of shape (voxels, 3, 3); P in GPa."""
        cell = CellState(state, point)
        F, P = np.empty((2, self.grid.voxels, 3, 3))
        self.grid.deformation(cell.displacement, cell.mean_F, F)
        self.law.update(F, 0.0, cell.voxels.copy(), P)  # an instantaneous step to the same place
        return F, P

    def elasticity(self) -> Elasticity:
        """Return the stiffness tensor of the cell at rest, measured when it is asked for first."""
        if self._elasticity is None:
            self._elasticity = Elasticity.measured(self)
        return self._elasticity

    def wave_speed(self) -> float:
        """Fastest longitudinal wave at rest, mm/us, whose wavelength is that of many cells.

        That of the local law where all voxels are as stiff; else that of the stiffness of the cell, in the
        direction in which it is fastest. It is never above that of the fastest phase.
        """
        if self._moduli.alike:
            return self.law.wave_speed() * float(np.sqrt(self.law.density / self.density))
        return float(np.sqrt(self.elasticity().wave_modulus() / self.density))

    def _bulk_modulus(self) -> float:
        return super()._bulk_modulus() if self._moduli.alike else self.elasticity().moduli.bulk

    @property
    def material(self) -> str:
        """Name of the crystal or of the phases, where there are some, and number of voxels."""
        voxels = f"{self.grid.voxels} voxels"
        if self._material:
            return self._material
        if isinstance(self.law, PhaseLaws):
            return f"{self.law.material}, {voxels}"
        return voxels if self.crystal is None else f"{self.crystal.name}, {voxels}"

    @property
    def field_units(self) -> dict[str, str]:
        """Units of the fields of the local law."""
        return self.law.field_units

    def fields(self, state: State) -> dict[str, FloatArray]:
        """Return averages over the cell of what the local law shows, each of shape (n,)."""
        n = len(state["mean_F"])
        flat = State(
            {
                v.name: state[VOXEL + v.name].reshape(n * self.grid.voxels, *v.shape)
                for v in self.law.state_spec
            }
        )
        return {name: a.reshape(n, -1).mean(axis=1) for name, a in self.law.fields(flat).items()}


def _real(amplitude: ComplexArray) -> FloatArray:
    """View amplitudes as one real vector."""
    return amplitude.view(float).reshape(-1)


def _promising(history: list[float]) -> bool:
    """Tell whether to go on: every voxel could follow, and the imbalance still falls.

    The first one is that of a prediction: in a small part of a step it is all but balanced, and not to be
    halved at once.
    """
    before = history[1:-PATIENCE]
    stalls = bool(before) and min(history[-PATIENCE:]) > 0.5 * min(before)
    return bool(np.isfinite(history[-1])) and not stalls
