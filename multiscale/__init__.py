"""Impacts whose stress comes from a microstructure: the names a user needs, loaded when they are first used.

A body, a law, an obstacle, and a run:

>>> import multiscale as ms
>>> bar = ms.cylinder(height=5.0, diameter=1.0, elements=96)  # mm
>>> law = ms.make_law("johnson-cook")
>>> anvil = ms.Simulation(bar, law, obstacles=[ms.RigidPlane()], initial_velocity=(0.0, 0.0, -0.1))  # mm/us
>>> anvil.run(end_time=0.5)  # us
>>> abs(anvil.energy.error) < 0.01
True

A law alone, driven along one path of 2 % uniaxial stretch in a microsecond:

>>> import numpy as np
>>> F = np.eye(3) + np.linspace(0.0, 0.02, 21)[:, None, None] * np.diag([1.0, 0.0, 0.0])
>>> stress = ms.drive(ms.make_law("taylor", grains=16), F[None], np.linspace(0.0, 1.0, 21))
>>> stress.shape  # paths, samples, 3, 3: Cauchy stress, GPa
(1, 21, 3, 3)

Units are mm, us, GPa and g/cm^3, so velocities are mm/us = km/s and energies J.
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
    from microscale.paths.protocols import StrainPaths as StrainPaths
    from multiscale.dynamics.bulk_viscosity import BulkViscosity as BulkViscosity
    from multiscale.dynamics.contact import RigidCylinder as RigidCylinder
    from multiscale.dynamics.contact import RigidPlane as RigidPlane
    from multiscale.dynamics.simulation import Simulation as Simulation
    from multiscale.laws import make_law as make_law
    from multiscale.results.run_folder import read_results as read_results

__version__ = version("multiscale")

#: Where each public name is defined, and its name there. FEniCSx takes a second to load and torch several, so
#: a name loads only what it needs. A test holds this list against the imports above.
_DEFINED = {
    "BulkViscosity": ("multiscale.dynamics.bulk_viscosity", "BulkViscosity"),
    "ConstitutiveLaw": ("microscale.law", "ConstitutiveLaw"),
    "InputError": ("microscale.errors", "InputError"),
    "RigidCylinder": ("multiscale.dynamics.contact", "RigidCylinder"),
    "RigidPlane": ("multiscale.dynamics.contact", "RigidPlane"),
    "Simulation": ("multiscale.dynamics.simulation", "Simulation"),
    "StateVariable": ("microscale.law", "StateVariable"),
    "StrainPaths": ("microscale.paths.protocols", "StrainPaths"),
    "box": ("meshes.box", "box"),
    "cylinder": ("meshes.cylinder", "cylinder"),
    "drive": ("microscale.law", "drive"),
    "load_mesh": ("meshes.impact_mesh", "load"),
    "make_law": ("multiscale.laws", "make_law"),
    "plate": ("meshes.plate", "plate"),
    "read_results": ("multiscale.results.run_folder", "read_results"),
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
