"""Parameters of a material fitted to measured curves by least squares.

The unknowns are the logarithms of the parameters, which are positive. The residual of a point is its error in
stress over the root mean square of the stress of its curve, and over the root of the number of points of the
curve: each curve counts alike, however strong or densely measured. A weak pull (:data:`PULL`) keeps what the
data do not determine where it began; what they do determine does not feel it.

The sum of squares of a crystal has several minima. So more than one search can be asked for: the first begins
at the material's own parameters, others at the best of sets that are spread around them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.material_test.run import run_tests
from microscale.progress import Task, task
from microscale.tensors import FloatArray
from multiscale.laws.experiments.curve_file import Experiment
from multiscale.laws.experiments.materials import Material

WIDE = 100.0
"""Factor by which a parameter may change where no bounds are given."""
MOST_EVALUATIONS = 100
PULL = 1e-3
"""Residual where the logarithm of a parameter is off its start by one. Beside it, a curve with noise of a per
cent has a residual of 1e-2."""
SPREAD, DRAWN = math.log(3.0), 20
"""How far from the start further searches may begin, as a logarithm, and how many sets of parameters are
looked at for each."""
FAILED = 1e3
"""Residual of a material for which a test finds no balance, or that cannot be: the search turns back."""
CANNOT_BE = (ConvergenceError, DeformationError, InputError)
"""What a search may run into. Inputs have been checked where it started, so these are of its own numbers."""


@dataclass(frozen=True)
class Fit:
    """What a fit found.

    Attributes:
        names: Fitted parameters.
        start: Where the search began, shape (parameters,), in our units.
        values: Where it ended.
        lower: Bounds.
        upper: Bounds.
        experiments: The curves.
        stresses: Of the fitted law at the measured strains, an array a curve, GPa.
        residuals: Errors of stress over the root mean square of the curve's stress, an array a curve.
        slopes: Their derivatives by the logarithms of the parameters, an array (points, parameters) a curve.
        evaluations: Number of sets of parameters that all tests were run with.
        searches: Relative error, root mean square over the curves, where each search ended.
    """

    names: tuple[str, ...]
    start: FloatArray
    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    experiments: tuple[Experiment, ...]
    stresses: list[FloatArray]
    residuals: list[FloatArray]
    slopes: list[FloatArray]
    evaluations: int
    searches: list[float]

    @property
    def errors(self) -> dict[str, float]:
        """Relative error of each curve, root mean square."""
        sizes = [float(np.sqrt(np.mean(r**2))) for r in self.residuals]
        return {e.name: size for e, size in zip(self.experiments, sizes, strict=True)}

    @property
    def found(self) -> dict[str, float]:
        """The fitted parameters by name, in our units."""
        return dict(zip(self.names, self.values.tolist(), strict=True))


def fit(
    experiments: Sequence[Experiment],
    material: Material,
    names: Sequence[str],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    steps: int = 100,
    searches: int = 1,
) -> Fit:
    """Fit parameters of a material to measured curves.

    Args:
        experiments: The curves.
        material: The material; the search starts from its parameters.
        names: Parameters to fit.
        bounds: Least and largest value of some of them, in our units.
        steps: Steps of a test.
        searches: Number of searches; the best of them counts.

    Raises:
        InputError: A parameter is unknown, named twice or out of its bounds, or curves cannot be of the
            material.
        ConvergenceError: The search did not end, or no test can be run where it starts.
    """
    if not experiments:
        raise InputError("no curve given, expected at least one")
    start, lower, upper = _ranges(material, names, bounds or {})
    points = sum(len(experiment.strain) for experiment in experiments)
    if points <= len(names):
        raise InputError(f"{len(names)} parameters and {points} points, expected more points than parameters")
    with task(f"evaluations of the fit of {material.law_name}", math.inf) as part:
        tests = _Tests(experiments, material, tuple(names), steps, part)
        tests.require_plausible(np.log(start))
        tests.stresses(np.log(start))  # which must be possible, unlike what the search tries
        limits = np.log([lower, upper])
        ends = [
            _search(tests, x, np.log(start), limits) for x in _begins(tests, np.log(start), limits, searches)
        ]
        cost, x = min(ends, key=lambda end: end[0])
        if cost == math.inf:
            raise ConvergenceError(
                f"no search ended within {MOST_EVALUATIONS} tries: fit fewer parameters, or start nearer"
            )
        return Fit(
            tuple(names),
            start,
            np.exp(x),
            lower,
            upper,
            tuple(experiments),
            tests.stresses(x),
            tests.residuals(x),
            tests.slopes(x, limits[1]),
            tests.evaluations,
            [math.sqrt(2.0 * cost / len(experiments)) for cost, _ in ends],
        )


def _begins(tests: _Tests, start: FloatArray, limits: FloatArray, searches: int) -> list[FloatArray]:
    """Return where the searches begin: at the start, and at the best of what is spread around it."""
    if searches == 1:
        return [start]
    low, high = np.clip([start - SPREAD, start + SPREAD], *limits)
    unit = qmc.LatinHypercube(len(start), rng=np.random.default_rng(0)).random(DRAWN * (searches - 1))
    drawn = list(low + unit * (high - low))
    costs = [float((_weighted(tests.residuals(x)) ** 2).sum()) for x in drawn]
    return [start, *(drawn[k] for k in np.argsort(costs)[: searches - 1])]


def _search(
    tests: _Tests, begin: FloatArray, start: FloatArray, limits: FloatArray
) -> tuple[float, FloatArray]:
    """Return the sum of squares, halved, and the logarithms of the parameters where a search ends.

    The sum is infinite where it does not end, or no test can be run beside where it has come to.
    """
    try:
        found = least_squares(
            lambda x: np.concatenate([_weighted(tests.residuals(x)), PULL * (x - start)]),
            begin,
            lambda x: np.concatenate([_weighted(tests.slopes(x, limits[1])), PULL * np.eye(len(x))]),
            tuple(limits),
            xtol=1e-2 * tests.material.difference,
            ftol=1e-5,
            gtol=1e-10,
            max_nfev=MOST_EVALUATIONS,
        )
    except CANNOT_BE:
        return math.inf, begin
    return float(found.cost) if found.success else math.inf, found.x


def _ranges(
    material: Material, names: Sequence[str], bounds: Mapping[str, tuple[float, float]]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where the search starts, and its bounds."""
    known = material.parameters
    for name in (*names, *bounds):
        if name not in known:
            raise InputError(f"parameter '{name}', expected one of: {', '.join(known)}")
        if name not in names:
            raise InputError(
                f"bounds of {name}, which is not fitted: add it to the parameters, or leave them out"
            )
    if not names or len(set(names)) < len(names):
        raise InputError(f"parameters = {', '.join(names) or 'none'}, expected each once and at least one")
    start = np.array([known[name] for name in names])
    largest = np.array([material.largest.get(name, math.inf) for name in names])
    wide = np.stack([start / WIDE, np.minimum(start * WIDE, largest)], axis=1)
    lower, upper = np.array([bounds.get(name, wide[k]) for k, name in enumerate(names)], dtype=float).T
    for k, name in enumerate(names):
        if not 0.0 < lower[k] < upper[k] <= largest[k]:
            raise InputError(
                f"bounds of {name} = {lower[k]:g} to {upper[k]:g} {material.units[name]}, expected positive "
                f"ones that grow, up to {largest[k]:.4g}"
            )
    # A search begins inside: where the file is at a bound or beyond, as near to it as a twentieth.
    inside = 0.05 * np.log(upper / lower)
    return np.exp(np.clip(np.log(start), np.log(lower) + inside, np.log(upper) - inside)), lower, upper


