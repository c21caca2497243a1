"""Numbers of signatures: what each type takes, and how a refusal reads."""

import math
from pathlib import Path

import numpy as np
import pytest

from microscale.errors import InputError
from microscale.inputs.numbers import (
    Count,
    Fraction,
    Length,
    OutFile,
    OutFolder,
    Positive,
    Seed,
    Share,
    Speed,
    Strain,
    Time,
    checked,
)


@checked
def body(
    *extra: Count,
    count: Count = 1,
    seed: Seed | None = None,
    speed: Speed = 200.0,
    length: Length = 1.0,
    rate: Positive | None = None,
    strain: Strain = 0.5,
    time: Time = 1.0,
    fraction: Fraction = 0.5,
    share: Share = 0.0,
    many: tuple[Count, ...] = (),
    angle: float = 0.0,
    number: int = 0,
    flag: bool = False,
    name: str = "",
    out: OutFile = Path("x"),
    folder: OutFolder = Path("."),
) -> str:
    return "taken"


@pytest.mark.parametrize(
    "given",
    [
        {"count": 2**31 - 1, "seed": 2**63 - 1, "many": (1, 2)},
        {"count": np.int64(3), "speed": 1, "length": np.float64(2.0), "rate": 1e30},
        {"angle": -1e300, "number": -(2**63), "share": 0.0, "fraction": 1.0},
        {"flag": True, "name": "", "out": "folder/file", "seed": None, "rate": None},
    ],
)
def test_what_has_a_meaning_is_taken(given):
    assert body(1, 2, **given) == "taken"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 0}, "count = 0, expected at least 1"),
        ({"count": 1.0}, "count = 1.0, expected a whole number"),
        ({"count": True}, "count = True, expected a whole number"),
        ({"count": "3"}, "count = '3', expected a whole number"),
        ({"count": 2**31}, "count = 2147483648, expected at most 2_147_483_647"),
        ({"seed": -1}, "seed = -1, expected at least 0"),
        ({"seed": 2**63}, "expected at most 9_223_372_036_854_775_807"),
        ({"seed": 10**400}, "expected at most 9_223_372_036_854_775_807"),
        ({"speed": -200.0}, "speed = -200.0 m/s, expected a positive number"),
        ({"speed": 0}, "speed = 0 m/s, expected a positive number"),
        ({"speed": 1e-300}, "speed = 1e-300 m/s, expected at least 1e-06 m/s"),
        ({"speed": 1e6}, "speed = 1000000.0 m/s, expected at most 100_000.0 m/s"),
        ({"length": math.nan}, "length = nan mm, expected a positive number"),
        ({"length": math.inf}, "length = inf mm, expected at most 1_000_000.0 mm"),
        ({"rate": "fast"}, "rate = 'fast', expected a number"),
        ({"fraction": 0.0}, "fraction = 0.0, expected a positive number"),
        ({"share": 1.5}, "share = 1.5, expected at most 1.0"),
        ({"many": (4, -1)}, "many = -1, expected at least 1"),
        ({"angle": math.nan}, "angle = nan, expected a finite number"),
        ({"angle": -math.inf}, "angle = -inf, expected a finite number"),
        ({"number": 2**63}, "number = 9223372036854775808, expected at most"),
        ({"out": Path(".")}, "out = '.', expected the name of a file"),
        ({"out": Path("/dev/null")}, "out = '/dev/null', expected the name of a file"),
        ({"out": Path("/")}, "out = '/', expected the name of a file"),
        ({"out": Path("/dev/null/x")}, "out = '/dev/null/x', expected no file in the way, as /dev/null is"),
        ({"folder": Path("/dev/null")}, "folder = '/dev/null', expected no file in the way, as /dev/null is"),
    ],
)
def test_what_has_none_is_refused_by_name_and_value(given, message):
    with pytest.raises(InputError) as refused:
        body(**given)
    assert message in str(refused.value)


def test_positional_arguments_are_read_too():
    with pytest.raises(InputError, match="extra = 0, expected at least 1"):
        body(1, 0)


def test_a_function_is_checked_once():
    assert checked(body) is body
