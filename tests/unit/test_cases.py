"""Case files: what they hold, how they are refused, and that a run is repeated from its folder to the bit."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import gmsh
import numpy as np
import pytest

import multiscale as ms
from microscale.errors import InputError
from microscale.files.schema import STRICT
from microscale.files.toml import read_toml, toml_text
from microscale.inputs.numbers import Range
from multiscale.cases.anvil import anvil, anvil_case
from multiscale.cases.bodies import Box, Cylinder, MeshFile
from multiscale.cases.case import Case
from multiscale.cases.case_file import case_text, plain_case, read_case
from multiscale.cases.obstacles import OBSTACLES, FlatCylinder, Plane
from multiscale.cases.plate import plate, plate_case
from multiscale.cases.run_case import run_case
from multiscale.cases.run_file import folder_of, run_file
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.results.axial_section import axial_section
from multiscale.results.vtkhdf import Results
from multiscale.run.command import application
from multiscale.run.material import LawOptions
from multiscale.run.record_options import RecordOptions

ROOT = Path(__file__).parents[2]
SMALL = {"law": "j2", "elements": 60, "end_time": 0.1}
LEAST = """
end_time = "0.1 us"
[body]
geometry = "cylinder"
elements = 60
[parts.all]
law = "j2"
[[obstacles]]
kind = "plane"
"""


def same_record(one, other):
    """Whether two folders hold the same run: every energy, and every field of every output."""
    a, b = Results(one / "results.vtkhdf"), Results(other / "results.vtkhdf")
    names = [*a.point_fields, *a.cell_fields]
    assert names == [*b.point_fields, *b.cell_fields]
    np.testing.assert_array_equal(a.times, b.times)
    for step in range(len(a.times)):
        for name in names:
            np.testing.assert_array_equal(a.field(name, step), b.field(name, step))
    return (one / "energy.csv").read_bytes() == (other / "energy.csv").read_bytes()


def test_an_anvil_is_repeated_from_its_folder_to_the_bit(tmp_path):
    first = anvil(**SMALL, velocity=230.7, height=1.1, model="quarter", outputs=3, output=tmp_path / "bar")
    case = tmp_path / "bar" / "case.toml"
    again = run_file(case, output=tmp_path / "again")
    assert same_record(tmp_path / "bar", tmp_path / "again")
    assert (tmp_path / "again" / "case.toml").read_text() == case.read_text()
    assert again["foot_radius_mm"] == first["foot_radius_mm"]
    assert "velocity" in first["inputs"]
    assert again["inputs"]["body"]["height"] == "1.1 mm"
    assert folder_of(case) == Path("results/bar_again")
    assert folder_of(Path("x/mine.toml")) == Path("results/mine")


def test_a_plate_is_repeated_from_its_folder_to_the_bit(tmp_path):
    plate(law="neo-hooke", layers=1, width=6.0, end_time=0.1, output=tmp_path / "plate")
    run_file(tmp_path / "plate" / "case.toml", output=tmp_path / "again")
    assert same_record(tmp_path / "plate", tmp_path / "again")


def test_a_run_goes_on_as_its_case_file(tmp_path):
    run, case = tmp_path / "run", tmp_path / "longer.toml"
    anvil(**SMALL | {"end_time": 0.3}, output=run, checkpoint_every=0.2)
    case.write_text((run / "case.toml").read_text().replace('"0.3 us"', '"0.4 us"'))
    run_file(case, output=run, restart=run / "checkpoint.h5")
    assert ms.read_results(run).times[-1] == pytest.approx(0.4)
    case.write_text(case.read_text().replace("-200.0] m/s", "-201.0] m/s"))
    with pytest.raises(InputError, match=r"initial.velocity = \[0.0, 0.0, -200.0\] m/s, this run has"):
        run_file(case, output=tmp_path / "other", restart=run / "checkpoint.h5")


def test_a_case_is_the_same_when_it_has_been_written_and_read(tmp_path):
    constants = tmp_path / "constants.json"
    case = Case(
        title='a "title"\n',
        body=MeshFile(file=tmp_path / "meshes" / "b.msh", length_unit="cm"),
        parts={"all": LawOptions(law="j2", constants=constants)},
        element="tet10",
        obstacles=(
            Plane(point=(0.1, 1 / 3, 1e-20), normal=(0.0, 1.0, 1.0), velocity=(0.0, 0.0, 1e3)),
            FlatCylinder(radius=0.7, speed=-1e-3),
        ),
        supports={"a group": "xz"},
        initial_velocity=(1.0, -2.0, 0.1),
        end_time=0.1,
        courant=0.5,
        viscosity=BulkViscosity(0.1, 1.0),
        max_energy_error=0.0,
        measure="bar",
        shown_within=3.0,
        record=RecordOptions(probes=((0.0, 0.5, 1.0),), gauges=("foot", (0.0, 0.0, 0.1)), outputs=7),
    )
    file = tmp_path / "results" / "case.toml"
    file.parent.mkdir()
    file.write_text(case_text(case, file.parent))
    found = read_case(file)
    assert found.body.file.resolve() == case.body.file
    assert found.law.constants.resolve() == constants
    assert plain_case(found, tmp_path) == plain_case(case, tmp_path)
    assert found.record == case.record
    assert found.obstacles == case.obstacles
    assert tomllib.loads(file.read_text())["record"]["gauges"] == ["foot", "[0.0, 0.0, 0.1] mm"]


def test_names_of_shipped_weights_are_no_files_of_a_folder(tmp_path, monkeypatch):
    case = anvil_case(weights=Path("any-texture"))
    file = tmp_path / "case.toml"
    file.write_text(case_text(case, tmp_path))
    assert read_case(file).law.weights == Path("any-texture")
    assert case.files() == []
    own = anvil_case(weights=tmp_path / "weights.safetensors")
    file.write_text(case_text(own, tmp_path))
    assert read_case(file).files() == own.files()
    monkeypatch.chdir(tmp_path)
    other = anvil_case(law="taylor", crystal=Path("magnesium"))  # a file that bears the name of weights
    file.write_text(case_text(other, tmp_path / "below"))
    assert 'crystal = "../magnesium"' in file.read_text()
    assert other.files() == [Path("magnesium")]


def test_quantities_of_any_unit(tmp_path):
    file = tmp_path / "case.toml"
    file.write_text(
        LEAST.replace("elements = 60", 'elements = 60\nheight = "0.2 inch"\ndiameter = "0.1 cm"').replace(
            'end_time = "0.1 us"', 'end_time = "100 ns"\ninitial_velocity = "[0, 0, -0.72e3] km/h"'
        )
    )
    case = read_case(file)
    assert case.body == Cylinder(height=pytest.approx(5.08), diameter=1.0, elements=60)
    assert case.end_time == pytest.approx(0.1)
    assert case.initial_velocity == (0.0, 0.0, pytest.approx(-200.0))
    assert case.element == "hex8-one-point"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("elements = 60", "hight = 3", r"body.hight is no known key, did you mean 'height'\?"),
        ("elements = 60", "height = 5", r"body.height = 5, expected a number with its unit, as '5 mm'"),
        ("elements = 60", 'height = "5 kg"', "body.height = 5 kg, expected a unit of mm"),
        ("elements = 60", 'height = "-5 mm"', "body.height = '-5 mm', expected a positive number"),
        ("elements = 60", 'elements = "60"', "body.elements = '60', expected a whole number"),
        ("elements = 60", "elements = 0", "body.elements = 0, expected at least 1"),
        ('"cylinder"', '"sphere"', "body.geometry = 'sphere', expected one of 'cylinder', 'plate', 'box'"),
        ('geometry = "cylinder"\n', "", "body.geometry is missing"),
        ('kind = "plane"', 'kind = "ball"', r"obstacles\[0\].kind = 'ball', expected one of"),
        ('kind = "plane"', 'kind = "plane"\nradius = 3', r"obstacles\[0\].radius is no known key"),
        ('kind = "plane"', 'kind = "plane"\npoint = "[0, 0] mm"', r"obstacles\[0\].point = .* three numbers"),
        ("[parts.all]", "[parts.foot]", "parts = foot, expected one, named all"),
        ('end_time = "0.1 us"', "", "end_time is missing"),
        ('end_time = "0.1 us"', 'end_time = "0.1 us"\nspeed = 3', "speed is no known key, known are title"),
        ('law = "j2"', 'law = "j2"\ngrains = 3', r"law j2 does not take --grains 3"),
        ('law = "j2"', 'law = "steel"', "unknown law 'steel'"),
        ("[body]", "[supports]\nfoot = 'q'\n[body]", "supports.foot = 'q', expected 'x', 'y'"),
        ("[body]", "[supports]\nsole = 'x'\n[body]", "no facet group named sole"),
        ("[body]", "[record]\noutputs = 3\nsteps_between_outputs = 2\n[body]", "has no use here"),
        ("[body]", "[record]\nprobe = 3\n[body]", "record.probe is no known key, did you mean 'probes'"),
        ('law = "j2"', 'law = "j2"\nconstants = "a\\u0000b"', "expected a name without a zero byte"),
        ("[body]", "[body", "damaged or no TOML"),
        ("[body]", "day = 2026-11-27\n[body]", "dates and times are not read"),
        ("[body]", "x = nan\n[body]", "expected a finite number|not finite"),
    ],
)
def test_what_a_case_cannot_be_is_one_line(tmp_path, old, new, message):
    file = tmp_path / "case.toml"
    assert old in LEAST
    file.write_text(LEAST.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as refused:
        run_file(file, output=tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_case_is_not_written_over_what_it_reads(tmp_path):
    (tmp_path / "out").mkdir()
    file = tmp_path / "out" / "case.toml"
    file.write_text(LEAST)
    with pytest.raises(InputError, match="would be written over it"):
        run_file(file, output=tmp_path / "out")
    assert file.read_text() == LEAST


def test_a_box_is_thrown_at_a_moving_plane_that_is_placed(tmp_path):
    case = Case(
        body=Box(size=(1.0, 1.0, 1.0), cells=(2, 2, 2)),
        parts={"all": LawOptions(law="neo-hooke")},
        obstacles=(Plane(point=(0.0, 0.0, -3.0), velocity=(0.0, 0.0, 50.0), place=True),),
        end_time=0.2,
    )
    summary = run_case(case, tmp_path)
    assert summary["touched"]
    assert 0.98 < summary["extent_z_mm"] < 1.0
    assert summary["inputs"]["obstacles"][0]["velocity"] == "[0.0, 0.0, 50.0] m/s"


@dataclass(frozen=True, kw_only=True)
class Floor:
    """An obstacle of one's own."""

    __pydantic_config__ = STRICT

    kind: Literal["floor"] = "floor"
    height: Annotated[float, Range(-10.0, 10.0, unit="mm")] = 0.0

    def obstacle(self):
        return ms.RigidPlane((0.0, 0.0, self.height))


