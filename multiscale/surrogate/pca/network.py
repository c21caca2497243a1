"""The paper's surrogate: principal components of U(t) and of the Cauchy stress, a SELU network between.

It maps whole histories to whole histories (eqs. 24-26). It is not causal by construction, and knows one
length of time unless T varies in its data: then ln T is one more input, since the material depends on the
rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from microscale.tensors import FloatArray, from_mandel, to_mandel
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.pca.components import PrincipalComponents
from multiscale.surrogate.store import Weights

IN_PLANE = np.array([1.0, 1.0, 2.0**0.5])
"""Weights of the components 11, 22, 12."""


class SeluNetwork(nn.Sequential):
    """psi of eq. (26): coefficients of stretch and ln T to coefficients of stress, each over its scale."""

    def __init__(self, architecture: PcaArchitecture) -> None:
        parts: list[nn.Module] = []
        for inputs, outputs in pairwise(architecture.widths):
            linear = nn.Linear(inputs, outputs)
            nn.init.normal_(linear.weight, std=inputs**-0.5)  # what keeps activations of SELU normalised
            nn.init.zeros_(linear.bias)
            parts += [linear, nn.SELU()]
        super().__init__(*parts[:-1])


@dataclass(frozen=True)
class PcaSurrogate:
    """Model reduction of both ends and the network between.

    Attributes:
        architecture: Sizes.
        stretch: Modes of U, component by component.
        stress: Modes of the Cauchy stress, component by component.
        stress_scale: GPa per unit of the network's outputs.
        time_scale: Unit of T in the logarithm that the network reads, us.
        bulk: 2 lambda_e, GPa, where the mean stress is not learnt, else zero.
        network: From coefficients to coefficients.
    """

    architecture: PcaArchitecture
    stretch: PrincipalComponents
    stress: PrincipalComponents
    stress_scale: float
    time_scale: float
    bulk: float
    network: SeluNetwork

    def arrays(self) -> Weights:
        """Return weights and modes by the names they are stored under."""
        modes = {
            "fractions": self.stretch.fractions,
            "stretch_modes": self.stretch.modes,
            "stress_modes": self.stress.modes,
            "stress_scale": np.array([self.stress_scale]),
            "time_scale": np.array([self.time_scale]),
        }
        return {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()} | modes

    def inputs(self, times: FloatArray, stretch: FloatArray) -> FloatArray:
        """Return what the network reads of paths, shape (paths, coefficients + 1)."""
        coefficients = self.stretch.project(packed(stretch), fractions_of(times))
        durations = np.log(times[:, -1:] / self.time_scale)
        return np.concatenate([coefficients.reshape(len(times), -1), durations], axis=1)

    def predict(self, times: FloatArray, stretch: FloatArray) -> FloatArray:
        """Return the Cauchy stress, shape as the stretch, GPa.

        Args:
            times: Shape (paths, samples), us; all paths are sampled at the same fractions of their T.
            stretch: U, shape (paths, samples, 3, 3), or (paths, samples, 2, 2) in the plane.
        """
        device = next(self.network.parameters()).device
        with torch.no_grad():
            outputs = self.network(torch.from_numpy(self.inputs(times, stretch)).float().to(device))
        coefficients = outputs.double().cpu().numpy().reshape(len(times), self.architecture.components, -1)
        learnt = self.stress_scale * self.stress.lift(coefficients, fractions_of(times))
        return unpacked(learnt) + mean_stress(stretch, self.bulk)


def mean_stress(stretch: FloatArray, bulk: float) -> FloatArray:
    """Return ``bulk`` (J - 1) I of stretches (..., d, d), GPa; plane strain is meant in the plane."""
    return bulk * (np.linalg.det(stretch) - 1.0)[..., None, None] * np.eye(stretch.shape[-1])


def packed(A: FloatArray) -> FloatArray:
    """Return Mandel vectors of symmetric tensors, shape (..., 6), or (..., 3) in the plane."""
    return to_mandel(A) if A.shape[-1] == 3 else A[..., [0, 1, 0], [0, 1, 1]] * IN_PLANE


def unpacked(a: FloatArray) -> FloatArray:
    """Return the symmetric tensors of such components, (..., 3, 3) or (..., 2, 2)."""
    if a.shape[-1] == 6:
        return from_mandel(a)
    return (a / IN_PLANE)[..., [0, 2, 2, 1]].reshape(*a.shape[:-1], 2, 2)


def fractions_of(times: FloatArray) -> FloatArray:
    """Return the common instants of paths (paths, samples) as fractions of T, shape (samples,).

    Raises:
        ValueError: The paths are not sampled at the same fractions.
    """
    fractions = times / times[:, -1:]
    if np.abs(fractions - fractions[0]).max() > 1e-9:
        raise ValueError("paths are sampled at different fractions of their duration; resample them")
    return np.asarray(fractions[0])
