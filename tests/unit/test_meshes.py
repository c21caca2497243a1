"""Meshes: exact volumes, named groups, positive cells, and what is said about meshes that do not fit."""

import gmsh
import numpy as np
import pytest

from meshes.box import box
from meshes.cylinder import cylinder
from meshes.impact_mesh import load
from meshes.plate import plate
from microscale.errors import InputError
from multiscale.dynamics.elements import hexahedron, tetrahedron

from dolfinx import mesh as dolfinx_mesh


def volumes(impact):
    """Volumes of the integration points of each cell."""
    X = impact.mesh.geometry.x[impact.mesh.geometry.dofmaps[0]]
    return tetrahedron.gradients(X)[1] if X.shape[1] == 10 else hexahedron.gauss_gradients(X)[1]


def group_nodes(impact, name):
    facets = impact.facets(name)
    nodes = dolfinx_mesh.entities_to_geometry(impact.mesh, 2, facets)
    return impact.mesh.geometry.x[np.unique(nodes)]


@pytest.mark.parametrize("model", ["full", "quarter"])
@pytest.mark.parametrize("elements", [60, 1000, 3000])
def test_cylinder_has_its_volume_its_groups_and_about_its_elements(model, elements):
    impact = cylinder(5.0, 1.0, elements, model)
    assert volumes(impact).min() > 0.0
    count = impact.mesh.topology.index_map(3).size_global
    assert count == pytest.approx(elements, rel=0.15)
    share = {"full": 1.0, "quarter": 0.25}[model]
    chords = round(2 * np.pi / _smallest_angle(impact))
    # The rim is a polygon: the volume is that of the inscribed prism.
    exact = 5.0 * 0.25 * 0.5 * chords * np.sin(2 * np.pi / chords) * share
    assert volumes(impact).sum() == pytest.approx(exact, rel=1e-3)
    expected = {"foot", "top", "side"} | ({"symmetry_x", "symmetry_y"} if model == "quarter" else set())
    assert set(impact.groups) == expected
    assert np.all(group_nodes(impact, "foot")[:, 2] == 0.0)
    np.testing.assert_allclose(group_nodes(impact, "top")[:, 2], 5.0)
    np.testing.assert_allclose(np.hypot(*group_nodes(impact, "side")[:, :2].T), 0.5)
    if model == "quarter":
        np.testing.assert_allclose(group_nodes(impact, "symmetry_x")[:, 0], 0.0, atol=1e-12)
        np.testing.assert_allclose(group_nodes(impact, "symmetry_y")[:, 1], 0.0, atol=1e-12)


@pytest.mark.parametrize("model", ["full", "quarter"])
def test_cylinder_of_tetrahedra(model):
    impact = cylinder(5.0, 1.0, 1000, model, cell="tetrahedron")
    assert impact.mesh.topology.index_map(3).size_global == pytest.approx(1000, rel=0.15)
    assert volumes(impact).min() > 0.0
    share = {"full": 1.0, "quarter": 0.25}[model]
    assert volumes(impact).sum() == pytest.approx(0.25 * np.pi * 5.0 * share, rel=0.02)
    assert np.all(group_nodes(impact, "foot")[:, 2] == 0.0)
    # Mid-edge nodes lie on the cylinder too.
    np.testing.assert_allclose(np.hypot(*group_nodes(impact, "side")[:, :2].T), 0.5)
    for axis, name in enumerate(("symmetry_x", "symmetry_y") if model == "quarter" else ()):
        np.testing.assert_allclose(group_nodes(impact, name)[:, axis], 0.0, atol=1e-12)


def _smallest_angle(impact):
    foot = group_nodes(impact, "side")
    angles = np.sort(np.arctan2(foot[foot[:, 2] == 0.0, 1], foot[foot[:, 2] == 0.0, 0]))
    return np.diff(angles).mean()


def test_a_disc_thinner_than_round_off_of_its_width_has_sides():
    groups = cylinder(height=1e-5, diameter=1.0, elements=12).groups
    assert groups["foot"] == groups["top"] == 12
    assert groups["side"] == 8


def test_default_plate_is_the_papers():
    impact = plate()
    assert impact.mesh.topology.index_map(3).size_global == 11552
    assert volumes(impact).sum() == pytest.approx(9.0**2 * 1.0)


@pytest.mark.parametrize("shape", ["circle", "square"])
@pytest.mark.parametrize("model", ["full", "quarter"])
def test_plate_is_fine_in_the_zone_of_impact(shape, model):
    impact = plate(8.0, 0.5, 1.0, layers=2, shape=shape, model=model, growth=1.3)
    assert volumes(impact).min() > 0.0
    np.testing.assert_allclose(group_nodes(impact, "bottom")[:, 2], 0.0)
    np.testing.assert_allclose(group_nodes(impact, "top")[:, 2], 0.5)
    edge = group_nodes(impact, "side")[:, :2]
    distance = np.hypot(*edge.T) if shape == "circle" else np.abs(edge).max(axis=1)
    np.testing.assert_allclose(distance, 4.0)
    face = group_nodes(impact, "top")
    x = np.unique(face[np.isclose(face[:, 1], 0.0) & (face[:, 0] > -1e-9), 0].round(9))
    sizes = np.diff(x)
    np.testing.assert_allclose(sizes[:4], 0.25)
    assert np.all(sizes[1:] / sizes[:-1] < 1.45)