def test_an_obstacle_of_ones_own_is_a_kind_of_a_case_file(tmp_path, monkeypatch):
    monkeypatch.setattr(OBSTACLES, "_known", [*OBSTACLES._known])
    file = tmp_path / "floor.toml"
    file.write_text(
        LEAST.replace('kind = "plane"', 'kind = "floor"\nheight = "-0.1 um"').replace(
            "[body]", 'initial_velocity = "[0, 0, -100] m/s"\n[body]'
        )
    )
    with pytest.raises(InputError, match=r"kind = 'floor', expected one of 'plane', 'cylinder'"):
        read_case(file)
    OBSTACLES.register(Floor)
    assert read_case(file).obstacles == (Floor(height=pytest.approx(-1e-4)),)
    assert run_file(file, output=tmp_path / "out")["touched"]
    assert read_toml(tmp_path / "out" / "case.toml", "case", "")["obstacles"][0]["height"].endswith(" mm")
    file.write_text(file.read_text().replace("height", "hight"))
    with pytest.raises(InputError, match=r"obstacles\[0\].hight is no known key, did you mean 'height'"):
        read_case(file)
    with pytest.raises(InputError, match="kind = 'floor' is known already"):
        OBSTACLES.register(Floor)
    with pytest.raises(InputError, match="expected a dataclass with a field 'kind'"):
        OBSTACLES.register(int)


