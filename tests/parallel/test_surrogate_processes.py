"""Two processes train a surrogate as one does: the ranks here take the place of torchrun's."""

import socket
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from microscale.data.generate import Generation, finish, generate
from microscale.errors import InputError
from microscale.files.one_writer import one_writer
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.pca.fit import fit_histories
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.store import Card, Material, TrainingRange, read_surrogate

ARCHITECTURE = {"modes": 3, "hidden": 16, "layers": 2}
SETTINGS = {"epochs": 4, "rate": 1e-3, "batch": 16, "seed": 0}


MATERIAL = Material("test", 25.0, 24.0, 10.0)
SIZES = {"groups": 2, "tensors": 2, "scalars": 3, "hidden": 12}
RECURRENT = SIZES | {"epochs": 3, "rate": 5e-3, "batch": 128, "seed": 0}


def write_crystals(file: Path) -> None:
    """Write 140 paths of a polycrystal of two grains."""
    law, crystal = make_law("taylor", grains=2), {"shear_modulus": 25.0, "lambda_e": 24.0, "density": 10.0}
    told = {"name": law.name, "hash": "0", "options": {"grains": 2}, "crystal": {"name": "Mg"} | crystal}
    job = Generation(law, told, StrainPaths("R", 0.1, 24, seed=4), 140, {})
    generate(job, file)
    finish(job, file)


def histories(paths: int, seed: int) -> Histories:
    """Smooth stretches and a stress that is linear in them."""
    t = np.linspace(0.0, 1.0, 21)
    A = np.random.default_rng(seed).uniform(-0.1, 0.1, (paths, 1, 3, 3))
    stretch = np.eye(3) + t[:, None, None] * (A + np.swapaxes(A, 2, 3))
    return Histories(np.broadcast_to(t, (paths, 21)), stretch, 50.0 * (stretch - np.eye(3)))


@pytest.fixture
def launch(monkeypatch):
    """What makes processes of torchrun of the ranks."""

    def as_torchrun() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = MPI.COMM_WORLD.bcast(free.getsockname()[1])
        launcher = {"RANK": MPI.COMM_WORLD.rank, "WORLD_SIZE": MPI.COMM_WORLD.size, "MASTER_PORT": port}
        for name, value in (launcher | {"MASTER_ADDR": "127.0.0.1"}).items():
            monkeypatch.setenv(name, str(value))

    return as_torchrun


@pytest.mark.parallel(2)
def test_another_training_is_an_error_on_every_process(tmp_path, launch):
    out = MPI.COMM_WORLD.bcast(tmp_path) / "made.safetensors"
    card = Card("pca", ARCHITECTURE, MATERIAL, TrainingRange(1.0, 10.0, 0.5, 2.0))
    launch()
    with ExitStack() as other:
        if MPI.COMM_WORLD.rank == 0:
            other.enter_context(one_writer(out, out.with_name(".made.lock")))
        with pytest.raises(InputError, match=r"made.safetensors is being written by process \d+ on"):
            fit_histories(histories(64, 0), histories(8, 1), card, out, **SETTINGS)
    MPI.COMM_WORLD.barrier()
    assert not out.exists()


@pytest.mark.parallel(2)
def test_two_processes_train_as_one(tmp_path, launch):
    comm = MPI.COMM_WORLD
    folder = comm.bcast(tmp_path)
    card = Card("pca", ARCHITECTURE, MATERIAL, TrainingRange(1.0, 10.0, 0.5, 2.0))
    data = (histories(64, 0), histories(8, 1), card)
    if comm.rank == 0:
        fit_histories(*data, folder / "one.safetensors", **SETTINGS)
    launch()
    fit_histories(*data, folder / "two.safetensors", **SETTINGS)
    comm.barrier()
    one, two = (read_surrogate(folder / f"{name}.safetensors") for name in ("one", "two"))
    for name in one[0]:  # gradients are rounded to bfloat16 before they are added
        limit = 2e-3 * np.abs(one[0][name]).max()
        np.testing.assert_allclose(two[0][name], one[0][name], atol=limit, err_msg=name)
    assert [card.training["processes"] for _, card in (one, two)] == [1, 2]
    losses = [np.loadtxt(folder / f"{k}.csv", delimiter=",", skiprows=1)[:, 2] for k in ("one", "two")]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-2)


@pytest.mark.parallel(2)
def test_two_processes_train_the_recurrent_surrogate_as_one(tmp_path, launch):
    comm = MPI.COMM_WORLD
    file, folder = comm.bcast(tmp_path) / "data.h5", comm.bcast(tmp_path)
    if comm.rank == 0:
        write_crystals(file)
        fit_recurrent([file], folder / "one.safetensors", **RECURRENT)
    comm.barrier()
    launch()
    with pytest.raises(InputError, match=r"batch = 32, expected a multiple of 64 .* 2 process"):
        fit_recurrent([file], folder / "two.safetensors", **RECURRENT | {"batch": 32})
    launch()
    fit_recurrent([file], folder / "two.safetensors", **RECURRENT)
    comm.barrier()
    one, two = (read_surrogate(folder / f"{name}.safetensors") for name in ("one", "two"))
    for name in one[0]:
        limit = 1e-4 * np.abs(one[0][name]).max()
        np.testing.assert_allclose(two[0][name], one[0][name], atol=limit, err_msg=name)
    assert [card.training["processes"] for _, card in (one, two)] == [1, 2]
    losses = [np.loadtxt(folder / f"{k}.csv", delimiter=",", skiprows=1)[:, 2] for k in ("one", "two")]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
