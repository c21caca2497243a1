/* Gradients of the layers of recurrent_layers.h, summed over paths and steps. */
#ifndef RECURRENT_GRADIENTS_H
#define RECURRENT_GRADIENTS_H
#include "recurrent_layers.h"

#define WIDE 2 /* vectors of outputs at a time */
typedef unit panel[WIDE];

/* Outputs from `o` on across the lanes, for each step and path; zero past the last one. dy of a step lies `stride` rows
 * behind that of the step before. */
INLINE void turn(const row *dy, int outputs, int o, int steps, long stride, panel *turned) {
  for (int t = 0; t < steps; ++t)
    for (int v = 0; v < VECTORS; ++v)
      for (int w = 0; w < WIDE; ++w) {
        unit a[UNITS];
        for (int k = 0; k < UNITS; ++k) {
          const int j = o + w * UNITS + k;
          a[k] = j < outputs ? dy[t * stride + j][v] : (unit){0};
        }
        transpose_single(a);
        for (int l = 0; l < UNITS; ++l) turned[t * POINTS + v * UNITS + l][w] = a[l];
      }
}

INLINE void add_row(const panel sum, int outputs, int o, weight *row_of_outputs) {
  for (int w = 0; w < WIDE; ++w)
    for (int l = 0; l < UNITS; ++l)
      if (o + w * UNITS + l < outputs) row_of_outputs[o + w * UNITS + l] += sum[w][l];
}

/* m rows of dW from `i` on += x dy^T, given dy turned. */
INLINE void outer_tile(const row *x, const panel *turned, int i, int m, int steps, long stride, int outputs, int o,
                       weight *dW) {
  panel sum[6];
  for (int k = 0; k < m; ++k)
    for (int w = 0; w < WIDE; ++w) sum[k][w] = (unit){0};
  for (int t = 0; t < steps; ++t)
    for (int v = 0; v < VECTORS; ++v)
      for (int l = 0; l < UNITS; ++l)
        for (int k = 0; k < m; ++k)
          for (int w = 0; w < WIDE; ++w)
            sum[k][w] += x[t * stride + i + k][v][l] * turned[t * POINTS + v * UNITS + l][w];
  for (int k = 0; k < m; ++k) add_row(sum[k], outputs, o, dW + (i + k) * outputs);
}

/* dW += x dy^T, db += dy, summed over paths and steps. x and dy of a step lie `stride` rows behind those of the step
 * before; turned is room for POINTS panels a step. */
INLINE void outer(const row *x, int inputs, const row *dy, int outputs, int steps, long stride, panel *turned,
                  weight *dW, weight *db) {
  for (int o = 0; o < outputs; o += WIDE * UNITS) {
    panel sum = {0};
    turn(dy, outputs, o, steps, stride, turned);
    for (int s = 0; s < steps * POINTS; ++s)
      for (int w = 0; w < WIDE; ++w) sum[w] += turned[s][w];
    add_row(sum, outputs, o, db);
    int i = 0;
    for (; i + 6 <= inputs; i += 6) outer_tile(x, turned, i, 6, steps, stride, outputs, o, dW);
    outer_tile(x, turned, i, inputs % 6, steps, stride, outputs, o, dW);
  }
}
INLINE void silu_backward(const row *x, int units, row *dy) {
  for (int i = 0; i < units; ++i)
    for (int v = 0; v < VECTORS; ++v) dy[i][v] *= silu_slope(x[i][v]);
}
#endif
