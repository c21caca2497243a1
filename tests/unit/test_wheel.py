"""`pip wheel .` gives all that a machine without this repository needs."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools")

ROOT = Path(__file__).parents[2]
PACKAGES = ("microscale", "multiscale", "meshes")


def pip(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources: what lies in a build folder here has no part in it."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, folder / "source")
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_every_file_of_the_packages(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.startswith("multiscale-")}
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == files
    assert {Path(name).suffix for name in files} >= {
        ".py",
        ".c",
        ".h",
        ".yaml",
        ".csv",
        ".j2",
        ".safetensors",
    }


def test_it_runs_an_anvil_outside_the_checkout(wheel, tmp_path):
    there = tmp_path / "site"
    pip("install", "--quiet", "--no-deps", "--target", there, wheel)
    environment = os.environ | {"PYTHONPATH": str(there)}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("-c", "import multiscale, microscale, meshes; print(multiscale.__file__, meshes.__file__)")
    assert where.count(str(there)) == 2
    run(there / "bin" / "multiscale", "anvil", "--elements", "60", "--end-time", "0.05", "--output", "bar")
    summary = json.loads((tmp_path / "bar" / "summary.json").read_text())
    assert summary["law"]["name"] == "learned"
    assert summary["final_length_mm"] == pytest.approx(4.99, rel=1e-4)
    assert (tmp_path / "bar" / "report.html").exists()
