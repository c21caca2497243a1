"""Mesh files: what is read, what is refused in one line, and that nothing of them is run."""

import os
import subprocess
import sys
from pathlib import Path

import gmsh
import numpy as np
import pytest

from meshes.impact_mesh import load
from microscale.errors import InputError

from dolfinx import mesh as dolfinx_mesh

FORMATS = [(version, binary) for version in (2.2, 4.1) for binary in (0, 1)]

# Two cubes along x; nodes are numbered 10, 20, ... along x, then y, then z.
NODES = {10 * (1 + i + 3 * j + 6 * k): (i, j, k) for i in range(3) for j in range(2) for k in range(2)}


def cube(i):
    """Nodes of one of the two cubes in gmsh's order."""
    below = [1 + i, 2 + i, 5 + i, 4 + i]
    return [10 * node for node in (*below, *(node + 6 for node in below))]


BODY, FOOT, LEFT = (3, 1, "body"), (2, 2, "foot"), (2, 3, "left")
LOWER, AT_LEFT = [10, 20, 50, 40], [10, 40, 100, 70]
WHOLE = [(5, 1, cube(0)), (5, 1, cube(1)), (3, 2, LOWER), (3, 2, [20, 30, 60, 50]), (3, 3, AT_LEFT)]


def write(path, elements=WHOLE, names=(BODY, FOOT, LEFT), nodes=None):
    """Write a text file of format 2.2; elements are (type, group, nodes)."""
    nodes = nodes or NODES
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", len(names)]
    lines += [f'{dim} {tag} "{name}"' for dim, tag, name in names]
    lines += ["$EndPhysicalNames", "$Nodes", len(nodes)]
    lines += [" ".join(map(str, (number, *at))) for number, at in nodes.items()]
    lines += ["$EndNodes", "$Elements", len(elements)]
    lines += [
        " ".join(map(str, (7 * n + 1, kind, 2, group, 1, *of)))
        for n, (kind, group, of) in enumerate(elements)
    ]
    path.write_text("\n".join(map(str, [*lines, "$EndElements", ""])))
    return path


def draw(path, first="outside", version=4.1, binary=0, parametric=0, order=1, recombine=False):
    """Let gmsh write the unit cube, all faces in "outside", the lower one in "foot" too."""
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
        gmsh.model.occ.synchronize()
        faces = [tag for _, tag in gmsh.model.getEntities(2)]
        low = [tag for tag in faces if gmsh.model.occ.getCenterOfMass(2, tag)[2] < 0.1]
        for name in (first, *({"outside", "foot"} - {first})):
            gmsh.model.addPhysicalGroup(2, faces if name == "outside" else low, name=name)
        gmsh.model.addPhysicalGroup(3, [1], name="body")
        if recombine:
            gmsh.model.mesh.setTransfiniteAutomatic()
        gmsh.option.setNumber("Mesh.MeshSizeMin", 0.5)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.5)
        gmsh.model.mesh.generate(3)
        gmsh.model.mesh.setOrder(order)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.option.setNumber("Mesh.SaveParametric", parametric)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def area(impact, name):
    """Area of a group of plane triangles or rectangles with straight sides."""
    nodes = dolfinx_mesh.entities_to_geometry(impact.mesh, 2, impact.facets(name))
    a, b, c = (impact.mesh.geometry.x[nodes[:, k]] for k in range(3))
    share = 0.5 if nodes.shape[1] in (3, 6) else 1.0
    return share * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()


@pytest.mark.parametrize("first", ["outside", "foot"])
@pytest.mark.parametrize(("version", "binary"), FORMATS)
@pytest.mark.parametrize("recombine", [False, True])
def test_facets_in_two_groups_belong_to_both(tmp_path, first, version, binary, recombine):
    impact = load(draw(tmp_path / "m.msh", first, version, binary, recombine=recombine), needed=["foot"])
    assert area(impact, "outside") == pytest.approx(6.0)
    assert area(impact, "foot") == pytest.approx(1.0)
    assert set(impact.facets("foot")) < set(impact.facets("outside"))
    assert impact.groups == {name: len(impact.facets(name)) for name in ("outside", "foot")}


@pytest.mark.parametrize("binary", [0, 1])
def test_parametric_nodes_and_second_order_are_read(tmp_path, binary):
    impact = load(draw(tmp_path / "m.msh", parametric=1, binary=binary, order=2))
    plain = load(draw(tmp_path / "n.msh", order=2))
    np.testing.assert_allclose(impact.mesh.geometry.x, plain.mesh.geometry.x, atol=1e-15)
    assert impact.mesh.geometry.dofmaps[0].shape[1] == 10


