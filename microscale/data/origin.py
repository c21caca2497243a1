"""Whether a data set is what it says made it: some of its paths are drawn again, and its law is driven again.

A set that was converted in between (other units, an exchanged order of components, times in seconds) is whole
as a file, and its numbers are plausible. What it records about itself tells: a path follows from protocol,
seed and number alone, and a law from its options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.law import ConstitutiveLaw, drive
from microscale.paths.protocols import PROTOCOLS, StrainPaths
from microscale.tensors import FloatArray, deviator, from_mandel, to_mandel

DRAWN_AGAIN, DRIVEN_AGAIN = 8, 3
"""Paths of a set, the first and the last among them: a millisecond each to draw, some hundred to drive."""
ROUND_OFF = 1e-6
"""Of strains and times, relative: other versions of the libraries round otherwise."""
STRESS_ERROR = 0.05
"""Of the deviator and of the mean stress, relative L2: versions of a law integrate it a little otherwise."""
NUMBERS_DRIVEN = 4_000_000
"""Numbers of the state times steps that are driven again: a few tenths of a second."""
ITERATIONS = 20
"""A step of a unit cell, about, in steps of its grains."""
LONGEST_PATH = 100_000
"""Steps of a path that is drawn again."""
COMPONENTS = "components 11, 22, 33, 23, 13, 12, off-diagonal ones times the square root of 2"


def recorded_paths(provenance: Mapping[str, Any], steps: int) -> StrainPaths | None:
    """Return the paths that a data set records; None for those of simulations, which are not drawn.

    Args:
        provenance: Of the data set, of the schema :class:`microscale.data.schema.Provenance`.
        steps: Steps to sample a path in; the path itself does not depend on them.

    Raises:
        InputError: No paths have such parameters.
    """
    made = provenance["paths"]
    determined = None not in (made.get(name) for name in ("max_strain", "duration_us", "seed"))
    if made["protocol"] not in PROTOCOLS or not determined:
        return None
    shortest, longest = made["duration_us"]
    options = {name: made.get(name) for name in ("intervals", "isochoric")}
    options["fastest_rate"] = made.get("fastest_rate_per_us")
    return StrainPaths(
        made["protocol"],
        made["max_strain"],
        steps,
        (shortest, longest),
        made["seed"],
        dimension=made.get("dimension") or 3,
        **options,
    )


def textures_each(provenance: Mapping[str, Any]) -> int:
    """Return how many paths of a data set, one after another, are one path, each of another texture."""
    return int(provenance["paths"].get("textures_each") or 1)


def some_of(count: int, most: int) -> list[int]:
    """Return at most so many numbers below ``count``, evenly spread, the first and the last among them."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most)).round()})


def require_recorded_paths(arrays: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    """Raise unless the paths of a data set are those that its protocol and seed make.

    Args:
        arrays: Of the data set, by name, each with a leading axis of paths.
        provenance: Its provenance.

    Raises:
        ValueError: They are not; it names the first path that is another, and in what.
    """
    made, samples = provenance["paths"], arrays["times"].shape[1]
    if made["steps"] != (samples - 1) * (made.get("keep_every") or 1):
        raise ValueError(f"holds {samples} samples a path, which {made['steps']} steps do not make")
    try:
        paths = recorded_paths(provenance, samples - 1)
        for k in [] if paths is None else some_of(len(arrays["times"]), DRAWN_AGAIN):
            index = k // textures_each(provenance)
            drawn = paths.path(index, int(arrays["attempt"][k]), int(arrays["rejected"][k]))  # type: ignore[union-attr]
            _require_same(k, drawn.times, arrays["times"][k], to_mandel(drawn.stretch), arrays["stretch"][k])
    except InputError as error:
        raise ValueError(f"its paths cannot be drawn again: {error}") from error


def _require_same(
    path: int, times: FloatArray, found_times: FloatArray, stretch: FloatArray, found: FloatArray
) -> None:
    if np.abs(found_times - times).max() > ROUND_OFF * times[-1]:
        raise ValueError(
            f"path {path}: its times end at {found_times[-1]:.6g} us and are not those of its protocol and "
            f"seed, drawn again, which end at {times[-1]:.6g} us; times are us"
        )
    strain = np.abs(stretch - to_mandel(np.eye(3))).max()
    if (off := np.abs(found - stretch).max()) > ROUND_OFF * strain + 1e-12:
        raise ValueError(
            f"path {path}: its stretches differ by {off:.3g} from those of its protocol and seed, drawn "
            f"again, whose strains reach {strain:.3g}; expected {COMPONENTS}"
        )


def require_recorded_stress(
    law: ConstitutiveLaw | Callable[[int], ConstitutiveLaw],
    arrays: Mapping[str, NDArray[Any]],
    provenance: Mapping[str, Any],
) -> None:
    """Raise unless a law, driven again along the beginnings of some paths, gives the stress of a data set.

    Args:
        law: The law that the set records; or that of each path, by its number.
        arrays: Of the data set, by name.
        provenance: Its provenance; where it makes the paths they are driven in all their steps.

    Raises:
        ValueError: Deviator or mean stress differ by more than :data:`STRESS_ERROR`; it names the path.
    """
    made, keep = provenance["paths"], provenance["paths"].get("keep_every") or 1
    of_path = (lambda path: law) if isinstance(law, ConstitutiveLaw) else law
    one = of_path(0)
    several = one.worth_batching  # not those that iterate
    chosen = some_of(len(arrays["times"]), DRIVEN_AGAIN if several else 1)
    numbers = len(chosen) * max(one.bytes_of_a_point // 8, 1) * (1 if several else ITERATIONS)
    samples = min(arrays["times"].shape[1], max(2, NUMBERS_DRIVEN // (numbers * keep)))
    paths = recorded_paths(provenance, made["steps"]) if keep > 1 and made["steps"] <= LONGEST_PATH else None
    for k in chosen:
        times, F = arrays["times"][k], from_mandel(arrays["stretch"][k])
        if paths is not None:
            index = k // textures_each(provenance)
            times, F, _ = paths.path(index, int(arrays["attempt"][k]), int(arrays["rejected"][k]))
        elif keep > 1:
            return  # its steps are not known
        driven = slice(None, (samples - 1) * keep + 1)
        try:
            sigma = drive(of_path(k), F[None, driven], times[driven])[0, ::keep]
        except (DeformationError, ConvergenceError) as error:
            raise ValueError(f"path {k}: its law, driven again, fails along it ({error})") from error
        _require_close(k, from_mandel(arrays["stress"][k][:samples]), sigma)


def _require_close(path: int, found: FloatArray, sigma: FloatArray) -> None:
    round_off = 1e-6 * float(np.linalg.norm(sigma))  # the mean stress where no volume changes
    for what, part in (("deviator", deviator), ("mean", lambda s: s - deviator(s))):
        size, there = (float(np.linalg.norm(part(stress))) for stress in (sigma, found))
        if np.linalg.norm(part(found - sigma)) > STRESS_ERROR * size + round_off:
            raise ValueError(
                f"path {path}: the {what} of its stress is not that of its law, driven again: "
                f"{there / size if size else np.inf:.4g} times as large, or turned; "
                f"expected GPa, {COMPONENTS}"
            )
