/* The derivative of a part of a step at a material point (learned_steps.h) along a change of the isochoric stretch where
 * the step ends. Lanes are points; of vectors.h and lanes.h only functions of whole `real` are called. */
#ifndef LEARNED_FORWARD_H
#define LEARNED_FORWARD_H
#include "learned_steps.h"

/* A change of the isochoric stretch: at the end of the step, and on the way. */
typedef struct {
  real to[6], now[6];
} Change;

/* The change of det(A) A^-1 of a symmetric tensor 11, 22, 33, 23, 13, 12. */
INLINE void adjugate_forward(const real A[6], const real d[6], real B[9]) {
  B[0] = d[1] * A[2] + A[1] * d[2] - 2.0 * A[3] * d[3];
  B[4] = d[0] * A[2] + A[0] * d[2] - 2.0 * A[4] * d[4];
  B[8] = d[0] * A[1] + A[0] * d[1] - 2.0 * A[5] * d[5];
  B[1] = B[3] = d[3] * A[4] + A[3] * d[4] - d[2] * A[5] - A[2] * d[5];
  B[2] = B[6] = d[3] * A[5] + A[3] * d[5] - d[1] * A[4] - A[1] * d[4];
  B[5] = B[7] = d[4] * A[5] + A[4] * d[5] - d[0] * A[3] - A[0] * d[3];
}

/* A : B of a symmetric tensor 11, 22, 33, 23, 13, 12 and one row by row. */
INLINE real contraction(const real A[6], const real B[9]) {
  return A[0] * B[0] + A[1] * B[4] + A[2] * B[8] + A[3] * (B[5] + B[7]) + A[4] * (B[2] + B[6]) + A[5] * (B[1] + B[3]);
}

/* d: in, the change of a stretch; out, that of its isochoric part. */
INLINE void isochoric_forward(const real stretch[6], real d[6]) {
  real inverse[9], U[6];
  copy(stretch, 6, U);
  isochoric(U);
  const real scale = (U[0] + U[1] + U[2]) / (stretch[0] + stretch[1] + stretch[2]);
  for (int k = 0; k < 6; ++k) d[k] *= scale;
  adjugate(U, inverse);
  const real volume = contraction(d, inverse) * (1.0 / 3.0);
  for (int k = 0; k < 6; ++k) d[k] -= volume * U[k];
}

/* The change of what `driving` returns; l is returned too. Where both stretches are one and change alike, it is zero. */
INLINE void driving_forward(const real from[6], const real to[6], const real dfrom[6], const real dto[6], real l[9],
                            real dl[9], real ddriven[5]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  real D[9], dD[9], inverse[9], dinverse[9], A[9];
  for (int i = 0; i < 9; ++i) D[i] = to[packed[i]] - from[packed[i]], dD[i] = dto[packed[i]] - dfrom[packed[i]];
  adjugate(from, inverse);
  adjugate_forward(from, dfrom, dinverse);
  product(D, inverse, l);
  product(dD, inverse, dl);
  product(D, dinverse, A);
  for (int i = 0; i < 9; ++i) dl[i] += A[i];
  for (int i = 0; i < 3; ++i) /* the symmetric part of 2 (dl + dl l^T) */
    for (int j = 0; j < 3; ++j)
      A[3 * i + j] = 2.0 * (dl[3 * i + j] + dl[3 * i] * l[3 * j] + dl[3 * i + 1] * l[3 * j + 1] +
                            dl[3 * i + 2] * l[3 * j + 2]);
  deviator_of(A, ddriven);
}

/* The change of dev(f S f^T), f = I + l. */
INLINE void convect_forward(const real l[9], const real dl[9], const real s[5], const real ds[5], real dmoved[5]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real S[9], dS[9], X[9], Y[9], B[9], added[5];
  from_deviator5_and_axial(s, zero, S);
  from_deviator5_and_axial(ds, zero, dS);
  product(dl, S, X);
  product(l, dS, Y);
  for (int i = 0; i < 9; ++i) Y[i] += 2.0 * X[i];
  for (int i = 0; i < 3; ++i) /* the symmetric part of 2 dl S f^T + 2 l dS + l dS l^T */
    for (int j = 0; j < 3; ++j)
      B[3 * i + j] = 2.0 * (Y[3 * i + j] - X[3 * i + j]) + Y[3 * i] * l[3 * j] + Y[3 * i + 1] * l[3 * j + 1] +
                     Y[3 * i + 2] * l[3 * j + 2];
  deviator_of(B, added);
  for (int k = 0; k < 5; ++k) dmoved[k] = ds[k] + added[k];
}

