/* Deviators of multiscale/surrogate/recurrent/network.py, what the network reads of them, and back: one vector of lanes at a
 * time. A deviator has the components of increments.deviator5. */
#pragma once
#include <string.h>

#include "recurrent_layers.h"

/* Rows of a step in the data: features, map of the elastic strain, driving strain, size, time step. */
#define MAPS FEATURES
#define DRIVE (MAPS + DEVIATOR * DEVIATOR)
#define SIZE (DRIVE + DEVIATOR)
#define DT (SIZE + 1)
#define DATA (DT + 1)
/* The network reads the state's scalars, inner products of its deviators with the products and of all deviators with
 * each other, and the step's scalars. Only the first rows depend on the state. */
#define OF_STATE (INPUTS - PLAIN - OF_STEP * (OF_STEP + 1) / 2)
#define SHAPE (DIRECTION - 1) /* ln m, among the features */
#define RATE (DIRECTION + DEVIATOR)

typedef vec deviator[DEVIATOR];

INLINE vec dot(const deviator a, const deviator b) {
  vec sum = a[0] * b[0];
  for (int k = 1; k < DEVIATOR; ++k) sum += a[k] * b[k];
  return sum;
}

INLINE void add(vec factor, const deviator a, deviator sum) {
  for (int k = 0; k < DEVIATOR; ++k) sum[k] += factor * a[k];
}

INLINE void clear(deviator a) {
  for (int k = 0; k < DEVIATOR; ++k) a[k] = splat(0);
}

/* p += dev((A B + B A) / 2). Its coefficients are symmetric in all three tensors: given the gradient g of p, that of a
 * is the product of g and b. */
INLINE void add_product(const deviator a, const deviator b, deviator p) {
  const float r2 = 0.35355339f, r6 = 0.40824829f; /* 1 / (2 2^(1/2)), 1 / 6^(1/2) */
  p[0] += r6 * (a[0] * b[0] - a[1] * b[1] - a[4] * b[4] + 0.5f * (a[2] * b[2] + a[3] * b[3]));
  p[1] += r2 * (a[3] * b[3] - a[2] * b[2]) - r6 * (a[0] * b[1] + a[1] * b[0]);
  p[2] += r2 * (a[3] * b[4] + a[4] * b[3] - a[1] * b[2] - a[2] * b[1]) + 0.5f * r6 * (a[0] * b[2] + a[2] * b[0]);
  p[3] += r2 * (a[2] * b[4] + a[4] * b[2] + a[1] * b[3] + a[3] * b[1]) + 0.5f * r6 * (a[0] * b[3] + a[3] * b[0]);
  p[4] += r2 * (a[2] * b[3] + a[3] * b[2]) - r6 * (a[0] * b[4] + a[4] * b[0]);
}

/* |a> = a / (1 + a.a)^(1/2); returns the factor. */
INLINE vec bound(const deviator a, deviator out) {
  const vec factor = 1.0f / root(1.0f + dot(a, a));
  for (int k = 0; k < DEVIATOR; ++k) out[k] = factor * a[k];
  return factor;
}

/* da += the gradient, given that of |a>. */
INLINE void bound_backward(const deviator bounded, vec factor, const deviator given, deviator da) {
  const vec along = dot(bounded, given);
  for (int k = 0; k < DEVIATOR; ++k) da[k] += factor * (given[k] - bounded[k] * along);
}

/* Deviators of one vector of lanes, as the network reads them: the state's, bounded, then those of the step. */
typedef struct {
  deviator of[READ], mean, products[PRODUCTS]; /* the mean is of the elastic strains, and bounded */
  deviator along[DEVIATORS];                   /* product of each of the state's with the direction */
  vec factor[GROUPS], mean_factor;
} Tensors;
#define ALONG DEVIATORS /* among them: direction of the step, odd and even strain */
#define ODD (DEVIATORS + 1)

/* Which tensors the products are of. */
INLINE void factors_of(int p, const Tensors *t, const vec **a, const vec **b) {
  *a = p == 2 || p == 3 ? t->mean : t->of[ALONG];
  *b = p == 1 || p == 3 ? t->mean : p == 4 ? t->of[ALONG] : t->of[ODD];
}

/* Deviator of a strain measure in the features, a Mandel vector 11, 22, 33, 23, 13, 12. */
INLINE void deviator_of_mandel(const row *d, int v, deviator out) {
  out[0] = (2.0f * d[2][v] - d[0][v] - d[1][v]) * 0.40824829f;
  out[1] = (d[0][v] - d[1][v]) * 0.70710678f;
  for (int k = 2; k < DEVIATOR; ++k) out[k] = d[1 + k][v];
}

