"""Elements against exact answers: patch tests, adjointness, rotation, mass, no locking."""

import numpy as np
import pytest
from distorted_body import LAW
from distorted_body import DistortedBody as Body
from mpi4py import MPI
from scipy.spatial.transform import Rotation

import multiscale.parallel.fenics
from meshes.box import box
from microscale.errors import InputError
from microscale.tensors import cofactor
from multiscale.dynamics.elements import hexahedron, tetrahedron
from multiscale.dynamics.elements.registry import ELEMENTS, make_element
from multiscale.dynamics.elements.tet10 import SHARE
from multiscale.laws.neo_hooke import NeoHooke

import ufl
from dolfinx import fem


@pytest.fixture(params=ELEMENTS)
def body(request):
    return Body(request.param)


F_HOMOGENEOUS = np.array([[1.10, 0.20, -0.05], [0.03, 0.85, 0.10], [-0.08, 0.02, 1.05]])


def test_homogeneous_deformation_gives_the_exact_force(body):
    """Patch test: F is exact at every point, inner nodes are in equilibrium, the virtual work is exact."""
    force, hourglass = body.force(body.X @ (F_HOMOGENEOUS - np.eye(3)).T)
    assert np.abs(body.F - F_HOMOGENEOUS).max() < 1e-13
    P = body.P[0, 0]
    assert np.abs(body.P - P).max() < 1e-11
    assert np.abs(force[body.inside]).max() < 1e-12 * np.abs(force).max()
    assert hourglass < 1e-24
    # The virtual work of the linear field a . X is V P : a, for every a: nine exact integrals.
    volume = body.element.weights.sum()
    np.testing.assert_allclose(force.T @ body.X, volume * P, atol=1e-12 * volume * np.abs(P).max())


def test_face_forces_are_those_of_the_traction():
    """On an undistorted box the corner, edge and face nodes carry their exact share of P N."""
    for name in ("hex8-fbar", "hex8-one-point"):
        body = Body(name, distortion=0.0)
        force, _ = body.force(body.X @ (F_HOMOGENEOUS - np.eye(3)).T)
        right = np.isclose(body.X[:, 0], 1.5) & np.isclose(body.X[:, 1], 0.5) & np.isclose(body.X[:, 2], 0.4)
        share = (1.0 / 2) * (0.8 / 2)
        np.testing.assert_allclose(force[right][0], share * body.P[0, 0][:, 0], rtol=1e-12)


def test_traction_on_tetrahedra_pushes_all_six_nodes_of_a_face():
    """Under P N a face's corners carry 1/12 of it and its mid-edge nodes 1/4: what contact needs."""
    body = Body("tet10", distortion=0.0)
    force, _ = body.force(body.X @ (F_HOMOGENEOUS - np.eye(3)).T)
    right = np.isclose(body.X[:, 0], 1.5)
    exact = np.zeros(len(body.X))
    for cell in body.nodes[right[body.nodes].sum(axis=1) == 6]:
        face = cell[right[cell]]  # corners come first
        edges = body.X[face[1:3]] - body.X[face[0]]
        area = 0.5 * np.linalg.norm(np.cross(*edges))
        np.add.at(exact, face[:3], area / 12.0)
        np.add.at(exact, face[3:], area / 4.0)
    within = right & np.all((body.X[:, 1:] > 1e-9) & (body.X[:, 1:] < np.array([1.0, 0.8]) - 1e-9), axis=1)
    assert exact.sum() == pytest.approx(0.8)
    np.testing.assert_allclose(force[within], np.outer(exact[within], body.P[0, 0][:, 0]), atol=1e-12)


def test_force_is_the_gradient_of_the_stored_energy(body):
    """The nodal force is the exact adjoint of the strain the law sees, hourglass control included."""
    rng = np.random.default_rng(1)
    u = body.X @ (F_HOMOGENEOUS - np.eye(3)).T + rng.uniform(-0.02, 0.02, body.X.shape)
    force, _ = body.force(u)
    for _ in range(5):
        direction = rng.standard_normal(u.shape)
        h = 1e-5
        slope = (body.stored_energy(u + h * direction) - body.stored_energy(u - h * direction)) / (2 * h)
        assert slope == pytest.approx(np.sum(force * direction), rel=1e-7)


def test_force_balances_and_turns_with_the_body(body):
    """No net force or moment; a rotation turns the forces and changes no energy."""
    u = np.random.default_rng(2).uniform(-0.03, 0.03, body.X.shape)
    force, hourglass = body.force(u)
    scale = np.abs(force).max()
    assert np.abs(force.sum(axis=0)).max() < 1e-12 * scale
    assert np.abs(np.cross(body.X + u, force).sum(axis=0)).max() < 1e-12 * scale
    R = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix()
    turned, hourglass_turned = body.force((body.X + u) @ R.T - body.X)
    np.testing.assert_allclose(turned, force @ R.T, atol=1e-12 * scale)
    assert hourglass_turned == pytest.approx(hourglass, rel=1e-10, abs=1e-20)


