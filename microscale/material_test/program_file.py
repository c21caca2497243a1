"""Programs of material tests as TOML: quantities with units, unknown keys refused; read and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from microscale.errors import InputError
from microscale.files.quantities import spoken
from microscale.files.schema import Strict, validated, wrong
from microscale.files.toml import read_toml, toml_text
from microscale.inputs.numbers import Steps, Time
from microscale.material_test.program import COMPONENTS, MaterialTest, Measure, Rate, Segment

REMEDY = "docs/reference/formats.md#material-tests lists all keys"
HOLD = "hold"


def _strain(found: Any) -> float | None:
    if found == HOLD:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise wrong(f"a number without unit, or '{HOLD}'")
    return float(found)


def _stress(found: Any) -> float | None:
    return None if found == HOLD else spoken(found, "GPa")


Component = Literal["xx", "yy", "zz", "yz", "xz", "xy"]
Strain = Annotated[Any, PlainValidator(_strain)]
Stress = Annotated[Any, PlainValidator(_stress)]
Direction = Annotated[list[float], Field(min_length=3, max_length=3)]


class SegmentEntry(Strict):
    """A segment of a test, as :class:`microscale.material_test.program.Segment`."""

    strain: dict[Component, Strain] = Field(default_factory=dict)
    stress: dict[Component, Stress] = Field(default_factory=dict)
    duration: Time | None = None
    rate: Rate | None = None
    steps: Steps = 100


class ProgramFile(Strict):
    """A material test, as :class:`microscale.material_test.program.MaterialTest`."""

    segment: Annotated[list[SegmentEntry], Field(min_length=1)]
    direction: Direction | None = None
    across: Direction | None = None
    measure: Measure = "true"


def read_program(path: Path) -> MaterialTest:
    """Read a material test.

    Raises:
        InputError: The file cannot be read, or does not follow the schema: one line with file, key, value,
            what was expected and the remedy.
    """
    where = f"material test {path}"
    found = validated(ProgramFile, read_toml(path, "material test", REMEDY), where, REMEDY)
    segments = tuple(_segment(k, entry, where) for k, entry in enumerate(found.segment, 1))
    direction = (1.0, 0.0, 0.0) if found.direction is None else _three(found.direction)
    across = None if found.across is None else _three(found.across)
    try:
        return MaterialTest(segments, direction, across, found.measure)
    except InputError as error:
        raise InputError(f"{where}: {error}; {REMEDY}") from error


def program_text(program: MaterialTest) -> str:
    """Return a material test as a file from which it can be repeated."""
    across = {} if program.across is None else {"across": list(program.across)}
    return toml_text(
        {
            "measure": program.measure,
            "direction": list(program.direction),
            **across,
            "segment": [_entry(segment) for segment in program.segments],
        }
    )


def _segment(number: int, entry: SegmentEntry, where: str) -> Segment:
    try:
        strain, stress = ({str(c): v for c, v in part.items()} for part in (entry.strain, entry.stress))
        return Segment(strain, stress, entry.duration, entry.rate, entry.steps)
    except InputError as error:
        raise InputError(f"{where}: segment {number}: {error}; {REMEDY}") from error


def _entry(segment: Segment) -> dict[str, Any]:
    time = (
        {"rate": f"{segment.rate!r} 1/us"}
        if segment.duration is None
        else {"duration": f"{segment.duration!r} us"}
    )
    return {
        **time,
        "steps": segment.steps,
        "strain": _spoken(segment.strain, ""),
        "stress": _spoken(segment.stress, " GPa"),
    }


def _spoken(values: Mapping[str, float | None], unit: str) -> dict[str, Any]:
    """Return strains as numbers and stresses as texts, in the order of the components."""
    given = {name: values[name] for name in COMPONENTS if name in values}
    return {
        name: HOLD if value is None else f"{float(value)!r}{unit}" if unit else float(value)
        for name, value in given.items()
    }


def _three(numbers: list[float]) -> tuple[float, float, float]:
    return (numbers[0], numbers[1], numbers[2])
