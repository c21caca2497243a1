"""The crystal demo runs small and shows the mechanisms that magnesium is known for."""

import importlib

import numpy as np
import pytest

from microscale import TaylorPolycrystal, random_orientations
from microscale.crystals.crystal import read_crystal
from microscale.crystals.diagnostics import lattice_orientations, twin_orientations


def test_mechanisms_along_c(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("crystal_mechanisms")
    ends = demo.crystal_mechanisms(output=tmp_path, samples=61, grains=16)
    slow, fast, pressed = ends.values()
    assert max(slow, key=slow.get) == "tensile twins"
    assert max(fast, key=fast.get) == max(pressed, key=pressed.get) == "pyramidal <c+a>"
    assert pressed["tensile twins"] == 0.0
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("mechanisms.png", "texture.png"))


def test_lattice_turns_with_a_rigid_rotation_and_twins_keep_the_lattice():
    Q = random_orientations(3, 0)
    law = TaylorPolycrystal(Q)
    state = law.init_state(1)
    R = random_orientations(1, 1)
    lattice = lattice_orientations(R, Q, state["plastic_inverse"])
    np.testing.assert_allclose(lattice[0], R[0] @ Q, atol=1e-14)
    twins = twin_orientations(lattice, read_crystal())
    assert twins.shape == (1, 3, 6, 3, 3)
    # tensile twins turn c by 2 arctan(sqrt(3) / (c/a)) = 86.3 degrees, up to the sense of c
    cosine = np.abs(np.einsum("gi,gbi->gb", lattice[0, :, :, 2], twins[0, :, :, :, 2]))
    np.testing.assert_allclose(np.degrees(np.arccos(cosine)), 86.3, atol=0.1)
    with pytest.raises(ValueError, match=r"shape|match"):
        lattice_orientations(R, Q[:2], state["plastic_inverse"])
