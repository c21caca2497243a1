"""A mesh of one kind of cells with named boundary groups: built by gmsh on rank 0, distributed, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.fenics  # noqa: F401
from meshes.partition import partitioner
from microscale.errors import InputError
from multiscale.dynamics.ranks import shared_errors

from dolfinx import mesh as dolfinx_mesh
from dolfinx.io import gmsh as dolfinx_gmsh

#: Types of cells in gmsh that the dynamics can use: 8-node hexahedra and 10-node tetrahedra.
GMSH_CELLS = {5: "hexahedron", 11: "tetrahedron"}
GMSH_LINEAR_TETRAHEDRON = 4


@dataclass(frozen=True)
class ImpactMesh:
    """A distributed mesh and its named groups of boundary facets.

    Attributes:
        mesh: The dolfinx mesh, lengths in mm.
        facet_tags: The tag of every facet that is in a group.
        groups: Tag of each group of facets, by its name.
        record: Name and parameters of the geometry, for the run's summary.
    """

    mesh: dolfinx_mesh.Mesh
    facet_tags: dolfinx_mesh.MeshTags
    groups: dict[str, int]
    record: dict[str, Any] = field(default_factory=dict)

    def require(self, names: Iterable[str]) -> None:
        """Raise an InputError, on every rank, that names the groups missing from ``names``."""
        names = list(names)
        missing = sorted(set(names) - set(self.groups))
        if missing:
            raise InputError(
                f"the mesh has no facet group named {', '.join(missing)}; found: {_list(self.groups)}; "
                f"needed: {_list(names)}: add the physical groups in gmsh, or name others"
            )

    def facets(self, name: str) -> NDArray[np.int32]:
        """Return the local facets of a group."""
        self.require([name])
        return self.facet_tags.find(self.groups[name])


def build(draw: Callable[[Any], None], record: dict[str, Any], comm: MPI.Comm) -> ImpactMesh:
    """Let ``draw`` make a meshed gmsh model on rank 0 and distribute it.

    Args:
        draw: Called with the module ``gmsh``, initialised, on rank 0 only; leaves the current model meshed.
        record: Name and parameters of the geometry.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: The model has no physical groups, cells of other types than hexahedra or else quadratic
            tetrahedra, or an inverted one; raised on every rank, as is any error of ``draw``.
    """
    gmsh = None
    try:
        with shared_errors(comm):
            if comm.rank == 0:
                gmsh = _start_gmsh()
                _draw(draw, gmsh, record)
                _check(gmsh.model)
                gmsh.model.mesh.renumberNodes()
        points = dolfinx_gmsh.extract_geometry(gmsh.model) if gmsh else np.empty((0, 3))
        data = dolfinx_gmsh.model_to_mesh(gmsh and gmsh.model, comm, 0, partitioner=partitioner(points, comm))
    finally:
        if gmsh is not None and gmsh.isInitialized():
            gmsh.finalize()
    groups = {name: tag for name, (dim, tag) in data.physical_groups.items() if dim == 2}
    return ImpactMesh(data.mesh, data.facet_tags, groups, record)


def load(path: str | Path, needed: Iterable[str] = (), comm: MPI.Comm = MPI.COMM_WORLD) -> ImpactMesh:
    """Load a gmsh file of 8-node hexahedra, or of tetrahedra, lengths in mm.

    Linear tetrahedra get nodes in the middles of their straight edges.

    Args:
        path: The .msh file.
        needed: Names of the facet groups it must have.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: The file cannot be read, is not of such cells only, or lacks a group; on every rank.
    """

    def draw(gmsh: Any) -> None:
        if not Path(path).is_file():
            raise InputError(f"mesh file {path} does not exist, expected a gmsh .msh file")
        try:
            gmsh.open(str(path))
        except Exception as error:
            raise InputError(f"mesh file {path} cannot be read by gmsh: {error}") from error
        if list(gmsh.model.mesh.getElements(dim=3)[0]) == [GMSH_LINEAR_TETRAHEDRON]:
            gmsh.model.mesh.setOrder(2)

    loaded = build(draw, {"geometry": "file", "path": str(path)}, comm)
    loaded.require(needed)
    return loaded


def _draw(draw: Callable[[Any], None], gmsh: Any, record: dict[str, Any]) -> None:
    """Let gmsh mesh; it raises plain exceptions, in its own words, where it cannot.

    Raises:
        InputError: Of ``draw``, or gmsh gave up.
    """
    try:
        draw(gmsh)
    except InputError:
        raise
    except Exception as error:
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
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    return gmsh


def _check(model: Any) -> None:
    """Raise an InputError for what the dynamics cannot use."""
    types, tags, _ = model.mesh.getElements(dim=3)
    if len(types) != 1 or types[0] not in GMSH_CELLS:
        kinds = [model.mesh.getElementProperties(kind)[0] for kind in types]
        raise InputError(
            f"the mesh has cells of type {_list(kinds)}, expected 8-node hexahedra only, or tetrahedra only"
        )
    names = {dim: [model.getPhysicalName(dim, t) for d, t in model.getPhysicalGroups(dim)] for dim in (2, 3)}
    if not (names[2] and names[3]):
        raise InputError(
            f"the mesh has the physical groups {_list(names[2] + names[3])}, expected one volume and the "
            "surfaces of contact and support, each with a name"
        )
    lowest = np.asarray(model.mesh.getElementQualities(tags[0], "minDetJac"))
    if lowest.min() <= 0.0:
        worst = int(tags[0][lowest.argmin()])
        raise InputError(
            f"{GMSH_CELLS[types[0]]} {worst} of the mesh has a smallest Jacobian determinant of "
            f"{lowest.min():.3g} mm^3, expected a positive one: it is inverted or folded; re-order its "
            "nodes or mesh again"
        )


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(name or "(unnamed)" for name in names)) or "none"
