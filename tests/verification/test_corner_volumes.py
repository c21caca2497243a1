"""Corner volumes: a folded cell is found, and the spring that keeps cells right side out is a true one."""

import numpy as np
import pytest
from distorted_body import DistortedBody
from scipy.spatial.transform import Rotation

from microscale.errors import InputError
from multiscale.dynamics.elements import hexahedron, tetrahedron
from multiscale.dynamics.elements.corner_volumes import DISTORTION_LIMIT, InvertedCellError
from multiscale.dynamics.elements.registry import ELEMENTS, make_element

CORNERS = {8: hexahedron.CORNER_TETRAHEDRA, 10: tetrahedron.PARTS}


def corner_volumes(body, u):
    """Determinants of the edges of each corner, shape (cells, corners)."""
    x = (body.X + u)[body.nodes]
    vertices = np.concatenate([x, x[:, 4:].mean(axis=1, keepdims=True)], axis=1)[:, CORNERS[x.shape[1]]]
    return np.linalg.det(vertices[:, :, 1:] - vertices[:, :, :1])


def strains(body, u):
    """ln of each corner's volume ratio over that of the cell, shape (cells, corners)."""
    volume, at_rest = corner_volumes(body, u), corner_volumes(body, 0.0 * u)
    return np.log(volume / at_rest) - np.log(volume.sum(axis=1) / at_rest.sum(axis=1))[:, None]


def spring(body, u):
    """Force and energy of the spring alone."""
    force = np.zeros_like(u)
    return force, body.element.corners.add_force(u, 0, len(body.nodes), force)


def crumpled(name, seed):
    """A body of few cells with corners past the limit and none folded, and its displacements."""
    body = DistortedBody(name, (2, 1, 1), (1.0, 0.7, 0.6), 0.1, seed=seed)
    rng, extent = np.random.default_rng(seed), 0.4
    while True:
        u = rng.uniform(-extent, extent, body.X.shape) + body.X @ rng.uniform(-0.2, 0.2, (3, 3)).T
        if corner_volumes(body, u).min() > 0.0 and np.abs(strains(body, u)).max() > 1.5 * DISTORTION_LIMIT:
            return body, u
        extent *= 0.98


@pytest.mark.parametrize("name", ELEMENTS)
def test_each_corner_that_folds_is_found(name):
    """Each corner is pushed through the plane of its neighbours; until it gets there the cell is valid."""
    body = DistortedBody(name, (1, 1, 1), (1.0, 0.8, 0.6), 0.0)
    body.keep_first_cell()
    vertices = np.vstack([body.X, body.X[4:].mean(axis=0)])
    for corner in CORNERS[body.nodes.shape[1]]:
        moved = next(vertex for vertex in corner if vertex < len(body.X))
        others = vertices[[vertex for vertex in corner if vertex != moved]].mean(axis=0)
        u = np.zeros_like(body.X)
        u[moved] = 0.9 * (others - body.X[moved])
        spring(body, u)
        u[moved] *= 1.6 / 0.9
        assert corner_volumes(body, u).min() < 0.0
        with pytest.raises(
            InvertedCellError, match="corner of the cell is inside out, its volume -"
        ) as caught:
            spring(body, u)
        assert caught.value.cell == 0


@pytest.mark.parametrize("name", ELEMENTS)
def test_the_folded_cell_is_named(name):
    body = DistortedBody(name)
    for cell in (0, len(body.nodes) - 1):
        u = np.zeros_like(body.X)
        node = body.nodes[cell, 0]
        u[node] = 3.0 * (body.X[body.nodes[cell]].mean(axis=0) - body.X[node])
        with pytest.raises(InvertedCellError) as caught:
            spring(body, u)
        assert corner_volumes(body, u)[caught.value.cell].min() < 0.0
        assert (corner_volumes(body, u)[: caught.value.cell] > 0.0).all()


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_mesh_with_a_folded_corner_is_refused(name):
    body = DistortedBody(name, (1, 1, 1), (1.0, 1.0, 1.0), 0.0)
    X = body.X[body.nodes].copy()
    X[0, 0] += 1.1 * (X[0, 1:4].mean(axis=0) - X[0, 0])
    if name != "tet10":
        X[0, 0] += 0.9 * (X[0, [1, 2, 4]].mean(axis=0) - X[0, 0])
    with pytest.raises(InputError, match="mesh again"):
        make_element(name, X, body.nodes, body.law)


