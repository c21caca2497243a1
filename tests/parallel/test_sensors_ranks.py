"""What probes and gauges see does not depend on the number of ranks, nor do fields between steps."""

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.results.run_folder import read_results
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record

#: In a cell, on an axis that cells of several ranks share, and on a face between cells.
ASKED = {
    "probes": [(0.1, 0.1, 2.0), (0.0, 0.0, 2.5)],
    "gauges": ["foot", "side", (0.0, 0.0, 5.0), (0.35, 0.35, 2.0)],
    "outputs": 7,
    "fields": ["stress"],
}


def record(comm, folder, **asked):
    body = cylinder(elements=150, model="quarter", comm=comm)
    supports = {"symmetry_x": 0, "symmetry_y": 1}
    simulation = Simulation(
        body, make_law("j2"), "hex8-one-point", [RigidPlane()], supports, (0.0, 0.0, -0.2)
    )
    return run_and_record(
        simulation, 0.3, folder, {}, RecordOptions(**{**ASKED, **asked}), measure=lambda results: {}
    )


@pytest.mark.parallel(2)
def test_histories_and_outputs_of_two_ranks_are_those_of_one(tmp_path):
    comm = MPI.COMM_WORLD
    folder = comm.bcast(tmp_path)
    summary = record(comm, folder / "two")
    assert comm.allgather(summary["histories"]) == [summary["histories"]] * 2
    if comm.rank == 0:
        alone = record(MPI.COMM_SELF, folder / "one")
        same(read_results(folder / "two"), read_results(folder / "one"))
        cells = [[told.get("cell") for told in run["histories"].values()] for run in (summary, alone)]
        assert cells[0] == cells[1]
    with pytest.raises(InputError, match=r"probe \(0, 0, 9\) mm is in no cell"):
        record(comm, folder / "none", probes=[(0.0, 0.0, 9.0)])


def same(two, one):
    assert two.times == pytest.approx(one.times, rel=1e-12)
    assert sorted(two.histories) == sorted(one.histories)
    for name, columns in one.histories.items():
        for column, values in columns.items():
            np.testing.assert_allclose(two.histories[name][column], values, rtol=1e-8, atol=1e-9)
    for output in range(len(one)):
        np.testing.assert_allclose(two[output]["stress_GPa"], one[output]["stress_GPa"], rtol=1e-8, atol=1e-9)
