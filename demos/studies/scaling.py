"""How the macroscale scales: measured on the ranks it is started on, counted for some, predicted for 10,000.

Started on two or more ranks, it times the anvil's step on rank 0 alone and on all ranks, sends messages
between two ranks for the latency and bandwidth of this machine, counts what ranks would share for partitions
of the mesh, and draws the strong and weak scaling that multiscale/dynamics/traffic.py predicts from them,
with the constants of this machine and with those of a network you name:

    mpirun -n 2 python demos/studies/scaling.py
    mpirun -n 2 python demos/studies/scaling.py --network-latency 1.5 --network-bandwidth 12
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

import multiscale.parallel.fenics  # noqa: F401
from meshes.cylinder import cylinder
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Positive, Steps, checked
from microscale.progress import tracked
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.dynamics.traffic import ScalingModel, Traffic, shared_nodes
from multiscale.run.command import launch
from multiscale.run.material import ImpactLaw, impact_law
from multiscale.run.summary import write_summary

from dolfinx import graph
from dolfinx.cpp.mesh import build_dual_graph

ANVIL: dict[str, Any] = {
    "element": "hex8-one-point",
    "obstacles": [RigidPlane()],
    "initial_velocity": (0.0, 0.0, -0.2),
}
WARM, BATCHES = 5, 5
STRONG, WEAK = (1e6, 1e7, 1e8), (1e3, 1e4, 1e5)
RANKS = np.unique(np.round(np.geomspace(1, 10_000, 60)).astype(int))


@checked
def scaling(
    *,
    elements: Count = 50_000,
    law: ImpactLaw = "johnson-cook",
    steps: Steps = 20,
    parts: tuple[Count, ...] = (64, 256),
    network_latency: Positive = 1.5,
    network_bandwidth: Positive = 12.0,
    output: OutFolder = Path("results/scaling"),
) -> dict[str, Any]:
    """Measure, count and predict; write scaling.json and scaling.png.

    Args:
        elements: Number of elements of the anvil, about.
        law: Constitutive law.
        steps: Steps of a measurement; the fastest of five counts, one rank and all taking turns.
        parts: Numbers of parts to count shared nodes for.
        network_latency: Of a message between nodes of a cluster, us; an assumption, not measured.
        network_bandwidth: Of such a message, GB/s; an assumption, not measured.
        output: Folder for the figures.
    """
    comm = MPI.COMM_WORLD
    if comm.size < 2:
        raise InputError(
            "started on 1 rank, expected two or more: mpirun -n 2 python demos/studies/scaling.py"
        )
    load = os.getloadavg()[0]
    together = Simulation(cylinder(elements=elements), impact_law(law, duration=1.0), **ANVIL)
    alone = None
    if comm.rank == 0:
        body = cylinder(elements=elements, comm=MPI.COMM_SELF)
        alone = Simulation(body, impact_law(law, duration=1.0), **ANVIL)
    one, all_ranks = _in_turns(alone, together, steps)
    latency, bandwidth = _messages(comm)
    traffic = together.traffic()
    sent = comm.allreduce(traffic.halo_bytes)
    figures: dict[str, Any] = {}
    if alone is not None:
        counted = {str(count): _count(alone, count) for count in parts}
        machines = {
            "this machine": (latency, bandwidth),
            "network (assumed)": (1e-6 * network_latency, 1e9 * network_bandwidth),
        }
        models = _models(one / alone.n_cells_global, counted, traffic, machines)
        figures = {
            "elements": alone.n_cells_global,
            "law": law,
            "ranks": comm.size,
            "load_at_start": load,
            "us_per_element_and_step_on_one_rank": 1e6 * one / alone.n_cells_global,
            "speed_up_measured": one / all_ranks,
            "halo_bytes_per_step": sent,
            "sum_bytes_per_rank": traffic.sum_bytes,
            "minimum_bytes_per_rank": traffic.minimum_bytes,
            "latency_us": 1e6 * latency,
            "bandwidth_GB_per_s": 1e-9 * bandwidth,
            "counted": counted,
            "ghosts_over_elements_each_to_two_thirds": models["this machine"].surface,
            "predicted": {name: _predict(model) for name, model in models.items()},
        }
        output.mkdir(parents=True, exist_ok=True)
        _draw(output / "scaling.png", models, (comm.size, one / all_ranks))
        write_summary(output / "scaling.json", figures)
        print((output / "scaling.json").read_text())
    return comm.bcast(figures)


def _models(
    each: float,
    counted: dict[str, dict[str, float]],
    traffic: Traffic,
    machines: dict[str, tuple[float, float]],
) -> dict[str, ScalingModel]:
    """Return a model for each machine's latency and bandwidth, with the largest counts of shared things."""
    surface = max(found["ghosts"] / found["elements_each"] ** (2.0 / 3.0) for found in counted.values())
    neighbours = int(max(found["neighbours"] for found in counted.values()))
    return {
        name: ScalingModel(each, *constants, surface, neighbours, traffic)
        for name, constants in machines.items()
    }


