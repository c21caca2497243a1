"""PETSc's options: ours where the user says nothing, refused where nobody takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

from microscale.errors import InputError

from petsc4py import PETSc

#: Options by name, without dash; None for one without a value.
Options = Mapping[str, str | float | None]

#: Degrees of freedom up to which equations are solved directly; factors of more take too much memory.
MOST_DIRECT = 100_000

NEWTON: dict[str, str | float] = {
    "snes_rtol": 1e-9,  # of the norm of the forces that balance
    "snes_atol": 0.0,
    "snes_max_it": 5,  # after the first, which is ours: a step of more is cut
    "snes_linesearch_type": "bt",
}
DIRECT: dict[str, str | float] = {
    "ksp_type": "preonly",
    "pc_type": "lu",
    "pc_factor_mat_solver_type": "mumps",
}
#: The tangent of a law need not be symmetric.
ITERATIVE: dict[str, str | float] = {
    "ksp_type": "gmres",
    "ksp_rtol": 1e-6,
    "ksp_max_it": 500,
    "ksp_gmres_restart": 100,
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.01,
    "pc_gamg_agg_nsmooths": 1,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "jacobi",
}

_numbers = count()


def defaults(unknowns: int) -> dict[str, str | float]:
    """Return the options for so many degrees of freedom."""
    return NEWTON | (DIRECT if unknowns <= MOST_DIRECT else ITERATIVE)


def read_options(words: Iterable[str]) -> dict[str, str | float | None]:
    """Return options from words such as "ksp_type=cg", or "ksp_monitor" for one without a value.

    Raises:
        InputError: A word has no name.
    """
    found: dict[str, str | float | None] = {}
    for word in words:
        name, equals, value = word.strip().lstrip("-").partition("=")
        if not name or (equals and not value):
            raise InputError(f"petsc = {word!r}, expected NAME=VALUE, as ksp_type=cg, or NAME alone")
        found[name] = value if equals else None
    return found


def give(unknowns: int, options: Options) -> str:
    """Give PETSc options under a prefix of their own, and return the prefix.

    They stay there: a preconditioner that is set up again asks again.

    Args:
        unknowns: Number of degrees of freedom.
        options: Those of the user, without prefix or dash, such as ``{"ksp_type": "cg"}``; None for one
            without a value. Who chooses a solver, by ksp_type or pc_type, gets none of ours for it.
    """
    prefix = f"statics_{next(_numbers)}_"
    database = PETSc.Options(prefix)
    chosen = {"ksp_type", "pc_type"} & {*options}
    for name, value in ((NEWTON if chosen else defaults(unknowns)) | dict(options)).items():
        database.setValue(name, value)
    return prefix


def require_used(prefix: str, options: Options) -> None:
    """Raise an InputError if an option of the user is one that no solver has asked for."""
    database = PETSc.Options()
    unused = [name for name in options if not database.used(f"{prefix}{name}")]
    for name in unused:
        database.delValue(f"{prefix}{name}")  # PETSc would warn of it when the program ends
    if unused:
        raise InputError(
            f"PETSc option {unused[0]} = {options[unused[0]]} is taken by nothing here: check its name, and "
            "that the solver chosen has it"
        )
