"""A mesh of one kind of cells with named boundary groups: built by gmsh on rank 0, distributed, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from meshes.blocks import listed, model_blocks
from meshes.cell_checks import checked
from meshes.cell_mesh import CORNERS, CellMesh, element_of, gather
from meshes.msh_file import read_msh
from meshes.msh_numbers import IntArray
from meshes.partition import partitioner
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.inputs import numbers
from multiscale.parallel.ranks import shared_errors

import basix.ufl
from dolfinx import mesh as dolfinx_mesh
from dolfinx.graph import adjacencylist
from dolfinx.io.utils import distribute_entity_data

#: Units of length that a mesh file may be in, mm.
LENGTH_UNITS = {"nm": 1e-6, "um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3, "inch": 25.4}


@dataclass(frozen=True)
class ImpactMesh:
    """A distributed mesh and its named groups of boundary facets.

    Attributes:
        mesh: The dolfinx mesh, lengths in mm.
        groups: Number of facets in each group on all ranks, by its name.
        local_facets: The facets of each group on this rank; one facet may be in several groups.
        record: Name and parameters of the geometry, for the run's summary.
    """

    mesh: dolfinx_mesh.Mesh
    groups: dict[str, int]
    local_facets: dict[str, NDArray[np.int32]]
    record: dict[str, Any] = field(default_factory=dict)

    def require(self, names: Iterable[str]) -> None:
        """Raise an InputError, on every rank, that names the groups missing from ``names``, or empty."""
        names, file = [names] if isinstance(names, str) else list(names), self.record.get("path")
        mesh = "the mesh" if file is None else f"mesh file {printable(file)}"
        missing = set(names) - set(self.groups)
        if missing:
            raise InputError(
                f"{mesh} has no facet group named {listed(missing)}; found: {listed(self.groups)}; "
                f"needed: {listed(names)}: add the physical groups in gmsh, or name others"
            )
        empty = [name for name in names if self.groups[name] == 0]
        if empty:
            raise InputError(
                f"the facet group {listed(empty)} of {mesh} is empty, expected facets in each of "
                f"{listed(names)}: save the facets too"
            )

    def facets(self, name: str) -> NDArray[np.int32]:
        """Return the local facets of a group."""
        self.require([name])
        return self.local_facets[name]


def build(draw: Callable[[Any], None], record: dict[str, Any], comm: MPI.Comm) -> ImpactMesh:
    """Let ``draw`` make a meshed gmsh model on rank 0 and distribute it.

    Args:
        draw: Called with the module ``gmsh``, initialised, on rank 0 only; leaves the current model meshed.
        record: Name and parameters of the geometry.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: The model cannot be used, see :mod:`meshes.cell_mesh` and :mod:`meshes.cell_checks`;
            raised on every rank, as is any error of ``draw``.
    """

    def make() -> CellMesh:
        gmsh = _start_gmsh()
        try:
            _draw(draw, gmsh, record)
            return checked(gather(model_blocks(gmsh.model)))
        finally:
            if gmsh.isInitialized():
                gmsh.finalize()

    return distributed(make, record, comm)


@numbers.checked
def load(
    path: str | Path,
    needed: str | Iterable[str] = (),
    comm: MPI.Comm = MPI.COMM_WORLD,
    length_unit: str = "mm",
) -> ImpactMesh:
    """Load a .msh file of gmsh, format 4.1 or 2.2, text or binary: 8-node hexahedra, or tetrahedra.

    Linear tetrahedra get nodes in the middles of their straight edges. gmsh itself is not asked: it would run
    a file that is no mesh as a script. A facet may be in several groups, a cell in one.

    Args:
        path: The .msh file.
        needed: Names of the facet groups it must have, with facets in them; one name alone serves too.
        comm: Communicator the mesh is distributed over.
        length_unit: Unit of the coordinates in the file, a key of :data:`LENGTH_UNITS`.

    Raises:
        InputError: The file cannot be read, is not of such cells only, or lacks a group; on every rank.
    """
    if length_unit not in LENGTH_UNITS:
        raise InputError(f"length-unit = {length_unit!r}, expected one of {', '.join(LENGTH_UNITS)}")

    def make() -> CellMesh:
        try:
            whole = checked(gather(read_msh(Path(path))))
            return replace(whole, points=LENGTH_UNITS[length_unit] * whole.points)
        except InputError as error:
            raise InputError(f"mesh file {printable(path)}: {error}") from error

    loaded = distributed(make, {"geometry": "file", "path": str(path)}, comm)
    loaded.require(needed)
    return loaded


def distributed(make: Callable[[], CellMesh], record: dict[str, Any], comm: MPI.Comm) -> ImpactMesh:
    """Make a mesh on rank 0 and distribute it. Collective.

    Args:
        make: Called on rank 0 only; returns a mesh that has been checked.
        record: Name and parameters of the geometry.
        comm: Communicator the mesh is distributed over.

    Raises:
        Exception: What ``make`` raises; on every rank.
    """
    whole = None
    with shared_errors(comm):
        if comm.rank == 0:
            whole = make()
    shape, groups = comm.bcast(whole and (whole.shape, {name: len(f) for name, f in whole.facets.items()}))
    element, nodes = element_of(shape)
    points = whole.points if whole else np.empty((0, 3))
    cells = whole.cells if whole else np.empty((0, nodes), dtype=np.int64)
    mesh = dolfinx_mesh.create_mesh(
        comm, cells, basix.ufl.blocked_element(element, shape=(3,)), points, partitioner(points, comm)
    )
    mesh.topology.create_connectivity(2, 3)
    corners = np.empty((0, CORNERS[shape]), dtype=np.int64)
    local = {name: _local_facets(mesh, whole.facets[name] if whole else corners) for name in groups}
    return ImpactMesh(mesh, groups, local, record)


def _local_facets(mesh: dolfinx_mesh.Mesh, corners: IntArray) -> NDArray[np.int32]:
    """Return the facets of this rank, ascending, that have the corners given on rank 0. Collective."""
    entities, values = distribute_entity_data(mesh, 2, corners, np.zeros(len(corners), dtype=np.int32))
    tags = dolfinx_mesh.meshtags_from_entities(mesh, 2, adjacencylist(entities), values)
    return np.asarray(tags.indices)


def _draw(draw: Callable[[Any], None], gmsh: Any, record: dict[str, Any]) -> None:
    """Let gmsh mesh; it raises plain exceptions, in its own words, where it cannot.

    Raises:
        InputError: Of ``draw``, or gmsh gave up.
    """
    try:
        draw(gmsh)
    except Exception as error:
        if type(error) is not Exception:  # gmsh raises the base class alone
            raise
        sizes = ", ".join(f"{name} = {value}" for name, value in record.items())
        raise InputError(
            f"gmsh cannot mesh this body ({sizes}): {' '.join(str(error).split())}; give sizes and numbers "
            "of cells nearer to each other"
        ) from error


def _start_gmsh() -> Any:
    try:
        import gmsh
    except OSError as error:
        raise InputError(
            f"gmsh cannot be loaded: {error}; install the system library named there "
            "(Debian and Ubuntu: apt install libglu1-mesa libxft2 libxcursor1 libxinerama1)"
        ) from error
    # interruptible=False: gmsh would otherwise replace Python's handler of Ctrl-C.
    # No configuration files: options of the user, or of whoever can write them, would change meshes.
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    return gmsh
