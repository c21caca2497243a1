"""A program says at once what is starting: before anything that takes a second to load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multiscale.starting import RANKS, starting

DEMOS = Path(__file__).parents[2] / "demos"
LIGHT = """
import sys
class Heavy:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("numpy", "mpi4py", "dolfinx", "torch", "numba", "scipy", "cyclopts"):
            raise SystemExit(f"reached {name}")
sys.meta_path.insert(0, Heavy())
sys.argv = %r
import runpy
%s
"""


@pytest.mark.parametrize(
    ("words", "run", "said"),
    [
        (["multiscale", "anvil"], "runpy.run_module('multiscale', run_name='__main__')", "multiscale anvil"),
        (
            ["taylor_anvil.py"],
            f"runpy.run_path({str(DEMOS / 'taylor_anvil.py')!r}, None, '__main__')",
            "taylor_anvil",
        ),
        (
            ["plate_impact.py"],
            f"runpy.run_path({str(DEMOS / 'plate_impact.py')!r}, None, '__main__')",
            "plate_impact",
        ),
    ],
)
def test_the_first_line_comes_before_any_library(words, run, said):
    alone = {name: value for name, value in os.environ.items() if name not in RANKS}
    command = [sys.executable, "-c", LIGHT % (words, run)]
    done = subprocess.run(command, capture_output=True, text=True, env=alone, check=False)
    assert done.stdout == f"{said}: loading libraries\n"
    assert done.stderr.startswith("reached ")


@pytest.mark.parametrize("words", [["--version"], ["anvil", "--help"], ["-h"]])
def test_who_asks_for_help_only_gets_help_only(words, monkeypatch, capsys):
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    starting("program", words)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", RANKS)
def test_one_rank_speaks(name, monkeypatch, capsys):
    for other in RANKS:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "1")
    starting("program", ["anvil"])
    assert capsys.readouterr().out == ""
    monkeypatch.setenv(name, "0")
    starting("program", ["anvil"])
    assert capsys.readouterr().out == "program: loading libraries\n"
