"""Table 1 of the paper, measured: what an impact costs with each law, on one core of this machine.

Each problem runs to 1 us with each law, from rest: the time of all steps, without output, and the median of
several runs of the quick laws, which take turns. The paper's network runs where its weights are given: they
are too large to ship (docs/results/paper_network.md says how to train them). The full-field unit cell runs at
every point of a small anvil, and is scaled:

    seconds = seconds of the small anvil / (its points x its steps)  x points x steps

Off-line data are the time per path of the polycrystal, measured, times the paths the surrogate was trained
on; training time is in the JSON file beside its weights. The paper does not say how long its runs are (its
figures end at 1 us), and counts its steps differently: so the cost of an element and step stands beside ours.

    OMP_NUM_THREADS=1 python demos/paper/table1.py --output results/paper --pca-weights pca.safetensors

takes five minutes on a quiet core. The load of the machine is written beside the figures: above about 0.5 at
the start they are not worth keeping.
"""

import os
from pathlib import Path
from time import perf_counter
from typing import Any

from runs import CONSTANTS, anvil, plate, write_figures

from meshes.cylinder import cylinder
from microscale import drive
from microscale.inputs.numbers import Count, OutFolder, Positive, Repeats, Time
from microscale.paths.protocols import PROTOCOLS, StrainPaths
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import STAGES, Simulation
from multiscale.laws import make_law
from multiscale.results.provenance import versions
from multiscale.run.command import launch
from multiscale.surrogate.store import SHIPPED, read_surrogate

# The paper's seconds: anvil with 3167 elements, plate with 11552; data and training of its network.
PAPER = {
    "johnson-cook": (50.0, 262.0),
    "pca": (435.0, 2362.0),
    "learned": (435.0, 2362.0),
    "taylor": (1.2e8, 3.9e8),
    "fft3d": (3.2e12, 7.6e12),
}
PAPER_DATA, PAPER_TRAINING = 5.9e6, 6.0e4
TITLES = {
    "johnson-cook": "Traditional law (Johnson-Cook)",
    "pca": "Input-output map, PCA network (the paper's)",
    "learned": "Input-output map, recurrent surrogate",
    "taylor": "Concurrent multiscale, Taylor averaging",
    "fft3d": "Concurrent multiscale, full solution",
}
PROBLEMS = ("anvil", "plate")
SLOW = ("pca", "taylor")  # these run once


