/* Arithmetic in double precision for kernels that advance LANES material points at once, see vectors.h; one point in
 * plain C99 where ONE_LANE is defined, see one_lane.h.
 *
 * A `real` holds one number of each lane; code on `real` reads like scalar code. */
#ifndef LANES_H
#define LANES_H

#include "vector_width.h"

#ifdef ONE_LANE
#include "one_lane.h"
#else
#include "vectors.h"

#define LANES DOUBLES
#define LANE(x, l) (x)[l]
typedef doubles real;
typedef doubles_mask mask;
typedef uint64_t bits __attribute__((vector_size(8 * LANES)));

INLINE real splat(double x) { return every_double(x); }
/* The second of two numbers where either is not one. */
#if LANES == 8 && defined(__AVX512F__)
INLINE real larger(real a, real b) { return (real)_mm512_max_pd((__m512d)a, (__m512d)b); }
INLINE real smaller(real a, real b) { return (real)_mm512_min_pd((__m512d)a, (__m512d)b); }
#elif LANES == 4 && defined(__AVX__)
INLINE real larger(real a, real b) { return (real)_mm256_max_pd((__m256d)a, (__m256d)b); }
INLINE real smaller(real a, real b) { return (real)_mm256_min_pd((__m256d)a, (__m256d)b); }
#else
INLINE real larger(real a, real b) { return choose(a > b, a, b); }
INLINE real smaller(real a, real b) { return choose(a < b, a, b); }
#endif
INLINE real magnitude(real a) { return (real)((mask)a & INT64_MAX); }
INLINE real with_sign_of(real a, real s) { return (real)((mask)a | ((mask)s & INT64_MIN)); }

INLINE int any(mask m) {
#if LANES == 8 && defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)m);
#elif LANES == 4 && defined(__AVX__)
  return _mm256_movemask_pd((__m256d)m);
#else
  int64_t together = 0;
  for (int l = 0; l < LANES; ++l) together |= m[l];
  return together != 0;
#endif
}

/* Whole numbers from 0 to 2^51 in integer lanes, and to them: few processors have an instruction for it. */
INLINE real real_of(bits n) { return (real)(n | 0x4330000000000000ULL) - 4503599627370496.0; }
INLINE bits whole(real x) { return (bits)(x + 4503599627370496.0) ^ 0x4330000000000000ULL; }

/* exp(x) for x <= 0. */
INLINE real exp_negative(real x) {
  real r;
  mask exponent;
  const real p = reduced_double(larger(x, splat(-700.0)), &r, &exponent);
  return (real)((mask)(p * r + 1.0) + exponent);
}

/* ln(x) for normal x > 0: exponent, and the series of artanh of a mantissa in (sqrt(1/2), sqrt(2)). */
INLINE real logarithm(real x) {
  const bits exponent = ((bits)x - 0x3fe6a09e667f3bcdULL + (1024ULL << 52)) >> 52; /* with a bias of 1024 */
  const real mantissa = (real)((bits)x - ((exponent - 1024) << 52));
  const real u = (mantissa - 1.0) / (mantissa + 1.0), v = u * u;
  real p = splat(1.0 / 23.0);
  for (int n = 21; n >= 1; n -= 2) p = p * v + 1.0 / n;
  return 2.0 * u * p + (real_of(exponent) - 1024.0) * 0.693147180559945309417;
}

/* q^(-1/3) for q > 0: a guess from the exponent bits, then Newton to double precision. */
INLINE real inverse_cube_root(real q) {
  real y = (real)(0x553ef0ff289dd796ULL - (whole(real_of((bits)q >> 32) * (1.0 / 3.0)) << 32));
  for (int i = 0; i < 5; ++i) y *= (4.0 - q * y * y * y) * (1.0 / 3.0);
  return y;
}

/* x^n for x >= 0; the common whole exponents stay in the vector units. */
INLINE real power(real x, double n) {
  if (n == 1.0) return x;
  if (n == 2.0) return x * x;
  if (n == 4.0) return (x * x) * (x * x);
  if (n == 5.0) return (x * x) * (x * x) * x;
  real y;
  for (int l = 0; l < LANES; ++l) y[l] = pow(x[l], n);
  return y;
}

