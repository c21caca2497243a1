/* dP/dF of a radial return (radial_return.h), in the principal axes of the trial b, where an isotropic function of b and its
 * derivative are what they do to the principal values (Ogden 1984; Simo 1992). */
#ifndef RADIAL_TANGENT_H
#define RADIAL_TANGENT_H

#include "radial_return.h"

#define SWEEPS 6 /* of Jacobi's rotations: they converge quadratically, and all lanes take as many */

/* Turn axes p and q so that A has no component of the two; r is the third axis. */
INLINE void turn_pair(int p, int q, int r, real A[9], real Q[9]) {
  const real apq = A[3 * p + q], difference = A[3 * q + q] - A[3 * p + p];
  const real divisor = difference + with_sign_of(root(difference * difference + 4.0 * apq * apq), difference);
  const real t = choose(divisor == 0.0, splat(0), 2.0 * apq / choose(divisor == 0.0, splat(1), divisor));
  const real c = 1.0 / root(1.0 + t * t), s = t * c, rp = A[3 * r + p], rq = A[3 * r + q];
  A[3 * p + p] -= t * apq;
  A[3 * q + q] += t * apq;
  A[3 * p + q] = A[3 * q + p] = splat(0);
  A[3 * r + p] = A[3 * p + r] = c * rp - s * rq;
  A[3 * r + q] = A[3 * q + r] = s * rp + c * rq;
  for (int i = 0; i < 3; ++i) {
    const real ip = Q[3 * i + p], iq = Q[3 * i + q];
    Q[3 * i + p] = c * ip - s * iq;
    Q[3 * i + q] = s * ip + c * iq;
  }
}

/* Principal values x of a symmetric tensor 11, 22, 33, 23, 13, 12, and its axes, the columns of Q. */
INLINE void principal(const real S[6], real x[3], real Q[9]) {
  real A[9] = {S[0], S[5], S[4], S[5], S[1], S[3], S[4], S[3], S[2]};
  for (int i = 0; i < 9; ++i) Q[i] = splat(i % 4 ? 0 : 1);
  for (int sweep = 0; sweep < SWEEPS; ++sweep) {
    turn_pair(0, 1, 2, A, Q);
    turn_pair(0, 2, 1, A, Q);
    turn_pair(1, 2, 0, A, Q);
  }
  for (int i = 0; i < 3; ++i) x[i] = A[4 * i];
}

/* What a step does to the trial stress: how much it flows, and how that changes with the von Mises stress of the trial and
 * with J; the Kirchhoff pressure, negative, and its slope by ln J. */
typedef struct {
  real flow, by_stress, by_J, mean, mean_slope;
} Return;

/* The changes of tau_i = G ratio (e_i - mean of e) + mean, e = ln of the principal values of b, by e_j. */
INLINE void by_logarithms(const Trial *t, const Return *r, double G, const real strain[3], real D[9], real *modulus) {
  const mask flows = r->flow > 0.0;
  const real safe = choose(flows, t->stress, splat(1)), part = 3.0 * G * r->flow / safe;
  const real by_stress = choose(flows, (part - 3.0 * G * r->by_stress) / safe, splat(0));
  const real by_J = choose(flows, -3.0 * G * r->by_J / safe, splat(0));
  *modulus = choose(flows, G * (1.0 - part), splat(G));
  for (int j = 0; j < 3; ++j) {
    const real ratio = by_stress * (1.5 * G * G) * strain[j] / safe + by_J * t->J * 0.5;
    for (int i = 0; i < 3; ++i)
      D[3 * i + j] = *modulus * (i == j ? 2.0 / 3.0 : -1.0 / 3.0) + G * strain[i] * ratio + 0.5 * r->mean_slope;
  }
}

/* dP[9 a + b] = dP_a / dF_b of P = tau F^-T, a trial that has returned. With L = dF F^-1 the trial b changes by
 * L b + b L^T. */
INLINE void return_tangent(const Trial *t, const Return *r, double G, real dP[81]) {
  real x[3], Q[9], H[9], strain[3], tau[3], D[9], mixed[9], modulus;
  principal(t->X, x, Q);
  for (int i = 0; i < 3; ++i) /* H = Q^T F^-T */
    for (int j = 0; j < 3; ++j)
      H[3 * i + j] = (Q[i] * t->cofactor[j] + Q[3 + i] * t->cofactor[3 + j] + Q[6 + i] * t->cofactor[6 + j]) / t->J;
  for (int i = 0; i < 3; ++i)
    strain[i] = t->log[1] * x[i] + t->log[2] * (x[i] * x[i] - t->j2 * (1.0 / 1.5));
  by_logarithms(t, r, G, strain, D, &modulus);
  for (int i = 0; i < 3; ++i) tau[i] = modulus * strain[i] + r->mean;
  for (int i = 0; i < 3; ++i) /* of tau_ij by L_ij: the divided difference of the logarithm, of the polynomial it is */
    for (int j = 0; j < 3; ++j)
      mixed[3 * i + j] = modulus * (t->log[1] + t->log[2] * (x[i] + x[j])) * (1.0 + x[j]);
  for (int b = 0; b < 9; ++b) {
    real L[9], S[9], A[9];
    for (int i = 0; i < 9; ++i) L[i] = Q[3 * (b / 3) + i / 3] * H[3 * (i % 3) + b % 3]; /* Q^T L Q */
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        S[3 * i + j] =
            i == j ? 2.0 * (D[3 * i] * L[0] + D[3 * i + 1] * L[4] + D[3 * i + 2] * L[8]) - tau[i] * L[4 * i]
                   : mixed[3 * i + j] * L[3 * i + j] + (mixed[3 * j + i] - tau[i]) * L[3 * j + i];
    product(Q, S, A);
    product(A, H, S);
    for (int a = 0; a < 9; ++a) dP[9 * a + b] = S[a];
  }
}
#endif
