/* Forward and backward passes of multiscale/surrogate/recurrent/network.py through time, in single precision.
 *
 * A block of POINTS paths fills the lanes of VECTORS vectors; rows are units. The step is that of the law. Autograd of the same network spends
 * its time starting small operations. Compiled with the sizes and constants of architecture.py. */
#include <stdlib.h>

#include "microscale/native/vectors.h"

#define LANES FLOATS
#define POINTS 32 /* paths of a block; as in fused.py */
typedef float number, weight;
typedef floats real;
INLINE real splat(float x) { return every_single(x); }
INLINE void copy(const real *from, int count, real *to) {
  for (int k = 0; k < count; ++k) to[k] = from[k];
}
#include "recurrent_step.h"

#include "recurrent_adjoint.h"
#include "recurrent_gradients.h"

/* Rows of a step in the data: features, map of the elastic strain, driving strain, size, time step, texture. */
#define MAPS FEATURES
#define DRIVE (MAPS + DEVIATOR * DEVIATOR)
#define NUMBERS (DRIVE + DEVIATOR + 2)
#define DATA (NUMBERS + TEXTURE * OF_TEXTURE)

/* What a step leaves for the way back, where what is cheap is computed again. */
typedef struct {
  State z[STRIDE];
  Given given;
} Tape;

/* What CHUNK steps leave for the gradients of the weights, which sum over lanes once a chunk. */
#define CHUNK 8
typedef struct {
  row x[INPUTS], after_first[HIDDEN], after_second[HIDDEN];
  row first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS]; /* gradients */
} Slot;
#define SLOT_ROWS (sizeof(Slot) / sizeof(row))

static void add_gradients(const Slot *s, int steps, Network *g) {
  panel room[CHUNK * POINTS];
  outer(s->x, INPUTS, s->first, HIDDEN, steps, SLOT_ROWS, room, g->input, g->input_bias);
  outer(s->after_first, HIDDEN, s->second, HIDDEN, steps, SLOT_ROWS, room, g->between, g->between_bias);
  outer(s->after_second, HIDDEN, s->rates, RATES, steps, SLOT_ROWS, room, g->rates, g->rates_bias);
  outer(s->after_second, HIDDEN, s->targets, TARGETS, steps, SLOT_ROWS, room, g->targets, g->targets_bias);
}

/* Rows of numbers of paths, `stride` apart, of one vector of paths. */
INLINE void load(const float *data, long stride, int rows, real *out) {
  for (int i = 0; i < rows; ++i) memcpy(out + i, data + i * stride, sizeof(real));
}

INLINE void store(const real *in, long stride, int rows, float *data) {
  for (int i = 0; i < rows; ++i) memcpy(data + i * stride, in + i, sizeof(real));
}

/* A step as it is in the data, from a state, and the map of the elastic strain. */
INLINE void step_of(const float *data, long stride, const State z, Step *step, real maps[DEVIATOR * DEVIATOR]) {
  load(data, stride, FEATURES, step->features);
  load(data + MAPS * stride, stride, DEVIATOR * DEVIATOR, maps);
  load(data + DRIVE * stride, stride, DEVIATOR, step->strain);
  load(data + (DRIVE + DEVIATOR) * stride, stride, 1, &step->size);
  load(data + (DRIVE + DEVIATOR + 1) * stride, stride, 1, &step->dt);
#if TEXTURE
  load(data + NUMBERS * stride, stride, OF_TEXTURE, step->texture);
#endif
  for (int g = 0; g < GROUPS; ++g)
    for (int k = 0; k < DEVIATOR; ++k) {
      step->moved[g][k] = z[g * DEVIATOR + k];
      for (int m = 0; m < DEVIATOR; ++m) step->moved[g][k] += maps[DEVIATOR * k + m] * z[g * DEVIATOR + m];
    }
}

INLINE void step_forward(const Network *n, const float *data, long stride, Tape *tape, State *z) {
  Step step[STRIDE];
  real maps[DEVIATOR * DEVIATOR];
  memcpy(tape->z, z, sizeof tape->z);
  for (int v = 0; v < STRIDE; ++v) step_of(data + v * LANES, stride, z[v], &step[v], maps);
  advance(n, step, z, &tape->given);
}

