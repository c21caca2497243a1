/* Forward and backward passes of multiscale/surrogate/recurrent.py through time, in single precision.
 *
 * A block of BLOCK paths fills the lanes of VECTORS vectors; rows are units. Autograd of the same network spends
 * its time starting small operations. Defined outside: GROUPS, INTERNAL, HIDDEN. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 16
#define VECTORS 4
#define BLOCK (LANES * VECTORS)
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t bits __attribute__((vector_size(4 * LANES)));
typedef vec row[VECTORS];
#define INLINE static inline __attribute__((always_inline))

#define DEVIATOR 5
#define ELASTIC (GROUPS * DEVIATOR)
#define STATES (ELASTIC + INTERNAL)
#define FEATURES 20
#define INPUTS (FEATURES + STATES)
#define SHORTEST_MEMORY 1e-3f
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
  float rates[HIDDEN * STATES], rates_bias[STATES];
  float targets[HIDDEN * STATES], targets_bias[STATES];
} Network;

/* What a step leaves for the way back. */
typedef struct {
  row x[INPUTS], first[HIDDEN], second[HIDDEN], rates[STATES], targets[STATES], moved[ELASTIC];
} Tape;

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
  for (; o < outputs; ++o) tile(W, b, x, inputs, outputs, o, 1, y);
}

/* What CHUNK steps leave for the gradients of the weights, which sum over lanes once a chunk. */
#define CHUNK 4
typedef struct {
  row x[INPUTS], after_first[HIDDEN], after_second[HIDDEN];
  row first[HIDDEN], second[HIDDEN], rates[STATES], targets[STATES]; /* gradients */
} Slot;
#define SLOT_ROWS (sizeof(Slot) / sizeof(row))

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

/* dW += x dy^T, db += dy, summed over lanes and steps; rows in fours. x and dy are rows of the first slot. */
INLINE void outer(const row *x, int inputs, const row *dy, int outputs, int steps, float *dW, float *db) {
  for (int i = 0; i < inputs; i += 4)
    for (int o = 0; o < outputs; o += 4) {
      vec sum[16];
      for (int k = 0; k < 16; ++k) sum[k] = splat(0);
      const int last_i = inputs - 1 - i, last_o = outputs - 1 - o;
      for (int t = 0; t < steps; ++t)
        for (int v = 0; v < VECTORS; ++v)
          for (int a = 0; a < 4; ++a)
            for (int b = 0; b < 4; ++b) /* rows past the end repeat the last one; their sums are dropped */
              sum[4 * a + b] += x[t * SLOT_ROWS + i + (a < last_i ? a : last_i)][v] *
                                dy[t * SLOT_ROWS + o + (b < last_o ? b : last_o)][v];
      const vec total = fold(sum);
      for (int a = 0; a <= 3 && a <= last_i; ++a)
        for (int b = 0; b <= 3 && b <= last_o; ++b) dW[(i + a) * outputs + o + b] += total[4 * a + b];
    }
  for (int o = 0; o < outputs; ++o) {
    vec sum = splat(0);
    for (int t = 0; t < steps; ++t)
      for (int v = 0; v < VECTORS; ++v) sum += dy[t * SLOT_ROWS + o][v];
    for (int l = 0; l < LANES; ++l) db[o] += sum[l];
  }
}

static void add_gradients(const Slot *slots, int steps, Network *g) {
  outer(slots->x, INPUTS, slots->first, HIDDEN, steps, g->input, g->input_bias);
  outer(slots->after_first, HIDDEN, slots->second, HIDDEN, steps, g->between, g->between_bias);
  outer(slots->after_second, HIDDEN, slots->rates, STATES, steps, g->rates, g->rates_bias);
  outer(slots->after_second, HIDDEN, slots->targets, STATES, steps, g->targets, g->targets_bias);
}

INLINE void silu(const row *x, row *y) {
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) y[i][v] = x[i][v] / (1.0f + exponential(-x[i][v]));
}

INLINE void silu_backward(const row *x, row *dy) {
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) {
      const vec s = 1.0f / (1.0f + exponential(-x[i][v]));
      dy[i][v] *= s * (1.0f + x[i][v] * (1.0f - s));
    }
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

/* One variable's relaxation along a step. */
typedef struct {
  vec rate, passed, left, mean, slope, old, target;
} Relaxation;

INLINE Relaxation relaxation_of(const Norms *n, const row *d, const Tape *tape, int k, int v) {
  const int elastic = k < ELASTIC;
  Relaxation r;
  r.rate = 1.0f / (exponential(-tape->rates[k][v]) + SHORTEST_MEMORY);
  r.passed = d[SIZE][v] + d[DT][v] * (elastic ? n->stress[k / DEVIATOR] : n->mean);
  r.left = exponential(-r.passed * r.rate);
  mean_of_exponential(r.passed * r.rate, r.left, &r.mean, &r.slope);
  r.old = elastic ? tape->moved[k][v] : tape->x[FEATURES + k][v];
  r.target = tape->targets[k][v] * (elastic ? n->factor[k / DEVIATOR] * n->radius : n->factor[GROUPS + k - ELASTIC]);
  return r;
}

