"""``multiscale export``: what it writes where, and what it refuses in one line."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from untrained_pca import untrained_pca

from microscale.errors import InputError
from microscale.files.one_writer import one_writer
from multiscale.cli import export
from multiscale.export.amalgam import amalgamated
from multiscale.export.source import initialiser, literal
from multiscale.laws import make_law
from multiscale.surrogate.store import SHIPPED, read_surrogate, weights_file, write_surrogate


def test_numbers_are_exact_to_the_bit():
    values = np.random.default_rng(0).standard_normal(1000) * 10.0 ** np.arange(-500, 500, dtype=float).clip(
        -300, 300
    )
    for value in [0.0, -0.0, 1.0, 5e-324, *values]:
        assert float.fromhex(literal(value)).hex() == float(value).hex()
    assert literal(np.inf) == "INFINITY"
    assert literal(1.5) == "0x1.8p+0"


def test_constants_stand_in_the_order_of_the_struct():
    text = initialiser({"G": np.array(2.0), "longest": np.array([1.0, 0.5]), "input": np.eye(2)})
    words = "".join(text.split())
    assert words == (
        "staticconstSurrogatesurrogate={.G=0x1p+1,.longest={0x1p+0,0x1p-1,},"
        ".network={.input={0x1p+0,0x0p+0,0x0p+0,0x1p+0,}}};"
    )


def test_headers_are_taken_in_once(tmp_path, monkeypatch):
    monkeypatch.setattr("multiscale.export.amalgam.ROOT", tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.h").write_text("A\n")
    (tmp_path / "folder" / "b.h").write_text('#include "a.h"\nB\n')
    (tmp_path / "c.c").write_text(
        '#include <math.h>\n#include "a.h"\n#include "folder/b.h"\n#include "made.h"\nC\n'
    )
    text = amalgamated(tmp_path / "c.c", {"made.h": "M\n"})
    lines = [line for line in text.splitlines() if not line.startswith("/*")]
    assert lines == ["#include <math.h>", "A", "B", "M", "C"]
    (tmp_path / "c.c").write_text('#include "nowhere.h"\n')
    with pytest.raises(FileNotFoundError, match=r"nowhere\.h"):
        amalgamated(tmp_path / "c.c", {})


def test_shipped_weights_have_a_name_and_files_go_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert weights_file("magnesium") == SHIPPED
    assert weights_file(SHIPPED) == SHIPPED
    (tmp_path / "full-field").mkdir()  # a folder of results hides nothing
    assert weights_file("full-field") == SHIPPED.with_stem("full-field")
    (tmp_path / "magnesium").touch()
    assert weights_file("magnesium").name == "magnesium"


def test_a_law_takes_the_name_of_shipped_weights():
    assert make_law("learned", weights="magnesium").card == make_law("learned").card


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "iron"}, r"iron\.json cannot be read"),
        ({"name": "2nd"}, "name = '2nd', expected a letter"),
        ({"name": "x" * 21}, "expected a letter and up to 19"),
        ({"to": "fortran"}, "to = 'fortran', expected one of: c, vumat, umat"),
        ({"units": "inch"}, "units = 'inch', expected one of: mm-us-GPa"),
        ({"precision": "half"}, "precision = 'half', expected one of"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, options, message):
    given = {"weights": "magnesium", "to": "c", "out": tmp_path / "law"} | options
    with pytest.raises(InputError, match=message) as error:
        export(given.pop("weights"), **given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "law").exists()


def test_the_network_of_the_paper_is_refused(tmp_path):
    _, arrays, card = untrained_pca()
    write_surrogate(tmp_path / "pca.safetensors", arrays, card)
    with pytest.raises(InputError, match="of kind 'pca', expected 'recurrent': others map whole histories"):
        export(tmp_path / "pca.safetensors", to="c", out=tmp_path / "law")


def test_files_all_begin_with_the_name(tmp_path, capsys):
    """Also in the folder of the weights, where a card is."""
    export("magnesium", to="vumat", out=tmp_path, name="Mg-1")
    made = {"mg_1.c", "mg_1.h", "mg_1_vumat.f", "mg_1_driver.f90", "mg_1_README.md", "mg_1_record.json"}
    assert {path.name for path in tmp_path.iterdir()} == made
    assert set(capsys.readouterr().out.split()) == {str(tmp_path / name) for name in made}


def test_words_of_a_card_end_no_comment(tmp_path):
    arrays, card = read_surrogate(SHIPPED)
    named = replace(card, material=replace(card.material, name="a */ b\n#error c"))
    write_surrogate(tmp_path / "odd.safetensors", arrays, named)
    export(tmp_path / "odd.safetensors", to="c", out=tmp_path)
    for file in ("odd.c", "odd.h"):
        head = (tmp_path / file).read_text()[:400]
        assert "a * / b" in head
        assert not re.search(r"^#error", head, flags=re.MULTILINE)


def test_files_that_no_export_left_are_kept(tmp_path):
    (tmp_path / "magnesium.c").write_text("mine")
    with pytest.raises(InputError, match=r"magnesium\.c is there, and not as an export left it"):
        export("magnesium", to="c", out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["magnesium.c"]
    assert (tmp_path / "magnesium.c").read_text() == "mine"


def test_an_export_is_written_again_but_not_mixed_with_one_for_another_code(tmp_path):
    export("magnesium", to="c", out=tmp_path)
    export("magnesium", to="c", out=tmp_path, units="SI")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert b"SI" in before["magnesium_record.json"]
    with pytest.raises(InputError, match=r"for another code \(magnesium_driver\.c\)"):
        export("magnesium", to="umat", out=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    export("magnesium", to="umat", out=tmp_path, name="mg")


def test_two_exports_of_one_name_do_not_write_at_a_time(tmp_path):
    with (
        one_writer(tmp_path, tmp_path / ".magnesium.lock"),
        pytest.raises(InputError, match="is being written"),
    ):
        export("magnesium", to="c", out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_told_in_words():
    with pytest.raises(InputError, match=r"/proc/law cannot be written .*: choose another place"):
        export("magnesium", to="c", out=Path("/proc/law"))
