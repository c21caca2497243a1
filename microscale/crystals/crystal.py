"""Crystallography and parameters of a crystal with slip and twinning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from microscale.errors import InputError
from microscale.inputs.numbers import checked
from microscale.tensors import FloatArray


@dataclass(frozen=True)
class SlipFamily:
    """Slip systems of one family, hardening as in eq. (30) and Table SI-1 of the paper.

    Attributes:
        name: Family name.
        directions: Unit slip directions s, shape (systems, 3), crystal frame.
        normals: Unit plane normals m, shape (systems, 3), crystal frame.
        hardening: Initial self hardening h, GPa.
        saturation: Saturation stress sigma_inf of the self hardening, GPa.
        latent: h_ij between different systems of the family, GPa.
        strength: tau0, the overstress at the reference rate, GPa.
        reference_rate: gamma-dot-0, 1/us.
    """

    name: str
    directions: FloatArray
    normals: FloatArray
    hardening: float
    saturation: float
    latent: float
    strength: float
    reference_rate: float


@dataclass(frozen=True)
class Twinning:
    """Twin systems, energy as in eq. (31) of the paper.

    Attributes:
        directions: Unit twinning directions, shape (systems, 3), crystal frame.
        normals: Unit normals of the twin planes, shape (systems, 3), crystal frame.
        hardening: h_beta, GPa.
        interaction: Off-diagonal entries of K, GPa; the diagonal is zero.
        strength: tau0, GPa.
        reference_rate: lambda-dot-0, 1/us.
        shear: Twinning shear gamma_t.
    """

    directions: FloatArray
    normals: FloatArray
    hardening: float = 0.0
    interaction: float = 0.0
    strength: float = 1.0
    reference_rate: float = 0.0
    shear: float = 0.0


NO_TWINNING = Twinning(np.empty((0, 3)), np.empty((0, 3)))
MOST_SYSTEMS = 96
"""Slip systems, or twin systems, of a crystal: the kernel holds them on the stack; bcc metals have 48."""
OURS = ("magnesium.yaml", "two_slip.yaml")
"""Crystals that come with this package."""


@dataclass(frozen=True)
class Crystal:
    """A single crystal: isotropic elasticity of eq. (29), slip families and twin systems.

    Attributes:
        name: Material name.
        shear_modulus: G, GPa.
        lambda_e: Volumetric modulus of eq. (29), GPa.
        density: Referential density, g/cm^3.
        rate_sensitivity: m; rates go with the power 1/m of the overstress.
        families: Slip families.
        twinning: Twin systems.
    """

    name: str
    shear_modulus: float
    lambda_e: float
    density: float
    rate_sensitivity: float
    families: tuple[SlipFamily, ...]
    twinning: Twinning = NO_TWINNING

    @property
    def n_slip(self) -> int:
        """Number of slip systems."""
        return sum(len(family.normals) for family in self.families)

    @property
    def n_twin(self) -> int:
        """Number of twin systems."""
        return len(self.twinning.normals)

    def family_slices(self) -> dict[str, slice]:
        """Range of slip systems of each family, in the order of the slip state."""
        ends = np.cumsum([len(family.normals) for family in self.families])
        return {
            f.name: slice(int(end) - len(f.normals), int(end))
            for f, end in zip(self.families, ends, strict=True)
        }

    def with_options(self, rate_sensitivity: float | None = None, density: float | None = None) -> Crystal:
        """Return the crystal with another rate sensitivity m or density, g/cm^3."""
        m = self.rate_sensitivity if rate_sensitivity is None else rate_sensitivity
        rho = self.density if density is None else density
        if not 0.0 < m <= 1.0:
            raise InputError(f"rate sensitivity m = {m}, expected 0 < m <= 1 (the rate exponent is 1/m)")
        if not rho > 0.0:
            raise InputError(f"density = {rho} g/cm^3, expected a positive number")
        return replace(self, rate_sensitivity=m, density=rho)


def miller_bravais_direction(uvtw: FloatArray, c_over_a: float) -> FloatArray:
    """Unit vectors of four-index directions, shape (..., 4) to (..., 3); x along [2-1-10], z along c."""
    u, v, t, w = np.moveaxis(np.asarray(uvtw, dtype=float), -1, 0)
    vector = np.stack([u - 0.5 * (v + t), np.sqrt(0.75) * (v - t), c_over_a * w], axis=-1)
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def miller_bravais_normal(hkil: FloatArray, c_over_a: float) -> FloatArray:
    """Unit normals of four-index planes, shape (..., 4) to (..., 3); x along [2-1-10], z along c."""
    h, k, _, l = np.moveaxis(np.asarray(hkil, dtype=float), -1, 0)
    vector = np.stack([h, (h + 2.0 * k) / np.sqrt(3.0), l / c_over_a], axis=-1)
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


@checked
def read_crystal(path: str | Path | Crystal | None = None) -> Crystal:
    """Read a crystal from a YAML or JSON file.

    Args:
        path: A file laid out like ``magnesium.yaml`` (hexagonal, four-index systems; the default) or like
            ``two_slip.yaml`` (Cartesian systems, no twins); the bare name of either reads ours. A crystal is
            returned as it is.

    Raises:
        InputError: The file cannot be read, or does not follow the schema of
            :mod:`microscale.crystals.material_file`; the line names file, key and value.
    """
    from microscale.crystals.material_file import read_material  # schemas take a tenth of a second

    if isinstance(path, Crystal):
        return path
    return read_material(material_path(path))


def material_path(path: str | Path | None = None) -> Path:
    """Return the path of a material file; of ours by its bare name, by default that of magnesium."""
    ours = path is None or path in OURS
    return Path(__file__).parents[1] / str(path or OURS[0]) if ours else Path(str(path))