INLINE void step_backward(const Network *transposed, const float *data, long stride, const Tape *tape, State *dz,
                          Slot *slot) {
  row other[HIDDEN], dx[OF_STATE];
  Step step[STRIDE];
  Tensors tensors[STRIDE];
  Products dproducts[STRIDE];
  real maps[STRIDE][DEVIATOR * DEVIATOR];
  for (int v = 0; v < STRIDE; ++v) step_of(data + v * LANES, stride, tape->z[v], &step[v], maps[v]);
  read_block(step, tape->z, tensors, slot->x);
  for (int v = 0; v < STRIDE; ++v) {
    Passed passed = {(part *)slot->rates + v, (part *)slot->targets + v};
    relaxation_backward(&tensors[v], &step[v], maps[v], tape->z[v], (const part *)tape->given.rates + v,
                        (const part *)tape->given.targets + v, dz[v], &passed, &dproducts[v]);
  }
  silu(tape->given.first, HIDDEN, slot->after_first);
  silu(tape->given.second, HIDDEN, slot->after_second);
  dense(transposed->rates, NULL, (const row *)slot->rates, RATES, HIDDEN, slot->second);
  dense(transposed->targets, NULL, (const row *)slot->targets, TARGETS, HIDDEN, other);
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) slot->second[i][v] += other[i][v];
  silu_backward(tape->given.second, HIDDEN, slot->second);
  dense(transposed->between, NULL, (const row *)slot->second, HIDDEN, HIDDEN, slot->first);
  silu_backward(tape->given.first, HIDDEN, slot->first);
  dense(transposed->input, NULL, (const row *)slot->first, HIDDEN, OF_STATE, dx);
  for (int v = 0; v < STRIDE; ++v) invariants_backward(&tensors[v], (const part *)dx + v, &dproducts[v], dz[v]);
}

static void transpose(const float *W, int rows, int columns, float *out) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) out[j * rows + i] = W[i * columns + j];
}

long tape_bytes(long steps, long paths) { return steps * (paths / POINTS) * (long)sizeof(Tape); }

/* Follow `paths` paths (a multiple of POINTS) through `steps`. data (steps, DATA, paths); state (STATES, paths), in
 * place; history (steps, ELASTIC, paths). */
void follow(const Network *n, long steps, long paths, const float *data, float *state, float *history, Tape *tape,
            int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long block = 0; block < paths / POINTS; ++block) {
    State z[STRIDE];
    for (int v = 0; v < STRIDE; ++v) load(state + block * POINTS + v * LANES, paths, STATES, z[v]);
    for (long t = 0; t < steps; ++t) {
      step_forward(n, data + t * DATA * paths + block * POINTS, paths, tape + block * steps + t, z);
      for (int v = 0; v < STRIDE; ++v)
        store(z[v], paths, ELASTIC, history + t * ELASTIC * paths + block * POINTS + v * LANES);
    }
    for (int v = 0; v < STRIDE; ++v) store(z[v], paths, STATES, state + block * POINTS + v * LANES);
  }
}

/* Gradients of the parameters, given those of the history; blocks are added up in their order. */
void follow_back(const Network *n, long steps, long paths, const float *data, const Tape *tape, const float *dhistory,
                 Network *gradient, int threads) {
  Network *transposed = malloc(sizeof(Network)), *parts = calloc(paths / POINTS, sizeof(Network));
  transpose(n->input, OF_STATE, HIDDEN, transposed->input); /* rows of the step alone come last */
  transpose(n->between, HIDDEN, HIDDEN, transposed->between);
  transpose(n->rates, HIDDEN, RATES, transposed->rates);
  transpose(n->targets, HIDDEN, TARGETS, transposed->targets);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long block = 0; block < paths / POINTS; ++block) {
    State dz[STRIDE];
    Slot *slots = aligned_alloc(sizeof(row), CHUNK * sizeof(Slot)); /* the largest of all: not on the stack */
    int filled = 0;
    memset(dz, 0, sizeof dz);
    for (long t = steps - 1; t >= 0; --t) {
      for (int v = 0; v < STRIDE; ++v) {
        real dh[ELASTIC];
        load(dhistory + t * ELASTIC * paths + block * POINTS + v * LANES, paths, ELASTIC, dh);
        for (int k = 0; k < ELASTIC; ++k) dz[v][k] += dh[k];
      }
      step_backward(transposed, data + t * DATA * paths + block * POINTS, paths, tape + block * steps + t, dz,
                    slots + filled++);
      if (filled == CHUNK || t == 0) {
        add_gradients(slots, filled, parts + block);
        filled = 0;
      }
    }
    free(slots);
  }
  float *total = (float *)gradient;
  memset(total, 0, sizeof(Network));
  for (long block = 0; block < paths / POINTS; ++block)
    for (size_t i = 0; i < sizeof(Network) / sizeof(float); ++i) total[i] += ((const float *)(parts + block))[i];
  free(transposed);
  free(parts);
}
