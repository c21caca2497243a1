"""Started from a shell, on any number of ranks, bad input ends with one line, an exit code and no delay."""

import subprocess
import sys
import time
from pathlib import Path

import gmsh
import numpy as np
import pytest
from taylor_anvil import taylor_anvil

from microscale.errors import InputError
from multiscale.results.vtkhdf import Results
from multiscale.surrogate.store import Card, Material, TrainingRange, write_surrogate

DEMO = Path(__file__).parents[2] / "demos" / "taylor_anvil.py"
MPIRUN = Path(sys.executable).parent / "mpirun"

# A run in which the displacement of one node of the last rank is lost at its third step.
LOSES_A_NODE = """
import numpy as np
from meshes.cylinder import cylinder
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.run.command import launch
from multiscale.laws import make_law


def lose_a_node(simulation):
    comm = simulation.mesh.comm
    if simulation.step_count == 3 and comm.rank == comm.size - 1:
        simulation.u.x.array[:3] = np.nan


def program():
    anvil = Simulation(cylinder(elements=200), make_law("j2"), obstacles=[RigidPlane()])
    anvil.run(1.0, [lose_a_node], every=1)


launch(program)
"""


def ends(ranks, *arguments):
    """Run a script on some ranks; return exit code, lines of standard error, seconds."""
    begin = time.monotonic()
    command = [str(MPIRUN), "-n", str(ranks), sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.splitlines(), time.monotonic() - begin


def cube(path, foot, z=0.0):
    """Write a mesh of the cube about the z axis whose lower face, at ``z``, is called ``foot``."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        square = gmsh.model.geo.addPlaneSurface([_square(gmsh.model.geo, z)])
        gmsh.model.geo.mesh.setTransfiniteSurface(square)
        gmsh.model.geo.mesh.setRecombine(2, square)
        gmsh.model.geo.extrude([(2, square)], 0, 0, 1, numElements=[2], recombine=True)
        gmsh.model.geo.synchronize()
        gmsh.model.addPhysicalGroup(3, [1], name="body")
        gmsh.model.addPhysicalGroup(2, [square], name=foot)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def _square(geo, z):
    corners = [geo.addPoint(x, y, z, 1.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return geo.addCurveLoop([geo.addLine(corners[k], corners[(k + 1) % 4]) for k in range(4)])


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--velocity", "-200"], 1, "velocity = -200.0 m/s, expected a positive number"),
        (["--law", "steel"], 1, "unknown law 'steel' for an impact"),
        (["--weights", "nowhere.safetensors"], 1, "nowhere."),
        (["--velocity", "2000", "--elements", "200", "--on-extrapolation", "stop"], 1, "the training range"),
    ],
)
def test_demo_refuses_bad_input_on_two_ranks(flags, code, message, tmp_path):
    returned, lines, _ = ends(2, DEMO, "--output", tmp_path, *flags)
    assert returned == code
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]


def test_demo_refuses_a_mesh_without_its_groups(tmp_path):
    flags = ("--law", "j2", "--mesh", cube(tmp_path / "cube.msh", "sole"), "--output", tmp_path)
    code, lines, _ = ends(2, DEMO, *flags)
    assert (code, len(lines)) == (1, 1)
    assert "no facet group named foot; found: sole" in lines[0]


def test_demo_refuses_damaged_weights_on_two_ranks(tmp_path):
    weights = tmp_path / "magnesium.safetensors"
    card = Card(
        "recurrent",
        {"groups": 1, "tensors": 1, "scalars": 1, "hidden": 2},
        Material("m", 25.0, 24.0, 10.0),
        TrainingRange(1, 1, 0.5, 2),
    )
    write_surrogate(weights, {"input": np.ones((3, 2))}, card)
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    code, lines, _ = ends(2, DEMO, "--weights", weights, "--output", tmp_path)
    assert (code, len(lines)) == (1, 1)
    assert str(weights) in lines[0]


def test_demo_takes_a_mesh_of_the_user(tmp_path):
    mesh = cube(tmp_path / "cube.msh", "foot")
    summary = taylor_anvil(law="j2", mesh=mesh, end_time=0.5, output=tmp_path)
    assert summary["elements"] == 8
    assert summary["inputs"]["height"] is None
    assert summary["final_length_mm"] < 1.0
    assert summary["foot_radius_mm"] > 2.0**0.5


@pytest.mark.parametrize("z", [-0.2, 0.3])
def test_demo_refuses_a_mesh_whose_foot_is_not_on_the_wall_or_places_the_wall(z, tmp_path):
    run = {"law": "j2", "mesh": cube(tmp_path / "cube.msh", "foot", z), "end_time": 0.5, "output": tmp_path}
    with pytest.raises(InputError, match=rf"foot of the bar is at z = {z:g} mm, expected 0"):
        taylor_anvil(**run)
    placed = taylor_anvil(**run, place=True)
    there = taylor_anvil(**run | {"mesh": cube(tmp_path / "there.msh", "foot")})
    assert placed["touched"]
    assert placed["final_length_mm"] == pytest.approx(there["final_length_mm"], rel=1e-9)
    assert Results(tmp_path / "results.vtkhdf").points[:, 2].min() == 0.0
    with pytest.raises(InputError, match="give --mesh too"):
        taylor_anvil(law="j2", place=True, output=tmp_path)


def test_an_energy_error_past_its_limit_ends_the_demo_with_its_record_complete(tmp_path):
    flags = ("--law", "j2", "--elements", "60", "--output", tmp_path, "--max-energy-error", "0.001")
    code, lines, _ = ends(2, DEMO, *flags)
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("error: energy error of +0.0")
    assert "expected at most 0.001 %" in lines[0]
    assert "--max-energy-error" in lines[0]
    assert "; last output at t = " in lines[0]
    rows = (tmp_path / "energy.csv").read_text().splitlines()
    errors = [abs(float(row.rsplit(",", 1)[1])) for row in rows[1:]]
    assert errors[-1] > 0.001 > max(errors[:-1])
    assert f"step {rows[-1].split(',', 1)[0]}, " in lines[0]
    assert len(Results(tmp_path / "results.vtkhdf").times) > 0


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_nan_on_one_rank_ends_all_with_its_place(ranks, tmp_path):
    script = tmp_path / "loses_a_node.py"
    script.write_text(LOSES_A_NODE)
    code, lines, _ = ends(ranks, script)
    assert code == 1
    assert len(lines) == 1
    assert "not finite" in lines[0] or "det F" in lines[0]
    assert "cell " in lines[0]
