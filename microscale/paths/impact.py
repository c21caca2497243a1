"""Protocol I: stretch histories like those a material point sees in an impact.

U = J^(1/d) exp(H) with a volume ratio J = 1 + v and a traceless logarithmic strain H, so that every path is
positive definite by construction and the two parts are bounded separately: |v| <= 0.15, and the equivalent
strain sqrt(2/3) |H| at most ``max_strain``. Waves arrive at random instants; each takes the volume to a new
level within a few samples and rings elastically until a plateau is left; plane waves shear as they compress.
Behind the first front plastic flow sets in, decays, turns its axis, and in some paths reverses. Amplitudes
are log-uniform, since a body has many points with small strains. No rate exceeds 10 per us (1e7 per second).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from microscale.paths.strains import exponential, log_uniform, unit_deviator
from microscale.tensors import FloatArray

MAX_VOLUME_STRAIN = 0.15
MAX_RATE = 10.0
"""Largest volumetric and equivalent deviatoric strain rate, 1/us."""
MEASURED_FRACTIONS = np.linspace(0.0, 1.0, 2001)
"""Where the largest strain and rate of a draw are measured, fractions of T."""


@dataclass
class Waves:
    """Fronts that pass the point; all arrays have shape (waves,), times are fractions of T.

    Attributes:
        arrivals: When each front arrives.
        rises: How long its front lasts.
        jumps: Change of the volumetric strain.
        ringing: Amplitude of the oscillation behind it, relative to the jump.
        periods: Period of the oscillation.
        decays: Time in which the oscillation decays.
    """

    arrivals: FloatArray
    rises: FloatArray
    jumps: FloatArray
    ringing: FloatArray
    periods: FloatArray
    decays: FloatArray

    def volume_strains(self, fractions: FloatArray) -> FloatArray:
        """Return what each wave adds to det F - 1, shape (n, waves)."""
        age = np.maximum(fractions[:, None] - self.arrivals, 0.0)
        rise = np.minimum(age / self.rises, 1.0)
        front = rise**2 * (3.0 - 2.0 * rise)
        oscillation = np.sin(2.0 * np.pi * age / self.periods) * np.exp(-age / self.decays)
        return self.jumps * front * (1.0 + self.ringing * oscillation)


@dataclass
class Flow:
    """Episodes of plastic flow, each approaching a logarithmic strain exponentially.

    Attributes:
        starts: When each episode sets in, fraction of T, shape (episodes,).
        decays: Time in which its rate decays, fraction of T, shape (episodes,).
        strains: The strain it would add in the long run, traceless, shape (episodes, d, d).
    """

    starts: FloatArray
    decays: FloatArray
    strains: FloatArray

    def log_strain(self, fractions: FloatArray) -> FloatArray:
        """Return the logarithmic strain of all episodes, shape (n, d, d)."""
        age = np.maximum(fractions[:, None] - self.starts, 0.0)
        return np.einsum("nm,mij->nij", -np.expm1(-age / self.decays), self.strains)


@dataclass
class ImpactPath:
    """A stretch history of waves and plastic flow.

    Attributes:
        waves: Fronts that pass the point.
        wave_shears: Logarithmic shear per volumetric strain of each wave, traceless, shape (waves, d, d).
        flow: Plastic flow.
    """

    waves: Waves
    wave_shears: FloatArray
    flow: Flow

    def volume_strain(self, fractions: FloatArray) -> FloatArray:
        """Return det F - 1, shape (n,)."""
        return self.waves.volume_strains(fractions).sum(axis=1)

    def log_strain(self, fractions: FloatArray) -> FloatArray:
        """Return the deviatoric logarithmic strain H, shape (n, d, d)."""
        of_waves = np.einsum("nk,kij->nij", self.waves.volume_strains(fractions), self.wave_shears)
        return of_waves + self.flow.log_strain(fractions)

    def __call__(self, fractions: FloatArray) -> FloatArray:
        """Return the stretch U, shape (n, 3, 3), at fractions of T, shape (n,)."""
        dimension = self.wave_shears.shape[-1]
        J = 1.0 + self.volume_strain(fractions)
        U = np.zeros((len(fractions), 3, 3))
        U[:, 2, 2] = 1.0
        isochoric = exponential(self.log_strain(fractions))
        U[:, :dimension, :dimension] = J[:, None, None] ** (1.0 / dimension) * isochoric
        return U


def impact_path(
    generator: np.random.Generator, max_strain: float, duration: float, dimension: int
) -> ImpactPath:
    """Draw an impact path.

    Args:
        generator: Source of randomness.
        max_strain: Largest equivalent deviatoric logarithmic strain, dimensionless.
        duration: T, us; bounds the strains through the largest rate.
        dimension: 3, or 2 for plane strain.
    """
    waves = _draw_waves(generator)
    directions = _unit_vectors(generator, len(waves.arrivals), dimension)
    obliquity = generator.random(len(waves.arrivals))
    uniaxial = np.einsum("ki,kj->kij", directions, directions) - np.eye(dimension) / dimension
    flow = _draw_flow(generator, waves.arrivals[0], dimension)
    path = ImpactPath(waves, obliquity[:, None, None] * uniaxial, flow)

    (volume,) = log_uniform(generator, 0.005, MAX_VOLUME_STRAIN, 1)
    (strain,) = log_uniform(generator, 0.02 * max_strain, max_strain, 1)
    waves.jumps *= _scale(path.volume_strain(MEASURED_FRACTIONS), volume, duration)
    flow.strains *= _scale(_equivalent(flow.log_strain(MEASURED_FRACTIONS)), strain, duration)
    # The shear of the waves comes on top of the flow: shrink their sum where it passes the bound.
    excess = min(1.0, _scale(_equivalent(path.log_strain(MEASURED_FRACTIONS)), max_strain, duration))
    path.wave_shears *= excess
    flow.strains *= excess
    return path


def _draw_waves(generator: np.random.Generator) -> Waves:
    count = int(generator.integers(1, 6))
    arrivals = generator.random(count)
    # The first front comes early, or most of a path would be at rest; it mostly compresses.
    arrivals[0] = 0.3 * generator.random() ** 2
    levels = generator.uniform(-1.0, 1.0, count)
    levels[0] = -abs(levels[0]) if generator.random() < 0.7 else levels[0]
    arrivals.sort()
    return Waves(
        arrivals=arrivals,
        rises=log_uniform(generator, 0.01, 0.1, count),
        jumps=np.diff(levels, prepend=0.0),
        ringing=0.5 * generator.random(count),
        periods=log_uniform(generator, 0.03, 0.3, count),
        decays=log_uniform(generator, 0.05, 0.5, count),
    )


def _draw_flow(generator: np.random.Generator, first_arrival: float, dimension: int) -> Flow:
    count = int(generator.integers(1, 5))
    starts = first_arrival + (1.0 - first_arrival) * np.sort(generator.random(count)) * 0.8
    starts[0] = first_arrival
    axes = np.empty((count, dimension, dimension))
    axes[0] = unit_deviator(generator, dimension)
    for k in range(1, count):
        axes[k] = axes[k - 1] + generator.uniform(0.0, 1.5) * unit_deviator(generator, dimension)
        axes[k] /= np.linalg.norm(axes[k])
    sizes = generator.uniform(0.2, 1.0, count)
    if count > 1 and generator.random() < 0.3:
        sizes[-1] *= -0.5
    decays = log_uniform(generator, 0.03, 1.0, count)
    return Flow(starts, decays, sizes[:, None, None] * axes)


def _unit_vectors(generator: np.random.Generator, count: int, dimension: int) -> FloatArray:
    vectors = generator.normal(size=(count, dimension))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _equivalent(H: FloatArray) -> FloatArray:
    """Return sqrt(2/3) H componentwise; its norm is the equivalent strain. Flattened to (n, d^2)."""
    return np.sqrt(2.0 / 3.0) * H.reshape(len(H), -1)


def _scale(values: FloatArray, largest: float, duration: float) -> float:
    """Return the factor that takes a history (n, ...) to a ``largest`` norm, or its rate to the bound."""
    values = values.reshape(len(values), -1)
    peak = np.linalg.norm(values, axis=1).max()
    step = np.linalg.norm(np.diff(values, axis=0), axis=1).max()
    rate = step * (len(values) - 1) / duration
    return float(min(largest / peak, MAX_RATE / rate))
