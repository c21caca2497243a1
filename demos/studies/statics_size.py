"""How long a large body takes: a block of J2 is upset between rough plates, solved iteratively.

    mpirun -n 2 python demos/studies/statics_size.py                     1e5 cells
    mpirun -n 2 python demos/studies/statics_size.py --cells 20 --petsc pc_type=gamg --petsc ksp_type=cg

Prints each load step with its Newton and linear iterations, then the time by stage, of the processor of the
slowest rank and of the clock, and the memory of all ranks.
"""

from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter
from mpi4py import MPI

from meshes.box import box
from microscale.inputs.numbers import Count, Fraction, checked
from multiscale.laws.j2 import J2
from multiscale.run.command import launch
from multiscale.statics.petsc_options import read_options
from multiscale.statics.statics import Statics


@checked
def statics_size(
    *,
    cells: Count = 47,
    compression: Fraction = 0.02,
    steps: Count = 4,
    petsc: Annotated[tuple[str, ...], Parameter(name="--petsc", negative="")] = (),
) -> dict[str, Any]:
    """Upset a cube and return what it took.

    Args:
        cells: Cells along each edge.
        compression: By which part of its height.
        steps: Load steps.
        petsc: Options of PETSc's solvers, as ksp_type=cg.
    """
    comm = MPI.COMM_WORLD
    start, used = perf_counter(), process_time()
    block = Statics(
        box((1.0, 1.0, 1.0), (cells, cells, cells)),
        J2(),
        supports={"bottom": (0, 1, 2), "top": (0, 1)},
        displacements={"top": {"z": [[0.0, 0.0], [1.0, -compression]]}},
        petsc_options=read_options(petsc),
    )
    unknowns = 3 * block.u.function_space.dofmap.index_map.size_global
    if comm.rank == 0:
        print(f"{block.n_cells_global} cells, {unknowns} unknowns, {comm.size} rank(s)", flush=True)

    def tell(at: Statics) -> None:
        if comm.rank == 0 and at.step_count:
            solver, fall = at._newton._snes, " ".join(f"{r:.0e}" for r in at.last.residuals)
            print(
                f"step {at.step_count}: {at.last.iterations} iterations, residuals {fall}; the last one took "
                f"{solver.getKSP().getIterationNumber()} linear ones; {perf_counter() - start:.0f} s so far",
                flush=True,
            )

    block.run(1.0, [tell], first_step=1.0 / steps, longest_step=1.0 / steps)
    clock, processor = perf_counter() - start, comm.allreduce(process_time() - used, MPI.MAX)
    memory = comm.allreduce(1024 * getrusage(RUSAGE_SELF).ru_maxrss)
    stages = {name: comm.allreduce(seconds, MPI.MAX) for name, seconds in block.timers.items()}
    if comm.rank == 0:
        listed = ", ".join(f"{name} {seconds:.0f}" for name, seconds in stages.items())
        print(f"clock {clock:.0f} s ({listed}, the rest linear equations)")
        print(f"processor {processor:.0f} s a rank, memory of all ranks {memory / 1e9:.2f} GB", flush=True)
    strain = block.points.state["equivalent_plastic_strain"]
    return {
        "unknowns": unknowns,
        "iterations": block.iterations,
        "plastic_strain": comm.allreduce(float(np.max(strain, initial=0.0)), MPI.MAX),
    }


if __name__ == "__main__":
    launch(statics_size)
