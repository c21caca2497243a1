/* Steps of the recurrent surrogate at material points, as multiscale/surrogate/recurrent/increments.py and substeps.py have
 * them: what the network sees of a step, and how the step carries elastic strains along. In double precision. */
#ifndef LEARNED_STEPS_H
#define LEARNED_STEPS_H
#include "microscale/native/isochoric.h"
#include "recurrent_cell.h"

#define TINY 1e-30

/* Points across the lanes of a vector: where they go in a step. */
typedef struct {
  real R[9], inverse[9], J;  /* F = R U; U^-1; det F */
  real from[6], to[6], now[6]; /* isochoric stretch 11, 22, 33, 23, 13, 12: before and after the step, and on the way */
  real size, parts, dt, driven[5];
#if TEXTURE
  real texture[OF_TEXTURE];
#endif
} Points;

/* Rotation of F = R U, given the isochoric F in X, by Newton's steps X <- (X + X^-T) / 2 (Higham 1986), without the
 * scaling that volumes need; lanes that have converged are left as they are. */
INLINE void rotation(real X[9]) {
  mask active = splat(0) == 0.0;
  for (int iteration = 0; iteration < 60 && any(active); ++iteration) {
    real C[9], change[3];
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
        C[3 * i + j] = X[3 * a + c] * X[3 * b + d] - X[3 * a + d] * X[3 * b + c];
      }
    const real half_inverse = 0.5 * reciprocal(X[0] * C[0] + X[1] * C[1] + X[2] * C[2]);
    for (int i = 0; i < 9; ++i) {
      const real step = half_inverse * C[i] - 0.5 * X[i];
      change[i % 3] = i < 3 ? step * step : change[i % 3] + step * step;
      X[i] = choose(active, X[i] + step, X[i]);
    }
    active &= change[0] + change[1] + change[2] > 1e-16; /* convergence is quadratic: below it is rounding */
  }
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

INLINE void strain_features(const real U[6], real x[13]) {
  real inverse[9];
  adjugate(U, inverse); /* det U = 1 */
  const real V[6] = {inverse[0], inverse[4], inverse[8], inverse[5], inverse[2], inverse[1]};
  const real mean = (U[0] + U[1] + U[2] + V[0] + V[1] + V[2]) * (1.0 / 6.0), scale = 1.0 / mean;
  for (int k = 0; k < 6; ++k) {
    const real weighted = k < 3 ? scale : R2 * scale;
    x[k] = (U[k] - V[k]) * weighted;
    x[6 + k] = (U[k] + V[k]) * weighted - (k < 3 ? 2.0 : 0.0);
  }
  x[SHAPE] = logarithm(mean);
}

/* Half the norm of dev(f f^T), the size of a step. */
INLINE real size_of(const real driven[5]) { return 0.5 * root(dot(driven, driven)); }

/* Where a step ends: right stretch U and its determinant, of points that have p->from. */
INLINE void towards(const real U[6], real J, real iso, Points *p) {
  const real inverse_J = 1.0 / J;
  real l[9];
  p->J = J;
  adjugate(U, p->inverse);
  for (int i = 0; i < 9; ++i) p->inverse[i] *= inverse_J;
  for (int k = 0; k < 6; ++k) p->to[k] = U[k] * iso;
  copy(p->from, 6, p->now);
  driving(p->from, p->to, l, p->driven);
  p->size = size_of(p->driven);
  for (int i = 0; i < LANES; ++i)
    LANE(p->parts, i) = fmin(fmax(ceil(LANE(p->size, i) / LARGEST_STEP), 1.0), MOST_PARTS);
}

#if HOLDS
/* Cut a step from elastic strains z by the time under stress too: what rests relaxes, whatever steps it is asked in; by the
 * cube of the strain, since what was strained fast relaxes so much faster; and less where strain passes, which cuts too. */
INLINE void cut_by_time(const real z[ELASTIC], Points *p) {
  real stress = splat(0);
  for (int g = 0; g < GROUPS; ++g) stress += root(dot(z + g * DEVIATOR, z + g * DEVIATOR)) * (1.0 / GROUPS);
  for (int i = 0; i < LANES; ++i) {
    const double s = LANE(stress, i), time = LANE(p->dt, i) * s;
    const double passed = time + LANE(p->size, i) * (STRAIN_AS_TIME / STRAIN_SCALE);
    const double parts = ceil(time * s * s / LONGEST_UNDER_STRESS * (time / (passed + TINY)));
    LANE(p->parts, i) = fmin(fmax(LANE(p->parts, i), parts), MOST_PARTS);
  }
}
#endif

/* J^(-1/3), exactly one where J is. */
INLINE real isochoric_scale(real J) { return choose(J == 1.0, splat(1), inverse_cube_root(J)); }

INLINE void kinematics(const real F[9], Points *p) {
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  const real J = det(F), iso = isochoric_scale(J);
  real U[6];
  for (int i = 0; i < 9; ++i) p->R[i] = iso * F[i];
  rotation(p->R);
  for (int k = 0; k < 6; ++k) {
    const int i = row[k], j = column[k];
    real a = splat(0);
    for (int m = 0; m < 3; ++m)
      a += p->R[3 * m + i] * F[3 * m + j] + p->R[3 * m + j] * F[3 * m + i];
    U[k] = 0.5 * a;
  }
  towards(U, J, iso, p);
}

/* The part-th part of a step from elastic strains z. Points with fewer parts stand still. */
INLINE void next_part(Points *p, int part, const real z[ELASTIC], Step *step) {
  real next[6], l[9], driven[5], *x = step->features;
  const real share = smaller(part / p->parts, splat(1));
  for (int k = 0; k < 6; ++k) next[k] = (1.0 - share) * p->from[k] + share * p->to[k];
  if (any(share < 1.0)) {
    real unimodular[6];
    copy(next, 6, unimodular);
    isochoric(unimodular);
    for (int k = 0; k < 6; ++k) next[k] = choose(share == 1.0, next[k], unimodular[k]);
  }
  driving(p->now, next, l, driven);
  copy(next, 6, p->now);
  const real size = size_of(driven);
  step->dt = choose(part <= p->parts, p->dt / p->parts, splat(0));
  step->size = size * (1.0 / STRAIN_SCALE);
  for (int k = 0; k < 5; ++k) step->strain[k] = driven[k] * (1.0 / STRAIN_SCALE);
  for (int g = 0; g < GROUPS; ++g) convect(l, z + g * DEVIATOR, step->moved[g]);
#if TEXTURE
  copy(p->texture, OF_TEXTURE, step->texture);
#endif
  strain_features(next, x);
  const real passed = size + SLOWEST_RATE * step->dt + TINY;
  const real half = 0.5 / passed;
  for (int k = 0; k < 5; ++k) x[DIRECTION + k] = half * driven[k];
  x[RATE] = 0.5 * logarithm(passed / (step->dt + size * (1.0 / FASTEST_RATE) + TINY));
  x[RATE + 1] = 4.0 * size / (size + STRAIN_SCALE);
}
#endif
