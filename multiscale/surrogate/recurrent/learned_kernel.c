/* The recurrent surrogate at material points: the equations of multiscale/surrogate/recurrent/network.py and
 * increments.py, in double precision, for BLOCK points at a time.
 *
 * Points fill the lanes of vectors; they never mix, and every point takes the same instructions, so a result
 * does not depend on the batch it was computed in. Sizes and constants are those of
 * multiscale/surrogate/recurrent/architecture.py, which this is compiled with. */
#define VECTORS 2 /* two vectors a weight: loads of weights no longer limit the multiplications */
#include "microscale/paths/flow_clocks.h"
#include "learned_tensors.h"

#define BLOCK (VECTORS * LANES)
#define TILE (SUMS / VECTORS) /* outputs whose sums stay in registers */
#define KINDS (3 + LONGEST)
#define ROUNDING 1e-12 /* strain increments below are rounding and have no rate */

typedef struct {
  double shear_modulus, lambda_e;                        /* GPa */
  double largest_shape, largest_rate, smallest_J, largest_J; /* training range: ln m, 1/us, det F */
  double elastic_limit, longest[LONGEST];                /* of flow_clocks.h: us, us, strain */
  double shares[GROUPS];                                 /* weights of the groups; their sum is one */
  double input[INPUTS * HIDDEN], input_bias[HIDDEN];     /* weights row by row: inputs, then outputs */
  double between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  double rates[HIDDEN * RATES], rates_bias[RATES];
  double targets[HIDDEN * TARGETS], targets_bias[TARGETS];
} Surrogate;

/* How far a step ends beyond the training range, relative to it and zero inside, by kind: shape, rate, volume, and
 * what the clocks show. */
INLINE void beyond(const Surrogate *s, const Points *p, real shape, real clock[CLOCKS], real excess[KINDS]) {
  real strain[5], shown[LONGEST];
  const real rate = choose(p->size > ROUNDING, p->size / (p->dt + TINY), splat(0));
  excess[0] = positive(shape * (1.0 / s->largest_shape) - 1.0);
  excess[1] = positive(rate * (1.0 / s->largest_rate) - 1.0);
  excess[2] = positive(larger(p->J * (1.0 / s->largest_J), s->smallest_J / p->J) - 1.0);
  for (int k = 0; k < 5; ++k) strain[k] = 0.5 * p->driven[k];
  flow_clocks(s->elastic_limit, strain, p->dt, clock, shown);
  for (int k = 0; k < LONGEST; ++k) excess[3 + k] = positive(shown[k] * (1.0 / s->longest[k]) - 1.0);
}

/* Keep the worst of a point, and for how long it has been outside; count it if it was not before. */
static void mark(const double excess[KINDS], double dt, double *worst, double *outside, double *extrapolation,
                 long newly[KINDS + 1]) {
  double most = 0;
  for (int k = 0; k < KINDS; ++k) {
    newly[k] += worst[k] == 0.0 && excess[k] > 0.0;
    worst[k] = fmax(worst[k], excess[k]);
    most = fmax(most, excess[k]);
  }
  newly[KINDS] += *extrapolation == 0.0 && most > 0.0;
  *outside += *extrapolation > 0.0 ? dt : 0.0;
  *extrapolation = fmax(*extrapolation, most);
}

/* m outputs from `o` on of y = x W + b; they stay in registers. */
INLINE void tile(const double *W, const double *b, const real (*x)[VECTORS], int inputs, int outputs, int o, int m,
                 real (*y)[VECTORS]) {
  real sum[TILE][VECTORS];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) sum[k][v] = splat(b[o + k]);
  for (int i = 0; i < inputs; ++i)
    for (int k = 0; k < m; ++k)
      for (int v = 0; v < VECTORS; ++v) sum[k][v] += W[i * outputs + o + k] * x[i][v];
  for (int k = 0; k < m; ++k)
    for (int v = 0; v < VECTORS; ++v) y[o + k][v] = sum[k][v];
}

/* y = x W + b for the points of a block. */
INLINE void dense(const double *W, const double *b, const real (*x)[VECTORS], int inputs, int outputs,
                  real (*y)[VECTORS]) {
  int o = 0;
  for (; o + TILE <= outputs; o += TILE) tile(W, b, x, inputs, outputs, o, TILE, y);
  tile(W, b, x, inputs, outputs, o, outputs % TILE, y); /* a constant: this is compiled for each layer */
}

