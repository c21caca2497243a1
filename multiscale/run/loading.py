"""The loading of a material test from its flags, or from a file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from microscale.errors import InputError
from microscale.files.quantities import told
from microscale.inputs.numbers import Range, Repeats, Steps
from microscale.material_test.program import (
    LARGEST_STRAIN,
    LOADINGS,
    MaterialTest,
    Measure,
    Segment,
    direction_of,
    loading,
)
from microscale.material_test.program_file import read_program
from multiscale.run.flags import WithMinus

TestStrain = Annotated[float, Range(-LARGEST_STRAIN, LARGEST_STRAIN)]
USUAL_RATE = "1e3/s"
HOLD_PARTS = (0.001, 0.009, 0.09, 0.9)
"""Shares of a time of hold that are taken in equal numbers of steps: it begins fast."""


@dataclass(frozen=True, kw_only=True)
class LoadingOptions:
    """The loading of a material test: a file, or one strain and how it is reached.

    Attributes:
        program: A file of segments (TOML, docs/reference/formats.md) for any mixture of strains and stresses,
            in place of all other flags of the loading.
        uniaxial: Strain along the axis of the test, negative in compression; its sides are free of stress.
        plane_strain: Strain along the axis; one side is held, the other is free.
        biaxial: Equal strains along two axes; the third is free.
        confined: Strain along the axis; both sides are held.
        shear: Amount of simple shear.
        rate: Strain rate with its unit, such as 1e3/s, which is the default. Several rates share the strain
            in equal parts, one after the other: a rate jump test.
        cycles: Number of times to go to the strain, to the opposite one and back.
        relax: Time, with its unit, to hold the strain at the end.
        creep: Time, with its unit, to hold the stress at the end.
        direction: Axis of the test in the axes of the sample: x, y, z or three numbers, as 1,1,0.
        across: Direction that is held in plane strain, and the plane's normal in shear; by default the axis
            of the sample that is nearest to a right angle with the first.
        measure: Whether strain and rate are true (logarithmic), as by default, or engineering ones.
        steps: Steps of each part of the test; 100 by default.
    """

    program: Path | None = None
    uniaxial: TestStrain | None = None
    plane_strain: TestStrain | None = None
    biaxial: TestStrain | None = None
    confined: TestStrain | None = None
    shear: TestStrain | None = None
    rate: Annotated[tuple[WithMinus, ...], Parameter(negative="", allow_leading_hyphen=True)] = ()
    cycles: Repeats | None = None
    relax: WithMinus | None = None
    creep: WithMinus | None = None
    direction: WithMinus | None = None
    across: WithMinus | None = None
    measure: Measure | None = None
    steps: Steps | None = None

    def whole(self) -> tuple[MaterialTest, str]:
        """Return the test, and the component of strain and stress that it is about.

        Raises:
            InputError: There is no loading or more than one, or flags do not go together.
        """
        given = [field.name for field in fields(self) if getattr(self, field.name) not in (None, ())]
        kinds = [name for name in given if name.replace("_", "-") in LOADINGS]
        if self.program is not None:
            if other := [name for name in given if name != "program"]:
                raise InputError(f"{_flag(other[0])} beside --program {self.program}: it stands in that file")
            found = read_program(self.program)
            return found, _driven(found)
        if len(kinds) != 1:
            named = " and ".join(map(_flag, kinds)) or "no loading"
            raise InputError(f"{named}, expected one of: {', '.join(f'--{kind}' for kind in LOADINGS)}")
        kind = kinds[0].replace("_", "-")
        strain = float(getattr(self, kinds[0]))
        if strain == 0.0:
            raise InputError(f"{_flag(kind)} 0.0, expected a strain that is not zero")
        program = MaterialTest(
            tuple(self._segments(kind, strain)),
            direction_of("direction", self.direction or "x"),
            None if self.across is None else direction_of("across", self.across),
            self.measure or "true",
        )
        return program, "xy" if kind == "shear" else "xx"

    def _segments(self, kind: str, strain: float) -> list[Segment]:
        rates = [told("rate", words, "1/us") for words in self.rate or (USUAL_RATE,)]
        steps = 100 if self.steps is None else self.steps
        if self.cycles is not None and len(rates) > 1:
            raise InputError(f"cycles = {self.cycles} with {len(rates)} rates, expected one rate")
        if self.relax is not None and self.creep is not None:
            raise InputError(f"relax = {self.relax} and creep = {self.creep}, expected one of them")
        ends = [strain, *[-strain, strain] * (self.cycles or 0)]
        parts = [(end, rates[0]) for end in ends]
        if len(rates) > 1:
            parts = [(strain * k / len(rates), rate) for k, rate in enumerate(rates, 1)]
        made = [Segment(loading(kind, end), rate=rate, steps=steps) for end, rate in parts]
        return made + self._hold(kind, steps)

    def _hold(self, kind: str, steps: int) -> list[Segment]:
        """Hold strains, or of those that were reached the stress."""
        if self.relax is None and self.creep is None:
            return []
        flag = "relax" if self.creep is None else "creep"
        time = told(flag, getattr(self, flag), "us")
        moved = {name for name, factor in LOADINGS[kind].items() if factor != 0.0 and flag == "creep"}
        strain, stress = dict.fromkeys(LOADINGS[kind].keys() - moved), dict.fromkeys(moved)
        few = max(1, steps // len(HOLD_PARTS))
        return [Segment(strain, stress, share * time, steps=few) for share in HOLD_PARTS]


def _driven(program: MaterialTest) -> str:
    """Return the component that a program is about: the first that something is asked of."""
    for segment in program.segments:
        for values in (segment.strain, segment.stress):
            for name, value in values.items():
                if value:
                    return name
    return "xx"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
