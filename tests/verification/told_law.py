"""The recurrent surrogate that is told a texture, of any weights: what is by construction is so for these."""

from dataclasses import replace

import numpy as np
import torch

from multiscale.surrogate.recurrent.architecture import OF_TEXTURE, Architecture, Precision
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.network import RecurrentSurrogate
from multiscale.surrogate.store import SHIPPED, read_surrogate

SIZES = Architecture(groups=3, tensors=2, scalars=4, hidden=12, texture=1)
FIBRE = np.eye(OF_TEXTURE)[2] * 0.6 + np.eye(OF_TEXTURE)[5 + 4] * 0.4
"""c axes about z."""


def law_of(
    surrogate: RecurrentSurrogate, precision: Precision = "double", texture: np.ndarray | None = None
) -> LearnedLaw:
    """Return the law of some weights, with the material and the range of the shipped ones."""
    _, card = read_surrogate(SHIPPED)
    weights = {name: tensor.numpy() for name, tensor in surrogate.state_dict().items()}
    return LearnedLaw(weights, replace(card, architecture=SIZES.told), precision=precision, texture=texture)


def told_law(precision: Precision = "double") -> LearnedLaw:
    """Return that of first weights, of a fibre texture."""
    torch.manual_seed(0)
    return law_of(RecurrentSurrogate(SIZES), precision, FIBRE)
