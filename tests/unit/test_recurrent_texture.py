"""The recurrent surrogate that is told the texture: path and texture turn together."""

import numpy as np
import pytest
import torch
from autograd_recurrent import AutogradRecurrent, from_deviator5, tensors_of_texture
from scipy.spatial.transform import Rotation
from stretch_histories import PATHS, SAMPLES, steps_of, stretches
from told_law import FIBRE, SIZES, law_of

from microscale.crystals.texture.moments import NUMBERS, turned_numbers
from microscale.errors import InputError
from multiscale.surrogate.recurrent.architecture import OF_TEXTURE, STRAIN_SCALE, Architecture
from multiscale.surrogate.recurrent.compiled import FusedRecurrent, pack
from multiscale.surrogate.recurrent.increments import deviator5
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED, read_surrogate

Q = Rotation.random(rng=np.random.default_rng(1)).as_matrix()


def textures(points: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(points, OF_TEXTURE)) * 0.25


@pytest.fixture(scope="module")
def surrogate() -> AutogradRecurrent:
    torch.manual_seed(0)
    cell = AutogradRecurrent(SIZES)
    for parameter in cell.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return cell


def stress_of(law: LearnedLaw, F: np.ndarray, texture: np.ndarray, dt: float = 0.05) -> np.ndarray:
    """First Piola stress after each step, (samples, points, 3, 3), of points with textures (points, 27)."""
    state, P = law.init_state(F.shape[1]), np.empty(F.shape)
    state["texture"][:] = texture
    for F_k, P_k in zip(F, P, strict=True):
        law.update(np.ascontiguousarray(F_k), dt, state, P_k)
    return P


def deformations(points: int = 40) -> np.ndarray:
    return np.ascontiguousarray(stretches(paths=points, size=0.1).transpose(1, 0, 2, 3)[1:])


pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")


def test_the_numbers_are_those_of_a_texture():
    assert OF_TEXTURE == NUMBERS


def test_its_tensors_have_the_norms_of_the_coefficients():
    numbers = torch.from_numpy(textures(6))
    T2, T4, T6 = tensors_of_texture(numbers)
    C2, C4, C6 = numbers.split([5, 9, 13], 1)
    torch.testing.assert_close(T2.norm(dim=1), C2.norm(dim=1))
    torch.testing.assert_close(T4.square().sum((1, 2)), C4.square().sum(1))
    torch.testing.assert_close(T6.square().sum((1, 2, 3)), C6.square().sum(1))


def test_the_compiled_passes_are_those_of_autograd(surrogate):
    steps, upstream = steps_of(stretches(size=0.05)), torch.randn(SAMPLES - 1, PATHS, 5)
    texture = torch.from_numpy(textures(PATHS))
    reference, last = surrogate(steps, texture=texture)
    (reference * upstream / STRAIN_SCALE).sum().backward()
    expected = [parameter.grad.clone() for parameter in surrogate.parameters()]
    surrogate.zero_grad()
    history, state = FusedRecurrent(surrogate, threads=1)(pack(steps, texture))
    (history * upstream.mT).sum().backward()
    torch.testing.assert_close(history.mT * STRAIN_SCALE, reference, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(state.mT, last, rtol=1e-4, atol=1e-5)
    for parameter, gradient in zip(surrogate.parameters(), expected, strict=True):
        scale = float(gradient.abs().max())
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5 * scale)


def test_the_law_is_the_network_in_training(surrogate):
    U, texture = stretches(paths=40, size=0.01), textures(40)  # steps that are not cut
    with torch.no_grad():
        strain = surrogate(steps_of(U), texture=torch.from_numpy(texture))[0]
    law = law_of(surrogate)
    P = stress_of(law, np.ascontiguousarray(U.transpose(1, 0, 2, 3)[1:]), texture)
    tau = P @ U.transpose(1, 0, 2, 3)[1:]
    expected = 2.0 * 0.5 * law.card.material.shear_modulus * strain.double()
    torch.testing.assert_close(
        deviator5(torch.from_numpy(tau)), expected, rtol=0.0, atol=2e-5 * float(expected.abs().max())
    )


