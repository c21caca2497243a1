/* A fully connected SELU network at BLOCK points at a time, in single precision.
 *
 * Points fill the lanes of vectors and never mix: the result of a point does not depend on its place in the
 * block, which it does in matrix products of BLAS. Defined outside: BLOCK, a multiple of PAIR * WIDTH. */
#include <stdint.h>
#include <string.h>

#include "microscale/native/vector_width.h"

#define INLINE static inline __attribute__((always_inline))
#define WIDTH (VECTOR_BYTES / 4)
#define VECTORS (BLOCK / WIDTH)
#define GROUP 8             /* outputs whose sums stay in registers */
#define PAIR (SUMS / GROUP) /* vectors for each weight that is loaded */

typedef float vector __attribute__((vector_size(4 * WIDTH)));
typedef int32_t bits __attribute__((vector_size(4 * WIDTH)));
typedef vector block[VECTORS]; /* one number of each point */

INLINE vector splat(float x) { return x - (vector){0}; }
INLINE vector choose(bits m, vector a, vector b) { return (vector)((m & (bits)a) | (~m & (bits)b)); }

/* exp(x) - 1 for x <= 0 to a few roundings of one: 2^k exp(r), |r| <= ln(2)/2. */
INLINE vector exponential_less_one(vector x) {
  const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
  x = choose(x > -80.0f, x, splat(-80.0f));
  const vector t = x * 1.442695041f + shift, k = t - shift;
  const vector r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  static const float c[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  vector p = splat(c[0]);
  for (int i = 1; i < 8; ++i) p = p * r + c[i];
  return (vector)((bits)p + ((bits)t << 23)) - 1.0f;
}

INLINE vector selu(vector x) {
  return 1.0507009873554805f * choose(x > 0.0f, x, 1.6732632423543772f * exponential_less_one(x));
}

/* y = W x + b for `count` outputs; W holds the weights of GROUP outputs next to each other, input by input. */
INLINE void outputs_of(const float *W, const float *b, const block *x, long inputs, int count, int activate, block *y) {
  for (int v = 0; v < VECTORS; v += PAIR) {
    vector sum[GROUP][PAIR];
    for (int k = 0; k < GROUP; ++k)
      for (int p = 0; p < PAIR; ++p) sum[k][p] = splat(0);
    for (long i = 0; i < inputs; ++i)
      for (int k = 0; k < GROUP; ++k)
        for (int p = 0; p < PAIR; ++p) sum[k][p] += W[GROUP * i + k] * x[i][v + p];
    for (int k = 0; k < count; ++k)
      for (int p = 0; p < PAIR; ++p) {
        const vector value = sum[k][p] + b[k];
        y[k][v + p] = activate ? selu(value) : value;
      }
  }
}

/* One layer: weights in groups of GROUP outputs (the last one filled up), x (inputs, BLOCK), y (outputs, BLOCK). */
void pca_layer(const float *W, const float *b, const float *x, long inputs, long outputs, int activate, float *y) {
  for (long o = 0; o < outputs; o += GROUP) {
    const int count = outputs - o < GROUP ? (int)(outputs - o) : GROUP;
    if (activate)
      outputs_of(W + o * inputs, b + o, (const block *)x, inputs, count, 1, (block *)y + o);
    else
      outputs_of(W + o * inputs, b + o, (const block *)x, inputs, count, 0, (block *)y + o);
  }
}
