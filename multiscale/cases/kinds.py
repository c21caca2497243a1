"""Parts of a case of which there are several kinds, told apart by one key, to which others may be added."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from importlib.metadata import entry_points
from typing import Annotated, Any, Union, get_args, get_type_hints

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from microscale.errors import InputError
from microscale.files.schema import forget


class Kinds:
    """The annotation of such a part: what is read is one of the kinds that are known by then.

    Attributes:
        tag: The key; each kind is a dataclass with a field of this name, a Literal, and
            ``__pydantic_config__ = STRICT``.
    """

    def __init__(self, tag: str, group: str, *ours: Any) -> None:
        """Begin with our kinds, and those that installed packages have under the entry points ``group``."""
        self.tag, self._group, self._known = tag, group, [*ours]

    def register(self, kind: Any) -> None:
        """Make a kind known.

        Raises:
            InputError: Its name is taken, or it is no such dataclass.
        """
        if not dataclasses.is_dataclass(kind) or self.tag not in get_type_hints(kind):
            raise InputError(f"{kind!r} is no kind: expected a dataclass with a field '{self.tag}'")
        taken = {name for known in self.known for name in self._names(known)}
        if both := taken & self._names(kind):
            raise InputError(f"{self.tag} = '{min(both)}' is known already: choose another name")
        self._known.append(kind)
        forget()

    @property
    def known(self) -> list[Any]:
        """All kinds."""
        return [*self._known, *self._installed]

    @property
    def schema(self) -> Any:
        """What is read: one of the kinds."""
        return Annotated[Union[tuple(self.known)], Field(discriminator=self.tag)]  # noqa: UP007

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read one of the kinds."""
        return handler.generate_schema(self.schema)

    @cached_property
    def _installed(self) -> list[Any]:
        return [point.load() for point in entry_points(group=self._group)]

    def _names(self, kind: Any) -> set[str]:
        return set(get_args(get_type_hints(kind)[self.tag]))