/* The change of the strain features x of an isochoric stretch U. */
INLINE void strain_features_forward(const real U[6], const real dU[6], const real x[13], real dx[13]) {
  static const int diagonal[6] = {0, 4, 8, 5, 2, 1};
  real inverse[9], dinverse[9];
  adjugate(U, inverse);
  adjugate_forward(U, dU, dinverse);
  const real mean = (U[0] + U[1] + U[2] + inverse[0] + inverse[4] + inverse[8]) * (1.0 / 6.0), scale = 1.0 / mean;
  dx[SHAPE] = (dU[0] + dU[1] + dU[2] + dinverse[0] + dinverse[4] + dinverse[8]) * (1.0 / 6.0) * scale;
  for (int k = 0; k < 6; ++k) {
    const real weighted = k < 3 ? scale : R2 * scale, d = dinverse[diagonal[k]];
    dx[k] = (dU[k] - d) * weighted - x[k] * dx[SHAPE];
    dx[6 + k] = (dU[k] + d) * weighted - (x[6 + k] + (k < 3 ? 2.0 : 0.0)) * dx[SHAPE];
  }
}

/* The changes of direction, rate and size among the features, given those of the strain increment and of its size. */
INLINE void increment_forward(const Step *step, const real ddriven[5], real dsize, real *dx) {
  const real size = step->size * STRAIN_SCALE, passed = size + SLOWEST_RATE * step->dt + TINY;
  const real sum = size + STRAIN_SCALE, last = step->dt + size * (1.0 / FASTEST_RATE) + TINY;
  const real half = choose(size + step->dt > 0.0, 0.5 / passed, splat(0)); /* nothing turns in a step of nothing */
  for (int k = 0; k < 5; ++k)
    dx[DIRECTION + k] = half * (ddriven[k] - 2.0 * step->features[DIRECTION + k] * dsize);
  dx[RATE] = 0.5 * dsize * (1.0 / passed - (1.0 / FASTEST_RATE) / last);
  dx[RATE + 1] = (4.0 * STRAIN_SCALE) * dsize / (sum * sum);
}

/* The change of what next_part has made of the stretch `before` this part and the elastic strains z. The size of a step is
 * a norm: at a step of no strain, where it has a kink, its change is taken as zero, the mean of both sides. */
INLINE void next_part_forward(const Points *p, const real before[6], int part, const real z[ELASTIC],
                              const real dz[ELASTIC], const Step *step, Change *c, Step *d) {
  real dnext[6], l[9], dl[9], ddriven[5];
  const real share = smaller(part / p->parts, splat(1));
  copy(c->to, 6, dnext);
  if (any(share < 1.0)) {
    real straight[6], dstraight[6];
    for (int k = 0; k < 6; ++k) {
      straight[k] = (1.0 - share) * p->from[k] + share * p->to[k];
      dstraight[k] = share * c->to[k];
    }
    isochoric_forward(straight, dstraight);
    for (int k = 0; k < 6; ++k) dnext[k] = choose(share == 1.0, dnext[k], dstraight[k]);
  }
  driving_forward(before, p->now, c->now, dnext, l, dl, ddriven);
  copy(dnext, 6, c->now);
  const mask moves = step->size > 0.0;
  const real dsize = choose(moves, 0.25 * dot(step->strain, ddriven) / choose(moves, step->size, splat(1)), splat(0));
  d->dt = splat(0);
  d->size = dsize * (1.0 / STRAIN_SCALE);
  for (int k = 0; k < 5; ++k) d->strain[k] = ddriven[k] * (1.0 / STRAIN_SCALE);
  for (int g = 0; g < GROUPS; ++g) convect_forward(l, dl, z + g * DEVIATOR, dz + g * DEVIATOR, d->moved[g]);
  strain_features_forward(p->now, dnext, step->features, d->features);
  increment_forward(step, ddriven, dsize, d->features);
}
#endif
