/* Vectors of numbers, one of each lane, and functions of them, in double and in single precision (GCC/Clang vector
 * extensions). A comparison is all ones in the lanes where it holds. Lanes never mix, so the result of a point does not
 * depend on its neighbours. What has the same name in both precisions takes either. */
#ifndef VECTORS_H
#define VECTORS_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "vector_width.h"

#define INLINE static inline __attribute__((always_inline))
#define DOUBLES (VECTOR_BYTES / 8)
#define FLOATS (VECTOR_BYTES / 4)
typedef double doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t doubles_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef float floats __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t floats_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef doubles doubles_anywhere __attribute__((aligned(8), may_alias)); /* in arrays of numbers */

/* Results too small for a normal number become zero until `leave_tiny`: each would cost a hundred times its neighbours,
 * and ahead of a wave all are. */
INLINE unsigned int flush_tiny(void) {
#ifdef __SSE2__
  const unsigned int before = _mm_getcsr();
  _mm_setcsr(before | _MM_FLUSH_ZERO_ON);
  return before;
#else
  return 0;
#endif
}

INLINE void leave_tiny(unsigned int before) {
#ifdef __SSE2__
  _mm_setcsr(before);
#else
  (void)before;
#endif
}

/* C11's _Generic, in C99. */
#define OF_PRECISION(name, x) \
  __builtin_choose_expr(__builtin_types_compatible_p(__typeof__(x), doubles), name##_double, name##_single)
#define choose(m, a, b) OF_PRECISION(choose, a)(m, a, b)
#define root(x) OF_PRECISION(root, x)(x)
#define reciprocal(x) OF_PRECISION(reciprocal, x)(x)
#define inverse_root(x) OF_PRECISION(inverse_root, x)(x)
#define exponential(x) OF_PRECISION(exponential, x)(x)
#define one_minus_exp(x) OF_PRECISION(one_minus_exp, x)(x)
#define mean_exp(x, gain) OF_PRECISION(mean_exp, x)(x, gain)

INLINE doubles every_double(double x) { return x - (doubles){0}; }
INLINE floats every_single(float x) { return x - (floats){0}; }

INLINE doubles choose_double(doubles_mask m, doubles a, doubles b) {
  return (doubles)((m & (doubles_mask)a) | (~m & (doubles_mask)b));
}

INLINE floats choose_single(floats_mask m, floats a, floats b) {
  return (floats)((m & (floats_mask)a) | (~m & (floats_mask)b));
}

/* Lane by lane where the compiler knows one instruction for it. */
INLINE doubles root_double(doubles x) {
  doubles y;
  for (int l = 0; l < DOUBLES; ++l) y[l] = sqrt(x[l]);
  return y;
}

INLINE floats root_single(floats x) {
  floats y;
  for (int l = 0; l < FLOATS; ++l) y[l] = sqrtf(x[l]);
  return y;
}

/* 1 / x for normal x: an estimate and Newton steps take a third of a division's time. */
INLINE doubles reciprocal_double(doubles x) {
#if DOUBLES == 8 && defined(__AVX512F__)
  doubles y = (doubles)_mm512_rcp14_pd((__m512d)x);
  y *= 2.0 - x * y;
  return y * (2.0 - x * y);
#else
  return 1.0 / x;
#endif
}

INLINE floats reciprocal_single(floats x) {
#if FLOATS == 16 && defined(__AVX512F__)
  const floats y = (floats)_mm512_rcp14_ps((__m512)x);
  return y * (2.0f - x * y);
#else
  return 1.0f / x;
#endif
}

/* 1 / sqrt(x) for normal x, likewise. */
INLINE doubles inverse_root_double(doubles x) {
#if DOUBLES == 8 && defined(__AVX512F__)
  doubles y = (doubles)_mm512_rsqrt14_pd((__m512d)x);
  y *= 1.5 - 0.5 * x * y * y;
  return y * (1.5 - 0.5 * x * y * y);
#else
  return 1.0 / root_double(x);
#endif
}

INLINE floats inverse_root_single(floats x) {
#if FLOATS == 16 && defined(__AVX512F__)
  const floats y = (floats)_mm512_rsqrt14_ps((__m512)x);
  return y * (1.5f - 0.5f * x * y * y);
#else
  return 1.0f / root_single(x);
#endif
}

/* exp(x) = 2^k exp(r), |r| <= ln(2)/2: returns (exp(r) - 1) / r, and k where the exponent of a number has it. Adding
 * `shift` rounds to a whole number in the low bits. */
INLINE doubles reduced_double(doubles x, doubles *r, doubles_mask *exponent) {
  const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
  const doubles t = x * 1.4426950408889634 + shift, k = t - shift;
  static const double c[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                             1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1.0};
  *r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
  *exponent = (doubles_mask)t << 52;
  doubles p = *r * (1.0 / 479001600) + c[0];
  for (int i = 1; i < 11; ++i) p = p * *r + c[i];
  return p;
}

INLINE floats reduced_single(floats x, floats *r, floats_mask *exponent) {
  const float shift = 12582912.0f; /* 1.5 * 2^23 */
  const floats t = x * 1.44269504f + shift, k = t - shift;
  static const float c[] = {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f};
  *r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  *exponent = (floats_mask)t << 23;
  floats p = *r * (1.0f / 720) + c[0];
  for (int i = 1; i < 5; ++i) p = p * *r + c[i];
  return p;
}

/* exp(x); beyond the range of numbers as at its ends. */
INLINE doubles exponential_double(doubles x) {
  doubles r;
  doubles_mask exponent;
  x = choose(x > -700.0, choose(x < 700.0, x, every_double(700.0)), every_double(-700.0));
  const doubles p = reduced_double(x, &r, &exponent);
  return (doubles)((doubles_mask)(p * r + 1.0) + exponent);
}

INLINE floats exponential_single(floats x) {
  floats r;
  floats_mask exponent;
  x = choose(x > -87.0f, choose(x < 87.0f, x, every_single(87.0f)), every_single(-87.0f));
  const floats p = reduced_single(x, &r, &exponent);
  return (floats)((floats_mask)(p * r + 1.0f) + exponent);
}

/* 1 - exp(-x) for x >= 0, to the precision of small x too. */
INLINE doubles one_minus_exp_double(doubles x) {
  doubles r;
  doubles_mask exponent;
  const doubles p = reduced_double(choose(x < 700.0, -x, every_double(-700.0)), &r, &exponent);
  const doubles power = (doubles)((doubles_mask)every_double(1.0) + exponent);
  return (1.0 - power) - power * (p * r);
}

INLINE floats one_minus_exp_single(floats x) {
  floats r;
  floats_mask exponent;
  const floats p = reduced_single(choose(x < 87.0f, -x, every_single(-87.0f)), &r, &exponent);
  const floats power = (floats)((floats_mask)every_single(1.0f) + exponent);
  return (1.0f - power) - power * (p * r);
}

/* (1 - exp(-x)) / x for x >= 0, one at zero, given 1 - exp(-x). */
INLINE doubles mean_exp_double(doubles x, doubles gain) {
  return choose(x > 1e-12, gain * reciprocal(x), every_double(1.0));
}

INLINE floats mean_exp_single(floats x, floats gain) {
  return choose(x > 1e-12f, gain * reciprocal(x), every_single(1.0f));
}

/* Lane l of vector k becomes lane k of vector l: halves change places, then halves of halves. Compilers find the one
 * instruction of an exchange only where its lanes are written out as constants. */
#define FROM(l, half, n) ((l) & (half) ? (n) + (l) - (half) : (l))
#define EACH_2(l, ...) FROM(l, __VA_ARGS__), FROM((l) + 1, __VA_ARGS__)
#define EACH_4(l, ...) EACH_2(l, __VA_ARGS__), EACH_2((l) + 2, __VA_ARGS__)
#define EACH_8(l, ...) EACH_4(l, __VA_ARGS__), EACH_4((l) + 4, __VA_ARGS__)
#define EACH_16(l, ...) EACH_8(l, __VA_ARGS__), EACH_8((l) + 8, __VA_ARGS__)
#if VECTOR_BYTES == 64
#define EACH_DOUBLE EACH_8
#define EACH_FLOAT EACH_16
#elif VECTOR_BYTES == 32
#define EACH_DOUBLE EACH_4
#define EACH_FLOAT EACH_8
#else
#define EACH_DOUBLE EACH_2
#define EACH_FLOAT EACH_4
#endif
#define EXCHANGE(vector, mask, each, n, half)                              \
  for (int k = 0; half < n && k < n; ++k)                                  \
    if (!(k & half)) {                                                     \
      const vector a = v[k], b = v[k + half];                              \
      v[k] = __builtin_shuffle(a, b, (mask){each(0, half, n)});            \
      v[k + half] = __builtin_shuffle(a, b, (mask){each(0, half, n)} + half); \
    }
#define TRANSPOSE(name, vector, mask, each, n) \
  INLINE void name(vector v[n]) {              \
    EXCHANGE(vector, mask, each, n, 8)         \
    EXCHANGE(vector, mask, each, n, 4)         \
    EXCHANGE(vector, mask, each, n, 2)         \
    EXCHANGE(vector, mask, each, n, 1)         \
  }
TRANSPOSE(transpose_double, doubles, doubles_mask, EACH_DOUBLE, DOUBLES)
TRANSPOSE(transpose_single, floats, floats_mask, EACH_FLOAT, FLOATS)
#endif
