/* The recurrent cell in plain C99 for one point, as a subroutine of another code has it. Its numbers are complex, and
 * carry the derivative in one direction along: the imaginary part over H, exact to rounding (complex steps). */
#include <complex.h>

#define INLINE static inline
#define STRIDE 1
#define H 1e-100
typedef double number;
typedef double complex real, part;
INLINE real splat(double x) { return x; }
INLINE part as_part(real x) { return x; }
INLINE real as_real(part x) { return x; }
INLINE real root(real x) { return csqrt(x); }
INLINE real inverse_root(real x) { return 1.0 / csqrt(x); }
INLINE real one_minus_exp(real x) { return 1.0 - cexp(-x); }
INLINE real mean_exp(real x, real gain) { return creal(x) > 1e-12 ? gain / x : 1.0; }
INLINE void copy(const real *from, int count, real *to) {
  for (int k = 0; k < count; ++k) to[k] = from[k];
}
#include "recurrent_cell.h"

static const double *dense(const double *W, const real *x, int inputs, int outputs, real *y) {
  const double *bias = W + inputs * outputs;
  for (int o = 0; o < outputs; ++o) {
    y[o] = bias[o];
    for (int i = 0; i < inputs; ++i) y[o] += W[i * outputs + o] * x[i];
  }
  return bias + outputs;
}

static void silu(real *x) {
  for (int i = 0; i < HIDDEN; ++i) x[i] /= 1.0 + cexp(-x[i]);
}

/* values: weights and biases layer by layer; a step as struct Step has it; the state, advanced in place. direction and
 * derivative: of the step and the state, and of the state after the step. */
void one_step(const double *weights, const double *values, double *state, const double *direction, double *derivative) {
  enum { GIVEN = sizeof(Step) / sizeof(real) };
  real in[GIVEN], z[STATES], x[INPUTS], first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS];
  Step step;
  Tensors tensors;
  Flow flow;
  for (int k = 0; k < GIVEN; ++k) in[k] = values[k] + I * H * direction[k];
  for (int k = 0; k < STATES; ++k) z[k] = state[k] + I * H * direction[GIVEN + k];
  copy(in, FEATURES, step.features);
  copy(in + FEATURES, DEVIATOR, step.strain);
  step.size = in[FEATURES + DEVIATOR];
  step.dt = in[FEATURES + DEVIATOR + 1];
  copy(in + FEATURES + DEVIATOR + 2, ELASTIC, step.moved[0]);
#if TEXTURE
  copy(in + FEATURES + DEVIATOR + 2 + ELASTIC, OF_TEXTURE, step.texture);
#endif
  tensors_of(&step, z, &tensors);
  invariants(&tensors, &step, z, x);
  weights = dense(weights, x, INPUTS, HIDDEN, first);
  silu(first);
  weights = dense(weights, first, HIDDEN, HIDDEN, second);
  silu(second);
  weights = dense(weights, second, HIDDEN, RATES, rates);
  for (int q = 0; q < RATES; ++q) rates[q] = 1.0 / (cexp(-rates[q]) + SHORTEST_MEMORY);
  dense(weights, second, HIDDEN, TARGETS, targets);
  flow_of(&tensors, &step, targets, &flow);
  relax(&flow, &step, rates, targets + DEVIATORS * COEFFICIENTS, z);
  for (int k = 0; k < STATES; ++k) {
    state[k] = creal(z[k]);
    derivative[k] = cimag(z[k]) / H;
  }
}

#if TEXTURE
/* T6 (a, b) of a texture. */
void product_of_six(const double *numbers, const double *a, const double *b, double *out) {
  real texture[OF_TEXTURE];
  deviator one, other, product;
  Six six;
  Map map;
  for (int k = 0; k < OF_TEXTURE; ++k) texture[k] = numbers[k];
  for (int k = 0; k < DEVIATOR; ++k) one[k] = a[k], other[k] = b[k];
  six_of_texture(texture, six);
  map_of_six(six, one, &map);
  mapped(&map, other, product);
  for (int k = 0; k < DEVIATOR; ++k) out[k] = creal(product[k]);
}
#endif