def test_plate_of_tetrahedra_has_six_in_place_of_each_hexahedron():
    sizes = {"layers": 2, "growth": 1.3}
    plates = [plate(8.0, 0.5, 1.0, cell=cell, **sizes) for cell in ("hexahedron", "tetrahedron")]
    hexahedra, tetrahedra = (impact.mesh.topology.index_map(3).size_global for impact in plates)
    assert tetrahedra == 6 * hexahedra
    assert volumes(plates[1]).min() > 0.0
    assert volumes(plates[1]).sum() == pytest.approx(volumes(plates[0]).sum())
    assert set(plates[1].groups) == set(plates[0].groups)


@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
def test_box_groups(cell):
    impact = box((1.0, 2.0, 3.0), (2, 2, 2), cell)
    for axis, (low, high) in enumerate((("left", "right"), ("front", "back"), ("bottom", "top"))):
        np.testing.assert_allclose(group_nodes(impact, low)[:, axis], 0.0)
        np.testing.assert_allclose(group_nodes(impact, high)[:, axis], axis + 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cylinder(height=-1.0), "height = -1.0 mm, expected a positive number"),
        (lambda: cylinder(diameter=np.nan), "diameter = nan mm"),
        (lambda: cylinder(elements=2), "elements = 2, expected at least 12"),
        (lambda: cylinder(elements=2, cell="tetrahedron"), "elements = 2, expected at least 24"),
        (lambda: plate(cell="prism"), "cell = 'prism', expected one of hexahedron, tetrahedron"),
        (lambda: cylinder(model="half"), "model = 'half', expected one of full, quarter"),
        (lambda: plate(impact_radius=9.0), "less than half the width"),
        (lambda: plate(shape="star"), "shape = 'star'"),
        (lambda: plate(layers=0), "layers = 0"),
        (lambda: box((1, 1, 1), (0, 1, 1)), "cells = 0, expected at least 1"),
    ],
)
def test_bad_sizes_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def write_cube(path, recombine=True, groups=True, fold=False, order=1):
    """Write a gmsh file of one block."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    try:
        square = gmsh.model.geo
        points = [square.addPoint(x, y, 0.0) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        lines = [square.addLine(points[i], points[(i + 1) % 4]) for i in range(4)]
        for line in lines:
            square.mesh.setTransfiniteCurve(line, 3)
        surface = square.addPlaneSurface([square.addCurveLoop(lines)])
        square.mesh.setTransfiniteSurface(surface)
        if recombine:
            square.mesh.setRecombine(2, surface)
        made = square.extrude([(2, surface)], 0, 0, 1.0, numElements=[2], recombine=recombine)
        square.synchronize()
        if groups:
            gmsh.model.addPhysicalGroup(2, [surface], name="wall_side")
            gmsh.model.addPhysicalGroup(3, [made[1][1]], name="body")
        gmsh.model.mesh.generate(3)
        gmsh.model.mesh.setOrder(order)
        if fold:
            tags, xyz, _ = gmsh.model.mesh.getNodes()
            centre = int(tags[np.argmin(np.linalg.norm(xyz.reshape(-1, 3) - 0.5, axis=1))])
            gmsh.model.mesh.setNode(centre, [1.4, 1.4, 1.4], [])
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def test_a_users_file_is_loaded(tmp_path):
    write_cube(tmp_path / "cube.msh")
    impact = load(tmp_path / "cube.msh", needed=["wall_side"])
    assert impact.mesh.topology.index_map(3).size_global == 8
    assert set(impact.groups) == {"wall_side"}
    assert volumes(impact).sum() == pytest.approx(1.0)
    with pytest.raises(InputError, match="no facet group named foot; found: wall_side; needed: foot"):
        load(tmp_path / "cube.msh", needed=["foot"])


@pytest.mark.parametrize("order", [1, 2])
def test_a_users_tetrahedra_are_loaded_with_ten_nodes(tmp_path, order):
    write_cube(tmp_path / "cube.msh", recombine=False, order=order)
    impact = load(tmp_path / "cube.msh", needed=["wall_side"])
    assert impact.mesh.geometry.dofmaps[0].shape == (48, 10)
    assert volumes(impact).sum() == pytest.approx(1.0)
    assert np.all(group_nodes(impact, "wall_side")[:, 2] == 0.0)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"order": 2}, "Hexahedron 27, expected 8-node hexahedra only, or tetrahedra only"),
        ({"groups": False}, "physical groups none, expected one volume"),
        ({"fold": True}, "hexahedron .* smallest Jacobian determinant of -"),
    ],
)
def test_meshes_that_do_not_fit_are_refused(tmp_path, how, message):
    write_cube(tmp_path / "cube.msh", **how)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "cube.msh")


def test_a_file_that_is_no_mesh_is_refused(tmp_path):
    (tmp_path / "text.msh").write_text("not a mesh")
    with pytest.raises(InputError, match=r"text\.msh"):
        load(tmp_path / "text.msh")
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "none.msh")
