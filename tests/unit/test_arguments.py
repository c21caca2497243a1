"""Every argument of what users call takes anything: it works, or it is refused in one line that names it."""

import inspect
import math

import numpy as np
import pytest

import multiscale as ms
from meshes.box import box
from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.data.generate import Generation
from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.inputs.numbers import checked
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi, random_orientations
from multiscale.laws import law_names, options_of
from multiscale.laws.calibration import calibrate
from multiscale.run.control import RunControl
from multiscale.surrogate.impact_histories import Recorder

ANYTHING = [
    None,
    "x",
    "",
    "0.5",
    b"x",
    math.nan,
    math.inf,
    -math.inf,
    -1,
    0,
    1,
    0.5,
    1e300,
    10**400,
    True,
    1j,
]
ANYTHING += [1j, [], [1], {}, (0.0, 0.0, 1.0), np.nan * np.ones(3), np.array(2.0), object(), lambda x: x]
BODY = {"size": (1.0, 1.0, 1.0), "cells": (2, 2, 2)}
J2 = ms.make_law("j2")


def simulation(**given):
    body, wall = box(**BODY), ms.RigidPlane()
    sound = {"impact_mesh": body, "law": J2, "element": "hex8-one-point", "obstacles": [wall]}
    run = ms.Simulation(**{**sound, "initial_velocity": (0.0, 0.0, -0.1), **given})
    run.step()
    return run


def run(**given):
    body = simulation()
    body.step = lambda: setattr(body, "time", body._step_size.end_time)
    return body.run(**{"end_time": 0.01, **given})


PUNCH = {"face": (0, 0, 1), "direction": (0, 0, -1), "radius": 1.0, "speed": 0.1}
STILL = {"law": J2, "F": np.broadcast_to(np.eye(3), (1, 2, 3, 3)), "times": np.arange(2.0)}
DATA = {"law": J2, "law_record": {}, "paths": ms.StrainPaths("R", 0.1), "count": 1, "versions": {}}
SMALL = {"grains": 2, "resolution": 4}
PULL = ms.Segment(strain={"xx": 0.01}, duration=1.0, steps=2)
PUBLIC = {
    "box": (box, BODY),
    "cylinder": (ms.cylinder, {"height": 1.0, "diameter": 1.0, "elements": 30}),
    "plate": (ms.plate, {"width": 4.0, "thickness": 1.0, "impact_radius": 1.0, "layers": 1}),
    "load_mesh": (ms.load_mesh, {"path": "nowhere.msh"}),
    "RigidPlane": (ms.RigidPlane, {}),
    "RigidCylinder": (ms.RigidCylinder, PUNCH),
    "BulkViscosity": (ms.BulkViscosity, {}),
    "Simulation": (simulation, dict.fromkeys(inspect.signature(ms.Simulation).parameters)),
    "Simulation.run": (run, dict.fromkeys(("end_time", "observers", "every"))),
    "StrainPaths": (ms.StrainPaths, {"protocol": "R", "max_strain": 0.1, "steps": 3}),
    "TaylorPolycrystal": (TaylorPolycrystal, {"orientations": random_orientations(2)}),
    "SingleCrystal": (SingleCrystal, {}),
    "FullFieldCell": (FullFieldCell, {"law": SingleCrystal(), "shape": (4, 4)}),
    "periodic_voronoi": (periodic_voronoi, {"grains": 2, "shape": (4, 4)}),
    "random_orientations": (random_orientations, {"grains": 2}),
    "uniform_orientations": (uniform_orientations, {"grains": 2}),
    "drive": (ms.drive, STILL),
    "Segment": (ms.Segment, {"strain": {"xx": 0.01}, "duration": 1.0}),
    "MaterialTest": (ms.MaterialTest, {"segments": (PULL,)}),
    "run_tests": (ms.run_tests, {"law": J2, "tests": (ms.MaterialTest((PULL,)),)}),
    "read_results": (ms.read_results, {"folder": "nowhere"}),
    "read_crystal": (read_crystal, {}),
    "RunControl": (RunControl, {}),
    "Recorder": (Recorder, {"law": J2}),
    "calibrate": (calibrate, {"reference": J2, "law": "j2", "samples": 2, "rates": (1.0,)}),
    "Generation": (Generation, DATA),
}
for law in law_names():
    made = options_of(law) | (SMALL if "fft" in law else {})
    PUBLIC[f"make_law {law}"] = (lambda law=law, **given: ms.make_law(law, **given), made)


def arguments():
    for name, (function, sound) in PUBLIC.items():
        declared = inspect.signature(function).parameters
        named = [p.name for p in declared.values() if p.kind is not p.VAR_KEYWORD and p.name != "law"]
        yield from ((name, argument) for argument in dict.fromkeys([*named, *sound]))
        if "law" in declared and not name.startswith("make_law"):
            yield name, "law"


def said_of(function, **given):
    """What is said where a call is refused; None where it is not."""
    try:
        function(**given)
    except (InputError, DeformationError, ConvergenceError) as error:
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "argument"), arguments())
def test_an_argument_of_any_kind_works_or_is_refused_in_one_line(name, argument):
    function, sound = PUBLIC[name]
    sound = {key: value for key, value in sound.items() if value is not None}
    refusals = []
    for value in ANYTHING:
        try:
            refusals.append(said_of(function, **{**sound, argument: value}))
        except Exception as error:
            pytest.fail(f"{name}({argument}={value!r}): {type(error).__name__}: {error}")
    refusals = [said for said in refusals if said is not None]
    assert len(refusals) > 3
    assert all("\n" not in said and len(said) < 1000 for said in refusals)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulation(courant="0.5"), "courant = '0.5', expected a number"),
        (lambda: simulation(max_energy_error="5"), "max-energy-error = '5', expected a number"),
        (lambda: simulation(supports=["side"]), r"supports = \['side'\], expected names with values"),
        (lambda: simulation(supports={"side": "x"}), "supports = 'x', expected a whole number"),
        (lambda: simulation(obstacles=None), "obstacles = None, expected a list"),
        (lambda: simulation(viscosity=0.06), "viscosity = 0.06, expected a BulkViscosity"),
        (lambda: simulation(place="yes"), "place = 'yes', expected True or False"),
        (lambda: ms.RigidCylinder((0, 0, 1), (0, 0, -1), "1", 0.1), "radius = '1', expected a number"),
        (lambda: ms.cylinder(height=None), "height = None, expected a number"),
        (lambda: ms.plate(width=[18.0]), r"width = \[18.0\], expected a number"),
        (lambda: ms.make_law("j2", density="8.96"), "density = 8.96, expected a number"),
        (lambda: ms.make_law("taylor", grains=[2]), r"grains = \[2\], expected a whole number"),
        (lambda: ms.StrainPaths("R", 0.1, duration=1.0), "duration = 1.0, expected a list"),
        (lambda: ms.StrainPaths("R", 0.1, duration=(1.0,)), r"duration = \(1.0,\), expected 2 values"),
        (lambda: ms.StrainPaths(5, 0.1), "protocol = 5, expected text"),
        (lambda: TaylorPolycrystal("x"), "orientations"),
    ],
)  # fmt: skip
def test_the_line_names_the_argument_its_value_and_what_was_expected(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_names_that_are_given_wrong_stay_what_python_says_of_them():
    @checked
    def anvil(velocity: float = 1.0):
        return velocity

    with pytest.raises(TypeError, match="got an unexpected keyword argument 'speed'"):
        anvil(speed=1.0)
