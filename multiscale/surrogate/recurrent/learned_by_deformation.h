/* From the isochoric stretch to the deformation gradient: dP/dF of P = R T U^-1, F = R U, given how the deviator of T
 * follows the isochoric stretch. */
#ifndef LEARNED_BY_DEFORMATION_H
#define LEARNED_BY_DEFORMATION_H
#include "learned_forward.h"

/* The five ways in which an isochoric stretch can change: each has one component of a deviator, and as much of the identity
 * as keeps the volume. */
INLINE void ways(const real stretch[6], real way[DEVIATOR][6]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real inverse[9];
  adjugate(stretch, inverse);
  const real V[6] = {inverse[0], inverse[4], inverse[8], inverse[5], inverse[2], inverse[1]};
  for (int k = 0; k < DEVIATOR; ++k) {
    real s[DEVIATOR], D[9];
    clear(s);
    s[k] = splat(1);
    from_deviator5_and_axial(s, zero, D);
    const real mean = contraction(V, D) / (V[0] + V[1] + V[2]);
    const real added[6] = {D[0] - mean, D[4] - mean, D[8] - mean, D[5], D[2], D[1]};
    copy(added, 6, way[k]);
  }
}

/* K^-1 with K = tr(U) I - U: the spin w of a body whose stretch changes, R^T dF = W U + dU, is K^-1 times the axial
 * vector of R^T dF less its transpose. */
INLINE void spin_of(const real U[6], real inverse[9]) {
  const real K[6] = {U[1] + U[2], U[0] + U[2], U[0] + U[1], -U[3], -U[4], -U[5]};
  adjugate(K, inverse);
  const real scale = 1.0 / (K[0] * inverse[0] + K[5] * inverse[1] + K[4] * inverse[2]);
  for (int i = 0; i < 9; ++i) inverse[i] *= scale;
}

/* dP[9 a + b] = dP_a / dF_b of P = R T U^-1. ds: of the elastic strain whose stress is `modulus` times it, by the five
 * ways of the isochoric stretch. */
INLINE void by_deformation(const Points *p, const real T[9], real ds[DEVIATOR][DEVIATOR], double modulus,
                           double lambda_e, real dP[81]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  const real root_J = 1.0 / inverse_cube_root(p->J), slope = 2.0 * lambda_e * p->J * (2.0 * p->J - 1.0);
  real U[9], spin[9], rotated[9];
  const real stretch[6] = {p->to[0] * root_J, p->to[1] * root_J, p->to[2] * root_J,
                           p->to[3] * root_J, p->to[4] * root_J, p->to[5] * root_J};
  for (int i = 0; i < 9; ++i) U[i] = stretch[packed[i]];
  spin_of(stretch, spin);
  product(T, p->inverse, rotated);
  for (int b = 0; b < 9; ++b) {
    real A[9], W[9], dU[9], M[9], X[9], w[3], turned[3], c[DEVIATOR], dT[DEVIATOR];
    for (int i = 0; i < 9; ++i) A[i] = i % 3 == b % 3 ? p->R[3 * (b / 3) + i / 3] : splat(0); /* R^T dF */
    for (int i = 0; i < 3; ++i) turned[i] = A[3 * ((i + 2) % 3) + (i + 1) % 3] - A[3 * ((i + 1) % 3) + (i + 2) % 3];
    for (int i = 0; i < 3; ++i) w[i] = spin[3 * i] * turned[0] + spin[3 * i + 1] * turned[1] + spin[3 * i + 2] * turned[2];
    const real axial[9] = {splat(0), -w[2], w[1], w[2], splat(0), -w[0], -w[1], w[0], splat(0)};
    product(axial, U, W);
    real volume = splat(0); /* the change of ln J */
    for (int i = 0; i < 9; ++i) dU[i] = A[i] - W[i], volume += p->inverse[i] * A[i];
    for (int i = 0; i < 9; ++i) X[i] = (dU[i] - volume * (1.0 / 3.0) * U[i]) / root_J;
    deviator_of(X, c);
    for (int i = 0; i < DEVIATOR; ++i) {
      dT[i] = splat(0);
      for (int k = 0; k < DEVIATOR; ++k) dT[i] += c[k] * ds[k][i];
    }
    from_deviator5_and_axial(dT, (const real[3]){splat(0), splat(0), splat(0)}, M);
    product(axial, T, X);
    for (int i = 0; i < 9; ++i) M[i] = M[i] * modulus + X[i];
    for (int i = 0; i < 9; i += 4) M[i] += slope * volume;
    product(rotated, dU, X);
    for (int i = 0; i < 9; ++i) M[i] -= X[i];
    product(M, p->inverse, X);
    product(p->R, X, M);
    for (int a = 0; a < 9; ++a) dP[9 * a + b] = M[a];
  }
}
#endif
