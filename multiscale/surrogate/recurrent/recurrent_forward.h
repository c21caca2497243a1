/* The derivative of a step of the recurrent surrogate (recurrent_cell.h) along a direction, which is carried through it as
 * the step goes: changes of what comes, d..., lead to changes of what goes. The time step does not change.
 *
 * Written over the numbers of recurrent_cell.h, and like it C99 that any code can compile; it also divides. */
#ifndef RECURRENT_FORWARD_H
#define RECURRENT_FORWARD_H
#include "recurrent_cell.h"

#define NO_DECAY 1e-30 /* keeps a step of nothing from dividing by zero */

/* The change of |a> = f a, f = (1 + a.a)^(-1/2), where a changes by `da`; the two may be one. */
INLINE void bound_forward(const deviator bounded, real factor, const deviator da, deviator out) {
  const real along = dot(bounded, da);
  for (int k = 0; k < DEVIATOR; ++k) out[k] = factor * (da[k] - bounded[k] * along);
}

/* The change of a scalar product. */
INLINE real dot_forward(const deviator a, const deviator b, const deviator da, const deviator db) {
  return dot(da, b) + dot(a, db);
}

/* p = the change of dev((A B + B A) / 2). */
INLINE void product_forward(const deviator a, const deviator b, const deviator da, const deviator db, deviator p) {
  clear(p);
  add_product(da, b, p);
  add_product(a, db, p);
}

/* d: what tensors_of makes of a changed step and state. Factors are not among it. */
INLINE void tensors_forward(const Tensors *t, const Step *dstep, const real dz[STATES], Tensors *d) {
  copy(dz, SCALARS_FROM, d->of[0]);
  mean_of_groups((const deviator *)d->of, d->mean);
  bound_forward(t->mean, t->mean_factor, d->mean, d->mean);
  for (int g = 0; g < GROUPS; ++g) bound_forward(t->of[g], t->factor[g], d->of[g], d->of[g]);
  copy(dstep->features + DIRECTION, DEVIATOR, d->of[ALONG]);
  deviator_of_mandel(dstep->features, d->of[ODD]);
  deviator_of_mandel(dstep->features + 6, d->of[ODD + 1]);
#if TEXTURE
  deviator square;
  clear(d->of[TEXTURED]); /* it stays */
  product_forward(t->of[ALONG], t->of[ALONG], d->of[ALONG], d->of[ALONG], square);
  maps_of_six(t->six, d->of[ALONG], square, d->mean, d->maps);
#endif
  for (int p = 0; p < PRODUCTS; ++p) {
    const int one = made_of[p][0], other = made_of[p][1];
#if TEXTURE
    if (other < 0) {
      mapped(&t->maps[MAP(other)], operand(d, one), d->products[p]);
      if (other != BY_FOUR) add_mapped(&d->maps[MAP(other)], operand(t, one), d->products[p]);
    } else
#endif
      product_forward(operand(t, one), operand(t, other), operand(d, one), operand(d, other), d->products[p]);
  }
  for (int i = 0; i < DEVIATORS; ++i) product_forward(t->of[ALONG], t->of[i], d->of[ALONG], d->of[i], d->own[i][0]);
#if TEXTURE
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(d->own[i][1]);
    add_product(t->of[TEXTURED], d->of[i], d->own[i][1]);
    mapped(&t->maps[MAP(BY_FOUR)], d->of[i], d->own[i][2]);
  }
#endif
}

/* The change of what the network reads. */
INLINE void invariants_forward(const Tensors *t, const Tensors *d, const Step *dstep, const real dz[STATES], part *dx) {
  const real *f = dstep->features;
  const real of_step[OF_STEP_ALONE] = {f[SHAPE], f[RATE], f[RATE + 1], f[0] + f[1] + f[2], f[6] + f[7] + f[8]};
  for (int l = 0; l < SCALARS; ++l, dx += STRIDE) *dx = as_part(dz[SCALARS_FROM + l]);
  for (int i = 0; i < DEVIATORS; ++i) {
    for (int p = 0; p < READ_WITH(i); ++p, dx += STRIDE)
      *dx = as_part(dot_forward(t->of[i], t->products[p], d->of[i], d->products[p]));
    for (int o = 0; o < OWN; ++o, dx += STRIDE)
      *dx = as_part(dot_forward(t->of[i], t->own[i][o], d->of[i], d->own[i][o]));
  }
  for (int i = 0; i < READ; ++i)
    for (int j = i; j < READ; ++j, dx += STRIDE) *dx = as_part(dot_forward(t->of[i], t->of[j], d->of[i], d->of[j]));
  for (int k = 0; k < OF_STEP_ALONE; ++k, dx += STRIDE) *dx = as_part(of_step[k]);
#if TEXTURE
  for (int k = 0; k < TEXTURE_PAIRS; ++k, dx += STRIDE) {
    const int i = texture_pairs[k][0], p = texture_pairs[k][1];
    *dx = as_part(dot_forward(t->of[i], t->products[p], d->of[i], d->products[p]));
  }
  dx[0] = dx[STRIDE] = as_part(splat(0)); /* the texture stays */
#endif
}

