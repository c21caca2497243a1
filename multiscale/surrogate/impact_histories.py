"""Stretch histories that material points live through in a simulation, as paths for a data set.

A surrogate is used where the simulation goes, which no random protocol knows beforehand. Run with a law
wrapped in a :class:`Recorder`, take its paths, label them with the polycrystal, and train on them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import polar

from microscale.errors import InputError
from microscale.inputs.numbers import Count, checked
from microscale.law import ConstitutiveLaw, State
from microscale.paths.protocols import StretchPath
from microscale.tensors import FloatArray


class Recorder(ConstitutiveLaw):
    """Another law, and the deformation gradients it was given at every so-and-so-many-th point.

    Args:
        law: The law whose stress is returned.
        every: Distance of the recorded points; for simulations on one rank.
    """

    @checked
    def __init__(self, law: ConstitutiveLaw, every: Count = 1) -> None:
        self.law, self.every = law, every
        self.name, self.density, self.state_spec = law.name, law.density, law.state_spec
        self.times = [0.0]
        self.gradients: list[FloatArray] = []

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        self.law.update(F, dt, state, out)
        if np.max(dt) == 0.0:
            return  # the stress at rest, before the first step
        self.times.append(self.times[-1] + float(np.max(dt)))
        self.gradients.append(F[:: self.every].copy())

    def resume(self, state: State) -> None:
        """Let the law resume."""
        self.law.resume(state)

    def wave_speed(self) -> float:
        """Return that of the law."""
        return self.law.wave_speed()


REPLACEMENTS = 3
"""Of each history, for laws that fail on it."""


@dataclass(frozen=True)
class ImpactPaths:
    """Recorded histories, sampled as the data sets of random paths are.

    Attributes:
        steps: Steps of a path.
        origin: Plain values that say which simulations they come from.
        histories: Times (samples,), us, and stretches (samples, 3, 3) of each path.
        replacements: Those of other points of the same simulation, for each path; perhaps none.
    """

    steps: int
    origin: Sequence[dict[str, Any]]
    histories: list[StretchPath] = field(default_factory=list)
    replacements: list[list[StretchPath]] = field(default_factory=list)

    def add(self, recorder: Recorder, count: int, largest_shape: float = np.inf) -> None:
        """Take the ``count`` recorded points that were deformed most, each over the whole run.

        The next ``count`` of them are replacements, one for each, and so are those that come after.

        Args:
            recorder: It has recorded a run.
            count: Number of points.
            largest_shape: Of :func:`isochoric_shape`: a history ends where it is reached.
        """
        gradients = np.stack([np.broadcast_to(np.eye(3), recorder.gradients[0].shape), *recorder.gradients])
        moved = np.linalg.norm(np.diff(gradients, axis=0), axis=(2, 3)).sum(axis=0)
        found = []
        for point in np.argsort(-moved, kind="stable")[: (1 + REPLACEMENTS) * count]:
            F = gradients[:, point]
            times = np.linspace(0.0, _end(recorder.times, F, largest_shape), self.steps + 1)
            found.append(StretchPath(times, _stretches(recorder.times, F, times), 0))
        self.histories.extend(found[:count])
        self.replacements.extend(found[count + k :: count] for k in range(min(count, len(found))))

    def __len__(self) -> int:
        return len(self.histories)

    def path(self, index: int, attempt: int = 0) -> StretchPath:
        """Return a path, or one of its replacements.

        Raises:
            InputError: It has no further replacement.
        """
        if attempt == 0:
            return self.histories[index]
        others = self.replacements[index] if index < len(self.replacements) else []
        if attempt > len(others):
            raise InputError(
                f"the law failed on recorded history {index} and on {attempt - 1} of other points: record "
                "fewer of a simulation, or a slower one"
            )
        return others[attempt - 1]

    def provenance(self) -> dict[str, Any]:
        """Return what determines the paths, as plain values for a file's attributes."""
        return {"protocol": "recorded", "steps": self.steps, "simulations": list(self.origin)}


def isochoric_shape(F: FloatArray) -> FloatArray:
    """Return ln (tr(U + U^-1) / 6) of the isochoric part of deformation gradients (..., 3, 3): zero at rest.

    It is the measure of shapes in the training range of a surrogate.
    """
    stretches = np.linalg.svd(F, compute_uv=False)
    stretches /= np.cbrt(stretches.prod(axis=-1))[..., None]
    shape: FloatArray = np.log((stretches + 1.0 / stretches).sum(axis=-1) / 6.0)
    return shape


def _end(times: Sequence[float], F: FloatArray, largest: float) -> float:
    """Time, us, until which no shape of F (samples, 3, 3) is larger; linear between the recordings."""
    if np.isinf(largest):
        return times[-1]
    shapes = isochoric_shape(F)
    beyond = int(np.argmax(shapes > largest))
    if shapes[beyond] <= largest:
        return times[-1]
    part = (largest - shapes[beyond - 1]) / (shapes[beyond] - shapes[beyond - 1])
    return float(times[beyond - 1] + part * (times[beyond] - times[beyond - 1]))


def _stretches(recorded: Sequence[float], gradients: FloatArray, times: FloatArray) -> FloatArray:
    """Right stretches at ``times`` of deformation gradients (samples, 3, 3), linear between recordings."""
    flat = gradients.reshape(len(gradients), 9)
    F = np.stack([np.interp(times, recorded, column) for column in flat.T], axis=-1).reshape(-1, 3, 3)
    U = np.stack([polar(one)[1] for one in F])
    return 0.5 * (U + np.swapaxes(U, 1, 2))
