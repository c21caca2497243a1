/* The mechanism J2 and Johnson-Cook share, LANES points at a time: the equations of radial_return.py.
 *
 * Points never mix and each takes the same instructions, so a result does not depend on the batch it was computed
 * in. A symmetric tensor is 6 reals: 11, 22, 33, 23, 13, 12. */
#ifndef RADIAL_RETURN_H
#define RADIAL_RETURN_H

#include "microscale/native/points.h"

#define SMALL 1e-3 /* largest j2 of the series of (I + X): principal values of X within 0.037 */
#define TERMS 12   /* 0.037^12 / 12 is below rounding */

static const mask EVERY = {-1, -1, -1, -1, -1, -1, -1, -1};

/* x^n for x >= 0, n > 0; zero below the normal numbers. */
INLINE real raised(real x, double n) {
  return n == 1.0 ? x : choose(x > 1e-300, exponential(n * logarithm(larger(x, splat(1e-300)))), splat(0));
}

/* Interpolation at the principal values of X, for the rare point of large elastic strain: coefficients of
 * c0 I + c1 X + c2 X^2 = f(I + X), f the logarithm, or the power where `exponent` is not negative. A repeated
 * pair, which the cubic gives to half of the digits only, is kept 1e-7 of the radius apart to divide safely: as
 * nodes of interpolation that loses nothing. */
static void interpolate(double j2, double j3, double exponent, double c[3]) {
  const double radius = sqrt(j2 / 3.0), cosine = fmin(fmax(0.5 * j3 / (radius * radius * radius), -1.0), 1.0);
  const double angle = fmin(fmax(acos(cosine) / 3.0, 1e-7), M_PI / 3.0 - 1e-7);
  const double along = radius * cos(angle), across = sqrt(3.0) * radius * sin(angle);
  const double x[3] = {2.0 * along, across - along, -along - across};
  double f[3];
  for (int i = 0; i < 3; ++i) f[i] = exponent < 0.0 ? log1p(x[i]) : pow(1.0 + x[i], exponent);
  const double first = (f[0] - f[1]) / (x[0] - x[1]);
  const double second = ((f[1] - f[2]) / (x[1] - x[2]) - first) / (x[2] - x[0]);
  c[0] = f[0] - first * x[0] + second * x[0] * x[1];
  c[1] = first - second * (x[0] + x[1]);
  c[2] = second;
}

static __attribute__((noinline)) void interpolate_large(real j2, real j3, real exponent, real c[3]) {
  for (int l = 0; l < LANES; ++l)
    if (j2[l] > SMALL) {
      double of_lane[3];
      interpolate(j2[l], j3[l], exponent[l], of_lane);
      for (int k = 0; k < 3; ++k) c[k][l] = of_lane[k];
    }
}

/* Coefficients of ln(I + X). Horner: c <- c X + weight, reduced by Cayley-Hamilton X^3 = j2 X + j3 I. */
INLINE void log_coefficients(real j2, real j3, real c[3]) {
  c[0] = c[1] = c[2] = splat(0);
  for (int k = TERMS; k > 0; --k) {
    const real c0 = j3 * c[2] + (k % 2 ? 1.0 : -1.0) / k, c1 = j2 * c[2] + c[0];
    c[2] = c[1], c[1] = c1, c[0] = c0;
  }
  const real c0 = j3 * c[2], c1 = j2 * c[2] + c[0]; /* the constant term is zero */
  c[2] = c[1], c[1] = c1, c[0] = c0;
  if (any(j2 > SMALL)) interpolate_large(j2, j3, splat(-1), c);
}

/* Coefficients of (I + X)^r = 1 + (r X / 1) (1 + ((r - 1) X / 2) (1 + ...)). */
INLINE void power_coefficients(real j2, real j3, real r, real c[3]) {
  c[0] = splat(1), c[1] = c[2] = splat(0);
  for (int k = TERMS; k > 0; --k) {
    const real weight = (r - (k - 1.0)) * (1.0 / k);
    const real c0 = weight * j3 * c[2] + 1.0, c1 = weight * (j2 * c[2] + c[0]);
    c[2] = weight * c[1], c[1] = c1, c[0] = c0;
  }
  if (any(j2 > SMALL)) interpolate_large(j2, j3, r, c);
}

typedef struct {
  real J, cofactor[9]; /* of F */
  real X[6], square[6], j2, j3, log[3];
  real stress; /* Kirchhoff von Mises stress, GPa */
} Trial;

INLINE void congruence(const real A[9], const real S[6], real out[6]) { /* A S A^T */
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2}, row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  real half[9];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      half[3 * i + j] =
          A[3 * i] * S[packed[j]] + A[3 * i + 1] * S[packed[3 + j]] + A[3 * i + 2] * S[packed[6 + j]];
  for (int k = 0; k < 6; ++k) {
    const real *a = half + 3 * row[k], *b = A + 3 * column[k];
    out[k] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  }
}