INLINE void silu(real (*x)[VECTORS]) {
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) x[i][v] *= reciprocal(1.0 + exponential(-x[i][v]));
}

/* (1 - exp(-x)) / x, given exp(-x). */
INLINE real mean_of_exponential(real x, real exponential_x) {
  const real series = 1.0 - x * (1.0 / 2) * (1.0 - x * (1.0 / 3) * (1.0 - x * (1.0 / 4) * (1.0 - x * (1.0 / 5))));
  return choose(x < 1e-3, series, (1.0 - exponential_x) / (x + TINY));
}

/* What relaxes at one rate along a part: how much is left, and the mean over the part. */
INLINE void relaxation(real slow, real passed, real *left, real *mean) {
  const real decay = passed * reciprocal(exponential(-slow) + SHORTEST_MEMORY);
  *left = exp_negative(-decay);
  *mean = mean_of_exponential(decay, *left);
}

/* Relaxation of the state z of one vector of points along a part, towards targets at rates the network gave. */
INLINE void relax(const Part *p, const Tensors *t, const real (*slow)[VECTORS], const real (*given)[VECTORS], int v,
                  real z[STATES]) {
  deviator target[DEVIATORS];
  real stress[GROUPS], trial = splat(SMALL), mean_stress = splat(0), left, mean;
  targets_of(t, p->moved, given, v, target);
  for (int g = 0; g < GROUPS; ++g) {
    const real *moved = p->moved + g * DEVIATOR, square = dot(moved, moved);
    for (int k = 0; k < DEVIATOR; ++k)
      trial += (moved[k] + p->strain[k]) * (moved[k] + p->strain[k]) * (1.0 / GROUPS);
    stress[g] = square * inverse_root(square + SMALL);
    mean_stress += stress[g] * (1.0 / GROUPS);
  }
  const real radius = root(trial);
  for (int g = 0; g < GROUPS; ++g) {
    relaxation(slow[g][v], p->size + p->dt * stress[g], &left, &mean);
    for (int k = 0; k < DEVIATOR; ++k) {
      const int j = g * DEVIATOR + k;
      z[j] = p->moved[j] * left + target[g][k] * radius * (1.0 - left) + p->strain[k] * mean;
    }
  }
  for (int i = GROUPS; i < RATES; ++i) {
    const real passed = p->size + p->dt * mean_stress;
    left = exp_negative(-passed * reciprocal(exponential(-slow[i][v]) + SHORTEST_MEMORY));
    if (i < DEVIATORS) {
      for (int k = 0; k < DEVIATOR; ++k)
        z[i * DEVIATOR + k] = z[i * DEVIATOR + k] * left + target[i][k] * (1.0 - left);
    } else {
      const real goal = given[DEVIATORS * COEFFICIENTS + i - DEVIATORS][v];
      real *xi = z + SCALARS_FROM + i - DEVIATORS;
      *xi = *xi * left + goal * inverse_root(1.0 + goal * goal) * (1.0 - left);
    }
  }
}

/* Advance states z along a part of which the network sees `features`. */
INLINE void advance(const Surrogate *s, const Part p[VECTORS], const real features[VECTORS][FEATURES],
                    real z[VECTORS][STATES]) {
  real x[INPUTS][VECTORS], first[HIDDEN][VECTORS], second[HIDDEN][VECTORS], slow[RATES][VECTORS];
  real given[TARGETS][VECTORS];
  Tensors tensors[VECTORS];
  for (int v = 0; v < VECTORS; ++v) {
    tensors_of(features[v], z[v], &tensors[v]);
    invariants(&tensors[v], features[v], z[v], v, x);
  }
  dense(s->input, s->input_bias, (const real(*)[VECTORS])x, INPUTS, HIDDEN, first);
  silu(first);
  dense(s->between, s->between_bias, (const real(*)[VECTORS])first, HIDDEN, HIDDEN, second);
  silu(second);
  dense(s->rates, s->rates_bias, (const real(*)[VECTORS])second, HIDDEN, RATES, slow);
  dense(s->targets, s->targets_bias, (const real(*)[VECTORS])second, HIDDEN, TARGETS, given);
  for (int v = 0; v < VECTORS; ++v)
    relax(&p[v], &tensors[v], (const real(*)[VECTORS])slow, (const real(*)[VECTORS])given, v, z[v]);
}