def _in_turns(alone: Simulation | None, together: Simulation, steps: int) -> tuple[float, float]:
    """Return the seconds of a step on one rank, the others asleep, and on all: of the fastest batches."""
    comm = together.mesh.comm
    best = np.full(2, np.inf)
    for _ in tracked(range(BATCHES), "batches of steps"):
        if alone is not None:
            best[0] = min(best[0], _seconds(alone, steps))
        waiting = comm.Ibarrier()
        while not waiting.Test():
            time.sleep(1e-3)
        best[1] = min(best[1], _seconds(together, steps))
    return tuple(comm.bcast(best))


def _seconds(body: Simulation, steps: int) -> float:
    if body.step_count == 0:
        for _ in range(WARM):
            body.step()
    begin = time.perf_counter()
    for _ in range(steps):
        body.step()
    return (time.perf_counter() - begin) / steps


def _messages(comm: MPI.Comm) -> tuple[float, float]:
    """Return latency, s, and bandwidth, bytes/s, between ranks 0 and 1: least half round trips."""
    seconds = []
    for size, count in ((8, 2000), (2**20, 100)):
        data, best = np.zeros(size, dtype=np.uint8), np.inf
        for _ in range(count if comm.rank < 2 else 0):
            begin = time.perf_counter()
            if comm.rank == 0:
                comm.Send(data, 1)
                comm.Recv(data, 1)
            else:
                comm.Recv(data, 0)
                comm.Send(data, 0)
            best = min(best, 0.5 * (time.perf_counter() - begin))
        seconds.append(comm.bcast(best))
    return seconds[0], 2**20 / (seconds[1] - seconds[0])


def _count(body: Simulation, parts: int) -> dict[str, float]:
    """Cut the mesh into parts with the graph partitioner; return the largest counts of shared things."""
    topology = body.mesh.topology
    vertices = topology.connectivity(3, 0).array.astype(np.int64)
    dual = build_dual_graph(MPI.COMM_SELF, [topology.cell_type], [vertices], 2)
    part = graph.partitioner()(MPI.COMM_SELF, parts, dual, False).array
    ghosts, neighbours = shared_nodes(body.element.nodes, part)
    return {"elements_each": len(part) / parts, "ghosts": ghosts, "neighbours": neighbours}


def _predict(model: ScalingModel) -> dict[str, float]:
    """Speed-up and efficiency at 10,000 ranks."""
    strong = {f"speed-up, {size:.0e} elements": model.speed_up(size, 10_000) for size in STRONG}
    weak = {f"weak efficiency, {size:.0e} a rank": model.weak_efficiency(size, 10_000) for size in WEAK}
    return strong | weak


def _draw(path: Path, models: dict[str, ScalingModel], measured: tuple[int, float]) -> None:
    import matplotlib.pyplot as plt

    figure, (strong, weak) = plt.subplots(1, 2, figsize=(9.0, 3.6), layout="constrained", sharey=True)
    ranks, speed_up = measured
    strong.plot(ranks, 100.0 * speed_up / ranks, "ko", label="measured", zorder=4)
    # The machines are much alike: wide pale lines below, thin dashed ones above.
    styles = {"ls": "-", "lw": 5.0, "alpha": 0.35}, {"ls": "--", "lw": 1.5}
    for (name, model), style in zip(models.items(), styles, strict=True):
        for colour, (total, each) in enumerate(zip(STRONG, WEAK, strict=True)):
            look = {**style, "color": f"C{colour}"}
            shares = [100.0 * model.speed_up(total, count) / count for count in RANKS]
            strong.semilogx(RANKS, shares, label=f"{total:.0e} elements, {name}", **look)
            shares = [100.0 * model.weak_efficiency(each, count) for count in RANKS]
            weak.semilogx(RANKS, shares, label=f"{each:.0e} a rank, {name}", **look)
    strong.set(xlabel="ranks", ylabel="efficiency, %", ylim=(0, 105), title="Strong scaling, predicted")
    weak.set(xlabel="ranks", title="Weak scaling, predicted")
    for axes in (strong, weak):
        axes.legend(fontsize=7, loc="lower left")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    launch(scaling)
