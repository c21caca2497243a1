"""Flags with values that are wrong, huge, tiny, empty or foreign end in success or in one line."""

import importlib.util
import sys
from pathlib import Path

import pytest

from multiscale.cli import app
from multiscale.run.command import SUCCESS, application, outcome

FUZZ = Path(__file__).parents[1] / "fuzz" / "flags.py"
QUICK = {"generate", "inspect", "train"}


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_flags", FUZZ)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_flags"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fuzz_flags"]


@pytest.fixture(scope="module")
def files(fuzz, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / "files"
    fuzz.make_files(folder, lambda words: outcome(application(app), words))
    return folder


def test_tries_end_in_success_or_one_line(fuzz, files, monkeypatch):
    """The long version, with all programs in processes of their own, is tests/fuzz/flags.py itself."""
    monkeypatch.chdir(files)
    quick = [program for program in fuzz.PROGRAMS if program.function in QUICK]
    codes = []
    for program, flags in fuzz.tries(quick, seed=3, count=40):
        words = fuzz.tokens(program, flags, fuzz.places_in(files))
        code, message = outcome(application(app), words)
        assert "Traceback" not in message, (words, message)
        assert message.count("\n") == 0, (words, message)
        assert (code == SUCCESS) == (message == ""), (words, message)
        codes.append(code)
    assert len(set(codes)) > 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--paths", "1.5"], 'Invalid value for --paths: "1.5", expected a whole number'),
        (["--paths", "9" * 5000], "expected a whole number"),
        (["--paths", "2147483648"], "paths = 2147483648, expected at most 2_147_483_647"),
        (["--out", ""], "Invalid value for --out: empty, expected a value"),
        (["--out", "/dev/null/x"], "expected no file in the way, as /dev/null is"),
        (["--seed", "-1"], "seed = -1, expected at least 0"),
        (["--duration", "nan"], "duration = nan us, expected a positive number"),
        (["--grains", "1000000000"], "grains = 1000000000"),
    ],
)
def test_words_and_numbers_are_read_strictly(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"--out": "x.h5"} | {words[0]: words[1]}
    code, said = outcome(application(app), ["generate", *(word for pair in given.items() for word in pair)])
    assert code != SUCCESS
    assert message in said
    assert not list(tmp_path.iterdir())
