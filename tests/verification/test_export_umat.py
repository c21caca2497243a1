"""An exported UMAT is the law of Python, with the tangent its host expects."""

import warnings

import numpy as np
import pytest
from exported_hosts import NUMBERS, Umat
from exported_law import DT, loaded, paths

from microscale.spatial_tangent import jaumann_moduli, voigt_matrix
from microscale.tensors import FloatArray, cauchy_from_piola
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.recurrent.law import LearnedLaw

F = paths()[::6]
POINTS, SAMPLES = F.shape[:2]
ORDER = ([0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2])
CARD = LearnedLaw.from_file().card.material


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("umat"), "umat", precision="double")


def strained(component: int, size: float) -> FloatArray:
    """Return I + D for an engineering strain of one component."""
    D = np.zeros((3, 3))
    i, j = ORDER[0][component], ORDER[1][component]
    D[i, j] += 0.5 * size
    D[j, i] += 0.5 * size
    return np.eye(3) + D


def by_differences(umat: Umat, F: FloatArray, dt: float, step: float = 4e-6) -> FloatArray:
    """Change of J times the Cauchy stress with D over J: the Jaumann rate, where nothing spins."""

    def slope(component: int, step: float) -> FloatArray:
        ends = [strained(component, sign * step) @ F for sign in (1.0, -1.0)]
        kirchhoff = [np.linalg.det(end) * umat(end, dt)[0] for end in ends]
        return (kirchhoff[0] - kirchhoff[1]) / (2.0 * step) / np.linalg.det(F)

    # Richardson: small increments make the law curved
    return np.stack([(4.0 * slope(c, 0.5 * step) - slope(c, step)) / 3.0 for c in range(6)], axis=1)


def test_umat_is_the_law_with_its_tangent(library):
    law = LearnedLaw.from_file(precision="double")
    warnings.simplefilter("ignore", ExtrapolationWarning)
    state, umats = law.init_state(POINTS), [Umat(library) for _ in range(POINTS)]
    P, A, largest = np.empty((POINTS, 3, 3)), np.empty((POINTS, 3, 3, 3, 3)), 0.0
    for k in range(1, SAMPLES):
        here = np.ascontiguousarray(F[:, k])
        law.tangent(here, DT, state, A)
        law.update(here, DT, state, P)
        rows = np.concatenate([array.reshape(POINTS, -1) for array in state.values()], axis=1)
        sigma, moduli = cauchy_from_piola(P, here), voigt_matrix(jaumann_moduli(A, P, here))
        largest = max(largest, np.abs(sigma).max())
        for point, umat in enumerate(umats):
            tangent = umat.keep(here[point], DT)
            np.testing.assert_allclose(umat.stress, sigma[point][ORDER], rtol=0.0, atol=1e-12 * largest)
            np.testing.assert_allclose(umat.state, rows[point], rtol=0.0, atol=1e-12 * np.abs(rows).max())
            np.testing.assert_allclose(tangent, moduli[point], rtol=0.0, atol=1e-10 * np.abs(moduli).max())


def test_the_tangent_is_that_of_the_differences(library):
    for path in F:
        umat = Umat(library)
        for k in range(1, SAMPLES):
            differences = by_differences(umat, path[k], DT) if k % 16 == 3 else None
            tangent = umat.keep(path[k], DT)
            if differences is not None:
                atol = 1e-6 * np.abs(tangent).max()
                np.testing.assert_allclose(tangent, differences, rtol=0.0, atol=atol)


def elasticity() -> FloatArray:
    """Isotropic moduli at rest, by engineering shear strains."""
    G, lame = CARD.shear_modulus, 2.0 * CARD.lambda_e - 2.0 / 3.0 * CARD.shear_modulus
    moduli = np.diag([2.0 * G] * 3 + [G] * 3)
    moduli[:3, :3] += lame
    return moduli


def test_first_iterations_are_elastic(library):
    """Where nothing has moved yet: at rest, with or without time, and in the midst of flow."""
    for dt in (0.0, 1.0):
        stress, _, tangent, _, pnewdt = Umat(library)(np.eye(3), dt)
        np.testing.assert_allclose(tangent, elasticity(), rtol=0.0, atol=1e-10 * CARD.shear_modulus)
        assert not stress.any()
        assert pnewdt == 1.0
    flowing = Umat(library)
    for k in range(1, 20):
        flows = flowing.keep(strained(3, 0.002 * k), DT)
    began = flowing(strained(3, 0.002 * 19), DT)[2]
    assert abs(began[3, 3] / CARD.shear_modulus - 1.0) < 0.02
    assert flows[3, 3] < 0.5 * CARD.shear_modulus


def test_plane_strain_has_one_shear_component(library):
    plane, solid = Umat(library), Umat(library)
    F = np.array([[1.01, 0.02, 0.0], [-0.01, 0.98, 0.0], [0.0, 0.0, 1.0]])
    for found, whole in zip(plane(F, DT, shears=1)[:3], solid(F, DT)[:3], strict=True):
        where = (slice(4),) * found.ndim if len(found) < NUMBERS else (slice(None),)
        np.testing.assert_array_equal(found, whole[where])


def test_what_is_inverted_asks_for_a_smaller_step_and_changes_nothing(library):
    umat = Umat(library)
    umat.keep(strained(0, 0.01), DT)
    stress, state, _, energies, pnewdt = umat(np.diag([-1.0, 1.0, 1.0]), DT)
    assert pnewdt == 0.25
    for found, before in ((stress, umat.stress), (state, umat.state), (energies, umat.energies)):
        np.testing.assert_array_equal(found, before)


def test_energies_are_stored_or_dissipated(library):
    umat, fast = Umat(library), np.array([1.0, -0.5, -0.5, 0.0, 0.0, 0.0])

    def pull(strain: float, steps: int, dt: float) -> None:
        """Stretch along x at constant volume, by logarithmic strains."""
        nonlocal total
        for _ in range(steps):
            total += strain / steps
            umat.keep(np.diag(np.exp(total * fast[:3])), dt, fast * strain / steps)

    total = 0.0
    pull(2e-5, 20, 1e-9)
    assert umat.energies[0] == pytest.approx(0.5 * umat.stress @ fast * 2e-5, rel=1e-3)
    assert abs(umat.energies[1]) < 1e-2 * umat.energies[0]
    pull(0.03, 300, 0.01)
    assert 0.5 < umat.energies[1] / umat.energies[:2].sum() < 1.0