def table1(
    *,
    output: OutFolder = Path("results/paper"),
    weights: Path | None = None,
    pca_weights: Path | None = None,
    end_time: Time = 1.0,
    grains: Count = 128,
    resolution: Count = 16,
    repeats: Repeats = 5,
    data_seconds: Positive | None = None,
    fast: bool = False,
) -> dict[str, Any]:
    """Measure and write table1.md and table1.json.

    Args:
        output: Folder for the table and the runs.
        weights: Weights of the learned law; by default those that come with the repository.
        pca_weights: Weights of the paper's network; its row stays empty without.
        end_time: Simulated time, us.
        grains: Grains of the polycrystals.
        resolution: Voxels along an edge of the full-field unit cell.
        repeats: Runs of the quick laws, of which the median counts.
        data_seconds: Core seconds the data took; by default estimated as said above.
        fast: Tiny meshes, for a test.
    """
    machine = {
        "processor": _processor(),
        "load": os.getloadavg()[0],
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    options: dict[str, dict[str, Any]] = {
        "johnson-cook": {"law": "johnson-cook", "constants": CONSTANTS / "johnson-cook.json"},
        "learned": {"law": "learned", "weights": weights},
        "taylor": {"law": "taylor", "grains": grains},
    }
    if pca_weights is not None:
        options["pca"] = {"law": "learned", "weights": pca_weights}
    measured = _in_turns(options, output / "table1", repeats, fast, end_time)
    measured["fft3d"] = _full_field(measured["taylor"], grains, resolution, fast)
    surrogates = {"learned": SHIPPED if weights is None else weights, "pca": pca_weights}
    offline = {
        name: _offline(file, grains, data_seconds if name == "learned" else None)
        for name, file in surrogates.items()
        if file is not None
    }
    figures = {"machine": machine, "online": measured, "offline": offline, "versions": versions()}
    (output / "table1.md").write_text(markdown(figures))
    print(markdown(figures))
    return write_figures(output / "table1.json", figures)


def _in_turns(
    options: dict[str, dict[str, Any]], folder: Path, repeats: int, fast: bool, end_time: float
) -> dict[str, dict[str, Any]]:
    """Run both problems with each law, all laws before any again; return the median costs."""
    tries: dict[str, dict[str, list[Any]]] = {law: {problem: [] for problem in PROBLEMS} for law in options}
    for turn in range(repeats):
        for law, flags in options.items():
            if turn == 0 or law not in SLOW:
                tries[law]["anvil"].append(_anvil(folder, fast, end_time=end_time, **flags))
                tries[law]["plate"].append(_plate(folder, fast, end_time=end_time, **flags))
    return {
        law: {problem: _median(costs) for problem, costs in problems.items()}
        for law, problems in tries.items()
    }


def _anvil(folder: Path, fast: bool, **flags: Any) -> dict[str, float]:
    size = 192 if fast else 3167
    return _cost(anvil(folder, elements=size, model="full", steps_between_outputs=10**6, **flags)[0])


def _plate(folder: Path, fast: bool, **flags: Any) -> dict[str, float]:
    size = {} if fast else {"layers": 8}
    return _cost(plate(folder, fast, steps_between_outputs=10**6, **size, **flags)[0])


def _cost(summary: dict[str, Any]) -> dict[str, float]:
    """Return seconds of all steps, their number, elements, and microseconds an element and step."""
    seconds = sum(summary["wall_seconds"][stage] for stage in STAGES)
    steps, elements = summary["steps"], summary["elements"]
    cost = {"seconds": seconds, "law_seconds": summary["wall_seconds"]["law"], "steps": steps}
    return cost | {"elements": elements, "us_per_element_step": 1e6 * seconds / steps / elements}


def _median(costs: list[dict[str, float]]) -> dict[str, float]:
    """Return the cost of the run of median time; of an even number, of the slower one in the middle."""
    return sorted(costs, key=lambda cost: cost["seconds"])[len(costs) // 2] | {
        "median_of": len(costs),
        "fastest_seconds": min(cost["seconds"] for cost in costs),
    }


def _full_field(taylor: dict[str, Any], grains: int, resolution: int, fast: bool) -> dict[str, Any]:
    """Run a small anvil with a unit cell at every point, and scale its cost to both problems."""
    law = make_law("fft3d", grains=grains, resolution=resolution)
    body = Simulation(
        cylinder(1.0, 1.0, elements=8, model="quarter"),
        law,
        "hex8-one-point",
        [RigidPlane()],
        supports={"symmetry_x": 0, "symmetry_y": 1},
        initial_velocity=(0.0, 0.0, -0.2),
    )
    body.step()  # compiles
    count, before = body.step_count, sum(body.timers.values())
    body.run(0.15 if fast else 0.5)
    steps, cells = body.step_count - count, body.n_cells_global
    each = (sum(body.timers.values()) - before) / steps / cells
    found: dict[str, Any] = {
        "small_anvil": {"elements": cells, "steps": steps, "seconds": each * steps * cells}
    }
    for problem in PROBLEMS:
        kept = {name: taylor[problem][name] for name in ("steps", "elements")}
        seconds = each * kept["steps"] * kept["elements"]
        found[problem] = kept | {"seconds": seconds, "us_per_element_step": 1e6 * each, "scaled": True}
    return found


def _offline(weights: Path, grains: int, data_seconds: float | None) -> dict[str, float]:
    """Return core seconds of data and of training."""
    card = read_surrogate(weights)[1]
    if data_seconds is None:
        data_seconds = sum(_data_seconds(made, grains) for made in card.datasets)
    training = card.training
    seconds = training["seconds"]
    while training := training.get("started_from"):
        seconds += training["seconds"]
    return {
        "paths": sum(made["count"] for made in card.datasets),
        "data_seconds": data_seconds,
        "training_seconds": seconds,
    }


def _data_seconds(made: dict[str, Any], grains: int) -> float:
    """Estimate what a data set took from eight of its paths; histories of simulations cost as protocol I."""
    law, sample = make_law("taylor", grains=grains), 8
    if made["protocol"] in PROTOCOLS:
        chosen = (made["protocol"], made["max_strain"], made["steps"], tuple(made["duration_us"]))
    else:
        chosen = ("I", 1.0, made["steps"], (1.0, 1.0))
    times, stretch = StrainPaths(*chosen).batch(range(sample))
    begin = perf_counter()
    drive(law, stretch, times)
    return float((perf_counter() - begin) / sample * made["count"])


def markdown(figures: dict[str, Any]) -> str:
    """Return the table, the paper's column beside ours."""
    machine, online, offline = (figures[name] for name in ("machine", "online", "offline"))
    size = {problem: online["taylor"][problem]["elements"] for problem in PROBLEMS}
    lines = [
        f"One core of {machine['processor']}; load at the start {machine['load']:.2f}. Seconds.",
        "",
        f"| Method | anvil, paper (3167) | anvil, ours ({size['anvil']}) | plate, paper (11552) "
        f"| plate, ours ({size['plate']}) | ours, us per element and step: anvil, plate |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for law, title in TITLES.items():
        ours = online.get(law)
        cells = [f"{ours[problem]['seconds']:.3g}" if ours else "not measured" for problem in PROBLEMS]
        unit = (
            ", ".join(f"{ours[problem]['us_per_element_step']:.3g}" for problem in PROBLEMS) if ours else ""
        )
        mark = ", scaled" if law == "fft3d" and ours else ""
        paper = [f"{seconds:.3g}" for seconds in PAPER[law]]
        lines.append(f"| {title}{mark} | {paper[0]} | {cells[0]} | {paper[1]} | {cells[1]} | {unit} |")
    for law, once in offline.items():
        title = "recurrent" if law == "learned" else "PCA"
        lines += [
            f"| Off-line data of {title}, once: {once['paths']} paths, paper 36000 "
            f"| {PAPER_DATA:.3g} | {once['data_seconds']:.3g} ||||",
            f"| Off-line training of {title}, once (paper: GPU) "
            f"| {PAPER_TRAINING:.3g} | {once['training_seconds']:.3g} ||||",
        ]
    ratio = [
        online["learned"][problem]["seconds"] / online["johnson-cook"][problem]["seconds"]
        for problem in PROBLEMS
    ]
    steps = [online["learned"][problem]["steps"] for problem in PROBLEMS]
    lines += ["", f"Surrogate over Johnson-Cook: {ratio[0]:.1f} and {ratio[1]:.1f} (paper: 8.7 and 9.0); "]
    lines[-1] += f"steps: {steps[0]} and {steps[1]}."
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        names = [
            line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
        ]
        return names[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        return "an unknown processor"


if __name__ == "__main__":
    launch(table1)
