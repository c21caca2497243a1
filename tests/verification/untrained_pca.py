"""The paper's surrogate with random weights: what its law promises holds before any training."""

from dataclasses import replace

import numpy as np
import torch

from multiscale.surrogate.pca.components import PrincipalComponents
from multiscale.surrogate.pca.network import PcaArchitecture, PcaSurrogate, SeluNetwork
from multiscale.surrogate.store import Card, Material, TrainingRange, Weights

MATERIAL = Material("magnesium, test", shear_modulus=25.0, lambda_e=24.0, density=10.0)
WIDE = TrainingRange(shape=2.0, strain_rate=1e3, smallest_volume=0.1, largest_volume=5.0)
ARCHITECTURE = PcaArchitecture(modes=5, hidden=20, layers=2)
DURATIONS = [1.0, 2.0]
STRESS_SCALE, TIME_SCALE = 3.0, 1.5


def untrained_pca(
    limits: TrainingRange = WIDE, exact_pressure: bool = False
) -> tuple[PcaSurrogate, Weights, Card]:
    """Return a surrogate, its arrays and its card; 41 samples a path."""
    torch.manual_seed(1)
    fractions = np.linspace(0.0, 1.0, 41)
    smooth = np.cos(np.pi * np.arange(8)[:, None] * fractions)
    histories = np.random.default_rng(2).standard_normal((2, 50, 6, 8)) @ smooth
    stretch, stress = (PrincipalComponents.of(np.swapaxes(h, 1, 2), fractions, 5) for h in histories)
    architecture = replace(ARCHITECTURE, exact_pressure=exact_pressure)
    network, bulk = SeluNetwork(architecture), 2.0 * MATERIAL.lambda_e if exact_pressure else 0.0
    surrogate = PcaSurrogate(architecture, stretch, stress, STRESS_SCALE, TIME_SCALE, bulk, network)
    card = Card("pca", vars(architecture), MATERIAL, limits, datasets=[{"duration_us": DURATIONS}])
    return surrogate, surrogate.arrays(), card
