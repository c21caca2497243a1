"""A small bar with the full field at every point survives its end, and what is beside it is measured."""

import json
import signal

import numpy as np
import pytest
from full_field_anvil import LEARNT, TRUTH, EachItsOwn, each_its_own, full_field_anvil
from full_field_impacts import full_field_impacts

from multiscale import laws
from multiscale.results.run_folder import RESULTS
from multiscale.results.vtkhdf import Results
from multiscale.run.stopped import Stopped

SMALL = {"resolution": 4, "grains": 8, "elements": 16, "end_time": 0.4}

pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")


@pytest.fixture(autouse=True)
def laws_of_before(monkeypatch):
    """The study makes its law known to this process; the tests after these know none of it."""
    monkeypatch.setattr(laws, "_REGISTERED", {})


def truth(folder):
    (found,) = folder.glob(f"full_field_{8 * '[0-9a-f]'}")
    return Results(found / RESULTS)


def test_each_point_has_grains_of_its_own():
    law = each_its_own(grains=8, resolution=4, seed=3)
    state, other = law.init_state(3), each_its_own(grains=8, resolution=4, seed=4).init_state(1)
    first, second, third = state["voxel_orientation"]
    np.testing.assert_array_equal(second, other["voxel_orientation"][0])
    assert np.abs(first - second).max() > 0.1
    assert np.abs(second - third).max() > 0.1
    F, P = np.broadcast_to(np.diag([1.01, 1.0, 1.0]), (3, 3, 3)).copy(), np.empty((3, 3, 3))
    law.update(F, 0.01, state, P)
    assert 0.001 < np.ptp(P[:, 0, 0]) < 0.2 * P[:, 0, 0].mean()


def test_it_is_ended_and_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    found = full_field_anvil(**SMALL, others=1, output=tmp_path / "whole")
    steps = []

    def ended(self, *arguments):
        steps.append(None)
        if len(steps) == 4:
            signal.raise_signal(signal.SIGTERM)
        update(self, *arguments)

    update = EachItsOwn._update
    monkeypatch.setattr(EachItsOwn, "_update", ended)
    with pytest.raises(Stopped):
        full_field_anvil(**SMALL, others=1, output=tmp_path / "ended")
    again = full_field_anvil(**SMALL, others=1, output=tmp_path / "ended")
    assert again.keys() == found.keys()
    whole, ended = truth(tmp_path / "whole"), truth(tmp_path / "ended")
    np.testing.assert_array_equal(whole.times, ended.times)
    for name in ("von_mises_GPa", "displacement_mm"):
        np.testing.assert_array_equal(whole.field(name, -1), ended.field(name, -1))

    assert found[TRUTH]["von Mises"] == 0.0
    other, learnt, taylor = (
        found[name]["von Mises"] for name in (f"{TRUTH}, other grains 1", LEARNT, "Taylor")
    )
    assert 0.01 < other < taylor
    assert 0.01 < learnt < taylor
    assert json.loads((tmp_path / "whole" / "full_field_anvil.json").read_text()) == found
    assert (tmp_path / "whole" / "full_field_anvil.md").read_text().startswith("| law | length, mm |")
    assert 10_000 < (tmp_path / "whole" / "full_field_anvil.png").stat().st_size < 300_000


def test_both_bodies_are_softer_with_what_learnt_the_full_field(tmp_path):
    found = full_field_impacts(elements=100, layers=3, output=tmp_path)
    soft, stiff = (found["bar"][name] for name in ("full field", "Taylor"))
    assert soft["largest von Mises stress"] < 0.95 * stiff["largest von Mises stress"]
    assert soft["foot radius"] > stiff["foot radius"]
    assert soft["speed of the elastic front"] == pytest.approx(stiff["speed of the elastic front"], rel=0.05)
    soft, stiff = (found["plate"][name] for name in ("full field", "Taylor"))
    assert soft["largest von Mises stress"] < 0.95 * stiff["largest von Mises stress"]
    assert 0.1 < soft["bulge of the rear face"] < soft["depth of the struck face"]
    assert json.loads((tmp_path / "full_field_impacts.json").read_text()) == found
    assert "| plate | full field | Taylor | changed by |" in (tmp_path / "full_field_impacts.md").read_text()
    assert 10_000 < (tmp_path / "full_field_impacts.png").stat().st_size < 300_000
