/* Steps of the recurrent surrogate at material points, as multiscale/surrogate/recurrent/increments.py and substeps.py have
 * them: what the network sees of a step, and how the step carries elastic strains along. */
#pragma once
#include "microscale/native/lanes.h"

#define SHAPE (DIRECTION - 1) /* of the features, ln m: how far the isochoric stretch is from none */
#define TINY 1e-30

/* Points across the lanes of a vector: where they go in a step. */
typedef struct {
  real R[9], inverse[9], J;  /* F = R U; U^-1; det F */
  real from[6], to[6], now[6]; /* isochoric stretch 11, 22, 33, 23, 13, 12: before and after the step, and on the way */
  real size, parts, dt, driven[5];
} Points;

/* One part of that step. */
typedef struct {
  real strain[5], size;  /* elastic driving and size of the increment, over the strain scale */
  real moved[ELASTIC];   /* elastic strains carried along, over the strain scale */
  real dt;
} Part;

/* Rotation of F = R U by scaled Newton steps (Higham 1986); lanes that have converged are left as they are. */
INLINE void rotation(const real F[9], real X[9]) {
  memcpy(X, F, 9 * sizeof(real));
  mask active = splat(0) == 0.0;
  for (int iteration = 0; iteration < 30 && any(active); ++iteration) {
    real C[9], x2 = splat(0), c2 = splat(0), change = splat(0);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
        C[3 * i + j] = X[3 * a + c] * X[3 * b + d] - X[3 * a + d] * X[3 * b + c];
      }
    const real inverse_J = 1.0 / (X[0] * C[0] + X[1] * C[1] + X[2] * C[2]);
    for (int i = 0; i < 9; ++i) {
      C[i] *= inverse_J;
      x2 += X[i] * X[i];
      c2 += C[i] * C[i];
    }
    const real scale = root(root(c2 / x2)), half = 0.5 * scale, inverse = 0.5 / scale;
    for (int i = 0; i < 9; ++i) {
      const real next = half * X[i] + inverse * C[i];
      change = larger(change, magnitude(next - X[i]));
      X[i] = choose(active, next, X[i]);
    }
    active &= change > 1e-8; /* convergence is quadratic: what is left is below rounding */
  }
}

/* det(A) A^-1 of a symmetric tensor 11, 22, 33, 23, 13, 12, row by row. */
INLINE void adjugate(const real A[6], real B[9]) {
  B[0] = A[1] * A[2] - A[3] * A[3];
  B[4] = A[0] * A[2] - A[4] * A[4];
  B[8] = A[0] * A[1] - A[5] * A[5];
  B[1] = B[3] = A[3] * A[4] - A[2] * A[5];
  B[2] = B[6] = A[3] * A[5] - A[1] * A[4];
  B[5] = B[7] = A[4] * A[5] - A[0] * A[3];
}

/* Deviators here are ordered as in lanes.h; A is any tensor, its symmetric part counts. */
INLINE void deviator_of(const real A[9], real s[5]) {
  deviator5(A[0], A[4], A[8], 0.5 * (A[5] + A[7]), 0.5 * (A[2] + A[6]), 0.5 * (A[1] + A[3]), s);
}

/* dev(f S f^T) with f = I + l, for a deviator s; s itself where l = 0. */
INLINE void convect(const real l[9], const real s[5], real moved[5]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real S[9], A[9], B[9], added[5];
  from_deviator5_and_axial(s, zero, S);
  product(l, S, A);
  for (int i = 0; i < 3; ++i) /* the symmetric part of 2 l S + l S l^T */
    for (int j = 0; j < 3; ++j)
      B[3 * i + j] =
          2.0 * A[3 * i + j] + A[3 * i] * l[3 * j] + A[3 * i + 1] * l[3 * j + 1] + A[3 * i + 2] * l[3 * j + 2];
  deviator_of(B, added);
  for (int k = 0; k < 5; ++k) moved[k] = s[k] + added[k];
}

