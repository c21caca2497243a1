"""The paper's figures: each script runs at a tiny size, and its measurements find what is put in."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "demos" / "paper"))

import figure4
import figure6
from beside_taylor import beside_taylor
from figure3 import figure3
from figure5 import figure5
from profiles import profiles
from runs import ELASTIC_SPEED, farthest, speed
from table1 import PAPER, markdown, table1

PICTURE_LIMIT = 300_000


def test_a_front_is_found_between_places_and_its_speed_is_its_slope():
    place = np.linspace(0.0, 5.0, 101)
    times = np.linspace(0.1, 1.0, 19)
    profile = np.clip((2.5 * times[:, None] - place) / 0.2 + 0.5, 0.0, 1.0)  # half height at 2.5 t
    front = farthest(place, -profile, 0.5)
    np.testing.assert_allclose(front, 2.5 * times, atol=1e-12)
    assert speed(times, front, 0.3, 0.9) == pytest.approx(2.5, rel=1e-9)
    assert np.isnan(farthest(place, np.ones((1, 101)), 0.5)).all()
    assert np.isnan(speed(times, front, 2.0, 3.0))


def test_figure_3_measures_the_elastic_front_and_the_release(tmp_path):
    figures = figure3(output=tmp_path, fast=True)
    assert json.loads((tmp_path / "figure3.json").read_text()) == figures
    elastic, learned = figures["elastic_law"], figures["learned_law"]
    # 17 elements along the bar: the front is spread over as much as the bar is thick.
    assert elastic["front_half_height_mm_per_us"] == pytest.approx(ELASTIC_SPEED, rel=0.1)
    assert learned["front_half_height_mm_per_us"] < elastic["front_half_height_mm_per_us"]
    assert 0.15 < elastic["release_at_the_axis_us"] < 0.3
    assert (tmp_path / "figure3.png").stat().st_size < PICTURE_LIMIT


def test_figure_4_shows_more_deformation_at_more_velocity(tmp_path, monkeypatch):
    monkeypatch.setattr(figure4, "VELOCITIES", (100.0, 300.0))
    monkeypatch.setattr(figure4, "DIAMETERS", {"H/D = 2.5": 2.0})
    figures = figure4.figure4(output=tmp_path, fast=True)
    assert figures["100 m/s"]["foot_radius_mm"] < figures["300 m/s"]["foot_radius_mm"]
    assert figures["100 m/s"]["max_e_d"] < figures["300 m/s"]["max_e_d"]
    assert (tmp_path / "figure4.png").stat().st_size < PICTURE_LIMIT


def test_figure_5_sees_the_wave_reach_the_rear_face(tmp_path):
    figures = figure5(output=tmp_path, fast=True)
    assert 0.2 < figures["wave_at_the_rear_us"] < 0.5
    # A free face is thrown off at most at twice the velocity behind the wave.
    assert 200.0 < figures["largest_velocity_of_the_rear_m_per_s"] < 450.0
    assert 1.0 < figures["radial_front_mm_per_us"] < 3.5
    assert (tmp_path / "figure5.png").stat().st_size < PICTURE_LIMIT


def test_figure_6_sees_a_thin_plate_leave_the_projectile(tmp_path, monkeypatch):
    monkeypatch.setattr(figure6, "VELOCITIES", (200.0,))
    monkeypatch.setattr(figure6, "THICKNESSES", {1.0: 4, 0.5: 2})
    figures = figure6.figure6(output=tmp_path, fast=True)
    assert figures["0.5 mm"]["gap_at_the_centre_mm"] > figures["1 mm"]["gap_at_the_centre_mm"] >= -1e-9
    for study in ("velocity", "thickness"):
        assert (tmp_path / f"figure6_{study}.png").stat().st_size < PICTURE_LIMIT


def test_surrogate_stands_beside_the_polycrystal_it_learnt(tmp_path):
    """Coarse meshes, for the time of a wave."""
    figures = beside_taylor(output=tmp_path, velocities=(200.0,), end_time=0.3, fast=True)
    assert set(figures) == {"anvil at 200 m/s", "plate at 200 m/s"}
    for figure in figures.values():
        assert 0.0 < figure["displacement"] < 0.01
        assert 0.0 < figure["von_mises"] < 0.05
    assert figures["anvil at 200 m/s"]["final_length_mm"] < 0.005
    assert (tmp_path / "beside_taylor.png").stat().st_size < PICTURE_LIMIT


def test_profiles_of_all_laws_are_compared_with_the_polycrystal(tmp_path):
    figures = profiles(output=tmp_path, grains=8, end_time=0.5, fast=True)
    assert figures["taylor"]["distance_of_profile"] == 0.0
    assert all(0.0 < figures[law]["distance_of_profile"] < 0.5 for law in ("learned", "johnson-cook", "j2"))
    assert (tmp_path / "profiles.png").stat().st_size < PICTURE_LIMIT


def test_table_1_stands_beside_the_paper_and_adds_up(tmp_path):
    figures = table1(output=tmp_path, grains=8, resolution=4, end_time=0.1, repeats=2, fast=True)
    text = (tmp_path / "table1.md").read_text()
    assert text == markdown(figures)
    assert "| 50 |" in text
    assert text.count("\n| ") == 1 + len(PAPER) + 2 + 1
    for law in ("johnson-cook", "learned", "taylor"):
        cost = figures["online"][law]["anvil"]
        assert 0.0 < cost["law_seconds"] < cost["seconds"]
        expected = 1e6 * cost["seconds"] / cost["steps"] / cost["elements"]
        assert cost["us_per_element_step"] == pytest.approx(expected)
        assert cost["fastest_seconds"] <= cost["seconds"]
    assert figures["offline"]["learned"]["data_seconds"] > 0.0
