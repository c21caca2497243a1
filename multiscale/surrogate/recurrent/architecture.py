"""Sizes and constants of the recurrent surrogate: one place for Python and for the C kernels.

The kernels of training (recurrent_training.c) and of the law (learned_kernel.c), which share the source of a
step (recurrent_step.h), are compiled with them; what they mean is told in network.py, increments.py and
substeps.py.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from microscale.errors import InputError
from microscale.files.schema import STRICT
from microscale.inputs.memory import stack_bytes

Size = Annotated[int, Field(ge=1, le=2**16)]
SizeOrZero = Annotated[int, Field(ge=0, le=2**16)]
Flag = Annotated[int, Field(ge=0, le=1)]
Precision = Literal["single", "double"]
"""Of the products of a network; what a point keeps is in double precision."""
DEVIATOR = 5
"""Components of a deviator."""
FEATURES = 20
"""What is known of a step: strain, direction, rate and size."""
DIRECTION = 13
"""Where the direction of the step, a deviator, begins among the features."""
OF_STEP = 3
"""Tensors of a step: its direction, and the odd and the even strain."""
PRODUCTS = 5
"""Products of the direction, the strain and the mean elastic strain with each other."""
PLAIN = 5
"""Scalars of a step: ln m, rate, size, and the traces of the odd and the even strain."""
OF_TEXTURE = 27
"""Numbers of a texture, see microscale.crystals.texture.moments."""
TEXTURE_PRODUCTS, TEXTURE_SCALARS = 24, 22
"""What a texture adds: products with its tensor of order 2 and what those of order 4 and 6 make of
deviators, and scalars of step and texture."""
OF_ORDER_SIX = 8
"""The last products, with the tensor of order 6: read with elastic strains and not with other tensors."""
TEXTURE_MAPS, COMPONENTS_OF_SIX = 4, 35
"""Maps of deviators that a texture makes, and components of its tensor of order 6 between deviators."""
STRAIN_SCALE = 1.0 / 64.0
"""Strains are counted in this unit: about the elastic strain at which magnesium flows, and a power of two."""
SLOWEST_RATE, FASTEST_RATE = 1e-3, 1e2
"""Strain rates beyond are not told apart, 1/us; this keeps those of zero and instantaneous steps finite."""
SHORTEST_MEMORY = 1e-3
"""Shortest memory, in strain scales: its inverse bounds the rates, which are else exponentials."""
LARGEST_STEP = 0.01
"""Longest step of the surrogate, as the norm of the isochoric strain increment."""
LONGEST_UNDER_STRESS = 0.01
"""Longest step in time under stress of a surrogate of holds: us times the cube of the elastic strain over its
scale, times the share of time in what passes."""
STRAIN_AS_TIME = 0.3
"""What a strain of one scale counts in that, beside the time under stress, us."""
MOST_PARTS = 64
"""Steps are cut into this many at most: a jump is elastic to begin with, however large."""
ROW = 128
"""Bytes of one number of a block of points or paths in the precision of the network."""
FLAGS = ("texture", "holds")
"""What of an architecture is no size."""
STACK_SHARE = 0.75
"""Share of a thread's stack that a kernel may take."""


