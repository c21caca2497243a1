"""The command line: generation on ranks, inspection, bad flags."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from multiscale.run.calibration_options import CalibrationOptions

BIN = Path(sys.executable).parent
SMALL = ["--paths", "40", "--grains", "4", "--steps", "20", "--seed", "5"]


def run(*arguments: str, ranks: int = 0) -> subprocess.CompletedProcess:
    # the mpi-pytest child runs under a launcher's environment of its own; a fresh program needs a clean one
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI", "HYDRA"))}
    launcher = [str(BIN / "mpirun"), "-n", str(ranks)] if ranks else []
    command = [*launcher, sys.executable, "-m", "multiscale.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean, check=False)


def test_generate_is_the_same_on_any_number_of_ranks(tmp_path):
    for name, ranks in (("one", 0), ("two", 2)):
        done = run("generate", *SMALL, "--out", str(tmp_path / name), ranks=ranks)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    shown = run("inspect", str(tmp_path / "one"))
    assert "protocol" in shown.stdout
    assert "seed 5" in shown.stdout
    assert (tmp_path / "one.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["generate", "--out", "x", "--protocol", "Z"], 2, "Z"),
        (["generate", "--out", "x", "--velocity", "3"], 2, "--velocity"),
        (["generate", "--out", "x", "--law", "butter"], 1, "unknown law 'butter'"),
        (["generate", "--out", "x", "--max-strain", "-1"], 1, "max-strain = -1"),
        (["generate", "--out", "/proc/none/x", *SMALL], 1, "cannot be written"),
        (["inspect", "nothing.h5"], 1, "does not exist"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_bad_input_is_one_line(arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_version():
    assert run("--version").stdout.strip() == "0.1.0"


def test_calibrate_runs_with_its_defaults(tmp_path):
    """Only the grains are fewer: None as their default once reached the polycrystal."""
    done = run("calibrate", "--out", str(tmp_path / "j2.json"), "--law", "j2", "--grains", "4")
    assert done.returncode == 0, done.stderr
    reference = json.loads((tmp_path / "j2.json").read_text())["reference"]
    assert reference["options"]["grains"] == 4
    assert reference["options"]["seed"] == 0
    assert CalibrationOptions(law="j2").resolved()["grains"] == 128
