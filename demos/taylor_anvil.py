"""A magnesium cylinder hits a rigid, frictionless wall: the Taylor anvil test of the paper, section 3.1.

Defaults are the paper's: 5 mm x 1 mm, 200 m/s, about 3,000 elements, and the microsecond its Figure 3 shows.
The stress comes from the law you choose:

    learned       a recurrent network trained on polycrystal simulations made by this repository
    taylor        the polycrystal itself, 128 grains at every quadrature point (concurrent multiscale)
    fft3d         its full-field unit cell at every point: 0.1 s a point and step, for small meshes
    johnson-cook  an empirical law with hardening, rate and heat
    j2            linear hardening
    neo-hooke     no plastic flow at all: what the elastic waves do alone

    python demos/taylor_anvil.py                                   one rank, learned law
    mpirun -n 2 python demos/taylor_anvil.py --velocity 400        two ranks, twice as fast
    python demos/taylor_anvil.py --law taylor --model quarter --elements 750

``multiscale anvil`` is the same with the same flags, and multiscale/cases/anvil.py says how it is set up. A
script to copy for a problem of your own is demos/first_impact.py.

An elastic wave leaves the foot at 2.9 mm/us, a plastic front follows it, and release waves run in from the
sides. In the folder ``--output`` the run leaves the fields (VTKHDF, for ParaView or pyvista), the energy
ledger of every step (CSV), the axial section as in Figure 3 (PNG), ``summary.json`` with the final length,
the foot radius, the energy error, the cost by stage, all inputs and versions, and ``case.toml``, from which
``multiscale run`` repeats the run.
"""

import sys

from multiscale.starting import starting

if __name__ == "__main__":
    starting("taylor_anvil", sys.argv[1:])  # finite elements take seconds to load

from multiscale.cases.anvil import anvil as taylor_anvil
from multiscale.run.command import launch

if __name__ == "__main__":
    launch(taylor_anvil)
