"""The virtual work of mean-dilatation elements in UFL: its residual and its consistent linearisation.

The law sees F-bar = (theta / J)^(a/3) F, with theta the mean of J over the cell, as in
:mod:`multiscale.dynamics.elements.mean_dilatation`: isochoric flow constrains a cell once, not every point.
With theta and its conjugate p constant in a cell, virtual work is (Simo, Taylor and Pister 1985)

    P : dF-bar + p (dJ - dtheta) + (J - theta) dp  = work of the loads.

Both are found in the cell, theta = mean J and p = mean P : dF-bar/dtheta, and what depends on them is
eliminated there. So the unknowns are displacements only, and a stiffness matrix is, cell by cell,

    K_uu + k_ut x b / V + b / V x (k_tu + k_tt b / V),     b = the integral of dJ/du.

First Piola stress P and its derivative C = dP/dF-bar are coefficients in quadrature space; UFL differentiates
the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import multiscale.parallel.fenics as fenics
from microscale.tensors import FloatArray

import basix
import basix.ufl
import ufl
from dolfinx import fem
from dolfinx import mesh as dolfinx_mesh

#: Degree of the quadrature rule: 2 x 2 x 2 Gauss points of a hexahedron, six points of a tetrahedron. It
#: integrates the gradients exactly on distorted and curved cells, which patch tests need.
QUADRATURE_DEGREE = 3

#: The share a of the dilatation that is averaged, as the elements of dynamics have it.
SHARE = {"hexahedron": 1.0, "tetrahedron": 0.95}


class VirtualWork:
    """Forms on one rank's cells, and the functions that stand in them.

    Attributes:
        name: Name of the element.
        space: Displacements, of the degree of the mesh.
        u: Displacement, mm.
        stress: P at the points, shape (cells, points, 3, 3), GPa; who has a law fills it.
        moduli: dP/dF-bar there, shape (cells, points, 3, 3, 3, 3), GPa; who has a law fills it.
        weights: Reference volume of each point, shape (cells, points), mm^3.
        test: Test function of the loads.
        F: Deformation gradient of the nodal displacements, in UFL.
    """

    def __init__(self, mesh: dolfinx_mesh.Mesh) -> None:
        """Make the forms; they are compiled where they were not before."""
        self._mesh = mesh
        shape, degree = mesh.topology.cell_name(), mesh.geometry.cmaps[0].degree
        self.name = f"{shape}-mean-dilatation"
        self._dx = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": QUADRATURE_DEGREE})
        self.space = fem.functionspace(mesh, ("Lagrange", degree, (3,)))
        self._of_cells = fem.functionspace(mesh, ("DG", 0))
        self._broken = fem.functionspace(mesh, ("DG", degree, (3,)))
        self.u = fem.Function(self.space, name="displacement")
        self._theta, self._p = fem.Function(self._of_cells), fem.Function(self._of_cells)
        self._P, self._C = self._at_points(2), self._at_points(4)
        self._share = fem.Constant(mesh, SHARE[shape])
        self.test, self._trial = ufl.TestFunction(self.space), ufl.TrialFunction(self.space)
        self.F = ufl.Identity(3) + ufl.grad(self.u)
        self._J = ufl.det(self.F)
        self._F_bar = (self._theta / self._J) ** (self._share / 3.0) * self.F
        self._F_theta = self._share / (3.0 * self._theta) * self._F_bar  # dF-bar / dtheta
        points, weights = basix.make_quadrature(mesh.basix_cell(), QUADRATURE_DEGREE)
        self._cells = np.arange(mesh.topology.index_map(3).size_local, dtype=np.int32)
        rows = len(self._cells), len(weights)
        self.stress: FloatArray = self._P.x.array.reshape(*rows, 3, 3)
        self.moduli: FloatArray = self._C.x.array.reshape(*rows, 3, 3, 3, 3)
        self.weights = weights * np.abs(
            self._expression(ufl.JacobianDeterminant(mesh), points).eval(mesh, self._cells)
        )
        self._deformation = self._expression(self._F_bar, points)
        self._volumes = self.weights.sum(axis=1)
        self._compile()

    def _at_points(self, rank: int) -> fem.Function:
        """Return a tensor at the quadrature points, whose array is that of the cells in order."""
        cell = self._mesh.basix_cell()
        element = basix.ufl.quadrature_element(cell, value_shape=(3,) * rank, degree=QUADRATURE_DEGREE)
        space = fem.functionspace(self._mesh, element)
        dofs = space.dofmap.list
        assert np.array_equal(dofs.ravel(), np.arange(dofs.size)), "points of a cell are not in order"
        return fem.Function(space)

    def _expression(self, value: Any, points: FloatArray) -> fem.Expression:
        return fem.Expression(value, points, jit_options=fenics.JIT_OPTIONS)

    def _compile(self) -> None:
        """Compile the forms; the words are those of this module's head."""
        u, P, C, F_bar, F_theta = self.u, self._P, self._C, self._F_bar, self._F_theta
        dx, of_cell, broken = self._dx, ufl.TestFunction(self._of_cells), ufl.TestFunction(self._broken)
        i, j, k, l = ufl.indices(4)

        def form(work: Any) -> fem.Form:
            return fem.form(work, jit_options=fenics.JIT_OPTIONS)

        def moduli(of: Any, with_: Any) -> Any:
            return C[i, j, k, l] * of[k, l] * with_[i, j]

        def work(virtual: Any) -> Any:
            return (
                ufl.inner(P, ufl.derivative(F_bar, u, virtual)) * dx
                + self._p * ufl.derivative(self._J, u, virtual) * dx
            )

        self._mean_J = form(self._J * of_cell * dx)
        self._mean_p = form(ufl.inner(P, F_theta) * of_cell * dx)
        self.internal = form(work(self.test))
        along_test, along_trial = (ufl.derivative(F_bar, u, v) for v in (self.test, self._trial))
        self.linearised = (
            ufl.derivative(work(self.test), u, self._trial) + moduli(along_trial, along_test) * dx
        )
        along, theta_along = (ufl.derivative(F, u, broken) for F in (F_bar, F_theta))
        shared = ufl.inner(P, theta_along)
        second = self._share * (self._share - 3.0) / (9.0 * self._theta**2) * F_bar
        self._b = form(ufl.derivative(self._J, u, broken) * dx)
        self._k_ut = form((shared + moduli(F_theta, along)) * dx)
        self._k_tu = form((shared + moduli(along, F_theta)) * dx)
        self._k_tt = form((ufl.inner(P, second) + moduli(F_theta, F_theta)) * of_cell * dx)

    def deform(self, F: FloatArray) -> None:
        """Write F-bar at the points, shape (cells, points, 3, 3), of the displacement ``u``, ghosts included.

        Where a cell is inside out it is not a number or has a negative determinant: the law says so.
        """
        self._theta.x.array[:] = self._per_cell(self._mean_J) / self._volumes
        with np.errstate(invalid="ignore"):
            self._deformation.eval(self._mesh, self._cells, F)

    def balance(self) -> None:
        """Find p of every cell, after ``stress`` has been filled."""
        self._p.x.array[:] = self._per_cell(self._mean_p) / self._volumes

    def _per_cell(self, form: fem.Form) -> FloatArray:
        values: FloatArray = fem.assemble_vector(form).array
        return values

    def _cell_vectors(self, form: fem.Form) -> FloatArray:
        """Return the vector of each cell, shape (cells, nodes of a cell times 3)."""
        values = fem.assemble_vector(form).array.reshape(-1, 3)
        return np.asarray(values[self._broken.dofmap.list].reshape(len(self._cells), -1))

    def eliminated(self, batch: int = 1024) -> Any:
        """Yield what elimination of theta and p adds to the stiffness of cells, after ``moduli`` was filled.

        Yields:
            Nodes of some cells, shape (n, nodes), and their matrices, shape (n, 3 nodes, 3 nodes), GPa mm.
        """
        mean = self._cell_vectors(self._b) / self._volumes[:, None]
        left = self._cell_vectors(self._k_ut)
        right = self._cell_vectors(self._k_tu) + self._per_cell(self._k_tt)[:, None] * mean
        nodes: NDArray[np.int32] = self.space.dofmap.list
        for first in range(0, len(nodes), batch):
            part = slice(first, first + batch)
            outer = np.einsum("ca,cb->cab", left[part], mean[part])
            yield nodes[part], outer + np.einsum("ca,cb->cab", mean[part], right[part])
