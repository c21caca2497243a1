"""The recurrent surrogate: what holds by construction, whatever the weights."""

import numpy as np
import pytest
import torch
from autograd_recurrent import AutogradRecurrent, mean_of_exponential, symmetric_product
from scipy.stats import special_ortho_group
from stretch_histories import PATHS, SAMPLES, steps_of, stretches

from microscale.law import drive
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.surrogate.recurrent.architecture import STRAIN_SCALE, Architecture
from multiscale.surrogate.recurrent.compiled import FusedRecurrent, pack
from multiscale.surrogate.recurrent.increments import (
    adjugate,
    convected_maps,
    deviator5,
    from_deviator5,
    unimodular,
)


@pytest.fixture(scope="module")
def surrogate() -> AutogradRecurrent:
    torch.manual_seed(0)
    return AutogradRecurrent(Architecture(groups=3, tensors=2, scalars=4, hidden=12))


def test_deviators_in_the_basis():
    A = torch.randn(4, 3, 3, dtype=torch.float64)
    B = torch.randn(4, 3, 3, dtype=torch.float64)
    a, b = deviator5(A), deviator5(B)
    torch.testing.assert_close((a * b).sum(-1), (from_deviator5(a) * B).sum((-1, -2)))
    torch.testing.assert_close(deviator5(from_deviator5(a)), a)


def test_adjugate_and_unimodular():
    U = torch.from_numpy(stretches())
    torch.testing.assert_close(adjugate(U), torch.linalg.det(U)[..., None, None] * torch.linalg.inv(U))
    torch.testing.assert_close(torch.linalg.det(unimodular(U)), torch.ones(U.shape[:2], dtype=U.dtype))


def test_convected_map_is_that_of_the_gradient():
    L, s = 0.3 * torch.randn(6, 3, 3, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64)
    f = torch.eye(3) + L
    moved = s + (convected_maps(L.flatten(-2)) * s[:, None]).sum(-1)
    torch.testing.assert_close(moved, deviator5(f @ from_deviator5(s) @ f.mT))


def test_mean_of_exponential_and_its_gradient():
    x = torch.tensor([0.0, 1e-9, 5e-5, 2e-4, 0.3, 40.0], dtype=torch.float64, requires_grad=True)
    values = mean_of_exponential(x)
    nodes = torch.linspace(0, 1, 20001, dtype=torch.float64)
    exact = torch.trapezoid(torch.exp(-x.detach()[:, None] * nodes), nodes)
    torch.testing.assert_close(values, exact, rtol=1e-6, atol=1e-8)
    values.sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("size", [0.02, 0.002])
def test_an_elastic_material_needs_no_learning(surrogate, size):
    """Without flow (no rates) the stress is the neo-Hookean one, up to the square of the elastic strain."""
    frozen = AutogradRecurrent(surrogate.architecture)
    frozen.load_state_dict(surrogate.state_dict())
    with torch.no_grad():
        frozen.rates.zero_()
        frozen.rates_bias.fill_(-30.0)
        U = stretches(paths=8, size=size)
        strain, _ = frozen(steps_of(U))
    law = NeoHooke()
    stress = drive(law, U, np.arange(U.shape[1]) * 0.05)
    expected = (
        deviator5(torch.from_numpy(stress[:, 1:] * np.linalg.det(U[:, 1:])[..., None, None]))
        / law.shear_modulus
    )
    torch.testing.assert_close(
        strain.transpose(0, 1).double(), expected, rtol=0.0, atol=float(expected.abs().max() * size**2 + 1e-7)
    )


def test_rest_stays_at_rest(surrogate):
    with torch.no_grad():
        strain, state = surrogate(steps_of(np.broadcast_to(np.eye(3), (4, 5, 3, 3)).copy()))
    assert not strain.any()
    assert not state.any()


def test_to_rotate_a_path_rotates_its_stress(surrogate):
    Q, U = special_ortho_group(dim=3, seed=1).rvs(), stretches()
    with torch.no_grad():
        strain, turned = (surrogate(steps_of(path))[0] for path in (U, Q @ U @ Q.T))
    expected = deviator5(torch.from_numpy(Q @ from_deviator5(strain.double()).numpy() @ Q.T)).float()
    torch.testing.assert_close(turned, expected, rtol=0.0, atol=1e-5 * float(strain.abs().max()))


def test_the_product_of_deviators():
    a, b = torch.randn(2, 6, 5, dtype=torch.float64)
    A, B = from_deviator5(a), from_deviator5(b)
    torch.testing.assert_close(symmetric_product(a, b), deviator5((A @ B + B @ A) / 2.0))


def test_the_future_does_not_change_the_past(surrogate):
    U = stretches()
    changed = U.copy()
    changed[:, 5:] = changed[:, 4:5]
    with torch.no_grad():
        before, after = surrogate(steps_of(U))[0], surrogate(steps_of(changed))[0]
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[4:], after[4:])


def test_the_compiled_passes_are_those_of_autograd(surrogate):
    steps, upstream = steps_of(stretches(size=0.05)), torch.randn(SAMPLES - 1, PATHS, 5)
    reference, last = surrogate(steps)
    (reference * upstream / STRAIN_SCALE).sum().backward()
    expected = [parameter.grad.clone() for parameter in surrogate.parameters()]
    surrogate.zero_grad()
    history, state = FusedRecurrent(surrogate, threads=1)(pack(steps))
    (history * upstream.mT).sum().backward()
    torch.testing.assert_close(history.mT * STRAIN_SCALE, reference, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(state.mT, last, rtol=1e-4, atol=1e-5)
    for parameter, gradient in zip(surrogate.parameters(), expected, strict=True):
        torch.testing.assert_close(
            parameter.grad, gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max())
        )


def test_compiled_gradients_do_not_depend_on_threads(surrogate):
    packed = pack(steps_of(stretches(paths=128)))
    gradients = []
    for threads in (1, 2):
        surrogate.zero_grad()
        FusedRecurrent(surrogate, threads)(packed)[0].square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in surrogate.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_batches_fill_the_lanes(surrogate):
    with pytest.raises(ValueError, match="multiple of 32"):
        FusedRecurrent(surrogate)(pack(steps_of(stretches(paths=10))))
