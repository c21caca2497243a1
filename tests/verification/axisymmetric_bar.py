"""The copper bar as the axisymmetric problem it is: four-node rings with F-bar, a reference for the 3D bars.

Of the framework it shares the law and the mean dilatation of a cell; mesh, kinematics, forces, masses,
contact and time steps are its own. Far cheaper than 3D cells of the same size, it shows what the 3D meshes
converge to.

    python tests/verification/axisymmetric_bar.py 4 8 16        cells across the radius
"""

import sys

import numpy as np
from numba import njit

from multiscale.dynamics.elements.mean_dilatation import adjoint_stress, scale_to_mean
from multiscale.laws.j2 import J2

LENGTH, RADIUS, SPEED = 32.4, 3.2, 0.227  # mm, mm/us
TALL = 1.5  # height over width of a cell
COURANT = 0.55
CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
POINTS = CORNERS / np.sqrt(3.0)


class Rings:
    """A bar of ``across`` cells over its radius, on its way to a frictionless wall at z = 0.

    Arrays of nodes are of shape (nodes, 2), components r and z; tensors have the order r, theta, z.
    """

    def __init__(self, across: int, law: J2) -> None:
        self.law = law
        layers = round(across * LENGTH / (TALL * RADIUS))
        r, z = np.linspace(0.0, RADIUS, across + 1), np.linspace(0.0, LENGTH, layers + 1)
        self.X = np.stack(np.meshgrid(r, z), axis=-1).reshape(-1, 2)
        first = (np.arange(layers)[:, None] * (across + 1) + np.arange(across)).ravel()
        self.cells = np.stack([first, first + 1, first + across + 2, first + across + 1], axis=1)
        self.rim = across
        self._integrate()
        self.u, self.v = np.zeros_like(self.X), np.full_like(self.X, (0.0, -SPEED))
        self.F = np.broadcast_to(np.eye(3), (len(self.cells), 4, 3, 3)).copy()
        self.P, self.scale = np.zeros_like(self.F), np.ones(self.F.shape[:2])
        self.state = law.init_state(4 * len(self.cells))
        self.time = self.dt = 0.0
        self.size = smallest(self.X, self.cells)

    def _integrate(self) -> None:
        """Gradients d/dr, 1/r and d/dz of the shape functions, volumes of points per radian, lumped mass."""
        factors = 1.0 + POINTS[:, None, :] * CORNERS
        values = 0.25 * factors.prod(axis=2)
        natural = 0.25 * CORNERS * factors[:, :, ::-1]
        jacobian = np.einsum("cai,qad->cqid", self.X[self.cells], natural)
        plane = np.einsum("qad,cqdi->caiq", natural, np.linalg.inv(jacobian))
        r = np.einsum("qa,ca->cq", values, self.X[self.cells, 0])
        around = np.einsum("qa,cq->caq", values, 1.0 / r)
        self.gradients = np.ascontiguousarray(np.stack([plane[:, :, 0], around, plane[:, :, 1]], axis=2))
        self.weights = np.linalg.det(jacobian) * r
        self.mass = np.zeros((len(self.X), 1))
        np.add.at(self.mass[:, 0], self.cells, self.law.density * self.weights @ values)

    def run(self, end_time: float) -> float:
        """Step to ``end_time``, us; return the radius of the rim of the foot, mm."""
        while end_time - self.time > 1e-9:
            size = min(self.size, smallest(self.X + self.u, self.cells))
            self.step(min(COURANT * size / self.law.wave_speed(), end_time - self.time))
        return float((self.X + self.u)[self.rim, 0])

    def step(self, dt: float) -> None:
        """Central difference; a node that would enter the wall is given the velocity that lets it touch."""
        force, v = np.zeros_like(self.X), self.v
        deform(self.u, self.cells, self.gradients, self.weights, self.F, self.scale)
        self.law.update(self.F.reshape(-1, 3, 3), self.dt, self.state, self.P.reshape(-1, 3, 3))
        add_force(self.F, self.P, self.scale, self.cells, self.gradients, self.weights, force)
        v -= 0.5 * (dt + self.dt) * force / self.mass
        v[self.X[:, 0] == 0.0, 0] = 0.0
        v[:, 1] = np.maximum(v[:, 1], -(self.X + self.u)[:, 1] / dt)
        self.u += dt * v
        self.time, self.dt = self.time + dt, dt


@njit(cache=True)
def smallest(x, cells):
    """Least area of a cell with its nodes at ``x`` over its longest edge or diagonal."""
    least = np.inf
    for a, b, c, d in cells:
        area = 0.5 * abs(
            (x[c, 0] - x[a, 0]) * (x[d, 1] - x[b, 1]) - (x[c, 1] - x[a, 1]) * (x[d, 0] - x[b, 0])
        )
        longest = 0.0
        for i, j in ((a, b), (b, c), (c, d), (d, a), (a, c), (b, d)):
            longest = max(longest, np.hypot(x[i, 0] - x[j, 0], x[i, 1] - x[j, 1]))
        least = min(least, area / longest)
    return least


@njit(cache=True)
def deform(u, cells, gradients, weights, F, scale):
    """Write F-bar and its factor of every cell."""
    A, J, s = np.empty((3, 3, 4)), np.empty(4), np.empty(4)
    for cell in range(len(cells)):
        for i in range(3):
            for j in range(3):
                A[i, j] = 1.0 if i == j else 0.0
        for a in range(4):
            r, z = u[cells[cell, a]]
            to_r, around, to_z = gradients[cell, a]
            A[0, 0] += r * to_r
            A[0, 2] += r * to_z
            A[1, 1] += r * around
            A[2, 0] += z * to_r
            A[2, 2] += z * to_z
        scale_to_mean(A, weights[cell], 1.0, J, s, F[cell], scale[cell])


@njit(cache=True)
def add_force(F, P, scale, cells, gradients, weights, force):
    """Add the nodal forces of every cell, per radian."""
    A, cof, stress, work = np.empty((3, 3, 4)), np.empty((3, 3, 4)), np.empty((3, 3, 4)), np.empty(4)
    for cell in range(len(cells)):
        adjoint_stress(F[cell], P[cell], scale[cell], weights[cell], 1.0, A, cof, work, stress)
        for a in range(4):
            to_r, around, to_z = gradients[cell, a]
            node = cells[cell, a]
            force[node, 0] += np.sum(stress[0, 0] * to_r + stress[0, 2] * to_z + stress[1, 1] * around)
            force[node, 1] += np.sum(stress[2, 0] * to_r + stress[2, 2] * to_z)


if __name__ == "__main__":
    for across in map(int, sys.argv[1:]):
        bar = Rings(across, J2())
        early, final = bar.run(12.0), bar.run(80.0)
        length = np.ptp((bar.X + bar.u)[:, 1])
        print(f"{across} across: length {length:.3f} mm, foot radius {final:.3f} mm, {early:.3f} mm at 12 us")
