"""Scripts that import by the names of version 0.1 go on."""

import importlib
import sys

import pytest

from microscale.moved import MovedModules
from microscale.unit_cell.cell import FullFieldCell
from multiscale.results.vtkhdf import Results


@pytest.mark.parametrize(
    ("old", "name", "meant"),
    [("microscale.fft", "FullFieldCell", FullFieldCell), ("multiscale.io.vtkhdf", "Results", Results)],
)
def test_an_old_name_gives_what_the_new_one_has_and_says_so(old: str, name: str, meant: type):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"{old} is now "):
        module = importlib.import_module(old)
    assert getattr(module, name) is meant


def test_every_new_name_exists():
    importlib.import_module("multiscale.io")
    found = [finder for finder in sys.meta_path if isinstance(finder, MovedModules)]
    assert len(found) == 2
    for finder in found:
        for new in finder.moved.values():
            assert importlib.util.find_spec(new) is not None, new


def test_an_unknown_name_is_unknown():
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        importlib.import_module("multiscale.io.nothing")
