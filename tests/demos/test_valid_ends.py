"""The anvil stays valid past where one-point cells used to fold; the judge of the demo finds what is not."""

import h5py
import numpy as np
import pytest
from valid_ends import judge, valid_ends

from microscale.errors import DeformationError
from multiscale.results.vtkhdf import Results

COARSE = {"laws": ("johnson-cook",), "velocities": (400.0,), "cells": 100}


def test_a_fast_anvil_of_one_point_cells_stays_valid(tmp_path):
    """Before the spring on corner volumes 4 cells were folded at 3 us, and nodes below the wall."""
    row = valid_ends(**COARSE, elements=("hex8-one-point",), end_time=4.0, output=tmp_path)[0]
    assert (row["end"], row["message"]) == ("valid", "")
    reached, worst, lowest = judge(Results(next(tmp_path.glob("*/results.vtkhdf"))))
    assert reached == pytest.approx(4.0)
    assert worst > 0.1
    assert lowest > -1e-12
    again = valid_ends(**COARSE, elements=("hex8-one-point",), end_time=4.0, output=tmp_path)
    assert len(again) == 1


@pytest.mark.parametrize("element", ["hex8-fbar", "tet10"])
def test_the_judge_finds_a_folded_cell_and_a_node_below_the_wall(tmp_path, element):
    valid_ends(**COARSE, elements=(element,), end_time=0.1, output=tmp_path)
    path = next(tmp_path.glob("*/results.vtkhdf"))
    assert judge(Results(path))[1] > 0.5
    results = Results(path)
    cell = results.cells[len(results.cells) // 2]
    node = cell[0]
    with h5py.File(path, "r+") as file:
        u = file["VTKHDF/PointData/displacement_mm"]
        row = len(u) - len(results.points) + node
        u[row] = 2.0 * (results.points[cell].mean(axis=0) - results.points[node])
        u[len(u) - len(results.points) + int(results.points[:, 2].argmin())] = (0.0, 0.0, -0.01)
    _, worst, lowest = judge(Results(path))
    assert worst < 0.0
    assert lowest == pytest.approx(-0.01)


def test_an_invalid_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("valid_ends.judge", lambda results: (0.1, -1.0, 0.0))
    with pytest.raises(DeformationError, match="1 runs ended invalid"):
        valid_ends(**COARSE, elements=("hex8-one-point",), end_time=0.1, output=tmp_path)
    assert np.char.find((tmp_path / "valid_ends.csv").read_text(), "INVALID") > 0