/* P = R T U^-1 with T = G s + J 2 lambda_e (J - 1) I, s the mean of the groups. */
INLINE void piola(const Surrogate *s, const Points *p, const real z[ELASTIC], real P[9]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real T[9], A[9], mean[5];
  for (int k = 0; k < 5; ++k) {
    mean[k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) mean[k] += s->shares[g] * z[g * DEVIATOR + k];
  }
  from_deviator5_and_axial(mean, zero, T);
  for (int i = 0; i < 9; ++i) T[i] *= s->shear_modulus * STRAIN_SCALE;
  const real pressure = 2.0 * s->lambda_e * p->J * (p->J - 1.0);
  for (int i = 0; i < 9; i += 4) T[i] += pressure;
  product(T, p->inverse, A);
  product(p->R, A, P);
}

INLINE void gather(const double *source, const long *point, int count, real *out) {
  for (int k = 0; k < count; ++k)
    for (int l = 0; l < LANES; ++l) out[k][l] = source[point[l] * count + k];
}

INLINE void scatter(const real *in, const long *point, int lanes, int count, double *target) {
  for (int l = 0; l < lanes; ++l)
    for (int k = 0; k < count; ++k) target[point[l] * count + k] = in[k][l];
}

/* Advance n points. Arrays: F (n, 9), dt (n), stretch (n, 6), elastic strains (n, ELASTIC; over the strain scale),
 * other deviators (n, 5 TENSORS), scalars (n, SCALARS), clocks (n, CLOCKS), how long the training range was
 * left (n), how far by kind (n, KINDS) and at all (n), P (n, 9). Adds to `newly` how many points left
 * it for the first time, by kind and at all. */
void learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *tensors, double *scalars, double *clocks, double *outside, double *worst,
                    double *extrapolation, double *P, long newly[KINDS + 1]) {
  for (long start = 0; start < n; start += BLOCK) {
    Points p[VECTORS];
    real features[VECTORS][FEATURES], z[VECTORS][STATES];
    long point[VECTORS][LANES];
    int lanes[VECTORS], parts = 1;
    for (int v = 0; v < VECTORS; ++v) {
      const long first = start + v * LANES, left = n - first;
      lanes[v] = left > LANES ? LANES : left > 0 ? (int)left : 0;
      for (int l = 0; l < LANES; ++l) point[v][l] = first + l < n ? first + l : n - 1; /* idle lanes repeat a point */
      real Fv[9];
      gather(F, point[v], 9, Fv);
      gather(dt, point[v], 1, &p[v].dt);
      gather(stretch, point[v], 6, p[v].from);
      gather(elastic, point[v], ELASTIC, z[v]);
      gather(tensors, point[v], SCALARS_FROM - ELASTIC, z[v] + ELASTIC);
      gather(scalars, point[v], SCALARS, z[v] + SCALARS_FROM);
      kinematics(Fv, &p[v]);
      for (int l = 0; l < LANES; ++l) parts = p[v].parts[l] > parts ? (int)p[v].parts[l] : parts;
    }
    for (int part = 1; part <= parts; ++part) {
      Part now[VECTORS];
      for (int v = 0; v < VECTORS; ++v) now[v] = next_part(&p[v], part, z[v], features[v]);
      advance(s, now, features, z);
    }
    for (int v = 0; v < VECTORS; ++v) {
      real Pv[9], clock[CLOCKS], excess[KINDS];
      gather(clocks, point[v], CLOCKS, clock);
      beyond(s, &p[v], features[v][SHAPE], clock, excess); /* the last part ends where the step does */
      piola(s, &p[v], z[v], Pv);
      scatter(p[v].to, point[v], lanes[v], 6, stretch);
      scatter(z[v], point[v], lanes[v], ELASTIC, elastic);
      scatter(z[v] + ELASTIC, point[v], lanes[v], SCALARS_FROM - ELASTIC, tensors);
      scatter(z[v] + SCALARS_FROM, point[v], lanes[v], SCALARS, scalars);
      scatter(Pv, point[v], lanes[v], 9, P);
      scatter(clock, point[v], lanes[v], CLOCKS, clocks);
      for (int l = 0; l < lanes[v]; ++l) {
        const long at = point[v][l];
        double here[KINDS];
        for (int k = 0; k < KINDS; ++k) here[k] = excess[k][l];
        mark(here, p[v].dt[l], worst + KINDS * at, outside + at, extrapolation + at, newly);
      }
    }
  }
}
