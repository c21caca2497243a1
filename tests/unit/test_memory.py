"""Bytes counted are those of the arrays that are there, each once."""

from types import SimpleNamespace

import numpy as np

from multiscale.dynamics.memory import array_bytes


def test_views_count_once_and_containers_are_looked_into():
    whole = np.zeros((10, 3))
    one = SimpleNamespace(whole=whole, view=whole[2:5], rest=[np.zeros(4, np.int32)], name="no array")
    other = SimpleNamespace(same=whole.reshape(-1), state={"a": np.zeros(7)})
    assert array_bytes([one, other]) == 240 + 16 + 56