#endif

INLINE real positive(real a) { return larger(a, splat(0)); }

INLINE void copy(const real *from, int count, real *to) {
  for (int k = 0; k < count; ++k) to[k] = from[k];
}

/* Tensors are 9 reals, row by row. */
INLINE void product(const real A[9], const real B[9], real C[9]) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      C[3 * i + j] = A[3 * i] * B[j] + A[3 * i + 1] * B[3 + j] + A[3 * i + 2] * B[6 + j];
}

INLINE real det(const real A[9]) {
  return A[0] * (A[4] * A[8] - A[5] * A[7]) - A[1] * (A[3] * A[8] - A[5] * A[6]) + A[2] * (A[3] * A[7] - A[4] * A[6]);
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

/* exp(-D) of a small increment D, to the fifth order. */
INLINE void exp_minus(const real D[9], real E[9]) {
  real P[9], Q[9];
  for (int i = 0; i < 9; ++i) P[i] = D[i] * (-1.0 / 5.0) + (i % 4 == 0 ? 1.0 : 0.0);
  for (int n = 4; n >= 1; --n) { /* Horner: I - D/n (I - D/(n+1) (...)) */
    product(D, P, Q);
    for (int i = 0; i < 9; ++i) P[i] = Q[i] * (-1.0 / n) + (i % 4 == 0 ? 1.0 : 0.0);
  }
  copy(P, 9, E);
}

/* A symmetric deviator as 5 reals in an orthonormal basis: the product of two such vectors is A : B.
 * `skew` parts are axial vectors w with W x = w cross x. */
#define R2 1.41421356237309504880
#define R6 2.44948974278317809820
INLINE void deviator5(real C11, real C22, real C33, real C23, real C13, real C12, real s[5]) {
  s[0] = (2.0 * C33 - C11 - C22) * (1.0 / R6);
  s[1] = (C11 - C22) * (1.0 / R2);
  s[2] = C23 * R2;
  s[3] = C13 * R2;
  s[4] = C12 * R2;
}

INLINE void from_deviator5_and_axial(const real s[5], const real w[3], real D[9]) {
  D[0] = s[1] * (1.0 / R2) - s[0] * (1.0 / R6);
  D[4] = -s[1] * (1.0 / R2) - s[0] * (1.0 / R6);
  D[8] = s[0] * (2.0 / R6);
  D[1] = s[4] * (1.0 / R2) - w[2];
  D[3] = s[4] * (1.0 / R2) + w[2];
  D[2] = s[3] * (1.0 / R2) + w[1];
  D[6] = s[3] * (1.0 / R2) - w[1];
  D[5] = s[2] * (1.0 / R2) - w[0];
  D[7] = s[2] * (1.0 / R2) + w[0];
}

/* Solve (I + g K) x = b for symmetric K (5 x 5, lower half) and g K positive, by LDL^T. */
INLINE void solve5(const real K[15], real g, real b[5]) {
  real L[15], d[5], inverse[5];
  for (int j = 0; j < 5; ++j) {
    real pivot = 1.0 + g * K[j * (j + 1) / 2 + j];
    for (int k = 0; k < j; ++k) pivot -= L[j * (j + 1) / 2 + k] * L[j * (j + 1) / 2 + k] * d[k];
    d[j] = pivot;
    inverse[j] = reciprocal(pivot);
    for (int i = j + 1; i < 5; ++i) {
      real v = g * K[i * (i + 1) / 2 + j];
      for (int k = 0; k < j; ++k) v -= L[i * (i + 1) / 2 + k] * L[j * (j + 1) / 2 + k] * d[k];
      L[i * (i + 1) / 2 + j] = v * inverse[j];
    }
  }
  for (int i = 1; i < 5; ++i)
    for (int k = 0; k < i; ++k) b[i] -= L[i * (i + 1) / 2 + k] * b[k];
  for (int i = 4; i >= 0; --i) {
    b[i] *= inverse[i];
    for (int k = i + 1; k < 5; ++k) b[i] -= L[k * (k + 1) / 2 + i] * b[k];
  }
}
#endif
