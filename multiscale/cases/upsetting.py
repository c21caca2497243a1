"""Upsetting: a cylinder is compressed along its axis between two plates, slowly or at a given rate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from microscale.errors import InputError
from microscale.inputs.flat import flat
from microscale.inputs.numbers import Count, Length, OutFolder, Range
from multiscale.cases.bodies import Cylinder, Model
from multiscale.cases.flags import flags_of
from multiscale.run.control import ControlOptions
from multiscale.run.material import LawOptions
from multiscale.run.statics_record import StaticsOptions

SYMMETRY = {"symmetry_x": 0, "symmetry_y": 1}
PER_SECOND = 1e-6  # 1/s in 1/us

#: The first load step and the longest one, of the whole time.
FIRST, LONGEST = 0.01, 0.05

#: Forces out of balance that are left: the sub-steps of crystals jump by less, and by more than our default.
TOLERANCE: dict[str, str | float | None] = {"snes_rtol": 1e-7}

Rate = Annotated[float, Range(1e-9, 1e9, unit="1/s")]
Compression = Annotated[float, Range(0.0, 0.9, above=True)]


@dataclass(frozen=True, kw_only=True)
class Upset:
    """A cylinder and how it is compressed.

    Attributes:
        height: Height, mm.
        diameter: Diameter, mm.
        elements: Number of elements of the model, about.
        cell: Eight-node hexahedra, or ten-node tetrahedra, both with mean dilatation.
        model: The full cylinder, or a quarter with two planes of symmetry.
        compression: Share of the height by which the plates approach each other.
        rate: Speed of the plates over the initial height, 1/s.
        petsc: Options of PETSc's solvers, as ksp_type=cg, once for each.
        plates: Rough ones hold the ends of the cylinder, smooth ones let them slide.
    """

    height: Length = 1.5
    diameter: Length = 1.0
    elements: Count = 48
    cell: Literal["hexahedron", "tetrahedron"] = "hexahedron"
    model: Model = "quarter"
    compression: Compression = 0.3
    rate: Rate = 1e3
    plates: Literal["rough", "smooth"] = "rough"
    petsc: Annotated[tuple[str, ...], Parameter(name="--petsc", negative="")] = ()

    @property
    def end_time(self) -> float:
        """Time of the compression, us."""
        return self.compression / (PER_SECOND * self.rate)


@dataclass(frozen=True, kw_only=True)
class UpsetLaw(LawOptions):
    """The law, by default the polycrystal itself; see :class:`multiscale.run.material.LawOptions`.

    Attributes:
        law: Constitutive law at every quadrature point.
        weights: Weights of the learned law; by default those that come with this.
        on_extrapolation: Whether the learned law warns, as by default, or stops where its range ends.
        precision: Of the products of the learned law's network; in statics they are double ones.
        constants: Constants of the johnson-cook or j2 law; those of magnesium by default.
        crystal: Material file of the taylor or fft3d law; magnesium by default.
        grains: Grains at each point; 16 by default.
        resolution: Voxels along each side of the cell of fft3d, 16 by default, or of phases, by default the
            file's; taylor takes the grains of such a cell.
        tolerance: Of equilibrium in a unit cell, 1e-3 by default.
        seed: Seed of the grains' orientations; 0 by default.
        texture: Where the grains of the taylor or fft3d law point, as for an impact, such as rolled:10,15.
        texture_axes: Where RD, TD and ND of the texture lie in the body, as z,x,y.
        microstructure: File of a microstructure, for the law phases: its geometry, and a law for each phase.
        density: Of no use here.
    """

    law: str = "taylor"

    def settled(self) -> UpsetLaw:
        """Return the same with our default of grains.

        Raises:
            InputError: Single precision of the learned law, or a density, was asked for.
        """
        if self.precision == "single":
            raise InputError("precision = 'single', expected double: single leaves forces out of balance")
        if self.density is not None:
            raise InputError(f"density = {self.density} has no use in equilibrium: leave it out")
        return replace(self, grains=self.grains or 16) if self.law == "taylor" else self


def _settled(steps: StaticsOptions, end_time: float) -> StaticsOptions:
    """Return load steps with a first one that ends near yield: from rest crystals take long ones badly."""
    first = steps.first_step or min(FIRST * end_time, steps.longest_step or end_time)
    longest = steps.longest_step or max(LONGEST * end_time, first)
    return replace(steps, first_step=first, longest_step=longest)


@flat
def upsetting(
    *,
    upset: Upset,
    material: UpsetLaw,
    steps: StaticsOptions,
    control: ControlOptions,
    output: OutFolder = Path("results/upsetting"),
) -> dict[str, Any]:
    """Compress a cylinder between two plates; leave fields, loads, pictures, report and summary.

    Args:
        output: Folder for the results.

    Returns:
        The summary.

    Raises:
        InputError: A value is out of its range, an option has no use, or a file cannot be used.
        ConvergenceError: Load steps had to be cut too often.
    """
    from multiscale.results.dimensions import barrel_shape
    from multiscale.run.statics_record import run_and_record_statics
    from multiscale.statics.petsc_options import read_options
    from multiscale.statics.statics import Statics

    material, started = material.settled(), control.start()
    steps = _settled(steps, upset.end_time)
    sizes = upset.height, upset.diameter, upset.elements, upset.model
    body = Cylinder(height=sizes[0], diameter=sizes[1], elements=sizes[2], model=sizes[3]).mesh(upset.cell)
    end_time, depth = upset.end_time, upset.compression * upset.height
    ends = (0, 1) if upset.plates == "rough" else ()
    supports = {"foot": (2, *ends)} | ({"top": ends} if ends else {})
    if upset.model == "quarter":
        supports |= {group: (component,) for group, component in SYMMETRY.items()}
    statics = Statics(
        body,
        material.make(end_time),
        supports=supports,
        displacements={"top": {"z": [[0.0, 0.0], [end_time, -depth]]}},
        petsc_options=TOLERANCE | read_options(upset.petsc),
    )
    inputs = flags_of(upset, material, steps, control) | material.resolved() | {"output": output}
    return run_and_record_statics(
        statics,
        end_time,
        output,
        inputs,
        steps,
        measure=barrel_shape,
        control=started,
        title=f"Upsetting at {upset.rate:g} per second between {upset.plates} plates, {material.law}",
    )
