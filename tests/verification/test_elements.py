"""Elements against exact answers: patch tests, adjointness, rotation, locking, bound of the stable step."""

import numpy as np
import pytest
from mpi4py import MPI
from scipy.linalg import eigh
from scipy.spatial.transform import Rotation

import multiscale.fenics
from meshes.box import box
from microscale.errors import InputError
from microscale.tensors import cofactor
from multiscale.dynamics import hexahedron
from multiscale.dynamics.elements import ELEMENTS, make_element
from multiscale.dynamics.stable_step import StableStep, elastic_moduli
from multiscale.laws.neo_hooke import NeoHooke

import ufl
from dolfinx import fem

LAW = NeoHooke()


class Body:
    """One rank's cells of a distorted box, and its nodal force as a function of the displacements."""

    def __init__(self, name, cells=(3, 2, 2), size=(1.5, 1.0, 0.8), distortion=0.25, law=LAW):
        impact = box(size, cells, MPI.COMM_SELF)
        space = fem.functionspace(impact.mesh, ("Lagrange", 1, (3,)))
        self.X = space.tabulate_dof_coordinates().copy()
        spacing = np.array(size) / cells
        inside = np.all((self.X > 1e-9) & (np.array(size) - 1e-9 > self.X), axis=1)
        moves = np.random.default_rng(3).uniform(-distortion, distortion, self.X.shape) * spacing
        self.X += np.where(inside[:, None], moves, 0.3 * moves)
        self.nodes = space.dofmap.list.copy()
        self.law = law
        self.element = make_element(name, self.X[self.nodes], self.nodes, law)
        self.inside = inside
        self.F = np.empty((*self.element.weights.shape, 3, 3))
        self.P = np.empty_like(self.F)

    def force(self, u):
        """Nodal forces and hourglass energy at displacements u."""
        force = np.zeros_like(u)
        self.element.deformation(u, 0, len(self.nodes), self.F)
        flat = self.F.reshape(-1, 3, 3)
        self.law.update(flat, 0.0, self.law.init_state(len(flat)), self.P.reshape(-1, 3, 3))
        hourglass = self.element.add_force(u, self.F, self.P, 0, len(self.nodes), force)
        return force, hourglass

    def stored_energy(self, u):
        """Energy of the neo-Hookean law at the points plus that of hourglass control."""
        _, hourglass = self.force(u)
        J = np.linalg.det(self.F)
        first = np.sum(self.F**2, axis=(2, 3)) / np.cbrt(J) ** 2
        density = 0.5 * self.law.shear_modulus * (first - 3.0) + self.law.lambda_e * (J - 1.0) ** 2
        return np.sum(density * self.element.weights) + hourglass

    def mass(self):
        mass = np.zeros(len(self.X))
        np.add.at(mass, self.nodes, self.law.density * hexahedron.lumped_volumes(self.X[self.nodes]))
        return mass


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
    for name in ELEMENTS:
        body = Body(name, distortion=0.0)
        force, _ = body.force(body.X @ (F_HOMOGENEOUS - np.eye(3)).T)
        right = np.isclose(body.X[:, 0], 1.5) & np.isclose(body.X[:, 1], 0.5) & np.isclose(body.X[:, 2], 0.4)
        share = (1.0 / 2) * (0.8 / 2)
        np.testing.assert_allclose(force[right][0], share * body.P[0, 0][:, 0], rtol=1e-12)


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


def test_a_collapsing_point_is_resisted_by_a_conservative_spring():
    """Past a factor of two between a point's J and the mean, F-bar stores energy; its force stays exact."""
    body = Body("hex8-fbar", (1, 1, 1), (1.0, 1.0, 1.0), 0.0)
    corner = np.argmax(body.X.sum(axis=1))
    u, direction = np.zeros_like(body.X), np.random.default_rng(7).standard_normal(body.X.shape)
    for squeeze, resisted in ((0.2, False), (0.42, True)):
        u[corner] = -squeeze
        force, hourglass = body.force(u)
        assert (hourglass > 0.0) == resisted
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


def test_f_bar_has_the_mean_dilatation():
    body = Body("hex8-fbar")
    u = np.random.default_rng(4).uniform(-0.05, 0.05, body.X.shape)
    body.force(u)
    J = np.linalg.det(body.F)
    deformed = hexahedron.gauss_gradients((body.X + u)[body.nodes])[1].sum(axis=1)
    np.testing.assert_allclose(J, np.repeat((deformed / body.element.weights.sum(axis=1))[:, None], 8, 1))


def test_deformation_gradient_is_that_of_a_compiled_form():
    """F-bar over its factor is I + grad(u) as FFCx evaluates it at the same points, on a distorted mesh."""
    impact = box((1.5, 1.0, 0.8), (3, 2, 2), MPI.COMM_SELF)
    x = impact.mesh.geometry.x
    x += np.random.default_rng(6).uniform(-0.08, 0.08, x.shape)
    space = fem.functionspace(impact.mesh, ("Lagrange", 1, (3,)))
    u = fem.Function(space)
    u.x.array[:] = np.random.default_rng(5).uniform(-0.03, 0.03, u.x.array.shape)
    points = 0.5 * (1.0 + hexahedron.GAUSS_POINTS)
    options = multiscale.fenics.JIT_OPTIONS
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


