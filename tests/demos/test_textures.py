"""The demos of textures run small and show what a rolled plate is known for."""

import json

import numpy as np
import pytest
from rolled_plate import AXES, rolled_plate
from texture_grains import texture_grains
from textured_anvil import textured_anvil

from microscale.errors import InputError
from multiscale import read_results
from multiscale.results.foot import foot_outline


def test_a_rolled_plate_is_soft_where_twins_open(tmp_path):
    found = rolled_plate(grains=16, directions=12, steps=30, strain=0.03, duration=300.0, output=tmp_path)
    rolled, _, none = (
        [one[f"compression over tension along {axis} at 2%"] for axis in AXES] for one in found.values()
    )
    assert max(rolled[:2]) < 0.95
    assert rolled[2] > 1.3
    assert np.ptp(none) < 0.1
    exact, told, network = found.values()
    assert not any(error for figure, error in exact.items() if "over" not in figure)
    assert network["yield surface"] > 0.1
    assert told["yield surface"] < network["yield surface"]
    assert all(
        10_000 < (tmp_path / f"{name}.png").stat().st_size < 300_000
        for name in ("yield_surface", "tension_compression", "pole_figures")
    )
    assert json.loads((tmp_path / "rolled_plate.json").read_text()) == found
    assert (
        f"| yield surface, off by | 0.0 % | {100.0 * told['yield surface']:.1f} % | "
        f"{100.0 * network['yield surface']:.1f} % |" in (tmp_path / "rolled_plate.md").read_text()
    )
    with pytest.raises(InputError, match=r"strain = 0\.01, expected at least 0\.02"):
        rolled_plate(strain=0.01, output=tmp_path)


def test_the_foot_of_a_textured_bar_is_oval(tmp_path):
    ovality = textured_anvil(elements=100, grains=8, end_time=0.6, output=tmp_path)
    assert ovality["textured"] > 2.0 * ovality["no_texture"]
    foot = foot_outline(read_results(tmp_path / "textured").results)
    assert foot.long > foot.short > 0.5
    assert abs(foot.angle) == pytest.approx(90.0, abs=5.0)
    assert (tmp_path / "pole_figures.png").stat().st_size > 10_000


def test_matched_grains_stand_better_than_drawn_ones(tmp_path):
    errors = texture_grains(
        textures=("rolled:15,25",), grains=(16,), reference=64, paths=2, steps=20, output=tmp_path
    )
    found = errors["rolled:15,25"]
    assert np.mean(found["16 matched"]) < 0.6 * np.mean(found["16 drawn"])
    assert json.loads((tmp_path / "texture_grains.json").read_text()) == errors