def test_a_body_that_is_not_on_the_axis_is_drawn_too(tmp_path):
    """A picture that cannot be drawn would end a run that has been computed."""
    mesh = write_cube(tmp_path / "cube.msh", 1.0, centre=(3.0, -4.0))
    case = Case(
        body=MeshFile(file=mesh, length_unit="mm"),
        parts={"all": LawOptions(law="neo-hooke")},
        obstacles=(Plane(),),
        initial_velocity=(0.0, 0.0, -100.0),
        end_time=0.1,
    )
    assert run_case(case, tmp_path / "out")["touched"]
    section = axial_section(Results(tmp_path / "out" / "results.vtkhdf"), 0, ["e_d"])
    assert section.deformed[:, 0].min() == pytest.approx(2.5)
    assert section.deformed[:, 0].max() == pytest.approx(3.5)


def test_a_mesh_names_the_unit_of_its_lengths(tmp_path):
    mesh = write_cube(tmp_path / "cube.msh", 1e-3)
    run = {"law": "j2", "mesh": mesh, "end_time": 0.1}
    summary = anvil(**run, length_unit="m", output=tmp_path / "m")
    assert summary["final_length_mm"] == pytest.approx(1.0, rel=0.05)
    run_file(tmp_path / "m" / "case.toml", output=tmp_path / "again")
    assert same_record(tmp_path / "m", tmp_path / "again")
    with pytest.raises(InputError, match=r"mesh cylinder does not take --length-unit m"):
        anvil(law="j2", length_unit="m", output=tmp_path / "no")
    with pytest.raises(InputError, match="length-unit = 'furlong', expected one of nm, um, mm, cm, m, inch"):
        ms.load_mesh(mesh, length_unit="furlong")