/* Freeze plastic flow; `metric` is Cp^-1. */
INLINE void freeze(const real F[9], const real metric[6], double shear_modulus, Trial *t) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
      t->cofactor[3 * i + j] = F[3 * a + c] * F[3 * b + d] - F[3 * a + d] * F[3 * b + c];
    }
  t->J = F[0] * t->cofactor[0] + F[1] * t->cofactor[1] + F[2] * t->cofactor[2];
  real b[6], *X = t->X, *S = t->square;
  congruence(F, metric, b);
  const real mean = (b[0] + b[1] + b[2]) * (1.0 / 3.0), inverse = 1.0 / mean;
  for (int k = 0; k < 6; ++k) X[k] = inverse * (k < 3 ? b[k] - mean : b[k]);
  X[2] = -X[0] - X[1]; /* free of trace to the last of its own digits */
  S[0] = X[0] * X[0] + X[5] * X[5] + X[4] * X[4];
  S[1] = X[5] * X[5] + X[1] * X[1] + X[3] * X[3];
  S[2] = X[4] * X[4] + X[3] * X[3] + X[2] * X[2];
  S[3] = X[5] * X[4] + X[1] * X[3] + X[3] * X[2];
  S[4] = X[0] * X[4] + X[5] * X[3] + X[4] * X[2];
  S[5] = X[0] * X[5] + X[5] * X[1] + X[4] * X[3];
  t->j2 = 0.5 * (S[0] + S[1] + S[2]);
  t->j3 = X[0] * (X[1] * X[2] - X[3] * X[3]) - X[5] * (X[5] * X[2] - X[3] * X[4]) + X[4] * (X[5] * X[3] - X[1] * X[4]);
  log_coefficients(t->j2, t->j3, t->log);
  const real c1 = t->log[1], c2 = t->log[2];
  t->stress = shear_modulus * root(1.5 * (2.0 * c1 * c1 * t->j2 + 6.0 * c1 * c2 * t->j3) + c2 * c2 * t->j2 * t->j2);
}

INLINE void combination(const real c[3], const Trial *t, real out[6]) { /* c0 I + c1 X + c2 X^2 */
  for (int k = 0; k < 6; ++k) {
    out[k] = c[1] * t->X[k] + c[2] * t->square[k];
    if (k < 3) out[k] += c[0];
  }
}

/* Cp^-1 = F^-1 b F^-T after the deviatoric elastic strains have been scaled by `ratio`: b is proportional to
 * (I + X)^ratio, and det b = J^2. */
INLINE void flow_back(const Trial *t, real ratio, real metric[6]) {
  real c[3], elastic[6], transposed[9];
  power_coefficients(t->j2, t->j3, ratio, c);
  combination(c, t, elastic);
  const real log_det = 3.0 * t->log[0] + 2.0 * t->log[2] * t->j2, y = inverse_cube_root(t->J);
  const real factor = (y * y) * (y * y) * exponential(ratio * log_det * (-1.0 / 3.0));
  for (int i = 0; i < 9; ++i) transposed[i] = t->cofactor[3 * (i % 3) + i / 3];
  congruence(transposed, elastic, metric);
  for (int k = 0; k < 6; ++k) metric[k] *= factor;
}

/* P = tau F^-T of the Kirchhoff stress tau = modulus dev ln(I + X) + mean I. */
INLINE void piola(const Trial *t, real modulus, real mean, real P[9]) {
  const real c[3] = {mean - modulus * t->log[2] * t->j2 * (1.0 / 1.5), modulus * t->log[1], modulus * t->log[2]};
  real S[6];
  combination(c, t, S);
  const real tau[9] = {S[0], S[5], S[4], S[5], S[1], S[3], S[4], S[3], S[2]}, inverse_J = 1.0 / t->J;
  product(tau, t->cofactor, P);
  for (int i = 0; i < 9; ++i) P[i] *= inverse_J;
}

/* The arrays of a point: F, plastic metric Cp^-1, P (n, 9); plastic strain, dissipation (n). */
INLINE void trial_at(const double *F, const double *plastic, const Block *b, double shear_modulus, Trial *t) {
  real A[9], M[9];
  gather(F, b, 9, A);
  gather(plastic, b, 9, M);
  const real metric[6] = {M[0], M[4], M[8], M[5], M[2], M[1]};
  freeze(A, metric, shear_modulus, t);
}

/* Let the point flow and return the part of its elastic deviator that is left. */
INLINE real flow_at(const Block *b, const Trial *t, real flow, double stiffness, real work[1], double *plastic,
                    double *strain, double *dissipation) {
  const mask flows = flow > 0.0;
  work[0] = splat(0);
  if (!any(flows)) return splat(1);
  const real ratio = choose(flows, 1.0 - stiffness * flow / t->stress, splat(1));
  real S[6];
  flow_back(t, ratio, S);
  const real M[9] = {S[0], S[5], S[4], S[5], S[1], S[3], S[4], S[3], S[2]};
  work[0] = ratio * t->stress * flow;
  for (int l = 0; l < b->lanes; ++l)
    if (flows[l]) {
      for (int k = 0; k < 9; ++k) plastic[9 * (b->first + l) + k] = M[k][l];
      strain[b->first + l] += flow[l];
      dissipation[b->first + l] += work[0][l];
    }
  return ratio;
}
#endif
