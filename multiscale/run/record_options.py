"""What a user may ask of the record of a run; flags, case files and Python callers have the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_args

from cyclopts import Parameter
from pydantic import Field

from microscale.errors import InputError
from microscale.files.quantities import Vector
from microscale.files.schema import STRICT
from microscale.inputs.numbers import Count, Range, Time, check_fields

FURTHEST = 1e6
"""Of a coordinate, mm."""
Coordinate = Annotated[float, Range(-FURTHEST, FURTHEST, unit="mm")]
Point = Annotated[tuple[Coordinate, Coordinate, Coordinate], Vector("mm")]
"""x, y and z in the reference body, mm."""
Place = Annotated[Point | str, Field(union_mode="left_to_right")]
"""In a file a text is a point if it reads as one, such as ``[0, 0, 2.5] mm``, and else a name."""
ExtraField = Literal["stress", "deformation-gradient"]
Format = Literal["vtkhdf", "vtu"]


def read_places(_: Any, tokens: Sequence[Any]) -> tuple[Any, ...]:
    """Return points and names of a command line; a converter of cyclopts.

    Raises:
        ValueError: A word with commas is no point.
    """
    return tuple(_place(token.value) for token in tokens)


def _place(word: str) -> str | Point:
    numbers = word.split(",")
    if len(numbers) == 1:
        return word
    try:
        x, y, z = (float(number) for number in numbers)
    except ValueError as error:
        raise ValueError(f"'{word[:60]}', expected a point x,y,z in mm, as 0,0,2.5") from error
    return x, y, z


def _flag(name: str, metavar: str) -> Parameter:
    """A flag with one word for each item, which may begin with a minus."""
    return Parameter(
        name=name,
        converter=read_places,
        n_tokens=1,
        allow_leading_hyphen=True,
        negative="",
        metavar=metavar,
        show_default=False,
    )


@dataclass(frozen=True)
class RecordOptions:
    """What a run leaves besides its energies, which are kept at every step.

    A command has them all as flags by ``record: Record = AS_USUAL``.

    Attributes:
        outputs: Number of outputs of the fields after the initial one, at even times; by default 20, or 8 of
            a run of fewer than some 160 steps.
        steps_between_outputs: Time steps from one output to the next, instead of even times.
        fields: Further fields of the outputs: stress (Cauchy) and deformation-gradient.
        probes: Points of the reference body, x,y,z in mm, whose motion and stress are kept over time.
        gauges: Groups of facets of the surface, or points on it as x,y,z in mm: velocity, stress and strain
            over time, as a VISAR, a pressure gauge or a strain gauge has them.
        history_every: Simulated time from one row of probes and gauges to the next, us; every step by
            default.
        format: One temporal VTKHDF file, which ParaView reads from 5.13 on, or a series of .vtu files with an
            index (.pvd), for older ones too.
        until_rest: Go on past the end time until the body has come to rest: until its centre of mass moves no
            longer in the direction it came.
        longest_time: Time at which a run until rest ends at the latest, us; by default that in which the body
            would fly twice its own length.

    Raises:
        InputError: A value is out of its range, or an option has no use beside the others.
    """

    __pydantic_config__ = STRICT

    outputs: Count | None = None
    steps_between_outputs: Count | None = None
    fields: Annotated[tuple[ExtraField, ...], Parameter(name="--field", negative="")] = ()
    probes: Annotated[tuple[Point, ...], _flag("--probe", "X,Y,Z")] = ()
    gauges: Annotated[tuple[Place, ...], _flag("--gauge", "GROUP|X,Y,Z")] = ()
    history_every: Time | None = None
    format: Format = "vtkhdf"
    until_rest: Annotated[bool, Parameter(negative="")] = False
    longest_time: Time | None = None

    def __post_init__(self) -> None:
        for name in ("fields", "probes", "gauges"):
            items = (tuple(item) if isinstance(item, list) else item for item in getattr(self, name))
            object.__setattr__(self, name, tuple(items))
        self._require_known()
        check_fields(self)
        self._require_used()

    def _require_known(self) -> None:
        for name, kind in (("fields", ExtraField), ("format", Format)):
            given = getattr(self, name)
            for item in (given,) if isinstance(given, str) else given:
                if item not in get_args(kind):
                    raise InputError(f"{name} = {item!r}, expected one of: {', '.join(get_args(kind))}")
        for name in ("probes", "gauges"):
            for place in getattr(self, name):
                if not (isinstance(place, str) and name == "gauges") and not _is_point(place):
                    raise InputError(f"{name} = {place!r}, expected points x, y, z in mm")

    def _require_used(self) -> None:
        unused = {
            "steps_between_outputs": self.outputs is not None,
            "history_every": not (self.probes or self.gauges),
            "longest_time": not self.until_rest,
        }
        remedy = {
            "steps_between_outputs": "leave out outputs, or this",
            "history_every": "give probes or gauges too",
            "longest_time": "give until-rest too",
        }
        for name, is_unused in unused.items():
            if is_unused and (value := getattr(self, name)) is not None:
                raise InputError(f"{name.replace('_', '-')} = {value} has no use here: {remedy[name]}")

    @property
    def given(self) -> dict[str, Any]:
        """The options that are not left at their defaults, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }


Record = Annotated[RecordOptions, Parameter(name="*")]
"""A parameter of a command that stands for all flags of a record."""
AS_USUAL = RecordOptions()
"""What a user gets who asks for nothing."""


def _is_point(place: Any) -> bool:
    return isinstance(place, tuple) and len(place) == 3 and not any(isinstance(x, str) for x in place)