@pytest.mark.parametrize(("precision", "promised"), [("double", 1e-10), ("single", 1e-6)])
def test_path_and_texture_turn_together(surrogate, precision, promised):
    law, F, texture = law_of(surrogate, precision), deformations(), textures(40)
    P = stress_of(law, F, texture)
    turned = stress_of(law, np.ascontiguousarray(Q @ F @ Q.T), turned_numbers(texture, Q))
    scale = np.abs(P).max()
    assert np.abs(turned - Q @ P @ Q.T).max() < promised * scale
    alone = stress_of(law, np.ascontiguousarray(Q @ F @ Q.T), texture)
    assert np.abs(alone - Q @ P @ Q.T).max() > 1e-2 * scale  # the texture counts


def test_rest_is_free_of_stress_whatever_the_texture(surrogate):
    law, texture = law_of(surrogate), textures(5)
    P = stress_of(law, np.tile(np.eye(3), (3, 5, 1, 1)), texture)
    assert not P.any()


def test_a_step_of_nothing_changes_nothing(surrogate):
    law, F = law_of(surrogate), deformations(5)
    state, P = law.init_state(5), np.empty((5, 3, 3))
    state["texture"][:] = textures(5)
    for F_k in F:
        law.update(np.ascontiguousarray(F_k), 0.05, state, P)
    before, stress = state.copy(), P.copy()
    law.update(np.ascontiguousarray(F[-1]), 0.0, state, P)
    np.testing.assert_array_equal(P, stress)
    for name in before:
        np.testing.assert_array_equal(state[name], before[name], err_msg=name)


@pytest.mark.parametrize("dt", [0.05, 0.0])
def test_the_tangent_is_the_slope_of_the_step(surrogate, dt):
    law, F = law_of(surrogate), deformations(10)
    state, P = law.init_state(10), np.empty((10, 3, 3))
    state["texture"][:] = textures(10)
    for F_k in F[:4]:
        law.update(np.ascontiguousarray(F_k), 0.05, state, P)
    end, A, B = np.ascontiguousarray(F[4]), np.empty((10, 3, 3, 3, 3)), np.empty((10, 3, 3, 3, 3))
    law.tangent(end, dt, state, A)
    h = 1e-5
    for k, l in np.ndindex(3, 3):
        sides = []
        for size in (h, -h, h / 2, -h / 2):
            moved, P = end.copy(), np.empty((10, 3, 3))
            moved[:, k, l] += size
            law.update(moved, dt, state.copy(), P)
            sides.append(P)
        coarse, fine = (sides[0] - sides[1]) / (2.0 * h), (sides[2] - sides[3]) / h
        B[..., k, l] = (4.0 * fine - coarse) / 3.0
    np.testing.assert_allclose(A, B, rtol=0.0, atol=1e-6 * np.abs(B).max())


def test_a_law_starts_with_its_texture(surrogate):
    numbers = textures(1)[0]
    state = law_of(surrogate, texture=numbers).init_state(3)
    np.testing.assert_array_equal(state["texture"], np.tile(numbers, (3, 1)))
    assert not law_of(surrogate).init_state(3)["texture"].any()


def test_a_network_that_is_not_told_takes_no_texture():
    weights, card = read_surrogate(SHIPPED)
    with pytest.raises(InputError, match="not told any"):
        LearnedLaw(weights, card, texture=textures(1)[0])
    assert "texture" not in LearnedLaw(weights, card).init_state(1)


def test_a_card_of_no_texture_is_as_before():
    assert "texture" not in Architecture().told
    assert SIZES.told["texture"] == 1


def test_what_is_alike_about_an_axis_stays_so(surrogate):
    """Path and texture are, and so is the stress."""
    law = law_of(surrogate)
    P = stress_of(law, np.tile(np.diag([0.99, 0.99, 1.02]), (3, 1, 1, 1)), FIBRE)[-1, 0]
    np.testing.assert_allclose(P, np.diag([P[0, 0], P[0, 0], P[2, 2]]), rtol=0.0, atol=1e-12)
    assert from_deviator5(deviator5(torch.from_numpy(P))).abs().max() > 0.0


def test_points_know_neither_their_batch_nor_the_future(surrogate):
    law, F, texture = law_of(surrogate, "single"), deformations(), textures(40)
    P = stress_of(law, F, texture)
    np.testing.assert_array_equal(stress_of(law, F[:, 7:20], texture[7:20]), P[:, 7:20])
    changed = F.copy()
    changed[5:] = F[4]
    np.testing.assert_array_equal(stress_of(law, changed, texture)[:5], P[:5])
