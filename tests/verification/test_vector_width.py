"""Kernels give the same with vectors of any width, of SSE, AVX and AVX-512, whatever this processor has."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from microscale import drive
from microscale.native import library as native
from multiscale.laws import make_law, radial_return
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.pca.law import Network
from multiscale.surrogate.recurrent.architecture import Architecture
from multiscale.surrogate.recurrent.compiled import FusedRecurrent
from multiscale.surrogate.recurrent.network import RecurrentSurrogate

BYTES, FLAGS = (16, 32, 64), native.FLAGS
DIRECTIONS = np.random.default_rng(0).standard_normal((11, 1, 3, 3))
F = np.eye(3) + np.linspace(0.0, 0.1, 9)[:, None, None] * DIRECTIONS
TIMES = np.linspace(0.0, 1.0, 9)


@pytest.fixture
def of_width(monkeypatch) -> Iterator[Callable[[int], None]]:
    def set_width(count: int) -> None:
        radial_return.kernels.cache_clear()
        monkeypatch.setattr(native, "FLAGS", (*FLAGS, "-O1", f"-DVECTOR_BYTES={count}"))

    yield set_width
    radial_return.kernels.cache_clear()


@pytest.mark.parametrize(
    ("name", "options", "rounding"),
    [
        ("taylor", {"grains": 5, "texture": "random"}, 1e-10),
        ("j2", {}, 1e-10),
        ("johnson-cook", {}, 1e-10),
        ("learned", {"precision": "double"}, 1e-10),
        ("learned", {"precision": "single"}, 1e-6),
    ],
)
def test_laws_do_not_depend_on_the_width_of_vectors(name, options, rounding, of_width):
    stress = []
    for count in BYTES:
        of_width(count)
        stress.append(drive(make_law(name, **options), F, TIMES))
    for other in stress[1:]:
        np.testing.assert_allclose(other, stress[0], rtol=0.0, atol=rounding * np.abs(stress[0]).max())


def test_the_network_of_the_paper_does_not_depend_on_the_width_of_vectors(of_width):
    rng, sizes = np.random.default_rng(0), PcaArchitecture(modes=2, hidden=20, layers=2)
    shapes = {"0": (20, 13), "2": (20, 20), "4": (12, 20)}
    weights = {f"{layer}.weight": 0.3 * rng.standard_normal(shape) for layer, shape in shapes.items()}
    weights |= {f"{layer}.bias": rng.standard_normal(shape[0]) for layer, shape in shapes.items()}
    found, values = [], rng.standard_normal((6, 2, 64))
    for count in BYTES:
        of_width(count)
        network = Network(weights, sizes, np.zeros(13))
        network.inputs[:] = values
        found.append(network.run().copy())
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=0.0, atol=1e-5 * np.abs(found[0]).max())
    assert np.abs(found[0]).max() > 0.1


def test_training_does_not_depend_on_the_width_of_vectors(of_width):
    torch.manual_seed(0)
    surrogate, packed = RecurrentSurrogate(Architecture(2, 2, 1, 16)), 0.1 * torch.randn(6, 52, 64)
    packed[:, -2:] = packed[:, -2:].abs()
    history, gradient = [], []
    for count in BYTES:
        of_width(count)
        surrogate.zero_grad()
        strain, _ = FusedRecurrent(surrogate, threads=1)(packed)
        strain.square().mean().backward()
        history.append(strain.detach())
        gradient.append(torch.cat([p.grad.flatten() for p in surrogate.parameters()]))
    for found in (history, gradient):
        for other in found[1:]:
            torch.testing.assert_close(other, found[0], rtol=0.0, atol=1e-5 * float(found[0].abs().max()))
        assert float(found[0].abs().max()) > 0.0
