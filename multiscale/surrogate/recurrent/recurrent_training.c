/* Forward and backward passes of multiscale/surrogate/recurrent/network.py through time, in single precision.
 *
 * A block of BLOCK paths fills the lanes of VECTORS vectors; rows are units. Autograd of the same network spends
 * its time starting small operations. Compiled with the sizes and constants of architecture.py. */
#include <stdlib.h>

#include "recurrent_relaxation.h"

/* Parameters, or their gradients, in the order of the Python module. */
typedef struct {
  float input[INPUTS * HIDDEN], input_bias[HIDDEN];
  float between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  float rates[HIDDEN * RATES], rates_bias[RATES];
  float targets[HIDDEN * TARGETS], targets_bias[TARGETS];
} Network;

/* What a step leaves for the way back, where what is cheap is computed again. */
typedef struct {
  row z[STATES], first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS];
} Tape;

/* What CHUNK steps leave for the gradients of the weights, which sum over lanes once a chunk. */
#define CHUNK 8
typedef struct {
  row x[INPUTS], after_first[HIDDEN], after_second[HIDDEN];
  row first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS]; /* gradients */
} Slot;
#define SLOT_ROWS (sizeof(Slot) / sizeof(row))

static void add_gradients(const Slot *s, int steps, Network *g) {
  panel room[CHUNK * BLOCK];
  outer(s->x, INPUTS, s->first, HIDDEN, steps, SLOT_ROWS, room, g->input, g->input_bias);
  outer(s->after_first, HIDDEN, s->second, HIDDEN, steps, SLOT_ROWS, room, g->between, g->between_bias);
  outer(s->after_second, HIDDEN, s->rates, RATES, steps, SLOT_ROWS, room, g->rates, g->rates_bias);
  outer(s->after_second, HIDDEN, s->targets, TARGETS, steps, SLOT_ROWS, room, g->targets, g->targets_bias);
}

INLINE void load(const float *data, long stride, int rows, row *out) {
  for (int i = 0; i < rows; ++i) memcpy(out[i], data + i * stride, sizeof(row));
}

INLINE void read(const row *d, const row *z, Tensors tensors[VECTORS], row *x) {
  for (int v = 0; v < VECTORS; ++v) {
    tensors_of(d, z, v, &tensors[v]);
    invariants(&tensors[v], d, z, v, x);
  }
}

INLINE void step_forward(const Network *n, const row *d, Tape *tape, row *state) {
  row x[INPUTS], hidden[HIDDEN];
  Tensors tensors[VECTORS];
  memcpy(tape->z, state, sizeof tape->z);
  read(d, state, tensors, x);
  dense(n->input, n->input_bias, x, INPUTS, HIDDEN, tape->first);
  silu(tape->first, HIDDEN, hidden);
  dense(n->between, n->between_bias, hidden, HIDDEN, HIDDEN, tape->second);
  silu(tape->second, HIDDEN, hidden);
  dense(n->rates, n->rates_bias, hidden, HIDDEN, RATES, tape->rates);
  dense(n->targets, n->targets_bias, hidden, HIDDEN, TARGETS, tape->targets);
  for (int v = 0; v < VECTORS; ++v) relax(&tensors[v], d, tape->rates, tape->targets, v, state);
}

INLINE void step_backward(const Network *transposed, const row *d, const Tape *tape, row *dstate, Slot *slot) {
  row other[HIDDEN], dx[OF_STATE];
  Tensors tensors[VECTORS];
  Products dproducts[VECTORS];
  read(d, tape->z, tensors, slot->x);
  for (int v = 0; v < VECTORS; ++v)
    relaxation_backward(&tensors[v], d, tape->z, tape->rates, tape->targets, v, dstate, slot->rates, slot->targets,
                        &dproducts[v]);
  silu(tape->first, HIDDEN, slot->after_first);
  silu(tape->second, HIDDEN, slot->after_second);
  dense(transposed->rates, NULL, slot->rates, RATES, HIDDEN, slot->second);
  dense(transposed->targets, NULL, slot->targets, TARGETS, HIDDEN, other);
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) slot->second[i][v] += other[i][v];
  silu_backward(tape->second, HIDDEN, slot->second);
  dense(transposed->between, NULL, slot->second, HIDDEN, HIDDEN, slot->first);
  silu_backward(tape->first, HIDDEN, slot->first);
  dense(transposed->input, NULL, slot->first, HIDDEN, OF_STATE, dx);
  for (int v = 0; v < VECTORS; ++v) invariants_backward(&tensors[v], dx, &dproducts[v], v, dstate);
}

static void transpose(const float *W, int rows, int columns, float *out) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) out[j * rows + i] = W[i * columns + j];
}

long tape_bytes(long steps, long paths) { return steps * (paths / BLOCK) * (long)sizeof(Tape); }

/* Follow `paths` paths (a multiple of BLOCK) through `steps`. data (steps, DATA, paths); state (STATES, paths), in
 * place; history (steps, ELASTIC, paths). */
void follow(const Network *n, long steps, long paths, const float *data, float *state, float *history, Tape *tape,
            int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long block = 0; block < paths / BLOCK; ++block) {
    row z[STATES], d[DATA];
    load(state + block * BLOCK, paths, STATES, z);
    for (long t = 0; t < steps; ++t) {
      load(data + t * DATA * paths + block * BLOCK, paths, DATA, d);
      step_forward(n, d, tape + block * steps + t, z);
      for (int k = 0; k < ELASTIC; ++k)
        memcpy(history + (t * ELASTIC + k) * paths + block * BLOCK, z[k], sizeof(row));
    }
    for (int k = 0; k < STATES; ++k) memcpy(state + k * paths + block * BLOCK, z[k], sizeof(row));
  }
}

/* Gradients of the parameters, given those of the history; blocks are added up in their order. */
void follow_back(const Network *n, long steps, long paths, const float *data, const Tape *tape, const float *dhistory,
                 Network *gradient, int threads) {
  Network *transposed = malloc(sizeof(Network)), *parts = calloc(paths / BLOCK, sizeof(Network));
  transpose(n->input, OF_STATE, HIDDEN, transposed->input); /* rows of the step alone come last */
  transpose(n->between, HIDDEN, HIDDEN, transposed->between);
  transpose(n->rates, HIDDEN, RATES, transposed->rates);
  transpose(n->targets, HIDDEN, TARGETS, transposed->targets);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long block = 0; block < paths / BLOCK; ++block) {
    row dstate[STATES], d[DATA], dh[ELASTIC];
    Slot *slots = aligned_alloc(sizeof(row), CHUNK * sizeof(Slot)); /* the largest of all: not on the stack */
    int filled = 0;
    memset(dstate, 0, sizeof dstate);
    for (long t = steps - 1; t >= 0; --t) {
      load(data + t * DATA * paths + block * BLOCK, paths, DATA, d);
      load(dhistory + t * ELASTIC * paths + block * BLOCK, paths, ELASTIC, dh);
      for (int k = 0; k < ELASTIC; ++k)
        for (int v = 0; v < VECTORS; ++v) dstate[k][v] += dh[k][v];
      step_backward(transposed, d, tape + block * steps + t, dstate, slots + filled++);
      if (filled == CHUNK || t == 0) {
        add_gradients(slots, filled, parts + block);
        filled = 0;
      }
    }
    free(slots);
  }
  float *total = (float *)gradient;
  memset(total, 0, sizeof(Network));
  for (long block = 0; block < paths / BLOCK; ++block)
    for (size_t i = 0; i < sizeof(Network) / sizeof(float); ++i) total[i] += ((const float *)(parts + block))[i];
  free(transposed);
  free(parts);
}
