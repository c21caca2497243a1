/* Layers of a network for a block of paths, forward and backward, in single precision.
 *
 * The paths fill the lanes of VECTORS vectors; a row is one unit of all of them. */
#pragma once
#include <math.h>
#include <stdint.h>

#include "microscale/native/vector_width.h"

#define BLOCK 32 /* paths; as in compiled.py */
#define LANES (VECTOR_BYTES / 4)
#define VECTORS (BLOCK / LANES)
#define TILE (12 / VECTORS) /* outputs whose sums stay in registers */
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
  row sum[TILE];
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
  for (; o + TILE <= outputs; o += TILE) tile(W, b, x, inputs, outputs, o, TILE, y);
  tile(W, b, x, inputs, outputs, o, outputs % TILE, y); /* a constant: this is compiled for each layer */
}

/* Lane l of vector k becomes lane k of vector l. */
INLINE void transpose_lanes(vec a[LANES]) {
  for (int half = LANES / 2; half >= 1; half /= 2) {
    bits low, high;
    for (int l = 0; l < LANES; ++l) low[l] = l & half ? LANES + l - half : l;
    high = low + half;
    for (int k = 0; k < LANES; ++k) {
      if (k & half) continue;
      const vec first = a[k], second = a[k + half];
      a[k] = __builtin_shuffle(first, second, low);
      a[k + half] = __builtin_shuffle(first, second, high);
    }
  }
}

#define WIDE 2 /* vectors of outputs at a time */
typedef vec panel[WIDE];

/* Outputs from `o` on across the lanes, for each step and path; zero past the last one. dy of a step lies `stride` rows
 * behind that of the step before. */
INLINE void turn(const row *dy, int outputs, int o, int steps, long stride, panel *turned) {
  for (int t = 0; t < steps; ++t)
    for (int v = 0; v < VECTORS; ++v)
      for (int w = 0; w < WIDE; ++w) {
        vec a[LANES];
        for (int k = 0; k < LANES; ++k) {
          const int j = o + w * LANES + k;
          a[k] = j < outputs ? dy[t * stride + j][v] : splat(0);
        }
        transpose_lanes(a);
        for (int l = 0; l < LANES; ++l) turned[t * BLOCK + v * LANES + l][w] = a[l];
      }
}

INLINE void add_row(const panel sum, int outputs, int o, float *row_of_outputs) {
  for (int w = 0; w < WIDE; ++w)
    for (int l = 0; l < LANES; ++l)
      if (o + w * LANES + l < outputs) row_of_outputs[o + w * LANES + l] += sum[w][l];
}

/* m rows of dW from `i` on += x dy^T, given dy turned. */
INLINE void outer_tile(const row *x, const panel *turned, int i, int m, int steps, long stride, int outputs, int o,
                       float *dW) {
  panel sum[6];
  for (int k = 0; k < m; ++k)
    for (int w = 0; w < WIDE; ++w) sum[k][w] = splat(0);
  for (int t = 0; t < steps; ++t)
    for (int v = 0; v < VECTORS; ++v)
      for (int l = 0; l < LANES; ++l)
        for (int k = 0; k < m; ++k)
          for (int w = 0; w < WIDE; ++w)
            sum[k][w] += x[t * stride + i + k][v][l] * turned[t * BLOCK + v * LANES + l][w];
  for (int k = 0; k < m; ++k) add_row(sum[k], outputs, o, dW + (i + k) * outputs);
}

/* dW += x dy^T, db += dy, summed over paths and steps. x and dy of a step lie `stride` rows behind those of the step
 * before; turned is room for BLOCK panels a step. */
INLINE void outer(const row *x, int inputs, const row *dy, int outputs, int steps, long stride, panel *turned,
                  float *dW, float *db) {
  for (int o = 0; o < outputs; o += WIDE * LANES) {
    panel sum = {splat(0), splat(0)};
    turn(dy, outputs, o, steps, stride, turned);
    for (int s = 0; s < steps * BLOCK; ++s)
      for (int w = 0; w < WIDE; ++w) sum[w] += turned[s][w];
    add_row(sum, outputs, o, db);
    int i = 0;
    for (; i + 6 <= inputs; i += 6) outer_tile(x, turned, i, 6, steps, stride, outputs, o, dW);
    outer_tile(x, turned, i, inputs % 6, steps, stride, outputs, o, dW);
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
