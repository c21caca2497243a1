"""The study of the oval foot, on a small scale: what it measures, and that it goes on where it ended."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from oval_foot import TRUTH, oval_foot
from told_law import SIZES

from microscale.errors import InputError
from multiscale.results.run_folder import SUMMARY
from multiscale.surrogate.recurrent.network import RecurrentSurrogate
from multiscale.surrogate.store import SHIPPED, read_surrogate, write_surrogate

SMALL = {"elements": 60, "grains": 8, "few": 4, "end_time": 0.3}


@pytest.fixture
def untrained(tmp_path):
    """Return a writer of first weights of a network that is told textures."""

    def write(seed: int):
        torch.manual_seed(seed)
        weights = {name: tensor.numpy() for name, tensor in RecurrentSurrogate(SIZES).state_dict().items()}
        file = tmp_path / "told.safetensors"
        write_surrogate(file, weights, replace(read_surrogate(SHIPPED)[1], architecture=SIZES.told))
        return file

    return write


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_feet_are_measured_beside_the_concurrent_run(tmp_path, capsys, untrained):
    output = tmp_path / "runs"
    found = oval_foot(**SMALL, weights=untrained(0), output=output)
    told, free = "network, told the texture", "network without texture"
    assert list(found) == [TRUTH, told, free, "4 grains"]
    assert found[TRUTH]["von Mises"] == 0.0
    assert found[free]["von Mises"] > 0.05
    assert found[TRUTH]["ovality"] > 2.0 * found[free]["ovality"]
    for one in found.values():
        assert one["half width, long"] / one["short"] - 1.0 == pytest.approx(one["ovality"])
        assert 4.8 < one["length"] < 5.0
    assert json.loads((output / "oval_foot.json").read_text()) == found
    assert (output / "oval_foot.md").read_text().startswith("| law | half width, long |")
    assert 10_000 < (output / "oval_foot.png").stat().st_size < 300_000

    # Killed before its end, and other weights in the same file: these two are run, and nothing else.
    (folder,) = output.glob(f"{TRUTH}_*")
    (folder / SUMMARY).unlink()
    capsys.readouterr()
    again = oval_foot(**SMALL, weights=untrained(1), output=output)
    assert capsys.readouterr().out.count("done before") == 2
    assert len(list(output.glob("network_told*"))) == 2
    for name in (TRUTH, free, "4 grains"):
        np.testing.assert_allclose(list(again[name].values()), list(found[name].values()), rtol=1e-12)
    assert again[told]["length"] != found[told]["length"]

    with pytest.raises(InputError, match=r"is of another run: initial_velocity .*remove its folder"):
        oval_foot(**SMALL, velocity=100.0, output=output)