def stiffness(body, u):
    """Stiffness matrix at u by central differences of the force, shape (3 nodes, 3 nodes)."""
    size, h = u.size, 1e-6
    K = np.empty((size, size))
    for column in range(size):
        step = np.zeros(size)
        step[column] = h
        ahead, _ = body.force(u + step.reshape(-1, 3))
        behind, _ = body.force(u - step.reshape(-1, 3))
        K[:, column] = (ahead - behind).ravel() / (2.0 * h)
    return 0.5 * (K + K.T)


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
def test_stable_step_is_never_above_the_largest_eigenvalue(name, poissons_ratio, size, distortion, F):
    """2 / omega of M^-1 K for the free body, against the estimate; and the estimate is not wasteful."""
    G = 25.0
    bulk = 2.0 * G * (1.0 + poissons_ratio) / (3.0 * (1.0 - 2.0 * poissons_ratio))
    body = Body(name, (2, 2, 2), size, distortion, NeoHooke(G, 0.5 * bulk))
    u = body.X @ (F - np.eye(3)).T
    K = stiffness(body, u)
    omega = np.sqrt(eigh(K, np.diag(np.repeat(body.mass(), 3)), eigvals_only=True)[-1])
    bound, cell = StableStep(body.element, body.X[body.nodes], body.law).bound(body.F)
    assert bound <= 2.0 / omega
    assert bound > 0.5 * 2.0 / omega
    assert 0 <= cell < 8


@pytest.mark.parametrize("name", ELEMENTS)
def test_stable_step_holds_in_a_rough_state(name):
    """Nodes moved at random by a tenth of a cell: with the default Courant factor the step is stable."""
    body = Body(name, (2, 2, 2), (1.0, 1.0, 1.0), 0.2)
    u = np.random.default_rng(8).uniform(-0.05, 0.05, body.X.shape)
    omega = np.sqrt(eigh(stiffness(body, u), np.diag(np.repeat(body.mass(), 3)), eigvals_only=True)[-1])
    body.force(u)
    bound, _ = StableStep(body.element, body.X[body.nodes], body.law).bound(body.F)
    assert 0.45 * 2.0 / omega < 0.9 * bound < 2.0 / omega


def test_a_law_with_inconsistent_wave_speed_is_refused():
    law = NeoHooke()
    law.wave_speed = lambda: 1.0
    with pytest.raises(InputError, match=r"check its wave_speed"):
        elastic_moduli(law)


def test_elastic_moduli_are_measured_from_the_law():
    lame, shear = elastic_moduli(NeoHooke(25.0, 24.0))
    assert shear == pytest.approx(25.0, rel=1e-5)
    assert lame == pytest.approx(48.0 - 2.0 / 3.0 * 25.0, rel=1e-5)


@pytest.mark.parametrize("name", ELEMENTS)
def test_bending_does_not_lock_near_incompressibility(name):
    """A slender beam, nu = 0.4999: the elements' bending stiffness stays near that of beam theory.

    The energy of pure bending, u = kappa (x z, 0, -x^2 / 2) with the anticlastic side motion, is E I
    kappa^2 L / 2. The standard eight-point element would store more than a hundred times that.
    """
    G, nu, kappa = 1.0, 0.4999, 1e-4
    bulk = 2.0 * G * (1.0 + nu) / (3.0 * (1.0 - 2.0 * nu))
    length, width, height = 4.0, 1.0, 1.0
    body = Body(name, (8, 4, 4), (length, width, height), 0.0, NeoHooke(G, 0.5 * bulk))
    x, y, z = (body.X - np.array([0.0, 0.5 * width, 0.5 * height])).T
    u = kappa * np.stack([x * z, -nu * y * z, -0.5 * (x**2 + nu * (z**2 - y**2))], axis=1)
    exact = 0.5 * (2.0 * G * (1.0 + nu)) * width * height**3 / 12.0 * kappa**2 * length
    assert 0.85 * exact < body.stored_energy(u) < 1.35 * exact


def test_mass_is_positive_and_complete(body):
    mass = body.mass()
    assert mass.min() > 0.0
    assert mass.sum() == pytest.approx(LAW.density * body.element.weights.sum(), rel=1e-13)


def test_cofactor_convention_of_the_adjoint():
    """The F-bar force uses cof F = det(F) F^-T."""
    out = np.empty((3, 3))
    cofactor(F_HOMOGENEOUS, out)
    np.testing.assert_allclose(out, np.linalg.det(F_HOMOGENEOUS) * np.linalg.inv(F_HOMOGENEOUS).T, atol=1e-14)