def write_cube(path, side, centre=(0.0, 0.0)):
    """Write a mesh of a cube, its foot on z = 0."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addBox(centre[0] - side / 2, centre[1] - side / 2, 0.0, side, side, side)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [1], name="body")
        gmsh.model.addPhysicalGroup(2, [5], name="foot")
        gmsh.model.mesh.setTransfiniteAutomatic()
        gmsh.option.setNumber("Mesh.MeshSizeMax", side / 2)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def test_flags_of_points_and_names_become_those_of_a_case(tmp_path):
    words = [
        "--probe",
        "0,0,1",
        "--probe",
        "0,0,2.5",
        "--gauge",
        "foot",
        "--gauge",
        "0,0,5",
        "--field",
        "stress",
    ]
    _, bound, _ = application(anvil_case).parse_args(words, exit_on_error=False, print_error=False)
    case = anvil_case(**bound.kwargs)
    assert case.record.probes == ((0.0, 0.0, 1.0), (0.0, 0.0, 2.5))
    assert plain_case(case, tmp_path)["record"] == {
        "fields": ["stress"],
        "probes": ["[0.0, 0.0, 1.0] mm", "[0.0, 0.0, 2.5] mm"],
        "gauges": ["foot", "[0.0, 0.0, 5.0] mm"],
        "format": "vtkhdf",
        "until_rest": False,
    }


def test_the_flags_of_the_impacts_are_those_of_the_paper():
    bar, target = anvil_case(), plate_case()
    assert bar.body == Cylinder(height=5.0, diameter=1.0, elements=3000, model="full")
    assert bar.initial_velocity == (0.0, 0.0, -200.0)
    assert bar.law.on_extrapolation == "warn"
    assert target.obstacles == (FlatCylinder(face=(0.0, 0.0, 1.0), radius=2.0, speed=200.0),)
    assert target.supports == {"side": "z", "symmetry_x": "x", "symmetry_y": "y"}
    assert bar.element == target.element == "hex8-one-point"
    assert anvil_case(law="taylor").law.grains == 128


@pytest.mark.parametrize(
    "file", sorted((ROOT / "demos" / "cases").glob("*.toml")), ids=lambda path: path.stem
)
def test_the_cases_that_come_with_this_are_those_of_the_paper(file):
    case = read_case(file)
    flags = anvil_case() if file.stem == "anvil" else plate_case()
    assert (case.body, case.obstacles, case.supports) == (flags.body, flags.obstacles, flags.supports)
    assert (case.initial_velocity, case.end_time) == (flags.initial_velocity, flags.end_time)
    assert all(path.exists() for path in case.files())


def test_toml_is_read_as_it_was_written(tmp_path):
    data = {
        "text": 'a "quoted" \\ line\n\ttab \x7f é',
        "numbers": [1, -2.5, 1e-300, 1e22],
        "true": True,
        "none": [],
        "tables": [{"a": 1, "inner": {"b": [1, 2]}}, {"a": 2}],
        "a table": {"with.dots": {"deep": 0.1}, "empty": {}},
    }
    file = tmp_path / "x.toml"
    file.write_text(toml_text(data))
    assert read_toml(file, "file", "do something") == data
