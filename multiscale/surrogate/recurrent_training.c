/* Forward and backward passes of multiscale/surrogate/recurrent.py through time, in single precision.
 *
 * A block of BLOCK paths fills the lanes of VECTORS vectors; rows are units. Autograd of the same network spends
 * its time starting small operations. Compiled with the sizes and constants of architecture.py. */
#include <stdlib.h>
#include <string.h>

#include "recurrent_layers.h"

#define SMALL 1e-12f /* rounds norms off */
/* Rows of a step in the data: features, map of the elastic strain, driving strain, size, time step. */
#define MAPS FEATURES
#define DRIVE (MAPS + DEVIATOR * DEVIATOR)
#define SIZE (DRIVE + DEVIATOR)
#define DT (SIZE + 1)
#define DATA (DT + 1)

/* Parameters, or their gradients, in the order of the Python module. */
typedef struct {
  float input[INPUTS * HIDDEN], input_bias[HIDDEN];
  float between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  float rates[HIDDEN * RATES], rates_bias[RATES];
  float targets[HIDDEN * TARGETS], targets_bias[TARGETS];
} Network;

/* What a step leaves for the way back. */
typedef struct {
  row x[INPUTS], first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS], moved[ELASTIC];
} Tape;

/* What CHUNK steps leave for the gradients of the weights, which sum over lanes once a chunk. */
#define CHUNK 8
typedef struct {
  row x[INPUTS], after_first[HIDDEN], after_second[HIDDEN];
  row first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS]; /* gradients */
} Slot;
#define SLOT_ROWS (sizeof(Slot) / sizeof(row))

static void add_gradients(const Slot *slots, int steps, Network *g) {
  outer(slots->x, INPUTS, slots->first, HIDDEN, steps, SLOT_ROWS, g->input, g->input_bias);
  outer(slots->after_first, HIDDEN, slots->second, HIDDEN, steps, SLOT_ROWS, g->between, g->between_bias);
  outer(slots->after_second, HIDDEN, slots->rates, RATES, steps, SLOT_ROWS, g->rates, g->rates_bias);
  outer(slots->after_second, HIDDEN, slots->targets, TARGETS, steps, SLOT_ROWS, g->targets, g->targets_bias);
}

/* (1 - exp(-x)) / x and its derivative, given exp(-x). */
INLINE void mean_of_exponential(vec x, vec left, vec *mean, vec *slope) {
  const bits small = x < 0.02f;
  const vec safe = choose(small, splat(1), x), exact = (1.0f - left) / safe;
  *mean = choose(small, 1.0f - x * (0.5f - x * (1.0f / 6)), exact);
  *slope = choose(small, -0.5f + x * (1.0f / 3 - x * 0.125f), (left - exact) / safe);
}

INLINE void load(const float *data, long stride, int rows, row *out) {
  for (int i = 0; i < rows; ++i) memcpy(out[i], data + i * stride, sizeof(row));
}

/* Norms of one vector of lanes: of the stress of each group and their mean, of the ball the targets of elastic
 * strains lie in, and the factors that bring targets into it (groups) or within one (other variables). */
typedef struct {
  vec square[GROUPS], inverse[GROUPS], stress[GROUPS], mean, radius, factor[GROUPS + INTERNAL];
} Norms;

INLINE Norms norms_of(const row *moved, const row *drive, const row *targets, int v) {
  Norms n = {.mean = splat(0)};
  vec trial = splat(SMALL);
  for (int g = 0; g < GROUPS; ++g) {
    vec reach = splat(1);
    n.square[g] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const int j = g * DEVIATOR + k;
      const vec t = moved[j][v] + drive[k][v];
      n.square[g] += moved[j][v] * moved[j][v];
      trial += t * t * (1.0f / GROUPS);
      reach += targets[j][v] * targets[j][v];
    }
    n.inverse[g] = 1.0f / root(n.square[g] + SMALL);
    n.stress[g] = n.square[g] * n.inverse[g];
    n.mean += n.stress[g] * (1.0f / GROUPS);
    n.factor[g] = 1.0f / root(reach);
  }
  for (int k = 0; k < INTERNAL; ++k)
    n.factor[GROUPS + k] = 1.0f / root(1.0f + targets[ELASTIC + k][v] * targets[ELASTIC + k][v]);
  n.radius = root(trial);
  return n;
}

