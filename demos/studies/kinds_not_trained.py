"""A surrogate on kinds of loads that nobody trained it on, beside the polycrystal: a table and a picture.

    python demos/studies/kinds_not_trained.py --paths 4 --output results/kinds
    python demos/studies/kinds_not_trained.py --weights W.safetensors --texture rolled:15,25

Errors are of the deviator, relative L2 over time as everywhere. A hold is 10 % of strain in a short time and
then none. What counts is the stress on the way and in the end, and that it does not depend on the steps in
which a law is asked, given in ns; steps in which the polycrystal is asked grow with time.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from kinds_of_load import KINDS, along, directions
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Positive, Time, checked
from microscale.law import ConstitutiveLaw, drive
from microscale.progress import tracked
from microscale.tensors import FloatArray, von_mises
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.surrogate.histories import relative_errors

STRAIN, LOADING = 0.1, 50
"""Of a hold: the strain before it, and the steps in which it is reached."""
GROWING = 200
"""Steps of a hold for the polycrystal."""
MOST_STEPS = 25_000
"""Of a hold: smaller steps are left out where it is long."""


Curve = tuple[FloatArray, FloatArray]


@checked
def kinds_not_trained(
    *,
    weights: Path | None = None,
    texture: str | None = None,
    paths: Count = 4,
    kinds: tuple[str, ...] = tuple(KINDS),
    loads: tuple[Time, ...] = (0.02, 0.1, 1.0),
    holds: tuple[Time, ...] = (1.0, 4.0, 20.0),
    steps: tuple[Positive, ...] = (0.1, 1.0, 10.0, 100.0),
    grains: Count = 128,
    output: OutFolder = Path("results/kinds"),
) -> dict[str, Any]:
    """Measure the errors, write them as a table, and draw the holds.

    Args:
        weights: A surrogate; by default the shipped one.
        texture: Texture of the polycrystal, told to the surrogate; by default none.
        paths: Directions of each kind of load.
        kinds: Kinds of loads, by name; all by default.
        loads: Times in which the strain before a hold is reached, us.
        holds: How long it is held, us.
        steps: Time steps in which the surrogate is asked, ns.
        grains: Grains of the polycrystal.
        output: Folder of table, figures and picture.

    Returns:
        Mean and largest error by kind; errors of the von Mises stress in holds, by size of the step.
    """
    if unknown := [name for name in kinds if name not in KINDS]:
        raise InputError(f"kind = {unknown[0]!r}, expected some of {'; '.join(KINDS)}")
    told = {} if texture is None else {"texture": texture}
    polycrystal = make_law("taylor", grains=grains, **told)
    surrogate = make_law("learned", weights=weights, **told)
    found: dict[str, Any] = {"kinds": {}, "holds": []}
    for name in tracked(kinds, "kinds"):
        times, F = KINDS[name](paths, 1)
        exact, predicted = (drive(law, F, times) for law in (polycrystal, surrogate))
        errors = relative_errors(predicted, exact, np.tile(times, (paths, 1))).deviatoric
        found["kinds"][name] = {"mean": float(errors.mean()), "worst": float(errors.max())}
        print(f"{name:32s} {100 * errors.mean():6.1f} % (worst {100 * errors.max():.1f})", flush=True)
    curves = []
    for load in tracked(loads, "holds"):
        for hold in holds:
            entry, curve = held(polycrystal, surrogate, load, hold, steps, paths)
            found["holds"].append(entry)
            curves.append(curve)
            print(told_of(entry), flush=True)
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "kinds_not_trained.json", (json.dumps(found, indent=2) + "\n").encode())
    write_whole(output / "kinds_not_trained.md", table(found).encode())
    if curves:
        draw(found["holds"], curves, output / "kinds_not_trained.png")
    return found


def held(
    polycrystal: ConstitutiveLaw,
    surrogate: ConstitutiveLaw,
    load: float,
    hold: float,
    steps: tuple[float, ...],
    paths: int,
) -> tuple[dict[str, Any], dict[str, Curve]]:
    """Follow a hold; return its errors, and times (us) and mean von Mises stresses (GPa) by law and step."""
    growing = hold * np.expm1(np.linspace(0.0, 9.0, GROWING + 1)) / np.expm1(9.0)
    exact = relaxed(polycrystal, load, growing[1:], paths)
    ends, farthest, curves = {}, {}, {"polycrystal": (growing, exact.mean(axis=0))}
    for step in steps:
        count = round(hold / (1e-3 * step))
        if 1 <= count <= MOST_STEPS:
            times = np.linspace(0.0, hold, count + 1)
            stress = relaxed(surrogate, load, times[1:], paths)
            there = np.stack([np.interp(times, growing, one) for one in exact])
            off = (stress / there)[:, 1:].mean(axis=0) - 1.0
            ends[f"{step:g}"] = float(off[-1])
            farthest[f"{step:g}"] = float(off[np.abs(off).argmax()])
            curves[f"{step:g}"] = (times, stress.mean(axis=0))
    spread = float(np.ptp(list(ends.values()))) if ends else 0.0
    entry = {"load": load, "hold": hold, "at_its_end": ends, "farthest": farthest, "spread": spread}
    return entry, curves


def relaxed(law: ConstitutiveLaw, load: float, times: FloatArray, paths: int) -> FloatArray:
    """Return the von Mises stress (paths, 1 + n), GPa, as a hold begins and at times (n,) after it, us."""
    D, amplitude = directions(paths, 2), STRAIN * np.linspace(0.0, 1.0, LOADING + 1)
    F = along(D, amplitude)
    state = law.init_state(paths)
    loaded = drive(law, F, np.linspace(0.0, load, LOADING + 1), state)[:, -1]
    still, P = np.ascontiguousarray(F[:, -1]), np.empty((paths, 3, 3))
    found = [von_mises(loaded)]
    for dt in np.diff(times, prepend=0.0):
        law.update(still, float(dt), state, P)
        found.append(von_mises(P @ np.swapaxes(still, 1, 2) / np.linalg.det(still)[:, None, None]))
    return np.stack(found, axis=1)


def told_of(entry: dict[str, Any]) -> str:
    """Return a line on a hold."""
    ends, farthest = (
        ", ".join(f"{step} ns {100 * error:+.1f} %" for step, error in entry[name].items())
        for name in ("at_its_end", "farthest")
    )
    spread = f"apart {100 * entry['spread']:.1f} %"
    return (
        f"10 % in {entry['load']:g} us, held {entry['hold']:g} us: in the end {ends}; {spread}; "
        f"at most {farthest}"
    )


def table(found: dict[str, Any]) -> str:
    """Return all errors as tables of markdown."""
    lines = ["| load | error, % | worst, % |", "| --- | ---: | ---: |"]
    lines += [
        f"| {name} | {100 * errors['mean']:.1f} | {100 * errors['worst']:.1f} |"
        for name, errors in found["kinds"].items()
    ]
    steps = list(dict.fromkeys(step for entry in found["holds"] for step in entry["at_its_end"]))
    for name, told in (("at_its_end", "in the end"), ("farthest", "at most")):
        head = " | ".join(f"{step} ns, %" for step in steps)
        lines += ["", f"Error of holds {told}, by size of the step:", ""]
        lines += [f"| 10 % in, us | held, us | {head} |", "| ---: " * (len(steps) + 2) + "|"]
        for entry in found["holds"]:
            errors = (entry[name].get(step) for step in steps)
            cells = " | ".join("" if error is None else f"{100 * error:+.1f}" for error in errors)
            lines.append(f"| {entry['load']:g} | {entry['hold']:g} | {cells} |")
    return "\n".join(lines) + "\n"


def draw(entries: list[dict[str, Any]], curves: list[dict[str, Curve]], picture: Path) -> None:
    """Draw the von Mises stress of the longest hold after each load, by law and by size of the step."""
    longest = {entry["load"]: curve for entry, curve in zip(entries, curves, strict=True)}
    figure = Figure(figsize=(3.6 * len(longest), 3.2), layout="constrained")
    panels = figure.subplots(1, len(longest), squeeze=False)[0]
    for panel, (load, curve) in zip(panels, longest.items(), strict=True):
        for name, (times, stress) in curve.items():
            known = name == "polycrystal"
            label = name if known else f"surrogate, steps of {name} ns"
            panel.semilogx(
                1e3 * times[1:], stress[1:], "k" if known else "-", lw=2 if known else 1, label=label
            )
        panel.set(title=f"10 % in {load:g} us, then held", xlabel="time of rest, ns", ylim=(0.0, None))
        panel.grid(alpha=0.3)
    figure.axes[0].set_ylabel("von Mises stress, GPa")
    figure.axes[-1].legend(fontsize="small")
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(kinds_not_trained)
