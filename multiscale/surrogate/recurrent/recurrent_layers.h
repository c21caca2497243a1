/* The network of the recurrent surrogate for a block of POINTS points or paths, in the precision of `weight`.
 *
 * The points fill the lanes of vectors; a row is one unit of all of them. A `part` of a row are the points that a `real`
 * of the cell holds, in the precision of the network; parts of two units lie STRIDE apart. */
#ifndef RECURRENT_LAYERS_H
#define RECURRENT_LAYERS_H
#include <stddef.h>

#ifdef ONE_LANE
typedef weight unit, part;
#define UNITS 1
INLINE part as_part(real x) { return (part)x; }
INLINE real as_real(part x) { return x; }
#else
typedef weight unit __attribute__((vector_size(VECTOR_BYTES), may_alias));
#define UNITS (VECTOR_BYTES / (int)sizeof(weight))
typedef weight part __attribute__((vector_size(LANES * sizeof(weight)), may_alias));
INLINE part as_part(real x) { return __builtin_convertvector(x, part); }
INLINE real as_real(part x) { return __builtin_convertvector(x, real); }
#endif
#define VECTORS (POINTS / UNITS)
#define FITTING (SUMS * VECTOR_BYTES / (POINTS * (int)sizeof(weight)))
#define TILE (FITTING > 0 ? FITTING : 1) /* outputs whose sums stay in registers */
typedef unit row[VECTORS];
#define STRIDE (POINTS / LANES)

/* Weights (inputs, outputs) row by row, and biases, or their gradients, in the order of Architecture.layers. */
typedef struct {
  weight input[INPUTS * HIDDEN], input_bias[HIDDEN];
  weight between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  weight rates[HIDDEN * RATES], rates_bias[RATES];
  weight targets[HIDDEN * TARGETS], targets_bias[TARGETS];
} Network;

/* What the network gives; hidden layers before their activation. */
typedef struct {
  row first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS];
} Given;

/* m outputs from `o` on: y = x W + b, with W (inputs, outputs). */
INLINE void tile(const weight *W, const weight *b, const row *x, int inputs, int outputs, int o, int m, row *y) {
  row sum[TILE];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) sum[k][v] = (b ? b[o + k] : 0) - (unit){0};
  for (int i = 0; i < inputs; ++i)
    for (int k = 0; k < m; ++k)
      for (int v = 0; v < VECTORS; ++v) sum[k][v] += W[i * outputs + o + k] * x[i][v];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) y[o + k][v] = sum[k][v];
}

INLINE void dense(const weight *W, const weight *b, const row *x, int inputs, int outputs, row *y) {
  int o = 0;
  for (; o + TILE <= outputs; o += TILE) tile(W, b, x, inputs, outputs, o, TILE, y);
  tile(W, b, x, inputs, outputs, o, outputs % TILE, y); /* a constant: this is compiled for each layer */
}

/* 1 / (1 + exp(-x)). */
INLINE unit sigmoid(unit x) { return reciprocal((weight)1 + exponential(-x)); }

INLINE void silu(const row *x, int units, row *y) {
  for (int i = 0; i < units; ++i)
    for (int v = 0; v < VECTORS; ++v) y[i][v] = x[i][v] * sigmoid(x[i][v]);
}

INLINE unit silu_slope(unit x) {
  const unit s = sigmoid(x);
  return s * ((weight)1 + x * ((weight)1 - s));
}

INLINE void multiply(const row *factor, int units, row *y) {
  for (int i = 0; i < units; ++i)
    for (int v = 0; v < VECTORS; ++v) y[i][v] *= factor[i][v];
}

/* Rates of relaxation, 1 / (exp(-x) + the shortest memory), in place. */
INLINE void positive_rates(row *x) {
  for (int i = 0; i < RATES; ++i)
    for (int v = 0; v < VECTORS; ++v) x[i][v] = reciprocal(exponential(-x[i][v]) + (weight)SHORTEST_MEMORY);
}

INLINE void network(const Network *n, const row *x, row *hidden, Given *y) {
  dense(n->input, n->input_bias, x, INPUTS, HIDDEN, y->first);
  silu((const row *)y->first, HIDDEN, hidden);
  dense(n->between, n->between_bias, (const row *)hidden, HIDDEN, HIDDEN, y->second);
  silu((const row *)y->second, HIDDEN, hidden);
  dense(n->rates, n->rates_bias, (const row *)hidden, HIDDEN, RATES, y->rates);
  positive_rates(y->rates);
  dense(n->targets, n->targets_bias, (const row *)hidden, HIDDEN, TARGETS, y->targets);
}

/* Slopes of what follows the layers of a network: of its activations, and of the rates. */
typedef struct {
  row first[HIDDEN], second[HIDDEN], rates[RATES];
} Slopes;

INLINE void slopes_of(const Given *y, Slopes *s) {
  for (int v = 0; v < VECTORS; ++v) {
    for (int i = 0; i < HIDDEN; ++i) s->first[i][v] = silu_slope(y->first[i][v]);
    for (int i = 0; i < HIDDEN; ++i) s->second[i][v] = silu_slope(y->second[i][v]);
    for (int i = 0; i < RATES; ++i)
      s->rates[i][v] = y->rates[i][v] * ((weight)1 - (weight)SHORTEST_MEMORY * y->rates[i][v]);
  }
}

/* The change d of what a network gives, where what it reads changes by dx. */
INLINE void network_forward(const Network *n, const Slopes *s, const row *dx, Given *d) {
  dense(n->input, NULL, dx, INPUTS, HIDDEN, d->first);
  multiply(s->first, HIDDEN, d->first);
  dense(n->between, NULL, (const row *)d->first, HIDDEN, HIDDEN, d->second);
  multiply(s->second, HIDDEN, d->second);
  dense(n->rates, NULL, (const row *)d->second, HIDDEN, RATES, d->rates);
  multiply(s->rates, RATES, d->rates);
  dense(n->targets, NULL, (const row *)d->second, HIDDEN, TARGETS, d->targets);
}
#endif
