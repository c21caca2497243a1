"""Systems of units of other codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnitSystem = Literal["mm-us-GPa", "mm-s-MPa", "SI"]


@dataclass(frozen=True)
class HostUnits:
    """What ours are in those of another code.

    Attributes:
        words: Its units, in words.
        time: Microseconds in its unit of time.
        stress: What 1 GPa is in its unit of stress.
        density: What 1 g/cm^3 is in its unit of density.
        speed: What 1 mm/us is in its unit of speed.
    """

    words: str
    time: float
    stress: float
    density: float
    speed: float


UNITS: dict[UnitSystem, HostUnits] = {
    "mm-us-GPa": HostUnits("mm, us, GPa, g/cm^3 (mg/mm^3)", 1.0, 1.0, 1.0, 1.0),
    "mm-s-MPa": HostUnits("mm, s, MPa, t/mm^3", 1e6, 1e3, 1e-9, 1e6),
    "SI": HostUnits("m, s, Pa, kg/m^3", 1e6, 1e9, 1e3, 1e3),
}