@pytest.mark.parametrize("name", ELEMENTS)
def test_linear_fields_cost_nothing_however_large(name):
    """Patch test: stretched tenfold and crushed to a fiftieth, sheared and turned."""
    body = DistortedBody(name)
    F = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix() @ np.diag([10.0, 4.0, 0.02])
    F[0, 1] += 0.7
    assert np.linalg.det(F) > 0.0
    force, energy = spring(body, body.X @ (F - np.eye(3)).T)
    assert energy == 0.0
    assert not force.any()
    assert not body.element.corners.stiffening.any()


@pytest.mark.parametrize("name", ELEMENTS)
@pytest.mark.parametrize("seed", range(3))
def test_the_spring_has_the_energy_stated_and_its_gradient_as_force(name, seed):
    body, u = crumpled(name, seed)
    force, energy = spring(body, u)
    excess = np.maximum(np.abs(strains(body, u)) - DISTORTION_LIMIT, 0.0)
    at_rest = corner_volumes(body, 0.0 * u)
    volume = body.element.weights.sum(axis=1, keepdims=True) * at_rest / at_rest.sum(axis=1, keepdims=True)
    shear = body.law.moduli().shear
    assert energy == pytest.approx(0.5 * 0.1 * shear * np.sum(volume * excess**2), rel=1e-12)
    direction, h = np.random.default_rng(seed).standard_normal(u.shape), 1e-7
    slope = (spring(body, u + h * direction)[1] - spring(body, u - h * direction)[1]) / (2.0 * h)
    assert slope == pytest.approx(np.sum(force * direction), rel=1e-6)


@pytest.mark.parametrize("name", ELEMENTS)
def test_the_spring_keeps_momentum_and_turns_with_the_body(name):
    body, u = crumpled(name, 5)
    force, energy = spring(body, u)
    scale = np.abs(force).max()
    assert scale > 0.0
    assert np.abs(force.sum(axis=0)).max() < 1e-12 * scale
    assert np.abs(np.cross(body.X + u, force).sum(axis=0)).max() < 1e-12 * scale
    R = Rotation.from_euler("xyz", [2.1, 0.3, -1.2]).as_matrix()
    turned, energy_turned = spring(body, (body.X + u) @ R.T - body.X)
    np.testing.assert_allclose(turned, force @ R.T, atol=1e-11 * scale)
    assert energy_turned == pytest.approx(energy, rel=1e-11)


def test_no_finite_energy_folds_a_corner():
    """The energy grows without bound as a corner goes flat, and the force pushes it back."""
    body = DistortedBody("hex8-one-point", (1, 1, 1), (1.0, 1.0, 1.0), 0.0)
    corner, energies = np.argmax(body.X.sum(axis=1)), []
    for left in (1e-1, 1e-2, 1e-4, 1e-8):
        u = np.zeros_like(body.X)
        u[corner] = -(1.0 - left) / 3.0  # of three, its distance to the plane of its neighbours
        force, energy = spring(body, u)
        assert force[corner].max() < 0.0  # internal force: the body pushes the node outwards
        energies.append(energy)
    assert np.diff(energies).min() > 0.0
    assert energies[-1] > 60.0 * energies[0]


def test_one_point_cells_pass_over_no_corner_past_the_limit():
    """The bound by hourglass amplitudes is a true one on distorted cells, and is of use."""
    passed = 0
    for seed in range(30):
        body = DistortedBody("hex8-one-point", seed=seed)
        rng = np.random.default_rng(seed)
        u = body.X @ rng.uniform(-0.3, 0.3, (3, 3)).T + rng.uniform(-1, 1, body.X.shape) * 0.03 * rng.random()
        body.force(u)
        calm = body.element.corners.calm
        passed += calm.sum()
        assert np.abs(strains(body, u)[calm]).max(initial=0.0) < DISTORTION_LIMIT
    assert passed > 60
