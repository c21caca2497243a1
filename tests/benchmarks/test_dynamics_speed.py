"""Speed of the explicit step on one core, beside its budget; never pass or fail on time.

Run with ``pytest tests/benchmarks --benchmark-enable``.
"""

import numpy as np
import pytest
from mpi4py import MPI

import multiscale.parallel.fenics
from meshes.cylinder import cylinder
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements import hexahedron
from multiscale.dynamics.elements.registry import cell_shape, make_element
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.johnson_cook import JohnsonCook
from multiscale.laws.neo_hooke import NeoHooke

import basix.ufl
import ufl
from dolfinx import fem

# Microseconds an element and step, the whole step with Johnson-Cook; OpenRadioss takes 1.54 and 0.33.
BUDGET = {"hex8-fbar": 1.5, "hex8-one-point": 0.40}


def report(benchmark, capsys, what, cells, budget=None):
    """Print the median cost beside its budget; nothing where benchmarks are switched off."""
    if benchmark.stats is not None:
        cost = 1e6 * benchmark.stats.stats.median / cells
        benchmark.extra_info.update(us=cost, budget_us=budget)
        with capsys.disabled():
            print(f"\n{what}: {cost:.3f} us per element, budget {budget} us")


@pytest.mark.parametrize("element", [*BUDGET, "tet10"])
def test_whole_step_with_johnson_cook(benchmark, capsys, element):
    mesh = cylinder(elements=3200, cell=cell_shape(element))
    body = Simulation(mesh, JohnsonCook(), element, [RigidPlane()], initial_velocity=(0, 0, -0.2))
    benchmark.pedantic(body.step, rounds=200, warmup_rounds=5)
    report(benchmark, capsys, f"{element}, whole step", body.n_cells_global, BUDGET.get(element))
    assert np.isfinite(body.energy.error)


@pytest.fixture(scope="module")
def anvil():
    impact = cylinder(elements=3200, comm=MPI.COMM_SELF)
    space = fem.functionspace(impact.mesh, ("Lagrange", 1, (3,)))
    u = fem.Function(space)
    u.x.array[:] = np.random.default_rng(1).uniform(-1e-3, 1e-3, u.x.array.shape)
    return impact.mesh, space, u


@pytest.mark.parametrize("element", BUDGET)
def test_kinematics_and_force(benchmark, capsys, anvil, element):
    """Our kernels: F-bar with its adjoint, one point with its hourglass control."""
    _, space, u = anvil
    X, nodes = space.tabulate_dof_coordinates(), space.dofmap.list
    cells = make_element(element, X[nodes], nodes, NeoHooke())
    F = np.empty((*cells.weights.shape, 3, 3))
    P, force = np.ones_like(F), np.zeros_like(X)
    values = u.x.array.reshape(-1, 3)

    def step():
        cells.deformation(values, 0, len(nodes), F)
        cells.add_force(values, F, P, 0, len(nodes), force)

    benchmark.pedantic(step, rounds=200, warmup_rounds=5)
    report(benchmark, capsys, f"{element}, kinematics and force", len(nodes))
    assert np.isfinite(force).all()


def test_kinematics_and_force_by_ffcx(benchmark, capsys, anvil):
    """The same without mean dilatation as an FFCx expression and form with the fast flags, for comparison."""
    mesh, space, u = anvil
    options = multiscale.parallel.fenics.JIT_OPTIONS
    points = 0.5 * (1.0 + hexahedron.GAUSS_POINTS)
    gradient = fem.Expression(ufl.Identity(3) + ufl.grad(u), points, jit_options=options)
    quadrature = basix.ufl.quadrature_element("hexahedron", value_shape=(3, 3), degree=3)
    P = fem.Function(fem.functionspace(mesh, quadrature))
    form = fem.form(ufl.inner(P, ufl.grad(ufl.TestFunction(space))) * ufl.dx(degree=3), jit_options=options)
    cells = np.arange(mesh.topology.index_map(3).size_local, dtype=np.int32)
    values, force = gradient.eval(mesh, cells), np.zeros(u.x.array.shape)
    coefficients, constants = fem.pack_coefficients(form), fem.pack_constants(form)

    def step():
        gradient.eval(mesh, cells, values)
        fem.assemble_vector(force, form, constants, coefficients)

    benchmark.pedantic(step, rounds=100, warmup_rounds=3)
    report(benchmark, capsys, "FFCx, kinematics and force", len(cells))
    assert np.isfinite(force).all()
