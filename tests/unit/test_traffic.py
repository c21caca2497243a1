"""Shared nodes counted on partitions one can count by hand, and the limits of the scaling model."""

import numpy as np
import pytest

from multiscale.dynamics.traffic import ScalingModel, Traffic, shared_nodes

TRAFFIC = Traffic(100, 100, 2, sum_bytes=136, minimum_bytes=12, minima=0.25)


def row_of_cells(count):
    """Cells side by side: cell k has the nodes 4 k to 4 k + 7."""
    return 4 * np.arange(count)[:, None] + np.arange(8)


def test_shared_nodes_of_a_row():
    nodes = row_of_cells(6)
    assert shared_nodes(nodes, np.zeros(6, int)) == (0, 0)
    assert shared_nodes(nodes, np.array([0, 0, 0, 1, 1, 1])) == (4, 1)
    assert shared_nodes(nodes, np.array([0, 0, 1, 1, 2, 2])) == (4, 2)
    # A part between two lower ones owns neither border.
    assert shared_nodes(nodes, np.array([0, 0, 2, 2, 1, 1])) == (8, 2)


def test_model_adds_up_on_two_ranks():
    model = ScalingModel(1e-6, latency=1e-6, bandwidth=1e9, surface=3.0, neighbours=10, traffic=TRAFFIC)
    halo = 2.0 * (1e-6 + 24 * 3.0 * 500 ** (2 / 3) / 1e9)
    sums = 1e-6 + 136e-9 + 0.25 * (1e-6 + 12e-9)
    assert model.step(1000, 2) == pytest.approx(500e-6 + halo + sums)
    assert model.step(1000, 1) == pytest.approx(1e-3)


def test_without_cost_of_messages_speed_up_is_the_number_of_ranks():
    free = ScalingModel(1e-6, latency=0.0, bandwidth=np.inf, surface=3.0, neighbours=10, traffic=TRAFFIC)
    assert free.speed_up(1e6, 64) == pytest.approx(64.0)
    assert free.weak_efficiency(1e4, 10_000) == pytest.approx(1.0)


def test_latency_bounds_the_speed_up():
    slow = ScalingModel(1e-7, latency=2e-6, bandwidth=1e10, surface=3.0, neighbours=14, traffic=TRAFFIC)
    best = max(slow.speed_up(5e4, 2**k) for k in range(14))
    assert 1.0 < best < 5e4 * 1e-7 / (2 * 14 * 2e-6 + 1e-6)
    assert slow.weak_efficiency(5e4, 10_000) < slow.weak_efficiency(5e4, 100) < 1.0
