"""A porous and a fibre-reinforced unit cell, stretched: phases, stress field and what the cells are at rest.

Any other microstructure file will do (docs/howto/phases.md).

    python demos/microstructures.py --output results/microstructures
    python demos/microstructures.py demos/microstructures/fibres.toml --resolution 32
"""

from pathlib import Path

import numpy as np

from microscale.inputs.numbers import Count, OutFolder, Steps, Strain, checked
from microscale.progress import tracked
from microscale.tensors import cauchy_from_piola, von_mises
from microscale.unit_cell.pictures import draw_fields
from multiscale.laws import make_law
from multiscale.run.command import launch

OURS = Path(__file__).parent / "microstructures"


@checked
def microstructures(
    *files: Path,
    resolution: Count | None = None,
    strain: Strain = 0.02,
    steps: Steps = 20,
    output: OutFolder = Path("results/microstructures"),
) -> dict[str, float]:
    """Draw the cells; return the mean von Mises stress of each at the end, GPa.

    Args:
        files: Microstructure files; by default a porous crystal and a metal with fibres.
        resolution: Voxels along a side, in place of the files'.
        strain: Logarithmic strain along axis 1, without change of volume, at the end.
        steps: Time steps to it, in 1 us.
        output: Folder for the pictures.
    """
    output.mkdir(parents=True, exist_ok=True)
    found = {}
    for file in files or (OURS / "porous.toml", OURS / "fibres.toml"):
        cell = make_law("phases", microstructure=file, resolution=resolution)
        stretch = np.exp(np.linspace(0.0, strain, steps + 1)[:, None] * [1.0, -0.5, -0.5])
        state, P = cell.init_state(1), np.empty((1, 3, 3))
        for U in tracked(stretch[1:], f"{file.stem}, steps"):
            cell.update(np.diag(U)[None], 1.0 / steps, state, P)
        found[file.stem] = float(von_mises(cauchy_from_piola(P, np.diag(U)[None]))[0])
        F, local = cell.voxel_fields(state)
        stress = von_mises(cauchy_from_piola(local, F)).reshape(cell.grid.shape)
        phase = state["voxel_phase"][0].reshape(cell.grid.shape)
        flow = state["voxel_dissipation"][0].reshape(cell.grid.shape)
        maps = {"phase": phase, "von Mises stress, GPa": stress, "dissipated, GPa": flow}
        draw_fields(output / f"{file.stem}.png", [(f"strain {strain:.1%}", maps)])
        shear, bulk = cell.elasticity().moduli
        print(f"{file.stem}: {cell.material}; density {cell.density:.3f} g/cm^3")
        print(f"  at rest: shear modulus {shear:.2f} GPa, bulk modulus {bulk:.2f} GPa")
        print(f"  waves: {cell.wave_speed():.2f} mm/us")
        print(
            f"  {found[file.stem]:.4f} GPa at the end; {cell.law_calls / steps:.1f} calls of the laws a step"
        )
    return found


if __name__ == "__main__":
    launch(microstructures)
