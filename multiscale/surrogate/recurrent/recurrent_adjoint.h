/* The way back through a step of the recurrent surrogate (recurrent_cell.h): gradients of the state before it and of what
 * the network read and gave. Nothing flows back to the step itself. Parts and reals are of one precision here. */
#ifndef RECURRENT_ADJOINT_H
#define RECURRENT_ADJOINT_H
#include "recurrent_cell.h"

/* The network reads the state's scalars, inner products of its deviators with the products and of all deviators with
 * each other, and the scalars of step and texture. Only the first rows depend on the state. */
#define OF_STATE (INPUTS - PLAIN - (OF_STEP + TEXTURE) * (OF_STEP + TEXTURE + 1) / 2)

/* Gradients of products. */
typedef struct {
  deviator products[PRODUCTS], own[DEVIATORS][OWN];
} Products;

/* da += the gradient, given that of |a>. */
INLINE void bound_backward(const deviator bounded, real factor, const deviator given, deviator da) {
  const real along = dot(bounded, given);
  for (int k = 0; k < DEVIATOR; ++k) da[k] += factor * (given[k] - bounded[k] * along);
}

/* Where the gradient of an operand goes: to the mean or a former product, nowhere where it does not depend on the state. */
INLINE real *gradient_of(int o, Products *d, deviator dmean) {
  return o == MEAN_READ ? dmean : o >= PRODUCT(0) ? d->products[o - PRODUCT(0)] : NULL;
}

/* What a product passes to what it is made of; later products first. */
INLINE void product_backward(const Tensors *t, int p, Products *d, deviator dmean) {
  const int one = made_of[p][0], other = made_of[p][1];
  real *done = gradient_of(one, d, dmean);
#if TEXTURE
  if (other < 0) {
    if (done) add_mapped(&t->maps[MAP(other)], d->products[p], done);
    if (other == BY_MEAN) add_mapped(&t->maps[MAP(BY_MEAN)], d->products[p], dmean); /* T6 (<m>, <m>): either of them */
    return;
  }
#endif
  real *dother = gradient_of(other, d, dmean);
  if (done) add_product(d->products[p], operand(t, other), done);
  if (dother) add_product(d->products[p], operand(t, one), dother);
}

/* dz += gradients of the state, given those of what the network read and, from elsewhere, of the products (changed). */
INLINE void invariants_backward(const Tensors *t, const part *dx, Products *d, State dz) {
  deviator dof[DEVIATORS], dmean, dstate;
  const part *given = dx + SCALARS * STRIDE;
  clear(dmean);
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(dof[i]);
    for (int p = 0; p < READ_WITH(i); ++p, given += STRIDE) {
      add(*given, t->products[p], dof[i]);
      add(*given, t->of[i], d->products[p]);
    }
    for (int o = 0; o < OWN; ++o, given += STRIDE) {
      add(*given, t->own[i][o], dof[i]);
      add(*given, t->of[i], d->own[i][o]);
    }
    add_product(t->of[ALONG], d->own[i][0], dof[i]);
#if TEXTURE
    add_product(t->of[TEXTURED], d->own[i][1], dof[i]);
    add_mapped(&t->maps[MAP(BY_FOUR)], d->own[i][2], dof[i]);
#endif
  }
  for (int i = 0; i < DEVIATORS; ++i)
    for (int j = i; j < READ; ++j, given += STRIDE) {
      add(*given, t->of[j], dof[i]);
      if (j < DEVIATORS) add(*given, t->of[i], dof[j]);
    }
  for (int p = PRODUCTS - 1; p >= 0; --p) product_backward(t, p, d, dmean);
  clear(dstate);
  bound_backward(t->mean, t->mean_factor, dmean, dstate);
  for (int i = 0; i < DEVIATORS; ++i) {
    deviator da;
    if (i < GROUPS) {
      for (int k = 0; k < DEVIATOR; ++k) da[k] = dstate[k] * (number)(1.0 / GROUPS);
      bound_backward(t->of[i], t->factor[i], dof[i], da);
    } else {
      copy(dof[i], DEVIATOR, da);
    }
    for (int k = 0; k < DEVIATOR; ++k) dz[i * DEVIATOR + k] += da[k];
  }
  for (int l = 0; l < SCALARS; ++l) dz[SCALARS_FROM + l] += dx[l * STRIDE];
}

/* Gradients by rates, before the network makes them positive, and by targets. */
typedef struct {
  part *rates, *targets;
} Passed;

/* How far a variable has relaxed, and the mean over the step of what is left, with its slope by the decay. */
typedef struct {
  real rate, decay, left, slope;
} Relaxation;

INLINE Relaxation relaxation_of(const Flow *f, const Step *step, const part *rates, int q) {
  Relaxation r = {.rate = rates[q * STRIDE]};
  r.decay = decay_of(f, step, q, r.rate);
  const real gain = one_minus_exp(r.decay), safe = choose(r.decay < 0.02f, splat(1), r.decay);
  r.left = 1.0f - gain;
  r.slope = choose(r.decay < 0.02f, -0.5f + r.decay * (1.0f / 3 - r.decay * 0.125f), (r.left - gain / safe) / safe);
  return r;
}

/* The gradient of a rate before the network made it positive, given that of the decay. */
INLINE part drate_of(const Relaxation *r, real ddecay) {
  return ddecay * r->decay * (1.0f - (number)SHORTEST_MEMORY * r->rate);
}

