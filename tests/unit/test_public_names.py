"""The public face: what ``import multiscale as ms`` offers, whatever was imported before."""

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import multiscale as ms


def run_python(code, folder):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_public_name_is_there_and_documented():
    for name in set(ms.__all__) - {"__version__"}:
        assert getattr(ms, name).__doc__, name
        assert name in dir(ms)
    assert ms.__version__ == version("multiscale")


def test_type_checkers_see_the_names_that_users_get():
    tree = ast.parse(Path(ms.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.asname: (node.module, alias.name) for node in block.body for alias in node.names}
    assert seen == ms._DEFINED


def test_a_name_that_is_not_there_is_an_attribute_error_that_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"no name 'Simulaton', expected one of .*Simulation"):
        ms.Simulaton  # noqa: B018


def test_the_examples_of_the_module_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(import_module("multiscale"))
    assert outcome.attempted >= 13
    assert outcome.failed == 0


def test_importing_loads_neither_finite_elements_nor_training(tmp_path):
    heavy = ("dolfinx", "torch", "numba", "gmsh")
    code = f"import sys, multiscale; print([name for name in {heavy} if name in sys.modules])"
    assert run_python(code, tmp_path).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "first", ["torch", "h5py", "gmsh", "pyvista", "mpi4py.MPI", "dolfinx_solver, dolfinx"]
)
def test_whatever_was_imported_first(first, tmp_path):
    code = (
        f"import {first}\nimport multiscale as ms\nprint(ms.Simulation.__name__, ms.make_law('learned').name)"
    )
    ran = run_python(code, tmp_path)
    assert ran.stdout.strip() == "Simulation learned", ran.stderr


def test_dolfinx_that_failed_to_load_before_ours_loads_with_ours(tmp_path):
    code = (
        "import contextlib\n"
        "with contextlib.suppress(ImportError):\n"
        "    import dolfinx\n"
        "import multiscale as ms; print(ms.Simulation.__name__)"
    )
    assert run_python(code, tmp_path).stdout.strip() == "Simulation"


def test_it_runs_as_a_module(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "multiscale", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == ms.__version__
