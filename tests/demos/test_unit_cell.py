"""The unit-cell demo runs small, in both dimensions, and finds Taylor above the full field."""

import importlib

import pytest


@pytest.mark.parametrize(("law", "resolution"), [("fft2d", 16), ("fft3d", 6)])
def test_taylor_lies_above_the_full_field(law, resolution, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("unit_cell")
    stress = demo.unit_cell(law=law, resolution=resolution, strains=(0.01, 0.03), steps=15, output=tmp_path)
    assert (stress["full field"] < stress["taylor"]).all()
    assert (stress["full field"] > 0.05 * stress["taylor"]).all()
    for name in ("grains", "fields"):
        assert (tmp_path / f"{law}-{name}.png").stat().st_size > 5_000
