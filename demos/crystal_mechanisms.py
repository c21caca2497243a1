"""Which mechanism carries the strain: a magnesium crystal pulled and pressed along c; a texture that evolves.

The first picture shows a crystal stretched and compressed by 5 % along its c axis (5 degrees off) without
change of volume. Basal and prismatic slip see almost no shear there. Pressed along c, tensile twins cannot
act (their shear lengthens c), so pyramidal <c+a> slip must. Pulled along c, one twin system wins and
carries most of the strain, if it is given time. At an impact's rate the six systems, driven almost alike,
grow together until their interaction (40 GPa off the diagonal of K) locks all of them, and pyramidal slip
takes over.
The pole figures show 128 random grains before and after 10 % compression in 0.1 s along the vertical axis,
twins with their own orientations.

    python demos/crystal_mechanisms.py --output results/crystal
"""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from microscale import TaylorPolycrystal, random_orientations
from microscale.crystals.pictures import mechanisms
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.pole_figures import draw_pole_figures
from microscale.inputs.numbers import Count, OutFolder, Seed, Steps, checked
from microscale.law import State
from microscale.progress import tracked
from microscale.tensors import FloatArray
from multiscale.run.command import launch


def isochoric(strain: float, axis: int, samples: int) -> FloatArray:
    """Stretch along an axis, logarithmic strain linear in time, volume kept; (samples, 3, 3)."""
    direction = np.where(np.arange(3) == axis, 1.0, -0.5)
    return np.exp(np.linspace(0.0, strain, samples)[:, None] * direction)[:, :, None] * np.eye(3)


def deform(law: TaylorPolycrystal, F: FloatArray, duration: float) -> tuple[State, dict[str, FloatArray]]:
    """Drive one point along F (samples, 3, 3); return its last state and the history of its fields."""
    state, piola = law.init_state(1), np.empty((1, 3, 3))
    history = []
    for k in tracked(range(len(F)), f"samples of {law.grains} grain(s),"):
        law.update(F[k : k + 1], duration / (len(F) - 1) if k else 0.0, state, piola)
        history.append({name: values[0] for name, values in law.fields(state).items()})
    return state, {name: np.array([now[name] for now in history]) for name in history[0]}


@checked
def crystal_mechanisms(
    *, output: OutFolder = Path("results/crystal"), samples: Steps = 201, grains: Count = 128, seed: Seed = 0
) -> dict[str, dict[str, float]]:
    """Draw both pictures; return the activities at the end of each loading of the c-axis crystal.

    Args:
        output: Folder for the pictures.
        samples: Samples of each loading.
        grains: Grains of the polycrystal.
        seed: Seed of their orientations.
    """
    output.mkdir(parents=True, exist_ok=True)
    # About no axis of symmetry: twins that are loaded exactly alike would stay alike, as no real ones do.
    tilted = Rotation.from_rotvec(np.radians(5.0) * np.array([0.98, 0.2, 0.0])).as_matrix()
    crystal = TaylorPolycrystal(tilted[None])
    shear = crystal.crystal.twinning.shear
    loadings = {
        "tension along c in 0.1 s": (0.05, 1e5),
        "tension along c in 1 us": (0.05, 1.0),
        "compression along c in 0.1 s": (-0.05, 1e5),
    }
    cases, ends = {}, {}
    for title, (strain, duration) in loadings.items():
        _, fields = deform(crystal, isochoric(strain, 2, samples), duration)
        names = {
            "slip_basal": "basal <a>",
            "slip_prismatic": "prismatic <a>",
            "slip_pyramidal": "pyramidal <c+a>",
        }
        curves = {label: fields[name] for name, label in names.items()}
        curves["tensile twins"] = shear * fields["twin_volume"]
        cases[title] = (100.0 * np.linspace(0.0, abs(strain), samples), curves)
        ends[title] = {name: float(values[-1]) for name, values in curves.items()}
    mechanisms(output / "mechanisms.png", cases, "logarithmic strain (%)")

    law = TaylorPolycrystal(random_orientations(grains, seed))
    F = isochoric(-0.10, 1, samples)
    state, _ = deform(law, F, duration=1e5)
    pressed = deformed_texture(law, state)
    twinned = float(law.fields(state)["twin_volume"][0])
    draw_pole_figures(
        output / "texture.png",
        [("before", law.texture), (f"at 10 % compression, {twinned:.0%} twins", pressed)],
        lattice_of(law.crystal),
        half_width=15.0,
    )
    print(f"pictures: {output / 'mechanisms.png'}, {output / 'texture.png'}")
    return ends


if __name__ == "__main__":
    launch(crystal_mechanisms)
