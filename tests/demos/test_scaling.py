"""The scaling study at a tiny size: what it measures and predicts hangs together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scaling import scaling

from microscale.errors import InputError

DEMO = Path(__file__).parents[2] / "demos" / "studies" / "scaling.py"
MPIRUN = Path(sys.executable).parent / "mpirun"


def test_two_ranks_measure_count_and_predict(tmp_path):
    flags = ["--elements=200", "--steps=2", "--parts=4", f"--output={tmp_path}"]
    command = [str(MPIRUN), "-n", "2", sys.executable, str(DEMO), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "scaling.json").read_text())
    # Two sectors share a plane of nodes, each sent there and back.
    assert figures["halo_bytes_per_step"] % (2 * 24) == 0
    assert figures["counted"]["4"]["elements_each"] * 4 == figures["elements"]
    assert 0.0 < figures["latency_us"] < 1e4
    for predicted in figures["predicted"].values():
        speed_ups = [value for name, value in predicted.items() if name.startswith("speed-up")]
        assert speed_ups == sorted(speed_ups)
        assert 1.0 < speed_ups[-1] <= 10_000
    assert (tmp_path / "scaling.png").stat().st_size < 300_000


def test_one_rank_is_refused(tmp_path):
    with pytest.raises(InputError, match="mpirun -n 2"):
        scaling(output=tmp_path)
