/* Updates of the recurrent surrogate at points whose state is the arrays of the law in Python. */
#include "learned_before.h"
#include "learned_watch.h"

/* Arrays of all points: before the step; and what it changes: stretch, elastic strains, deviators and scalars as there,
 * clocks (n, CLOCKS), how long the training range was left (n), how far by kind (n, KINDS) and at all (n), P (n, 9); and
 * how many points left it for the first time, by kind and at all. */
typedef struct {
  Before before;
  double *stretch, *elastic, *tensors, *scalars, *clocks, *outside, *beyond, *extrapolation, *P;
  long *newly;
} Arrays;

INLINE void come(const Arrays *a, const Block *block, Points *p, State *z, Watch *w) {
  for (int v = 0; v < STRIDE; ++v) {
    const Block *b = &block[v];
    take(&a->before, b, &p[v], z[v]);
    gather(a->clocks, b, CLOCKS, w[v].clock);
    gather(a->outside, b, 1, &w[v].outside);
    gather(a->beyond, b, KINDS, w[v].beyond);
    gather(a->extrapolation, b, 1, &w[v].extrapolation);
  }
}

INLINE void count(const mask fresh[KINDS + 1], const Block *b, long newly[KINDS + 1]) {
  for (int k = 0; k <= KINDS; ++k)
    if (any(fresh[k]))
      for (int l = 0; l < b->lanes; ++l) newly[k] += LANE(fresh[k], l) && !b->skipped[l];
}

INLINE void give(const Surrogate *s, const Arrays *a, const Block *b, const Points *p, const Step *step, const State z,
                 Watch *w) {
  real P[9];
  mask fresh[KINDS + 1];
  watch(s, p, step, w, fresh);
  piola(s, p, z, P);
  scatter(p->to, b, 6, a->stretch);
  scatter(z, b, ELASTIC, a->elastic);
  scatter(z + ELASTIC, b, SCALARS_FROM - ELASTIC, a->tensors);
  scatter(z + SCALARS_FROM, b, SCALARS, a->scalars);
  scatter(w->clock, b, CLOCKS, a->clocks);
  scatter(&w->outside, b, 1, a->outside);
  scatter(w->beyond, b, KINDS, a->beyond);
  scatter(&w->extrapolation, b, 1, a->extrapolation);
  scatter(P, b, 9, a->P);
  count(fresh, b, a->newly);
}

INLINE void leave(const Surrogate *s, const Arrays *a, const Block *block, const Points *p, const Step *step,
                  const State *z, Watch *w) {
  for (int v = 0; v < STRIDE; ++v) give(s, a, &block[v], &p[v], &step[v], z[v], &w[v]);
}

#include "learned_blocks.h"

/* Advance n points, see Arrays; texture may be NULL where the law knows none. */
void learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *tensors, double *scalars, const double *texture, double *clocks, double *outside,
                    double *beyond, double *extrapolation, double *P, long newly[KINDS + 1]) {
  const Arrays a = {{F, dt, stretch, elastic, tensors, scalars, texture}, stretch, elastic, tensors, scalars, clocks, outside, beyond, extrapolation, P, newly};
  advance_points(s, &a, n);
}
