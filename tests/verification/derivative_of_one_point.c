/* The derivative of the recurrent cell (recurrent_forward.h) in plain C99 for one point, as a subroutine of another code has
 * it: numbers are of type double. The network's own derivative is written out here. */
#include <math.h>

#define INLINE static inline
#define STRIDE 1
typedef double number, real, part;
INLINE real splat(double x) { return x; }
INLINE part as_part(real x) { return x; }
INLINE real as_real(part x) { return x; }
INLINE real root(real x) { return sqrt(x); }
INLINE real inverse_root(real x) { return 1.0 / sqrt(x); }
INLINE real one_minus_exp(real x) { return -expm1(-x); }
INLINE real mean_exp(real x, real gain) { return x > 1e-12 ? gain / x : 1.0; }
INLINE void copy(const real *from, int count, real *to) {
  for (int k = 0; k < count; ++k) to[k] = from[k];
}
#include "recurrent_forward.h"

/* y and dy of x and dx; returns where the next layer's weights are. */
static const double *dense(const double *W, const real *x, const real *dx, int inputs, int outputs, real *y, real *dy) {
  const double *bias = W + inputs * outputs;
  for (int o = 0; o < outputs; ++o) {
    y[o] = bias[o], dy[o] = 0.0;
    for (int i = 0; i < inputs; ++i) y[o] += W[i * outputs + o] * x[i], dy[o] += W[i * outputs + o] * dx[i];
  }
  return bias + outputs;
}

static void silu(real *x, real *dx) {
  for (int i = 0; i < HIDDEN; ++i) {
    const double s = 1.0 / (1.0 + exp(-x[i]));
    dx[i] *= s * (1.0 + x[i] * (1.0 - s));
    x[i] *= s;
  }
}

static void step_of(const double *values, Step *step) {
  copy(values, FEATURES, step->features);
  copy(values + FEATURES, DEVIATOR, step->strain);
  step->size = values[FEATURES + DEVIATOR];
  step->dt = values[FEATURES + DEVIATOR + 1];
  copy(values + FEATURES + DEVIATOR + 2, ELASTIC, step->moved[0]);
#if TEXTURE
  copy(values + FEATURES + DEVIATOR + 2 + ELASTIC, OF_TEXTURE, step->texture);
#endif
}

/* As one_step of cell_of_one_point.c. */
void one_step(const double *weights, const double *values, double *state, const double *direction, double *derivative) {
  enum { GIVEN = sizeof(Step) / sizeof(real), GOALS = DEVIATORS * COEFFICIENTS };
  real x[INPUTS], first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS];
  real dx[INPUTS], dfirst[HIDDEN], dsecond[HIDDEN], drates[RATES], dtargets[TARGETS];
  Step step, dstep;
  Tensors tensors, dtensors;
  Flow flow, dflow;
  step_of(values, &step);
  step_of(direction, &dstep);
  copy(direction + GIVEN, STATES, derivative);
  tensors_of(&step, state, &tensors);
  invariants(&tensors, &step, state, x);
  tensors_forward(&tensors, &dstep, derivative, &dtensors);
  invariants_forward(&tensors, &dtensors, &dstep, derivative, dx);
  weights = dense(weights, x, dx, INPUTS, HIDDEN, first, dfirst);
  silu(first, dfirst);
  weights = dense(weights, first, dfirst, HIDDEN, HIDDEN, second, dsecond);
  silu(second, dsecond);
  weights = dense(weights, second, dsecond, HIDDEN, RATES, rates, drates);
  for (int q = 0; q < RATES; ++q) {
    const double memory = exp(-rates[q]), rate = 1.0 / (memory + SHORTEST_MEMORY);
    drates[q] *= memory * rate * rate;
    rates[q] = rate;
  }
  dense(weights, second, dsecond, HIDDEN, TARGETS, targets, dtargets);
  flow_of(&tensors, &step, targets, &flow);
  flow_forward(&tensors, &dtensors, &step, &dstep, targets, dtargets, &flow, &dflow);
  relax_forward(&flow, &dflow, &step, &dstep, rates, drates, targets + GOALS, dtargets + GOALS, state, derivative);
  relax(&flow, &step, rates, targets + GOALS, state);
}