INLINE void strain_features(const real U[6], const real inverse[9], real x[13]) {
  const real V[6] = {inverse[0], inverse[4], inverse[8], inverse[5], inverse[2], inverse[1]};
  const real mean = (U[0] + U[1] + U[2] + V[0] + V[1] + V[2]) * (1.0 / 6.0), scale = 1.0 / mean;
  for (int k = 0; k < 6; ++k) {
    const real weighted = k < 3 ? scale : R2 * scale;
    x[k] = (U[k] - V[k]) * weighted;
    x[6 + k] = (U[k] + V[k]) * weighted - (k < 3 ? 2.0 : 0.0);
  }
  x[SHAPE] = logarithm(mean);
}

/* dev(f f^T), f = next last^-1 of isochoric stretches, is what a step from last to next adds to the elastic strain;
 * l = f - I. Returns half its norm, the size of the step. */
INLINE real driving(const real last[6], const real next[6], real l[9], real driven[5]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  real D[9], inverse[9], A[9], square = splat(0);
  for (int i = 0; i < 9; ++i) D[i] = next[packed[i]] - last[packed[i]];
  adjugate(last, inverse);
  product(D, inverse, l);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      A[3 * i + j] = l[3 * i + j] + l[3 * j + i] + l[3 * i] * l[3 * j] + l[3 * i + 1] * l[3 * j + 1] +
                     l[3 * i + 2] * l[3 * j + 2];
  deviator_of(A, driven);
  for (int k = 0; k < 5; ++k) square += driven[k] * driven[k];
  return 0.5 * root(square);
}

INLINE void kinematics(const real F[9], Points *p) {
  rotation(F, p->R);
  real U[6], l[9];
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  for (int k = 0; k < 6; ++k) {
    const int i = row[k], j = column[k];
    real a = splat(0);
    for (int m = 0; m < 3; ++m)
      a += p->R[3 * m + i] * F[3 * m + j] + p->R[3 * m + j] * F[3 * m + i];
    U[k] = 0.5 * a;
  }
  p->J = det(F);
  adjugate(U, p->inverse);
  const real inverse_J = 1.0 / p->J, iso = choose(p->J == 1.0, splat(1), inverse_cube_root(p->J));
  for (int i = 0; i < 9; ++i) p->inverse[i] *= inverse_J;
  for (int k = 0; k < 6; ++k) p->to[k] = U[k] * iso;
  memcpy(p->now, p->from, sizeof p->now);
  p->size = driving(p->from, p->to, l, p->driven);
  for (int i = 0; i < LANES; ++i) p->parts[i] = fmin(fmax(ceil(p->size[i] / LARGEST_STEP), 1.0), MOST_PARTS);
}

/* The part-th part of a step, and what the network sees of it. Points with fewer parts stand still. */
INLINE Part next_part(Points *p, int part, const real z[ELASTIC], real *x) {
  Part out;
  real next[6], l[9], driven[5], inverse[9];
  const real share = smaller(part / p->parts, splat(1));
  for (int k = 0; k < 6; ++k) next[k] = (1.0 - share) * p->from[k] + share * p->to[k];
  if (any(share < 1.0)) {
    const real volume = next[0] * (next[1] * next[2] - next[3] * next[3]) +
                        next[5] * (next[3] * next[4] - next[5] * next[2]) +
                        next[4] * (next[5] * next[3] - next[1] * next[4]);
    const real iso = choose(share == 1.0, splat(1), inverse_cube_root(volume));
    for (int k = 0; k < 6; ++k) next[k] *= iso;
  }
  const real size = driving(p->now, next, l, driven);
  memcpy(p->now, next, sizeof next);
  out.dt = choose(part <= p->parts, p->dt / p->parts, splat(0));
  out.size = size * (1.0 / STRAIN_SCALE);
  for (int k = 0; k < 5; ++k) out.strain[k] = driven[k] * (1.0 / STRAIN_SCALE);
  for (int g = 0; g < GROUPS; ++g) convect(l, z + g * DEVIATOR, out.moved + g * DEVIATOR);
  adjugate(next, inverse);
  strain_features(next, inverse, x);
  const real passed = size + SLOWEST_RATE * out.dt + TINY;
  for (int k = 0; k < 5; ++k) x[DIRECTION + k] = 0.5 * driven[k] / passed;
  x[DIRECTION + DEVIATOR] = 0.5 * logarithm(passed / (out.dt + size * (1.0 / FASTEST_RATE) + TINY));
  x[DIRECTION + DEVIATOR + 1] = 4.0 * size / (size + STRAIN_SCALE);
  return out;
}
