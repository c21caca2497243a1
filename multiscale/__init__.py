"""Impacts whose stress comes from a microstructure: the names a user needs, loaded when they are first used.

A body, a law, an obstacle, and a run:

>>> import multiscale as ms
>>> bar = ms.cylinder(height=5.0, diameter=1.0, elements=96)  # mm
>>> law = ms.make_law("johnson-cook")
>>> anvil = ms.Simulation(bar, law, obstacles=[ms.RigidPlane()], initial_velocity=(0.0, 0.0, -0.1))  # mm/us
>>> anvil.run(end_time=0.5)  # us
>>> abs(anvil.energy.error) < 0.01
True

The same bar, drawn slowly by a tenth of its length, in equilibrium at every time:

>>> held = {"foot": 2, "top": (0, 1)}
>>> slow = ms.Statics(bar, law, supports=held, displacements={"top": {"z": [[0, 0], [500, 0.5]]}})
>>> slow.run(end_time=500)
>>> round(float(slow.reactions["top"][2]), 2)  # kN
0.21

A law alone, driven along one path of 2 % uniaxial stretch in a microsecond:

>>> import numpy as np
>>> F = np.eye(3) + np.linspace(0.0, 0.02, 21)[:, None, None] * np.diag([1.0, 0.0, 0.0])
>>> stress = ms.drive(ms.make_law("taylor", grains=16), F[None], np.linspace(0.0, 1.0, 21))
>>> stress.shape  # paths, samples, 3, 3: Cauchy stress, GPa
(1, 21, 3, 3)

A bar of it under tension, free of stress across, to 2 % at 1e4 per second (0.01 per us):

>>> test = ms.MaterialTest((ms.Segment(strain={"xx": 0.02}, rate=0.01, steps=10),))
>>> (curve,) = ms.run_tests(ms.make_law("taylor", grains=16), [test])
>>> bool(abs(curve.stress[-1, 1, 1]) < 1e-5 * curve.stress[-1, 0, 0])
True

The impacts of the paper with all that a command line offers, or a case file, leave their record in a folder:

>>> summary = ms.anvil(law="j2", elements=60, end_time=0.1, output="bar")  # doctest: +ELLIPSIS
Taylor anvil, 200 m/s, j2...
>>> again = ms.run_case("bar/case.toml", output="again")  # doctest: +ELLIPSIS
Taylor anvil, 200 m/s, j2...
>>> again["final_length_mm"] == summary["final_length_mm"]
True
>>> run = ms.read_results("bar")
>>> run[-1].n_cells, float(run.times[-1])
(60, 0.1)

Units are mm, us, GPa and g/cm^3, so velocities are mm/us = km/s and energies J. Only flags, case files and
the functions that take the same options (:func:`anvil`, :func:`plate_impact`) have velocities in m/s.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshes.box import box as box
    from meshes.cylinder import cylinder as cylinder
    from meshes.impact_mesh import load as load_mesh  # noqa: F401
    from meshes.plate import plate as plate
    from microscale.errors import InputError as InputError
    from microscale.law import ConstitutiveLaw as ConstitutiveLaw
    from microscale.law import StateVariable as StateVariable
    from microscale.law import drive as drive
    from microscale.material_test.program import MaterialTest as MaterialTest
    from microscale.material_test.program import Segment as Segment
    from microscale.material_test.run import run_tests as run_tests
    from microscale.paths.protocols import StrainPaths as StrainPaths
    from multiscale.cases.anvil import anvil as anvil
    from multiscale.cases.plate import plate as plate_impact  # noqa: F401
    from multiscale.cases.run_file import run_file as run_case  # noqa: F401
    from multiscale.cli import evaluate as evaluate
    from multiscale.cli import generate as generate
    from multiscale.cli import train as train
    from multiscale.dynamics.bulk_viscosity import BulkViscosity as BulkViscosity
    from multiscale.dynamics.contact import RigidCylinder as RigidCylinder
    from multiscale.dynamics.contact import RigidPlane as RigidPlane
    from multiscale.dynamics.simulation import Simulation as Simulation
    from multiscale.laws import make_law as make_law
    from multiscale.results.run_folder import read_results as read_results
    from multiscale.run.recording import run_and_record as run_and_record
    from multiscale.run.statics_record import run_and_record_statics as run_and_record_statics
    from multiscale.statics.statics import Statics as Statics

__version__ = version("multiscale")

#: Where each public name is defined, and its name there. FEniCSx takes a second to load and torch several, so
#: a name loads only what it needs. A test holds this list against the imports above.
_DEFINED = {
    "BulkViscosity": ("multiscale.dynamics.bulk_viscosity", "BulkViscosity"),
    "ConstitutiveLaw": ("microscale.law", "ConstitutiveLaw"),
    "InputError": ("microscale.errors", "InputError"),
    "MaterialTest": ("microscale.material_test.program", "MaterialTest"),
    "RigidCylinder": ("multiscale.dynamics.contact", "RigidCylinder"),
    "RigidPlane": ("multiscale.dynamics.contact", "RigidPlane"),
    "Segment": ("microscale.material_test.program", "Segment"),
    "Simulation": ("multiscale.dynamics.simulation", "Simulation"),
    "Statics": ("multiscale.statics.statics", "Statics"),
    "StateVariable": ("microscale.law", "StateVariable"),
    "StrainPaths": ("microscale.paths.protocols", "StrainPaths"),
    "anvil": ("multiscale.cases.anvil", "anvil"),
    "box": ("meshes.box", "box"),
    "cylinder": ("meshes.cylinder", "cylinder"),
    "drive": ("microscale.law", "drive"),
    "evaluate": ("multiscale.cli", "evaluate"),
    "generate": ("multiscale.cli", "generate"),
    "load_mesh": ("meshes.impact_mesh", "load"),
    "make_law": ("multiscale.laws", "make_law"),
    "plate": ("meshes.plate", "plate"),
    "plate_impact": ("multiscale.cases.plate", "plate"),
    "read_results": ("multiscale.results.run_folder", "read_results"),
    "run_and_record": ("multiscale.run.recording", "run_and_record"),
    "run_and_record_statics": ("multiscale.run.statics_record", "run_and_record_statics"),
    "run_case": ("multiscale.cases.run_file", "run_file"),
    "run_tests": ("microscale.material_test.run", "run_tests"),
    "train": ("multiscale.cli", "train"),
}

__all__ = ["__version__", *_DEFINED]


def __getattr__(name: str) -> Any:
    """Load a public name from where it is defined."""
    if name not in _DEFINED:
        known = ", ".join(_DEFINED)
        raise AttributeError(f"module 'multiscale' has no name {name!r}, expected one of {known}")
    module, original = _DEFINED[name]
    found = globals()[name] = getattr(import_module(module), original)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_DEFINED})