/* Relaxation along a step: one rate for the elastic strain of a group, and one for each other variable. */
typedef struct {
  vec rate, passed, left, mean, slope;
  int first, count; /* variables that relax so */
} Relaxation;

INLINE Relaxation relaxation_of(const Norms *n, const row *d, const Tape *tape, int q, int v) {
  const int group = q < GROUPS;
  Relaxation r = {.first = group ? q * DEVIATOR : ELASTIC + q - GROUPS, .count = group ? DEVIATOR : 1};
  r.rate = 1.0f / (exponential(-tape->rates[q][v]) + (float)SHORTEST_MEMORY);
  r.passed = d[SIZE][v] + d[DT][v] * (group ? n->stress[q] : n->mean);
  r.left = exponential(-r.passed * r.rate);
  mean_of_exponential(r.passed * r.rate, r.left, &r.mean, &r.slope);
  return r;
}

INLINE vec before(const Tape *tape, int k, int v) {
  return k < ELASTIC ? tape->moved[k][v] : tape->x[FEATURES + k][v];
}

INLINE vec target_of(const Norms *n, const Tape *tape, int k, int v) {
  const vec bound = k < ELASTIC ? n->factor[k / DEVIATOR] * n->radius : n->factor[GROUPS + k - ELASTIC];
  return tape->targets[k][v] * bound;
}

/* Deviator of the odd strain features, a Mandel vector 11, 22, 33, 23, 13, 12. */
INLINE void odd_deviator(const row *d, int v, vec out[DEVIATOR]) {
  out[0] = (2.0f * d[2][v] - d[0][v] - d[1][v]) * 0.40824829f;
  out[1] = (d[0][v] - d[1][v]) * 0.70710678f;
  for (int k = 2; k < DEVIATOR; ++k) out[k] = d[1 + k][v];
}

/* Products of the elastic strains, the direction of the step and the strain; those with s over (1 + s.s)^(1/2), so
 * that they grow no faster than s. out: three a group, and one. */
INLINE void invariants(const row *d, const row *z, row *out) {
  for (int v = 0; v < VECTORS; ++v) {
    vec E[DEVIATOR];
    odd_deviator(d, v, E);
    for (int i = 0; i < INVARIANTS; ++i) out[i][v] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      out[3 * GROUPS][v] += d[DIRECTION + k][v] * E[k];
      for (int g = 0; g < GROUPS; ++g) {
        const vec s = z[g * DEVIATOR + k][v];
        out[3 * g][v] += s * d[DIRECTION + k][v];
        out[3 * g + 1][v] += s * s;
        out[3 * g + 2][v] += s * E[k];
      }
    }
    for (int g = 0; g < GROUPS; ++g) {
      const vec scale = 1.0f / root(1.0f + out[3 * g + 1][v]);
      for (int i = 0; i < 3; ++i) out[3 * g + i][v] *= scale;
    }
  }
}

/* Given what invariants returned, and gradients by it. */
INLINE void invariants_backward(const row *d, const row *z, const row *found, const row *given, row *dz) {
  for (int v = 0; v < VECTORS; ++v) {
    vec E[DEVIATOR];
    odd_deviator(d, v, E);
    for (int g = 0; g < GROUPS; ++g) {
      vec square = splat(0), along = splat(0);
      for (int k = 0; k < DEVIATOR; ++k) square += z[g * DEVIATOR + k][v] * z[g * DEVIATOR + k][v];
      const vec scale = 1.0f / root(1.0f + square);
      for (int i = 0; i < 3; ++i) along += given[3 * g + i][v] * found[3 * g + i][v];
      const vec itself = 2.0f * scale * given[3 * g + 1][v] - scale * scale * along;
      for (int k = 0; k < DEVIATOR; ++k)
        dz[g * DEVIATOR + k][v] += scale * (given[3 * g][v] * d[DIRECTION + k][v] + given[3 * g + 2][v] * E[k]) +
                                   itself * z[g * DEVIATOR + k][v];
    }
  }
}