INLINE void tensors_of(const row *d, const row *z, int v, Tensors *t) {
  deviator mean;
  clear(mean);
  for (int i = 0; i < DEVIATORS; ++i) {
    for (int k = 0; k < DEVIATOR; ++k) t->of[i][k] = z[i * DEVIATOR + k][v];
    if (i >= GROUPS) continue;
    add(splat(1.0f / GROUPS), t->of[i], mean);
    t->factor[i] = bound(t->of[i], t->of[i]);
  }
  t->mean_factor = bound(mean, t->mean);
  for (int k = 0; k < DEVIATOR; ++k) t->of[ALONG][k] = d[DIRECTION + k][v];
  deviator_of_mandel(d, v, t->of[ODD]);
  deviator_of_mandel(d + 6, v, t->of[ODD + 1]);
  for (int p = 0; p < PRODUCTS; ++p) {
    const vec *a, *b;
    factors_of(p, t, &a, &b);
    clear(t->products[p]);
    add_product(a, b, t->products[p]);
  }
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(t->along[i]);
    add_product(t->of[i], t->of[ALONG], t->along[i]);
  }
}

/* What the network reads of a state and a step. */
INLINE void invariants(const Tensors *t, const row *d, const row *z, int v, row *x) {
  for (int l = 0; l < SCALARS; ++l) x[l][v] = z[DEVIATOR * DEVIATORS + l][v];
  row *out = x + SCALARS;
  for (int i = 0; i < DEVIATORS; ++i) {
    for (int p = 0; p < PRODUCTS; ++p) (*out++)[v] = dot(t->of[i], t->products[p]);
    (*out++)[v] = dot(t->of[i], t->along[i]);
  }
  for (int i = 0; i < READ; ++i)
    for (int j = i; j < READ; ++j) (*out++)[v] = dot(t->of[i], t->of[j]);
  out[0][v] = d[SHAPE][v];
  out[1][v] = d[RATE][v];
  out[2][v] = d[RATE + 1][v];
  out[3][v] = d[0][v] + d[1][v] + d[2][v];
  out[4][v] = d[6][v] + d[7][v] + d[8][v];
}

/* Gradients of products. */
typedef struct {
  deviator products[PRODUCTS], along[DEVIATORS];
} Products;

/* dz += gradients of the state, given those of what the network read and, from elsewhere, of the products (changed). */
INLINE void invariants_backward(const Tensors *t, const row *dx, Products *d, int v, row *dz) {
  deviator dof[DEVIATORS], dmean, dstate;
  const row *given = dx + SCALARS;
  clear(dmean);
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(dof[i]);
    for (int p = 0; p < PRODUCTS; ++p, ++given) {
      add((*given)[v], t->products[p], dof[i]);
      add((*given)[v], t->of[i], d->products[p]);
    }
    add((*given)[v], t->along[i], dof[i]);
    add((*given++)[v], t->of[i], d->along[i]);
    add_product(d->along[i], t->of[ALONG], dof[i]);
  }
  for (int i = 0; i < DEVIATORS; ++i)
    for (int j = i; j < READ; ++j, ++given) {
      add((*given)[v], t->of[j], dof[i]);
      if (j < DEVIATORS) add((*given)[v], t->of[i], dof[j]);
    }
  for (int p = 0; p < PRODUCTS; ++p) {
    const vec *a, *b;
    factors_of(p, t, &a, &b);
    if (a == t->mean) add_product(d->products[p], b, dmean);
    if (b == t->mean) add_product(d->products[p], a, dmean);
  }
  clear(dstate);
  bound_backward(t->mean, t->mean_factor, dmean, dstate);
  for (int i = 0; i < DEVIATORS; ++i) {
    deviator da;
    if (i < GROUPS) {
      for (int k = 0; k < DEVIATOR; ++k) da[k] = dstate[k] * (1.0f / GROUPS);
      bound_backward(t->of[i], t->factor[i], dof[i], da);
    } else {
      memcpy(da, dof[i], sizeof da);
    }
    for (int k = 0; k < DEVIATOR; ++k) dz[i * DEVIATOR + k][v] += da[k];
  }
  for (int l = 0; l < SCALARS; ++l) dz[DEVIATOR * DEVIATORS + l][v] += dx[l][v];
}