INLINE void step_forward(const Network *n, const row *d, Tape *tape, row *state) {
  row hidden[HIDDEN];
  memcpy(tape->x, d, FEATURES * sizeof(row));
  memcpy(tape->x + FEATURES, state, STATES * sizeof(row));
  dense(n->input, n->input_bias, tape->x, INPUTS, HIDDEN, tape->first);
  silu(tape->first, hidden);
  dense(n->between, n->between_bias, hidden, HIDDEN, HIDDEN, tape->second);
  silu(tape->second, hidden);
  dense(n->rates, n->rates_bias, hidden, HIDDEN, STATES, tape->rates);
  dense(n->targets, n->targets_bias, hidden, HIDDEN, STATES, tape->targets);
  for (int v = 0; v < VECTORS; ++v) {
    for (int j = 0; j < ELASTIC; ++j) {
      const row *map = d + MAPS + DEVIATOR * (j % DEVIATOR), *strain = tape->x + FEATURES + j - j % DEVIATOR;
      tape->moved[j][v] = state[j][v];
      for (int m = 0; m < DEVIATOR; ++m) tape->moved[j][v] += map[m][v] * strain[m][v];
    }
    const Norms norms = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    for (int k = 0; k < STATES; ++k) {
      const Relaxation r = relaxation_of(&norms, d, tape, k, v);
      state[k][v] = r.target + (r.old - r.target) * r.left;
      if (k < ELASTIC) state[k][v] += d[DRIVE + k % DEVIATOR][v] * r.mean;
    }
  }
}

/* dstate: in, gradient with respect to the state after the step; out, before it, but for the network's part. */
INLINE void relaxation_backward(const row *d, const Tape *tape, row *dstate, Slot *slot) {
  for (int v = 0; v < VECTORS; ++v) {
    const Norms n = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    vec dold[STATES], dstress[GROUPS], along[GROUPS], dmean = splat(0), dradius = splat(0);
    for (int g = 0; g < GROUPS; ++g) dstress[g] = along[g] = splat(0);
    for (int k = 0; k < STATES; ++k) {
      const Relaxation r = relaxation_of(&n, d, tape, k, v);
      const vec dz = dstate[k][v], dtarget = dz * (1.0f - r.left);
      vec ddecay = -r.left * (r.old - r.target) * dz;
      dold[k] = dz * r.left;
      if (k < ELASTIC) {
        ddecay += d[DRIVE + k % DEVIATOR][v] * r.slope * dz;
        dstress[k / DEVIATOR] += ddecay * r.rate;
        along[k / DEVIATOR] += dtarget * tape->targets[k][v];
        slot->targets[k][v] = dtarget; /* finished below, where the sum over the group is known */
      } else {
        const vec factor = n.factor[GROUPS + k - ELASTIC];
        dmean += ddecay * r.rate;
        slot->targets[k][v] = dtarget * factor * factor * factor;
      }
      slot->rates[k][v] = ddecay * r.passed * r.rate * (1.0f - SHORTEST_MEMORY * r.rate);
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
    for (int m = 0; m < STATES; ++m) {
      dstate[m][v] = dold[m];
      if (m < ELASTIC)
        for (int k = 0; k < DEVIATOR; ++k)
          dstate[m][v] += d[MAPS + DEVIATOR * k + m % DEVIATOR][v] * dold[m - m % DEVIATOR + k];
    }
  }
}

INLINE void step_backward(const Network *transposed, const row *d, const Tape *tape, row *dstate, Slot *slot) {
  row other[HIDDEN], dx[STATES];
  relaxation_backward(d, tape, dstate, slot);
  memcpy(slot->x, tape->x, sizeof slot->x);
  silu(tape->first, slot->after_first);
  silu(tape->second, slot->after_second);
  dense(transposed->rates, NULL, slot->rates, STATES, HIDDEN, slot->second);
  dense(transposed->targets, NULL, slot->targets, STATES, HIDDEN, other);
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) slot->second[i][v] += other[i][v];
  silu_backward(tape->second, slot->second);
  dense(transposed->between, NULL, slot->second, HIDDEN, HIDDEN, slot->first);
  silu_backward(tape->first, slot->first);
  dense(transposed->input, NULL, slot->first, HIDDEN, STATES, dx); /* holds only the rows of the state */
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
  transpose(n->input + FEATURES * HIDDEN, STATES, HIDDEN, transposed->input);
  transpose(n->between, HIDDEN, HIDDEN, transposed->between);
  transpose(n->rates, HIDDEN, STATES, transposed->rates);
  transpose(n->targets, HIDDEN, STATES, transposed->targets);
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
