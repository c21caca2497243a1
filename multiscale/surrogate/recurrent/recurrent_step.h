/* One step of the recurrent surrogate for a block of points: cell and network together. */
#ifndef RECURRENT_STEP_H
#define RECURRENT_STEP_H
#include "recurrent_layers.h"

#include "recurrent_cell.h"

typedef real State[STATES];

INLINE void read_block(const Step *step, const State *z, Tensors *tensors, row *x) {
  for (int v = 0; v < STRIDE; ++v) {
    tensors_of(&step[v], z[v], &tensors[v]);
    invariants(&tensors[v], &step[v], z[v], (part *)x + v);
  }
}

/* Advance the states z of a block; y is what the network gave on the way. */
INLINE void advance(const Network *n, const Step *step, State *z, Given *y) {
  row x[INPUTS], hidden[HIDDEN];
  Tensors tensors[STRIDE];
  read_block(step, (const State *)z, tensors, x);
  network(n, (const row *)x, hidden, y);
  for (int v = 0; v < STRIDE; ++v) {
    Flow flow;
    const part *rates = (const part *)y->rates + v, *targets = (const part *)y->targets + v;
    flow_of(&tensors[v], &step[v], targets, &flow);
    relax(&flow, &step[v], rates, targets + DEVIATORS * COEFFICIENTS * STRIDE, z[v]);
  }
}
#endif
