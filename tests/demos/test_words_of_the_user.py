"""A message names the flag that was typed, whatever the function inside calls it."""

import pytest
from concurrent_fft import concurrent_fft
from copper_bar import copper_bar
from plate_impact import plate_impact
from taylor_anvil import taylor_anvil
from unit_cell import unit_cell

from microscale.errors import InputError
from microscale.inputs.options import named
from multiscale.cli import generate


@pytest.mark.parametrize(
    ("program", "flags", "message"),
    [
        (
            plate_impact,
            {"radius": 1e-6},
            r"^radius = 1e-06, thickness = 1, layers = 8: make cells .* 1e-06 mm w",
        ),
        (plate_impact, {"radius": 9.5}, r"^radius = 9\.5 mm, expected less than half the width, 18\.0 mm"),
        (plate_impact, {"thickness": 1e-6}, r"^layers = 8, cells-of-a-side = \d+: need"),
        (
            taylor_anvil,
            {"height": 1e-6, "elements": 300},
            r"^height = 1e-06, diameter = 1, elements = 300: make cells 1e-06 mm",
        ),
        (
            taylor_anvil,
            {"diameter": 1e-5, "element": "tet10"},
            r"diameter = 1e-05, elements = 3000: make cells",
        ),
        (copper_bar, {"cells": (1,)}, r"^cells = 1, expected at least 3 for this O-grid"),
        (concurrent_fft, {"cells": 10**6, "resolution": 2, "grains": 1}, r"^cells = 1000000: need"),
        (unit_cell, {"strains": ()}, r"^strains = \(\), expected some positive numbers, increasing"),
        (unit_cell, {"strains": (0.1, 0.05)}, r"^strains = \(0\.1, 0\.05\), expected some positive numbers"),
        (unit_cell, {"resolution": 20_000}, r"^resolution = 20000"),
        (
            generate,
            {"duration": 2.0, "longest_duration": 1.0},
            r"^longest-duration = 1\.0 us, expected at le",
        ),
    ],
)
def test_it_does(program, flags, message, tmp_path):
    flags = {"law": "j2"} | flags if program in (plate_impact, taylor_anvil) else flags
    place = {"out": tmp_path / "x.h5"} if program is generate else {"output": tmp_path}
    with pytest.raises(InputError, match=message):
        program(**flags, **place)
    assert not list(tmp_path.iterdir())


def test_whole_words_are_exchanged_with_either_hyphen():
    def inner():
        raise InputError(
            "impact_radius = 1, impact-radius-of = 2, my-impact-radius = 3, (impact-radius) half"
        )

    with pytest.raises(InputError) as error, named(impact_radius="the_radius"):
        inner()
    assert str(error.value) == "the-radius = 1, impact-radius-of = 2, my-impact-radius = 3, (the-radius) half"
