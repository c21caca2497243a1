"""Loads on groups of facets: dead forces, and pressures that follow the surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mpi4py import MPI

import multiscale.parallel.fenics as fenics
from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.statics.over_time import Given, OverTime

import ufl
from dolfinx import fem

#: Degree of quadrature on facets: exact for a pressure on straight-sided cells.
DEGREE = 4


class Loads:
    """Loads over time, and their virtual work in UFL.

    A force is the same at any deformation and spread evenly over the reference area of its group. A pressure
    acts along the normal of the deformed surface: its traction on the reference area is -p cof(F) N.
    """

    def __init__(self, body: ImpactMesh, forces: Mapping[str, Given], pressures: Mapping[str, Given]) -> None:
        """Take the loads of groups; collective.

        Args:
            body: The mesh.
            forces: Total force on a group, x, y and z, kN, over time, us.
            pressures: Pressure on a group, GPa, over time, us; positive into the body.

        Raises:
            InputError: A group is not in the mesh, or a load is none.
        """
        mesh = body.mesh
        body.require([*forces, *pressures])
        self._normal = ufl.FacetNormal(mesh)
        mesh.topology.create_connectivity(2, 3)
        mesh.topology.create_connectivity(3, 2)
        groups = list(dict.fromkeys([*forces, *pressures]))
        entities = [
            (
                tag,
                fem.compute_integration_domains(
                    fem.IntegralType.exterior_facet, mesh.topology, body.facets(group)
                ),
            )
            for tag, group in enumerate(groups)
        ]
        self._ds = ufl.Measure(
            "ds", domain=mesh, subdomain_data=entities, metadata={"quadrature_degree": DEGREE}
        )
        self._tags = {group: tag for tag, group in enumerate(groups)}
        self._tractions = {group: fem.Constant(mesh, np.zeros(3)) for group in forces}
        self._pressures = {group: fem.Constant(mesh, 0.0) for group in pressures}
        self._force = {group: OverTime(f"force on {group}", given, 3) for group, given in forces.items()}
        self._pressure = {
            group: OverTime(f"pressure on {group}", given) for group, given in pressures.items()
        }
        self._areas = {group: self._area(body, group) for group in forces}

    def _area(self, body: ImpactMesh, group: str) -> float:
        one = fem.Constant(body.mesh, 1.0)
        form = fem.form(one * self._ds(self._tags[group]), jit_options=fenics.JIT_OPTIONS)
        return float(body.mesh.comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM))

    @property
    def groups(self) -> list[str]:
        """The groups that bear loads."""
        return list(self._tags)

    def told(self) -> dict[str, float]:
        """Return the present loads by names with units."""
        found = {f"pressure_{group}_GPa": float(p.value) for group, p in self._pressures.items()}
        for group, traction in self._tractions.items():
            force = traction.value * self._areas[group]
            found |= {f"force_{axis}_{group}_kN": float(force[k]) for k, axis in enumerate("xyz")}
        return found

    @property
    def follows(self) -> bool:
        """Whether the loads depend on the displacements."""
        return bool(self._pressures)

    @property
    def over_time(self) -> list[OverTime]:
        """All loads."""
        return [*self._force.values(), *self._pressure.values()]

    def at(self, time: float) -> None:
        """Let the loads be those of a time, us.

        Raises:
            InputError: A function returned something else than the numbers expected.
        """
        for group, force in self._force.items():
            self._tractions[group].value[:] = self._vector(force, time) / self._areas[group]
        for group, pressure in self._pressure.items():
            self._pressures[group].value = self._number(pressure, time)

    def _vector(self, force: OverTime, time: float) -> FloatArray:
        value = force.at(time)
        if value.shape != (3,):
            raise InputError(f"{force.name} has shape {value.shape}, expected x, y and z in kN")
        return value

    def _number(self, pressure: OverTime, time: float) -> float:
        value = pressure.at(time)
        if value.shape != ():
            raise InputError(f"{pressure.name} has shape {value.shape}, expected a number in GPa")
        return float(value)

    def work(self, F: Any, virtual: Any) -> Any:
        """Return the work of the loads on a virtual displacement, a form in UFL; zero where there are none.

        Args:
            F: Deformation gradient.
            virtual: The displacement.
        """
        traction = ufl.det(F) * ufl.inv(F).T * self._normal
        total: Any = 0
        for group, t in self._tractions.items():
            total += ufl.inner(t, virtual) * self._ds(self._tags[group])
        for group, p in self._pressures.items():
            total -= p * ufl.inner(traction, virtual) * self._ds(self._tags[group])
        return total
