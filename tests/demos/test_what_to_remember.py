"""The demos of what a surrogate must remember measure what they say, on a small scale."""

import json

import numpy as np
import pytest
from forgetting import forgetting, turn_lattices
from scipy.spatial.transform import Rotation
from slow_paths import slow_paths

from microscale import TaylorPolycrystal, drive
from microscale.errors import InputError
from microscale.paths.protocols import StrainPaths


def test_orientation_is_what_a_polycrystal_must_remember(tmp_path):
    found = forgetting(paths=4, grains=16, samples=(60,), draws=4, output=tmp_path)
    assert found["lattice within 20 degrees"] > found["lattice within 5 degrees"]
    assert found["lattice within 20 degrees"] > found["slip of each grain"] > [0.0]
    assert (
        json.loads((tmp_path / "forgetting.json").read_text())["lattice about c"] == found["lattice about c"]
    )
    assert 1000 < (tmp_path / "forgetting.png").stat().st_size < 300_000


def test_a_turned_lattice_has_the_same_stress_at_first():
    """Elasticity is isotropic; only flow knows the lattice."""
    law = TaylorPolycrystal(threads=1)
    state, stress = law.init_state(1), np.empty((2, 1, 3, 3))
    F = np.diag([1.05, 0.98, 0.98])[None]
    law.update(F, 0.01, state, stress[0])
    turn_lattices(state, Rotation.random(law.grains, random_state=0))
    law.update(F, 0.0, state, stress[1])
    np.testing.assert_allclose(stress[1], stress[0], rtol=1e-9, atol=1e-12)
    law.update(F, 0.1, state, stress[1])
    assert np.abs(stress[1] - stress[0]).max() > 1e-3


def test_slow_paths_twin_more(tmp_path):
    found = slow_paths(paths=2, durations=(5.0, 0.5), frames=2, output=tmp_path)
    assert found["twinned"][1] > 2.0 * found["twinned"][0] > 0.0
    assert found["anisotropy"][1] > found["anisotropy"][0] > 0.0
    assert found["error"][1] > found["error"][0] > 0.0
    assert 1000 < (tmp_path / "slow_paths.png").stat().st_size < 300_000


def test_what_cannot_be_followed_is_refused(tmp_path):
    with pytest.raises(InputError, match="from 1 to 184"):
        forgetting(samples=(190,), output=tmp_path)
    with pytest.raises(InputError, match="at least 2"):
        forgetting(draws=1, output=tmp_path)
    with pytest.raises(InputError, match="expected a positive number"):
        slow_paths(durations=(0.0,), output=tmp_path)


def test_a_path_can_be_driven_in_two_parts():
    """The second part starts where the state is, with a step of no size."""
    law = TaylorPolycrystal(threads=1)
    times, stretch = StrainPaths("R", 0.1, 20, seed=0).batch(range(2))
    state = law.init_state(2)
    parts = [drive(law, stretch[:, part], times[:, part], state) for part in (slice(0, 11), slice(10, 21))]
    together = np.concatenate([parts[0], parts[1][:, 1:]], axis=1)
    np.testing.assert_allclose(together, drive(law, stretch, times), rtol=1e-9, atol=1e-9)
