"""The estimate of the stable step against the largest eigenvalue of M^-1 K: never above, and how sharp."""

import numpy as np
import pytest
from distorted_body import DistortedBody
from scipy.linalg import eigh

from microscale.errors import InputError
from multiscale.dynamics.elements import laplacian, tetrahedron
from multiscale.dynamics.elements.registry import ELEMENTS
from multiscale.dynamics.elements.tet10 import STRAIGHT_SPREAD
from multiscale.dynamics.stable_step import StableStep
from multiscale.laws.neo_hooke import NeoHooke


def elastic(poissons_ratio, shear_modulus=25.0):
    nu = poissons_ratio
    return NeoHooke(shear_modulus, shear_modulus * (1.0 + nu) / (3.0 * (1.0 - 2.0 * nu)))


def sharpness(body, u):
    """The estimate over 2 / omega of the whole body, free, at displacements u."""
    K = body.stiffness(u)
    top = K.shape[0] - 1
    square = eigh(K, np.diag(np.repeat(body.mass(), 3)), eigvals_only=True, subset_by_index=[top, top])[0]
    bound, cell = StableStep(body.element, body.law).bound(body.F)
    assert 0 <= cell < len(body.nodes)
    return bound * np.sqrt(square) / 2.0


@pytest.mark.parametrize("name", ELEMENTS)
@pytest.mark.parametrize("poissons_ratio", [0.0, 0.28, 0.49])
@pytest.mark.parametrize(
    ("size", "distortion", "F"),
    [
        ((1.0, 1.0, 1.0), 0.0, np.eye(3)),
        ((1.0, 1.0, 1.0), 0.3, np.eye(3)),
        ((1.0, 1.0, 0.1), 0.25, np.eye(3)),
        ((1.0, 1.0, 1.0), 0.25, np.diag([1.15, 1.15, 0.75])),
    ],
    ids=["cube", "distorted", "flat", "crushed"],
)
def test_never_above_the_largest_eigenvalue(name, poissons_ratio, size, distortion, F):
    body = DistortedBody(name, (2, 2, 2), size, distortion, elastic(poissons_ratio))
    assert 0.5 < sharpness(body, body.X @ (F - np.eye(3)).T) <= 1.0


@pytest.mark.parametrize("name", ELEMENTS)
def test_never_above_on_random_meshes(name):
    """Random proportions, distortion and Poisson's ratio."""
    rng = np.random.default_rng(11)
    found = []
    for seed in range(12):
        size = np.exp(rng.uniform(-1.5, 1.5, 3))
        law = elastic(rng.choice([0.0, 0.2, 0.35, 0.45]))
        cells = (2, 2, 2) if name != "tet10" else (2, 1, 1)
        distortion = rng.uniform(0.0, 0.45)
        try:
            body = DistortedBody(name, cells, tuple(size), distortion, law, seed)
        except InputError:  # a corner is folded: such a mesh is refused
            continue
        found.append(sharpness(body, np.zeros_like(body.X)))
    assert len(found) >= 10
    assert max(found) <= 1.0
    assert np.median(found) > 0.6


@pytest.mark.parametrize("name", ELEMENTS)
def test_never_above_where_the_spring_on_corners_acts(name):
    """A corner is pushed ever closer to the plane of its neighbours, where the spring is stiffest."""
    body = DistortedBody(name, (1, 1, 1), (1.0, 0.8, 0.7), 0.1)
    node = body.nodes[0, 0]
    others = body.X[body.nodes[0, [1, 2, 4] if name != "tet10" else [7, 8, 9]]].mean(axis=0)
    for share in (0.7, 0.9, 0.97, 0.99):
        u = np.random.default_rng(3).uniform(-0.01, 0.01, body.X.shape)
        u[node] += share * (others - body.X[node])
        found = sharpness(body, u)
        assert body.element.corners.stiffening.max() > 0.0
        assert 0.1 < found <= 1.0


@pytest.mark.parametrize("name", ELEMENTS)
def test_the_step_taken_is_stable_in_a_rough_state(name):
    """Nodes moved at random by a tenth of a cell: with the default Courant factor the step is stable."""
    body = DistortedBody(name, (2, 2, 2), (1.0, 1.0, 1.0), 0.2)
    extent = 0.05 if name != "tet10" else 0.02
    u = np.random.default_rng(8).uniform(-extent, extent, body.X.shape)
    assert 0.4 < 0.9 * sharpness(body, u) < 1.0


def test_spread_of_straight_tetrahedra_is_largest_for_the_regular_one():
    """So no flattening of a cell takes it beyond what the estimate counts on."""
    corners = np.array([[1.0, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    middles = np.array([0.5 * (corners[a] + corners[b]) for a, b in tetrahedron.EDGES])
    regular = np.vstack([corners, middles])
    rng = np.random.default_rng(5)
    scales = np.exp(rng.uniform(-4.0, 4.0, (2000, 3)) * np.linspace(0.0, 1.0, 2000)[:, None])
    turns = np.linalg.qr(rng.standard_normal((2000, 3, 3)))[0]
    turns *= np.linalg.det(turns)[:, None, None]
    X = np.einsum("ni,cji,cj->cnj", regular, turns, scales)
    gradients, weights = tetrahedron.gradients(X)
    spread = laplacian.spread(gradients, weights, tetrahedron.lumped_volumes(X))
    assert spread[0] == pytest.approx(STRAIGHT_SPREAD, rel=1e-12)
    assert spread.max() <= STRAIGHT_SPREAD * (1.0 + 1e-12)
    assert spread.min() >= 1.0 - 1e-12
