"""What a user adds, in one file: a law, an obstacle, and an architecture of surrogates."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray, deviator
from multiscale.dynamics.contact import LOST, PUSHED, WORK, NodalMotion, Obstacle
from multiscale.surrogate.kinds import Kind
from multiscale.surrogate.sources import read_sources, training_range
from multiscale.surrogate.store import Card, Weights, write_surrogate


@dataclass
class Hencky(ConstitutiveLaw):
    """Stress linear in the logarithmic strain: Kirchhoff stress 2 G dev(ln V) + K tr(ln V) I."""

    shear_modulus: float = 25.0
    bulk_modulus: float = 48.0
    density: float = 1.74
    name = "hencky"

    def _update(self, F: FloatArray, dt: Any, state: State, out: FloatArray) -> None:
        values, axes = np.linalg.eigh(F @ F.transpose(0, 2, 1))
        strain = np.einsum("nij,nj,nkj->nik", axes, 0.5 * np.log(values), axes)
        trace = np.trace(strain, axis1=1, axis2=2)[:, None, None]
        kirchhoff = 2.0 * self.shear_modulus * deviator(strain) + self.bulk_modulus * trace * np.eye(3)
        out[:] = kirchhoff @ np.linalg.inv(F).transpose(0, 2, 1)

    def wave_speed(self) -> float:
        return float(np.sqrt((4.0 / 3.0 * self.shear_modulus + self.bulk_modulus) / self.density))


class RigidSphere(Obstacle):
    """A sphere at rest below the body, met at its top."""

    name = "sphere"

    def __init__(self, centre: Sequence[float], radius: float) -> None:
        self.centre, self.radius = np.array(centre, dtype=float), radius
        self.velocity, self.facing, self.width = np.zeros(3), np.array([0.0, 0.0, 1.0]), 2.0 * radius

    def gap(self, x: FloatArray) -> FloatArray:
        return np.linalg.norm(x - self.centre, axis=1) - self.radius

    def moved(self, shift: FloatArray) -> Self:
        other = copy(self)
        other.centre = self.centre + shift
        return other

    def resist(self, motion: NodalMotion, nodes: Any, time: float, dt: float, book: FloatArray) -> None:
        ahead = motion.X[nodes] + motion.u[nodes] + dt * motion.v[nodes] - self.centre
        distance = np.linalg.norm(ahead, axis=1)
        normals = ahead / distance[:, None]
        for node, normal, gap in zip(nodes, normals, distance - self.radius, strict=True):
            compliance = normal**2 @ motion.inverse_mass[node]
            if gap >= 0.0 or compliance == 0.0:
                continue
            impulse = -gap / (dt * compliance) * normal
            motion.v[node] += impulse * motion.inverse_mass[node]
            book[:3] += impulse
            book[WORK] += 0.0
            book[LOST] += max(-0.5 * impulse @ (motion.v_old[node] + motion.v[node]), 0.0)
            book[PUSHED] += np.linalg.norm(impulse)


class LinearKind(Kind):
    """One number: the shear modulus that fits the deviators of the data best."""

    name, format = "linear", 1

    def fit(self) -> Callable[..., None]:
        return fit_linear

    def law(self) -> Callable[..., ConstitutiveLaw]:
        return LinearLaw


def fit_linear(files: Sequence[Path], out: Path, *, epochs: int = 1, seed: int = 0) -> None:
    sources = read_sources(files)
    data, material = sources.histories, sources.material
    values, axes = np.linalg.eigh(data.stretch)
    strain = deviator(np.einsum("...ij,...j,...kj->...ik", axes, np.log(values), axes))
    modulus = 0.5 * np.sum(strain * deviator(data.stress)) / np.sum(strain**2)
    card = Card("linear", {"epochs": epochs}, material, training_range(data, material.shear_modulus))
    write_surrogate(out, {"shear_modulus": np.array([modulus])}, card)


class LinearLaw(Hencky):
    def __init__(self, weights: Weights, card: Card) -> None:
        super().__init__(float(weights["shear_modulus"][0]), 2.0 * card.material.lambda_e)
        self.density = card.material.density
