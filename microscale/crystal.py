"""Crystallography and parameters of a crystal with slip and twinning, read from a cited YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from microscale.errors import InputError
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
OURS = ("magnesium.yaml", "two_slip.yaml")
"""Crystals that come with this package."""
POSITIVE = ("shear_modulus", "lambda_e", "density", "strength", "reference_rate", "shear")
NOT_NEGATIVE = ("hardening", "saturation", "latent", "interaction")
"""Constants in material files, of the crystal, its families and its twins."""


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


def read_crystal(path: str | Path | None = None) -> Crystal:
    """Read a crystal from a YAML file.

    Args:
        path: A file laid out like ``magnesium.yaml`` (hexagonal, four-index systems; the default) or like
            ``two_slip.yaml`` (Cartesian systems, no twins); the bare name of either reads ours.

    Raises:
        InputError: The file cannot be read, an entry is missing or has no meaning, or a slip direction leaves
            its plane.
    """
    ours = path is None or path in OURS
    source = files("microscale").joinpath(str(path or "magnesium.yaml")) if ours else Path(str(path))
    try:
        crystal = _crystal_from(yaml.safe_load(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(
            f"material file {source}: {error.strerror}; give the path of a readable YAML file"
        ) from error
    except InputError:
        raise
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"material file {source}: {error!r} is missing or malformed; follow magnesium.yaml"
        ) from error
    _require_meaning(crystal, f"material file {source}")
    return crystal.with_options()


def _require_meaning(crystal: Crystal, source: str) -> None:
    groups: dict[str, Crystal | SlipFamily | Twinning] = {"crystal": crystal}
    groups |= {family.name: family for family in crystal.families}
    if crystal.n_twin > 0:
        groups["twinning"] = crystal.twinning
    for group, constants in groups.items():
        for name, value in vars(constants).items():
            if name in POSITIVE and not 0.0 < value < np.inf:
                raise InputError(f"{source}: {group} {name} = {value}, expected a positive number")
            if name in NOT_NEGATIVE and not 0.0 <= value < np.inf:
                raise InputError(f"{source}: {group} {name} = {value}, expected zero or a positive number")


def _crystal_from(entries: Mapping[str, Any]) -> Crystal:
    ratio = entries["lattice"]["c_over_a"]["value"] if "lattice" in entries else None
    families = tuple(
        SlipFamily(name, **_systems(group, ratio)) for name, group in entries["slip_families"].items()
    )
    density = entries["density"]
    return Crystal(
        name=entries["name"],
        shear_modulus=float(entries["elasticity"]["shear_modulus"]["value"]),
        lambda_e=float(entries["elasticity"]["lambda_e"]["value"]),
        density=float((density.get("as_printed") or density["measured"])["value"]),
        rate_sensitivity=float(entries["rate_sensitivity"]["m"]["value"]),
        families=families,
        twinning=Twinning(**_systems(entries["twinning"], ratio)) if "twinning" in entries else NO_TWINNING,
    )


def _systems(group: Mapping[str, Any], c_over_a: float | None) -> dict[str, Any]:
    """Normals and directions of a group's systems, Cartesian where there is no lattice, and its constants."""
    planes, directions = np.swapaxes(np.array(group["plane_direction"], dtype=float), 0, 1)
    if c_over_a is None:
        normals, directions = (
            vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) for vectors in (planes, directions)
        )
    else:
        normals = miller_bravais_normal(planes, c_over_a)
        directions = miller_bravais_direction(directions, c_over_a)
    for normal, direction in zip(normals, directions, strict=True):
        if abs(normal @ direction) > 1e-9:
            raise InputError(f"slip direction {direction} has s.m = {normal @ direction:.3g}, expected 0")
    values = {key: float(entry["value"]) for key, entry in group.items() if key != "plane_direction"}
    return {"normals": normals, "directions": directions, **values}
