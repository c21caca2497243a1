/* What a step does to the variables of multiscale/surrogate/recurrent/network.py, given what the network gave, and back. */
#pragma once
#include "recurrent_tensors.h"

#define SMALL 1e-12f /* rounds norms off */

/* (1 - exp(-x)) / x and its derivative, given exp(-x). */
INLINE void mean_of_exponential(vec x, vec left, vec *mean, vec *slope) {
  const bits small = x < 0.02f;
  const vec safe = choose(small, splat(1), x), exact = (1.0f - left) / safe;
  *mean = choose(small, 1.0f - x * (0.5f - x * (1.0f / 6)), exact);
  *slope = choose(small, -0.5f + x * (1.0f / 3 - x * 0.125f), (left - exact) / safe);
}

/* Where a step would lead one vector of lanes: its tensors, of which targets are combinations (direction, odd and even
 * strain, mean elastic strain, products, elastic strains as the step has moved them, other deviators); bounded targets
 * and their factors; norms of the stress of each group and their mean; the radius of the targets of elastic strains. */
typedef struct {
  deviator basis[BASIS], target[DEVIATORS];
  vec factor[DEVIATORS], inverse[GROUPS], stress[GROUPS], mean, radius;
} Flow;
#define MEAN OF_STEP
#define FIRST_PRODUCT (MEAN + 1)
#define MOVED (FIRST_PRODUCT + PRODUCTS)

INLINE void basis_of(const Tensors *t, const row *d, const row *z, int v, deviator *basis) {
  memcpy(basis, t->of[ALONG], OF_STEP * sizeof(deviator));
  memcpy(basis + FIRST_PRODUCT, t->products, sizeof t->products);
  memcpy(basis + MOVED + GROUPS, t->of[GROUPS], TENSORS * sizeof(deviator));
  clear(basis[MEAN]);
  for (int g = 0; g < GROUPS; ++g) {
    for (int k = 0; k < DEVIATOR; ++k) {
      vec moved = z[g * DEVIATOR + k][v];
      for (int m = 0; m < DEVIATOR; ++m) moved += d[MAPS + DEVIATOR * k + m][v] * z[g * DEVIATOR + m][v];
      basis[MOVED + g][k] = moved;
    }
    add(splat(1.0f / GROUPS), basis[MOVED + g], basis[MEAN]);
  }
}

/* coefficients: rows, what the network gave. */
INLINE void flow_of(const Tensors *t, const row *d, const row *z, const row *coefficients, int v, Flow *f) {
  vec trial = splat(SMALL);
  basis_of(t, d, z, v, f->basis);
  f->mean = splat(0);
  for (int i = 0; i < DEVIATORS; ++i) {
    deviator sum;
    clear(sum);
    for (int b = 0; b < BASIS; ++b) add(coefficients[i * COEFFICIENTS + b][v], f->basis[b], sum);
    add(coefficients[i * COEFFICIENTS + BASIS][v], t->along[i], sum);
    f->factor[i] = bound(sum, f->target[i]);
  }
  for (int g = 0; g < GROUPS; ++g) {
    const vec *moved = f->basis[MOVED + g], square = dot(moved, moved);
    for (int k = 0; k < DEVIATOR; ++k)
      trial += (moved[k] + d[DRIVE + k][v]) * (moved[k] + d[DRIVE + k][v]) * (1.0f / GROUPS);
    f->inverse[g] = 1.0f / root(square + SMALL);
    f->stress[g] = square * f->inverse[g];
    f->mean += f->stress[g] * (1.0f / GROUPS);
  }
  f->radius = root(trial);
}

/* Relaxation along a step: at one rate for a deviator, and for a scalar. */
typedef struct {
  vec rate, passed, left, mean, slope;
} Relaxation;

INLINE Relaxation relaxation_of(const Flow *f, const row *d, const row *rates, int q, int v) {
  Relaxation r;
  r.rate = 1.0f / (exponential(-rates[q][v]) + (float)SHORTEST_MEMORY);
  r.passed = d[SIZE][v] + d[DT][v] * (q < GROUPS ? f->stress[q] : f->mean);
  r.left = exponential(-r.passed * r.rate);
  if (q < GROUPS) mean_of_exponential(r.passed * r.rate, r.left, &r.mean, &r.slope);
  return r;
}

/* The state z after a step, in place; given: rates, and targets as the network gave them. */
INLINE void relax(const Tensors *t, const row *d, const row *rates, const row *targets, int v, row *z) {
  Flow f;
  flow_of(t, d, z, targets, v, &f);
  for (int i = 0; i < DEVIATORS; ++i) {
    const Relaxation r = relaxation_of(&f, d, rates, i, v);
    for (int k = 0; k < DEVIATOR; ++k) {
      const vec target = i < GROUPS ? f.target[i][k] * f.radius : f.target[i][k];
      z[i * DEVIATOR + k][v] = target + (f.basis[MOVED + i][k] - target) * r.left;
      if (i < GROUPS) z[i * DEVIATOR + k][v] += d[DRIVE + k][v] * r.mean;
    }
  }
  for (int l = 0; l < SCALARS; ++l) {
    const vec given = targets[DEVIATORS * COEFFICIENTS + l][v], target = given / root(1.0f + given * given);
    const Relaxation r = relaxation_of(&f, d, rates, DEVIATORS + l, v);
    row *xi = z + DEVIATOR * DEVIATORS + l;
    (*xi)[v] = target + ((*xi)[v] - target) * r.left;
  }
}

