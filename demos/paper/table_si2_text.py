"""Table SI-2 as text: one number a cell, in the tables of docs/results/table_si2.md."""

from collections.abc import Callable, Mapping
from typing import Any

from data import SETS

LAWS = {"fft2d": "2DFFT", "taylor": "3DTaylor"}
HELD = {
    "all": "sides held",
    "larger_strains": "sides held, larger strains",
    "less_rest": "sides held, less rest",
}
WORDS = ("law, strain", "train on", "test on")
"""Columns of text, which stand to the left."""

type Entry = dict[str, Any]
"""Figures of a row, as table_si2.json has them."""
type Columns = Mapping[str, Callable[[Entry], str]]
"""Heads, and the text of a cell under each."""


def _law(entry: Entry) -> str:
    train = SETS[entry["train"]]
    sensitivity = ", m = 0.2" if "rate_sensitivity" in train else ""
    return f"{LAWS[train['law']]}{sensitivity}, {100 * train['max_strain']:g} %"


def _exact(kind: str) -> Callable[[Entry], str]:
    return lambda entry: _percent(entry.get("test_with_exact_pressure"), kind)


def _held(kind: str) -> Callable[[Entry], str]:
    return lambda entry: _percent(entry["test_held"], kind)


def _percent(errors: Mapping[str, float] | None, kind: str) -> str:
    return f"{errors[kind]:.1f}" if errors else ""


CASES: Columns = {
    "law, strain": _law,
    "train on": lambda entry: SETS[entry["train"]]["protocol"],
    "test on": lambda entry: SETS[entry["test"]]["protocol"],
    "modes": lambda entry: f"{entry['modes']}",
    "paths of training, paper": lambda entry: f"{entry['paths'][0]}",
    "paths of training, ours": lambda entry: f"{entry['paths_here'][0]}",
    "paths of test, paper": lambda entry: f"{entry['paths'][1]}",
    "paths of test, ours": lambda entry: f"{entry['paths_here'][1]}",
}
TOTAL: Columns = {
    "training, paper": lambda entry: f"{entry['errors'][0]:g}",
    "training, ours": lambda entry: _percent(entry["train_here"], "total"),
    "test, paper": lambda entry: f"{entry['errors'][1]:g}",
    "test, ours": lambda entry: _percent(entry["test_here"], "total"),
    "test, ours over the paper's": lambda entry: f"{entry['test_here']['total'] / entry['errors'][1]:.2f}",
}
REDUCTION: Columns = {
    "stretch, paper": lambda entry: f"{entry['pca'][0]:.2g}",
    "stretch, ours": lambda entry: f"{entry['pca_here'][0]:.2g}",
    "stress, paper": lambda entry: f"{entry['pca'][1]:.2g}",
    "stress, ours": lambda entry: f"{entry['pca_here'][1]:.2g}",
}
DEVIATOR: Columns = {
    "training": lambda entry: _percent(entry["train_here"], "deviatoric"),
    "test": lambda entry: _percent(entry["test_here"], "deviatoric"),
    "test, total, exact pressure": _exact("total"),
    "test, deviatoric, exact pressure": _exact("deviatoric"),
}
SHEARED: Columns = {
    "paper": lambda entry: f"{entry['errors'][1]:g}",
    "as printed": lambda entry: _percent(entry["test_here"], "total"),
    **{head: _held(kind) for kind, head in HELD.items()},
}


def markdown(figures: Mapping[str, Entry]) -> str:
    """Return the tables of cases, errors, reduction, deviators and paths without change of volume."""
    rows = list(figures.values())
    sheared = [entry for entry in rows if "test_held" in entry]
    tables = [
        ("The cases", CASES, rows),
        ("Total errors, %", TOTAL, rows),
        ("Errors of the reduction, %", REDUCTION, rows),
        ("Errors in the deviator, %", DEVIATOR, rows),
        ("Total test errors of uniaxial paths and cavities, %", SHEARED, sheared),
    ]
    return "\n".join(f"## {title}\n\n{_table(columns, some)}" for title, columns, some in tables if some)


def _table(columns: Columns, rows: list[Entry]) -> str:
    rules = ["---:", *("---" if head in WORDS else "---:" for head in columns)]
    cells = [[str(entry["case"]), *(cell(entry) for cell in columns.values())] for entry in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (["case", *columns], rules, *cells))