/* What scalars pass back: their own gradients in place, those of the network and of the mean norm of the stress. */
INLINE void scalars_backward(const Flow *f, const Step *step, const State z, const part *rates, const part *goals,
                             State dz, Passed *d, real *dpassed) {
  for (int l = 0; l < SCALARS; ++l) {
    const int q = DEVIATORS + l, state = SCALARS_FROM + l;
    const Relaxation r = relaxation_of(f, step, rates, q);
    const real goal = goals[l * STRIDE], factor = inverse_root(1.0f + goal * goal), upstream = dz[state];
    const real ddecay = -r.left * (z[state] - goal * factor) * upstream;
    d->rates[q * STRIDE] = drate_of(&r, ddecay);
    *dpassed += ddecay * r.rate;
    d->targets[(DEVIATORS * COEFFICIENTS + l) * STRIDE] = upstream * (1.0f - r.left) * factor * factor * factor;
    dz[state] = upstream * r.left;
  }
}

/* What deviators pass back: gradients of the basis (what was before the step in it), of products with the direction,
 * of the network, norms and the radius. */
INLINE void deviators_backward(const Tensors *t, const Flow *f, const Step *step, const part *rates,
                               const part *targets, const State dz, deviator *dbasis, deviator (*dmine)[OWN], Passed *d,
                               real *dpassed, real *dradius) {
  for (int i = 0; i < DEVIATORS; ++i) {
    const Relaxation r = relaxation_of(f, step, rates, i);
    const real scale = i < GROUPS ? f->radius : splat(1);
    const part *own = targets + i * COEFFICIENTS * STRIDE;
    part *down = d->targets + i * COEFFICIENTS * STRIDE;
    deviator dtarget, dsum;
    real ddecay = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const real upstream = dz[i * DEVIATOR + k];
      ddecay -= r.left * (f->basis[MOVED + i][k] - f->target[i][k] * scale) * upstream;
      if (i < GROUPS) ddecay += step->strain[k] * r.slope * upstream;
      dtarget[k] = upstream * (1.0f - r.left);
      dbasis[MOVED + i][k] += upstream * r.left;
    }
    d->rates[i * STRIDE] = drate_of(&r, ddecay);
    dpassed[i < GROUPS ? i : GROUPS] += ddecay * r.rate;
    if (i < GROUPS) *dradius += dot(dtarget, f->target[i]);
    clear(dsum);
    bound_backward(f->target[i], f->factor[i] * scale, dtarget, dsum);
    for (int b = 0; b < BASIS; ++b) {
      down[b * STRIDE] = dot(dsum, f->basis[b]);
      if (b >= MEAN) add(own[b * STRIDE], dsum, dbasis[b]); /* the rest is of the step alone */
    }
    for (int o = 0; o < OWN; ++o) {
      down[(BASIS + o) * STRIDE] = dot(dsum, t->own[i][o]);
      clear(dmine[i][o]);
      add(own[(BASIS + o) * STRIDE], dsum, dmine[i][o]);
    }
  }
}

/* dz: in, gradient with respect to the state after the step; out, before it, but for what the network and the products
 * pass back. maps: of the elastic strain by the step. dproducts: out, gradients of products as targets. */
INLINE void relaxation_backward(const Tensors *t, const Step *step, const real *maps, const State z, const part *rates,
                                const part *targets, State dz, Passed *d, Products *dproducts) {
  Flow f;
  deviator dbasis[BASIS];
  real dpassed[GROUPS + 1], dradius = splat(0); /* by the norm of each group's stress times dt, and by their mean */
  flow_of(t, step, targets, &f);
  for (int b = 0; b < BASIS; ++b) clear(dbasis[b]);
  for (int g = 0; g <= GROUPS; ++g) dpassed[g] = splat(0);
  scalars_backward(&f, step, z, rates, targets + DEVIATORS * COEFFICIENTS * STRIDE, dz, d, dpassed + GROUPS);
  deviators_backward(t, &f, step, rates, targets, dz, dbasis, dproducts->own, d, dpassed, &dradius);
  for (int g = 0; g < GROUPS; ++g) {
    real *dmoved = dbasis[MOVED + g];
    const real slope = f.inverse[g] * (1.0f - 0.5f * f.stress[g] * f.inverse[g]); /* of the norm by its square */
    const real dsquare = (dpassed[g] + dpassed[GROUPS] * (1.0f / GROUPS)) * step->dt * slope;
    const real dtrial = dradius / (f.radius * GROUPS);
    add(splat(1.0 / GROUPS), dbasis[MEAN], dmoved);
    for (int k = 0; k < DEVIATOR; ++k)
      dmoved[k] += 2.0f * f.basis[MOVED + g][k] * dsquare + (f.basis[MOVED + g][k] + step->strain[k]) * dtrial;
    for (int m = 0; m < DEVIATOR; ++m) {
      real sum = dmoved[m];
      for (int k = 0; k < DEVIATOR; ++k) sum += maps[DEVIATOR * k + m] * dmoved[k];
      dz[g * DEVIATOR + m] = sum;
    }
  }
  for (int i = GROUPS; i < DEVIATORS; ++i)
    for (int k = 0; k < DEVIATOR; ++k) dz[i * DEVIATOR + k] = dbasis[MOVED + i][k];
  copy(dbasis[FIRST_PRODUCT], PRODUCTS * DEVIATOR, dproducts->products[0]);
}
#endif