@pytest.mark.parametrize(("name", "share"), [("hex8-fbar", 1.0), ("tet10", SHARE)])
def test_the_law_sees_the_mean_dilatation_of_a_cell(name, share):
    """The mean over the volume of that of the nodal displacements, but for a small part."""
    body = Body(name)
    u = np.random.default_rng(4).uniform(-0.05, 0.05, body.X.shape)
    body.force(u)
    weights = body.element.weights
    J = np.linalg.det(body.F / body.element.scale[..., None, None])
    mean = np.sum(weights * J, axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.det(body.F), mean**share * J ** (1.0 - share))


def test_mean_dilatation_of_hexahedra_is_that_of_their_volume():
    body = Body("hex8-fbar")
    u = np.random.default_rng(4).uniform(-0.05, 0.05, body.X.shape)
    body.force(u)
    J = np.linalg.det(body.F)
    deformed = hexahedron.gauss_gradients((body.X + u)[body.nodes])[1].sum(axis=1)
    np.testing.assert_allclose(J, np.repeat((deformed / body.element.weights.sum(axis=1))[:, None], 8, 1))


def test_deformation_gradient_is_that_of_a_compiled_form():
    """F-bar over its factor is I + grad(u) as FFCx evaluates it at the same points, on a distorted mesh."""
    impact = box((1.5, 1.0, 0.8), (3, 2, 2), comm=MPI.COMM_SELF)
    x = impact.mesh.geometry.x
    x += np.random.default_rng(6).uniform(-0.08, 0.08, x.shape)
    space = fem.functionspace(impact.mesh, ("Lagrange", 1, (3,)))
    u = fem.Function(space)
    u.x.array[:] = np.random.default_rng(5).uniform(-0.03, 0.03, u.x.array.shape)
    points = 0.5 * (1.0 + hexahedron.GAUSS_POINTS)
    options = multiscale.parallel.fenics.JIT_OPTIONS
    gradient = fem.Expression(ufl.Identity(3) + ufl.grad(u), points, jit_options=options)
    exact = gradient.eval(impact.mesh, np.arange(12, dtype=np.int32)).reshape(12, 8, 3, 3)
    nodes = space.dofmap.list
    element = make_element("hex8-fbar", space.tabulate_dof_coordinates()[nodes], nodes, LAW)
    F = np.empty_like(exact)
    element.deformation(u.x.array.reshape(-1, 3), 0, 12, F)
    np.testing.assert_allclose(F / element.scale[..., None, None], exact, atol=1e-13)


def test_f_bar_takes_roots_of_any_ratio():
    """Dilatations far apart in one element: det F-bar is their mean, and an inverted point is kept."""
    body = Body("hex8-fbar", (1, 1, 1), (1.0, 1.0, 1.0), 0.0)
    for squeeze in (0.3, 0.9, 0.999, 1.2):
        u = np.zeros_like(body.X)
        u[np.argmax(body.X.sum(axis=1))] = -squeeze * np.array([0.6, 0.6, 0.6])
        body.element.deformation(u, 0, 1, body.F)
        J = np.linalg.det(body.F / body.element.scale[..., None, None])
        if J.min() > 0.0:
            np.testing.assert_allclose(np.linalg.det(body.F), np.sum(J * body.element.weights), rtol=1e-12)
        else:
            assert np.linalg.det(body.F)[J <= 0.0].max() <= 0.0


def test_a_law_with_inconsistent_wave_speed_is_refused():
    law = NeoHooke()
    law.wave_speed = lambda: 1.0
    with pytest.raises(InputError, match=r"check its wave_speed"):
        law.moduli()


def test_moduli_are_measured_from_the_law():
    moduli = NeoHooke(25.0, 24.0).moduli()
    assert moduli.shear == pytest.approx(25.0, rel=1e-5)
    assert moduli.lame == pytest.approx(48.0 - 2.0 / 3.0 * 25.0, rel=1e-5)


