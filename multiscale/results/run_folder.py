"""The folder a run leaves, read back: meshes by time for pyvista, the energy ledger, the summary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from microscale.errors import InputError
from microscale.inputs.numbers import checked
from microscale.tensors import FloatArray
from multiscale.results.vtkhdf import Results

if TYPE_CHECKING:
    import pyvista


#: Names of the files in the folder.
RESULTS, LEDGER, PICTURE, SUMMARY = "results.vtkhdf", "energy.csv", "section.png", "summary.json"
REPORT, HISTORIES, CASE = "report.html", "histories.png", "case.toml"

#: What statics leaves in place of energies.
LOADS, LOADS_PICTURE = "loads.csv", "loads.png"

#: The file of the fields by format.
RESULT_FILES = {"vtkhdf": RESULTS, "vtu": "results.pvd"}


class RunFolder:
    """Outputs of one run, in order of time: ``folder[k]`` is a pyvista mesh, ``len(folder)`` their number.

    Attributes:
        path: The folder.
        results: The result file.
        times: Times of the outputs, shape (n,), us.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the folder.

        Raises:
            InputError: It holds no result file of a run, or a damaged one.
        """
        self.path = Path(path)
        found = (self.path / name for name in RESULT_FILES.values())
        self.results = Results(next((file for file in found if file.is_file()), self.path / RESULTS))
        self.times = self.results.times

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, output: int) -> pyvista.UnstructuredGrid:
        """Return the reference mesh with the fields of one output; negative numbers count from the end."""
        if not -len(self) <= output < len(self):
            raise IndexError(f"output {output} of {self.path}, which has {len(self)}")
        grid = unstructured_grid(self.results)
        for fields, names in (
            (grid.point_data, self.results.point_fields),
            (grid.cell_data, self.results.cell_fields),
        ):
            for name in names:
                fields[name] = self.results.field(name, output)
        return grid

    def __iter__(self) -> Iterator[pyvista.UnstructuredGrid]:
        return (self[output] for output in range(len(self)))

    def at(self, time: float) -> pyvista.UnstructuredGrid:
        """Return the output nearest to ``time``, us."""
        return self[int(np.argmin(np.abs(self.times - time)))]

    @property
    def energy(self) -> dict[str, FloatArray]:
        """Columns of the energy ledger by name: steps, times in us, energies in J, error in per cent."""
        return columns_of(self.path / LEDGER)

    @property
    def loads(self) -> dict[str, FloatArray]:
        """Columns of the loads of statics by name, which says the unit: convergence, motions, reactions."""
        return columns_of(self.path / LOADS)

    @property
    def histories(self) -> dict[str, dict[str, FloatArray]]:
        """Columns of every probe and gauge over time; their names say the units."""
        files = [*self.path.glob("probe_[0-9]*.csv"), *self.path.glob("gauge_[0-9]*.csv")]
        return {file.stem: columns_of(file) for file in sorted(files)}

    @property
    def summary(self) -> dict[str, Any]:
        """The summary, as JSON holds it; of a run that failed it has ``error``, the message.

        Raises:
            InputError: There is none: the run has not come to its end.
        """
        file = self.path / SUMMARY
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{file} cannot be read as the summary of a run ({error}): expected a run that has ended"
            ) from error
        return found


@checked
def read_results(folder: Path | str) -> RunFolder:
    """Read what a run has left in a folder, while it runs or after it.

    Args:
        folder: Folder of the run, such as ``results/taylor_anvil``.

    Returns:
        Its outputs: ``read_results(folder)[-1]`` is the last one, a pyvista mesh with ``displacement_mm`` and
        the other fields.

    Raises:
        InputError: The folder holds no result file, or a damaged one.
    """
    return RunFolder(folder)


def columns_of(file: Path) -> dict[str, FloatArray]:
    """Return the columns of a table of a run by name.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        table = np.genfromtxt(file, delimiter=",", names=True, ndmin=1, deletechars="")
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a table of a run ({error})") from error
    return {name: np.asarray(table[name]) for name in table.dtype.names or ()}


def unstructured_grid(results: Results) -> pyvista.UnstructuredGrid:
    """Return the reference mesh of a result file, without fields."""
    import pyvista  # which takes a second to load

    cells = results.cells
    connectivity = np.column_stack([np.full(len(cells), cells.shape[1]), cells])
    types = np.full(len(cells), results.vtk_cell_type, dtype=np.uint8)
    return pyvista.UnstructuredGrid(connectivity.reshape(-1), types, results.points)
