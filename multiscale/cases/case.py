"""A case: everything that a run needs, as one plain value that a file can hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.quantities import Velocity
from microscale.files.schema import STRICT, Name
from microscale.inputs.numbers import Fraction, Length, Percent, Time, check_fields
from multiscale.cases.bodies import Body
from multiscale.cases.obstacles import RigidBody
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.elements.names import DEFAULT_ELEMENT, ElementName
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.run.material import LawOptions
from multiscale.run.record_options import AS_USUAL, RecordOptions
from multiscale.surrogate.store import is_shipped_name

Components = Literal["x", "y", "z", "xy", "xz", "yz", "xyz"]

#: The part that is the whole body: the only one, until parts of a mesh have laws of their own.
WHOLE = "all"

#: Keys that a restart may change.
FREE = ("title", "end_time", "max_energy_error", "shown_within", "record")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is computed and what is kept of it. How long a run may take and where it writes stand elsewhere.

    Attributes:
        title: Title of pictures and report.
        body: Its geometry, or the file of its mesh.
        parts: Law of each part of the body; ``all`` is the whole of it.
        element: Element type.
        obstacles: Rigid bodies that it may touch.
        supports: Components of displacement that are held at zero, by group of facets.
        initial_velocity: Velocity of the body at time zero, m/s.
        end_time: Simulated time, us.
        courant: Share of the estimated stable step that is taken.
        viscosity: Shock viscosity; none by default.
        max_energy_error: Error of the energy past which the run ends, per cent; 0 for none.
        measure: Figures of the deformed body: those of a bar that stands on its group ``foot``, or of a plate
            that is hit from above.
        shown_within: Distance from the axis up to which pictures show a flat body, mm.
        record: Outputs, probes and gauges.

    Raises:
        InputError: A number is out of its range, or the parts are not the one there can be.
    """

    __pydantic_config__ = STRICT

    title: str = ""
    body: Body
    parts: dict[Name, LawOptions]
    element: ElementName = DEFAULT_ELEMENT
    obstacles: tuple[RigidBody, ...] = ()
    supports: dict[Name, Components] = field(default_factory=dict)
    initial_velocity: Velocity = (0.0, 0.0, 0.0)
    end_time: Time
    courant: Fraction = 0.9
    viscosity: BulkViscosity | None = None
    max_energy_error: Percent = MAX_ENERGY_ERROR
    measure: Literal["bar", "plate"] | None = None
    shown_within: Length | None = None
    record: RecordOptions = AS_USUAL

    def __post_init__(self) -> None:
        check_fields(self)
        if list(self.parts) != [WHOLE]:
            found = ", ".join(self.parts) or "none"
            raise InputError(f"parts = {found}, expected one, named {WHOLE}: a body has one law so far")
        for file in self.files():
            if "\0" in str(file):
                raise InputError(f"file '{printable(file)}', expected a name without a zero byte")

    @property
    def law(self) -> LawOptions:
        """The law of the body."""
        return self.parts[WHOLE]

    def resolved(self) -> Case:
        """Return the same case with the options of its law said in full.

        Raises:
            InputError: An option is not of this law.
        """
        return replace(self, parts={WHOLE: replace(self.law, **self.law.resolved())})

    def files(self) -> list[Path]:
        """Return the files that are read to run it."""
        law = self.law
        weights = None if law.weights is None or is_shipped_name(law.weights) else law.weights
        named = [getattr(self.body, "file", None), weights, law.constants, law.crystal, law.texture]
        return [file for file in [*named, law.microstructure] if isinstance(file, Path)]

    def components(self) -> dict[str, list[int]]:
        """Return the supports by the numbers of their components."""
        return {group: ["xyz".index(axis) for axis in axes] for group, axes in self.supports.items()}

    def title_of_run(self) -> str:
        """Return a title: the case's own, or what its body and law are."""
        return printable(self.title or f"{self.body.geometry}, {self.law.law}")


def same_run(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a restart may not change of a case that is plain data; files are known by their content."""
    kept = {key: value for key, value in document.items() if key not in FREE}
    kept["body"] = {key: value for key, value in kept["body"].items() if key != "file"}
    files = ("weights", "constants", "crystal", "texture", "microstructure")
    kept["parts"] = {
        name: {key: value for key, value in part.items() if key not in files}
        for name, part in kept["parts"].items()
    }
    return kept