/* d: the change of what a step leads to, where the coefficients that the network gave change by dcoefficients. Of it,
 * factors and inverses stay. */
INLINE void flow_forward(const Tensors *t, const Tensors *dt, const Step *step, const Step *dstep,
                         const part *coefficients, const part *dcoefficients, const Flow *f, Flow *d) {
  const number share = 1.0 / GROUPS;
  real dtrial = splat(0);
  copy(dt->of[ALONG], OF_STEP * DEVIATOR, d->basis[0]);
  mean_of_groups(dstep->moved, d->basis[MEAN]);
  copy(dt->products[0], PRODUCTS * DEVIATOR, d->basis[FIRST_PRODUCT]);
  copy(dstep->moved[0], ELASTIC, d->basis[MOVED]);
  copy(dt->of[GROUPS], TENSORS * DEVIATOR, d->basis[MOVED + GROUPS]);
#if TEXTURE
  clear(d->basis[MOVED + DEVIATORS]);
#endif
  for (int i = 0; i < DEVIATORS; ++i) {
    deviator sum;
    clear(sum);
    for (int b = 0; b < BASIS; ++b, coefficients += STRIDE, dcoefficients += STRIDE) {
      add(as_real(*coefficients), d->basis[b], sum);
      add(as_real(*dcoefficients), f->basis[b], sum);
    }
    for (int o = 0; o < OWN; ++o, coefficients += STRIDE, dcoefficients += STRIDE) {
      add(as_real(*coefficients), dt->own[i][o], sum);
      add(as_real(*dcoefficients), t->own[i][o], sum);
    }
    bound_forward(f->target[i], f->factor[i], sum, d->target[i]);
  }
  d->mean = splat(0);
  for (int g = 0; g < GROUPS; ++g) {
    const real *moved = step->moved[g], *dmoved = dstep->moved[g], dsquare = (number)2 * dot(moved, dmoved);
    for (int k = 0; k < DEVIATOR; ++k)
      dtrial += (number)2 * share * (moved[k] + step->strain[k]) * (dmoved[k] + dstep->strain[k]);
    d->stress[g] = dsquare * f->inverse[g] * ((number)1 - (number)0.5 * f->stress[g] * f->inverse[g]);
    d->mean += d->stress[g] * share;
  }
  d->radius = (number)0.5 * dtrial / f->radius;
}

/* How much variable q relaxes in a step, what of a steady strain is left of it on the mean, and the changes of both. */
typedef struct {
  real gain, mean, dgain, dmean;
} Relaxing;

INLINE Relaxing relaxing(const Flow *f, const Flow *d, const Step *step, const Step *dstep, int q, real rate,
                         real drate) {
  const real decay = decay_of(f, step, q, rate), of_rate = decay_of(f, step, q, drate);
  const real ddecay = (dstep->size + step->dt * (q < GROUPS ? d->stress[q] : d->mean)) * rate + of_rate;
  Relaxing r;
  r.gain = one_minus_exp(decay);
  r.mean = mean_exp(decay, r.gain);
  r.dgain = ((number)1 - r.gain) * ddecay;
  /* Digits that cancel here where the decay is small do not count: the strain is then as small. */
  r.dmean = (r.dgain - r.mean * ddecay) / (decay + (number)NO_DECAY);
  return r;
}

/* dz: in, the change of the state z before a step; out, after it. */
INLINE void relax_forward(const Flow *f, const Flow *d, const Step *step, const Step *dstep, const part *rates,
                          const part *drates, const part *goals, const part *dgoals, const real z[STATES],
                          real dz[STATES]) {
  for (int i = 0; i < DEVIATORS; ++i) {
    const Relaxing r = relaxing(f, d, step, dstep, i, as_real(rates[i * STRIDE]), as_real(drates[i * STRIDE]));
    const real *before = f->basis[MOVED + i], *dbefore = d->basis[MOVED + i];
    for (int k = 0; k < DEVIATOR; ++k) {
      const real target = i < GROUPS ? f->target[i][k] * f->radius : f->target[i][k];
      const real dtarget =
          i < GROUPS ? d->target[i][k] * f->radius + f->target[i][k] * d->radius : d->target[i][k];
      dz[i * DEVIATOR + k] = dbefore[k] + r.dgain * (target - before[k]) + r.gain * (dtarget - dbefore[k]);
      if (i < GROUPS) dz[i * DEVIATOR + k] += r.dmean * step->strain[k] + r.mean * dstep->strain[k];
    }
  }
  for (int l = 0; l < SCALARS; ++l) {
    const int q = DEVIATORS + l, state = SCALARS_FROM + l;
    const Relaxing r = relaxing(f, d, step, dstep, q, as_real(rates[q * STRIDE]), as_real(drates[q * STRIDE]));
    const real goal = as_real(goals[l * STRIDE]), factor = inverse_root((number)1 + goal * goal);
    const real dtarget = factor * factor * factor * as_real(dgoals[l * STRIDE]);
    dz[state] += r.dgain * (goal * factor - z[state]) + r.gain * (dtarget - dz[state]);
  }
}
#endif
