"""Measured curves: a CSV file with a header that says how it was measured, and units in the names of columns.

# test: uniaxial
# rate: 1e3/s
# direction: 1,0,0
engineering_strain,engineering_stress_MPa
0.001,41.7
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from pydantic_core import PydanticCustomError

from microscale.crystals.texture.names import is_file
from microscale.errors import InputError
from microscale.files.documents import read_bytes
from microscale.files.printable import printable
from microscale.files.quantities import converted, told
from microscale.files.whole_file import write_whole
from microscale.law import Moduli
from microscale.material_test.program import LOADINGS, MaterialTest, Measure, Segment, direction_of, loading
from microscale.tensors import FloatArray

LARGEST_FILE = 2**22
REMEDY = "docs/reference/formats.md#measured-curves says how a curve is written"
KEYS = ("test", "rate", "direction", "across", "texture", "temperature", "source")
FEWEST = 5
"""Points of a curve."""
LARGEST_STRAIN = 2.0
"""Of a test of a solid; beyond it per cent were taken for fractions."""
STIFFEST, WEAKEST = 1.2, 2e-5
"""Stresses over the wave modulus times the strain, at most, and over the wave modulus, at least: beyond them
a unit is wrong."""
KNEE = 0.02
"""Strain up to which half of the steps are taken."""

OFFSET = 0.02
"""Stress against the strain, over the largest one, that may be an offset or noise before the load comes."""


@dataclass(frozen=True)
class Experiment:
    """A measured curve.

    Attributes:
        name: Of its file.
        strain: Shape (points,), of one sign, growing in magnitude.
        stress: Shape (points,), GPa.
        measure: Whether they are true or engineering ones.
        test: A key of :data:`microscale.material_test.program.LOADINGS`.
        rate: Strain rate, 1/us, of the same measure.
        direction: Axis of the test in the axes of the sample.
        across: Direction that is held in plane strain, see :class:`MaterialTest`.
        texture: Of the sample; None where nothing was said.
        temperature: Of the sample at the beginning, K; None where nothing was said.
        sha256: Of the file; empty where there is none.
    """

    name: str
    strain: FloatArray
    stress: FloatArray
    measure: Measure = "true"
    test: str = "uniaxial"
    rate: float = 1e-3
    direction: tuple[float, float, float] = (1.0, 0.0, 0.0)
    across: tuple[float, float, float] | None = None
    texture: str | None = None
    temperature: float | None = None
    sha256: str = ""

    @property
    def component(self) -> Literal["xx", "xy"]:
        """The component of strain and stress that was measured."""
        return "xy" if self.test == "shear" else "xx"

    @property
    def size(self) -> float:
        """Root mean square of the stress, GPa."""
        return float(np.sqrt(np.mean(self.stress**2)))

    def program(self, steps: int) -> MaterialTest:
        """Return the test in so many steps, half of them up to :data:`KNEE`."""
        end = float(self.strain[-1])
        knee = math.copysign(min(KNEE, 0.5 * abs(end)), end)
        segments = (
            Segment(loading(self.test, strain), rate=self.rate, steps=max(1, steps // 2))
            for strain in (knee, end)
        )
        return MaterialTest(tuple(segments), self.direction, self.across, self.measure)

    def require_plausible(self, moduli: Moduli) -> None:
        """Refuse stresses that a solid of these moduli cannot have.

        Raises:
            InputError: One is above the elastic line, or all are next to nothing: a unit is wrong.
        """
        wave = moduli.bulk + 4.0 / 3.0 * moduli.shear
        most = STIFFEST * wave * np.abs(self.strain) + 0.05 * np.abs(self.stress).max()
        worst = int(np.argmax(np.abs(self.stress) / most))
        if abs(self.stress[worst]) > most[worst]:
            raise InputError(
                f"curve {self.name}: a stress of {self.stress[worst]:.4g} GPa at a strain of "
                f"{self.strain[worst]:.4g}, expected at most {most[worst]:.4g} GPa, as an elastic solid of "
                "these moduli has: check the units of stress (MPa for GPa) and strain (per cent?)"
            )
        if np.abs(self.stress).max() < WEAKEST * wave:
            raise InputError(
                f"curve {self.name}: stresses up to {np.abs(self.stress).max():.3g} GPa, expected more than "
                f"{WEAKEST * wave:.3g} GPa of a solid of these moduli: check the unit (GPa for MPa)"
            )


def read_experiment(path: Path) -> Experiment:
    """Read a measured curve.

    Raises:
        InputError: The file cannot be read, its header or columns are not as expected, or its numbers are no
            curve: in one line with file, place, value and what was expected.
    """
    where = f"curve {path}"
    data = read_bytes(path, "curve", REMEDY, LARGEST_FILE)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: damaged or no text ({error}); {REMEDY}") from error
    header, rows = _divided(lines, where)
    if not rows:
        raise InputError(f"{where}: no columns, expected two; {REMEDY}")
    measure, units = _columns(rows[0][1], where)
    values = np.array([_numbers(number, row, where) for number, row in rows[1:]]).reshape(-1, 2)
    _require_curve(values[:, 0] * units[0], [number for number, _ in rows[1:]], where)
    strain, stress = (values * units).T
    _require_signs(strain, stress, [number for number, _ in rows[1:]], where)
    facts = _facts(header, where)
    if "texture" in facts and is_file(facts["texture"]):
        facts["texture"] = str(path.parent / facts["texture"])
    found = Experiment(path.name, strain, stress, measure, sha256=hashlib.sha256(data).hexdigest(), **facts)
    try:
        found.program(2)
    except InputError as error:  # a rate, directions or strains that no test has
        raise InputError(f"{where}: {error}; {REMEDY}") from error
    return found


def write_experiment(path: Path, experiment: Experiment, source: str = "") -> None:
    """Write a curve as :func:`read_experiment` reads it, in GPa.

    Args:
        path: CSV file to write.
        experiment: The curve.
        source: A note on where it is from.

    Raises:
        InputError: The file cannot be written.
    """
    facts = {
        "test": experiment.test,
        "rate": f"{experiment.rate!r} 1/us",
        "direction": ",".join(map(repr, experiment.direction)),
        "across": experiment.across and ",".join(map(repr, experiment.across)),
        "texture": experiment.texture,
        "temperature": experiment.temperature and f"{experiment.temperature!r} K",
        "source": source,
    }
    lines = [f"# {key}: {value}" for key, value in facts.items() if value]
    lines.append(f"{experiment.measure}_strain,{experiment.measure}_stress_GPa")
    pairs = zip(experiment.strain.tolist(), experiment.stress.tolist(), strict=True)
    lines += [f"{strain!r},{stress!r}" for strain, stress in pairs]
    write_whole(path, ("\n".join(lines) + "\n").encode())


def _divided(lines: list[str], where: str) -> tuple[dict[str, str], list[tuple[int, list[str]]]]:
    """Return the keys of the header, and the rows that follow with the numbers of their lines."""
    header: dict[str, str] = {}
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not line.lstrip().startswith("#"):
            rows.append((number, [cell.strip() for cell in next(csv.reader([line]))]))
            continue
        key, colon, value = line.lstrip(" #").partition(":")
        key, value = key.strip(), value.strip()
        if rows or not colon or not value:
            _refuse(where, number, f"'{printable(line.strip(), 60)}'", "'# key: value' above the columns")
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            meant = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(KEYS)}"
            raise InputError(
                f"{where}, line {number}: {printable(key, 60)} is no known key, {meant}; {REMEDY}"
            )
        if key in header:
            _refuse(where, number, f"{key}", "each key once")
        header[key] = value
    return header, rows


def _columns(names: list[str], where: str) -> tuple[Measure, FloatArray]:
    """Return the measure and the units of both columns in ours."""
    shown = printable(",".join(names), 80)
    if len(names) != 2:
        raise InputError(
            f"{where}: columns '{shown}', expected two, such as true_strain,true_stress_MPa; {REMEDY}"
        )
    found: list[Measure] = [m for m in ("true", "engineering") if all(n.startswith(f"{m}_") for n in names)]
    if not found:
        raise InputError(
            f"{where}: columns '{shown}', expected names that begin with true_ or engineering_, both with "
            f"the same; {REMEDY}"
        )
    strain, stress = (name.removeprefix(f"{found[0]}_") for name in names)
    factors = {"strain": 1.0, "strain_percent": 0.01}
    if strain not in factors:
        raise InputError(
            f"{where}: column '{printable(names[0], 40)}', expected {found[0]}_strain, a fraction, or "
            f"{found[0]}_strain_percent; {REMEDY}"
        )
    unit = stress.removeprefix("stress_")
    try:
        if unit == stress:
            raise ValueError
        factor = 1.0 if unit == "GPa" else converted(1.0, unit, "GPa", unit)
    except (PydanticCustomError, ValueError) as error:
        raise InputError(
            f"{where}: column '{printable(names[1], 40)}', expected {found[0]}_stress_ and its unit, such as "
            f"{found[0]}_stress_MPa; {REMEDY}"
        ) from error
    return found[0], np.array([factors[strain], factor])


def _numbers(number: int, row: list[str], where: str) -> list[float]:
    """Return strain and stress in a row."""
    try:
        values = [float(cell) for cell in row]
    except ValueError:
        values = []
    if len(values) != 2 or not all(map(math.isfinite, values)):
        _refuse(where, number, f"'{printable(','.join(row), 60)}'", "two finite numbers")
    return values


def _require_curve(strain: FloatArray, lines: list[int], where: str) -> None:
    """Refuse strains that are too few, too large, of both signs, or do not grow."""
    if len(strain) < FEWEST:
        raise InputError(f"{where}: {len(strain)} points, expected at least {FEWEST}; {REMEDY}")
    large = int(np.argmax(np.abs(strain)))
    if abs(strain[large]) > LARGEST_STRAIN:
        _refuse(
            where,
            lines[large],
            f"strain {strain[large]:g}",
            f"at most {LARGEST_STRAIN:g}: per cent for a fraction?",
        )
    steps = np.diff(strain) * np.sign(strain[-1])
    if (steps <= 0.0).any():
        k = int(np.argmax(steps <= 0.0))
        _refuse(
            where,
            lines[k + 1],
            f"strain {strain[k + 1]:g} after {strain[k]:g}",
            "strains that grow from row to row, or fall in compression",
        )
    if strain[0] * np.sign(strain[-1]) < 0.0:
        _refuse(where, lines[0], f"strain {strain[0]:g}", "strains of one sign")


def _require_signs(strain: FloatArray, stress: FloatArray, lines: list[int], where: str) -> None:
    """Refuse stresses that are all zero, or that push where the strain pulls."""
    if not stress.any():
        raise InputError(f"{where}: all stresses are zero, expected measured ones; {REMEDY}")
    against = -stress * np.sign(strain[-1])
    k = int(np.argmax(against))
    if against[k] > OFFSET * np.abs(stress).max():
        shown = f"stress {stress[k]:g} GPa at strain {strain[k]:g}"
        _refuse(
            where, lines[k], f"{shown}: strain and stress have opposite signs", "both negative in compression"
        )


def _facts(header: dict[str, str], where: str) -> dict[str, Any]:
    """Return what the header says, as attributes of an experiment."""
    for key in ("test", "rate"):
        if key not in header:
            raise InputError(f"{where}: '# {key}: ...' is missing in the header; {REMEDY}")
    if header["test"] not in LOADINGS:
        raise InputError(
            f"{where}: test = '{printable(header['test'], 40)}', expected one of: {', '.join(LOADINGS)}"
        )
    facts: dict[str, object] = {
        "test": header["test"],
        "rate": told("rate", header["rate"], "1/us", f"{where}: "),
    }
    if "temperature" in header:
        facts["temperature"] = told("temperature", header["temperature"], "K", f"{where}: ")
    if "texture" in header:
        facts["texture"] = header["texture"]
    for key in ("direction", "across"):
        if key in header:
            facts[key] = direction_of(key, header[key], f"{where}: ")
    return facts


def _refuse(where: str, line: int, shown: str, expected: str) -> NoReturn:
    raise InputError(f"{where}, line {line}: {shown}, expected {expected}; {REMEDY}")
