/* Layers of a network for a block of paths, forward and backward, in single precision.
 *
 * The paths fill the lanes of VECTORS vectors; a row is one unit of all of them. */
#pragma once
#include <math.h>
#include <stdint.h>

#define LANES 16
#define VECTORS 2
#define BLOCK (LANES * VECTORS)
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t bits __attribute__((vector_size(4 * LANES)));
typedef vec row[VECTORS];
#define INLINE static inline __attribute__((always_inline))

INLINE vec splat(float a) { return a - (vec){0}; }
INLINE vec choose(bits m, vec a, vec b) { return (vec)((m & (bits)a) | (~m & (bits)b)); }
INLINE vec root(vec a) {
  vec y;
  for (int l = 0; l < LANES; ++l) y[l] = sqrtf(a[l]);
  return y;
}

INLINE vec exponential(vec x) {
  x = choose(x < -87.0f, splat(-87.0f), choose(x > 87.0f, splat(87.0f), x));
  const vec t = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23 rounds to an integer in the low bits */
  const vec k = t - 12582912.0f;
  const vec r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  vec p = splat(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return (vec)((bits)p + ((bits)t << 23));
}

/* m outputs from `o` on: y = x W + b, with W (inputs, outputs). */
INLINE void tile(const float *W, const float *b, const row *x, int inputs, int outputs, int o, int m, row *y) {
  row sum[6];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) sum[k][v] = splat(b ? b[o + k] : 0.0f);
  for (int i = 0; i < inputs; ++i)
    for (int k = 0; k < m; ++k)
      for (int v = 0; v < VECTORS; ++v) sum[k][v] += W[i * outputs + o + k] * x[i][v];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) y[o + k][v] = sum[k][v];
}

INLINE void dense(const float *W, const float *b, const row *x, int inputs, int outputs, row *y) {
  int o = 0;
  for (; o + 6 <= outputs; o += 6) tile(W, b, x, inputs, outputs, o, 6, y);
  tile(W, b, x, inputs, outputs, o, outputs % 6, y); /* a constant: dense is compiled for each layer */
}

/* Sums over lanes of 16 vectors, in one vector: halves are folded onto each other four times. */
INLINE vec fold(vec a[16]) {
  for (int half = 8; half >= 1; half /= 2) {
    bits low, high;
    for (int l = 0; l < LANES; ++l) {
      const int within = l & (2 * half - 1), base = l - within;
      low[l] = within < half ? base + within : 16 + base + within - half;
      high[l] = low[l] + half;
    }
    for (int k = 0; k < half; ++k)
      a[k] = __builtin_shuffle(a[k], a[k + half], low) + __builtin_shuffle(a[k], a[k + half], high);
  }
  return a[0];
}

/* dW += x dy^T, db += dy, summed over lanes and steps; rows in fours. x and dy of a step lie `stride`
 * rows behind those of the step before. */
INLINE void outer(const row *x, int inputs, const row *dy, int outputs, int steps, long stride, float *dW, float *db) {
  for (int i = 0; i < inputs; i += 4)
    for (int o = 0; o < outputs; o += 4) {
      vec sum[16];
      for (int k = 0; k < 16; ++k) sum[k] = splat(0);
      const int last_i = inputs - 1 - i, last_o = outputs - 1 - o;
      for (int t = 0; t < steps; ++t)
        for (int v = 0; v < VECTORS; ++v)
          for (int a = 0; a < 4; ++a)
            for (int b = 0; b < 4; ++b) /* rows past the end repeat the last one; their sums are dropped */
              sum[4 * a + b] += x[t * stride + i + (a < last_i ? a : last_i)][v] *
                                dy[t * stride + o + (b < last_o ? b : last_o)][v];
      const vec total = fold(sum);
      for (int a = 0; a <= 3 && a <= last_i; ++a)
        for (int b = 0; b <= 3 && b <= last_o; ++b) dW[(i + a) * outputs + o + b] += total[4 * a + b];
    }
  for (int o = 0; o < outputs; ++o) {
    vec sum = splat(0);
    for (int t = 0; t < steps; ++t)
      for (int v = 0; v < VECTORS; ++v) sum += dy[t * stride + o][v];
    for (int l = 0; l < LANES; ++l) db[o] += sum[l];
  }
}

INLINE void silu(const row *x, int units, row *y) {
  for (int i = 0; i < units; ++i)
    for (int v = 0; v < VECTORS; ++v) y[i][v] = x[i][v] / (1.0f + exponential(-x[i][v]));
}

INLINE void silu_backward(const row *x, int units, row *dy) {
  for (int i = 0; i < units; ++i)
    for (int v = 0; v < VECTORS; ++v) {
      const vec s = 1.0f / (1.0f + exponential(-x[i][v]));
      dy[i][v] *= s * (1.0f + x[i][v] * (1.0f - s));
    }
}
