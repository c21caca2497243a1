"""The cell's source is C99 that any code can compile, and carries derivatives along with other numbers."""

import ctypes
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from autograd_recurrent import AutogradRecurrent, from_deviator5
from numpy.polynomial.legendre import Legendre
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import ENDS, texture_numbers
from microscale.crystals.texture.tensors import harmonic_tensors
from microscale.crystals.texture.texture import Texture
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


def compiled(source: str, sizes: Architecture, folder: Path) -> ctypes.CDLL:
    library = folder / "cell.so"
    defines = [f"-D{name}={value}" for name, value in sizes.defines.items()]
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
        Path(__file__).with_name(source),
        "-lm",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stderr}"
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module", params=SOURCES)
def one_step(request, sizes, tmp_path_factory):
    return compiled(SOURCES[request.param], sizes, tmp_path_factory.mktemp("cell")).one_step


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


@pytest.fixture(scope="module")
def product_of_six(tmp_path_factory):
    """T6 (a, b) of the numbers of a texture and two deviators, by the cell's source."""
    library = compiled("cell_of_one_point.c", ALL_SIZES[1], tmp_path_factory.mktemp("six"))

    def product(numbers: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        out = np.empty(DEVIATOR)
        library.product_of_six(*pointers(np.ascontiguousarray(numbers), a, b, out))
        return out

    return product


def test_the_tensor_of_order_six_is_that_of_its_coefficients(product_of_six):
    generator = np.random.default_rng(2)
    numbers, a, b = (generator.normal(size=n) for n in (OF_TEXTURE, DEVIATOR, DEVIATOR))
    (T,) = harmonic_tensors(6, numbers[None, ENDS[1] :])
    T *= np.linalg.norm(numbers[ENDS[1] :]) / np.linalg.norm(T)
    A, B, *units = from_deviator5(torch.from_numpy(np.stack([a, b, *np.eye(DEVIATOR)]))).numpy()
    expected = [np.einsum("ijklmn,ij,kl,mn", T, A, B, unit) for unit in units]
    np.testing.assert_allclose(product_of_six(numbers, a, b), expected, atol=1e-12)
    np.testing.assert_allclose(product_of_six(numbers, b, a), expected, atol=1e-12)


def test_that_of_a_single_crystal_is_legendres_polynomial_of_the_angle_to_c(product_of_six):
    units = from_deviator5(torch.eye(DEVIATOR, dtype=torch.float64)).numpy()
    group, directions = lattice_of(read_crystal()).group, Rotation.random(8, rng=np.random.default_rng(3))
    single = directions[0].as_matrix()
    numbers, found, cosines = texture_numbers(Texture.of(single[None]), group), [], []
    for v in directions.as_matrix()[:, :, 0]:
        d = np.einsum("kij,i,j->k", units, v, v)
        found.append(product_of_six(numbers, d, d) @ d)
        cosines.append(single[:, 2] @ v)
    along_c = np.einsum("kij,i,j->k", units, single[:, 2], single[:, 2])
    largest = product_of_six(numbers, along_c, along_c) @ along_c
    assert largest > 0.1
    np.testing.assert_allclose(found, largest * Legendre.basis(6)(np.array(cosines)), atol=1e-12)
