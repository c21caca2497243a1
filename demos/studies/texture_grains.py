"""How many grains stand for a texture? Drawn ones, and those whose harmonic coefficients are matched.

    python demos/studies/texture_grains.py --output results/texture_grains

Deviatoric error along R paths against a thousand orientations of the texture, mean over the paths, for three
seeds each.
"""

import json
from pathlib import Path

import numpy as np

import multiscale as ms
from microscale.crystals.crystal import read_crystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.described import distribution, grains_of
from microscale.crystals.texture.texture import Texture
from microscale.inputs.numbers import Count, OutFolder, Steps, Strain, checked
from microscale.paths.protocols import StrainPaths
from microscale.tensors import FloatArray, deviator
from multiscale.run.command import launch

SEEDS = 3


def error(stress: FloatArray, exact: FloatArray) -> float:
    """Relative L2 error in time of deviators (paths, samples, 3, 3), mean over the paths."""
    off, size = (np.linalg.norm(s.reshape(len(s), -1), axis=1) for s in (stress - exact, exact))
    return float(np.mean(off / size))


@checked
def texture_grains(
    *,
    textures: tuple[str, ...] = ("rolled:15,25", "extruded:12"),
    grains: tuple[Count, ...] = (16, 32, 128),
    reference: Count = 1024,
    paths: Count = 12,
    steps: Steps = 100,
    max_strain: Strain = 0.1,
    output: OutFolder = Path("results/texture_grains"),
) -> dict[str, dict[str, list[float]]]:
    """Print and keep the errors by texture, number of grains and how they were found.

    Args:
        textures: Textures.
        grains: Numbers of grains.
        reference: Orientations of the reference, evenly picked from the texture.
        paths: R paths.
        steps: Steps of a path.
        max_strain: Largest strain of a path.
        output: Folder of texture_grains.json.
    """
    output.mkdir(parents=True, exist_ok=True)
    sampled = StrainPaths("R", max_strain, steps, (1.0, 1.0), 7)
    drawn = [sampled.path(k) for k in range(paths)]
    F, times = np.stack([path.stretch for path in drawn]), np.stack([path.times for path in drawn])
    errors: dict[str, dict[str, list[float]]] = {}

    def stress(texture: Texture) -> FloatArray:
        return deviator(ms.drive(TaylorPolycrystal.of(texture), F, times))

    for name in textures:
        whole = distribution(name, read_crystal())
        exact = stress(Texture.of(whole.orientations[:: max(1, len(whole) // reference)]))
        errors[name] = {}
        for count in grains:
            for how in ("drawn", "matched"):
                found = []
                for seed in range(SEEDS):
                    chosen = np.random.default_rng(seed).permutation(len(whole))[:count]
                    few = Texture.of(whole.orientations[chosen])
                    few = grains_of(name, read_crystal(), count, seed).texture if how == "matched" else few
                    found.append(error(stress(few), exact))
                errors[name][f"{count} {how}"] = found
                print(f"{name}, {count} {how}: {', '.join(f'{100.0 * e:.1f} %' for e in found)}", flush=True)
    (output / "texture_grains.json").write_text(json.dumps(errors, indent=2) + "\n")
    return errors


if __name__ == "__main__":
    launch(texture_grains)
