"""Sectors about the axis of impact: even, and each with its part of every layer."""

import numpy as np
import pytest

from meshes.partition import sectors


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 16])
def test_sectors_are_even_and_reach_through_all_layers(parts):
    rng, layers = np.random.default_rng(0), 10
    angle, radius = rng.uniform(-np.pi, np.pi, 500), np.sqrt(rng.uniform(0.0, 1.0, 500))
    column = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    centres = np.concatenate([np.insert(column, 2, z, axis=1) for z in range(layers)])
    part = sectors(centres, parts)
    counts = np.bincount(part, minlength=parts)
    assert counts.max() - counts.min() <= 1
    for z in range(layers):
        here = np.bincount(part[centres[:, 2] == z], minlength=parts)
        assert here.max() - here.min() <= 2


def test_an_empty_rank_asks_for_nothing():
    assert sectors(np.empty((0, 3)), 4).shape == (0,)
