"""A bar whose points are unit cells of two phases hits a wall, is ended and goes on to the same bits."""

import shutil

import numpy as np
import pytest

import multiscale as ms
from multiscale.cases.anvil import anvil
from multiscale.results.run_folder import RESULTS
from multiscale.results.vtkhdf import Results

POROUS = """
[cell]
resolution = 4
[geometry]
kind = "spheres"
fraction = "20 %"
[phases.metal]
label = 0
law = "j2"
youngs_modulus = "70 GPa"
poissons_ratio = 0.33
yield_stress = "100 MPa"
hardening_modulus = "700 MPa"
density = "2.7 g/cm^3"
[phases.pores]
label = 1
law = "pore"
"""
BAR = {"law": "phases", "elements": 12, "model": "quarter", "steps_between_outputs": 1}


def test_a_porous_bar(tmp_path):
    file = tmp_path / "porous.toml"
    file.write_text(POROUS)
    bar = BAR | {"microstructure": file, "tolerance": 0.01, "end_time": 0.6, "checkpoint_every": 0.4}
    found = anvil(**bar, output=tmp_path / "whole")
    law = ms.make_law("phases", microstructure=file)
    assert found["material"]["density_g_per_cm3"] == pytest.approx(law.density)
    assert law.density == pytest.approx(0.8 * 2.7, rel=0.05)
    assert abs(found["energy_error_percent"]) < 0.5
    assert 0.05 < found["max_von_mises_GPa"] < 0.2  # less metal carries it
    assert found["foot_radius_mm"] > 0.51

    ended = tmp_path / "ended"
    shutil.copytree(tmp_path / "whole", ended)
    anvil(**bar, restart=ended / "checkpoint.h5", output=ended)  # of 0.4 us
    whole, again = Results(tmp_path / "whole" / RESULTS), Results(ended / RESULTS)
    np.testing.assert_array_equal(again.times, whole.times)
    for name in ("von_mises_GPa", "displacement_mm"):
        np.testing.assert_array_equal(again.field(name, -1), whole.field(name, -1))
