/* Updates of the recurrent surrogate at material points, and the watch over its training range. */
#include "learned_surrogate.h"

#define KINDS (3 + LONGEST)
#define ROUNDING 1e-12 /* strain increments below are rounding and have no rate */

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

/* Keep the worst of points, and for how long they have been outside; count those that were not before. */
INLINE void mark(const real excess[KINDS], real dt, const Block *b, double *worst, double *outside,
                 double *extrapolation, long newly[KINDS + 1]) {
  real before[KINDS], time, most_before, most = splat(0);
  mask lane, fresh[KINDS + 1];
  for (int l = 0; l < LANES; ++l) lane[l] = l < b->lanes && !b->skipped[l] ? -1 : 0;
  const mask used = lane;
  gather(worst, b, KINDS, before);
  gather(outside, b, 1, &time);
  gather(extrapolation, b, 1, &most_before);
  time += choose(most_before > 0.0, dt, splat(0));
  for (int k = 0; k < KINDS; ++k) {
    most = larger(excess[k], most);
    fresh[k] = (before[k] == 0.0) & (excess[k] > 0.0) & used;
    before[k] = larger(excess[k], before[k]);
  }
  fresh[KINDS] = (most_before == 0.0) & (most > 0.0) & used;
  most = larger(most, most_before);
  scatter(before, b, KINDS, worst);
  scatter(&time, b, 1, outside);
  scatter(&most, b, 1, extrapolation);
  for (int k = 0; k <= KINDS; ++k)
    if (any(fresh[k]))
      for (int l = 0; l < LANES; ++l) newly[k] -= fresh[k][l];
}

/* P = R T U^-1. */
INLINE void piola(const Surrogate *s, const Points *p, const real z[ELASTIC], real P[9]) {
  real T[9], A[9];
  rotated_stress(s, p, z, T);
  product(T, p->inverse, A);
  product(p->R, A, P);
}

/* Arrays of all points: before the step; and what it changes: stretch, elastic strains, deviators and scalars as there,
 * clocks (n, CLOCKS), how long the training range was left (n), how far by kind (n, KINDS) and at all (n), P (n, 9); and
 * how many points left it for the first time, by kind and at all. */
typedef struct {
  Before before;
  double *stretch, *elastic, *tensors, *scalars, *clocks, *outside, *worst, *extrapolation, *P;
  long *newly;
} Arrays;

INLINE void leave(const Surrogate *s, const Arrays *a, const Block *b, const Points *p, real shape, const State z) {
  real P[9], clock[CLOCKS], excess[KINDS];
  gather(a->clocks, b, CLOCKS, clock);
  beyond(s, p, shape, clock, excess);
  piola(s, p, z, P);
  scatter(p->to, b, 6, a->stretch);
  scatter(z, b, ELASTIC, a->elastic);
  scatter(z + ELASTIC, b, SCALARS_FROM - ELASTIC, a->tensors);
  scatter(z + SCALARS_FROM, b, SCALARS, a->scalars);
  scatter(P, b, 9, a->P);
  scatter(clock, b, CLOCKS, a->clocks);
  mark(excess, p->dt, b, a->worst, a->outside, a->extrapolation, a->newly);
}

/* Points that wait for others that need several parts too: alone among points of one part they would double the cost. */
typedef struct {
  long point[2 * POINTS];
  int count;
} Waiting;

/* The largest number of parts of a block's points; few points of several parts are skipped, and wait. */
INLINE int parts_of(const Points *p, Block *block, Waiting *waiting) {
  int several = 0, parts = 1;
  for (int v = 0; v < STRIDE; ++v)
    for (int l = 0; l < block[v].lanes; ++l) several += p[v].parts[l] > 1.0;
  for (int v = 0; several && v < STRIDE; ++v)
    for (int l = 0; l < block[v].lanes; ++l) {
      if (p[v].parts[l] > 1.0 && waiting && several <= POINTS / 4) {
        waiting->point[waiting->count++] = block[v].point[l];
        block[v].skipped[l] = 1;
        block[v].whole = 0;
      } else {
        parts = p[v].parts[l] > parts ? (int)p[v].parts[l] : parts;
      }
    }
  return parts;
}

static void advance_block(const Surrogate *s, const Arrays *a, Block *block, Waiting *waiting) {
  Points p[STRIDE];
  Step step[STRIDE];
  State z[STRIDE];
  Given given;
  for (int v = 0; v < STRIDE; ++v) come(&a->before, &block[v], &p[v], z[v]);
  const int parts = parts_of(p, block, waiting);
  for (int part = 1; part <= parts; ++part) {
    for (int v = 0; v < STRIDE; ++v) next_part(&p[v], part, z[v], &step[v]);
    advance(&s->network, step, z, &given);
  }
  /* the last part ends where the step does */
  for (int v = 0; v < STRIDE; ++v) leave(s, a, &block[v], &p[v], step[v].features[SHAPE], z[v]);
}

/* Advance the first points of those that wait. */
static void advance_waiting(const Surrogate *s, const Arrays *a, Waiting *waiting) {
  const int count = waiting->count < POINTS ? waiting->count : POINTS;
  Block block[STRIDE];
  for (int v = 0; v < STRIDE; ++v) block[v] = block_of(waiting->point, v * LANES, count);
  advance_block(s, a, block, NULL);
  waiting->count -= count;
  for (int k = 0; k < waiting->count; ++k) waiting->point[k] = waiting->point[count + k];
}

/* Advance n points, see Arrays. */
void learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *tensors, double *scalars, double *clocks, double *outside, double *worst,
                    double *extrapolation, double *P, long newly[KINDS + 1]) {
  const Arrays a = {{F, dt, stretch, elastic, tensors, scalars}, stretch, elastic, tensors, scalars, clocks, outside,
                    worst, extrapolation, P, newly};
  const unsigned int mode = flush_tiny();
  Waiting waiting = {.count = 0};
  for (long start = 0; start < n; start += POINTS) {
    Block block[STRIDE];
    for (int v = 0; v < STRIDE; ++v) block[v] = block_at(start + v * LANES, n);
    advance_block(s, &a, block, &waiting);
    if (waiting.count >= POINTS) advance_waiting(s, &a, &waiting);
  }
  if (waiting.count) advance_waiting(s, &a, &waiting);
  leave_tiny(mode);
}
