"""The C source of a learnt law: sizes, equations, weights and the interface of a host."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from microscale.tensors import FloatArray
from multiscale.export.amalgam import amalgamated
from multiscale.surrogate.recurrent.law import architecture_of, constants_of
from multiscale.surrogate.store import Card, Weights

HOSTS = Path(__file__).with_name("hosts")
WIDTH = 110
"""Of a line."""
VECTORS = """\
/* Vectors need GCC's extensions of C. Without them it is one point at a time, in plain C99. */
#if !defined(ONE_LANE) && (!defined(__GNUC__) || defined(__clang__))
#define ONE_LANE
#endif
"""


def source_of(weights: Weights, card: Card, host: str, head: str, defines: dict[str, object]) -> str:
    """Return the whole source.

    Args:
        weights: Of a recurrent surrogate.
        card: What they are.
        host: Name of the C file of the interface.
        head: What stands first.
        defines: What the interface needs beside the sizes of the network.

    Raises:
        InputError: Weights do not fit their card, or are too many for a kernel.
    """
    sizes = architecture_of(card).defines | defines
    told = "".join(f"#define {name} {value}\n" for name, value in sizes.items())
    constants = {"surrogate.h": initialiser(constants_of(weights, card))}
    return f"{head}\n{VECTORS}\n{told}\n{amalgamated(HOSTS / f'{host}.c', constants)}"


def initialiser(constants: dict[str, FloatArray]) -> str:
    """Return the constant ``surrogate`` of the C struct of this name, to the bit."""
    first = list(constants).index("input")
    fields = [f".{name} = {_braced(values)}" for name, values in constants.items()]
    network = f".network = {{\n{',\n'.join(fields[first:])}\n}}"
    return f"static const Surrogate surrogate = {{\n{',\n'.join([*fields[:first], network])}\n}};\n"


def _braced(values: FloatArray) -> str:
    if values.ndim == 0:
        return literal(float(values))
    lines = [""]
    for word in map(literal, values.ravel()):
        if len(lines[-1]) + len(word) > WIDTH:
            lines.append("")
        lines[-1] += f"{word}, "
    return "{\n" + "\n".join(line.rstrip() for line in lines) + "\n}"


def literal(value: float) -> str:
    """Return a number as C99 writes it to the bit."""
    if np.isinf(value):
        return "INFINITY" if value > 0.0 else "-INFINITY"
    return re.sub(r"\.?0*p", "p", float(value).hex())
