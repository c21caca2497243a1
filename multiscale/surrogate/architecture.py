"""Sizes and constants of the recurrent surrogate: one place for Python and for the C kernels.

The kernels of training (recurrent_training.c) and of the law (multiscale/laws/learned_kernel.c) are compiled
with them; what they mean is told in recurrent.py, increments.py and substeps.py.
"""

from __future__ import annotations

from dataclasses import dataclass

DEVIATOR = 5
"""Components of a deviator."""
FEATURES = 20
"""What the network reads of a step."""
DIRECTION = 13
"""Where the direction of the step, a deviator, begins among the features."""
FOLLOWED = 3
"""Tensors the targets of elastic strains may follow."""
STRAIN_SCALE = 1.0 / 64.0
"""Strains are counted in this unit: about the elastic strain at which magnesium flows, and a power of two."""
SLOWEST_RATE, FASTEST_RATE = 1e-3, 1e2
"""Strain rates beyond are not told apart, 1/us; this keeps those of zero and instantaneous steps finite."""
SHORTEST_MEMORY = 1e-3
"""Shortest memory, in strain scales: its inverse bounds the rates, which are else exponentials."""
LARGEST_STEP = 0.01
"""Longest step of the surrogate, as the norm of the isochoric strain increment."""
MOST_PARTS = 32
"""Steps are cut into this many at most: a jump is elastic to begin with, however large."""


@dataclass(frozen=True)
class Architecture:
    """Size of a recurrent surrogate.

    Attributes:
        groups: Groups of grains with an elastic strain each.
        internal: Number of other learnt internal variables.
        hidden: Width of the two hidden layers.
    """

    groups: int = 4
    internal: int = 36
    hidden: int = 112

    @property
    def elastic(self) -> int:
        """Components of the elastic strains."""
        return DEVIATOR * self.groups

    @property
    def states(self) -> int:
        """Variables the network advances: the elastic strains and the internal ones."""
        return self.elastic + self.internal

    @property
    def invariants(self) -> int:
        """Products of elastic strains, direction of the step and strain, which the network reads."""
        return 3 * self.groups + 1

    @property
    def rates(self) -> int:
        """Rates: one a group and one an internal variable."""
        return self.groups + self.internal

    @property
    def layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the matrices, in the order in which the kernels have them.

        Targets are those of all variables, and the coefficients with which those of groups follow tensors.
        """
        return {
            "input": (FEATURES + self.states + self.invariants, self.hidden),
            "between": (self.hidden, self.hidden),
            "rates": (self.hidden, self.rates),
            "targets": (self.hidden, self.states + FOLLOWED * self.groups),
        }

    @property
    def defines(self) -> dict[str, int | float]:
        """What the C kernels are compiled with."""
        return {
            "GROUPS": self.groups,
            "INTERNAL": self.internal,
            "HIDDEN": self.hidden,
            "ELASTIC": self.elastic,
            "STATES": self.states,
            "INVARIANTS": self.invariants,
            "INPUTS": self.layers["input"][0],
            "RATES": self.rates,
            "TARGETS": self.layers["targets"][1],
            "DEVIATOR": DEVIATOR,
            "FEATURES": FEATURES,
            "DIRECTION": DIRECTION,
            "FOLLOWED": FOLLOWED,
            "STRAIN_SCALE": STRAIN_SCALE,
            "SLOWEST_RATE": SLOWEST_RATE,
            "FASTEST_RATE": FASTEST_RATE,
            "SHORTEST_MEMORY": SHORTEST_MEMORY,
            "LARGEST_STEP": LARGEST_STEP,
            "MOST_PARTS": float(MOST_PARTS),
        }
