"""The cell's source is C99 that any code can compile, and carries derivatives along with other numbers."""

import ctypes
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from autograd_recurrent import AutogradRecurrent

from microscale.native.compiler import compiler
from multiscale.surrogate import recurrent
from multiscale.surrogate.recurrent.architecture import DEVIATOR, FEATURES, OF_TEXTURE, Architecture

ALL_SIZES = [Architecture(groups=2, tensors=3, scalars=4, hidden=12, texture=told) for told in (0, 1)]
STRICT = ("-std=c99", "-pedantic-errors", "-Wall", "-Werror", "-Wno-unused-function")


SOURCES = {"complex numbers": "cell_of_one_point.c", "by hand": "derivative_of_one_point.c"}
"""How the derivative is carried along."""


@pytest.fixture(scope="module", params=ALL_SIZES, ids=["no texture", "texture"])
def sizes(request) -> Architecture:
    return request.param


@pytest.fixture(scope="module", params=SOURCES)
def one_step(request, sizes, tmp_path_factory):
    library = tmp_path_factory.mktemp("cell") / "cell.so"
    defines = [f"-D{name}={value}" for name, value in sizes.defines.items()]
    source = Path(__file__).with_name(SOURCES[request.param])
    command = [
        *compiler(),
        *STRICT,
        "-O1",
        "-shared",
        "-fPIC",
        *defines,
        f"-I{Path(recurrent.__file__).parent}",
        "-o",
        library,
        source,
        "-lm",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stderr}"
    return ctypes.CDLL(str(library)).one_step


def pointers(*arrays: np.ndarray) -> list[ctypes.c_void_p]:
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def test_the_source_in_c99_gives_the_step_and_its_derivative(one_step, sizes):
    torch.manual_seed(1)
    cell = AutogradRecurrent(sizes).double()
    for parameter in cell.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    draw = torch.randn(2, FEATURES + 25 + DEVIATOR + sizes.states, dtype=torch.float64) * 0.3
    texture = torch.randn(1, OF_TEXTURE, dtype=torch.float64) * 0.3 if sizes.texture else None
    size, dt = torch.tensor([[0.4]], dtype=torch.float64), torch.tensor([[0.05]], dtype=torch.float64)
    parts = (FEATURES, 25, DEVIATOR, sizes.states)

    def step(features, maps, strain, state):
        maps = maps.reshape(1, 5, 5)
        return cell._step(state[None], features[None], maps, strain[None], size, dt, texture)[0]

    values, direction = (row.split(parts) for row in draw)
    direction = tuple(d.zero_() if k == 1 else d for k, d in enumerate(direction))  # the map is given
    expected, slope = torch.func.jvp(step, values, direction)

    def moved(maps: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        elastic = state[: DEVIATOR * sizes.groups].reshape(sizes.groups, DEVIATOR)
        return (elastic + elastic @ maps.reshape(5, 5).T).flatten()

    told = torch.zeros(0) if texture is None else texture[0]
    given = torch.cat([values[0], values[2], size[0], dt[0], moved(values[1], values[3]), told]).numpy()
    turned = [direction[0], direction[2], torch.zeros(2, dtype=torch.float64), moved(values[1], direction[3])]
    turned = torch.cat([*turned, torch.zeros_like(told), direction[3]]).numpy()
    layers = [getattr(cell, name + end) for name in sizes.layers for end in ("", "_bias")]
    weights = torch.cat([layer.detach().flatten() for layer in layers]).numpy()
    state, derivative = values[3].numpy().copy(), np.empty(sizes.states)
    one_step(*pointers(weights, given, state, turned, derivative))
    np.testing.assert_allclose(state, expected.detach().numpy(), rtol=0.0, atol=1e-12)
    scale = float(slope.detach().abs().max())
    assert scale > 0.1
    np.testing.assert_allclose(derivative, slope.detach().numpy(), rtol=0.0, atol=1e-11 * scale)
