"""FEniCSx as this project uses it: the import order and the options of compiled forms, in one place.

Import this module before dolfinx. h5py comes first: once dolfinx has loaded its own HDF5, h5py refuses the
one it finds. ``dolfinx_solver`` is the wheel that brings DOLFINx and PETSc; conda, apt and Docker
installations lack it and need nothing in its place.
"""

from contextlib import suppress

import h5py  # noqa: F401

with suppress(ModuleNotFoundError):
    import dolfinx_solver  # noqa: F401

import dolfinx  # noqa: F401

# Nearly twice as fast as the default; unlike -ffast-math this set keeps the meaning of NaN and infinity.
JIT_OPTIONS = {
    "cffi_extra_compile_args": [
        "-O3",
        "-march=native",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-fno-signed-zeros",
        "-fassociative-math",
    ]
}
