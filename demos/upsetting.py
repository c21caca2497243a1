"""A magnesium cylinder is upset at a thousand per second between rough plates, quasi-statically.

Each quadrature point is a Taylor polycrystal of 16 grains; any other law does as well:

    python demos/upsetting.py                                       the polycrystal, minutes
    python demos/upsetting.py --law johnson-cook --elements 1000
    mpirun -n 2 python demos/upsetting.py --grains 64 --compression 0.5
    python demos/upsetting.py --law learned --rate 2e5              where the network was trained

``multiscale upset`` is the same with the same flags, and multiscale/cases/upsetting.py says how it is set up:
it is what to copy for a problem of your own. The folder ``--output`` holds the fields (VTKHDF), loads and
reactions of every load step (CSV and picture), the axial section, a report and ``summary.json``.
"""

from multiscale.cases.upsetting import upsetting
from multiscale.run.command import launch

if __name__ == "__main__":
    launch(upsetting)
