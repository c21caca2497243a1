"""Histories of bars from textured plates until they rest, each labelled by the polycrystal of its texture.

    python demos/studies/textured_impacts.py --output results/any_texture --bars 24

A network that is told textures runs the bars: whole cylinders, for the textures are turned at will, of a
velocity from 120 to 320 m/s and for 1 to 12 us. Bar k has the k-th texture of a family.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from learn_from_impacts import anvil

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.texture.families.family import TextureFamily
from microscale.data.generate import Generation, finish, generate
from microscale.data.textures import TexturedPolycrystals
from microscale.errors import InputError
from microscale.files.one_writer import one_writer
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.progress import tracked
from multiscale.laws import make_law
from multiscale.results.provenance import law_record, versions
from multiscale.run.command import launch
from multiscale.surrogate.impact_histories import ImpactPaths, Recorder
from multiscale.surrogate.store import read_surrogate, weights_file

VELOCITIES, ENDS = (120.0, 320.0), (1.0, 12.0)
"""Of the bars: smallest and largest, m/s, and shortest and longest simulated time, us."""
STEPS = 200


@checked
def textured_impacts(
    *,
    output: OutFolder = Path("results/any_texture"),
    weights: Path = Path("any-texture"),
    family: str = "rolled",
    bars: Count = 24,
    paths: Count = 64,
    elements: Count = 800,
    grains: Count = 128,
    seed: Seed = 0,
) -> Path:
    """Run the bars, and drive polycrystals along what their points lived through; return the data set.

    Args:
        output: Folder of the data set.
        weights: The network that runs the bars, or its name.
        family: Of the textures.
        bars: Number of bars.
        paths: Histories of each, those of the points deformed most.
        elements: Elements of a bar, about, and more than histories of it.
        grains: Grains of the polycrystals.
        seed: Of textures, velocities and times.
    """
    out = output / f"bars_{family}_{seed}.h5"
    network = read_surrogate(weights_file(weights))[1].weights_sha256
    crystal, textures = read_crystal(), TextureFamily(family, seed)
    generator = np.random.default_rng(seed)
    velocities = generator.uniform(*VELOCITIES, bars)
    ends = np.exp(generator.uniform(*np.log(ENDS), bars))
    origin = [
        {
            "impact": f"bar of the texture {family} {k}, seed {seed}",
            "velocity_m_per_s": float(velocity),
            "end_us": float(end),
            "elements": elements,
            "network_sha256": network,
        }
        for k, (velocity, end) in enumerate(zip(velocities, ends, strict=True))
    ]
    histories = ImpactPaths(STEPS, origin)
    for k in tracked(range(bars), "bars"):
        histories.add(_bar(weights, textures, crystal, k, velocities[k], ends[k], elements), paths)
        if len(histories) < (k + 1) * paths:
            raise InputError(f"elements = {elements}, expected more than the {paths} histories of a bar")
    law = TexturedPolycrystals(crystal, grains, textures, paths)
    job = Generation(law, law_record(law, {"grains": grains}), histories, len(histories), versions())
    output.mkdir(parents=True, exist_ok=True)
    with one_writer(out):
        if generate(job, out):
            finish(job, out)
    print(f"{out}: {len(histories)} paths", flush=True)
    return out


def _bar(
    weights: Path,
    textures: TextureFamily,
    crystal: Crystal,
    k: int,
    velocity: float,
    end: float,
    elements: int,
) -> Recorder:
    """Run a bar of the k-th texture; return the law that has recorded its points."""
    told = textures.texture(k, crystal)
    recorder = Recorder(make_law("learned", weights=weights, texture=told))
    anvil(recorder, velocity, elements, "full").run(end)
    return recorder


if __name__ == "__main__":
    launch(textured_impacts)
