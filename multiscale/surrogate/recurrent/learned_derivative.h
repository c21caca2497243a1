/* dP/dF of a step of the recurrent surrogate: the derivative of its cell along the five ways in which an isochoric stretch
 * can change, carried forward through the parts of the step, then by hand from the stretch to F. */
#ifndef LEARNED_DERIVATIVE_H
#define LEARNED_DERIVATIVE_H
#include <string.h>

#include "learned_surrogate.h"

#include "learned_by_deformation.h"
#include "learned_forward.h"
#include "recurrent_forward.h"

/* Work space of a block, for one direction after another. Not on the stack: it is more than an update takes. */
typedef struct {
  row x[INPUTS], hidden[HIDDEN], dx[INPUTS];
  Given given, dgiven;
  Slopes slopes;
  Points points[STRIDE];
  Step step[STRIDE], dstep[STRIDE];
  Tensors tensors[STRIDE], dtensors[STRIDE];
  Flow flow[STRIDE], dflow[STRIDE];
  State z[STRIDE], dz[DEVIATOR][STRIDE];
  Change change[DEVIATOR][STRIDE];
  real before[STRIDE][6];
} Work;

/* Carry change k through a part of the step. */
INLINE void carry(const Network *n, Work *w, int k, int number_of_part) {
  for (int v = 0; v < STRIDE; ++v) {
    next_part_forward(&w->points[v], w->before[v], number_of_part, w->z[v], w->dz[k][v], &w->step[v], &w->change[k][v],
                      &w->dstep[v]);
    tensors_forward(&w->tensors[v], &w->dstep[v], w->dz[k][v], &w->dtensors[v]);
    invariants_forward(&w->tensors[v], &w->dtensors[v], &w->dstep[v], w->dz[k][v], (part *)w->dx + v);
  }
  network_forward(n, &w->slopes, (const row *)w->dx, &w->dgiven);
  for (int v = 0; v < STRIDE; ++v) {
    const part *rates = (const part *)w->given.rates + v, *targets = (const part *)w->given.targets + v;
    const part *drates = (const part *)w->dgiven.rates + v, *dtargets = (const part *)w->dgiven.targets + v;
    const long goals = DEVIATORS * COEFFICIENTS * STRIDE;
    flow_forward(&w->tensors[v], &w->dtensors[v], &w->step[v], &w->dstep[v], targets, dtargets, &w->flow[v],
                 &w->dflow[v]);
    relax_forward(&w->flow[v], &w->dflow[v], &w->step[v], &w->dstep[v], rates, drates, targets + goals,
                  dtargets + goals, w->z[v], w->dz[k][v]);
  }
}

/* Advance the states of a block through a part of the step, and their five changes. */
INLINE void advance_with_changes(const Network *n, Work *w, int number_of_part) {
  for (int v = 0; v < STRIDE; ++v) {
    copy(w->points[v].now, 6, w->before[v]);
    next_part(&w->points[v], number_of_part, w->z[v], &w->step[v]);
  }
  read_block(w->step, (const State *)w->z, w->tensors, w->x);
  network(n, (const row *)w->x, w->hidden, &w->given);
  slopes_of(&w->given, &w->slopes);
  for (int v = 0; v < STRIDE; ++v)
    flow_of(&w->tensors[v], &w->step[v], (const part *)w->given.targets + v, &w->flow[v]);
  for (int k = 0; k < DEVIATOR; ++k) carry(n, w, k, number_of_part);
  for (int v = 0; v < STRIDE; ++v) {
    const part *rates = (const part *)w->given.rates + v, *targets = (const part *)w->given.targets + v;
    relax(&w->flow[v], &w->step[v], rates, targets + DEVIATORS * COEFFICIENTS * STRIDE, w->z[v]);
  }
}

/* The state after the step and its five changes, of w->points whose state was w->z. */
static void differentiate(const Surrogate *s, Work *w) {
  int parts = 1;
#if HOLDS
  for (int v = 0; v < STRIDE; ++v) cut_by_time(w->z[v], &w->points[v]);
#endif
  for (int v = 0; v < STRIDE; ++v) {
    const Points *p = &w->points[v];
    real way[DEVIATOR][6];
    for (int l = 0; l < LANES; ++l) parts = LANE(p->parts, l) > parts ? (int)LANE(p->parts, l) : parts;
    ways(p->to, way);
    for (int k = 0; k < DEVIATOR; ++k) {
      copy(way[k], 6, w->change[k][v].to);
      for (int i = 0; i < 6; ++i) w->change[k][v].now[i] = splat(0); /* where the step begins */
    }
  }
  memset(w->dz, 0, sizeof w->dz);
  for (int number = 1; number <= parts; ++number) advance_with_changes(&s->network, w, number);
}

/* dP/dF of the points of v, differentiated before. */
INLINE void tangent_of(const Surrogate *s, const Work *w, int v, real dP[81]) {
  real T[9], ds[DEVIATOR][DEVIATOR];
  rotated_stress(s, &w->points[v], w->z[v], T);
  for (int k = 0; k < DEVIATOR; ++k) mean_strain(s, w->dz[k][v], ds[k]);
  by_deformation(&w->points[v], T, ds, s->shear_modulus * STRAIN_SCALE, s->lambda_e, dP);
}
#endif
