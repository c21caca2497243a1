"""A rigid cylinder with a flat face hits a magnesium plate: the plate impact of the paper, section 3.2.

Defaults are the paper's: a projectile of 2 mm, infinitely heavy, at 200 m/s; a plate 1 mm thick, simply
supported far away; 11,552 elements; the microsecond that its Figure 6 shows. Where the paper leaves a choice:

    "radius D_p = 2 mm" is read as a radius (--radius 1 if you read D as a diameter)
    the plate is a square of 18 mm: no wave comes back from its edge within the time shown
    the edge is held in the direction of impact only and may turn: simply supported
    a quarter of the plate is computed, with two planes of symmetry

    mpirun -n 2 python demos/plate_impact.py --law johnson-cook
    python demos/plate_impact.py --law j2 --thickness 0.5 --layers 4 --end-time 3

``multiscale plate`` is the same with the same flags, and multiscale/cases/plate.py says how it is set up.

An elastic wave and a plastic one run through the thickness and come back from the free face; then the plate
guides radial waves while the projectile sinks in. A thin plate bends, and leaves the projectile at the
centre.
"""

import sys

from multiscale.starting import starting

if __name__ == "__main__":
    starting("plate_impact", sys.argv[1:])  # finite elements take seconds to load

from multiscale.cases.plate import plate as plate_impact
from multiscale.run.command import launch

if __name__ == "__main__":
    launch(plate_impact)