@dataclass(frozen=True)
class Architecture:
    """Size of a recurrent surrogate.

    Attributes:
        groups: Groups of grains with an elastic strain each.
        tensors: Number of other deviators the state holds.
        scalars: Number of scalars the state holds.
        hidden: Width of the two hidden layers.
        texture: One where the network is told the texture of the polycrystal, else zero.
        holds: One where steps are cut by the time under stress too, else zero.
    """

    __pydantic_config__ = STRICT

    groups: Size = 4
    tensors: SizeOrZero = 6
    scalars: SizeOrZero = 6
    hidden: Size = 80
    texture: Flag = 0
    holds: Flag = 0

    def require_served(self) -> None:
        """Refuse sizes that the kernels cannot hold.

        Raises:
            InputError: A size is too large; it says how large each may be beside the others.
        """
        if self.stack > STACK_SHARE * stack_bytes():
            sizes = {name: size for name, size in vars(self).items() if name not in FLAGS}
            given = ", ".join(f"--{name} {size}" for name, size in sizes.items())
            largest = {name: self._largest(name) for name in sizes}
            served = " or ".join(f"--{name} {size}" for name, size in largest.items() if size)
            raise InputError(
                f"{given}: too large for the stack of a kernel; largest served, the others as they are: "
                f"{served or 'none'}"
            )

    @property
    def told(self) -> dict[str, int]:
        """What a card tells of it: no flags that are not set, as the cards of before."""
        return {name: size for name, size in vars(self).items() if size or name not in FLAGS}

    def _largest(self, name: str) -> int:
        """Return the largest size of one kind that the kernels serve beside the others; 0 for none."""
        sizes = range(1, 2**20)
        served = STACK_SHARE * stack_bytes()
        return bisect_right(sizes, served, key=lambda size: replace(self, **{name: size}).stack)

    @property
    def stack(self) -> int:
        """Bytes of what a kernel holds of a block of points or paths.

        Inputs, layers and their gradients; and in the law, in double precision, the state before and after,
        and deviators as they are read, multiplied and combined.
        """
        tensors = DEVIATOR * (self.read + self.products + (2 + self.own) * self.deviators + self.basis)
        tensors += (DEVIATOR**2 * TEXTURE_MAPS + COMPONENTS_OF_SIX) * self.texture
        rows = 2 * self.inputs + 3 * self.hidden + self.rates + self.layers["targets"][1]
        return ROW * (rows + 2 * (2 * self.states + tensors))

    @property
    def deviators(self) -> int:
        """Deviators of the state: elastic strains, then the others."""
        return self.groups + self.tensors

    @property
    def states(self) -> int:
        """Numbers the network advances: components of the deviators, then the scalars."""
        return DEVIATOR * self.deviators + self.scalars

    @property
    def read(self) -> int:
        """Deviators the network reads: those of the state, of the step and of the texture."""
        return self.deviators + OF_STEP + self.texture

    @property
    def products(self) -> int:
        """Products of two deviators that are read and combined, and deviators that the texture has mapped."""
        return PRODUCTS + TEXTURE_PRODUCTS * self.texture

    @property
    def of_order_six(self) -> int:
        """The last of the products: with the tensor of order 6 of the texture."""
        return OF_ORDER_SIX * self.texture

    @property
    def own(self) -> int:
        """What a deviator of the state is multiplied with: the direction, and both tensors of the texture."""
        return 1 + 2 * self.texture

    @property
    def plain(self) -> int:
        """Scalars of step and texture."""
        return PLAIN + TEXTURE_SCALARS * self.texture

    @property
    def inputs(self) -> int:
        """Invariants the network reads.

        They are the scalars of the state, the inner products of its deviators with the products (but for
        the tensors with those of order 6) and with their own ones, of all deviators with each other, and the
        scalars of step and texture.
        """
        of_deviators = self.deviators * (self.products + self.own) - self.tensors * self.of_order_six
        return self.scalars + of_deviators + self.read * (self.read + 1) // 2 + self.plain

    @property
    def basis(self) -> int:
        """Tensors that targets combine: step, mean elastic strain, products, the state's, the texture's."""
        return OF_STEP + 1 + self.products + self.deviators + self.texture

    @property
    def coefficients(self) -> int:
        """Coefficients of a target: of the basis, and of the deviator's own products."""
        return self.basis + self.own

    @property
    def rates(self) -> int:
        """Rates: one a deviator and one a scalar."""
        return self.deviators + self.scalars

    @property
    def layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the matrices, in the order in which the kernels have them.

        Targets are the coefficients of those of deviators, one deviator after another, then those of scalars.
        """
        return {
            "input": (self.inputs, self.hidden),
            "between": (self.hidden, self.hidden),
            "rates": (self.hidden, self.rates),
            "targets": (self.hidden, self.deviators * self.coefficients + self.scalars),
        }

    @property
    def defines(self) -> dict[str, int | float]:
        """What the C kernels are compiled with; too large sizes are refused."""
        self.require_served()
        return {
            "GROUPS": self.groups,
            "TENSORS": self.tensors,
            "SCALARS": self.scalars,
            "HIDDEN": self.hidden,
            "DEVIATORS": self.deviators,
            "ELASTIC": DEVIATOR * self.groups,
            "STATES": self.states,
            "READ": self.read,
            "INPUTS": self.inputs,
            "BASIS": self.basis,
            "COEFFICIENTS": self.coefficients,
            "RATES": self.rates,
            "TARGETS": self.layers["targets"][1],
            "DEVIATOR": DEVIATOR,
            "FEATURES": FEATURES,
            "DIRECTION": DIRECTION,
            "OF_STEP": OF_STEP,
            "TEXTURE": self.texture,
            "OF_TEXTURE": OF_TEXTURE,
            "HOLDS": self.holds,
            "LONGEST_UNDER_STRESS": LONGEST_UNDER_STRESS,
            "STRAIN_AS_TIME": STRAIN_AS_TIME,
            "OF_STEP_ALONE": PLAIN,
            "PRODUCTS": self.products,
            "OF_ORDER_SIX": self.of_order_six,
            "TEXTURE_MAPS": TEXTURE_MAPS,
            "COMPONENTS_OF_SIX": COMPONENTS_OF_SIX,
            "OWN": self.own,
            "PLAIN": self.plain,
            "STRAIN_SCALE": STRAIN_SCALE,
            "SLOWEST_RATE": SLOWEST_RATE,
            "FASTEST_RATE": FASTEST_RATE,
            "SHORTEST_MEMORY": SHORTEST_MEMORY,
            "LARGEST_STEP": LARGEST_STEP,
            "MOST_PARTS": float(MOST_PARTS),
        }
