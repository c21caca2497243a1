"""Smooth stretch histories from rest, and the steps the recurrent surrogate sees of them."""

import numpy as np
import torch

from multiscale.surrogate.recurrent.increments import Increments, increments

PATHS, SAMPLES = 64, 9


def stretches(seed: int = 0, paths: int = PATHS, samples: int = SAMPLES, size: float = 0.2) -> np.ndarray:
    """Smooth stretch histories from rest, (paths, samples, 3, 3)."""
    A, B = np.random.default_rng(seed).standard_normal((2, paths, 1, 3, 3)) * size
    t = np.linspace(0.0, 1.0, samples)[None, :, None, None]
    H = t * A + np.sin(np.pi * t) * B
    return np.eye(3) + 0.5 * (H + np.swapaxes(H, 2, 3)) / 2


def steps_of(U: np.ndarray, dt: float = 0.05) -> Increments:
    """Steps of stretches (paths, samples, 3, 3), of dt us each."""
    tensor = torch.from_numpy(U).transpose(0, 1)
    return increments(tensor, torch.full((U.shape[1] - 1, U.shape[0]), dt, dtype=torch.float64))
