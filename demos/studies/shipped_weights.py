"""The shipped weights, from nothing: data sets, impacts and five trainings, then errors on paths kept apart.

    make weights                                                    hours on two cores
    python demos/studies/shipped_weights.py --scale 0.01 --output results/weights_small

Every data set and training that is there is kept, and one that was begun goes on. The first training is on
random paths alone. The second goes on with those of simulations that the first has run, labelled by the
polycrystal; the third in steps as short as the law's, with more small strains and long holds between samples.
The last two are on any load: small cycles, holds, jumps of the rate, T of 0.02 to 50 us, impacts until rest.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from learn_from_impacts import learn_from_impacts

from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from microscale.files.one_study import of_one_study
from microscale.inputs.numbers import Count, Fraction, OutFolder, Time, checked
from multiscale.cli import evaluate, generate, train
from multiscale.run.command import launch
from multiscale.surrogate.store import read_surrogate

DURATIONS = {"duration": 0.5, "longest_duration": 5.0}
OF_PROTOCOL = {"A": 0.8, "R": 0.5, "F": 0.5, "I": 1.0, "U": 0.5, "L-U": 0.5, "C": 0.5}
"""Largest strain of the paths of a protocol."""
REST = 10.0
"""How many times as long the impacts of the last two trainings are: bars are then nearly at rest."""
UNIAXIAL = ("U", "L-U", "C")
COARSE, KEPT, SMALL = {"steps": 50}, {"keep_every": 4}, {"max_strain": 0.125}


def one(protocol: str, paths: int, seed: int, **options: Any) -> dict[str, Any]:
    """Return what ``multiscale generate`` is told for one data set."""
    strain = OF_PROTOCOL[protocol]
    return {"protocol": protocol, "max_strain": strain, "paths": paths, "seed": seed, **DURATIONS, **options}


def several(name: str, paths: int, first: int, **options: Any) -> dict[str, dict[str, Any]]:
    """Return one data set of each of the uniaxial protocols, of seeds that follow one another."""
    return {f"{p}_{name}": one(p, paths, first + k, **options) for k, p in enumerate(UNIAXIAL)}


def lasting(
    protocol: str, strain: float, paths: int, seed: int, lasts: tuple[float, float], **options: Any
) -> dict[str, Any]:
    """Return what ``multiscale generate`` is told for one data set, of other durations, us."""
    times = {"duration": lasts[0], "longest_duration": lasts[1]}
    return one(protocol, paths, seed, max_strain=strain, **times | options)


USUAL, NEAR, SLOW, WIDE, FAST = (0.3, 10.0), (0.3, 20.0), (5.0, 50.0), (0.1, 50.0), (0.02, 10.0)
"""Shortest and longest T of loads of any kind, us."""
ANY_LOAD = {
    "A_wide_1": lasting("A", 0.8, 3000, 3000, WIDE),
    "A_wide_2": lasting("A", 0.8, 3000, 3001, WIDE),
    "A_near": lasting("A", 0.02, 1500, 3002, NEAR),
    "A_tiny": lasting("A", 0.005, 1000, 3003, NEAR),
    "A_far": lasting("A", 1.2, 800, 3004, WIDE),
    "A_fast": lasting("A", 0.2, 1500, 3005, FAST, fastest_rate=1000.0),
    "A_slow": lasting("A", 0.3, 1000, 3006, SLOW),
    "R50_any_1": lasting("R", 0.5, 2500, 3010, USUAL),
    "R50_any_2": lasting("R", 0.5, 2000, 3011, USUAL),
    "R10_any": lasting("R", 0.1, 2000, 3012, USUAL),
    "F50_any": lasting("F", 0.5, 2500, 3013, USUAL),
    "I_any": lasting("I", 1.0, 2500, 3014, USUAL),
    "R3_any": lasting("R", 0.03, 800, 3015, USUAL),
    "R50_any_coarse": lasting("R", 0.5, 800, 3016, USUAL, **COARSE),
    "I_any_coarse": lasting("I", 1.0, 800, 3017, USUAL, **COARSE),
    **{f"{p}_any": lasting(p, 0.5, 400, 3020 + k, USUAL) for k, p in enumerate(UNIAXIAL)},
    **{f"{p}_any_small": lasting(p, 0.125, 150, 3030 + k, USUAL) for k, p in enumerate(UNIAXIAL)},
}
MORE_LOADS = {
    "R50_any_3": lasting("R", 0.5, 2500, 3040, USUAL),
    "F50_any_2": lasting("F", 0.5, 2000, 3041, USUAL),
    "R10_any_2": lasting("R", 0.1, 1500, 3042, USUAL),
    "A_tiny_2": lasting("A", 0.005, 2000, 3050, NEAR),
    "A_near_2": lasting("A", 0.01, 1000, 3051, NEAR),
}
SETS = {
    **ANY_LOAD,
    **MORE_LOADS,
    **{f"R50_{k}": one("R", 4000, 100 + k) for k in (1, 2, 3, 4)},
    **{f"F50_{k}": one("F", 3000, 400 + k) for k in (1, 2, 3, 4, 5, 6)},
    **{f"R10_{k}": one("R", 4000, 300 + k, max_strain=0.1) for k in (1, 2)},
    "R3": one("R", 1600, 601, max_strain=0.03),
    "I_1": one("I", 3000, 201),
    "I_2": one("I", 5000, 202),
    **several("50", 800, 501),
    "R50_coarse": one("R", 2000, 111, **COARSE),
    "R10_coarse": one("R", 2000, 311, max_strain=0.1, **COARSE),
    "I_coarse": one("I", 2000, 211, **COARSE),
    **several("coarse", 500, 511, **COARSE),
    **several("kept", 700, 514, **KEPT),
    **several("small", 300, 521, **SMALL),
}
LONG = ("R50_coarse", "R10_coarse", "I_coarse")
SIDES = tuple(f"{protocol}_50" for protocol in UNIAXIAL)
R50, F50 = tuple(f"R50_{k}" for k in (1, 2, 3, 4)), tuple(f"F50_{k}" for k in (1, 2, 3, 4, 5, 6))
BASE = (*R50, "R10_1", "R10_2", "R3", "I_1", "I_2", *F50[:4], *SIDES, *LONG)
BASE = (*BASE, *(f"{protocol}_coarse" for protocol in UNIAXIAL))
MORE = (*R50, *F50, "I_1", "R10_1", *SIDES, *LONG)
LAST = (*R50[:2], *F50[4:], "I_1", "R10_1", "R3", *SIDES, *LONG)
LAST = (*LAST, *(f"{protocol}_{name}" for name in ("small", "kept") for protocol in UNIAXIAL))
TRAININGS: dict[str, tuple[Sequence[str], dict[str, Any]]] = {
    "base": (BASE, {"epochs": 65, "rate": 3e-3}),
    "more": (MORE, {"epochs": 20, "rate": 1.5e-3}),
    "short": (LAST, {"epochs": 6, "rate": 7e-4, "longest_step": 0.01}),
    "any_load": (tuple(ANY_LOAD), {"epochs": 26, "rate": 2e-3, "holds": True}),
    "magnesium": ((*ANY_LOAD, *MORE_LOADS), {"epochs": 18, "rate": 2e-3, "holds": True}),
}
"""Data sets and settings of the trainings; each but the first starts from the one before, with impacts."""
TESTS = {
    "R50_test": one("R", 300, 2001),
    "F50_test": one("F", 300, 2002),
    "I_test": one("I", 300, 2003),
    "R10_test": one("R", 300, 2004, max_strain=0.1),
    **several("test", 100, 2005),
    "A_test": lasting("A", 0.8, 300, 2010, WIDE),
    "A_near_test": lasting("A", 0.02, 300, 2011, NEAR),
}


@checked
def shipped_weights(
    *,
    output: OutFolder = Path("results/weights"),
    scale: Fraction = 1.0,
    grains: Count = 128,
    elements: Count = 800,
    end_time: Time = 1.0,
) -> Path:
    """Make data, train, measure; return the weights.

    Args:
        output: Folder of data sets and weights.
        scale: Numbers of paths and epochs relative to those of the shipped weights.
        grains: Grains of the polycrystal.
        elements: Elements of the impacts, about.
        end_time: Simulated time of the impacts, us.
    """
    of_one_study(output, {"scale": scale, "grains": grains, "elements": elements, "end_time": end_time})
    files = {name: output / f"{name}.h5" for name in (*SETS, *TESTS)}
    weights: Path | None = None
    for name, (sets, settings) in TRAININGS.items():
        data = make(sets, SETS, files, scale, grains)
        if weights is not None:
            impacts = {"weights": output / "base.safetensors", "elements": elements, "grains": grains}
            impacts |= {"paths": max(2, round(250 * scale))}
            data.append(recorded(output, end_time=end_time, **impacts))
        if "holds" in settings:
            late = {"weights": output / "short.safetensors", "end_time": REST * end_time}
            data.append(recorded(output / "late", **impacts | late))
        out = output / f"{name}.safetensors"
        if not out.exists():
            epochs = max(1, round(settings["epochs"] * scale))
            train(*data, out=out, start=weights, **settings | {"epochs": epochs})
        weights = out
    assert weights is not None
    evaluate(weights, *make(TESTS, TESTS, files, scale, grains), record=True)
    return weights


def recorded(output: Path, weights: Path, **told: Any) -> Path:
    """Record impacts that are not there yet; return the data set to learn from.

    Raises:
        InputError: Those that are there were run by other weights.
    """
    file = output / "impacts_train.h5"
    if not file.exists():
        return learn_from_impacts(output=output, weights=weights, **told)["train"]
    runs = read_provenance(file)["paths"]["simulations"]
    if {run.get("network_sha256") for run in runs} != {read_surrogate(weights)[1].weights_sha256}:
        raise InputError(
            f"{file} is of impacts by other weights than {weights}: remove it and impacts_test.h5, run again"
        )
    return file


def make(
    names: Iterable[str],
    sets: Mapping[str, dict[str, Any]],
    files: Mapping[str, Path],
    scale: float,
    grains: int,
) -> list[Path]:
    """Make those of the data sets that are not there yet; return the files of those named."""
    for name in names:
        if not files[name].exists():
            paths = max(2, round(scale * sets[name]["paths"]))
            generate(out=files[name], **{"grains": grains} | sets[name] | {"paths": paths})
    return [files[name] for name in names]


if __name__ == "__main__":
    launch(shipped_weights)