/* Tensors the targets of elastic strains may follow: direction of the step, mean elastic strain, strain. */
INLINE void followed(const row *d, const row *moved, int v, vec T[FOLLOWED][DEVIATOR]) {
  odd_deviator(d, v, T[2]);
  for (int k = 0; k < DEVIATOR; ++k) {
    T[0][k] = d[DIRECTION + k][v];
    T[1][k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) T[1][k] += moved[g * DEVIATOR + k][v] * (1.0f / GROUPS);
  }
}

/* Gradients of the coefficients with which targets follow, and of the mean elastic strain. */
INLINE void followed_backward(const row *d, const Tape *tape, int v, row *dtargets, vec *dmoved) {
  vec T[FOLLOWED][DEVIATOR], dmean[DEVIATOR];
  followed(d, tape->moved, v, T);
  for (int k = 0; k < DEVIATOR; ++k) dmean[k] = splat(0);
  for (int g = 0; g < GROUPS; ++g) {
    const int first = STATES + g * FOLLOWED;
    for (int b = 0; b < FOLLOWED; ++b) dtargets[first + b][v] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const vec dtarget = dtargets[g * DEVIATOR + k][v];
      for (int b = 0; b < FOLLOWED; ++b) dtargets[first + b][v] += dtarget * T[b][k];
      dmean[k] += dtarget * tape->targets[first + 1][v] * (1.0f / GROUPS);
    }
  }
  for (int j = 0; j < ELASTIC; ++j) dmoved[j] += dmean[j % DEVIATOR];
}

INLINE void step_forward(const Network *n, const row *d, Tape *tape, row *state) {
  row hidden[HIDDEN];
  memcpy(tape->x, d, FEATURES * sizeof(row));
  memcpy(tape->x + FEATURES, state, STATES * sizeof(row));
  invariants(d, state, tape->x + FEATURES + STATES);
  dense(n->input, n->input_bias, tape->x, INPUTS, HIDDEN, tape->first);
  silu(tape->first, HIDDEN, hidden);
  dense(n->between, n->between_bias, hidden, HIDDEN, HIDDEN, tape->second);
  silu(tape->second, HIDDEN, hidden);
  dense(n->rates, n->rates_bias, hidden, HIDDEN, RATES, tape->rates);
  dense(n->targets, n->targets_bias, hidden, HIDDEN, TARGETS, tape->targets);
  for (int v = 0; v < VECTORS; ++v) {
    for (int j = 0; j < ELASTIC; ++j) {
      const row *map = d + MAPS + DEVIATOR * (j % DEVIATOR), *strain = tape->x + FEATURES + j - j % DEVIATOR;
      tape->moved[j][v] = state[j][v];
      for (int m = 0; m < DEVIATOR; ++m) tape->moved[j][v] += map[m][v] * strain[m][v];
    }
    vec T[FOLLOWED][DEVIATOR];
    followed(d, tape->moved, v, T);
    for (int j = 0; j < ELASTIC; ++j)
      for (int b = 0; b < FOLLOWED; ++b)
        tape->targets[j][v] += tape->targets[STATES + j / DEVIATOR * FOLLOWED + b][v] * T[b][j % DEVIATOR];
    const Norms norms = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    for (int q = 0; q < RATES; ++q) {
      const Relaxation r = relaxation_of(&norms, d, tape, q, v);
      for (int k = r.first; k < r.first + r.count; ++k) {
        const vec target = target_of(&norms, tape, k, v);
        state[k][v] = target + (before(tape, k, v) - target) * r.left;
        if (k < ELASTIC) state[k][v] += d[DRIVE + k % DEVIATOR][v] * r.mean;
      }
    }
  }
}