def bending_energy(name, poissons_ratio):
    """Energy of a beam in equilibrium, its ends held as in pure bending, over that of the exact solution.

    u = kappa (x z, 0, -x^2 / 2) with the anticlastic side motion stores E I kappa^2 L / 2.
    """
    G, nu, kappa = 1.0, poissons_ratio, 1e-4
    bulk = 2.0 * G * (1.0 + nu) / (3.0 * (1.0 - 2.0 * nu))
    length, width, height = 4.0, 1.0, 1.0
    body = Body(name, (4, 2, 2), (length, width, height), 0.0, NeoHooke(G, 0.5 * bulk))
    x, y, z = (body.X - np.array([0.0, 0.5 * width, 0.5 * height])).T
    u = kappa * np.stack([x * z, -nu * y * z, -0.5 * (x**2 + nu * (z**2 - y**2))], axis=1).ravel()
    exact = 0.5 * (2.0 * G * (1.0 + nu)) * width * height**3 / 12.0 * kappa**2 * length
    free = np.repeat((x > 1e-9) & (x < length - 1e-9), 3)
    K = body.stiffness(np.zeros_like(body.X))
    u[free] = 0.0
    u[free] = -np.linalg.solve(K[np.ix_(free, free)], (K @ u)[free])
    return body.stored_energy(u.reshape(-1, 3)) / exact


@pytest.mark.parametrize(
    ("name", "low", "high", "change"),
    [("hex8-fbar", 1.0, 1.32, 0.03), ("hex8-one-point", 0.75, 1.0, 0.03), ("tet10", 1.0, 1.01, 0.1)],
)
def test_bending_does_not_lock_near_incompressibility(name, low, high, change):
    """A beam of two cells' height is as stiff at nu = 0.4999 as at 0.3; locking is a factor of hundreds."""
    compressible, incompressible = bending_energy(name, 0.3), bending_energy(name, 0.4999)
    assert low < compressible < high
    assert incompressible == pytest.approx(compressible, rel=change)


def test_mass_is_positive_and_complete(body):
    mass = body.mass()
    assert mass.min() > 0.0
    assert mass.sum() == pytest.approx(LAW.density * body.element.weights.sum(), rel=1e-13)


def test_composite_tetrahedra_integrate_linear_fields_exactly():
    """Weights, mass and mean gradients against the integrals over the twelve parts, on curved cells."""
    body = Body("tet10", curvature=0.1)
    X = body.X[body.nodes]
    gradients, weights = tetrahedron.gradients(X)
    eleven = np.einsum("en,cni->cei", tetrahedron.TIE, X)
    parts = eleven[:, tetrahedron.PARTS]
    volumes = np.linalg.det(parts[:, :, 1:] - parts[:, :, :1]) / 6.0
    np.testing.assert_allclose(weights.sum(axis=1), volumes.sum(axis=1))
    position = np.einsum("cp,cpai->ci", volumes, parts) / 4.0
    np.testing.assert_allclose(np.einsum("cn,cni->ci", tetrahedron.lumped_volumes(X), X), position)
    np.testing.assert_allclose(np.einsum("cni,cnjq->cqij", X, gradients) - np.eye(3), 0.0, atol=1e-12)


def test_straight_tetrahedra_have_the_masses_of_the_composite():
    X = tetrahedron._parent_nodes()[None, :10, 1:]
    shares = 6.0 * tetrahedron.lumped_volumes(X)[0]
    np.testing.assert_allclose(shares, [1.0 / 32.0] * 4 + [7.0 / 48.0] * 6, rtol=1e-12)


@pytest.mark.parametrize("name", ELEMENTS)
def test_only_rigid_motions_cost_no_energy(name):
    """Six eigenvalues of the stiffness of a single cell vanish; no more."""
    body = Body(name, (1, 1, 1), (1.0, 1.0, 1.0), 0.0)
    body.keep_first_cell()
    values = np.linalg.eigvalsh(body.stiffness(np.zeros_like(body.X)))
    assert np.abs(values[:6]).max() < 1e-9 * values[-1]
    assert values[6] > 5e-5 * values[-1]


def test_a_tetrahedron_curved_too_much_is_refused():
    X = tetrahedron._parent_nodes()[None, :10, 1:].copy()
    X[0, 9] = [0.5, 0.4, 0.4]
    with pytest.raises(InputError, match="curved too much"):
        tetrahedron.gradients(X)


@pytest.mark.parametrize(("name", "fits"), [("tet10", "hex8-fbar or hex8-one-point"), ("hex8-fbar", "tet10")])
def test_an_element_on_the_wrong_cells_is_refused(name, fits):
    nodes = np.arange(8 if name == "tet10" else 10, dtype=np.int32)[None]
    with pytest.raises(InputError, match=f"choose {fits}"):
        make_element(name, np.zeros((1, nodes.size, 3)), nodes, LAW)


def test_cofactor_convention_of_the_adjoint():
    """The F-bar force uses cof F = det(F) F^-T."""
    out = np.empty((3, 3))
    cofactor(F_HOMOGENEOUS, out)
    np.testing.assert_allclose(out, np.linalg.det(F_HOMOGENEOUS) * np.linalg.inv(F_HOMOGENEOUS).T, atol=1e-14)
