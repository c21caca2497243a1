"""Sizes of the paper's surrogate, known without torch: the law of a simulation reads them too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from microscale.errors import InputError
from microscale.files.schema import STRICT
from multiscale.surrogate.recurrent.architecture import Size
from multiscale.surrogate.store import Weights, finite_array


@dataclass(frozen=True)
class PcaArchitecture:
    """Size of the paper's surrogate.

    Attributes:
        modes: Principal components of each tensor component, of stretch and of stress.
        hidden: Width of the hidden layers.
        layers: Number of hidden layers.
        components: Independent components of a tensor: 6, or 3 in the plane.
        exact_pressure: Whether the mean stress 2 lambda_e (J - 1) is computed, and the rest learnt; the paper
            learns all of the stress.
    """

    __pydantic_config__ = STRICT

    modes: Size = 100
    hidden: Size = 1000
    layers: Annotated[int, Field(ge=1, le=100)] = 4
    components: Literal[3, 6] = 6
    exact_pressure: bool = False

    @property
    def coefficients(self) -> int:
        """Coefficients of a history."""
        return self.components * self.modes

    @property
    def widths(self) -> list[int]:
        """Inputs of the first layer, then outputs of each."""
        return [self.coefficients + 1, *[self.hidden] * self.layers, self.coefficients]

    def require_arrays(self, weights: Weights) -> None:
        """Refuse arrays that are not those of a surrogate of these sizes.

        Raises:
            InputError: One is missing, of another shape or not finite, the instants do not increase from 0 to
                1, or a scale is not positive.
        """
        for name, shape in self.shapes(np.size(weights.get("fractions", ()))).items():
            finite_array(weights, name, shape)
        fractions = weights["fractions"]
        ends = len(fractions) > 1 and fractions[0] == 0.0 and fractions[-1] == 1.0
        if not (ends and (np.diff(fractions) > 0.0).all()):
            raise InputError("array 'fractions' of the surrogate does not increase from 0 to 1")
        for name in ("stress_scale", "time_scale"):
            if not weights[name][0] > 0.0:
                raise InputError(
                    f"array '{name}' of the surrogate is {weights[name][0]}, expected more than zero"
                )

    def shapes(self, samples: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all arrays of the surrogate, with modes of so many samples, by their names."""
        shapes: dict[str, tuple[int, ...]] = {
            "stress_scale": (1,),
            "time_scale": (1,),
            "fractions": (samples,),
        }
        shapes |= dict.fromkeys(("stretch_modes", "stress_modes"), (self.components, self.modes, samples))
        for layer, (inputs, outputs) in enumerate(pairwise(self.widths)):
            shapes |= {f"{2 * layer}.weight": (outputs, inputs), f"{2 * layer}.bias": (outputs,)}
        return shapes