/* dstate: in, gradient with respect to the state after the step; out, before it, but for the network's part. */
INLINE void relaxation_backward(const row *d, const Tape *tape, row *dstate, Slot *slot) {
  for (int v = 0; v < VECTORS; ++v) {
    const Norms n = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    vec dold[STATES], dstress[GROUPS], along[GROUPS], dmean = splat(0), dradius = splat(0);
    for (int g = 0; g < GROUPS; ++g) dstress[g] = along[g] = splat(0);
    for (int q = 0; q < RATES; ++q) {
      const Relaxation r = relaxation_of(&n, d, tape, q, v);
      vec ddecay = splat(0);
      for (int k = r.first; k < r.first + r.count; ++k) {
        const vec dz = dstate[k][v], dtarget = dz * (1.0f - r.left);
        ddecay -= r.left * (before(tape, k, v) - target_of(&n, tape, k, v)) * dz;
        dold[k] = dz * r.left;
        if (k < ELASTIC) {
          ddecay += d[DRIVE + k % DEVIATOR][v] * r.slope * dz;
          along[q] += dtarget * tape->targets[k][v];
          slot->targets[k][v] = dtarget; /* finished below, where the sum over the group is known */
        } else {
          const vec factor = n.factor[q];
          slot->targets[k][v] = dtarget * factor * factor * factor;
        }
      }
      *(q < GROUPS ? dstress + q : &dmean) += ddecay * r.rate;
      slot->rates[q][v] = ddecay * r.passed * r.rate * (1.0f - (float)SHORTEST_MEMORY * r.rate);
    }
    for (int g = 0; g < GROUPS; ++g) dradius += along[g] * n.factor[g];
    for (int j = 0; j < ELASTIC; ++j) {
      const int g = j / DEVIATOR;
      const vec moved = tape->moved[j][v], factor = n.factor[g];
      const vec slope = n.inverse[g] * (1.0f - 0.5f * n.stress[g] * n.inverse[g]); /* of the stress by its square */
      const vec dsquare = (dstress[g] + dmean * (1.0f / GROUPS)) * d[DT][v] * slope;
      slot->targets[j][v] = n.radius * factor * (slot->targets[j][v] - tape->targets[j][v] * factor * factor * along[g]);
      dold[j] += 2.0f * moved * dsquare + (moved + d[DRIVE + j % DEVIATOR][v]) * dradius / (n.radius * GROUPS);
    }
    followed_backward(d, tape, v, slot->targets, dold);
    for (int m = 0; m < STATES; ++m) {
      dstate[m][v] = dold[m];
      if (m < ELASTIC)
        for (int k = 0; k < DEVIATOR; ++k)
          dstate[m][v] += d[MAPS + DEVIATOR * k + m % DEVIATOR][v] * dold[m - m % DEVIATOR + k];
    }
  }
}

INLINE void step_backward(const Network *transposed, const row *d, const Tape *tape, row *dstate, Slot *slot) {
  row other[HIDDEN], dx[STATES + INVARIANTS];
  relaxation_backward(d, tape, dstate, slot);
  memcpy(slot->x, tape->x, sizeof slot->x);
  silu(tape->first, HIDDEN, slot->after_first);
  silu(tape->second, HIDDEN, slot->after_second);
  dense(transposed->rates, NULL, slot->rates, RATES, HIDDEN, slot->second);
  dense(transposed->targets, NULL, slot->targets, TARGETS, HIDDEN, other);
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) slot->second[i][v] += other[i][v];
  silu_backward(tape->second, HIDDEN, slot->second);
  dense(transposed->between, NULL, slot->second, HIDDEN, HIDDEN, slot->first);
  silu_backward(tape->first, HIDDEN, slot->first);
  dense(transposed->input, NULL, slot->first, HIDDEN, STATES + INVARIANTS, dx);
  invariants_backward(d, tape->x + FEATURES, tape->x + FEATURES + STATES, dx + STATES, dstate); /* holds only the rows of the state */
  for (int m = 0; m < STATES; ++m)
    for (int v = 0; v < VECTORS; ++v) dstate[m][v] += dx[m][v];
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
  transpose(n->input + FEATURES * HIDDEN, STATES + INVARIANTS, HIDDEN, transposed->input);
  transpose(n->between, HIDDEN, HIDDEN, transposed->between);
  transpose(n->rates, HIDDEN, RATES, transposed->rates);
  transpose(n->targets, HIDDEN, TARGETS, transposed->targets);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long block = 0; block < paths / BLOCK; ++block) {
    row dstate[STATES], d[DATA], dh[ELASTIC];
    Slot slots[CHUNK];
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
  }
  float *total = (float *)gradient;
  memset(total, 0, sizeof(Network));
  for (long block = 0; block < paths / BLOCK; ++block)
    for (size_t i = 0; i < sizeof(Network) / sizeof(float); ++i) total[i] += ((const float *)(parts + block))[i];
  free(transposed);
  free(parts);
}