def test_sparse_numbers_unused_nodes_and_other_sections_do_no_harm(tmp_path):
    path = write(tmp_path / "m.msh", nodes=NODES | {999: (5, 5, 5)})
    path.write_text(path.read_text() + "$Comments\n1 2 {}\n$EndComments\r\n")
    impact = load(path, needed=["foot", "left"])
    assert impact.mesh.geometry.x.shape == (12, 3)
    assert impact.mesh.geometry.x.max() == 2.0
    assert area(impact, "foot") == pytest.approx(2.0)
    assert area(impact, "left") == pytest.approx(1.0)


def test_several_volumes_of_one_name_are_one_body(tmp_path):
    names = [BODY, (3, 9, "body"), FOOT]
    elements = [(5, 1, cube(0)), (5, 9, cube(1)), (3, 2, LOWER)]
    impact = load(write(tmp_path / "m.msh", elements, names))
    assert impact.mesh.topology.index_map(3).size_global == 2


FLAT = NODES | {120: (2, 1, 0)}
WRONG = {
    "inverted": (
        {"elements": [(5, 1, cube(0)[4:] + cube(0)[:4]), *WHOLE[1:]]},
        r"hexahedron 1 .* determinant of -\d",
    ),
    "flat": ({"nodes": {n: (x, y, 0) for n, (x, y, z) in NODES.items()}}, "determinant of 0 mm"),
    "one node twice": (
        {"elements": [(5, 1, [*cube(0)[:7], 10]), *WHOLE[1:3]]},
        "smallest Jacobian determinant",
    ),
    "not finite": (
        {"nodes": NODES | {30: ("nan", 0, 0)}},
        r"a node at \[nan, 0.0, 0.0\] mm, expected finite",
    ),
    "too large": ({"nodes": NODES | {30: (1e308, 0, 0)}}, "smallest Jacobian determinant"),
    "in two volumes": (
        {"elements": [*WHOLE, (5, 4, cube(1))], "names": [BODY, FOOT, (3, 4, "tip")]},
        "physical volumes body, tip, expected one: all cells have one law",
    ),
    "two parts": (
        {
            "elements": [(5, 1, cube(0)), (5, 4, cube(1)), (3, 2, LOWER)],
            "names": [BODY, FOOT, (3, 4, "plate")],
        },
        "physical volumes body, plate, expected one",
    ),
    "a cell twice": (
        {"elements": [*WHOLE, (5, 1, cube(1)), (5, 1, cube(1))]},
        "4 cells share, expected at most two",
    ),
    "a cell in no volume": (
        {"elements": [(5, 0, cube(0)), *WHOLE[1:]]},
        "1 cells of the mesh are in no physical",
    ),
    "no volume": (
        {"elements": [(5, 0, cube(0)), (3, 2, LOWER)]},
        "physical groups foot, expected one volume",
    ),
    "no surface": ({"elements": WHOLE[:2]}, "physical groups body, expected one volume and the surfaces"),
    "an empty group": ({"elements": WHOLE[:2] + WHOLE[4:]}, "the facet group foot of mesh file .* is empty"),
    "a missing group": (
        {"names": [BODY, LEFT], "elements": WHOLE[:2] + WHOLE[4:]},
        "no facet group named foot",
    ),
    "no cells": ({"elements": WHOLE[2:]}, r"cells of type none \(only Quadrilateral 4\)"),
    "empty": ({"elements": [], "nodes": {1: (0, 0, 0)}}, "cells of type none"),
    "facets alone": (
        {"elements": [*WHOLE[1:]]},
        "the group foot has a face with a node of no cell|1 of the 2 faces in the group foot",
    ),
    "a facet within": (
        {"elements": [*WHOLE, (3, 2, [10, 20, 110, 100])]},
        "1 of the 3 faces in the group foot",
    ),
    "two types": (
        {"elements": [*WHOLE, (4, 1, [10, 20, 40, 70])]},
        "cells of type Hexahedron 8, Tetrahedron 4, expected 8-node hexahedra only",
    ),
    "third order": ({"elements": [*WHOLE, (29, 1, list(range(20)))]}, "elements of gmsh's type 29, expected"),
    "a triangle": (
        {"elements": [*WHOLE, (2, 2, LOWER[:3])]},
        "facets of type Triangle 3, expected faces of hexa",
    ),
    "a node missing": (
        {"elements": [*WHOLE, (3, 2, [10, 20, 50, 41])]},
        "node 41, which is not among its nodes",
    ),
    "a control character": (
        {"elements": WHOLE[:2] + WHOLE[4:], "names": [BODY, (2, 3, "\x1b[31m[red]" + 99 * "x")]},
        r"no facet group named foot; found: \\x1b\[31m\[red\]x{47}\.\.\.;",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mesh_that_cannot_be_used_is_refused_in_one_line(tmp_path, case):
    how, message = WRONG[case]
    with pytest.raises(InputError, match=message) as raised:
        load(write(tmp_path / "m.msh", **how), needed=["foot"])
    assert str(raised.value).isprintable()
    assert f"mesh file {tmp_path}/m.msh" in str(raised.value)


HEAD = "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"
DAMAGED = {
    "a script": ('SystemCall "touch ran";', "does not begin with the lines"),
    "a script in a comment": ('//$MeshFormat\nSystemCall "touch ran";', "does not begin with the lines"),
    "another version": ("$MeshFormat\n4 0 8\n$EndMeshFormat\n", "is of format 4 .*save it again with gmsh"),
    "the old format": ("$NOD\n1\n1 0 0 0\n$ENDNOD\n", "does not begin with the lines"),
    "cut off": (HEAD + "$Nodes\n1 1 1 1\n", "section \\$Nodes has no end: the file is cut off"),
    "no elements": (HEAD + "$Nodes\n0 0 0 0\n$EndNodes\n", "no section \\$Elements"),
    "a huge count": (
        HEAD
        + "$Nodes\n1 999999999999 1 1\n3 1 0 999999999999\n$EndNodes\n$Elements\n0 0 0 0\n$EndElements\n",
        "claims 999999999999 numbers where it has 0 left",
    ),
    "many blocks": (
        HEAD + "$Nodes\n4000000000 0 0 0\n$EndNodes\n$Elements\n0 0 0 0\n$EndElements\n",
        "claims 3 numbers where it has 0 left",
    ),
    "text after": (HEAD + 'SystemCall "touch ran";', "begins no section \\$Name"),
    "no number": (
        HEAD + "$Nodes\n1 x\n$EndNodes\n$Elements\n$EndElements\n",
        "something that is not a number",
    ),
    "half a node": (
        HEAD + "$Nodes\n1 1.5 1 1\n$EndNodes\n$Elements\n0 0 0 0\n$EndElements\n",
        "holds 1.5, expected an integer",
    ),
    "nothing": ("", "does not begin with the lines"),
    "binary": ("\x00\x01\x02" * 1000, "does not begin with the lines"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused_and_not_run(tmp_path, monkeypatch, case):
    text, message = DAMAGED[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.msh").write_text(text)
    with pytest.raises(InputError, match=f"mesh file m.msh: .*{message}"):
        load("m.msh")
    assert os.listdir() == ["m.msh"]


def test_options_and_scripts_beside_a_mesh_are_not_run(tmp_path, monkeypatch):
    """Nor is gmsh's configuration at home, for files and for what is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "m.msh")
    script = f'SystemCall "touch {tmp_path}/ran";'
    for name in ("m.msh.opt", "m.geo", "m.msh.geo", ".gmshrc", ".gmsh-options"):
        (tmp_path / name).write_text(script)
    program = (
        "import sys; from meshes.impact_mesh import load; from meshes.cylinder import cylinder\n"
        "load('m.msh', ['foot']); assert 'gmsh' not in sys.modules\n"
        "cylinder(elements=12)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(root)}, check=True)
    assert not (tmp_path / "ran").exists()


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.msh")
    (tmp_path / "folder.msh").mkdir()
    (tmp_path / "dangling.msh").symlink_to("nowhere")
    (tmp_path / "circle.msh").symlink_to("circle.msh")
    for name, message in {
        "pipe.msh": "not a regular file",
        "folder.msh": "cannot be read .Is a directory",
        "dangling.msh": "does not exist",
        "circle.msh": "cannot be read .*symbolic links",
        "a\0b.msh": "cannot be read .*null",
        "none.msh": "does not exist",
        "n" * 300: "cannot be read .*too long",
        "\x1b[31m\udc80.msh": r"x1b\[31m\\udc80.msh: it does not exist",
    }.items():
        with pytest.raises(InputError, match=message) as raised:
            load(tmp_path / name)
        assert str(raised.value).isprintable()
    with pytest.raises(InputError, match="not a regular file"):
        load("/dev/zero")
    with (tmp_path / "sparse.msh").open("wb") as file:
        file.truncate(1 << 43)
    with pytest.raises(InputError, match="bytes, expected fewer than this machine's"):
        load(tmp_path / "sparse.msh")


@pytest.mark.parametrize("name", ["a b.msh", "-v.msh", "ü;$(touch ran).msh", "m.geo", "m"])
def test_the_name_of_a_file_means_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    Path("link.msh").symlink_to(name)
    for path in (name, "link.msh"):
        assert load(path, ["foot"]).groups == {"foot": 2, "left": 1}


def test_no_damage_crashes_hangs_or_shows_a_traceback(tmp_path):
    """A sample; ``python tests/unit/damaged_meshes.py`` takes more."""
    write(tmp_path / "hexahedra.msh")
    for version, binary in FORMATS:
        draw(tmp_path / f"{version}_{binary}.msh", version=version, binary=binary)
    command = [
        sys.executable,
        str(Path(__file__).with_name("damaged_meshes.py")),
        str(tmp_path),
        "--count",
        "500",
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=200, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == 0, done.stderr
    counts = eval(done.stdout.splitlines()[-1])
    assert set(counts) == {"loaded", "refused"}, done.stdout
    assert sum(counts.values()) == 500
