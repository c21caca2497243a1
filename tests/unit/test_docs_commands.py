"""Commands of README and documentation are ones that the programs take, and files they name are there."""

import ast
import importlib.util
import re
import shlex
import sys
from functools import cache
from pathlib import Path

import pytest

from multiscale.cli import app
from multiscale.run.command import application

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LAUNCHERS = r"^(OMP_NUM_THREADS=1 +)?(mpirun -n \d+ +|torchrun --nproc-per-node \d+ -m +)?"
PROGRAM = re.compile(LAUNCHERS + r"(?P<command>(python demos/\S+\.py|multiscale(\.cli)? ).*)$")
NAMED = re.compile(r"`((?:microscale|multiscale|meshes|demos|tests|docs)/[\w./-]+)`")


def commands(page):
    """Return the commands of a page that stand in lines of their own."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.split("\n") if line.startswith("    ")]
    return [found["command"] for line in lines if (found := PROGRAM.match(line))]


@cache
def program(script):
    """Return the program a script launches."""
    path = ROOT / script
    calls = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    launched = next(ast.unparse(c.args[0]) for c in calls if ast.unparse(c.func) == "launch")
    spec = importlib.util.spec_from_file_location(f"launched_{path.stem}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where dataclasses look it up
    sys.path.insert(0, str(path.parent))  # scripts import those beside them
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return application(eval(launched, vars(module)))


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page_are_taken(page):
    for command in commands(page):
        words = shlex.split(command, comments=True)
        known, tokens = (program(words[1]), words[2:]) if words[0] == "python" else (app, words[1:])
        known.parse_args(tokens, exit_on_error=False, print_error=False)  # raises where it does not fit


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_a_page_is_taken_for_a_comment(page):
    """A line that begins with a per cent sign is one in MyST, and would vanish."""
    assert not re.findall(r"^ *%.*", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_commands_are_found():
    assert sum(len(commands(page)) for page in PAGES) > 80


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    for name in NAMED.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name
