/* The watch over the training range at material points, as multiscale/surrogate/extrapolation.py has it. */
#ifndef LEARNED_WATCH_H
#define LEARNED_WATCH_H
#include "learned_surrogate.h"

#define KINDS (3 + LONGEST)
#define ROUNDING 1e-12 /* strain increments below are rounding and have no rate */

/* What points keep of it, in the order of the law's state: clocks, how long ago they left it, us, and how far they have
 * been outside at most, by kind and at all. */
typedef struct {
  real clock[CLOCKS], outside, beyond[KINDS], extrapolation;
} Watch;

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

/* Keep the worst of points, and for how long they have been outside; fresh: those that were not before, by kind and at
 * all. */
INLINE void watch(const Surrogate *s, const Points *p, const Step *step, Watch *w, mask fresh[KINDS + 1]) {
  real excess[KINDS], most = splat(0);
  beyond(s, p, step->features[SHAPE], w->clock, excess);
  w->outside += choose(w->extrapolation > 0.0, p->dt, splat(0));
  for (int k = 0; k < KINDS; ++k) {
    most = larger(excess[k], most);
    fresh[k] = (w->beyond[k] == 0.0) & (excess[k] > 0.0);
    w->beyond[k] = larger(excess[k], w->beyond[k]);
  }
  fresh[KINDS] = (w->extrapolation == 0.0) & (most > 0.0);
  w->extrapolation = larger(most, w->extrapolation);
}
#endif
