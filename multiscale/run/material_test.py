"""The command ``multiscale test``: laws at a point under prescribed loading, their curves and a picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.one_writer import one_writer
from microscale.files.printable import printable
from microscale.files.whole_file import write_json, write_whole
from microscale.material_test.program_file import program_text
from microscale.material_test.run import TOLERANCE, Curve, run_tests
from multiscale.results.material_tests import chosen_fields, draw_curves, require_fields, write_curve
from multiscale.results.provenance import law_record, plain, versions
from multiscale.run.compared_laws import ComparedLaws
from multiscale.run.inputs import require_apart
from multiscale.run.loading import LoadingOptions

PROGRAM, RECORD, PICTURE, LOCK = "program.toml", "test.json", "curves.png", ".test.lock"


def run_material_test(
    laws: ComparedLaws,
    loading: LoadingOptions,
    fields: Sequence[str] = (),
    output: Path = Path("results/test"),
    tolerance: float = TOLERANCE,
) -> dict[str, Curve]:
    """Test laws under one loading and leave tables, a picture, the program and a record in a folder.

    Args:
        laws: The laws and their options.
        loading: What they are put under.
        fields: Names of fields of the state to keep.
        output: The folder.
        tolerance: Of a stress, relative to the largest.

    Returns:
        The curves by law.

    Raises:
        InputError: Laws, loading or fields cannot be used, or the folder cannot be written.
        ConvergenceError: A law finds no balance.
    """
    program, component = loading.whole()
    made = laws.make()
    require_fields(made, fields)
    tables = {name: output / f"{name}.csv" for name in made}
    written = [*tables.values(), *(output / name for name in (PROGRAM, RECORD, PICTURE))]
    require_apart(written, [loading.program, *laws.files])
    text = program_text(program).encode()
    _require_one_test(output, text, made)
    curves = {name: run_tests(law, [program], tolerance)[0] for name, law in made.items()}
    found = chosen_fields(made, curves, fields)
    options = laws.resolved()
    records: dict[str, Any] = {name: law_record(law, options[name]) for name, law in made.items()}
    with one_writer(output, output / LOCK):
        _require_one_test(output, text, made)
        for name, curve in curves.items():
            write_curve(tables[name], curve, component, found[name])
        draw_curves(output / PICTURE, _title(curves), curves, component, found)
        write_whole(output / PROGRAM, text)
        write_json(output / RECORD, {"laws": plain(records), "component": component, "versions": versions()})
    for name, curve in curves.items():
        print(_told(name, curve, component))
    print(f"{printable(output)}\n    {', '.join(path.name for path in written)}", flush=True)
    return curves


def _require_one_test(output: Path, program: bytes, laws: Collection[str]) -> None:
    """Refuse a folder with tables that would then lie beside the program of another test."""
    there = output / PROGRAM
    if not there.is_file() or there.read_bytes() == program:
        return
    record = output / RECORD
    before = read_document(record, "record of a test", "choose another --output") if record.exists() else {}
    known = before.get("laws", {}) if isinstance(before, dict) else {}
    for name in known:
        if name not in laws and (table := output / f"{name}.csv").exists():
            raise InputError(
                f"{printable(table)} is of another loading, that of {printable(there)}, and would lie by "
                "this one: choose another --output, or test that law too"
            )


def _title(curves: dict[str, Curve]) -> str:
    return f"material test of {', '.join(curves)}"


def _told(name: str, curve: Curve, component: str) -> str:
    strain, stress = curve.component(component)
    k = abs(stress).argmax()
    return (
        f"{name}: largest stress {stress[k]:.4g} GPa at a strain of {strain[k]:.4g}; at the end "
        f"{stress[-1]:.4g} GPa at {strain[-1]:.4g} after {curve.times[-1]:.4g} us; "
        f"{curve.iterations[1:].mean():.1f} iterations a step, at most {curve.iterations.max()}"
    )
