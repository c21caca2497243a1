"""Two processes train the paper's network as one does: the ranks here take the place of torchrun's."""

import socket

import numpy as np
import pytest
from mpi4py import MPI

from multiscale.surrogate.histories import Histories
from multiscale.surrogate.pca_fit import fit_histories
from multiscale.surrogate.store import Card, Material, TrainingRange, read_surrogate

ARCHITECTURE = {"modes": 3, "hidden": 16, "layers": 2}
SETTINGS = {"epochs": 4, "rate": 1e-3, "batch": 16, "seed": 0}


def histories(paths: int, seed: int) -> Histories:
    """Smooth stretches and a stress that is linear in them."""
    t = np.linspace(0.0, 1.0, 21)
    A = np.random.default_rng(seed).uniform(-0.1, 0.1, (paths, 1, 3, 3))
    stretch = np.eye(3) + t[:, None, None] * (A + np.swapaxes(A, 2, 3))
    return Histories(np.broadcast_to(t, (paths, 21)), stretch, 50.0 * (stretch - np.eye(3)))


@pytest.mark.parallel(2)
def test_two_processes_train_as_one(tmp_path, monkeypatch):
    comm = MPI.COMM_WORLD
    folder = comm.bcast(tmp_path)
    card = Card("pca", ARCHITECTURE, Material("test", 25.0, 24.0, 10.0), TrainingRange(1.0, 10.0, 0.5, 2.0))
    data = (histories(64, 0), histories(8, 1), card)
    if comm.rank == 0:
        fit_histories(*data, folder / "one.safetensors", **SETTINGS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = comm.bcast(free.getsockname()[1])
    launcher = {"RANK": comm.rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in launcher.items():
        monkeypatch.setenv(name, str(value))
    fit_histories(*data, folder / "two.safetensors", **SETTINGS)
    comm.barrier()
    one, two = (read_surrogate(folder / f"{name}.safetensors") for name in ("one", "two"))
    for name in one[0]:  # gradients are rounded to bfloat16 before they are added
        limit = 2e-3 * np.abs(one[0][name]).max()
        np.testing.assert_allclose(two[0][name], one[0][name], atol=limit, err_msg=name)
    assert [card.training["processes"] for _, card in (one, two)] == [1, 2]
    losses = [np.loadtxt(folder / f"{k}.csv", delimiter=",", skiprows=1)[:, 2] for k in ("one", "two")]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-2)