/* What scalars pass back: their own gradients in place, those of targets, rates and the mean norm of the stress. */
INLINE void scalars_backward(const Flow *f, const row *d, const row *z, const row *rates, const row *targets, int v,
                             row *dz, row *drates, row *dtargets, vec *dpassed) {
  for (int l = 0; l < SCALARS; ++l) {
    const int q = DEVIATORS + l, state = DEVIATOR * DEVIATORS + l, out = DEVIATORS * COEFFICIENTS + l;
    const Relaxation r = relaxation_of(f, d, rates, q, v);
    const vec given = targets[out][v], factor = 1.0f / root(1.0f + given * given), upstream = dz[state][v];
    const vec ddecay = -r.left * (z[state][v] - given * factor) * upstream;
    drates[q][v] = ddecay * r.passed * r.rate * (1.0f - (float)SHORTEST_MEMORY * r.rate);
    *dpassed += ddecay * r.rate;
    dtargets[out][v] = upstream * (1.0f - r.left) * factor * factor * factor;
    dz[state][v] = upstream * r.left;
  }
}

/* What deviators pass back: gradients of the basis (what was before the step in it), of products with the direction,
 * coefficients, rates and norms. */
INLINE void deviators_backward(const Tensors *t, const Flow *f, const row *d, const row *rates, const row *targets,
                               const row *dz, int v, deviator *dbasis, deviator *dalong, row *drates, row *dtargets,
                               vec *dpassed, vec *dradius) {
  for (int i = 0; i < DEVIATORS; ++i) {
    const Relaxation r = relaxation_of(f, d, rates, i, v);
    const vec scale = i < GROUPS ? f->radius : splat(1);
    deviator dtarget, dsum;
    vec ddecay = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const vec upstream = dz[i * DEVIATOR + k][v];
      ddecay -= r.left * (f->basis[MOVED + i][k] - f->target[i][k] * scale) * upstream;
      if (i < GROUPS) ddecay += d[DRIVE + k][v] * r.slope * upstream;
      dtarget[k] = upstream * (1.0f - r.left);
      dbasis[MOVED + i][k] += upstream * r.left;
    }
    drates[i][v] = ddecay * r.passed * r.rate * (1.0f - (float)SHORTEST_MEMORY * r.rate);
    dpassed[i < GROUPS ? i : GROUPS] += ddecay * r.rate;
    if (i < GROUPS) *dradius += dot(dtarget, f->target[i]);
    clear(dsum);
    bound_backward(f->target[i], f->factor[i] * scale, dtarget, dsum);
    for (int b = 0; b < BASIS; ++b) {
      dtargets[i * COEFFICIENTS + b][v] = dot(dsum, f->basis[b]);
      if (b >= MEAN) add(targets[i * COEFFICIENTS + b][v], dsum, dbasis[b]); /* the rest is of the step alone */
    }
    dtargets[i * COEFFICIENTS + BASIS][v] = dot(dsum, t->along[i]);
    clear(dalong[i]);
    add(targets[i * COEFFICIENTS + BASIS][v], dsum, dalong[i]);
  }
}

/* dz: in, gradient with respect to the state after the step; out, before it, but for what the network and the products
 * pass back. drates, dtargets, dproducts: out, gradients of what the network gave, and of products as targets. */
INLINE void relaxation_backward(const Tensors *t, const row *d, const row *z, const row *rates, const row *targets,
                                int v, row *dz, row *drates, row *dtargets, Products *dproducts) {
  Flow f;
  deviator dbasis[BASIS];
  vec dpassed[GROUPS + 1], dradius = splat(0); /* by the norm of each group's stress times dt, and by their mean */
  flow_of(t, d, z, targets, v, &f);
  for (int b = 0; b < BASIS; ++b) clear(dbasis[b]);
  for (int g = 0; g <= GROUPS; ++g) dpassed[g] = splat(0);
  scalars_backward(&f, d, z, rates, targets, v, dz, drates, dtargets, dpassed + GROUPS);
  deviators_backward(t, &f, d, rates, targets, dz, v, dbasis, dproducts->along, drates, dtargets, dpassed, &dradius);
  for (int g = 0; g < GROUPS; ++g) {
    vec *dmoved = dbasis[MOVED + g];
    const vec slope = f.inverse[g] * (1.0f - 0.5f * f.stress[g] * f.inverse[g]); /* of the norm by its square */
    const vec dsquare = (dpassed[g] + dpassed[GROUPS] * (1.0f / GROUPS)) * d[DT][v] * slope;
    const vec dtrial = dradius / (f.radius * GROUPS);
    add(splat(1.0f / GROUPS), dbasis[MEAN], dmoved);
    for (int k = 0; k < DEVIATOR; ++k)
      dmoved[k] += 2.0f * f.basis[MOVED + g][k] * dsquare + (f.basis[MOVED + g][k] + d[DRIVE + k][v]) * dtrial;
    for (int m = 0; m < DEVIATOR; ++m) {
      vec sum = dmoved[m];
      for (int k = 0; k < DEVIATOR; ++k) sum += d[MAPS + DEVIATOR * k + m][v] * dmoved[k];
      dz[g * DEVIATOR + m][v] = sum;
    }
  }
  for (int i = GROUPS; i < DEVIATORS; ++i)
    for (int k = 0; k < DEVIATOR; ++k) dz[i * DEVIATOR + k][v] = dbasis[MOVED + i][k];
  memcpy(dproducts->products, dbasis + FIRST_PRODUCT, PRODUCTS * sizeof(deviator));
}
