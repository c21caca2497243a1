"""The demos of the unit cell run small: beside Taylor, at quadrature points, and into data sets."""

import importlib

import pytest
from matplotlib import pyplot as plt

from microscale.errors import InputError


@pytest.mark.parametrize(("law", "resolution"), [("fft2d", 16), ("fft3d", 6)])
def test_taylor_lies_above_the_full_field(law, resolution, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell")
    stress = demo.unit_cell(law=law, resolution=resolution, strains=(0.01, 0.03), steps=15, output=tmp_path)
    assert (stress["full field"] < stress["taylor"]).all()
    assert (stress["full field"] > 0.05 * stress["taylor"]).all()
    for name in ("grains", "fields"):
        colours = plt.imread(tmp_path / f"{law}-{name}.png")[..., :3]
        assert colours.std(axis=2).max() > 0.2  # something is drawn that is not grey


def test_only_orthogonal_slip_systems_lock(tmp_path, monkeypatch):
    """At 45 degrees the systems have two modes of plastic strain: grains fit together, and Taylor is near."""
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell")
    size = {"resolution": 8, "strains": (0.03,), "steps": 10, "output": tmp_path}
    far, near = (demo.unit_cell(second_system=angle, **size) for angle in (90.0, 45.0))
    assert far["full field"] < 0.5 * far["taylor"]
    assert 0.9 * near["taylor"] < near["full field"] < near["taylor"]


def test_an_impact_with_a_unit_cell_at_every_point_flows_and_keeps_its_energy(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("concurrent_fft")
    cost = demo.concurrent_fft(cells=4, resolution=6, end_time=0.5, memory=3, output=tmp_path)
    assert cost["points"] == 16
    assert cost["steps"] >= 3
    assert abs(cost["energy_error"]) < 0.02
    assert cost["largest_equivalent_strain"] > 0.01
    assert 2.0 <= cost["iterations"] < 20.0
    assert (tmp_path / "cell.png").stat().st_size > 5_000


def test_alternation_and_hourglasses_fade_with_refinement(monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell_refinement")
    found = demo.refinement(resolution=(16, 32), derivative=("enriched",), steps=40)
    coarse, fine = found["enriched", 16], found["enriched", 32]
    assert (fine[:, 1:] < coarse[:, 1:]).all()


def test_the_mean_stress_along_random_paths_converges_with_the_grid(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell_convergence")
    found = demo.convergence(resolution=(16, 32, 64), paths=2, output=tmp_path)
    total, deviatoric = found["distance"].mean(axis=1).T
    assert total[1] < 0.7 * total[0]
    assert deviatoric[1] < 0.7 * deviatoric[0]
    assert (found["alternation"][1:, :, 0] < found["alternation"][:-1, :, 0]).all()
    assert (tmp_path / "enriched.png").stat().st_size > 5_000


def test_with_two_modes_of_plastic_strain_no_stress_alternates(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell_convergence")
    found = demo.convergence(resolution=(32,), paths=1, second_system=60.0, output=tmp_path)
    share, power, *_ = found["alternation"][0].T
    assert (share < 0.3).all()
    assert (power < 0.3).all()  # the same cell with one mode: up to 1.05


def test_kinks_follow_the_lattice_and_leave_no_checkerboard(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell_kinks")
    ours, rotated = (
        demo.kinks(resolution=32, derivative=derivative, output=tmp_path)[0.1]
        for derivative in ("enriched", "rotated")
    )
    for field in ("deformation gradient", "stress, middles"):
        assert (ours[field] < 0.4 * rotated[field]).all(), field
    size, ratio, cosine = ours["jumps"]
    assert size > 0.05
    assert ratio < 0.4
    assert cosine > 0.95
    assert (tmp_path / "enriched-90.png").stat().st_size > 5_000


def test_a_data_set_is_made_once_and_a_wrong_name_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend("demos/paper")
    demo = importlib.import_module("data")
    made = demo.data("taylor16_R05", scale=0.01, output=tmp_path)
    assert list(made) == ["taylor16_R05"]
    before = made["taylor16_R05"].stat().st_mtime_ns
    demo.data("taylor16_R05", scale=0.02, output=tmp_path)
    assert made["taylor16_R05"].stat().st_mtime_ns == before
    assert "kept, 2 paths" in capsys.readouterr().out
    with pytest.raises(InputError, match="unknown data set 'R11'"):
        demo.data("R11", output=tmp_path)


@pytest.mark.parametrize("derivative", ["stabilised", "enriched"])
def test_compressed_cells_keep_their_volume(derivative, monkeypatch):
    """Path 4 of this seed compresses the cell to 0.75, under which both used to collapse."""
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell_compressed")
    lost, stretch, calls = demo.compressed(
        seed=(880088,), paths=5, resolution=6, derivative=derivative, steps=100
    ).T
    assert len(lost) == 5
    assert lost.max() < 1e-3
    assert stretch.max() < 3.0
    assert calls.max() < 8.0
