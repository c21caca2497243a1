"""The equations of the paper's SI-A written out plainly and integrated by SciPy at tight tolerance.

Independent of the kernel: it evolves F_in itself, builds every Schmid tensor as a 3 x 3 matrix and takes the
stress from the derivative of eq. (29).
"""

import numpy as np
from scipy.integrate import solve_ivp

from microscale.crystals.crystal import Crystal


class ReferenceCrystal:
    """One crystal, axes aligned with the sample unless ``Q`` says otherwise; Cauchy stress history in GPa."""

    def __init__(self, crystal: Crystal, Q=None):
        self.c, self.Q = crystal, np.eye(3) if Q is None else Q
        self.P = np.concatenate([np.einsum("si,sj->sij", f.directions, f.normals) for f in crystal.families])
        t = crystal.twinning
        self.Pt = np.einsum("si,sj->sij", t.directions, t.normals)
        self.R = np.eye(3) - 2 * np.einsum("bi,bj->bij", t.normals, t.normals)
        n = [len(f.normals) for f in crystal.families]
        self.h, self.sat, self.tau0, self.rate = (
            np.repeat([getattr(f, k) for f in crystal.families], n)
            for k in ("hardening", "saturation", "strength", "reference_rate")
        )
        family = np.repeat(np.arange(len(n)), n)
        same = (family[:, None] == family[None, :]) & ~np.eye(len(family), dtype=bool)
        self.H = same * np.repeat([f.latent for f in crystal.families], n)[:, None]
        self.K = t.interaction * (1 - np.eye(crystal.n_twin))

    def piola(self, F, Fin):
        """First Piola stress of eq. (34)."""
        A = F @ np.linalg.inv(Fin)
        J = np.linalg.det(A)
        G, lam = self.c.shear_modulus, self.c.lambda_e
        AinvT = np.linalg.inv(A).T
        dW = G * J ** (-2 / 3) * (A - np.sum(A * A) / 3 * AinvT) + 2 * lam * (J - 1) * J * AinvT
        return dW @ np.linalg.inv(Fin).T, A.T @ dW

    def rates(self, F, y):
        """Time derivative of (F_in, e, lambda, dissipation)."""
        ns, nt = len(self.P), len(self.Pt)
        Fin, e, lam = y[:9].reshape(3, 3), y[9 : 9 + ns], y[9 + ns : 9 + ns + nt]
        _, M = self.piola(F, Fin)
        Pl = (1 - lam.sum()) * self.P + np.einsum("b,bij,sjk,bkl->sil", lam, self.R, self.P, self.R)
        tau = np.einsum("ij,sij->s", M, Pl)
        saturated = np.where(
            self.sat > 0, self.sat * (1 - np.exp(-self.h * e / np.where(self.sat > 0, self.sat, 1))), 0
        )
        n = 1 / self.c.rate_sensitivity
        over = np.maximum(np.abs(tau) - self.H @ e - saturated, 0)
        g = self.rate * (over / self.tau0) ** n
        t = self.c.twinning
        drive = t.shear * np.einsum("ij,bij->b", M, self.Pt) - 2 * self.K @ lam - t.hardening * lam
        overt = np.maximum(drive, 0)
        lt = t.reference_rate * (overt / t.strength) ** n * (lam.sum() < 1)
        L = np.einsum("s,sij->ij", g * np.sign(tau), Pl) + t.shear * np.einsum("b,bij->ij", lt, self.Pt)
        return np.concatenate([(L @ Fin).ravel(), g, lt, [np.sum(g * over) + np.sum(lt * overt)]])

    def solve(self, F, times, rtol=1e-9, atol=1e-12):
        """State history (samples, 9 + slips + twins + 1) along F (samples, 3, 3), linear between samples."""
        y = np.concatenate([np.eye(3).ravel(), np.zeros(len(self.P) + len(self.Pt) + 1)])
        history = [y]
        for k in range(len(times) - 1):
            span = times[k + 1] - times[k]

            def f(t, y, k=k, span=span):
                return self.rates((F[k] + (t / span) * (F[k + 1] - F[k])) @ self.Q, y)

            y = solve_ivp(
                f,
                (0, span),
                y,
                method="LSODA",
                rtol=rtol,
                atol=atol,
                first_step=1e-6 * span,
                max_step=0.1 * span,
            ).y[:, -1]
            history.append(y)
        return np.array(history)

    def cauchy(self, F, history):
        """Cauchy stress along a history."""
        out = []
        for Fk, y in zip(F, history, strict=True):
            P, _ = self.piola(Fk @ self.Q, y[:9].reshape(3, 3))
            out.append(P @ (Fk @ self.Q).T / np.linalg.det(Fk))
        return np.array(out)