@dataclass
class _Tests:
    """All tests with the material's parameters at exp(x).

    Attributes:
        evaluations: Sets of parameters that they were run with.
    """

    experiments: Sequence[Experiment]
    material: Material
    names: tuple[str, ...]
    steps: int
    progress: Task
    evaluations: int = 0
    _last: tuple[bytes, list[FloatArray]] = field(default=(b"", []))

    def require_plausible(self, x: FloatArray) -> None:
        for experiment in self.experiments:
            law = self.material.law(self._values(x), experiment.texture)
            experiment.require_plausible(law.moduli())

    def stresses(self, x: FloatArray) -> list[FloatArray]:
        """Return the stress at the measured strains, an array a curve, GPa."""
        if self._last[0] != x.tobytes():
            self.evaluations += 1
            self.progress.done += 1
            self._last = x.tobytes(), self._run(x)
        return self._last[1]

    def residuals(self, x: FloatArray) -> list[FloatArray]:
        """Return relative errors of stress, an array a curve."""
        try:
            stresses = self.stresses(x)
        except CANNOT_BE:
            return [np.full(len(e.strain), FAILED) for e in self.experiments]
        return [(s - e.stress) / e.size for s, e in zip(stresses, self.experiments, strict=True)]

    def slopes(self, x: FloatArray, upper: FloatArray) -> list[FloatArray]:
        """Return derivatives of the residuals by x, an array (points, parameters) a curve."""
        base, columns = self.stresses(x), []
        for k in range(len(x)):
            change = self.material.difference
            change = -change if x[k] + change > upper[k] else change
            moved = self.stresses(x + change * np.eye(len(x))[k])
            columns.append([(m - b) / change for m, b in zip(moved, base, strict=True)])
        self._last = x.tobytes(), base
        parts = zip(*columns, strict=True)
        return [np.stack(part, axis=1) / e.size for part, e in zip(parts, self.experiments, strict=True)]

    def _values(self, x: FloatArray) -> dict[str, float]:
        return dict(zip(self.names, np.exp(x).tolist(), strict=True))

    def _run(self, x: FloatArray) -> list[FloatArray]:
        """Run the tests of a texture together: they share a law."""
        found: dict[int, FloatArray] = {}
        for texture in dict.fromkeys(e.texture for e in self.experiments):
            law = self.material.law(self._values(x), texture)
            chosen = [k for k, e in enumerate(self.experiments) if e.texture == texture]
            tested = [self.experiments[k] for k in chosen]
            curves = run_tests(law, [e.program(self.steps) for e in tested], initial=_initial(law, tested))
            for k, experiment, curve in zip(chosen, tested, curves, strict=True):
                strain, stress = curve.component(experiment.component, experiment.measure == "engineering")
                found[k] = np.interp(np.abs(experiment.strain), np.abs(strain), stress)
        return [found[k] for k in range(len(self.experiments))]


def _initial(law: object, experiments: Sequence[Experiment]) -> dict[str, FloatArray]:
    """Return the temperatures at the beginning, where experiments name them."""
    at_rest = {variable.name: variable.at_rest for variable in getattr(law, "state_spec", ())}
    named = [experiment for experiment in experiments if experiment.temperature is not None]
    if named and "temperature" not in at_rest:
        raise InputError(
            f"curve {named[0].name}: temperature = {named[0].temperature} K, but the law has none: leave it "
            "out"
        )
    usual = at_rest.get("temperature")
    given = [usual if e.temperature is None else e.temperature for e in experiments]
    return {"temperature": np.array(given, dtype=float)} if named else {}


def _weighted(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([part / np.sqrt(len(part)) for part in parts])
