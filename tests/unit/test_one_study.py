"""A folder holds the files of one study: the same settings go on, others are refused and change nothing."""

import pytest

from microscale.errors import InputError
from microscale.files.one_study import SETTINGS, of_one_study


def test_the_same_settings_go_on_and_others_are_named(tmp_path):
    folder = tmp_path / "new"
    for _ in range(2):
        of_one_study(folder, {"rate": None, "grains": 8, "sizes": (2, 3)})
    before = (folder / SETTINGS).read_bytes()
    with pytest.raises(
        InputError, match=r"new holds a study of rate None, asked for rate 0\.0001: choose another --output"
    ):
        of_one_study(folder, {"rate": 1e-4, "grains": 8, "sizes": (2, 3)})
    assert (folder / SETTINGS).read_bytes() == before


@pytest.mark.parametrize("now", [{"grains": 8}, {"grains": 8, "seed": None, "rate": 1.0}])
def test_settings_that_were_added_or_left_out_are_others(tmp_path, now):
    of_one_study(tmp_path, {"grains": 8, "seed": 0})
    with pytest.raises(InputError, match=r"holds a study of seed 0(, rate None)?, asked for"):
        of_one_study(tmp_path, now)


@pytest.mark.parametrize("damaged", ["{", "[1, 2]", ""])
def test_damaged_settings_are_one_line(tmp_path, damaged):
    (tmp_path / SETTINGS).write_text(damaged)
    with pytest.raises(InputError, match=r"settings of a study .* remove it if"):
        of_one_study(tmp_path, {"grains": 8})
    assert (tmp_path / SETTINGS).read_text() == damaged
