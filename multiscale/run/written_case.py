"""The case of a run as its record keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WrittenCase:
    """A case that has been written down.

    Attributes:
        text: The case file for the folder of the run.
        bound: What of the case a restart may not change, as plain values.
    """

    text: str
    bound: Mapping[str, Any]
