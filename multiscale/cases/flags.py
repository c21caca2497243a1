"""Options in dataclasses as the plain keywords, or flags, that they were given by."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def flags_of(*groups: Any) -> dict[str, Any]:
    """Return the fields of dataclasses of options by their names, which differ."""
    return {field.name: getattr(group, field.name) for group in groups for field in fields(group)}
