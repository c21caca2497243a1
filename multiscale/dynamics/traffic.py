"""What the ranks send each other in a step: counted on a run, and modelled for others.

A step has two exchanges of nodes on the borders of ranks (displacements to the ghosts, forces of the ghosts
to their owners), one sum over all ranks, and every few steps one minimum. The model takes a message of b
bytes as latency + b / bandwidth, sums and minima as trees of the depth log2(ranks):

    step(N, ranks) = N / ranks  seconds_per_element
                     + 2 (neighbours latency + ghosts bytes / bandwidth)
                     + ceil(log2 ranks) (latency + bytes / bandwidth), sum and minimum

with ghosts = surface (N / ranks)^(2/3), as of compact parts. Nothing overlaps, and the load is even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NODE_BYTES = 3 * 8


@dataclass(frozen=True)
class Traffic:
    """What one rank sends in a step.

    Attributes:
        ghosts: Nodes of this rank that others own.
        copies: Copies that others hold of nodes of this rank.
        neighbours: Ranks it exchanges nodes with.
        sum_bytes: Bytes of the sum over all ranks.
        minimum_bytes: Bytes of the minimum over all ranks.
        minima: Minima in a step.
    """

    ghosts: int
    copies: int
    neighbours: int
    sum_bytes: int
    minimum_bytes: int
    minima: float

    @property
    def halo_bytes(self) -> int:
        """Bytes sent to neighbours: forces of the ghosts, displacements of what others copy."""
        return NODE_BYTES * (self.ghosts + self.copies)

    @property
    def reduced_bytes(self) -> float:
        """Bytes given to sums and minima."""
        return self.sum_bytes + self.minima * self.minimum_bytes


def shared_nodes(nodes: NDArray[np.integer], part: NDArray[np.integer]) -> tuple[int, int]:
    """Return the largest number of ghosts, and of neighbours, of a part, for a partition of a mesh.

    A node belongs to the lowest of its parts and is a ghost of the others.

    Args:
        nodes: Nodes of each cell, shape (cells, nodes of a cell).
        part: Part of each cell, shape (cells,).
    """
    pairs = np.unique(np.stack([nodes.ravel(), np.repeat(part, nodes.shape[1])], axis=1), axis=0)
    first = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    owner = np.repeat(pairs[first, 1], np.diff(np.append(first, len(pairs))))
    is_ghost = pairs[:, 1] != owner
    ghosts = np.bincount(pairs[is_ghost, 1], minlength=1)
    meets = np.unique(np.stack([pairs[is_ghost, 1], owner[is_ghost]], axis=1), axis=0)
    both = np.unique(np.concatenate([meets, meets[:, ::-1]]), axis=0)
    return int(ghosts.max()), int(np.bincount(both[:, 0], minlength=1).max())


@dataclass(frozen=True)
class ScalingModel:
    """Seconds of a step on any number of ranks.

    Attributes:
        seconds_per_element: Of a step, on one rank.
        latency: Seconds of an empty message.
        bandwidth: Bytes a second.
        surface: Ghosts of a part of n elements over n^(2/3).
        neighbours: Neighbours of a part.
        traffic: Gives the sizes of sums and minima.
    """

    seconds_per_element: float
    latency: float
    bandwidth: float
    surface: float
    neighbours: int
    traffic: Traffic

    def step(self, elements: float, ranks: int) -> float:
        """Return the seconds of a step of a mesh of ``elements``."""
        each = elements / ranks
        seconds = each * self.seconds_per_element
        if ranks > 1:
            neighbours = min(self.neighbours, ranks - 1)
            ghosts = self.surface * each ** (2.0 / 3.0)
            seconds += 2.0 * (neighbours * self.latency + NODE_BYTES * ghosts / self.bandwidth)
            traffic, depth = self.traffic, int(np.ceil(np.log2(ranks)))
            for share, size in ((1.0, traffic.sum_bytes), (traffic.minima, traffic.minimum_bytes)):
                seconds += share * depth * (self.latency + size / self.bandwidth)
        return seconds

    def speed_up(self, elements: float, ranks: int) -> float:
        """Return how many times faster ``ranks`` are than one, for the same mesh."""
        return self.step(elements, 1) / self.step(elements, ranks)

    def weak_efficiency(self, elements_each: float, ranks: int) -> float:
        """Return a step of one rank over a step of ``ranks``, with as many elements on each."""
        return self.step(elements_each, 1) / self.step(elements_each * ranks, ranks)
